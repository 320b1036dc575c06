// A headless Debian Chromium with a fresh profile, and the few steps every journey begins with.
import { chromium } from 'playwright-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
export const SIZE = { width: 1440, height: 900 };
export const USER = process.env.VSOC_USER ?? 'analyst';
export const PASSWORD = process.env.VSOC_PASSWORD ?? 'demo';
const STEP_MS = 15_000;

export async function openBrowser(base, { theme = 'light', size = SIZE } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'vsoc-console-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.VSOC_CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS, viewport: size, colorScheme: theme, baseURL: base, ignoreHTTPSErrors: true, timezoneId: 'Europe/Berlin', locale: 'en-GB',
  });
  context.setDefaultTimeout(STEP_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  const seen = watch(page, base);
  return { context, page, seen, close: async () => { await context.close(); rmSync(profile, { recursive: true, force: true }); } };
}

/** Records what must never happen: console errors, uncaught exceptions, requests to elsewhere. */
function watch(page, base) {
  const seen = { errors: [], outside: [] };
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 4\d\d/.test(m.text())) seen.errors.push(m.text()); });
  page.on('pageerror', (e) => seen.errors.push(String(e)));
  page.on('request', (r) => { if (!r.url().startsWith(base) && !r.url().startsWith('data:') && !r.url().startsWith('blob:')) seen.outside.push(r.url()); });
  return seen;
}

export async function logIn(page, path = '/queue') {
  await page.goto(path);
  await page.fill('input[name=user]', USER);
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('header.top');
}

export async function rowsShown(page) {
  await page.waitForSelector('[role=grid] .grid-data');
  return page.$$eval('[role=grid] .grid-data', (rows) => rows.map((r) => r.textContent));
}
