// One incident: what it is, where it stands and which moves are open, everything that happened, and the context that decides the verdict.
import { useEffect, useState } from 'preact/hooks';
import { take } from '../../app/acts';
import { useKeys } from '../../app/keys';
import { location, navigate, type Route } from '../../app/router';
import { onRow } from '../../app/rows';
import { denial, may } from '../../app/session';
import { note } from '../../app/toasts';
import { call } from '../../api/client';
import { onChange } from '../../api/live';
import { useResource } from '../../api/resource';
import type { Incident, Permission, Stage } from '../../gen/api';
import { incidentPath, shortVid, vehiclePath } from '../../lib/ids';
import { counted } from '../../lib/words';
import { focusCard } from '../../ui/card';
import { Ask, presetFor, type AskKind } from '../../ui/incident_dialogs';
import { LifecycleBar } from '../../ui/lifecycle';
import { MotionMark, SafetyBadge, SeverityMark, SlaLeft, Spread, Verdict } from '../../ui/marks';
import { ProblemBox, Skeleton } from '../../ui/states';
import { Ago, now } from '../../ui/time';
import { tabOf, Tabs, type TabSpec } from '../../ui/tabs';
import * as queue from '../queue/store';
import { MoveDialog } from './move_dialog';
import { Rail } from './rail';
import { AlertTable, EvidenceTable, IncidentEvents, IncidentVehicles } from './tables';
import { Timeline } from './timeline';

const CHANGES_MS = 800;

export function IncidentPage({ route }: { route: Route }) {
  const id = route.name === 'incident' ? route.id : '';
  const incident = useResource(id, (signal) => call('getIncident', { params: { id }, signal }));
  useEffect(() => { document.title = `${id} · OpenVSOC`; queue.pointCursorAt(id); }, [id]);
  useEffect(() => {
    let timer = 0;
    const later = () => { clearTimeout(timer); timer = window.setTimeout(incident.reload, CHANGES_MS); };
    const stopLive = onChange((c) => { if (!c || (c.topic === 'incident' && (c.id === id || c.id === '*'))) later(); });
    const stopRows = onRow((row) => { if (row.id === id) incident.reload(); queue.takeRow(row); });
    return () => { stopLive(); stopRows(); clearTimeout(timer); };
  }, [id]);
  if (!incident.data) {
    return (
      <main id="content" class="screen-message" tabIndex={-1}>
        <h1 class="visually-hidden">{id}</h1>
        {incident.problem ? <ProblemBox problem={incident.problem} retry={incident.reload} /> : <Skeleton rows={12} label="Loading the incident" />}
        <p><a href="/queue">Back to the queue</a></p>
      </main>
    );
  }
  return <Page incident={incident.data} stale={incident.problem ? <ProblemBox problem={incident.problem} retry={incident.reload} compact /> : null} />;
}

function tabsOf(incident: Incident): TabSpec[] {
  return [
    { key: 'timeline', label: 'Timeline', count: incident.timeline_total }, { key: 'events', label: 'Events' },
    { key: 'vehicles', label: 'Vehicles', count: incident.vehicles_total }, { key: 'alerts', label: 'Alerts', count: incident.row.alerts },
    { key: 'evidence', label: 'Evidence', count: incident.evidence.length },
  ];
}

function Page({ incident, stale }: { incident: Incident; stale: preact.ComponentChildren }) {
  const id = incident.row.id;
  const [ask, setAsk] = useState<AskKind | null>(null);
  const [moveTo, setMoveTo] = useState<Stage | null>(null);
  const tabs = tabsOf(incident);
  const tab = tabOf(location.value.query, tabs);
  const act = (permission: Permission, run: () => void) => () => { const why = denial(permission); if (why) note(why); else run(); };
  const beside = (by: number) => () => {
    const next = queue.neighbour(id, by);
    if (next) navigate(incidentPath(next.id));
    else note(queue.rows.value.length === 0 ? 'Come from the queue to walk through its list.' : by > 0 ? 'This is the last of the list.' : 'This is the first of the list.');
  };
  const cards = Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [String(n), () => focusCard(n)]));
  useKeys({
    ...cards,
    '[': beside(-1), ']': beside(1),
    Escape: () => navigate(queueUrl()),
    i: act('incident.act', () => void take([incident.row])), a: act('incident.act', () => setAsk({ kind: 'assign' })), c: act('incident.comment', () => setAsk({ kind: 'comment' })),
    t: act('incident.act', () => setAsk({ kind: 'verdict', preset: presetFor('t') })), f: act('incident.act', () => setAsk({ kind: 'verdict', preset: presetFor('f') })), h: act('incident.act', () => setAsk({ kind: 'verdict', preset: presetFor('h') })),
  });
  const move = incident.lifecycle.moves.find((m) => m.to === moveTo);
  return (
    <main id="content" class="incident" tabIndex={-1}>
      <Head incident={incident} onAsk={setAsk} onMove={setMoveTo} onBeside={beside} />
      {stale}
      <div class="incident-body">
        <section class="incident-centre">
          <Tabs tabs={tabs} current={tab} label="Incident" />
          <div id="tab-panel" class={`tab-panel tab-${tab}`} role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
            {tab === 'timeline' && <Timeline incident={incident} />}
            {tab === 'events' && <IncidentEvents id={id} />}
            {tab === 'vehicles' && <IncidentVehicles id={id} />}
            {tab === 'alerts' && <AlertTable alerts={incident.alerts} total={incident.row.alerts} />}
            {tab === 'evidence' && <EvidenceTable evidence={incident.evidence} />}
          </div>
        </section>
        <Rail incident={incident} />
      </div>
      <Ask ask={ask} choice={incident.dispositions} targets={[incident.row]} onClose={() => setAsk(null)} onDone={() => {}} />
      {move && <MoveDialog key={moveTo} incident={incident} move={move} onClose={() => setMoveTo(null)} />}
    </main>
  );
}

