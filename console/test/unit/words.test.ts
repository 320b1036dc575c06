import { test } from 'node:test';
import assert from 'node:assert/strict';
import { allDisposition, allFact, allPermission, allRole, allSeverity, allStage } from '../../src/gen/api';
import { eventTypes } from '../../src/gen/events';
import { fieldLabel, fieldText, fieldValue, typeTitle } from '../../src/lib/fields';
import { initials, shortVid } from '../../src/lib/ids';
import { counted, dispositionHint, dispositionWord, factHint, factWord, formatBytes, formatShare, permissionWord, roleWord, severityWord, stageEntry, stageWord, wordOf } from '../../src/lib/words';

test('every code of the schema has a word', () => {
  for (const [codes, ...tables] of [[allSeverity, severityWord], [allStage, stageWord, stageEntry], [allDisposition, dispositionWord, dispositionHint], [allFact, factWord, factHint], [allRole, roleWord], [allPermission, permissionWord]] as [readonly string[], ...Record<string, string>[]][]) {
    for (const table of tables) for (const code of codes) assert.ok((table[code] ?? '').length > 0, code);
  }
});

test('a code newer than the console is shown as it is', () => {
  assert.equal(wordOf(stageWord, 'archive'), 'archive');
  assert.equal(typeTitle('quantum.flux'), 'quantum.flux');
});

test('shares never round a loss away', () => {
  assert.equal(formatShare(99_999, 100_000), '> 99.99 %');
  assert.equal(formatShare(100_000, 100_000), '100.00 %');
  assert.equal(formatShare(1, 1_000_000), '< 0.01 %');
  assert.equal(formatShare(0, 10), '0.00 %');
  assert.equal(formatShare(1, 2), '50.0 %');
  assert.equal(formatShare(0, 0), 'no data');
});

test('counts and sizes', () => {
  assert.equal(counted(1, 'vehicle', 'vehicles'), '1 vehicle');
  assert.equal(counted(1200, 'vehicle', 'vehicles'), '1,200 vehicles');
  assert.deepEqual([12, 2048, 3 * 1024 * 1024].map(formatBytes), ['12 B', '2.0 KiB', '3.0 MiB']);
});

test('fields are shown as the schema says', () => {
  assert.equal(fieldValue('can_id', 0x1a0), '0x1A0');
  assert.equal(fieldValue('nrc', 5), '0x05');
  assert.equal(fieldValue('address', '18446744073709551615'), '0xFFFFFFFFFFFFFFFF');
  assert.equal(fieldValue('value', -2), '-0x2');
  assert.equal(fieldValue('gap_us', 1800), '1800 µs');
  assert.equal(fieldValue('data', 'deadbeef'), 'DE AD BE EF');
  assert.equal(fieldValue('extended', true), 'yes');
  assert.equal(fieldValue('score', 3.41), '3.41');
  assert.equal(fieldValue('not_in_the_schema', 'x'), 'x');
  assert.equal(fieldLabel('can_id'), 'CAN id');
  assert.equal(fieldLabel('subfunction'), 'Subfunction');
  assert.equal(fieldText('nowhere'), '');
});

test('every field of every event type has a label', () => {
  for (const type of Object.values(eventTypes)) for (const f of type.fields) assert.ok(fieldLabel(f).length > 0 && fieldText(f).length > 0, f);
});

test('ids', () => {
  assert.equal(shortVid('0123456789abcdef0123'), '0123456789…');
  assert.equal(shortVid('demo-7'), 'demo-7');
  assert.equal(initials('Ada Okafor'), 'AO');
});
