// Events as analysts read them: newest first, decoded by the schema, with gaps in the sequence shown where they are. A press opens the
// whole record, decoded and as JSON.
import { useMemo, useState } from 'preact/hooks';
import { useKeys } from '../app/keys';
import type { Event, LedgerGap } from '../gen/api';
import { fieldLabel, fieldText, fieldValue, typeTitle } from '../lib/fields';
import { skewOf } from '../lib/figures';
import { shortVid, vehiclePath } from '../lib/ids';
import { formatLag, zoneLabel } from '../lib/time';
import { counted, trustWord } from '../lib/words';
import { copyText } from './copy';
import { Cross } from './dialog';
import { Grid, type Column } from './grid';
import { Clock, Instant, useZone } from './time';

const ROW = 28;
const SUMMARY_FIELDS = 3;

function summary(e: Event): string {
  return Object.entries(e.fields).slice(0, SUMMARY_FIELDS).map(([k, v]) => `${fieldLabel(k)} ${fieldValue(k, v)}`).join(' · ');
}

function columnsFor(withVehicle: boolean, zoneName: string): Column<Event>[] {
  const columns: Column<Event>[] = [
    { key: 'time', head: `Event time (${zoneLabel(zoneName)})`, width: 150, rank: 1, cell: (e) => <><Clock at={e.time} />{e.time_trust !== 'trusted' && <span class="badge badge-warn" title={trustWord[e.time_trust]}>{e.time_trust === 'repaired' ? 'rep.' : '?'}</span>}</> },
    { key: 'late', head: 'Received', width: 84, rank: 6, cell: (e) => { const ms = skewOf(e); return ms === 0 ? <span class="dim">on time</span> : ms > 0 ? <span class="num" title={`Received ${e.received}, later than it happened`}>+{formatLag(ms)}</span> : <span class="badge badge-warn" title={`Received ${e.received}, before it happened: one of the clocks is wrong`}>−{formatLag(-ms)}</span>; } },
    { key: 'priority', head: 'Priority', width: 76, rank: 3, cell: (e) => <span class={`prio prio-${e.priority}`}>{e.priority}</span> },
    { key: 'type', head: 'Event', width: 250, grow: true, rank: 1, cell: (e) => <><span class="cell-title" title={typeTitle(e.type)}>{typeTitle(e.type)}</span><span class="cell-sub" title={summary(e)}>{summary(e)}</span></> },
    { key: 'ecu', head: 'ECU', width: 84, rank: 4, cell: (e) => e.ecu ?? <span class="dim">–</span> },
    { key: 'bus', head: 'Bus', width: 70, rank: 5, cell: (e) => e.bus ?? <span class="dim">–</span> },
    { key: 'count', head: 'Count', width: 58, numeric: true, rank: 4, cell: (e) => <span class="num">{e.count}</span> },
    { key: 'seq', head: 'Seq', width: 74, numeric: true, rank: 7, cell: (e) => <span class="num dim">{e.seq}</span> },
  ];
  if (withVehicle) columns.splice(3, 0, { key: 'vid', head: 'Vehicle', width: 104, rank: 2, cell: (e) => <a class="mono" tabIndex={-1} href={vehiclePath(e.vid)} title={e.vid}>{shortVid(e.vid)}</a> });
  return columns;
}

interface Props { rows: readonly Event[]; gaps: readonly LedgerGap[]; total: number; onMore: () => void; withVehicle: boolean; label: string; busy: boolean }

