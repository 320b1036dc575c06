// The row under the cursor, beside the list: enough to judge most incidents without leaving the queue.
import { useEffect, useState } from 'preact/hooks';
import { take } from '../../app/acts';
import { denial } from '../../app/session';
import { useResource } from '../../api/resource';
import { call } from '../../api/client';
import type { Incident, IncidentRow } from '../../gen/api';
import { incidentPath, vehiclePath, shortVid } from '../../lib/ids';
import { counted } from '../../lib/words';
import { Cross } from '../../ui/dialog';
import { StageBar } from '../../ui/lifecycle';
import { presetFor, type AskKind } from '../../ui/incident_dialogs';
import { MotionMark, SafetyBadge, SeverityMark, SlaLeft, Verdict } from '../../ui/marks';
import { RankTable } from '../../ui/rank';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Ago, Clock, Instant, now } from '../../ui/time';

const REST_MS = 120;
const LAST_ITEMS = 5;

interface Props { row: IncidentRow | null; onAsk: (ask: AskKind) => void; onClose: () => void }

export function Peek({ row, onAsk, onClose }: Props) {
  // Moving through the list fast asks for nothing; resting on a row fetches it.
  const [rested, setRested] = useState<string | null>(null);
  const key = row ? `${row.id} ${row.version}` : null;
  useEffect(() => {
    const timer = setTimeout(() => setRested(key), REST_MS);
    return () => clearTimeout(timer);
  }, [key]);
  const detail = useResource(rested === key ? rested : null, (signal) => call('getIncident', { params: { id: row?.id ?? '' }, signal }));
  return (
    <aside class="peek" aria-label="Peek" tabIndex={0}>
      {!row ? <Empty title="No row"><p>Move the cursor to a row.</p></Empty> : (
        <>
          <header class="peek-head">
            <div>
              <SeverityMark severity={row.severity} /> <SafetyBadge safety={row.safety} />
              <h2><a href={incidentPath(row.id)}>{row.id}</a></h2>
            </div>
            <button type="button" class="icon-button" aria-label="Close peek" onClick={onClose}><Cross /></button>
          </header>
          <p class="peek-title">{row.title}</p>
          {row.signature !== null && <p class="signature mono">{row.signature}</p>}
          <StageBar stage={row.stage} />
          <PeekButtons row={row} onAsk={onAsk} />
          <Facts row={row} />
          {detail.problem && <ProblemBox problem={detail.problem} retry={detail.reload} compact />}
          {detail.data ? <More incident={detail.data} /> : !detail.problem && <Skeleton rows={5} label="Loading the incident" />}
        </>
      )}
    </aside>
  );
}

function PeekButtons({ row, onAsk }: { row: IncidentRow; onAsk: (ask: AskKind) => void }) {
  const why = denial('incident.act');
  const off = why ? ({ 'aria-disabled': true, 'aria-describedby': 'peek-why' } as const) : {};
  const run = (f: () => void) => () => { if (!why) f(); };
  return (
    <div class="peek-buttons">
      <button type="button" class="button" {...off} onClick={run(() => void take([row]))}>Take <kbd>i</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'verdict', preset: presetFor('t') }))}>Malicious <kbd>t</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'verdict', preset: presetFor('f') }))}>False pos. <kbd>f</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'verdict', preset: presetFor('h') }))}>HW fault <kbd>h</kbd></button>
      {why && <p id="peek-why" class="buttons-why">{why}</p>}
    </div>
  );
}

function Facts({ row }: { row: IncidentRow }) {
  return (
    <dl class="facts">
      <dt>Verdict</dt><dd><Verdict disposition={row.disposition} /></dd>
      <dt>Assignee</dt><dd>{row.assignee ?? <span class="dim">nobody</span>}</dd>
      <dt>Vehicles</dt>
      <dd>{row.vid !== null && row.vehicles <= 1 ? <a class="mono" href={vehiclePath(row.vid)}>{shortVid(row.vid)}</a> : counted(row.vehicles, 'vehicle', 'vehicles')}{row.vehicles_48h > row.vehicles && <span class="dim"> ({row.vehicles_48h} with this signature in 48 h)</span>}</dd>
      <dt>Model, software</dt><dd>{row.model ?? <span class="dim">mixed</span>}{row.sw_version !== null && <span class="mono"> {row.sw_version}</span>}</dd>
      <dt>ECU, bus</dt><dd>{row.ecu ?? '–'}{row.bus !== null && <span class="dim"> on {row.bus}</span>}</dd>
      <dt>Motion</dt><dd><MotionMark motion={row.motion} />{row.motion_time !== null && <span class="dim"> (<Ago at={row.motion_time} />)</span>}</dd>
      <dt>First event</dt><dd><Instant at={row.first} /></dd>
      <dt>Last event</dt><dd><Instant at={row.last} /></dd>
      <dt>SLA</dt><dd><SlaLeft row={row} now_ms={now.value} /></dd>
    </dl>
  );
}

function More({ incident }: { incident: Incident }) {
  return (
    <>
      <section>
        <h3>Why here</h3>
        <RankTable rank={incident.rank} total={incident.row.priority} />
      </section>
      <section>
        <h3>Latest</h3>
        <ol class="latest">
          {incident.timeline.slice(0, LAST_ITEMS).map((t) => <li key={t.id}><Clock at={t.time} /><span>{t.text}{t.who !== null && <span class="dim"> ({t.who})</span>}</span></li>)}
        </ol>
      </section>
    </>
  );
}
