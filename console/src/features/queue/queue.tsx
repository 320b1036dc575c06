// The incident queue: views, filters, the list and the peek pane. Everything that decides what is listed stands in the URL.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { take } from '../../app/acts';
import { onRow } from '../../app/rows';
import { useKeys } from '../../app/keys';
import { location, navigate, setQuery } from '../../app/router';
import { denial } from '../../app/session';
import { failed, note } from '../../app/toasts';
import { ApiError, call } from '../../api/client';
import { onChange } from '../../api/live';
import type { IncidentRow, Permission } from '../../gen/api';
import { activeFilters, formatSort, parseFilters, parseSort, type Filters } from '../../lib/filters';
import { incidentPath } from '../../lib/ids';
import { density } from '../../lib/prefs';
import { rangeLabel } from '../../lib/time';
import { counted, formatCount } from '../../lib/words';
import { Grid } from '../../ui/grid';
import { Ask, presetFor, type AskKind } from '../../ui/incident_dialogs';
import { RangePicker } from '../../ui/range';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Instant, useZone } from '../../ui/time';
import { queueColumns } from './columns';
import { Facets, facetWord } from './facets';
import { Peek } from './peek';
import * as store from './store';

const ROW_COMPACT = 28;
const ROW_COMFORTABLE = 36;
const CHANGES_MS = 1500;
const CHANGED_ROWS_MAX = 8;

const views: { name: string; query: string }[] = [
  { name: 'Open', query: 'stage=-closed' },
  { name: 'New, unassigned', query: 'stage=triage&assignee=none' },
  { name: 'Mine', query: 'stage=-closed&assignee=me' },
  { name: 'Closed', query: 'stage=closed&sort=-updated' },
  { name: 'All', query: 'sort=-updated' },
];

const peekOpen = signal(false);

/** What decides the list, without what is only shown beside it. */
function listKey(query: string): string {
  const filters = parseFilters(query);
  return JSON.stringify([filters, formatSort(parseSort(query))]);
}

export function Queue() {
  const query = location.value.query;
  const key = listKey(query);
  const filters = useMemo(() => parseFilters(query), [key]);
  const sort = useMemo(() => parseSort(query), [key]);
  const columns = useMemo(() => queueColumns(sort), [key]);
  const [ask, setAsk] = useState<AskKind | null>(null);
  const grid = useRef<HTMLDivElement | null>(null);

  useEffect(() => { document.title = 'Queue · OpenVSOC'; }, []);
  useEffect(() => {
    // An address without filters means the open ones, said in the URL so that the link shows what it lists.
    if (query === '') navigate('/queue?stage=-closed', { replace: true });
  }, [query]);
  useEffect(() => {
    if (query === '') return;
    store.setRefresh(() => store.show(key, filters, sort, true));
    store.listUrl.value = `/queue?${query}`;
    void store.show(key, filters, sort);
  }, [key]);
  useEffect(() => onRow(store.takeRow), []);
  useLiveRows();

  const open = (row: IncidentRow) => navigate(incidentPath(row.id));
  const openCursor = () => { const row = store.rows.value[store.cursor.value]; if (row) open(row); };
  const act = (permission: Permission, run: () => void) => () => {
    if (store.targets().length === 0) return;
    const why = denial(permission);
    if (why) note(why);
    else run();
  };
  const verdict = (k: 't' | 'f' | 'h') => act('incident.act', () => setAsk({ kind: 'verdict', preset: presetFor(k) }));
  const escape = () => {
    if (store.selected.value.size > 0) store.selected.value = new Set();
    else peekOpen.value = false;
  };
  useKeys({
    j: () => store.moveCursor(1), ArrowDown: () => store.moveCursor(1), k: () => store.moveCursor(-1), ArrowUp: () => store.moveCursor(-1),
    PageDown: () => store.moveCursor(20), PageUp: () => store.moveCursor(-20), Home: () => store.moveCursor(-Infinity), End: () => store.moveCursor(Infinity),
    x: () => store.toggleSelected(store.cursor.value), J: () => store.extendSelected(1), K: () => store.extendSelected(-1), 'Ctrl+a': store.selectLoaded,
    ' ': () => { peekOpen.value = !peekOpen.value; }, Enter: openCursor, Escape: escape, n: () => void store.refresh(),
    i: act('incident.act', () => void take(store.targets())), a: act('incident.act', () => setAsk({ kind: 'assign' })), c: act('incident.comment', () => setAsk({ kind: 'comment' })),
    t: verdict('t'), f: verdict('f'), h: verdict('h'),
  });

  return (
    <main id="content" class={`queue${peekOpen.value ? ' has-peek' : ''}`} tabIndex={-1}>
      <h1 class="visually-hidden">Incident queue</h1>
      <ViewBar query={query} filters={filters} />
      <div class="queue-body">
        <Facets filters={filters} />
        <section class="queue-list" aria-label="Incidents">
          <ListBar filters={filters} onAsk={setAsk} />
          <List columns={columns} onOpen={open} onGrid={(el) => { grid.current = el; }} filters={filters} />
        </section>
        {peekOpen.value && <PeekHere onAsk={setAsk} onClose={() => { peekOpen.value = false; grid.current?.focus(); }} />}
      </div>
      {ask && <AskHere ask={ask} onClose={() => setAsk(null)} onDone={() => { store.selected.value = new Set(); grid.current?.focus(); }} />}
    </main>
  );
}

