// News and other people: new incidents are only counted, a conflict is explained and can be repeated, a refused call keeps what was typed, an
// ended session comes back to the same place. The daemon's answers are bent where they cannot be brought about from outside.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { logIn, openBrowser, rowsShown, PASSWORD, USER } from './browser.mjs';

const base = process.env.VSOC_URL;
const FRESH = '/queue?stage=triage&disposition=none&assignee=-me';
const problem = (status, code, detail) => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: code, status, code, detail, next: 'load it again and repeat the change', request_id: 'req-test' }) });

test('new incidents are announced and never move the rows', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await page.route('**/api/v1/incidents/news?**', (route) => route.fulfill({ json: { since: 1, as_of: 4, count: 3 } }));
    await logIn(page, '/queue?stage=-closed');
    const before = await rowsShown(page);
    await page.goto('/vehicles');
    await page.waitForSelector('.plain-list h1');
    await page.goto('/queue?stage=-closed');
    await rowsShown(page);
    await page.click('.nav a:has-text("Vehicles")');
    await page.waitForSelector('.plain-list h1');
    await page.goBack();
    await page.waitForSelector('.news:has-text("3 new")');
    assert.equal((await rowsShown(page)).length, before.length);
    await page.focus('[role=grid]');
    await page.keyboard.press('n');
    await page.waitForSelector('.news', { state: 'detached' });
  } finally {
    await b.close();
  }
});

test('a conflict is explained, what was typed stays, and the second press works', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, FRESH);
    await rowsShown(page);
    await page.focus('[role=grid]');
    const id = await page.textContent('.grid-data.is-here a');
    let first = true;
    await page.route('**/disposition', (route) => {
      const conflict = first;
      first = false;
      return conflict ? route.fulfill(problem(409, 'conflict', `${id} was changed by someone else meanwhile.`)) : route.continue();
    });
    await page.keyboard.press('h');
    await page.fill('dialog textarea', 'Worn sensor ring, seen before.');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('dialog .problem:has-text("newest state is shown now")');
    assert.equal(await page.inputValue('dialog textarea'), 'Worn sensor ring, seen before.');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector(`.toast:has-text("${id} judged hardware fault")`);
    await page.keyboard.press('u');
    await page.waitForSelector('.toast:has-text("Taken back")');
  } finally {
    await b.close();
  }
});

test('a selection is judged as one act and taken back as one act', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, FRESH);
    const total = Number(await page.getAttribute('[role=grid]', 'aria-rowcount'));
    await page.focus('[role=grid]');
    await page.keyboard.press('x');
    await page.keyboard.press('Shift+J');
    await page.waitForSelector('.selectionbar:has-text("2 incidents selected")');
    await page.keyboard.press('i');
    await page.waitForSelector('.toast:has-text("2 incidents taken")');
    await page.waitForFunction((n) => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) === n, total - 2);
    await page.keyboard.press('u');
    await page.waitForFunction((n) => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) === n, total);
  } finally {
    await b.close();
  }
});

test('an ended session asks for the login and returns to the same place', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?stage=-closed&severity=critical,high');
    await rowsShown(page);
    await b.context.clearCookies();
    await page.keyboard.press('n');
    await page.waitForSelector('input[name=user]');
    await page.fill('input[name=user]', USER);
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button[type=submit]');
    await rowsShown(page);
    assert.match(page.url(), /severity=critical,high/);
  } finally {
    await b.close();
  }
});

test('a role that may not act is told why, beside the control', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    const readOnly = (me) => (me.permissions ? { ...me, permissions: me.permissions.filter((p) => p.endsWith('.read')) } : me);
    for (const path of ['**/api/v1/login', '**/api/v1/me']) {
      await page.route(path, async (route) => {
        const response = await route.fetch();
        return route.fulfill({ response, json: readOnly(await response.json()) });
      });
    }
    await logIn(page, '/queue?stage=-closed');
    await rowsShown(page);
    await page.focus('[role=grid]');
    await page.keyboard.press('t');
    await page.waitForSelector('.toast:has-text("Your role may not")');
    assert.equal(await page.$('dialog'), null);
    await page.focus('[role=grid]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.incident-buttons [aria-disabled=true][aria-describedby=act-why]');
    assert.match(await page.textContent('#act-why'), /may not take and judge incidents/);
  } finally {
    await b.close();
  }
});

test('Tab walks through the page and out again: nothing holds the focus', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?stage=-closed');
    await rowsShown(page);
    await page.focus('.skip');
    const seen = new Set();
    for (let i = 0; i < 120 && !seen.has('end'); i++) {
      await page.keyboard.press('Tab');
      seen.add(await page.evaluate(() => {
        const e = document.activeElement;
        if (!e || e === document.body) return 'end';
        return e.getAttribute('role') === 'grid' ? 'grid' : e.closest('header.top') ? 'header' : e.closest('.facets') ? 'facets' : e.tagName;
      }));
    }
    for (const place of ['header', 'facets', 'grid', 'end']) assert.ok(seen.has(place), `${place} was not reached: ${[...seen]}`);
  } finally {
    await b.close();
  }
});
