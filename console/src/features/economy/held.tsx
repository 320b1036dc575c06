// Every alert that a silence holds now: what the queue does not show, said in full.
import { call } from '../../api/client';
import type { Alert, AlertPage } from '../../gen/api';
import { shortVid } from '../../lib/ids';
import { counted, formatCount } from '../../lib/words';
import { SeverityMark } from '../../ui/marks';
import { usePaged } from '../../ui/paged';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Clock } from '../../ui/time';

export function Held({ silence }: { silence: string }) {
  const list = usePaged<Alert, AlertPage>(silence, (cursor, signal) => call('listAlerts', { query: { silence, ...(cursor === undefined ? {} : { cursor }) }, signal }));
  if (list.problem && list.rows.length === 0) return <ProblemBox problem={list.problem} retry={list.reload} />;
  if (list.pages.length === 0) return <Skeleton rows={8} label="Loading alerts" />;
  if (list.rows.length === 0) return <Empty title={silence === 'any' ? 'No alert is held' : `${silence} has held nothing yet`}><p>What a silence holds is listed here until the silence ends.</p></Empty>;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Held alerts">
      <table class="list">
        <caption>{counted(list.total, 'alert', 'alerts')}</caption>
        <thead><tr><th scope="col">Severity</th><th scope="col">Alert</th><th scope="col">Group</th><th scope="col" class="r">Vehicles</th><th scope="col" class="r">Events</th><th scope="col">Last</th><th scope="col">Where it is</th></tr></thead>
        <tbody>
          {list.rows.map((a) => (
            <tr key={a.id}>
              <td><SeverityMark severity={a.severity} /></td>
              <th scope="row">{a.title} <span class="dim mono">{a.rule}</span></th>
              <td class="mono group">{Object.entries(a.group).map(([k, v]) => `${k}=${k === 'vin' ? shortVid(v) : v}`).join(' ')}</td>
              <td class="r num">{formatCount(a.vehicles)}</td><td class="r num">{formatCount(a.count)}</td><td><Clock at={a.last} /></td>
              <td>{a.silence !== null ? <a href={`/silences?tab=held&silence=${a.silence}`}>{a.silence}</a> : a.incident !== null ? <a href={`/incidents/${a.incident}`}>{a.incident}</a> : <span class="dim">ended while held</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.rows.length < list.total && <p><button type="button" class="button" onClick={list.more}>Show more of {formatCount(list.total)}</button></p>}
    </div>
  );
}
