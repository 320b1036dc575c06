// Runs the browser journeys. VSOC_URL names the server under test (with VSOC_USER, VSOC_PASSWORD); without it the development server with made-up
// data is started. The build must be there: npm run build.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startMock } from '../../dev/mock-server.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
if (!existsSync(`${ROOT}/dist/index.html`)) {
  console.error('console/dist is missing; run: npm run build');
  process.exit(2);
}
const mock = process.env.VSOC_URL ? null : await startMock();
const env = { ...process.env, VSOC_URL: process.env.VSOC_URL ?? mock.url };
console.error(`journeys against ${env.VSOC_URL}${mock ? ' (development server)' : ''}`);
const child = spawn(process.execPath, ['--test', fileURLToPath(new URL('all.test.mjs', import.meta.url))], { stdio: 'inherit', env });
child.on('exit', (code) => {
  mock?.close();
  process.exit(code ?? 1);
});
