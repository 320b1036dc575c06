// Pictures of the screens in both themes, into build/screens, and what must hold on each: landmarks, one heading, no sideways scrolling down to
// 1280 and 390 pixels, colours that differ between the themes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { logIn, openBrowser } from './browser.mjs';
import { goTo, placesOf } from './places.mjs';

const base = process.env.VSOC_URL;
const OUT = fileURLToPath(new URL('../../../build/screens/', import.meta.url));
mkdirSync(OUT, { recursive: true });

const facts = () => ({
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  landmarks: ['header', 'main', 'nav'].filter((name) => document.querySelector(name) === null),
  headings: document.querySelectorAll('h1').length,
  ground: getComputedStyle(document.body).backgroundColor,
  ink: getComputedStyle(document.body).color,
});

const grounds = {};
for (const theme of ['light', 'dark']) {
  test(`every screen in ${theme}`, async () => {
    const b = await openBrowser(base, { theme });
    try {
      await logIn(b.page, '/queue');
      for (const place of await placesOf(b.page)) {
        await goTo(b.page, place);
        await b.page.screenshot({ path: `${OUT}${place.name}-${theme}.png` });
        const seen = await b.page.evaluate(facts);
        assert.equal(seen.overflow, 0, `${place.name} scrolls sideways`);
        assert.deepEqual(seen.landmarks, [], `${place.name} lacks landmarks`);
        assert.equal(seen.headings, 1, `${place.name} has one h1`);
        grounds[theme] = seen.ground + seen.ink;
      }
      assert.deepEqual(b.seen, { errors: [], outside: [] });
    } finally {
      await b.close();
    }
  });
}

test('the themes differ, and the choice is kept without a reload', async () => {
  assert.notEqual(grounds.light, grounds.dark);
  const b = await openBrowser(base, { theme: 'light' });
  try {
    await logIn(b.page, '/queue');
    await b.page.click('[aria-label=Theme]');
    await b.page.click('[role=menuitemradio]:has-text("Dark")');
    assert.equal((await b.page.evaluate(facts)).ground + (await b.page.evaluate(facts)).ink, grounds.dark);
    await b.page.reload();
    await b.page.waitForSelector('header.top');
    assert.equal(await b.page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  } finally {
    await b.close();
  }
});

for (const size of [{ width: 1280, height: 720 }, { width: 720, height: 450 }, { width: 390, height: 844 }]) {
  test(`nothing scrolls sideways at ${size.width} pixels`, async () => {
    const b = await openBrowser(base, { size });
    try {
      await logIn(b.page, '/queue');
      for (const place of await placesOf(b.page)) {
        await goTo(b.page, place);
        const seen = await b.page.evaluate(facts);
        if (size.width !== 720) await b.page.screenshot({ path: `${OUT}${place.name}-${size.width}.png` });
        assert.equal(seen.overflow, 0, `${place.name} scrolls sideways`);
      }
    } finally {
      await b.close();
    }
  });
}
