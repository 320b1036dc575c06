import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { IncidentRow } from '../../src/gen/api';
import { activeFilters, filterQuery, formatChoice, formatSort, parseChoice, parseFilters, parseSort, stateOf, stillMatches, withState } from '../../src/lib/filters';

const row = (over: Partial<IncidentRow>): IncidentRow => ({ severity: 'high', stage: 'triage', disposition: null, assignee: null, ...over }) as IncidentRow;

test('a list includes and excludes', () => {
  assert.deepEqual(parseChoice('critical,high,-low'), { include: ['critical', 'high'], exclude: ['low'] });
  assert.deepEqual(parseChoice(''), { include: [], exclude: [] });
  assert.deepEqual(parseChoice(',,-,'), { include: [], exclude: [] });
});

test('names with a comma or a leading minus survive the way through the URL', () => {
  const choice = { include: ['a,b', '-c', 'plain'], exclude: ['x,y'] };
  assert.equal(formatChoice(choice), '"a,b","-c",plain,-"x,y"');
  assert.deepEqual(parseChoice(formatChoice(choice)), choice);
});

test('filters go into the URL and come back the same, whatever they hold', () => {
  let seed = 12345;
  const random = (n: number) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed % n; };
  const alphabet = ['a', 'B', '7', '-', ',', ' ', '|', '%', '&', '=', 'ü', '€', '/', '.'];
  const word = () => Array.from({ length: 1 + random(6) }, () => alphabet[random(alphabet.length)]).join('');
  for (let i = 0; i < 300; i++) {
    const choice = { include: [...new Set([word(), word()])], exclude: [word()] };
    const url = new URLSearchParams({ rule: formatChoice(choice), q: word() }).toString();
    const back = parseFilters(url).facets.rule;
    assert.deepEqual(back, choice, `seed 12345, step ${i}, ${url}`);
  }
});

test('a value cycles between off, included and excluded', () => {
  let choice = parseChoice('');
  choice = withState(choice, 'high', 'include');
  assert.equal(stateOf(choice, 'high'), 'include');
  choice = withState(choice, 'high', 'exclude');
  assert.deepEqual(choice, { include: [], exclude: ['high'] });
  assert.equal(stateOf(withState(choice, 'high', 'off'), 'high'), 'off');
});

test('an unknown sort falls back to the rank', () => {
  assert.equal(formatSort(parseSort('sort=drop+table')), '-priority');
  assert.equal(formatSort(parseSort('')), '-priority');
  assert.equal(formatSort(parseSort('sort=sla')), 'sla');
});

test('a row leaves when an act makes it fail the filters', () => {
  const fresh = parseFilters('stage=triage&assignee=none');
  assert.ok(stillMatches(row({}), fresh, 'ada'));
  assert.ok(!stillMatches(row({ assignee: 'ada' }), fresh, 'ada'));
  assert.ok(!stillMatches(row({ stage: 'contain' }), fresh, 'ada'));
  const mine = parseFilters('stage=-closed&assignee=me');
  assert.ok(stillMatches(row({ assignee: 'ada' }), mine, 'ada'));
  assert.ok(!stillMatches(row({ assignee: 'bob' }), mine, 'ada'));
  assert.ok(!stillMatches(row({ assignee: 'ada', stage: 'closed' }), mine, 'ada'));
  assert.ok(!stillMatches(row({ disposition: 'malicious' }), parseFilters('disposition=none'), 'ada'));
});

test('every filter has a chip that takes exactly it away', () => {
  const url = 'q=gw&severity=critical,-low&signature=A%7CB%7CC&vid=0123456789abcdef&from=now-48h';
  const chips = activeFilters(parseFilters(url), (_, v) => v, 'Last 48 h');
  assert.deepEqual(chips.map((c) => c.label), ['“gw”', 'severity: critical', 'severity: not low', 'signature: A|B|C', 'vehicle: 0123456789…', 'Last 48 h']);
  assert.deepEqual(chips[1]?.changes, { severity: '-low' });
  assert.deepEqual(chips[2]?.changes, { severity: 'critical' });
});

test('the daemon gets the filters the URL has', () => {
  const query = filterQuery(parseFilters('q=gw&stage=-closed&assignee=me&from=now-7d'));
  assert.deepEqual({ q: query['q'], stage: query['stage'], assignee: query['assignee'], from: query['from'] }, { q: 'gw', stage: '-closed', assignee: 'me', from: 'now-7d' });
});
