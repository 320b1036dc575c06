import type { IncidentRow } from '../../gen/api';
import { formatSort, type Sort, type SortKey } from '../../lib/filters';
import { incidentPath, shortVid, vehiclePath } from '../../lib/ids';
import type { Column } from '../../ui/grid';
import { MotionMark, SafetyBadge, SeverityMark, SlaLeft, Spread, StageMark, Verdict } from '../../ui/marks';
import { Age, now } from '../../ui/time';
import { setQuery } from '../../app/router';
import { touched } from './store';

function sortBy(key: SortKey, sort: Sort): NonNullable<Column<IncidentRow>['sort']> {
  const active = sort.key === key;
  // Age counts back from now: the oldest first is the earliest opened first.
  const descending = active ? !sort.descending : key !== 'sla' && key !== 'opened' && key !== 'id';
  return {
    state: active ? (sort.descending ? 'descending' : 'ascending') : 'none',
    run: () => setQuery({ sort: formatSort({ key, descending }) }),
  };
}

function VehicleCell({ row }: { row: IncidentRow }) {
  if (row.vehicles > 1) return <span>{row.vehicles} vehicles</span>;
  if (row.vid === null) return <span class="dim">–</span>;
  return <a class="mono" href={vehiclePath(row.vid)} tabIndex={-1} title={row.vid}>{shortVid(row.vid)}</a>;
}

export function queueColumns(sort: Sort): Column<IncidentRow>[] {
  return [
    { key: 'severity', head: 'Severity', width: 86, rank: 1, sort: sortBy('severity', sort), cell: (r) => <SeverityMark severity={r.severity} /> },
    { key: 'safety', head: <span title="TARA safety impact, S0 to S3">Safety</span>, width: 52, rank: 6, cell: (r) => <SafetyBadge safety={r.safety} /> },
    {
      key: 'id', head: 'Incident', width: 92, rank: 1, sort: sortBy('id', sort),
      cell: (r) => <><a class="mono" href={incidentPath(r.id)} tabIndex={-1}>{r.id}</a>{touched.value.has(r.id) && <span class="dot" title="Changed by someone else since this list was loaded" />}</>,
    },
    { key: 'title', head: 'What', width: 240, grow: true, rank: 1, cell: (r) => <><span class="cell-title" title={r.title}>{r.title}</span>{r.signature !== null && <span class="cell-sub mono" title={r.signature}>{r.signature}</span>}</> },
    { key: 'vehicle', head: 'Vehicle', width: 100, rank: 3, cell: (r) => <VehicleCell row={r} /> },
    { key: 'spread', head: <span title="Distinct vehicles with the same signature in 48 h">48 h</span>, width: 46, numeric: true, rank: 2, sort: sortBy('vehicles', sort), cell: (r) => <Spread count={r.vehicles_48h} /> },
    { key: 'ecu', head: 'ECU', width: 78, rank: 5, cell: (r) => r.ecu ?? <span class="dim">–</span> },
    { key: 'model', head: 'Model', width: 96, rank: 9, cell: (r) => r.model ?? <span class="dim">mixed</span> },
    { key: 'stage', head: 'Stage', width: 88, rank: 2, cell: (r) => <StageMark stage={r.stage} /> },
    { key: 'verdict', head: 'Verdict', width: 124, rank: 4, cell: (r) => <Verdict disposition={r.disposition} /> },
    { key: 'motion', head: 'Motion', width: 68, rank: 8, cell: (r) => <MotionMark motion={r.motion} /> },
    { key: 'assignee', head: 'Assignee', width: 86, rank: 3, cell: (r) => r.assignee ?? <span class="dim">–</span> },
    { key: 'sla', head: 'SLA left', width: 88, rank: 3, sort: sortBy('sla', sort), cell: (r) => <SlaLeft row={r} now_ms={now.value} /> },
    { key: 'age', head: 'Age', width: 66, numeric: true, rank: 7, sort: sortBy('opened', sort), cell: (r) => <Age at={r.opened} /> },
    { key: 'priority', head: <span title="Rank: 0 to 100, explained in the peek pane">Rank</span>, width: 52, numeric: true, rank: 5, sort: sortBy('priority', sort), cell: (r) => <span class="num">{Math.round(r.priority)}</span> },
  ];
}
