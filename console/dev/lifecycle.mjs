// The life cycle as the daemon keeps it (DESIGN section 8), in small, for the development server.
export const STAGES = ['triage', 'contain', 'investigate', 'patch', 'recover', 'closed'];
const WORD = { triage: 'Triage', contain: 'Contain', investigate: 'Investigate', patch: 'Patch', recover: 'Recover', closed: 'Closed' };
const FORWARD = { contain: [[]], investigate: [['containment']], patch: [['root_cause', 'component', 'tara_scenario']], recover: [['fix_ref']] };
const CLOSE = ['recurrence_check', 'update_decision'];
const CLOSE_MALICIOUS = ['engineering_assessment', 'fix_ref', 'fleet_proof'];

const no = (to, kind, why) => ({ to, allowed: false, kind, why, needs: [] });
const yes = (to, kind, needs) => ({ to, allowed: true, kind, why: '', needs });

function closing(row) {
  if (row.disposition === null) return no('closed', 'close', 'An incident without a verdict cannot be closed. Set the verdict first.');
  if (row.disposition !== 'malicious') return yes('closed', 'close', row.stage === 'recover' ? [CLOSE] : [['reason']]);
  if (row.stage !== 'recover') return no('closed', 'close', `A malicious incident closes from Recover only; it is in ${WORD[row.stage]}.`);
  return yes('closed', 'close', [[...CLOSE_MALICIOUS, ...CLOSE], ['risk_acceptance', ...CLOSE]]);
}

export function moveOf(row, to) {
  const from = STAGES.indexOf(row.stage);
  const target = STAGES.indexOf(to);
  if (row.stage === 'closed') return to === 'triage' || to === 'investigate' ? yes(to, 'reopen', [['reason']]) : no(to, 'reopen', 'A closed incident reopens in Triage or in Investigate.');
  if (to === 'closed') return closing(row);
  if (target < from) return yes(to, 'back', [['reason']]);
  if (target > from + 1) return no(to, 'skip', `${WORD[to]} comes after ${WORD[STAGES[target - 1]]}; the incident is in ${WORD[row.stage]}.`);
  if (to === 'contain' && row.disposition === null) return no(to, 'forward', 'Contain needs a verdict. Set the verdict first.');
  return yes(to, 'forward', FORWARD[to]);
}

export const movesOf = (row) => STAGES.filter((s) => s !== row.stage).map((s) => moveOf(row, s));
