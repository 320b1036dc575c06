// axe sees only what the data of the day shows. Here every text colour is held against every ground it can stand on, in both themes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const css = readFileSync(join(process.cwd(), 'src/styles/tokens.css'), 'utf8');
const tokens = new Map([...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map((m) => [m[1], [m[2], m[3]]] as [string, [string, string]]));

const channel = (v: number) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = (hex: string) => [1, 3, 5].map((i) => channel(parseInt(hex.slice(i, i + 2), 16) / 255)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i]!, 0);
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const grounds = ['page', 'panel', 'raised', 'inset', 'hover', 'here', 'picked'];
const texts = ['ink', 'ink-2', 'accent', 'critical', 'high', 'medium', 'low', 'info', 'good'];
const pairs: [string, string][] = [
  ...texts.flatMap((t) => grounds.map((g) => [t, g] as [string, string])),
  // The faintest text turns into ink-2 on the row under the cursor (marks.css).
  ...grounds.filter((g) => g !== 'here').map((g) => ['ink-3', g] as [string, string]),
  ['critical', 'critical-wash'], ['ink', 'critical-wash'], ['ink-2', 'critical-wash'], ['medium', 'medium-wash'], ['ink', 'medium-wash'], ['ink-2', 'medium-wash'],
  ['good', 'good-wash'], ['ink-2', 'info-wash'], ['accent', 'accent-wash'], ['ink', 'accent-wash'], ['ink-2', 'accent-wash'],
];

test('text has a contrast of 4.5 on every ground, in both themes', () => {
  assert.ok(tokens.size > 20, 'tokens.css was read');
  const weak = pairs.flatMap(([text, ground]) => [0, 1].map((side) => ({ text, ground, theme: side ? 'dark' : 'light', ratio: contrast(tokens.get(text)![side]!, tokens.get(ground)![side]!) }))).filter((p) => p.ratio < 4.5);
  assert.deepEqual(weak, []);
});

test('borders of fields, focus and the fills of charts have a contrast of 3', () => {
  const weak = [['line-strong', 'panel'], ['line-strong', 'page'], ['focus', 'panel'], ['focus', 'page'], ['fill-critical', 'panel'], ['fill-medium', 'panel'], ['fill-low', 'panel'], ['accent-solid', 'panel']]
    .flatMap(([a, b]) => [0, 1].map((side) => ({ a, b, theme: side ? 'dark' : 'light', ratio: contrast(tokens.get(a!)![side]!, tokens.get(b!)![side]!) }))).filter((p) => p.ratio < 3);
  assert.deepEqual(weak, []);
});
