// Starts the real daemon in a folder of its own, with a small simulated fleet, attacks included, and a user who may do what the journeys do.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FLEET = ['--seed', '1', '--vehicles', '300', '--days', '10', '--start', 'now'];
const SETTLED_MS = 2000;
const SETTLE_MS_MAX = 120_000;

export const USER = { user: 'analyst', password: 'journeys-2026' };

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Whether `bin` holds programs that can do this: the daemon, and a command line that knows users and the simulator. */
export function hasDaemon(bin) {
  return bin !== undefined && existsSync(join(resolve(ROOT, bin), 'vsocd')) && existsSync(join(resolve(ROOT, bin), 'vsoc'));
}

export async function startDaemon(binName) {
  const bin = resolve(ROOT, binName);
  const dir = mkdtempSync(join(tmpdir(), 'vsoc-journeys-'));
  const vsoc = (args, input) => {
    const r = spawnSync(join(bin, 'vsoc'), args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (r.status !== 0) throw new Error(`vsoc ${args.join(' ')} failed with ${r.status}: ${r.stderr}`);
    return r.stdout;
  };
  vsoc(['pki', 'init', dir]);
  // Small enough that some rule goes over it on its busiest day, so that there is an over-budget incident to look at.
  writeFileSync(join(dir, 'budgets.yml'), 'default: {rule: 1, team: unlimited}\n');
  const config = join(dir, 'vsocd.yaml');
  writeFileSync(config, JSON.stringify({
    data_dir: 'data',
    ingest: { address: '127.0.0.1', port: await freePort(), tls_cert: 'server.pem', tls_key: 'server.key', vehicle_ca: 'vehicle-ca.pem', pseudonym_key: 'pseudonym.key', simulated_clock: true },
    detect: { rules: join(ROOT, 'content/rules') },
    respond: { budgets: 'budgets.yml' },
    api: { address: '127.0.0.1', port: await freePort(), console: join(ROOT, 'console/dist'), vault_key: 'vault.key' },
  }));
  const child = spawn(join(bin, 'vsocd'), ['--config', config], { stdio: ['ignore', 'pipe', openSync(join(dir, 'log'), 'w')] });
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await Promise.race([new Promise((done) => child.once('exit', done)), sleep(10_000)]);
      if (child.exitCode === null) child.kill('SIGKILL');
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const ready = await new Promise((done, fail) => {
      child.stdout.once('data', (line) => done(JSON.parse(String(line))));
      child.once('exit', () => fail(new Error(`vsocd did not start: ${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`)));
    });
    const vehicles = join(dir, 'vehicles.jsonl');
    writeFileSync(vehicles, vsoc(['sim', 'vehicles', ...FLEET, '--pki', dir]));
    try {
      vsoc(['import', 'vehicles', vehicles, '--config', config]);
    } catch (error) {
      // The journeys hold without models and VINs too; the one about the VIN says that it was skipped.
      console.error(`going on without vehicle data: ${error.message.trim()}`);
    }
    vsoc(['user', 'add', USER.user, '--role', 't2', '--config', config], `${USER.password}\n`);
    vsoc(['sim', 'drive', ...FLEET, '--pki', dir, '--url', `https://localhost:${ready.ingest_port}`, '--truth', join(dir, 'truth.jsonl')]);
    await settle(() => vsoc(['report', 'summary', '--config', config]));
    return { url: `http://127.0.0.1:${ready.api_port}`, close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until detection has nothing more to say. */
async function settle(report) {
  const started = Date.now();
  let last = '';
  let since = Date.now();
  while (Date.now() - since < SETTLED_MS && Date.now() - started < SETTLE_MS_MAX) {
    const now = report();
    if (now !== last) {
      last = now;
      since = Date.now();
    }
    await sleep(500);
  }
}
