// An analyst's day: open the queue, take an incident and judge it by keys, be refused an illegal move with its reason,
// walk the incident stage by stage to Closed, find the whole way in its timeline, and drill down to one decoded event.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { logIn, openBrowser, rowsShown, USER } from './browser.mjs';

const base = process.env.VSOC_URL;
const FRESH = '/queue?stage=triage&disposition=none&assignee=-me';

const stageNow = (page) => page.textContent('.lifecycle [aria-current=step] b');
const idHere = (page) => page.getAttribute('.grid-data.is-here a', 'href').then((href) => decodeURIComponent(href.split('/').pop()));

async function toast(page, text) {
  await page.waitForSelector(`.toast:has-text("${text}")`);
}

async function openMove(page, word) {
  await page.click(`.lifecycle button:has(b:text-is("${word}"))`);
  await page.waitForSelector('dialog[open]');
}

async function moveTo(page, word) {
  await openMove(page, word);
  for (const area of await page.$$('dialog textarea')) {
    const name = await area.getAttribute('name');
    if ((await area.inputValue()) === '') await area.fill(name === 'fix_ref' ? 'OTA-2026-41' : `The ${name.replace(/_/g, ' ')} as found by the journey test.`);
  }
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.waitForSelector(`.lifecycle [aria-current=step] b:text-is("${word}")`);
}

test('take, judge and undo by keys; the judged row leaves and the cursor lands on the next', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, FRESH);
    await rowsShown(page);
    await page.focus('[role=grid]');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const id = await idHere(page);
    const next = decodeURIComponent((await page.getAttribute('.grid-data:not(.is-here) a', 'href')).split('/').pop());

    await page.keyboard.press('i');
    await toast(page, `${id} taken`);
    await page.waitForSelector(`.grid-data.is-here:has-text("${next}")`);
    assert.ok(!(await rowsShown(page)).some((r) => r.includes(id)), 'a taken row no longer belongs to this list');

    await page.keyboard.press('u');
    await toast(page, 'Taken back');
    await page.waitForSelector(`.grid-data:has-text("${id}")`);

    await page.focus('[role=grid]');
    await page.keyboard.press('Home');
    const judged = await idHere(page);
    await page.keyboard.press('f');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.keyboard.press('t');
    await page.waitForSelector('dialog[open] input[value=malicious]:checked');
    await page.keyboard.press('Enter');
    await toast(page, `${judged} judged malicious`);
    await page.waitForSelector(`.grid-data:has-text("${judged}")`, { state: 'detached' });
    await page.keyboard.press('u');
    await page.waitForSelector(`.grid-data:has-text("${judged}")`);
    assert.deepEqual(b.seen, { errors: [], outside: [] });
  } finally {
    await b.close();
  }
});

test('an incident goes from Triage to Closed, and every illegal step is refused with its reason', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, FRESH);
    await rowsShown(page);
    await page.focus('[role=grid]');
    const id = await idHere(page);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.lifecycle');
    assert.equal(await stageNow(page), 'Triage');

    await openMove(page, 'Patch');
    assert.match(await page.textContent('dialog'), /Not allowed\.\s*\S.{15,}/, 'the screen says why');
    assert.equal(await page.$('dialog button[type=submit]'), null, 'and offers nothing to send');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });

    // The rule is the daemon's: the same move without the screen is refused as well.
    const refused = await page.evaluate(async (incident) => {
      const me = await (await fetch('/api/v1/me')).json();
      const present = await (await fetch(`/api/v1/incidents/${incident}`)).json();
      const post = (to, token) => fetch(`/api/v1/incidents/${incident}/stage`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': token }, body: JSON.stringify({ to, version: present.row.version, reason: 'because' }) });
      const answer = await post('patch', me.csrf_token);
      return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json(), forged: (await post('contain', 'wrong')).status };
    }, id);
    assert.equal(refused.status, 422);
    assert.match(refused.type, /application\/problem\+json/);
    assert.equal(refused.body.code, 'refused');
    assert.ok(refused.body.detail.length > 10);
    assert.equal(refused.forged, 403, 'a call without the CSRF token is not done');

    await page.keyboard.press('i');
    await page.waitForSelector(`.incident-line:has-text("Owner ${USER}")`);
    await page.keyboard.press('t');
    await page.waitForSelector('dialog[open] input[value=malicious]:checked');
    await page.fill('dialog textarea', 'Timing and content fit the injection tool.');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.incident-line:has-text("Verdict Malicious")');
    for (const word of ['Contain', 'Investigate', 'Patch', 'Recover']) await moveTo(page, word);

    await page.reload();
    await page.waitForSelector('.lifecycle [aria-current=step] b:text-is("Recover")');
    await openMove(page, 'Closed');
    await page.waitForSelector('dialog [aria-disabled=true]:has-text("Close the incident")');
    assert.match(await page.textContent('dialog'), /Still needed: /, 'closing says what it lacks');
    await page.keyboard.press('Escape');
    await moveTo(page, 'Closed');

    const timeline = await page.textContent('.tl');
    for (const word of ['contain', 'investigate', 'patch', 'recover', 'closed']) assert.match(timeline.toLowerCase(), new RegExp(word));
    await page.goto('/queue?stage=closed&sort=-updated');
    await rowsShown(page);
    await page.waitForSelector(`.grid-data:has-text("${id}")`);
    assert.deepEqual(b.seen, { errors: [], outside: [] });
  } finally {
    await b.close();
  }
});

