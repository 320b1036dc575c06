import { test } from 'node:test';
import assert from 'node:assert/strict';
import { cohortOf, leaning, quietWhy, summaryOf } from '../../src/features/campaign/words';

test('a campaign names the part of the fleet that is meant', () => {
  assert.equal(cohortOf({ model: null, software: null, region: null }), 'whole fleet');
  assert.equal(cohortOf({ model: 'M1', software: null, region: 'EU' }), 'model M1, region EU');
});

test('what woke nobody says why', () => {
  assert.equal(quietWhy({ pages: true, baseline: 1, cold: false }), '');
  assert.match(quietWhy({ pages: false, baseline: null, cold: true }), /No baseline is armed/);
  assert.match(quietWhy({ pages: false, baseline: 2, cold: true }), /too young/);
});

test('a curve is summed, and its scale holds bars and line', () => {
  const at = (hour: number, cases: number, expected: number) => ({ time: `2026-11-20T0${hour}:00:00.000Z`, cases, expected });
  const sum = summaryOf([at(0, 0, 0.25), at(1, 7, 0.25), at(2, 1, 8.5)]);
  assert.equal(sum.top, 9);
  assert.equal(sum.text, '8 vehicles began to report in 3 hours where 9.0 are usual');
  assert.equal(summaryOf([]).top, 1);
});

test('a reason speaks for the verdict when no other reading gains more from it', () => {
  const reason = { text: '', attack: 0.2, regression: 1.5, fault: -1 };
  assert.equal(leaning(reason, 'software_regression_suspected'), 'for');
  assert.equal(leaning(reason, 'attack_suspected'), 'against');
});
