// The address is the view (L2, L3): a pasted link shows the same rows, a changed filter changes the address, Back takes it back and returns to the
// same row at the same place.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { logIn, openBrowser, rowsShown } from './browser.mjs';

const base = process.env.VSOC_URL;

test('a copied address shows the same rows in a fresh session, and Back undoes one filter', async () => {
  const a = await openBrowser(base);
  const c = await openBrowser(base);
  try {
    await logIn(a.page, '/queue');
    const open = await rowsShown(a.page);
    assert.match(a.page.url(), /\?stage=-closed$/, 'the filter that applies stands in the address');
    await a.page.click('.facet-value:has-text("Critical"), .facet-value:has-text("High")');
    await a.page.waitForURL(/severity=/);
    await a.page.waitForFunction((before) => document.querySelector('.grid')?.getAttribute('aria-rowcount') !== before, String(open.length));
    await a.page.click('button.sort:has-text("Incident")');
    await a.page.waitForURL(/sort=id/);
    await a.page.waitForSelector('[aria-sort=ascending]');
    await a.page.waitForTimeout(400);
    const rows = await a.page.$$eval('.grid-data a[href^="/incidents/"]', (list) => list.map((l) => l.textContent));

    await logIn(c.page, a.page.url());
    await rowsShown(c.page);
    assert.deepEqual(await c.page.$$eval('.grid-data a[href^="/incidents/"]', (list) => list.map((l) => l.textContent)), rows);

    await a.page.goBack();
    await a.page.waitForURL((u) => !u.search.includes('sort='));
    await a.page.goBack();
    await a.page.waitForURL((u) => !u.search.includes('severity='));
    await a.page.waitForFunction((n) => document.querySelectorAll('.grid-data').length === n, open.length);
  } finally {
    await a.close();
    await c.close();
  }
});

test('Back from an incident returns to the same row and scroll position', async () => {
  const b = await openBrowser(base, { size: { width: 1280, height: 720 } });
  const { page } = b;
  try {
    await logIn(page, '/queue?sort=-updated');
    const count = (await rowsShown(page)).length;
    await page.focus('[role=grid]');
    for (let i = 0; i < Math.min(45, count - 1); i++) await page.keyboard.press('j');
    const before = await page.$eval('.grid', (g) => ({ top: g.scrollTop, here: g.querySelector('.is-here a').textContent }));
    await page.keyboard.press('Enter');
    await page.waitForSelector('.lifecycle');
    await page.goBack();
    await page.waitForSelector('.grid-data.is-here');
    const after = await page.$eval('.grid', (g) => ({ top: g.scrollTop, here: g.querySelector('.is-here a').textContent }));
    assert.deepEqual(after, before);
  } finally {
    await b.close();
  }
});

test('an empty result says which filter to drop', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?q=zzzznothing&stage=-closed');
    await page.waitForSelector('text=Nothing matches these filters');
    await page.waitForSelector('.empty-list >> text=/brings \\d/');
    await page.click('.empty-list .chip:has-text("zzzznothing")');
    await rowsShown(page);
  } finally {
    await b.close();
  }
});

test('the zone switch changes every time on the page and stays', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/vehicles');
    await page.waitForSelector('.grid-data time');
    assert.match(await page.textContent('.grid-data time'), / UTC$/);
    await page.click('[aria-label="Time zone"] >> text=Local');
    await page.waitForFunction(() => !/ UTC$/.test(document.querySelector('.grid-data time').textContent));
    assert.match(await page.textContent('.grid-data time'), /(CES?T|GMT\+[12])$/);
    await page.reload();
    await page.waitForSelector('.grid-data time');
    assert.match(await page.textContent('.grid-data time'), /(CES?T|GMT\+[12])$/);
  } finally {
    await b.close();
  }
});

test('the tab and the range of a vehicle are in the address', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/vehicles');
    await page.waitForSelector('.grid-data');
    await page.focus('[role=grid]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.vehicle-facts');
    await page.click('[role=tab]:has-text("Incidents")');
    await page.waitForURL(/tab=incidents/);
    await page.click('.range > button');
    await page.click('.range-quick >> text=Last 30 days');
    await page.waitForURL(/from=now-30d/);
    await page.reload();
    await page.waitForSelector('[role=tab][aria-selected=true]:has-text("Incidents")');
    await page.waitForSelector('.range >> text=Last 30 days');
  } finally {
    await b.close();
  }
});
