// Why an over-budget incident exists, what its alerts have in common, and which silence would hold them.
import { may } from '../../app/session';
import type { Incident, OverBudget } from '../../gen/api';
import { counted, formatCount } from '../../lib/words';
import { Card } from '../../ui/card';
import { fieldWord, sentence } from '../economy/draft';

const ASPECTS = ['vid', 'model', 'sw_version', 'region', 'signature'] as const;

export function OverBudgetCard({ incident, over }: { incident: Incident; over: OverBudget }) {
  const task = incident.tasks?.find((t) => t.kind === 'tune_rule');
  return (
    <Card title="Over budget" note={over.day.slice(0, 10)}>
      <div class="over-budget">
        <p>The {over.scope} <b>{over.name}</b> may bring {counted(over.per_day, 'alert', 'alerts')} a day to the queue and had brought them. {counted(over.alerts, 'more alert of', 'more alerts of')} <a href={`/rules?rule=${encodeURIComponent(over.rule)}`}>{over.rule}</a> {over.alerts === 1 ? 'is' : 'are'} gathered here; none is dropped.</p>
        <dl class="facts">
          <dt>To the queue</dt><dd class="num">{formatCount(over.counts.queued)} in budget, {formatCount(over.counts.through)} because they are grave</dd>
          <dt>Owner</dt><dd>{over.owner ?? 'nobody'}</dd>
          {task && <><dt>Task</dt><dd>{task.title}</dd></>}
        </dl>
        <table class="mini">
          <caption>Most common among them</caption>
          <thead><tr><th scope="col">What</th><th scope="col">Value</th><th scope="col" class="r">Alerts</th></tr></thead>
          <tbody>
            {ASPECTS.flatMap((aspect) => over.top[aspect].slice(0, 2).map((t) => (
              <tr key={aspect + t.value}><th scope="row">{fieldWord[aspect]}</th><td class="mono hash" title={t.value}>{t.value}</td><td class="r num">{formatCount(t.alerts)}</td></tr>
            )))}
          </tbody>
        </table>
        {over.proposals.length > 0 && (
          <>
            <h4>A silence would hold</h4>
            <ul>
              {over.proposals.map((p, i) => (
                <li key={i}><span>{sentence(p.matchers)}: <b class="num">{formatCount(p.alerts)}</b></span>{may('silence.create') && <a href={`/silences?from=${encodeURIComponent(incident.row.id)}&proposal=${i}`}>Look</a>}</li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Card>
  );
}