// The cursor is read in small components, so that moving it does not draw the filters and bars again.
const PeekHere = (props: { onAsk: (ask: AskKind) => void; onClose: () => void }) => <Peek row={store.rows.value[store.cursor.value] ?? null} {...props} />;
const AskHere = (props: { ask: AskKind; onClose: () => void; onDone: () => void }) => <Ask targets={store.targets()} {...props} />;

/** Changes made elsewhere: known rows are updated where they stand, new incidents only counted. */
function useLiveRows(): void {
  useEffect(() => {
    const ids = new Set<string>();
    let timer = 0;
    const settle = () => {
      timer = 0;
      void store.countNews();
      store.facetTurn.value++;
      const known = new Set(store.rows.value.map((r) => r.id));
      const wanted = [...ids].filter((id) => known.has(id)).slice(0, CHANGED_ROWS_MAX);
      ids.clear();
      for (const id of wanted) call('getIncident', { params: { id } }).then((i) => store.updateInPlace(i.row), reportUnlessGone);
    };
    const stop = onChange((change) => {
      if (change && change.topic !== 'incident') return;
      if (change) ids.add(change.id);
      if (!timer) timer = window.setTimeout(settle, CHANGES_MS);
    });
    return () => { stop(); clearTimeout(timer); };
  }, []);
}

function reportUnlessGone(error: unknown): void {
  const status = error instanceof ApiError ? error.problem.status : 0;
  if (status !== 404 && status !== 0 && status !== 401) failed('A row could not be brought up to date.', error);
}

function ViewBar({ query, filters }: { query: string; filters: Filters }) {
  const key = listKey(query);
  return (
    <div class="viewbar">
      <nav class="views" aria-label="Views">
        {views.map((v) => <a key={v.name} href={`/queue?${v.query}`} {...(listKey(v.query) === key ? { 'aria-current': 'true' as const } : {})}>{v.name}</a>)}
      </nav>
      <div class="viewbar-end">
        <RangePicker from={filters.from} to={filters.to} what="Last activity" onChange={(from, to) => setQuery({ from, to })} />
        <div class="segmented" role="group" aria-label="Row height">
          <button type="button" aria-pressed={density.value === 'compact'} onClick={() => { density.value = 'compact'; }} title="Compact rows, 28 px">Compact</button>
          <button type="button" aria-pressed={density.value === 'comfortable'} onClick={() => { density.value = 'comfortable'; }} title="Comfortable rows, 36 px">Roomy</button>
        </div>
      </div>
    </div>
  );
}

const clearAll = Object.fromEntries(['q', 'severity', 'stage', 'disposition', 'assignee', 'model', 'rule', 'signature', 'vid', 'from', 'to'].map((k) => [k, ''])) as Record<string, string>;

function ListBar({ filters, onAsk }: { filters: Filters; onAsk: (ask: AskKind) => void }) {
  const zoneName = useZone();
  const chips = activeFilters(filters, (n, v) => facetWord(n, v), rangeLabel(filters.from, filters.to, zoneName));
  const { value, exact } = store.total.value;
  if (store.selected.value.size > 0) return <SelectionBar onAsk={onAsk} />;
  return (
    <div class="listbar">
      <div class="chips">
        {chips.map((c) => <button key={c.label} type="button" class="chip" onClick={() => setQuery(c.changes)} title="Remove this filter"><span>{c.label}</span><span aria-hidden="true">×</span><span class="visually-hidden">, remove</span></button>)}
        {chips.length > 1 && <button type="button" class="link" onClick={() => setQuery({ ...clearAll, sort: formatSort(parseSort(location.value.query)) })}>Clear all</button>}
        {chips.length === 0 && <span class="dim">No filter</span>}
      </div>
      <p class="listbar-state">
        {store.news.value > 0 && <button type="button" class="news" onClick={() => void store.refresh()}>{formatCount(store.news.value)} new <kbd>n</kbd></button>}
        {store.asOf.value && <span>{exact ? '' : 'over '}{counted(value, 'incident', 'incidents')}, as of <Instant at={store.asOf.value.time} /></span>}
      </p>
    </div>
  );
}

