// Events over time, stacked by priority. A stretch without contact is hatched: it is not known to be quiet. `v` shows the same as a table;
// arrow keys walk through the buckets and read them out.
import { useState } from 'preact/hooks';
import { useKeys } from '../../app/keys';
import { setQuery } from '../../app/router';
import type { Activity, ActivityBucket } from '../../gen/api';
import { niceCeiling } from '../../lib/figures';
import { formatTime } from '../../lib/time';
import { counted, formatCount } from '../../lib/words';
import { Clock, useZone } from '../../ui/time';

const WIDTH = 960;
const HEIGHT = 96;
const LEFT = 44;
const BOTTOM = 18;

const sumOf = (b: ActivityBucket): number => b.critical + b.medium + b.low;

function summaryOf(activity: Activity): string {
  const events = activity.buckets.reduce((n, b) => n + sumOf(b), 0);
  const critical = activity.buckets.reduce((n, b) => n + b.critical, 0);
  const gaps = activity.buckets.filter((b) => b.gap).length;
  return `${counted(events, 'event', 'events')}, ${formatCount(critical)} critical; ${gaps === 0 ? 'contact throughout' : `no contact in ${gaps} of ${activity.buckets.length} intervals`}.`;
}

export function ActivityChart({ activity }: { activity: Activity }) {
  const [asTable, setTable] = useState(false);
  useKeys({ v: () => setTable(!asTable) });
  return (
    <figure class="activity">
      <figcaption><span>{summaryOf(activity)}</span><button type="button" class="link" onClick={() => setTable(!asTable)}>{asTable ? 'Chart' : 'Table'} <kbd>v</kbd></button></figcaption>
      {asTable ? <ActivityTable activity={activity} /> : <Bars activity={activity} />}
    </figure>
  );
}

function Bars({ activity }: { activity: Activity }) {
  const zoneName = useZone();
  const [at, setAt] = useState(-1);
  const { buckets, bucket_s } = activity;
  const top = niceCeiling(Math.max(1, ...buckets.map(sumOf)));
  const step = (WIDTH - LEFT) / Math.max(1, buckets.length);
  const y = (n: number) => (n / top) * (HEIGHT - BOTTOM - 4);
  const here = buckets[at];
  const onKeyDown = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (by !== 0) { e.preventDefault(); setAt((i) => Math.max(0, Math.min(buckets.length - 1, (i < 0 ? (by > 0 ? -1 : buckets.length) : i) + by))); }
    if (e.key === 'Enter' && here) zoom(here);
  };
  const zoom = (b: ActivityBucket) => setQuery({ from: b.time, to: new Date(Date.parse(b.time) + bucket_s * 1000).toISOString(), tab: '' });
  const describe = (b: ActivityBucket) => `${formatTime(b.time, zoneName)}: ${b.gap ? 'no contact' : `${b.critical} critical, ${b.medium} medium, ${b.low} low`}`;
  const ticks = [0, 0.25, 0.5, 0.75].map((f) => Math.floor(f * buckets.length));
  return (
    <>
      <svg class="bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" tabIndex={0} aria-label={`Events over time. ${summaryOf(activity)} Arrow keys read the intervals, Enter shows one.`} onKeyDown={onKeyDown} onMouseLeave={() => setAt(-1)}>
        <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v6" class="hatch-line" /></pattern></defs>
        <text class="axis" x={LEFT - 6} y="12" text-anchor="end">{formatCount(top)}</text>
        <text class="axis" x={LEFT - 6} y={HEIGHT - BOTTOM} text-anchor="end">0</text>
        <path class="axis-line" d={`M${LEFT} ${HEIGHT - BOTTOM + 0.5}H${WIDTH}M${LEFT} 4.500H${WIDTH}`} />
        {buckets.map((b, i) => <Bar key={b.time} bucket={b} x={LEFT + i * step} width={step} y={y} here={i === at} onHover={() => setAt(i)} onPress={() => zoom(b)} />)}
        {ticks.map((i) => { const b = buckets[i]; return b ? <text key={i} class="axis" x={LEFT + i * step} y={HEIGHT - 4}>{formatTime(b.time, zoneName, { zone: i === 0 }).slice(5, i === 0 ? undefined : 16).replace(/:\d\d( |$)/, '$1')}</text> : null; })}
      </svg>
      <p class="bars-here" role="status">{here ? describe(here) : <span class="dim">Each bar is {bucket_s >= 3600 ? `${Math.round(bucket_s / 360) / 10} h` : `${Math.round(bucket_s / 60)} min`}; a click shows its events.</span>}</p>
    </>
  );
}

interface BarProps { bucket: ActivityBucket; x: number; width: number; y: (n: number) => number; here: boolean; onHover: () => void; onPress: () => void }

function Bar({ bucket: b, x, width, y, here, onHover, onPress }: BarProps) {
  const base = HEIGHT - BOTTOM;
  const bar = Math.max(1, width - 1);
  let from = base;
  return (
    <g onMouseEnter={onHover} onClick={onPress} class={here ? 'is-here' : ''}>
      <rect class="bar-hit" x={x} y="0" width={width} height={base} />
      {b.gap && <rect class="bar-gap" x={x} y="5" width={width} height={base - 5} fill="url(#hatch)" />}
      {(['low', 'medium', 'critical'] as const).map((p) => {
        if (b[p] === 0) return null;
        const height = Math.max(1, y(b[p]));
        from -= height;
        return <rect key={p} class={`bar-${p}`} x={x} y={from} width={bar} height={height} />;
      })}
    </g>
  );
}

function ActivityTable({ activity }: { activity: Activity }) {
  const rows = activity.buckets.filter((b) => b.gap || sumOf(b) > 0);
  return (
    <div class="table-scroll activity-table" tabIndex={0} role="group" aria-label="Events over time">
      <table class="list">
        <caption class="visually-hidden">Events over time, intervals without events left out</caption>
        <thead><tr><th scope="col">From</th><th scope="col" class="r">Critical</th><th scope="col" class="r">Medium</th><th scope="col" class="r">Low</th><th scope="col">Contact</th></tr></thead>
        <tbody>{rows.map((b) => <tr key={b.time}><th scope="row"><Clock at={b.time} /></th><td class="r num">{b.critical}</td><td class="r num">{b.medium}</td><td class="r num">{b.low}</td><td>{b.gap ? <span class="badge badge-unknown">no contact</span> : 'yes'}</td></tr>)}</tbody>
      </table>
    </div>
  );
}
