import { test } from 'node:test';
import assert from 'node:assert/strict';
import { fittingColumns } from '../../src/lib/columns';
import { ledgerOff, liftOf, niceCeiling, skewOf } from '../../src/lib/figures';

const column = (key: string, width: number, rank: number) => ({ key, width, rank });

test('columns leave in the order of their rank, the first rank never', () => {
  const columns = [column('a', 100, 1), column('b', 100, 3), column('c', 100, 2), column('d', 100, 3)];
  assert.deepEqual(fittingColumns(columns, 400).map((c) => c.key), ['a', 'b', 'c', 'd']);
  assert.deepEqual(fittingColumns(columns, 399).map((c) => c.key), ['a', 'b', 'c']);
  assert.deepEqual(fittingColumns(columns, 250).map((c) => c.key), ['a', 'c']);
  assert.deepEqual(fittingColumns(columns, 10).map((c) => c.key), ['a']);
});

test('lift compares the affected with the fleet and never divides by nothing', () => {
  const base = { attribute: 'software', value: '4.12.0', affected: 94, affected_total: 100, fleet: 11, fleet_total: 100 };
  assert.equal(liftOf(base)?.toFixed(1), '8.5');
  assert.equal(liftOf({ ...base, fleet: 0 }), null);
  assert.equal(liftOf({ ...base, affected_total: 0 }), null);
});

test('the ledger says when its parts do not add up', () => {
  const ledger = { produced: 100, stored: 90, merged: 6, dead_lettered: 1, missing: 3, epochs: 1, gaps: [] };
  assert.equal(ledgerOff(ledger), 0);
  assert.equal(ledgerOff({ ...ledger, stored: 91 }), 1);
});

test('only a skew of more than five minutes is worth a badge', () => {
  assert.equal(skewOf({ time: '2026-11-20T14:00:00Z', received: '2026-11-20T14:04:59Z' }), 0);
  assert.equal(skewOf({ time: '2026-11-20T14:00:00Z', received: '2026-11-20T17:00:00Z' }), 3 * 3600 * 1000);
  assert.equal(skewOf({ time: '2026-11-20T14:10:00Z', received: '2026-11-20T14:00:00Z' }), -600_000);
});

test('axes end at a round number that is not below the data', () => {
  assert.deepEqual([0, 1, 3, 7, 10, 11, 95, 101, 2001].map(niceCeiling), [1, 1, 5, 10, 10, 20, 100, 200, 5000]);
});