function SelectionBar({ onAsk }: { onAsk: (ask: AskKind) => void }) {
  const why = denial('incident.act');
  const off = why ? ({ 'aria-disabled': true, 'aria-describedby': 'selection-why' } as const) : {};
  const run = (f: () => void) => () => { if (!why) f(); };
  return (
    <div class="listbar selectionbar">
      <b>{counted(store.selected.value.size, 'incident', 'incidents')} selected</b>
      <button type="button" class="button" {...off} onClick={run(() => void take(store.targets()))}>Take <kbd>i</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'assign' }))}>Assign <kbd>a</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'verdict', preset: presetFor('f') }))}>Verdict <kbd>f</kbd></button>
      <button type="button" class="button" onClick={() => onAsk({ kind: 'comment' })}>Comment <kbd>c</kbd></button>
      {why && <span id="selection-why" class="buttons-why">{why}</span>}
      <button type="button" class="link" onClick={() => { store.selected.value = new Set(); }}>Clear selection</button>
    </div>
  );
}

interface ListProps { columns: ReturnType<typeof queueColumns>; filters: Filters; onOpen: (row: IncidentRow) => void; onGrid: (el: HTMLDivElement | null) => void }

function List({ columns, filters, onOpen, onGrid }: ListProps) {
  const state = store.loading.value;
  const rows = store.rows.value;
  const focusOnce = useRef(false);
  if (store.problem.value && rows.length === 0) return <div class="list-message"><ProblemBox problem={store.problem.value} retry={() => void store.refresh()} /></div>;
  if (state === 'first' || (rows.length === 0 && state !== 'no')) return <Skeleton rows={14} label="Loading incidents" />;
  if (rows.length === 0) return <NoRows filters={filters} />;
  return (
    <>
      {store.problem.value && <ProblemBox problem={store.problem.value} retry={() => void store.refresh()} compact />}
      <Grid label="Incidents" columns={columns} rows={rows} rowId={(r) => r.id} total={store.total.value.value} cursor={store.cursor.value} selected={store.selected.value}
        onCursor={(i) => { store.cursor.value = i; }} onOpen={onOpen} onToggle={store.toggleSelected} onNearEnd={() => void store.more()} busy={state === 'slow'}
        rowHeight={density.value === 'compact' ? ROW_COMPACT : ROW_COMFORTABLE} initialScroll={store.scrollTop} onScroll={store.rememberScroll} rowClass={(r) => `row-${r.severity}`}
        gridRef={(el) => {
          onGrid(el);
          if (el && !focusOnce.current && (document.activeElement === document.body || document.activeElement === null)) el.focus({ preventScroll: true });
          focusOnce.current = true;
        }} />
    </>
  );
}

/** Says why the list is empty, and for each filter how many rows its removal would bring. */
function NoRows({ filters }: { filters: Filters }) {
  const zoneName = useZone();
  const chips = activeFilters(filters, (n, v) => facetWord(n, v), rangeLabel(filters.from, filters.to, zoneName));
  const [counts, setCounts] = useState<Record<string, number>>({});
  useEffect(() => {
    let wanted = true;
    for (const chip of chips.slice(0, 6)) {
      const query = new URLSearchParams(location.value.query);
      for (const [k, v] of Object.entries(chip.changes)) v === '' ? query.delete(k) : query.set(k, v);
      query.set('limit', '1');
      call('listIncidents', { query: Object.fromEntries(query) }).then(
        (page) => wanted && setCounts((c) => ({ ...c, [chip.label]: page.total.value })),
        () => {
          // Without the count the filter is still offered.
        },
      );
    }
    return () => { wanted = false; };
  }, [location.value.query]);
  if (chips.length === 0) {
    return (
      <Empty title="No incidents yet">
        <p>Nothing has been raised since this system started. Whether vehicles report at all is shown in the header; the <a href="/vehicles">vehicles page</a> lists their last contact.</p>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing matches these filters">
      <p>Drop one of them:</p>
      <ul class="empty-list">
        {chips.map((c) => (
          <li key={c.label}><button type="button" class="chip" onClick={() => setQuery(c.changes)}><span>{c.label}</span><span aria-hidden="true">×</span></button>{c.label in counts && <span> brings {counted(counts[c.label] ?? 0, 'incident', 'incidents')}</span>}</li>
        ))}
      </ul>
      <p><button type="button" class="link" onClick={() => setQuery(clearAll)}>Clear all filters</button></p>
    </Empty>
  );
}
