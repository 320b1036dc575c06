// One vehicle: what it is, whether its record is complete, what happened when, and everything raised about it.
import { useEffect, useState } from 'preact/hooks';
import { useKeys } from '../../app/keys';
import { location, navigate, setQuery, type Route } from '../../app/router';
import { call } from '../../api/client';
import { onChange } from '../../api/live';
import { useResource } from '../../api/resource';
import type { Event, EventPage, IncidentRow, Vehicle } from '../../gen/api';
import { isSkewed } from '../../lib/figures';
import { incidentPath, shortVid } from '../../lib/ids';
import { typeTitle } from '../../lib/fields';
import { formatLag } from '../../lib/time';
import { formatCount } from '../../lib/words';
import { Card, focusCard } from '../../ui/card';
import { copyText } from '../../ui/copy';
import { EventList } from '../../ui/events';
import { MotionMark, SeverityMark, StageMark, Verdict } from '../../ui/marks';
import { usePaged } from '../../ui/paged';
import { RangePicker } from '../../ui/range';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { tabOf, Tabs, type TabSpec } from '../../ui/tabs';
import { Ago, Clock, Instant, ZoneContext } from '../../ui/time';
import { AlertTable } from '../incident/tables';
import { ConfigTable } from '../incident/rail';
import { ActivityChart } from './activity';
import { Ledger } from './ledger';
import { Tags } from './tags';
import { Vin } from './reveal';

const DEFAULT_FROM = 'now-7d';
const BUCKETS = 84;
const CHANGES_MS = 2000;

export function VehiclePage({ route }: { route: Route }) {
  const vid = route.name === 'vehicle' ? route.vid : '';
  const vehicle = useResource(vid, (signal) => call('getVehicle', { params: { vid }, signal }));
  useEffect(() => { document.title = `${shortVid(vid)} · OpenVSOC`; }, [vid]);
  useEffect(() => {
    let timer = 0;
    const stop = onChange((c) => {
      if (c && !(c.topic === 'vehicle' && c.id === vid)) return;
      clearTimeout(timer);
      timer = window.setTimeout(vehicle.reload, CHANGES_MS);
    });
    return () => { stop(); clearTimeout(timer); };
  }, [vid]);
  if (!vehicle.data) {
    return (
      <main id="content" class="screen-message" tabIndex={-1}>
        <h1 class="visually-hidden">Vehicle {shortVid(vid)}</h1>
        {vehicle.problem ? <ProblemBox problem={vehicle.problem} retry={vehicle.reload} /> : <Skeleton rows={12} label="Loading the vehicle" />}
        <p><a href="/vehicles">All vehicles</a></p>
      </main>
    );
  }
  return <Page vehicle={vehicle.data} />;
}

function Page({ vehicle }: { vehicle: Vehicle }) {
  const query = new URLSearchParams(location.value.query);
  const [own, setOwn] = useState(false);
  const tabs: TabSpec[] = [
    { key: 'events', label: 'Events' }, { key: 'incidents', label: 'Incidents', count: vehicle.incidents_total }, { key: 'alerts', label: 'Alerts', count: vehicle.alerts_total },
    { key: 'config', label: 'Configuration', count: vehicle.ecus.length },
  ];
  const tab = tabOf(location.value.query, tabs);
  const from = query.get('from') ?? DEFAULT_FROM;
  const to = query.get('to') ?? '';
  useKeys({ ...Object.fromEntries([1, 2, 3, 4].map((n) => [String(n), () => focusCard(n)])), Escape: () => navigate('/vehicles') });
  return (
    <ZoneContext.Provider value={own && vehicle.tz !== null ? vehicle.tz : null}>
      <main id="content" class="incident vehicle" tabIndex={-1}>
        <Head vehicle={vehicle} own={own} onOwn={setOwn} />
        <div class="incident-body">
          <section class="incident-centre">
            <div class="vehicle-range">
              <h2>Events over time</h2>
              <RangePicker from={from} to={to} what="Event time" onChange={(f, t) => setQuery({ from: f === DEFAULT_FROM && t === '' ? '' : f === '' ? 'now-520w' : f, to: t })} />
            </div>
            <ActivityBox vid={vehicle.vid} from={from} to={to} />
            <Tabs tabs={tabs} current={tab} label="Vehicle" />
            <div id="tab-panel" class={`tab-panel tab-${tab}`} role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
              {tab === 'events' && <Events vid={vehicle.vid} from={from} to={to} type={query.get('type') ?? ''} />}
              {tab === 'incidents' && <Incidents rows={vehicle.incidents} />}
              {tab === 'alerts' && <AlertTable alerts={vehicle.alerts} total={vehicle.alerts_total} />}
              {tab === 'config' && <Configuration vehicle={vehicle} />}
            </div>
          </section>
          <aside class="rail" aria-label="Completeness and context" tabIndex={0}>
            <Card n={1} title="Loss ledger" note={<>as of <Clock at={vehicle.as_of} /></>}><Ledger ledger={vehicle.ledger} /></Card>
            <Card n={2} title="Event types"><Types vehicle={vehicle} chosen={query.get('type') ?? ''} /></Card>
            <Card n={3} title="Software"><Software vehicle={vehicle} /></Card>
            <Card n={4} title="Tags"><Tags vid={vehicle.vid} /></Card>
          </aside>
        </div>
      </main>
    </ZoneContext.Provider>
  );
}

