// What a campaign is called on screen, and its curve in numbers. Nothing here draws.
import type { Campaign, CampaignDetail } from '../../gen/api';
import { counted, formatCount } from '../../lib/words';

export const verdictWord: Record<Campaign['verdict'], string> = {
  attack_suspected: 'Attack suspected', software_regression_suspected: 'Software regression suspected', hardware_fault_suspected: 'Hardware fault suspected',
};

export const formatExpected = (n: number): string => (n < 10 ? n.toFixed(1) : formatCount(Math.round(n)));

/** The part of the fleet that is meant; what is open is not named. */
export function cohortOf(c: Pick<Campaign, 'model' | 'software' | 'region'>): string {
  const parts = [c.model && `model ${c.model}`, c.software && `software ${c.software}`, c.region && `region ${c.region}`].filter(Boolean);
  return parts.length === 0 ? 'whole fleet' : parts.join(', ');
}

/** Why it woke nobody; empty when it did. */
export function quietWhy(c: Pick<Campaign, 'pages' | 'baseline' | 'cold'>): string {
  if (c.pages) return '';
  if (c.baseline === null) return 'No baseline is armed, so it only informs';
  return c.cold ? 'This part of the fleet is too young for a baseline, so it only informs' : 'It only informs';
}

export interface CurveSummary { top: number; cases: number; expected: number; text: string }

export function summaryOf(curve: CampaignDetail['curve']): CurveSummary {
  const cases = curve.reduce((n, h) => n + h.cases, 0);
  const expected = curve.reduce((n, h) => n + h.expected, 0);
  const top = Math.max(1, ...curve.map((h) => Math.max(h.cases, Math.ceil(h.expected))));
  return { top, cases, expected, text: `${counted(cases, 'vehicle', 'vehicles')} began to report in ${counted(curve.length, 'hour', 'hours')} where ${formatExpected(expected)} are usual` };
}

/** Log odds as a plain word, for or against the verdict that was given. */
export function leaning(reason: CampaignDetail['reasons'][number], verdict: Campaign['verdict']): string {
  const own = verdict === 'attack_suspected' ? reason.attack : verdict === 'software_regression_suspected' ? reason.regression : reason.fault;
  const best = Math.max(reason.attack, reason.regression, reason.fault);
  return own >= best ? 'for' : 'against';
}
