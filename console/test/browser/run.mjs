// Runs the browser journeys against one of three servers:
//   VSOC_URL (with VSOC_USER, VSOC_PASSWORD)  a server that runs already
//   VSOC_BIN                                  the real daemon of that folder, started here with a small simulated fleet
//   neither, or VSOC_MOCK=1                   the development server with made-up data
// The build must be there: npm run build.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startMock } from '../../dev/mock-server.mjs';
import { hasDaemon, startDaemon, USER } from './daemon.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function server() {
  const { VSOC_URL, VSOC_BIN, VSOC_MOCK } = process.env;
  if (VSOC_URL) return { url: VSOC_URL, kind: 'given', close: async () => {} };
  if (VSOC_MOCK !== '1' && hasDaemon(VSOC_BIN)) {
    console.error(`starting vsocd of ${VSOC_BIN} and driving a small fleet; this takes about half a minute`);
    return { ...(await startDaemon(VSOC_BIN)), kind: 'vsocd', env: { VSOC_USER: USER.user, VSOC_PASSWORD: USER.password } };
  }
  return { ...(await startMock()), kind: 'development server, made-up data' };
}

if (!existsSync(`${ROOT}/dist/index.html`)) {
  console.error('console/dist is missing; run: npm run build');
  process.exit(2);
}
const target = await server();
console.error(`journeys against ${target.url} (${target.kind})`);
const env = { ...process.env, ...(target.env ?? {}), VSOC_URL: target.url };
const child = spawn(process.execPath, ['--test', fileURLToPath(new URL('all.test.mjs', import.meta.url))], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', async (code) => {
  await target.close();
  process.exit(code ?? 1);
});