export function EventList({ rows, gaps, total, onMore, withVehicle, label, busy }: Props) {
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState<string | null>(null);
  const zoneName = useZone();
  const columns = useMemo(() => columnsFor(withVehicle, zoneName), [withVehicle, zoneName]);
  const clamp = (i: number) => Math.max(0, Math.min(rows.length - 1, i));
  const show = (row: Event | undefined) => setOpen(row ? row.id : null);
  const step = (by: number) => () => { const i = clamp(cursor + by); setCursor(i); if (open !== null) show(rows[i]); };
  useKeys({ j: step(1), ArrowDown: step(1), k: step(-1), ArrowUp: step(-1), PageDown: step(20), PageUp: step(-20), Enter: () => show(rows[cursor]), ' ': () => (open === null ? show(rows[cursor]) : setOpen(null)) });
  useKeys({ Escape: () => setOpen(null) }, { active: open !== null });
  const shown = rows.find((r) => r.id === open);
  return (
    <div class={`events${shown ? ' has-record' : ''}`}>
      <div class="events-list">
        {gaps.length > 0 && <p class="gap-note"><span class="hatch" aria-hidden="true" /> {counted(gaps.reduce((n, g) => n + g.seq_last - g.seq_first + 1, 0), 'record', 'records')} missing in this range: {gaps.slice(0, 3).map((g) => `seq ${g.seq_first}–${g.seq_last}`).join(', ')}{gaps.length > 3 && ` and ${gaps.length - 3} more gaps`}</p>}
        <Grid label={label} columns={columns} rows={rows} rowId={(e) => e.id} total={total} cursor={cursor} onCursor={setCursor} onOpen={show} onPress={show} onNearEnd={onMore} rowHeight={ROW} busy={busy} rowClass={(e) => `prio-row-${e.priority}`} />
      </div>
      {shown && <Record event={shown} onClose={() => setOpen(null)} />}
    </div>
  );
}

function Record({ event: e, onClose }: { event: Event; onClose: () => void }) {
  const [asJson, setJson] = useState(false);
  const [copied, setCopied] = useState(false);
  const json = JSON.stringify(e, null, 2);
  return (
    <aside class="record" aria-label="Event record" tabIndex={0}>
      <header class="record-head">
        <div><h3>{typeTitle(e.type)}</h3><p class="mono dim">{e.type}</p></div>
        <button type="button" class="icon-button" aria-label="Close record" onClick={onClose}><Cross /></button>
      </header>
      <div class="segmented" role="group" aria-label="Form">
        <button type="button" aria-pressed={!asJson} onClick={() => setJson(false)}>Decoded</button>
        <button type="button" aria-pressed={asJson} onClick={() => setJson(true)}>JSON</button>
        <button type="button" onClick={() => void copyText(json).then(setCopied)}>{copied ? 'Copied' : 'Copy'}</button>
      </div>
      {asJson ? <pre class="mono json" tabIndex={0} role="group" aria-label="JSON">{json}</pre> : <Decoded event={e} />}
    </aside>
  );
}

function Decoded({ event: e }: { event: Event }) {
  return (
    <>
      <dl class="facts">
        <dt>Event time</dt><dd><Instant at={e.time} millis /> <span class="dim">{trustWord[e.time_trust]}</span></dd>
        <dt>Received</dt><dd><Instant at={e.received} millis /></dd>
        {e.count > 1 && <><dt>Aggregated</dt><dd>{e.count} × from <Clock at={e.first} /> to <Clock at={e.last} /></dd></>}
        {e.signature !== null && <><dt>Signature</dt><dd class="mono">{e.signature}</dd></>}
        <dt>ECU, bus</dt><dd>{e.ecu ?? '–'}, {e.bus ?? '–'}</dd>
        <dt>Sensor</dt><dd>{e.sensor ?? '–'}</dd>
        <dt>Software then</dt><dd class="mono">{e.sw_version ?? '–'}</dd>
        <dt>Sequence</dt><dd class="num">{e.seq} <span class="dim">in epoch {e.epoch}</span></dd>
      </dl>
      <h4>Fields</h4>
      <dl class="facts">
        {Object.entries(e.fields).map(([k, v]) => (
          <div key={k} class="facts-row"><dt title={fieldText(k)}>{fieldLabel(k)}</dt><dd class="mono">{fieldValue(k, v)}</dd></div>
        ))}
        {Object.keys(e.fields).length === 0 && <p class="dim">The record has no fields of its own.</p>}
      </dl>
      <p class="record-id mono dim">{e.id}</p>
    </>
  );
}