function Head({ vehicle: v, own, onOwn }: { vehicle: Vehicle; own: boolean; onOwn: (own: boolean) => void }) {
  const [copied, setCopied] = useState(false);
  const open = v.incidents.filter((i) => i.stage !== 'closed').length;
  return (
    <header class="incident-head">
      <div class="crumbs"><a href="/vehicles">Vehicles</a></div>
      <div class="incident-title">
        <h1>{v.model ?? 'Unknown model'} <span class="mono vid" title={v.vid}>{shortVid(v.vid)}</span></h1>
        <button type="button" class="link" onClick={() => void copyText(v.vid).then(setCopied)}>{copied ? 'Copied' : 'Copy id'}</button>
        {v.silent ? <span class="badge badge-unknown">silent</span> : <span class="badge badge-good">reporting</span>}
        {open > 0 && <a class="badge badge-warn" href={`/queue?stage=-closed&vid=${encodeURIComponent(v.vid)}`}>{open} open</a>}
        {v.tz !== null && (
          <span class="segmented vehicle-zone" role="group" aria-label="Times on this page">
            <button type="button" aria-pressed={!own} onClick={() => onOwn(false)}>My zone</button>
            <button type="button" aria-pressed={own} onClick={() => onOwn(true)} title={`Times where the vehicle was last: ${v.tz}`}>Vehicle's</button>
          </span>
        )}
      </div>
      <dl class="vehicle-facts">
        <div><dt>VIN</dt><dd><Vin vid={v.vid} known={v.vin_known} /></dd></div>
        <div><dt>Hardware</dt><dd class="mono">{v.hardware ?? '–'}</dd></div>
        <div><dt>Software</dt><dd><span class="mono">{v.sw_version ?? 'unknown'}</span>{v.sw_since !== null && <span class="dim"> since <Instant at={v.sw_since} /></span>}</dd></div>
        <div><dt>Region</dt><dd>{v.region ?? '–'}</dd></div>
        <div><dt>First contact</dt><dd><Instant at={v.first_contact} none="never" /></dd></div>
        <div><dt>Last contact</dt><dd><Instant at={v.last_contact} none="never" />{v.last_contact !== null && <span class="dim"> (<Ago at={v.last_contact} />)</span>}</dd></div>
        <div><dt>Motion</dt><dd><MotionMark motion={v.motion} />{v.motion_time !== null && <span class="dim"> <Ago at={v.motion_time} /></span>}</dd></div>
        <div><dt>Clock</dt><dd>{v.skew_ms === null ? <span class="dim">unknown</span> : isSkewed(v.skew_ms) ? <span class="badge badge-warn">{v.skew_ms > 0 ? '+' : '−'}{formatLag(Math.abs(v.skew_ms))} off</span> : <span>within {formatLag(Math.abs(v.skew_ms))}</span>}</dd></div>
      </dl>
    </header>
  );
}

function ActivityBox({ vid, from, to }: { vid: string; from: string; to: string }) {
  const activity = useResource(`${vid} ${from} ${to}`, (signal) => call('getVehicleActivity', { params: { vid }, query: { from, to, buckets: BUCKETS }, signal }));
  if (activity.problem && !activity.data) return <ProblemBox problem={activity.problem} retry={activity.reload} compact />;
  if (!activity.data) return <div class="activity activity-wait"><Skeleton rows={3} label="Loading the chart" /></div>;
  return <ActivityChart activity={activity.data} />;
}