test('a comment appears in the timeline, text stays text', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, FRESH);
    await rowsShown(page);
    await page.click('.grid-data a');
    await page.waitForSelector('.lifecycle');
    const words = `<img src=x onerror="document.title='owned'"> note ${Date.now()}`;
    await page.keyboard.press('c');
    await page.fill('dialog textarea', words);
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.waitForFunction((text) => document.querySelector('.tl')?.textContent.includes(text), words);
    assert.equal(await page.$('.tl img'), null);
    assert.notEqual(await page.title(), 'owned');
  } finally {
    await b.close();
  }
});

test('from the queue to a decoded event in three steps (R-180)', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?stage=-closed');
    await rowsShown(page);
    await page.focus('[role=grid]');
    await page.keyboard.press('Enter');
    await page.click('[role=tab]:has-text("Events")');
    await page.waitForSelector('.events .grid-data');
    await page.click('.events .grid-data');
    await page.waitForSelector('.record dl');
    assert.match(await page.textContent('.record'), /Signature|Sequence/);
    await page.click('.record button:has-text("JSON")');
    const event = JSON.parse(await page.textContent('.record pre'));
    assert.ok(event.vid && event.type && event.time);
    await page.click('.events .grid-data a');
    await page.waitForSelector('.vehicle-facts');
    assert.match(page.url(), new RegExp(`/vehicles/${event.vid}`));
  } finally {
    await b.close();
  }
});

test('a VIN is masked, its reveal asks for a purpose and names the audit entry', async (t) => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/vehicles');
    const vid = await page.evaluate(async () => {
      const { rows } = await (await fetch('/api/v1/vehicles?limit=20')).json();
      for (const row of rows) if ((await (await fetch(`/api/v1/vehicles/${row.vid}`)).json()).vin_known) return row.vid;
      return null;
    });
    if (vid === null) return t.skip('no vehicle of this server has a VIN in its vault');
    await page.goto(`/vehicles/${vid}`);
    await page.waitForSelector('.vehicle-facts');
    assert.match(await page.textContent('.vehicle-facts'), /•{17}/);
    await page.click('text=Reveal');
    await page.fill('dialog textarea', 'short');
    assert.equal(await page.getAttribute('dialog button[type=submit]', 'aria-disabled'), 'true');
    await page.fill('dialog textarea', 'recall order for the workshop in Ulm');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('.vin:has-text("audit #")');
    assert.doesNotMatch(await page.textContent('.vin'), /•{17}/);
    await page.click('.vin >> text=Hide');
    assert.match(await page.textContent('.vin'), /•{17}/);
  } finally {
    await b.close();
  }
});

test('single keys can be switched off, and typing is never a shortcut', async () => {
  const b = await openBrowser(base);
  const { page } = b;
  try {
    await logIn(page, '/queue?stage=-closed');
    await rowsShown(page);
    await page.keyboard.press('/');
    await page.keyboard.type('jit');
    assert.equal(await page.inputValue('#search'), 'jit');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog:has-text("Keyboard")');
    await page.uncheck('dialog input[type=checkbox]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.keyboard.press('t');
    assert.equal(await page.$('dialog'), null);
    await page.keyboard.press('Control+k');
    await page.waitForSelector('dialog:has-text("Commands")');
    await page.keyboard.type('keyboard');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog:has-text("Keyboard")');
  } finally {
    await b.close();
  }
});
