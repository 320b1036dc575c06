// Small marks that mean the same everywhere: severity by shape, word and colour; stage, verdict, motion, safety rating and SLA as words.
import type { ComponentChildren } from 'preact';
import type { Disposition, IncidentRow, Motion, Severity, Stage } from '../gen/api';
import { dispositionWord, motionWord, severityWord, stageWord, wordOf } from '../lib/words';
import { formatDuration } from '../lib/time';

const SHAPES: Record<Severity, ComponentChildren> = {
  critical: <path d="M6 .500 11.500 6 6 11.500.500 6z" />,
  high: <path d="M6 1 11.500 11H.500z" />,
  medium: <path d="M1.500 1.500h9v9h-9z" />,
  low: <circle cx="6" cy="6" r="4.500" />,
  info: <circle cx="6" cy="6" r="3.600" fill="none" stroke="currentColor" stroke-width="1.800" />,
};

export function SeverityMark({ severity, short }: { severity: Severity; short?: boolean }) {
  return (
    <span class={`sev sev-${severity}`}>
      <svg class="sev-shape" viewBox="0 0 12 12" width="11" height="11" aria-hidden="true" fill="currentColor">{SHAPES[severity] ?? SHAPES.info}</svg>
      <span class={short ? 'visually-hidden' : 'sev-word'}>{wordOf(severityWord, severity)}</span>
    </span>
  );
}

export const StageMark = ({ stage }: { stage: Stage }) => <span class={`stage stage-${stage}`}>{wordOf(stageWord, stage)}</span>;

export function Verdict({ disposition }: { disposition: Disposition | null }) {
  if (disposition === null) return <span class="dim">none yet</span>;
  return <span class={`verdict verdict-${disposition}`}>{wordOf(dispositionWord, disposition)}</span>;
}

export const SafetyBadge = ({ safety }: { safety: number | null }) =>
  safety === null
    ? <span class="safety safety-none" title="TARA safety impact: not assessed">S?</span>
    : <span class={`safety safety-${safety}`} title={`TARA safety impact S${safety}`}>S{safety}</span>;

export const MotionMark = ({ motion }: { motion: Motion }) => <span class={`motion motion-${motion}`}>{wordOf(motionWord, motion)}</span>;

const SPREAD_EMERGING = 20;
const SPREAD_CAMPAIGN = 50;

/** Distinct vehicles with the same signature in 48 h: from 20 on it is emerging, from 50 on a campaign. */
export function Spread({ count }: { count: number }) {
  const level = count >= SPREAD_CAMPAIGN ? 'campaign' : count >= SPREAD_EMERGING ? 'emerging' : 'single';
  return <span class={`spread spread-${level}`} title={`${count} distinct vehicles in 48 h${level === 'single' ? '' : ` (${level})`}`}>{count}</span>;
}

/** Time left on the clock that runs, or how far it is over. */
export function SlaLeft({ row, now_ms }: { row: Pick<IncidentRow, 'sla_due' | 'sla_state'>; now_ms: number }) {
  if (row.sla_state === 'met') return <span class="dim">met</span>;
  if (row.sla_due === null || row.sla_state === 'none') return <span class="dim">–</span>;
  const left_s = (Date.parse(row.sla_due) - now_ms) / 1000;
  if (left_s < 0) return <span class="sla sla-breached">over {formatDuration(-left_s)}</span>;
  return <span class={`sla sla-${row.sla_state}`}>{formatDuration(left_s)}</span>;
}
