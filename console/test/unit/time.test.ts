import { test } from 'node:test';
import assert from 'node:assert/strict';
import { formatClock, formatDuration, formatLag, formatRelative, formatTime, parseTimeInput, rangeLabel, resolveTime, zoneLabel } from '../../src/lib/time';

const AT = '2026-11-20T14:03:22.123456Z';

test('an absolute time names its zone', () => {
  assert.equal(formatTime(AT, 'utc'), '2026-11-20 14:03:22 UTC');
  assert.equal(formatTime(AT, 'utc', { millis: true }), '2026-11-20 14:03:22.123 UTC');
  assert.match(formatTime(AT, 'local'), /^2026-11-20 15:03:22 (CET|GMT\+1)$/);
  assert.match(formatTime(AT, 'Asia/Tokyo'), /^2026-11-20 23:03:22 (JST|GMT\+9)$/);
});

test('a day changes with the zone', () => {
  assert.match(formatTime('2026-11-20T23:30:00Z', 'Asia/Tokyo'), /^2026-11-21 08:30:00/);
  assert.equal(formatClock('2026-11-20T23:30:00Z', 'utc', Date.parse('2026-11-21T00:10:00Z')), '11-20 23:30:00');
  assert.equal(formatClock('2026-11-20T23:30:00Z', 'Asia/Tokyo', Date.parse('2026-11-21T00:10:00Z')), '08:30:00');
});

test('midnight is 00, never 24', () => {
  assert.equal(formatTime('2026-11-20T00:00:00Z', 'utc'), '2026-11-20 00:00:00 UTC');
});

test('the hour that daylight saving repeats is told apart by the zone name', () => {
  const first = formatTime('2026-10-25T00:30:00Z', 'Europe/Berlin');
  const second = formatTime('2026-10-25T01:30:00Z', 'Europe/Berlin');
  assert.equal(first.slice(0, 19), second.slice(0, 19));
  assert.notEqual(first, second);
});

test('times before 1970 keep their milliseconds positive', () => {
  assert.equal(formatTime('1969-12-31T23:59:59.250Z', 'utc', { millis: true }), '1969-12-31 23:59:59.250 UTC');
});

test('text that is no time is shown, not hidden', () => {
  assert.equal(formatTime('soon', 'utc'), 'soon');
  assert.equal(formatRelative('soon', 0), 'soon');
});

test('durations use at most two units', () => {
  const cases: [number, string][] = [[0, '0 s'], [59, '59 s'], [60, '1 min'], [3599, '59 min'], [3600, '1 h'], [3660, '1 h 01'], [86399, '23 h 59'], [86400, '1 d'], [90000, '1 d 1 h'], [86400 * 12 + 3600, '12 d'], [-5, '0 s']];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text);
});

test('relative times say the direction', () => {
  const now = Date.parse('2026-11-20T14:00:00Z');
  assert.equal(formatRelative('2026-11-20T13:27:00Z', now), '33 min ago');
  assert.equal(formatRelative('2026-11-20T18:00:00Z', now), 'in 4 h');
  assert.equal(formatRelative('2026-11-20T14:00:01Z', now), 'now');
});

test('lag is readable at every size', () => {
  assert.deepEqual([340, 1000, 4200, 65_000].map(formatLag), ['340 ms', '1.0 s', '4.2 s', '1 min']);
});

test('typed times become relative or UTC, and nonsense is refused', () => {
  assert.equal(parseTimeInput(' now-48h '), 'now-48h');
  assert.equal(parseTimeInput('2026-11-20'), '2026-11-20T00:00:00.000Z');
  assert.equal(parseTimeInput('2026-11-20 14:03'), '2026-11-20T14:03:00.000Z');
  assert.equal(parseTimeInput('2026-11-20T15:03:00+01:00'), '2026-11-20T14:03:00.000Z');
  assert.equal(parseTimeInput(''), '');
  for (const wrong of ['yesterday', 'now-48x', 'now+1h', '2026-13-40', '14:03', '1']) assert.equal(parseTimeInput(wrong), null, wrong);
});

test('a relative end is resolved against now', () => {
  assert.equal(resolveTime('now-2d', 172_800_000), 0);
  assert.equal(resolveTime('now', 7), 7);
  assert.ok(Number.isNaN(resolveTime('soon', 0)));
});

test('a range is labelled by its quick name or by its ends', () => {
  assert.equal(rangeLabel('', '', 'utc'), 'Any time');
  assert.equal(rangeLabel('now-7d', '', 'utc'), 'Last 7 days');
  assert.equal(rangeLabel('2026-11-20T00:00:00Z', '', 'utc'), 'since 2026-11-20 00:00:00 UTC');
  assert.equal(rangeLabel('', '2026-11-20T00:00:00Z', 'utc'), 'until 2026-11-20 00:00:00 UTC');
  assert.equal(zoneLabel('utc'), 'UTC');
});
