// Builds the console into dist/: hashed bundles, fonts, index.html, a .gz beside every compressible file, the licences of what is
// bundled, and manifest.json with the SHA-256 of every file. The same sources give the same bytes.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(ROOT, 'dist');
const BUNDLED_PACKAGES = ['preact', '@preact/signals', '@preact/signals-core', '@fontsource-variable/inter', '@fontsource/ibm-plex-mono'];

const filesBelow = (dir) =>
  readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? filesBelow(join(dir, e.name)) : [join(dir, e.name)]));

async function bundle() {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: { main: 'src/app/main.tsx', theme: 'src/app/theme_boot.ts', style: 'src/styles/index.css', pages: 'src/styles/pages.css' },
    outdir: DIST,
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    assetNames: 'assets/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    loader: { '.woff2': 'file' },
    metafile: true,
    logLevel: 'warning',
  });
  return Object.entries(result.metafile.outputs).map(([path, o]) => ({ file: relative('dist', path), entry: o.entryPoint }));
}

function writeIndex(outputs) {
  const fileOf = (entry) => outputs.find((o) => o.entry === entry).file;
  const html = readFileSync(join(ROOT, 'src/index.html'), 'utf8')
    .replace('{{style}}', `/${fileOf('src/styles/index.css')}`)
    .replace('{{pages}}', `/${fileOf('src/styles/pages.css')}`)
    .replace('{{theme}}', `/${fileOf('src/app/theme_boot.ts')}`)
    .replace('{{main}}', `/${fileOf('src/app/main.tsx')}`);
  writeFileSync(join(DIST, 'index.html'), html);
}

function writeLicences() {
  const texts = BUNDLED_PACKAGES.map((name) => {
    const dir = join(ROOT, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    const file = readdirSync(dir).find((f) => /^licen[cs]e/i.test(f));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(dir, file), 'utf8') : ''}`;
  });
  writeFileSync(join(DIST, 'THIRD-PARTY.txt'), texts.join('\n\n----\n\n'));
}

function writeManifest() {
  const files = {};
  for (const path of filesBelow(DIST).sort()) {
    const bytes = readFileSync(path);
    const entry = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    if (!path.endsWith('.woff2')) {
      const packed = gzipSync(bytes, { level: 9 });
      writeFileSync(`${path}.gz`, packed);
      entry.gz = packed.length;
    }
    files[relative(DIST, path)] = entry;
  }
  writeFileSync(join(DIST, 'manifest.json'), `${JSON.stringify({ files }, null, 1)}\n`);
  return files;
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
const outputs = await bundle();
writeIndex(outputs);
writeFileSync(join(DIST, 'favicon.svg'), readFileSync(join(ROOT, 'src/favicon.svg')));
writeLicences();
const files = writeManifest();
const gz = Object.entries(files).filter(([f]) => /\.(js|css|html)$/.test(f)).reduce((sum, [, f]) => sum + f.gz, 0);
console.log(`${basename(DIST)}: ${Object.keys(files).length} files, JS+CSS+HTML ${(gz / 1024).toFixed(1)} KB gz, ${statSync(join(DIST, 'manifest.json')).size} bytes of manifest`);
