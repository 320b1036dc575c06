// The cards beside the timeline: what changes a verdict stands next to it. Keys 1 to 7 jump to them.
import { call } from '../../api/client';
import { useResource } from '../../api/resource';
import type { BaselineRow, EcuConfig, Incident, IncidentContext, SbomFinding, SharedAttribute, TaraScenario } from '../../gen/api';
import { OverBudgetCard } from './over_budget';
import { liftOf } from '../../lib/figures';
import { incidentPath } from '../../lib/ids';
import { clockWord, factWord, formatShare } from '../../lib/words';
import { Card, SectionState } from '../../ui/card';
import { SeverityMark, SlaLeft, StageMark, Verdict } from '../../ui/marks';
import { RankTable } from '../../ui/rank';
import { ProblemBox, Skeleton } from '../../ui/states';
import { Ago, Instant, now } from '../../ui/time';

export function Rail({ incident }: { incident: Incident }) {
  const context = useResource(`${incident.row.id}`, (signal) => call('getIncidentContext', { params: { id: incident.row.id }, signal }));
  return (
    <aside class="rail" aria-label="Context" tabIndex={0}>
      {incident.over_budget && <OverBudgetCard incident={incident} over={incident.over_budget} />}
      <CaseCard incident={incident} />
      {context.problem && <ProblemBox problem={context.problem} retry={context.reload} compact />}
      {!context.data && !context.problem && <Skeleton rows={8} label="Loading context" />}
      {context.data && <ContextCards context={context.data} />}
      <SimilarCard incident={incident} />
      <Card n={7} title="Why this rank"><RankTable rank={incident.rank} total={incident.row.priority} /></Card>
    </aside>
  );
}

function CaseCard({ incident }: { incident: Incident }) {
  const row = incident.row;
  return (
    <Card n={1} title="Case">
      <dl class="facts">
        <dt>Verdict</dt><dd><Verdict disposition={row.disposition} /></dd>
        <dt>Assignee</dt><dd>{row.assignee ?? <span class="dim">nobody</span>}</dd>
        <dt>ECU</dt><dd>{incident.ecus.join(', ') || '–'}</dd>
        <dt>Bus</dt><dd>{incident.buses.join(', ') || '–'}</dd>
        <dt>Software</dt><dd class="mono">{incident.sw_versions.join(', ') || '–'}</dd>
        <dt>Rule</dt><dd><a href={`/queue?rule=${encodeURIComponent(row.rule)}`}>{row.rule_title}</a></dd>
        <dt>First event</dt><dd><Instant at={row.first} /></dd>
        <dt>Last event</dt><dd><Instant at={row.last} /></dd>
        <dt>Opened</dt><dd><Instant at={row.opened} /></dd>
      </dl>
      <p class="rationale">{incident.description}</p>
      {incident.clocks.length > 0 && (
        <table class="mini">
          <caption>Clocks</caption>
          <thead><tr><th scope="col">Clock</th><th scope="col">Target from</th><th scope="col" class="r">Left</th></tr></thead>
          <tbody>
            {incident.clocks.map((c) => (
              <tr key={c.name}><th scope="row">{clockWord[c.name] ?? c.name}</th><td class="dim">{c.basis === 'none' ? 'no target' : c.basis}</td><td class="r">{c.stopped !== null ? <span class="dim">{c.state === 'breached' ? 'late, ' : 'met, '}<Ago at={c.stopped} /></span> : <SlaLeft row={{ sla_due: c.due, sla_state: c.state }} now_ms={now.value} />}</td></tr>
            ))}
          </tbody>
        </table>
      )}
      {incident.facts.length > 0 && (
        <dl class="given">
          {incident.facts.map((f) => <div key={f.fact}><dt>{factWord[f.fact] ?? f.fact} <span class="dim">{f.by}, <Ago at={f.at} /></span></dt><dd>{f.text}</dd></div>)}
        </dl>
      )}
    </Card>
  );
}

function ContextCards({ context }: { context: IncidentContext }) {
  const { configuration: conf, baseline, sbom, tara } = context;
  return (
    <>
      <Card n={2} title="Vehicle configuration">{conf.state === 'ok' ? <ConfigTable rows={conf.rows} /> : <SectionState section={conf} />}</Card>
      <Card n={3} title="Against the usual">{baseline.state === 'ok' ? <BaselineTable rows={baseline.rows} /> : <SectionState section={baseline} />}</Card>
      <Card n={4} title="Software components">{sbom.state === 'ok' ? <SbomTable rows={sbom.rows} /> : <SectionState section={sbom} />}</Card>
      <Card n={5} title="TARA scenario">{tara.state === 'ok' ? tara.rows.map((s) => <Scenario key={s.id} scenario={s} />) : <SectionState section={tara} />}</Card>
    </>
  );
}

