// No violation of WCAG 2.2 A and AA on any screen in either theme.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { logIn, openBrowser } from './browser.mjs';
import { goTo, placesOf } from './places.mjs';

const base = process.env.VSOC_URL;
const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

async function violations(page) {
  await page.evaluate(source);
  const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }).then((r) => r.violations), TAGS);
  return found.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary.replace(/\s+/g, ' ').slice(0, 160)}`).join(' | ')}`);
}

for (const theme of ['light', 'dark']) {
  test(`no violation in ${theme}`, async () => {
    const b = await openBrowser(base, { theme });
    const found = {};
    try {
      await b.page.goto('/queue');
      await b.page.waitForSelector('input[name=user]');
      found.login = await violations(b.page);
      await logIn(b.page, '/queue');
      for (const place of await placesOf(b.page)) {
        await goTo(b.page, place);
        found[place.name] = await violations(b.page);
      }
    } finally {
      await b.close();
    }
    assert.deepEqual(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0)), {});
  });
}