function Events({ vid, from, to, type }: { vid: string; from: string; to: string; type: string }) {
  const list = usePaged<Event, EventPage>(`${vid} ${from} ${to} ${type}`, (cursor, signal) => call('listVehicleEvents', { params: { vid }, query: { from, to, type, ...(cursor === undefined ? {} : { cursor }) }, signal }));
  if (list.problem && list.rows.length === 0) return <ProblemBox problem={list.problem} retry={list.reload} />;
  if (list.pages.length === 0) return <Skeleton rows={10} label="Loading events" />;
  if (list.rows.length === 0) {
    return (
      <Empty title="No events in this range">
        <p>{type !== '' && <button type="button" class="chip" onClick={() => setQuery({ type: '' })}><span>type: {type}</span><span aria-hidden="true">×</span></button>} The range is <span class="mono">{from}</span> to <span class="mono">{to || 'now'}</span>. Hatched stretches in the chart had no contact: nothing is known about them.</p>
        <p><button type="button" class="link" onClick={() => setQuery({ from: 'now-90d', to: '', type: '' })}>Show the last 90 days</button></p>
      </Empty>
    );
  }
  return <EventList label="Events of the vehicle" rows={list.rows} gaps={list.pages.flatMap((p) => p.gaps)} total={list.total} onMore={list.more} withVehicle={false} busy={list.loading} />;
}

function Incidents({ rows }: { rows: IncidentRow[] }) {
  if (rows.length === 0) return <Empty title="No incidents"><p>Nothing about this vehicle has been raised to an incident.</p></Empty>;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Incidents">
      <table class="list">
        <caption class="visually-hidden">Incidents of this vehicle</caption>
        <thead><tr><th scope="col">Severity</th><th scope="col">Incident</th><th scope="col">What</th><th scope="col">Stage</th><th scope="col">Verdict</th><th scope="col">Assignee</th><th scope="col">Opened</th></tr></thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.id}><td><SeverityMark severity={r.severity} /></td><th scope="row"><a class="mono" href={incidentPath(r.id)}>{r.id}</a></th><td>{r.title}</td><td><StageMark stage={r.stage} /></td><td><Verdict disposition={r.disposition} /></td><td>{r.assignee ?? '–'}</td><td><Instant at={r.opened} /></td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Configuration({ vehicle }: { vehicle: Vehicle }) {
  if (vehicle.ecus.length === 0) return <Empty title="The configuration is not known"><p>Import it with <span class="mono">vsoc import vehicles FILE</span>, or let the vehicle report its software inventory.</p></Empty>;
  return <ConfigTable rows={vehicle.ecus} />;
}

function Types({ vehicle, chosen }: { vehicle: Vehicle; chosen: string }) {
  const rows = vehicle.events_by_type;
  if (rows.length === 0) return <p class="section-why">{vehicle.ledger.stored > 0 ? 'The server keeps no counts per type for this vehicle.' : 'No event is stored.'}</p>;
  const most = Math.max(...rows.map((r) => r.count));
  return (
    <ul class="types">
      {rows.map((r) => (
        <li key={r.type}>
          <button type="button" aria-pressed={r.type === chosen} onClick={() => setQuery({ type: r.type === chosen ? '' : r.type, tab: '' })} title={`${r.type}: show only these`}>
            <span class="types-bar" style={{ width: `${(100 * r.count) / most}%` }} aria-hidden="true" />
            <span class="types-word">{typeTitle(r.type)}</span><span class="num">{formatCount(r.count)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Software({ vehicle }: { vehicle: Vehicle }) {
  if (vehicle.software.length === 0) return <p class="section-why">No software version has been reported.</p>;
  return (
    <table class="mini">
      <caption class="visually-hidden">Software history</caption>
      <thead><tr><th scope="col">Version</th><th scope="col">From</th><th scope="col">Source</th></tr></thead>
      <tbody>{vehicle.software.map((s) => <tr key={s.from}><th scope="row" class="mono">{s.sw_version}</th><td><Instant at={s.from} /></td><td class="dim">{s.source}</td></tr>)}</tbody>
    </table>
  );
}
