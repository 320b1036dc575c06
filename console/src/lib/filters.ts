// The filters of the queue: how they stand in the URL, how the daemon gets them (the same way), and whether a changed row still belongs to
// the list. Grammar of a list: "critical,high" includes, "-closed" excludes, a value with a comma or a leading "-" stands in double quotes.
import type { IncidentRow } from '../gen/api';

export const facetNames = ['severity', 'stage', 'disposition', 'assignee', 'model', 'rule'] as const;
export type FacetName = (typeof facetNames)[number];

export interface Choice { include: string[]; exclude: string[] }
export interface Filters {
  q: string;
  facets: Record<FacetName, Choice>;
  signature: string;
  vid: string;
  from: string;
  to: string;
}

export const sortKeys = ['priority', 'severity', 'id', 'vehicles', 'sla', 'opened', 'updated'] as const;
export type SortKey = (typeof sortKeys)[number];
export interface Sort { key: SortKey; descending: boolean }
export const defaultSort: Sort = { key: 'priority', descending: true };

function splitList(text: string): string[] {
  return text.match(/-?"[^"]*"|[^,]+/g) ?? [];
}

export function parseChoice(text: string): Choice {
  const choice: Choice = { include: [], exclude: [] };
  for (const item of splitList(text)) {
    const negative = item.startsWith('-');
    const body = negative ? item.slice(1) : item;
    const value = body.startsWith('"') && body.endsWith('"') && body.length >= 2 ? body.slice(1, -1) : body;
    if (value !== '') (negative ? choice.exclude : choice.include).push(value);
  }
  return choice;
}

const quoted = (value: string): string => (value.includes(',') || value.startsWith('-') || value.startsWith('"') ? `"${value.replace(/"/g, '')}"` : value);

export const formatChoice = (choice: Choice): string => [...choice.include.map(quoted), ...choice.exclude.map((v) => `-${quoted(v)}`)].join(',');

export function parseFilters(query: string): Filters {
  const p = new URLSearchParams(query);
  const facets = Object.fromEntries(facetNames.map((n) => [n, parseChoice(p.get(n) ?? '')])) as Record<FacetName, Choice>;
  return { q: p.get('q') ?? '', facets, signature: p.get('signature') ?? '', vid: p.get('vid') ?? '', from: p.get('from') ?? '', to: p.get('to') ?? '' };
}

export function parseSort(query: string): Sort {
  const text = new URLSearchParams(query).get('sort') ?? '';
  const key = sortKeys.find((k) => k === text.replace(/^-/, ''));
  return key ? { key, descending: text.startsWith('-') } : defaultSort;
}

export const formatSort = (sort: Sort): string => `${sort.descending ? '-' : ''}${sort.key}`;

/** The query parameters of the daemon; empty ones are left out by the client. */
export function filterQuery(filters: Filters): Record<string, string> {
  const query: Record<string, string> = { q: filters.q, signature: filters.signature, vid: filters.vid, from: filters.from, to: filters.to };
  for (const name of facetNames) query[name] = formatChoice(filters.facets[name]);
  return query;
}

export type TriState = 'off' | 'include' | 'exclude';

export function stateOf(choice: Choice, value: string): TriState {
  if (choice.include.includes(value)) return 'include';
  return choice.exclude.includes(value) ? 'exclude' : 'off';
}

export function withState(choice: Choice, value: string, state: TriState): Choice {
  const include = choice.include.filter((v) => v !== value);
  const exclude = choice.exclude.filter((v) => v !== value);
  if (state === 'include') include.push(value);
  if (state === 'exclude') exclude.push(value);
  return { include, exclude };
}

function passes(choice: Choice, value: string | null, user: string): boolean {
  const names = value === null ? ['none'] : value === user ? [value, 'me'] : [value];
  if (names.some((n) => choice.exclude.includes(n))) return false;
  return choice.include.length === 0 || names.some((n) => choice.include.includes(n));
}

/** Whether a row that was in the list still belongs there after an act. Words and times do not change by an act. */
export function stillMatches(row: IncidentRow, filters: Filters, user: string): boolean {
  const f = filters.facets;
  return passes(f.severity, row.severity, '') && passes(f.stage, row.stage, '') && passes(f.disposition, row.disposition, '') && passes(f.assignee, row.assignee, user);
}

export interface Chip { label: string; changes: Record<string, string> }

/** What is filtered now, each with the URL change that takes it away. */
export function activeFilters(filters: Filters, word: (facet: FacetName, value: string) => string, range: string): Chip[] {
  const chips: Chip[] = [];
  if (filters.q !== '') chips.push({ label: `“${filters.q}”`, changes: { q: '' } });
  for (const name of facetNames) {
    const choice = filters.facets[name];
    for (const value of [...choice.include, ...choice.exclude]) {
      const not = choice.exclude.includes(value) ? 'not ' : '';
      chips.push({ label: `${name}: ${not}${word(name, value)}`, changes: { [name]: formatChoice(withState(choice, value, 'off')) } });
    }
  }
  if (filters.signature !== '') chips.push({ label: `signature: ${filters.signature}`, changes: { signature: '' } });
  if (filters.vid !== '') chips.push({ label: `vehicle: ${filters.vid.slice(0, 10)}…`, changes: { vid: '' } });
  if (filters.from !== '' || filters.to !== '') chips.push({ label: range, changes: { from: '', to: '' } });
  return chips;
}
