// A silence while it is being written, and the words for it. Conditions on one field are joined by or, different fields by and.
import type { Matcher, Severity, SilenceCause, SilenceDraft, SilenceProposal } from '../../gen/api';
import { severityWord, wordOf } from '../../lib/words';

export const FIELDS = ['rule', 'signature', 'vid', 'tag', 'model', 'hardware', 'sw_version', 'region'] as const;
export const fieldWord: Record<string, string> = {
  rule: 'Rule', signature: 'Attack signature', vid: 'Vehicle', tag: 'Vehicle tag', model: 'Model', hardware: 'Hardware', sw_version: 'Software', region: 'Region', severity: 'Severity',
};
export const severities: readonly Severity[] = ['info', 'low', 'medium', 'high', 'critical'];
export const DURATIONS: readonly { minutes: number; word: string }[] = [
  { minutes: 60, word: '1 hour' }, { minutes: 4 * 60, word: '4 hours' }, { minutes: 24 * 60, word: '24 hours' },
  { minutes: 3 * 24 * 60, word: '3 days' }, { minutes: 7 * 24 * 60, word: '7 days' }, { minutes: 14 * 24 * 60, word: '14 days' }, { minutes: 30 * 24 * 60, word: '30 days' },
];

export interface Draft {
  cause: SilenceCause;
  reason: string;
  ticket: string;
  incident: string | null;
  /** "2026-11-20T22:00" in UTC, as the field has it; empty = at once. */
  starts: string;
  minutes: number;
  matchers: Matcher[];
  severities: Severity[];
  vehiclesMax: number;
}

export const emptyDraft = (junior: boolean): Draft => ({
  cause: 'known_benign', reason: '', ticket: '', incident: null, starts: '', minutes: 24 * 60, matchers: [{ field: 'rule', op: 'is', value: '' }],
  severities: junior ? ['info', 'low', 'medium'] : ['info', 'low', 'medium', 'high'], vehiclesMax: 0,
});

export function fromProposal(p: SilenceProposal, junior: boolean): Draft {
  return { ...emptyDraft(junior), cause: p.cause, reason: p.reason === '' ? '' : `${p.reason} `, incident: p.incident, matchers: p.matchers };
}

/** What is sent: rows without a value are left out, severities travel among the matchers. */
export function toRequest(d: Draft): SilenceDraft {
  const named = d.matchers.filter((m) => m.value.trim() !== '').map((m) => ({ ...m, field: m.field.trim(), value: m.value.trim() }));
  return {
    cause: d.cause, reason: d.reason.trim(), ticket: d.ticket.trim() === '' ? null : d.ticket.trim(), incident: d.incident, starts: d.starts === '' ? null : `${d.starts}:00Z`, minutes: d.minutes, vehicles_max: d.vehiclesMax,
    matchers: [...named, ...d.severities.map((s): Matcher => ({ field: 'severity', op: 'is', value: s }))],
  };
}

const fieldName = (field: string): string => fieldWord[field] ?? (field.startsWith('group.') ? field.slice(6) : field);

/** "Rule is can_injection and Model is A or B". */
export function sentence(matchers: readonly Matcher[]): string {
  const fields = [...new Set(matchers.map((m) => m.field))];
  return fields.map((field) => {
    const values = matchers.filter((m) => m.field === field).map((m) => `${m.op === 'glob' ? 'like ' : ''}${m.value}`);
    return `${fieldName(field)} is ${values.join(' or ')}`;
  }).join(' and ');
}

/** Which severities it holds, said only when that is not the usual "all below critical". */
export function severitiesWord(list: readonly Severity[]): string {
  const usual = list.length === 4 && !list.includes('critical');
  return usual ? '' : list.map((s) => wordOf(severityWord, s)).join(', ');
}