/** Back to the list one came from, with its filters. */
function queueUrl(): string {
  return queue.listUrl.value;
}

interface HeadProps { incident: Incident; onAsk: (ask: AskKind) => void; onMove: (to: Stage) => void; onBeside: (by: number) => () => void }

function Head({ incident, onAsk, onMove, onBeside }: HeadProps) {
  const row = incident.row;
  return (
    <header class="incident-head">
      <div class="crumbs">
        <a href={queueUrl()}>Queue</a>
        <Position id={row.id} onBeside={onBeside} />
      </div>
      <div class="incident-title">
        <SeverityMark severity={row.severity} /><SafetyBadge safety={row.safety} />
        <h1><span class="mono">{row.id}</span> {row.title}</h1>
      </div>
      <div class="incident-line">
        {row.signature !== null && <span class="signature mono">{row.signature}</span>}
        <span>{row.vid !== null && row.vehicles <= 1 ? <a class="mono" href={vehiclePath(row.vid)} title={row.vid}>{shortVid(row.vid)}</a> : counted(row.vehicles, 'vehicle', 'vehicles')}{row.model !== null && ` ${row.model}`}</span>
        <span><span class="dim">48 h</span> <Spread count={row.vehicles_48h} /></span>
        <span><span class="dim">Motion</span> <MotionMark motion={row.motion} />{row.motion_time !== null && <span class="dim"> <Ago at={row.motion_time} /></span>}</span>
        <span><span class="dim">Verdict</span> <Verdict disposition={row.disposition} /></span>
        <span><span class="dim">Owner</span> {row.assignee ?? <span class="dim">nobody</span>}</span>
        <span><span class="dim">SLA</span> <SlaLeft row={row} now_ms={now.value} /></span>
      </div>
      <div class="incident-acts">
        <LifecycleBar lifecycle={incident.lifecycle} onChoose={onMove} />
        <Buttons incident={incident} onAsk={onAsk} />
      </div>
    </header>
  );
}

function Position({ id, onBeside }: { id: string; onBeside: (by: number) => () => void }) {
  const index = queue.rows.value.findIndex((r) => r.id === id);
  if (index < 0) return null;
  return (
    <span class="position">
      <span class="num">{index + 1} of {queue.total.value.value}</span>
      <button type="button" class="icon-button" aria-label="Previous in the list" title="Previous ([)" onClick={onBeside(-1)}>‹</button>
      <button type="button" class="icon-button" aria-label="Next in the list" title="Next (])" onClick={onBeside(1)}>›</button>
    </span>
  );
}

function Buttons({ incident, onAsk }: { incident: Incident; onAsk: (ask: AskKind) => void }) {
  const why = denial('incident.act');
  const off = why ? ({ 'aria-disabled': true, 'aria-describedby': 'act-why' } as const) : {};
  const run = (f: () => void) => () => { if (!why) f(); };
  return (
    <div class="incident-buttons">
      <button type="button" class="button" {...off} onClick={run(() => void take([incident.row]))}>Take <kbd>i</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'assign' }))}>Assign <kbd>a</kbd></button>
      <button type="button" class="button" {...off} onClick={run(() => onAsk({ kind: 'verdict', preset: incident.row.disposition ?? presetFor('t') }))}>Verdict <kbd>t</kbd></button>
      <button type="button" class="button" onClick={() => onAsk({ kind: 'comment' })}>Comment <kbd>c</kbd></button>
      {may('silence.create') && <a class="button" href={`/silences?from=${encodeURIComponent(incident.row.id)}`}>Silence</a>}
      {why && <p id="act-why" class="buttons-why">{why}</p>}
    </div>
  );
}