export function ConfigTable({ rows }: { rows: EcuConfig[] }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Vehicle configuration">
      <table class="mini">
        <caption class="visually-hidden">Control units as built and now</caption>
        <thead><tr><th scope="col">ECU</th><th scope="col">As built</th><th scope="col">Now</th><th scope="col" class="r" title="Share of the same model with this software">Same in fleet</th></tr></thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.ecu} class={r.sw_built !== r.sw_now ? 'is-changed' : ''}>
              <th scope="row">{r.ecu}{r.hardware !== null && <small class="dim"> {r.hardware}</small>}</th>
              <td class="mono">{r.sw_built ?? '–'}</td>
              <td class="mono">{r.sw_now ?? 'unknown'}{r.sw_built !== r.sw_now && <span class="badge">changed</span>}</td>
              <td class="r num">{r.fleet_share === null ? <span class="dim">no data</span> : `${Math.round(r.fleet_share * 100)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BaselineTable({ rows }: { rows: BaselineRow[] }) {
  return (
    <table class="mini">
      <caption class="visually-hidden">This incident against the usual band of the same model</caption>
      <thead><tr><th scope="col">Figure</th><th scope="col">Usual band and now</th><th scope="col" class="r">Now</th></tr></thead>
      <tbody>
        {rows.map((r) => (
          <tr key={r.type}><th scope="row" title={`learned from ${r.days} days`}>{r.type}</th><td><Band row={r} /></td><td class="r num">{r.now} {r.unit}</td></tr>
        ))}
      </tbody>
    </table>
  );
}

/** The usual band as a bar on a scale that ends a little above the larger of band and value; the value as a tick. */
function Band({ row }: { row: BaselineRow }) {
  if (row.low === null || row.high === null) return <span class="dim">no baseline yet</span>;
  const end = Math.max(row.high, row.now, 1e-9) * 1.1;
  const x = (v: number) => Math.max(0, Math.min(100, (100 * v) / end));
  const outside = row.now > row.high || row.now < row.low;
  return (
    <svg class={`band${outside ? ' band-out' : ''}`} viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={`usual ${row.low} to ${row.high} ${row.unit}, now ${row.now}${outside ? ', outside' : ''}`}>
      <rect class="band-scale" x="0" y="4" width="100" height="2" />
      <rect class="band-usual" x={x(row.low)} y="2" width={Math.max(1, x(row.high) - x(row.low))} height="6" />
      <rect class="band-now" x={Math.min(98.500, x(row.now))} y="0" width="1.500" height="10" />
    </svg>
  );
}

function SbomTable({ rows }: { rows: SbomFinding[] }) {
  return (
    <table class="mini">
      <caption class="visually-hidden">Components of the ECU and their vulnerabilities</caption>
      <thead><tr><th scope="col">Component</th><th scope="col">CVE</th><th scope="col">VEX</th><th scope="col" class="r">CVSS</th></tr></thead>
      <tbody>
        {rows.map((r) => (
          <tr key={`${r.ecu} ${r.component} ${r.cve}`}>
            <th scope="row">{r.component} <small class="mono dim">{r.version}</small></th>
            <td class="mono">{r.cve ?? <span class="dim">none known</span>}</td>
            <td>{r.vex === null ? <span class="dim">–</span> : <span class={`vex vex-${r.vex}`}>{r.vex.replace(/_/g, ' ')}</span>}{r.fixed_in !== null && <small class="dim"> fixed in {r.fixed_in}</small>}</td>
            <td class="r num">{r.cvss ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const impact = (name: string, value: number | null) => <span class="impact" title={name}><b>{name.charAt(0)}</b>{value ?? '?'}</span>;

function Scenario({ scenario: s }: { scenario: TaraScenario }) {
  return (
    <section class="scenario">
      <h3><span class="mono">{s.id}</span> {s.title}</h3>
      <p>{impact('Safety', s.safety)}{impact('Financial', s.financial)}{impact('Operational', s.operational)}{impact('Privacy', s.privacy)}<span class="dim">feasibility {s.feasibility ?? 'not assessed'}, risk {s.risk ?? '?'} of 5</span></p>
      {s.mitigations.length > 0 && <p><span class="dim">Mitigations:</span> {s.mitigations.join('; ')}</p>}
      {s.r155.length > 0 && <p><span class="dim">UN R155 Annex 5:</span> <span class="mono">{s.r155.join(', ')}</span></p>}
    </section>
  );
}

function SimilarCard({ incident }: { incident: Incident }) {
  return (
    <Card n={6} title="Similar across the fleet">
      {incident.shared.length > 0 && <SharedTable rows={incident.shared} />}
      {incident.similar.length === 0 ? <p class="section-why">No other incident has the same signature, rule, vehicle or component.</p> : (
        <ul class="similar">
          {incident.similar.map((s) => (
            <li key={s.id}>
              <SeverityMark severity={s.severity} short /> <a class="mono" href={incidentPath(s.id)}>{s.id}</a> <StageMark stage={s.stage} />
              <span class="similar-title" title={s.title}>{s.title}</span>
              <small class="dim">same {s.because}; {s.vehicles === 1 ? '1 vehicle' : `${s.vehicles} vehicles`}; <Ago at={s.last} />{s.disposition !== null && <>; <Verdict disposition={s.disposition} /></>}</small>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function SharedTable({ rows }: { rows: SharedAttribute[] }) {
  return (
    <table class="mini">
      <caption>What they share</caption>
      <thead><tr><th scope="col">Attribute</th><th scope="col" class="r">Affected</th><th scope="col" class="r">Fleet</th><th scope="col" class="r">Lift</th></tr></thead>
      <tbody>
        {rows.map((s) => {
          const lift = liftOf(s);
          return <tr key={`${s.attribute} ${s.value}`}><th scope="row"><span class="dim">{s.attribute}</span> {s.value}</th><td class="r num">{formatShare(s.affected, s.affected_total)}</td><td class="r num">{formatShare(s.fleet, s.fleet_total)}</td><td class="r num">{lift === null ? '–' : `× ${lift.toFixed(1)}`}</td></tr>;
        })}
      </tbody>
    </table>
  );
}

