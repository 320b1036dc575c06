// The tabs beside the timeline: member events, vehicles, alerts, evidence.
import { call } from '../../api/client';
import type { Alert, Event, Evidence, EventPage, IncidentVehicle, IncidentVehiclePage } from '../../gen/api';
import { shortVid, vehiclePath } from '../../lib/ids';
import { alertStateWord, formatBytes, formatCount, wordOf } from '../../lib/words';
import { EventList } from '../../ui/events';
import { MotionMark, SeverityMark } from '../../ui/marks';
import { usePaged } from '../../ui/paged';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Clock, Instant } from '../../ui/time';

export function IncidentEvents({ id }: { id: string }) {
  const list = usePaged<Event, EventPage>(id, (cursor, signal) => call('listIncidentEvents', { params: { id }, query: cursor === undefined ? {} : { cursor }, signal }));
  if (list.problem && list.rows.length === 0) return <ProblemBox problem={list.problem} retry={list.reload} />;
  if (list.pages.length === 0) return <Skeleton rows={10} label="Loading events" />;
  if (list.rows.length === 0) return <Empty title="No member events"><p>The alerts name no event that is still in the log. When the retention time is over, events leave the log; the alerts keep their counts.</p></Empty>;
  return <EventList label="Member events" rows={list.rows} gaps={list.pages.flatMap((p) => p.gaps)} total={list.total} onMore={list.more} withVehicle busy={list.loading} />;
}

export function IncidentVehicles({ id }: { id: string }) {
  const list = usePaged<IncidentVehicle, IncidentVehiclePage>(id, (cursor, signal) => call('listIncidentVehicles', { params: { id }, query: cursor === undefined ? {} : { cursor }, signal }));
  if (list.problem && list.rows.length === 0) return <ProblemBox problem={list.problem} retry={list.reload} />;
  if (list.pages.length === 0) return <Skeleton rows={6} label="Loading vehicles" />;
  if (list.rows.length === 0) return <Empty title="No vehicle"><p>The events of this incident come from the backend or from a supplier, not from a vehicle.</p></Empty>;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Vehicles">
      <table class="list">
        <caption class="visually-hidden">Vehicles of this incident</caption>
        <thead><tr><th scope="col">Vehicle</th><th scope="col">Model</th><th scope="col">Hardware</th><th scope="col">Software</th><th scope="col">Region</th><th scope="col">Motion</th><th scope="col" class="r">Events</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
        <tbody>
          {list.rows.map((v) => (
            <tr key={v.vid}>
              <th scope="row"><a class="mono" href={vehiclePath(v.vid)} title={v.vid}>{shortVid(v.vid)}</a></th>
              <td>{v.model ?? '–'}</td><td class="mono">{v.hardware ?? '–'}</td><td class="mono">{v.sw_version ?? '–'}</td><td>{v.region ?? '–'}</td><td><MotionMark motion={v.motion} /></td>
              <td class="r num">{formatCount(v.events)}</td><td><Clock at={v.first} /></td><td><Clock at={v.last} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.rows.length < list.total && <p><button type="button" class="button" onClick={list.more}>Show more of {formatCount(list.total)}</button></p>}
    </div>
  );
}

export function AlertTable({ alerts, total }: { alerts: Alert[]; total?: number }) {
  if (alerts.length === 0) return <Empty title="No alerts"><p>No rule has raised an alert here.</p></Empty>;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Alerts">
      <table class="list">
        <caption class="visually-hidden">Alerts</caption>
        <thead><tr><th scope="col">Severity</th><th scope="col">Rule</th><th scope="col">Group</th><th scope="col">State</th><th scope="col" class="r">Count</th><th scope="col" class="r">Peak</th><th scope="col" class="r">Vehicles</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
        <tbody>
          {alerts.map((a) => (
            <tr key={a.id}>
              <td><SeverityMark severity={a.severity} /></td>
              <th scope="row">{a.title}<small class="mono dim" title={a.id}> {a.rule}</small></th>
              <td class="mono">{Object.entries(a.group).map(([k, v]) => `${k}=${k === 'vin' ? shortVid(v) : v}`).join(' ') || '–'}</td>
              <td>{wordOf(alertStateWord, a.state)}{a.late && <span class="badge badge-warn" title="Changed by events that came late">late</span>}{a.supersedes.length > 0 && <span class="badge" title={`Replaces ${a.supersedes.join(', ')}`}>merged</span>}{a.silence !== null && <a class="badge" href={`/silences?tab=held&silence=${a.silence}`} title="A silence keeps it out of the queue">{a.silence}</a>}</td>
              <td class="r num">{formatCount(a.count)}</td><td class="r num">{a.peak}</td><td class="r num">{formatCount(a.vehicles)}</td><td><Clock at={a.first} /></td><td><Clock at={a.last} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {total !== undefined && total > alerts.length && <p class="dim">The newest {formatCount(alerts.length)} of {formatCount(total)}.</p>}
    </div>
  );
}

export function EvidenceTable({ evidence }: { evidence: Evidence[] }) {
  if (evidence.length === 0) return <Empty title="No evidence recorded"><p>Batches are linked here when their events become members of an alert.</p></Empty>;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Evidence">
      <table class="list">
        <caption class="visually-hidden">Evidence</caption>
        <thead><tr><th scope="col">Item</th><th scope="col">Kind</th><th scope="col">SHA-256</th><th scope="col" class="r">Size</th><th scope="col">Place in the log</th><th scope="col">Stored</th><th scope="col">Chain</th></tr></thead>
        <tbody>
          {evidence.map((e) => (
            <tr key={e.id}>
              <th scope="row">{e.text}</th><td>{e.kind}</td><td class="mono hash">{e.sha256}</td><td class="r num">{formatBytes(e.size)}</td><td class="mono">{e.position ?? '–'}</td><td><Instant at={e.stored} /></td>
              <td>{e.verified === null ? <span class="badge badge-unknown">not checked</span> : e.verified ? <span class="badge badge-good">verified</span> : <span class="badge badge-bad">broken</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
