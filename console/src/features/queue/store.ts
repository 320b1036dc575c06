// The queue as a snapshot. Rows stay where they are while an analyst works; news is counted beside them and shown only on demand. The snapshot
// outlives the screen, so that Back from an incident returns to the same row at the same place.
import { batch, signal } from '@preact/signals';
import { call, isAbort, problemFor } from '../../api/client';
import { me } from '../../app/session';
import type { IncidentRow, Problem } from '../../gen/api';
import { filterQuery, formatSort, stillMatches, type Filters, type Sort } from '../../lib/filters';

const PAGE = 200;
const SLOW_MS = 300;
const SELECTION_MAX = 1000;

export const rows = signal<readonly IncidentRow[]>([]);
export const total = signal({ value: 0, exact: true });
export const asOf = signal<{ seq: number; time: string } | null>(null);
export const problem = signal<Problem | null>(null);
/** "first": nothing to show yet; "slow": the old rows are shown, dimmed. */
export const loading = signal<'no' | 'quiet' | 'slow' | 'first'>('first');
export const news = signal(0);
export const cursor = signal(0);
export const selected = signal<ReadonlySet<string>>(new Set());
/** Rows that somebody else changed since they were loaded. */
export const touched = signal<ReadonlySet<string>>(new Set());
/** Raised when counts of facets may have changed. */
export const facetTurn = signal(0);
export let scrollTop = 0;
export const rememberScroll = (top: number): void => { scrollTop = top; };

let loadedKey = '';
let filters: Filters | null = null;
let query: Record<string, string> = {};
let next: string | null = null;
let pending: AbortController | null = null;
let morePending = false;

/** Shows the list of `wanted`; a snapshot of the same list is kept unless `fresh`. */
export async function show(key: string, wanted: Filters, sort: Sort, fresh = false): Promise<void> {
  if (key === loadedKey && !fresh) {
    void countNews();
    return;
  }
  pending?.abort();
  const abort = new AbortController();
  pending = abort;
  const sameList = key === loadedKey;
  loading.value = rows.value.length === 0 ? 'first' : 'quiet';
  const slow = setTimeout(() => { if (loading.value === 'quiet') loading.value = 'slow'; }, SLOW_MS);
  const request = { ...filterQuery(wanted), sort: formatSort(sort) };
  try {
    const page = await call('listIncidents', { query: { ...request, limit: PAGE } as never, signal: abort.signal });
    const keep = sameList ? rows.value[cursor.value]?.id : undefined;
    batch(() => {
      loadedKey = key;
      filters = wanted;
      query = request;
      next = page.next;
      rows.value = page.rows;
      total.value = { value: page.total.value, exact: page.total.relation === 'eq' };
      asOf.value = { seq: page.as_of, time: page.as_of_time };
      problem.value = null;
      news.value = 0;
      cursor.value = Math.max(0, keep ? page.rows.findIndex((r) => r.id === keep) : 0);
      selected.value = new Set();
      touched.value = new Set();
      facetTurn.value++;
      if (!sameList) scrollTop = 0;
    });
  } catch (error) {
    if (isAbort(error) || abort.signal.aborted) return;
    problem.value = problemFor(error);
    if (!sameList) {
      rows.value = [];
      loadedKey = '';
    }
  } finally {
    clearTimeout(slow);
    if (pending === abort) loading.value = 'no';
  }
}

/** The next page of the same snapshot. */
export async function more(): Promise<void> {
  if (morePending || next === null || !asOf.value) return;
  morePending = true;
  const key = loadedKey;
  try {
    const page = await call('listIncidents', { query: { ...query, as_of: asOf.value.seq, cursor: next, limit: PAGE } as never });
    if (key !== loadedKey) return;
    const known = new Set(rows.value.map((r) => r.id));
    next = page.next;
    rows.value = [...rows.value, ...page.rows.filter((r) => !known.has(r.id))];
  } catch (error) {
    problem.value = problemFor(error);
    next = null;
  } finally {
    morePending = false;
  }
}

export async function countNews(): Promise<void> {
  const seq = asOf.value?.seq;
  if (seq === undefined) return;
  try {
    const { sort: _, ...rest } = query;
    news.value = (await call('incidentNews', { query: { ...rest, since: seq } as never })).count;
  } catch {
    // The chip keeps its number; the header already says that there is no contact.
  }
}

/** An own act changed a row: it takes its place, or leaves when it no longer belongs, and the cursor lands on the one after it. */
export function takeRow(row: IncidentRow): void {
  const index = rows.value.findIndex((r) => r.id === row.id);
  if (index < 0) {
    // Undo brings a row back that had left: the list is asked again, quietly.
    if (filters && stillMatches(row, filters, me.value?.user ?? '')) void refresh();
    return;
  }
  batch(() => {
    if (filters && !stillMatches(row, filters, me.value?.user ?? '')) {
      rows.value = rows.value.filter((r) => r.id !== row.id);
      total.value = { ...total.value, value: Math.max(0, total.value.value - 1) };
      if (index < cursor.value) cursor.value--;
      cursor.value = Math.max(0, Math.min(cursor.value, rows.value.length - 1));
      const rest = new Set(selected.value);
      rest.delete(row.id);
      selected.value = rest;
    } else {
      rows.value = rows.value.map((r) => (r.id === row.id ? row : r));
    }
    facetTurn.value++;
  });
}

/** Somebody else changed a row: it is updated in place and marked, never moved. */
export function updateInPlace(row: IncidentRow): void {
  const old = rows.value.find((r) => r.id === row.id);
  if (!old || old.version >= row.version) return;
  rows.value = rows.value.map((r) => (r.id === row.id ? row : r));
  touched.value = new Set(touched.value).add(row.id);
}

let refreshList: () => Promise<void> = async () => {};
export const setRefresh = (f: () => Promise<void>): void => { refreshList = f; };
export const refresh = (): Promise<void> => refreshList();

export function moveCursor(by: number): void {
  cursor.value = Math.max(0, Math.min(rows.value.length - 1, cursor.value + by));
}

export function toggleSelected(index: number): void {
  const row = rows.value[index];
  if (!row) return;
  const set = new Set(selected.value);
  if (!set.delete(row.id) && set.size < SELECTION_MAX) set.add(row.id);
  selected.value = set;
}

export function extendSelected(by: number): void {
  const set = new Set(selected.value);
  const from = rows.value[cursor.value];
  if (from) set.add(from.id);
  moveCursor(by);
  const to = rows.value[cursor.value];
  if (to) set.add(to.id);
  selected.value = set;
}

export function selectLoaded(): void {
  selected.value = new Set(rows.value.slice(0, SELECTION_MAX).map((r) => r.id));
}

/** What an act applies to: the selection, or else the row under the cursor. */
export function targets(): IncidentRow[] {
  if (selected.value.size > 0) return rows.value.filter((r) => selected.value.has(r.id));
  const row = rows.value[cursor.value];
  return row ? [row] : [];
}

/** The incident before or after `id` in the list it came from. */
export function neighbour(id: string, by: number): IncidentRow | undefined {
  const index = rows.value.findIndex((r) => r.id === id);
  return index < 0 ? undefined : rows.value[index + by];
}

export function pointCursorAt(id: string): void {
  const index = rows.value.findIndex((r) => r.id === id);
  if (index >= 0) cursor.value = index;
}

/** The address of the list as it was shown last, for the way back. */
export const listUrl = signal('/queue');
