// Codes travel, words live here. One table per enumeration of schema/openapi.yaml; a code the daemon learned later than this
// console is shown as it is, never hidden.
import type { AlertState, ClockTrust, Disposition, Fact, Motion, Permission, Role, Severity, SlaClock, Stage } from '../gen/api';

export const severityWord: Record<Severity, string> = { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', info: 'Info' };
export const stageWord: Record<Stage, string> = {
  triage: 'Triage', contain: 'Contain', investigate: 'Investigate', patch: 'Patch', recover: 'Recover', closed: 'Closed',
};
export const dispositionWord: Record<Disposition, string> = {
  malicious: 'Malicious', research_or_test: 'Research or test', owner_modification: 'Owner modification',
  hardware_fault: 'Hardware fault', software_defect: 'Software defect', benign_anomaly: 'Benign anomaly',
};
export const dispositionHint: Record<Disposition, string> = {
  malicious: 'True positive: someone attacks, or has attacked.',
  research_or_test: 'Authorised pen-test, workshop work or a test vehicle.',
  owner_modification: 'The owner changed the vehicle: tuning, retrofit, dongle.',
  hardware_fault: 'Sensor, wiring, memory or supply voltage. Goes to quality.',
  software_defect: 'A bug of a release, for example after an update.',
  benign_anomaly: 'False positive: unusual, but harmless. A candidate for tuning the rule.',
};
export const motionWord: Record<Motion, string> = { moving: 'Moving', parked: 'Parked', unknown: 'Unknown' };
export const alertStateWord: Record<AlertState, string> = { open: 'Open', closed: 'Closed', retracted: 'Retracted' };
export const trustWord: Record<ClockTrust, string> = { trusted: 'trusted', repaired: 'clock repaired', distrusted: 'clock not trusted' };
export const clockWord: Record<SlaClock['name'], string> = {
  detect: 'Detect', acknowledge: 'Acknowledge', triage: 'Triage', contain: 'Contain', remediate: 'Remediate', close: 'Close',
};
export const roleWord: Record<Role, string> = {
  t1: 'Tier 1 analyst', t2: 'Tier 2 analyst', ti: 'Threat intelligence', irl: 'Incident response lead', eng: 'Vehicle engineering',
  mgr: 'VSOC manager', fusa: 'Functional safety', mgmt: 'Management', auditor: 'Auditor', admin: 'Administrator',
};
export const permissionWord: Record<Permission, string> = {
  'incident.read': 'read incidents', 'incident.act': 'take and judge incidents', 'incident.comment': 'comment', 'incident.move': 'move incidents',
  'incident.assess': 'write engineering assessments', 'incident.close': 'close incidents', 'incident.accept_risk': 'accept risks',
  'vehicle.read': 'read vehicles', 'vin.reveal': 'reveal a VIN', 'position.read': 'see exact positions', 'alert.read': 'read alerts',
  'audit.read': 'read the audit log', 'user.manage': 'manage users', 'silence.create': 'silence alerts', 'silence.manage': 'manage silences',
  'silence.approve': 'approve silences', 'vehicle.tag': 'tag vehicles',
};
export const factWord: Record<Fact, string> = {
  reason: 'Reason', containment: 'Containment', root_cause: 'Root cause', component: 'Component', tara_scenario: 'TARA scenario',
  fix_ref: 'Fix reference', engineering_assessment: 'Engineering assessment', fleet_proof: 'Fleet proof', recurrence_check: 'Recurrence check',
  update_decision: 'TARA or rule update', risk_acceptance: 'Signed risk acceptance',
};
export const factHint: Record<Fact, string> = {
  reason: 'Why this move, for whoever reads the record later.',
  containment: 'What was done to contain it, or why nothing is needed.',
  root_cause: 'What made it possible.',
  component: 'ECU and software component at fault, with version.',
  tara_scenario: 'Id of the threat scenario this belongs to, or "new".',
  fix_ref: 'OTA campaign, workshop order or change id that carries the fix.',
  engineering_assessment: 'Finding of vehicle engineering: what, where, how far.',
  fleet_proof: 'How it is known that the signature is gone from the fleet.',
  recurrence_check: 'How it was checked that it does not come back.',
  update_decision: 'Which TARA entry or rule is changed, or why none is.',
  risk_acceptance: 'Who accepted the risk, and the reference of the signed paper.',
};
export const stageEntry: Record<Stage, string> = {
  triage: 'Where every incident starts.',
  contain: 'Entered with a verdict.',
  investigate: 'Entered with a containment act, or a reason why none is needed.',
  patch: 'Entered with root cause, component and TARA scenario.',
  recover: 'Entered with a reference to the fix.',
  closed: 'Entered with a recurrence check and a decision on TARA or rule.',
};

export const wordOf = (table: Record<string, string>, code: string): string => table[code] ?? code;

const count = new Intl.NumberFormat('en');
export const formatCount = (n: number): string => count.format(n);

const plural = new Intl.PluralRules('en');
export const counted = (n: number, one: string, many: string): string => `${formatCount(n)} ${plural.select(n) === 'one' ? one : many}`;

export function formatShare(part: number, whole: number): string {
  if (whole === 0) return 'no data';
  const percent = (100 * part) / whole;
  // Never round a loss away: 99.996 % must not read as 100 %.
  if (part !== whole && percent > 99.99) return '> 99.99 %';
  if (part !== 0 && percent < 0.01) return '< 0.01 %';
  return `${percent.toFixed(percent >= 99 || percent < 1 ? 2 : 1)} %`;
}

export function formatBytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}
