// The rules that run: who answers for them, what they cost, which threats they cover, and the text that fired.
import { useEffect, useState } from 'preact/hooks';
import { location, setQuery } from '../../app/router';
import { call } from '../../api/client';
import { useResource } from '../../api/resource';
import type { RuleRow } from '../../gen/api';
import { counted, formatCount } from '../../lib/words';
import { SafetyBadge, SeverityMark } from '../../ui/marks';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Ago, Instant } from '../../ui/time';
import { Cross } from '../../ui/dialog';
import { useKeys } from '../../app/keys';

const VERSION_SHOWN = 10;
/** Leaves of UN R155 Annex 5, Part A. */
const THREATS = 67;

function passes(r: RuleRow, words: string): boolean {
  const text = [r.rule, r.title, r.owner, ...r.tara, ...r.r155, ...r.atm].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((w) => text.includes(w));
}

export function RulesPage() {
  const query = new URLSearchParams(location.value.query);
  const wanted = query.get('rule');
  const q = query.get('q') ?? '';
  const [text, setText] = useState(q);
  const rules = useResource('rules', (signal) => call('listRules', { signal }));
  useEffect(() => { document.title = 'Rules · OpenVSOC'; }, []);
  useKeys(wanted === null ? {} : { Escape: () => setQuery({ rule: '' }) });
  const rows = (rules.data?.rows ?? []).filter((r) => passes(r, text));
  const covered = new Set((rules.data?.rows ?? []).filter((r) => r.loaded).flatMap((r) => r.r155));
  return (
    <main id="content" class={`economy rules${wanted === null ? '' : ' has-rule'}`} tabIndex={-1}>
      <div class="viewbar">
        <h1>Rules</h1>
        <input type="text" class="filter" aria-label="Filter rules" placeholder="Filter by rule, owner, threat" value={text} onInput={(e) => { setText(e.currentTarget.value); setQuery({ q: e.currentTarget.value }, { replace: true }); }} />
        {rules.data && <p class="viewbar-end dim">{counted(rows.length, 'rule', 'rules')}, {covered.size} of {THREATS} threats of UN R155 Annex 5 covered</p>}
      </div>
      {rules.problem && <ProblemBox problem={rules.problem} retry={rules.reload} />}
      {!rules.data && !rules.problem && <Skeleton rows={12} label="Loading rules" />}
      {rules.data && rows.length === 0 && <Empty title={text === '' ? 'No rule is loaded' : `No rule matches “${text}”`}><p>{text === '' ? 'The list is written when detection commits for the first time.' : 'Clear the filter to see all.'}</p></Empty>}
      <div class="rules-body">
        {rows.length > 0 && <Table rows={rows} days={rules.data?.days ?? 7} wanted={wanted} />}
        {wanted !== null && <Detail key={wanted} rule={wanted} />}
      </div>
    </main>
  );
}

function Table({ rows, days, wanted }: { rows: RuleRow[]; days: number; wanted: string | null }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Rules">
      <table class="list">
        <caption class="visually-hidden">Rules</caption>
        <thead><tr><th scope="col">Rule</th><th scope="col">Severity</th><th scope="col">Owner</th><th scope="col" class="r" title={`Mean of ${days} days`}>Alerts a day</th><th scope="col">Budget today</th><th scope="col" title="Leaves of UN R155 Annex 5">Threats</th><th scope="col">Version</th><th scope="col">Last alert</th></tr></thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.rule} class={r.rule === wanted ? 'is-chosen' : ''}>
              <th scope="row"><a href={`/rules?rule=${encodeURIComponent(r.rule)}`} {...(r.rule === wanted ? { 'aria-current': 'true' } : {})}>{r.rule}</a>{!r.loaded && <span class="badge badge-warn">not loaded</span>}{r.hunt_only && <span class="badge">hunts</span>}<small class="rule-title">{r.title}</small></th>
              <td>{r.severity === null ? '–' : <SeverityMark severity={r.severity} />}</td>
              <td>{r.owner ?? <span class="dim">nobody</span>}</td>
              <td class="r num">{r.alerts_per_day === 0 ? <span class="dim">0</span> : r.alerts_per_day.toFixed(1)}</td>
              <td class="num nowrap">{r.per_day === null ? `${formatCount(r.used_today)}, no limit` : `${formatCount(r.used_today)} of ${formatCount(r.per_day)}`}{r.per_day !== null && r.used_today >= r.per_day && <span class="badge badge-warn">used up</span>}</td>
              <td class="threats">{r.r155.join(', ') || <span class="dim">none named</span>}</td>
              <td class="mono">{r.version?.slice(0, VERSION_SHOWN) ?? <span class="dim">never fired</span>}</td>
              <td><Ago at={r.last_alert} none="never" /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Detail({ rule }: { rule: string }) {
  const one = useResource(rule, (signal) => call('getRule', { query: { rule }, signal }));
  const d = one.data;
  return (
    <aside class="rule-detail" aria-label={`Rule ${rule}`} tabIndex={0}>
      <header class="rule-head"><h2>{d?.row.title ?? rule}</h2><button type="button" class="icon-button" aria-label="Close the rule" onClick={() => setQuery({ rule: '' })}><Cross /></button></header>
      {one.problem && <ProblemBox problem={one.problem} retry={one.reload} compact />}
      {!d && !one.problem && <Skeleton rows={8} label="Loading the rule" />}
      {d && (
        <>
          <dl class="facts">
            <dt>Rule</dt><dd class="mono">{d.row.rule}</dd>
            <dt>Owner</dt><dd>{d.row.owner ?? 'nobody'}</dd>
            <dt>Safety</dt><dd><SafetyBadge safety={d.row.safety} /></dd>
            <dt>Playbook</dt><dd>{d.row.playbook ?? '–'}</dd>
            <dt>TARA</dt><dd>{d.row.tara.join(', ') || '–'}</dd>
            <dt>R155</dt><dd>{d.row.r155.join(', ') || '–'}</dd>
            <dt>ATM</dt><dd>{d.row.atm.join(', ') || '–'}</dd>
            <dt>File</dt><dd class="mono">{d.path ?? '–'}</dd>
          </dl>
          <p class="rationale">{d.rationale}</p>
          <p><a href={`/queue?rule=${encodeURIComponent(d.row.rule)}`}>Its incidents</a></p>
          <h3>{d.versions.length === 0 ? 'No version has written an alert yet' : counted(d.versions.length, 'version has written alerts', 'versions have written alerts')}</h3>
          {d.versions.map((v, i) => (
            <details key={v.version} open={i === 0} class="rule-version">
              <summary><span class="mono">{v.version.slice(0, VERSION_SHOWN)}</span> <span class="dim">since <Instant at={v.first} />, {counted(v.alerts, 'alert', 'alerts')}</span></summary>
              <pre class="json mono" tabIndex={0}>{v.text}</pre>
            </details>
          ))}
        </>
      )}
    </aside>
  );
}
