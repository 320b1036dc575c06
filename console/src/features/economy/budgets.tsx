// Alert budgets: what each rule and team may bring to the queue a day, what it brought, and how that went over two weeks.
import { call } from '../../api/client';
import { useResource } from '../../api/resource';
import type { BudgetReport, BudgetRow } from '../../gen/api';
import { formatCount } from '../../lib/words';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';

const DAY_MS = 86_400_000;
const DAYS = 14;

/** Use of the budget today, 0 to 1 and beyond; rules without a limit come last. */
const useOf = (r: BudgetRow): number => (r.per_day === null ? -1 : r.per_day === 0 ? Infinity : (r.today.queued + r.today.through) / r.per_day);

export function Budgets() {
  const report = useResource('budgets', (signal) => call('listBudgets', { query: { days: DAYS }, signal }));
  if (report.problem && !report.data) return <ProblemBox problem={report.problem} retry={report.reload} />;
  if (!report.data) return <Skeleton rows={10} label="Loading budgets" />;
  const data = report.data;
  if (data.rules.length === 0) return <Empty title="No rule has run yet"><p>Budgets count from the first batch that detection reads.</p></Empty>;
  return (
    <div class="budgets">
      <p class="dim">Days are UTC days of the event log. Above its budget a rule's alerts are gathered in one incident a day, with a task for its owner; critical ones come through, and nothing is dropped.</p>
      <Table title="Teams" rows={data.teams} report={data} />
      <Table title="Rules" rows={data.rules} report={data} />
    </div>
  );
}

function Table({ title, rows, report }: { title: string; rows: BudgetRow[]; report: BudgetReport }) {
  const rules = title === 'Rules';
  const sorted = [...rows].sort((a, b) => useOf(b) - useOf(a) || a.name.localeCompare(b.name));
  if (sorted.length === 0) return null;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={title}>
      <table class="list">
        <caption>{title}</caption>
        <thead><tr><th scope="col">{rules ? 'Rule' : 'Team'}</th>{rules && <th scope="col">Owner</th>}<th scope="col">Today</th><th scope="col" class="r">Gathered</th><th scope="col" class="r">Joined</th><th scope="col" class="r">Silenced</th><th scope="col">{DAYS} days</th></tr></thead>
        <tbody>
          {sorted.map((r) => (
            <tr key={r.name}>
              <th scope="row">{rules ? <a href={`/rules?rule=${encodeURIComponent(r.name)}`} title={r.title}>{r.name}</a> : r.name}</th>
              {rules && <td>{r.owner ?? <span class="dim">nobody</span>}</td>}
              <td><Use row={r} /></td>
              <td class="r num">{r.today.over === 0 ? <span class="dim">0</span> : <b>{formatCount(r.today.over)}</b>}</td>
              <td class="r num">{formatCount(r.today.joined)}</td>
              <td class="r num">{formatCount(r.today.silenced)}</td>
              <td><Trend row={r} from={report.from} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Use({ row }: { row: BudgetRow }) {
  const used = row.today.queued + row.today.through;
  if (row.per_day === null) return <span><span class="num">{formatCount(used)}</span> <span class="dim">no limit</span></span>;
  const share = row.per_day === 0 ? 1 : Math.min(1, used / row.per_day);
  const full = used >= row.per_day;
  return (
    <span class="use">
      <svg class={`use-bar${full ? ' is-full' : ''}`} viewBox="0 0 60 8" width="60" height="8" aria-hidden="true"><rect class="use-scale" width="60" height="8" rx="1" /><rect class="use-now" width={60 * share} height="8" rx="1" /></svg>
      <span class="num">{formatCount(used)} of {formatCount(row.per_day)}</span>
      {full && <span class="badge badge-warn">used up</span>}
      {!row.own_limit && <span class="dim"> default</span>}
    </span>
  );
}

/** One bar a day: what came to the queue below, what was gathered or silenced above it, lighter. */
function Trend({ row, from }: { row: BudgetRow; from: string }) {
  const start = Date.parse(from);
  const days = Array.from({ length: DAYS }, (_, i) => row.days.find((d) => Date.parse(d.day) === start + i * DAY_MS));
  const heights = days.map((d) => (d ? { queue: d.queued + d.through + d.joined, aside: d.over + d.silenced } : { queue: 0, aside: 0 }));
  const top = Math.max(1, ...heights.map((h) => h.queue + h.aside));
  const total = heights.reduce((n, h) => n + h.queue, 0);
  const aside = heights.reduce((n, h) => n + h.aside, 0);
  const label = `${formatCount(total)} to the queue, ${formatCount(aside)} gathered or silenced in ${DAYS} days`;
  return (
    <svg class="trend" viewBox={`0 0 ${DAYS * 6} 20`} width={DAYS * 6} height="20" role="img" aria-label={label}>
      <title>{label}</title>
      <path class="axis-line" d={`M0 19.500h${DAYS * 6}`} />
      {heights.map((h, i) => (
        <g key={i}>
          <rect class="trend-queue" x={i * 6} y={19 - (18 * h.queue) / top} width="4" height={(18 * h.queue) / top} />
          <rect class="trend-aside" x={i * 6} y={19 - (18 * (h.queue + h.aside)) / top} width="4" height={(18 * h.aside) / top} />
        </g>
      ))}
    </svg>
  );
}
