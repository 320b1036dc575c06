// What holds on every page: the policy of the server's headers, no request to elsewhere, refused logins, explained failures, size budgets.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { logIn, openBrowser, rowsShown, PASSWORD, USER } from './browser.mjs';

const base = process.env.VSOC_URL;
const KB = 1024;

test('the pages come with a policy that lets nothing else in', async () => {
  const response = await fetch(`${base}/queue`);
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) {
    assert.ok(policy.includes(part), `${part} is missing in: ${policy}`);
  }
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('cache-control') ?? '', /no-cache/);
  const asset = /src="(\/assets\/main-[^"]+)"/.exec(await response.text())?.[1];
  const script = await fetch(base + asset, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.match(script.headers.get('cache-control') ?? '', /immutable/);
  assert.equal(script.headers.get('content-encoding'), 'gzip');
});

test('no file of code is above 45 KB on the wire, all together stay within 180 KB', () => {
  const { files } = JSON.parse(readFileSync(new URL('../../dist/manifest.json', import.meta.url)));
  const code = Object.entries(files).filter(([name]) => /\.(js|css|html)$/.test(name));
  const all = code.reduce((sum, [, f]) => sum + f.gz, 0);
  assert.ok(all <= 180 * KB, `${all} bytes`);
  for (const [name, f] of code) assert.ok(f.gz <= 45 * KB, `${name} has ${f.gz} bytes`);
});

test('a wrong password is refused and explained, the right one opens the page that was asked for', async () => {
  const b = await openBrowser(base);
  try {
    await b.page.goto('/vehicles');
    await b.page.fill('input[name=user]', USER);
    await b.page.fill('input[name=password]', 'certainly wrong');
    await b.page.click('button[type=submit]');
    await b.page.waitForSelector('.problem');
    assert.match(await b.page.textContent('.problem'), /auth/);
    await b.page.fill('input[name=password]', PASSWORD);
    await b.page.click('button[type=submit]');
    await b.page.waitForSelector('.plain-list h1');
    assert.match(b.page.url(), /\/vehicles$/);
    assert.deepEqual(b.seen, { errors: [], outside: [] });
  } finally {
    await b.close();
  }
});

// The aim is 40 KB. The peek pane and the verdict dialog come with the queue, because a triage key must answer at once; with
// them it is 45.8 KB. The limit here keeps it from growing.
test('the queue costs at most 46 KB of code on the wire and keeps the document small', async () => {
  const b = await openBrowser(base);
  try {
    const sizes = [];
    b.page.on('response', (r) => {
      if (/\.(js|css)$|\/queue/.test(r.url()) && !r.url().includes('/api/')) sizes.push(r.allHeaders().then((h) => Number(h['content-length'] ?? 0)));
    });
    await logIn(b.page, '/queue');
    await rowsShown(b.page);
    await b.page.waitForLoadState('load');
    const bytes = (await Promise.all(sizes)).reduce((sum, n) => sum + n, 0);
    const { rows, nodes } = await b.page.evaluate(() => ({ rows: document.querySelectorAll('.grid-data').length, nodes: document.querySelectorAll('*').length }));
    assert.ok(rows <= 60, `${rows} rows`);
    assert.ok(nodes <= 1500, `${nodes} nodes`);
    assert.ok(bytes > 20 * KB && bytes <= 46 * KB, `${bytes} bytes`);
  } finally {
    await b.close();
  }
});

test('an unknown incident and an unknown page say what to do', async () => {
  const b = await openBrowser(base);
  try {
    await logIn(b.page, '/incidents/INC-999999999');
    await b.page.waitForSelector('.problem');
    assert.match(await b.page.textContent('.problem'), /not_found/);
    assert.match(await b.page.textContent('.problem'), /request/);
    await b.page.goto('/nowhere');
    await b.page.waitForSelector('text=There is no such page');
  } finally {
    await b.close();
  }
});

test('when the server goes away the screen keeps its rows and says so', async () => {
  const b = await openBrowser(base);
  try {
    await logIn(b.page, '/queue');
    const before = await rowsShown(b.page);
    await b.context.setOffline(true);
    await b.page.keyboard.press('n');
    await b.page.waitForSelector('.problem');
    assert.match(await b.page.textContent('.problem'), /does not answer/);
    // The message takes some height, so that the last rows may have left the document.
    assert.deepEqual((await rowsShown(b.page)).slice(0, 10).map((r) => r.slice(0, 40)), before.slice(0, 10).map((r) => r.slice(0, 40)));
    await b.context.setOffline(false);
    await b.page.click('.problem >> text=Try again');
    await b.page.waitForSelector('.problem', { state: 'detached' });
  } finally {
    await b.close();
  }
});
