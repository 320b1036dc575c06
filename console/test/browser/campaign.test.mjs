// Campaigns with answers made up here: the list leads to one, which shows its curve, its reasons and its incident.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { logIn, openBrowser } from './browser.mjs';

const base = process.env.VSOC_URL;
const at = (hour) => new Date(Date.UTC(2026, 10, 19, hour)).toISOString();
const campaign = {
  id: 'ab'.repeat(16), signature: 'SecOC_fail|BrakeTorque|', model: 'M1', software: null, region: null, state: 'open', verdict: 'attack_suspected', attack: 0.9, regression: 0.06,
  fault: 0.04, first: at(3), detected: at(6), last: at(9), told: at(6), changed: at(9), alarm_hours: 3, vehicles: 9, expected: 0.4, score: 21.5, threshold: 15.5, window_h: 3,
  explains: 0.97, baseline: 1, cold: false, pages: true, alert: 'ab'.repeat(16), incident: 'INC-7',
};
const reasons = [{ text: 'told by a specification', attack: 1.2, regression: -0.4, fault: -0.8 }, { text: 'one hardware generation', attack: -0.5, regression: 0, fault: 0.5 }];
const curve = [0, 1, 2, 3, 4, 5].map((h) => ({ time: at(h), cases: h < 3 ? 0 : h - 1, expected: 0.1 }));

test('a campaign is found in the list and says what happened and why', async () => {
  const b = await openBrowser(base);
  try {
    await b.page.route(/\/api\/v1\/campaigns(\?|$)/, (r) => r.fulfill({ json: { total: { value: 1, relation: 'eq' }, rows: [campaign], next: null } }));
    await b.page.route(/\/api\/v1\/campaigns\/\w+/, (r) => r.fulfill({ json: { campaign, reasons, curve } }));
    await logIn(b.page, '/queue');
    await b.page.click('nav a[href="/campaigns"]');
    await b.page.waitForSelector('table.list tbody tr');
    await b.page.click('table.list tbody a');
    await b.page.waitForSelector('.bars rect');
    assert.equal(await b.page.locator('.bars rect').count(), 3);
    assert.equal(await b.page.textContent('h1'), 'Attack suspected');
    assert.deepEqual(await b.page.locator('section[aria-label=Reasons] .badge').allTextContents(), ['for', 'against']);
    assert.equal(await b.page.getAttribute('dl.facts a', 'href'), '/incidents/INC-7');
    if (process.env.CAMPAIGN_SHOT) await b.page.screenshot({ path: process.env.CAMPAIGN_SHOT });
    await b.page.keyboard.press('Escape');
    await b.page.waitForSelector('table.list tbody tr');
  } finally {
    await b.close();
  }
});
