// What keeps the queue worth reading: a silence made from an incident after a look at what it would have held, seen in the list, revoked;
// budgets and rules found by keyboard; an over-budget incident that explains itself.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { logIn, openBrowser } from './browser.mjs';

const base = process.env.VSOC_URL;

const figure = (page) => page.textContent('.silence-figure b').then((t) => Number(t.replace(/\D/g, '')));
const tried = (page) => page.waitForSelector('.silence-preview[aria-busy=false]');
const toast = (page, text) => page.waitForSelector(`.toast:has-text("${text}")`);

test('a silence is made from an incident after a preview, listed, and revoked', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?stage=-closed');
    const id = await page.evaluate(async () => (await (await fetch('/api/v1/incidents?stage=-closed&sort=-opened')).json()).rows.find((r) => r.severity !== 'critical' && r.disposition === null).id);
    await page.goto(`/incidents/${id}`);
    await page.click('.incident-buttons a:has-text("Silence")');
    await page.waitForSelector('dialog[open] h2:has-text("Silence from")');
    await page.waitForSelector('.silence-figure');
    await tried(page);
    assert.ok((await figure(page)) >= 1, 'the incident it is made from would have been held');
    // Without a reason it cannot be sent, and the form says so.
    assert.equal(await page.getAttribute('dialog button[type=submit]', 'aria-disabled'), 'true');
    const narrow = await figure(page);
    for (let n = await page.$$eval('.matcher', (m) => m.length); n > 1; n--) await page.click(`[aria-label="Remove condition ${n}"]`);
    await tried(page);
    await page.waitForFunction((at) => Number(document.querySelector('.silence-figure b').textContent.replace(/\D/g, '')) >= at, narrow);
    await page.selectOption('.matcher select', 'model');
    await page.waitForSelector('.silence-preview .field-wrong:has-text("Too broad")');
    await page.selectOption('.matcher select', 'rule');
    await page.waitForSelector('.silence-preview .field-wrong', { state: 'detached' });
    await page.fill('textarea[name=reason]', 'Known from the test bench, the journey test says.');
    await page.selectOption('select[name=cause]', 'workshop');
    await tried(page);
    await page.waitForFunction(() => document.querySelector('dialog button[type=submit]').getAttribute('aria-disabled') === 'false');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog', { state: 'detached' });
    await toast(page, 'holds alerts now');
    const row = page.locator('table.silences tbody tr', { hasText: id }).first();
    assert.match(await row.textContent(), /Active.*Rule is .*Vehicle in the workshop/);
    const silence = await row.locator('th a').textContent();
    await page.click(`table.silences a:text-is("${silence}")`);
    await page.waitForSelector('.tab-held .empty, .tab-held table');
    await page.click('#tab-silences');
    await page.locator('table.silences tbody tr', { hasText: silence }).getByRole('button', { name: 'Revoke' }).click();
    await page.fill('dialog textarea[name=reason]', 'The bench is down.');
    await page.click('dialog button[type=submit]');
    await toast(page, `${silence} has ended`);
    await page.click('button:has-text("Ended")');
    await page.waitForSelector(`table.silences tr:has-text("${silence}"):has-text("revoked")`);
    assert.deepEqual(b.seen, { errors: [], outside: [] });
  } finally {
    await b.close();
  }
});

test('keys alone reach silences, budgets and a rule with the text that fired', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?stage=-closed');
    await page.waitForSelector('.grid-data');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForSelector('.economy h1');
    await page.keyboard.press('n');
    await page.waitForSelector('dialog[open]');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Value 1');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.focus('#tab-silences');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.budgets table');
    assert.match(page.url(), /tab=budgets/);
    const link = page.locator('.budgets tbody a').first();
    const rule = await link.textContent();
    await link.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector(`.rule-detail .facts:has-text("${rule}")`);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.rule-detail', { state: 'detached' });
    await page.fill('[aria-label="Filter rules"]', 'zzzz');
    await page.waitForSelector('.empty:has-text("No rule matches")');
    await page.fill('[aria-label="Filter rules"]', rule);
    await page.waitForSelector(`.rules tbody tr:has-text("${rule}")`);
    const fired = await page.evaluate(async () => (await (await fetch('/api/v1/rules')).json()).rows.find((r) => r.versions > 0)?.rule);
    if (fired) {
      await page.goto(`/rules?rule=${encodeURIComponent(fired)}`);
      assert.match(await page.textContent('.rule-version pre'), /detection|correlation/);
    }
    assert.deepEqual(b.seen, { errors: [], outside: [] });
  } finally {
    await b.close();
  }
});

test('an over-budget incident says why it exists and what would hold its alerts', async (t) => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?sort=-updated');
    const id = await page.evaluate(async () => (await (await fetch('/api/v1/incidents?q=over%20budget')).json()).rows[0]?.id);
    if (!id) return t.skip('this server has no over-budget incident');
    await page.goto(`/incidents/${id}`);
    const text = await (await page.waitForSelector('.over-budget')).textContent();
    assert.match(text, /may bring \d+ alerts? a day to the queue/);
    assert.match(text, /none is dropped/);
    assert.match(text, /Task.*tune rule/i);
    assert.ok((await page.$$('.over-budget tbody tr')).length > 0, 'what its alerts have in common');
    const look = await page.$('.over-budget a:text-is("Look")');
    if (look) {
      await look.click();
      await page.waitForSelector('dialog[open] .silence-figure');
      assert.ok((await figure(page)) >= 0);
      await page.keyboard.press('Escape');
    }
    assert.deepEqual(b.seen, { errors: [], outside: [] });
  } finally {
    await b.close();
  }
});
