// All vehicles, the last contact first: who reports, who has gone silent, and where incidents are open.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useKeys } from '../../app/keys';
import { location, navigate, setQuery } from '../../app/router';
import { call } from '../../api/client';
import type { VehiclePage as Page, VehicleRow } from '../../gen/api';
import { shortVid, vehiclePath } from '../../lib/ids';
import { counted } from '../../lib/words';
import { Grid, type Column } from '../../ui/grid';
import { usePaged } from '../../ui/paged';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Ago, Instant } from '../../ui/time';

const ROW = 28;
const TYPING_MS = 250;

const columns: Column<VehicleRow>[] = [
  { key: 'vid', head: 'Vehicle', width: 150, rank: 1, cell: (v) => <a class="mono" tabIndex={-1} href={vehiclePath(v.vid)} title={v.vid}>{shortVid(v.vid)}</a> },
  { key: 'model', head: 'Model', width: 140, grow: true, rank: 1, cell: (v) => v.model ?? <span class="dim">unknown</span> },
  { key: 'hardware', head: 'Hardware', width: 120, rank: 6, cell: (v) => <span class="mono">{v.hardware ?? '–'}</span> },
  { key: 'sw', head: 'Software', width: 120, rank: 3, cell: (v) => <span class="mono">{v.sw_version ?? '–'}</span> },
  { key: 'region', head: 'Region', width: 90, rank: 4, cell: (v) => v.region ?? '–' },
  { key: 'last', head: 'Last contact', width: 210, rank: 2, cell: (v) => <Instant at={v.last_contact} none="never" /> },
  { key: 'ago', head: 'Age', width: 110, rank: 5, cell: (v) => <Ago at={v.last_contact} /> },
  { key: 'state', head: 'Contact', width: 90, rank: 2, cell: (v) => (v.silent ? <span class="badge badge-unknown">silent</span> : <span>reporting</span>) },
  { key: 'open', head: 'Open incidents', width: 116, numeric: true, rank: 3, cell: (v) => (v.incidents_open === 0 ? <span class="dim">0</span> : <b class="num">{v.incidents_open}</b>) },
];

export function VehiclesPage() {
  const query = new URLSearchParams(location.value.query);
  const q = query.get('q') ?? '';
  const [text, setText] = useState(q);
  const [cursor, setCursor] = useState(0);
  useEffect(() => { document.title = 'Vehicles · OpenVSOC'; }, []);
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => setQuery({ q: text }, { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const list = usePaged<VehicleRow, Page>(q, (c, signal) => call('listVehicles', { query: { q, ...(c === undefined ? {} : { cursor: c }) }, signal }));
  const clamp = (i: number) => Math.max(0, Math.min(list.rows.length - 1, i));
  const open = (v: VehicleRow | undefined) => { if (v) navigate(vehiclePath(v.vid)); };
  const step = (by: number) => () => setCursor((c) => clamp(c + by));
  useKeys({ j: step(1), ArrowDown: step(1), k: step(-1), ArrowUp: step(-1), PageDown: step(20), PageUp: step(-20), Enter: () => open(list.rows[cursor]) });
  const heading = useMemo(() => (list.pages[0] ? counted(list.pages[0].total.value, 'vehicle', 'vehicles') : ''), [list.pages[0]]);
  return (
    <main id="content" class="plain-list" tabIndex={-1}>
      <div class="viewbar">
        <h1>Vehicles</h1>
        <input type="text" class="filter" aria-label="Filter vehicles" placeholder="Filter by vehicle, model, software, region" value={text} onInput={(e) => setText(e.currentTarget.value)} />
        <p class="viewbar-end dim">{heading}</p>
      </div>
      {list.problem && <ProblemBox problem={list.problem} retry={list.reload} />}
      {list.pages.length === 0 && !list.problem && <Skeleton rows={12} label="Loading vehicles" />}
      {list.pages.length > 0 && list.rows.length === 0 && (
        <Empty title={q === '' ? 'No vehicle has reported yet' : `No vehicle matches “${q}”`}>
          {q === '' ? <p>Vehicles appear with their first accepted batch. Check that a gateway is enrolled and that ingest is reachable.</p> : <p><button type="button" class="link" onClick={() => setQuery({ q: '' })}>Show all vehicles</button></p>}
        </Empty>
      )}
      {list.rows.length > 0 && <Grid label="Vehicles" columns={columns} rows={list.rows} rowId={(v) => v.vid} total={list.total} cursor={cursor} onCursor={setCursor} onOpen={open} onNearEnd={list.more} rowHeight={ROW} busy={list.loading} />}
    </main>
  );
}
