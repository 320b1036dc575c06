// One timeline of everything: vehicle events, detections, what analysts did, comments. Lanes can be switched off; a line marks what is new since the
// last look.
import { Fragment } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { setQuery, location } from '../../app/router';
import type { Incident, TimelineItem } from '../../gen/api';
import { shortVid, vehiclePath } from '../../lib/ids';
import { counted, formatCount } from '../../lib/words';
import { Empty } from '../../ui/states';
import { useZone } from '../../ui/time';
import { formatTime, formatRelative, zoneLabel } from '../../lib/time';
import { now } from '../../ui/time';

type Lane = TimelineItem['lane'];
const laneWord: Record<Lane, string> = { event: 'Vehicle events', detection: 'Detections', analyst: 'Analysts', command: 'Commands', approval: 'Approvals', ota: 'OTA', comment: 'Comments', system: 'System' };

function lastSeen(id: string): string | null {
  try {
    return sessionStorage.getItem(`vsoc.seen.${id}`);
  } catch {
    return null;
  }
}

function remember(id: string): void {
  try {
    sessionStorage.setItem(`vsoc.seen.${id}`, new Date().toISOString());
  } catch {
    // Without storage there is no line of what is new.
  }
}

export function Timeline({ incident }: { incident: Incident }) {
  const id = incident.row.id;
  const seen = useMemo(() => lastSeen(id), [id]);
  const [reversed, setReversed] = useState(false);
  useEffect(() => () => remember(id), [id]);
  const hidden = new Set((new URLSearchParams(location.value.query).get('hide') ?? '').split(',').filter(Boolean));
  const lanes = useMemo(() => {
    const counts = new Map<Lane, number>();
    for (const t of incident.timeline) counts.set(t.lane, (counts.get(t.lane) ?? 0) + 1);
    return [...counts.entries()];
  }, [incident.timeline]);
  const toggle = (lane: Lane) => {
    const set = new Set(hidden);
    if (!set.delete(lane)) set.add(lane);
    setQuery({ hide: [...set].join(',') }, { replace: true });
  };
  const shown = incident.timeline.filter((t) => !hidden.has(t.lane));
  const items = reversed ? [...shown].reverse() : shown;
  return (
    <div class="timeline">
      <div class="timeline-bar">
        <div class="lanes" role="group" aria-label="Lanes">
          {lanes.map(([lane, count]) => (
            <button key={lane} type="button" class={`chip lane-${lane}`} aria-pressed={!hidden.has(lane)} onClick={() => toggle(lane)}>{laneWord[lane] ?? lane} <span class="num">{formatCount(count)}</span></button>
          ))}
        </div>
        <button type="button" class="link" onClick={() => setReversed(!reversed)}>{reversed ? 'Oldest first' : 'Newest first'}</button>
      </div>
      {items.length === 0 && <Empty title="Every lane is switched off"><p>Switch one on above.</p></Empty>}
      <Items items={items} seen={reversed ? null : seen} />
      {incident.timeline_total > incident.timeline.length && <p class="dim">The newest {formatCount(incident.timeline.length)} of {counted(incident.timeline_total, 'entry', 'entries')}. The Events tab has every event.</p>}
    </div>
  );
}

function Items({ items, seen }: { items: TimelineItem[]; seen: string | null }) {
  const zoneName = useZone();
  let day = '';
  let lineDrawn = seen === null || (items[0] !== undefined && items[0].time <= seen);
  return (
    <ol class="tl">
      {items.map((t) => {
        const text = formatTime(t.time, zoneName, { millis: t.lane === 'event' || t.lane === 'detection', zone: false });
        const date = text.slice(0, 10);
        const newDay = date !== day;
        day = date;
        const line = !lineDrawn && seen !== null && t.time <= seen;
        if (line) lineDrawn = true;
        return (
          <Fragment key={t.id}>
            {line && <li class="tl-seen"><span>Above: new since you last looked</span></li>}
            {newDay && <li class="tl-day">{date} <span class="dim">{zoneLabel(zoneName, Date.parse(t.time))}</span></li>}
            <li class={`tl-item lane-${t.lane}`}>
              <time class="num" dateTime={t.time} title={formatRelative(t.time, now.value)}>{text.slice(11)}</time>
              <span class="tl-mark" aria-hidden="true" />
              <div class="tl-what">
                <p>{t.text}{t.vid !== null && <> <a class="mono" href={vehiclePath(t.vid)} title={t.vid}>{shortVid(t.vid)}</a></>}{t.who !== null && <span class="tl-who">{t.who}</span>}</p>
                {t.detail !== null && <p class="tl-detail">{t.detail}</p>}
              </div>
            </li>
          </Fragment>
        );
      })}
    </ol>
  );
}
