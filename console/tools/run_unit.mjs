// Bundles the unit tests with the build's own bundler and runs them with node --test.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const tests = readdirSync(join(ROOT, 'test/unit')).filter((f) => f.endsWith('.test.ts')).map((f) => join('test/unit', f));
const out = mkdtempSync(join(tmpdir(), 'vsoc-unit-'));
await build({ absWorkingDir: ROOT, entryPoints: tests, outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', target: 'node18', jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning' });
const files = readdirSync(out).map((f) => join(out, f));
const { status } = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit', env: { ...process.env, TZ: 'Europe/Berlin' } });
rmSync(out, { recursive: true, force: true });
process.exit(status ?? 1);
