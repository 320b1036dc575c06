// Made-up data for developing the console without a daemon: the same seed gives the same fleet. Shapes follow schema/openapi.yaml.
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function randomFrom(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const r = { next, below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
  r.hex = (digits) => Array.from({ length: digits }, () => '0123456789abcdef'[r.below(16)]).join('');
  return r;
}

const rules = [
  { id: 'secoc-key-compromise', title: 'SecOC failures on many vehicles of one model', severity: 'critical', type: 'secoc.verification_failed', signature: 'SecOC_fail|EngTorque|0xDEAD', ecu: 'GW', bus: 'can_pt', safety: 3, text: 'Fifty or more vehicles of one model fail message authentication within a day. Either the key is known to someone or a release carries the wrong one; the lift by software version tells them apart.' },
  { id: 'uds-security-access-bruteforce', title: 'Repeated invalid keys at SecurityAccess', severity: 'high', type: 'uds.negative_response', signature: 'UDS_nrc|0x27|0x35', ecu: 'TCU', bus: 'can_diag', safety: 2, text: 'More invalid keys than a workshop needs. ISO 14229-1 limits attempts and adds a delay; an attacker resets the ECU between them.' },
  { id: 'can-injection', title: 'CAN message injection on the powertrain bus', severity: 'critical', type: 'can.cycle_too_fast', signature: 'CAN_fast|0x1A0|', ecu: 'GW', bus: 'can_pt', safety: 3, text: 'A cyclic identifier arrives between its slots. Injected frames shorten the gap, the genuine sender keeps its own.' },
  { id: 'unexpected-tester-moving', title: 'Diagnostic tester connected while driving', severity: 'high', type: 'doip.unexpected_tester', signature: 'DoIP_tester|0x0E80|', ecu: 'GW', bus: 'eth_diag', safety: 2, text: 'Routing activation by an address that is no workshop tester, with speed above zero.' },
  { id: 'ota-failure-rate', title: 'OTA update fails more often than usual', severity: 'medium', type: 'ota.failed', signature: 'OTA_fail|IVI|flash_write', ecu: 'IVI', bus: null, safety: 0, text: 'The failure rate of one campaign is above its cohort. Most often a defect of the release.' },
  { id: 'boot-verification', title: 'Secure boot verification failed', severity: 'critical', type: 'boot.verification_failed', signature: 'Boot_fail|ADAS|', ecu: 'ADAS', bus: null, safety: 3, text: 'The boot chain found software that nobody signed.' },
  { id: 'arp-spoof', title: 'ARP binding changed on the vehicle Ethernet', severity: 'high', type: 'eth.arp_spoof', signature: 'ARP|10.0.3.1|', ecu: 'ETHSW', bus: 'eth_backbone', safety: 1, text: 'Two hardware addresses claim one address on the backbone.' },
  { id: 'host-unknown-process', title: 'Unknown program on the infotainment unit', severity: 'medium', type: 'host.process_anomaly', signature: 'Proc|/tmp/.x|', ecu: 'IVI', bus: null, safety: 0, text: 'A program that is not in the manifest started from a writable path.' },
  { id: 'signal-range', title: 'Signal outside its specified range', severity: 'low', type: 'can.signal_out_of_range', signature: 'CAN_range|WheelSpeedFL|', ecu: 'ESC', bus: 'can_ch', safety: 1, text: 'A wheel speed above what the wheel can do. A worn sensor ring does the same.' },
  { id: 'geo-velocity', title: 'Vehicle in two places', severity: 'high', type: 'vehicle.contact', signature: null, ecu: null, bus: null, safety: 0, text: 'Two trusted contacts too far apart for the time between them: a cloned identity, or a wrong clock.' },
  { id: 'bus-off', title: 'Controller went bus-off repeatedly', severity: 'medium', type: 'can.bus_off', signature: 'CAN_busoff|BMS|', ecu: 'BMS', bus: 'can_pt', safety: 2, text: 'Error frames drove a controller off its bus. Targeted attacks and a loose connector look alike; the error pattern differs.' },
  { id: 'log-cleared', title: 'Security log cleared', severity: 'high', type: 'log.cleared', signature: 'Log|GW|', ecu: 'GW', bus: null, safety: 0, text: 'The journal was emptied without a maintenance order.' },
];

const models = ['Aster 3', 'Aster 5', 'Boreal EV', 'Cargo L2'];
const regions = ['EU-C', 'EU-N', 'NA-W', 'JP'];
const releases = ['4.11.2', '4.12.0', '4.12.1', '4.13.0'];
const people = [
  { user: 'analyst', display: 'Ada Okafor', roles: ['t1', 't2'] }, { user: 'bruno', display: 'Bruno Keller', roles: ['t2'] }, { user: 'chen', display: 'Chen Wei', roles: ['irl'] },
  { user: 'dana', display: 'Dana Roth', roles: ['eng'] }, { user: 'auditor', display: 'Elif Demir', roles: ['auditor'] },
];

function eventFieldsOf(rule, r) {
  switch (rule.type) {
    case 'secoc.verification_failed': return { pdu: 'EngTorque', can_id: 0x1a0, data_id: 0x41, value: 0xdead, freshness: 88000 + r.below(900), reason: 'mac' };
    case 'uds.negative_response': return { service: 0x27, subfunction: 0x02, nrc: 0x35, client: 0x0e80, session: 0x03, speed: 0 };
    case 'can.cycle_too_fast': return { can_id: 0x1a0, extended: false, gap_us: 1800 + r.below(900), cycle_us: 10000, data: r.hex(16), detector: 'slot_residual', score: 3.41 };
    case 'doip.unexpected_tester': return { src_ip: '169.254.12.7', logical_address: 0x0e80, activation_type: 0, return_code: 0x10, speed: 14.2, reason: 'unknown_tester' };
    case 'can.signal_out_of_range': return { can_id: 0x0b4, signal: 'WheelSpeedFL', value: 0xffff, limit_min: 0, limit_max: 0x7530, data: r.hex(16), detector: 'spec_range', score: 1 };
    case 'vehicle.contact': return { lat: 48.1, lon: 11.6, speed: 0, ignition: false, odometer: 48210 };
    case 'ota.failed': return { campaign: 'OTA-2026-41', component: 'IVI', version: '4.13.0', version_before: '4.12.1', reason: 'flash_write' };
    case 'host.process_anomaly': return { process: '/tmp/.x', parent: '/usr/bin/mediad', pid: 2214, uid: 1003, hash_after: r.hex(64), reason: 'not_in_manifest' };
    default: return { reason: 'verification', detector: 'spec' };
  }
}

function makeVehicles(r, now, count) {
  return Array.from({ length: count }, (_, i) => {
    const last = now - Math.floor(r.next() ** 3 * 20 * DAY) - r.below(20 * MINUTE);
    const produced = 4000 + r.below(90_000);
    const missing = r.next() < 0.25 ? 1 + r.below(40) : 0;
    const merged = r.below(Math.floor(produced / 12));
    const dead = r.next() < 0.2 ? r.below(9) : 0;
    return {
      vid: r.hex(32), model: r.pick(models), hardware: `HW${2 + r.below(3)}.${r.below(4)}`, sw_version: r.pick(releases), region: r.pick(regions), first: now - 400 * DAY + r.below(100) * DAY, last,
      silent: now - last > 7 * DAY, ledger: { produced, stored: produced - missing - merged - dead, merged, dead_lettered: dead, missing }, motion: r.pick(['parked', 'parked', 'moving', 'unknown']), n: i,
      skew_ms: r.next() < 0.06 ? 41 * MINUTE : r.below(900) - 450, vin: `WVZ${r.hex(14).toUpperCase().replace(/[IOQ]/g, 'X')}`,
    };
  });
}

const severityPoints = { critical: 40, high: 28, medium: 16, low: 7, info: 2 };

function rankOf(rule, vehicles48) {
  const spread = Math.min(20, Math.round(6 * Math.log2(1 + vehicles48)));
  return [
    { term: 'severity', points: severityPoints[rule.severity], text: `the rule is ${rule.severity}` },
    { term: 'safety', points: 5 * rule.safety, text: `TARA safety impact S${rule.safety}` },
    { term: 'spread', points: spread, text: `${vehicles48} vehicles with this signature in 48 h` },
    { term: 'exposure', points: 6, text: 'the ECU is reachable from outside' },
    { term: 'confidence', points: 8, text: 'detector armed, clock trusted' },
  ];
}

function makeIncident(r, now, n, fleet) {
  const rule = n % 17 === 0 ? rules[0] : r.pick(rules);
  const spread = rule.id === 'secoc-key-compromise' ? 54 + r.below(40) : r.next() < 0.12 ? 20 + r.below(25) : 1 + r.below(4);
  const vehicles = rule.id === 'secoc-key-compromise' || r.next() < 0.2 ? Math.min(spread, 60) : 1;
  const members = Array.from({ length: vehicles }, () => r.pick(fleet));
  const opened = now - Math.floor(r.next() ** 2 * 20 * DAY) - r.below(HOUR);
  const closed = r.next() < 0.3;
  const started = !closed && r.next() < 0.35;
  const stage = closed ? 'closed' : started ? r.pick(['contain', 'investigate', 'patch', 'recover']) : 'triage';
  const disposition = closed ? r.pick(['benign_anomaly', 'hardware_fault', 'research_or_test', 'software_defect']) : started ? 'malicious' : null;
  const rank = rankOf(rule, spread);
  const due = opened + { critical: HOUR, high: 4 * HOUR, medium: DAY, low: 3 * DAY }[rule.severity] + r.below(DAY) * (started ? 5 : 1);
  const left = due - now;
  const first = members[0];
  return {
    rule, members, seq: n,
    row: {
      id: `INC-${1000 + n}`, version: 1, title: rule.title, severity: rule.severity, stage, disposition, assignee: closed || started ? r.pick(people.slice(0, 3)).user : null, rule: rule.id, rule_title: rule.title, signature: rule.signature,
      vid: vehicles === 1 ? first.vid : null, vehicles, vehicles_48h: spread, model: vehicles === 1 ? first.model : rule.id === 'secoc-key-compromise' ? 'Boreal EV' : null, ecu: rule.ecu, sw_version: vehicles === 1 ? first.sw_version : '4.12.0', bus: rule.bus,
      motion: vehicles === 1 ? first.motion : 'unknown', motion_time: vehicles === 1 && first.motion !== 'unknown' ? iso(first.last) : null, priority: Math.min(100, rank.reduce((s, t) => s + t.points, 0)), alerts: 1 + r.below(3), safety: rule.id === 'host-unknown-process' ? null : rule.safety,
      opened: iso(opened), updated: iso(opened), first: iso(opened - 20 * MINUTE), last: iso(Math.min(now, opened + r.below(6 * HOUR))), sla_due: closed ? null : iso(due), sla_state: closed ? 'met' : left < 0 ? 'breached' : left < HOUR ? 'due_soon' : 'running',
    },
    rank, facts: [], description: rule.text, entered: { triage: iso(opened) }, timeline: [],
  };
}

export const iso = (ms) => new Date(ms).toISOString();

function firstTimeline(inc, r) {
  const opened = Date.parse(inc.row.opened);
  const item = (ms, lane, kind, text, extra = {}) => ({ id: `t${r.hex(10)}`, time: iso(ms), lane, kind, who: null, text, detail: null, vid: null, ref: null, ...extra });
  const first = inc.members[0];
  inc.timeline.push(
    item(opened - 20 * MINUTE, 'event', 'event.first', `First event: ${inc.rule.type}`, { vid: first.vid }),
    item(opened - 11 * MINUTE, 'event', 'event', `${1 + r.below(40)} events of the same signature`, { vid: first.vid }),
    item(opened - 2000, 'detection', 'alert.opened', `Alert opened by ${inc.rule.id}`),
    item(opened, 'system', 'incident.opened', 'Incident opened'),
  );
  if (inc.row.stage !== 'triage') inc.timeline.push(item(opened + 30 * MINUTE, 'analyst', 'disposition.set', 'Verdict set', { who: inc.row.assignee, detail: 'Pattern and timing fit; workshop calendar is empty.' }));
  inc.timeline.reverse();
}

export function makeWorld({ seed = 7, incidents = 160, vehicles = 420, now = Date.now() } = {}) {
  const r = randomFrom(seed);
  const fleet = makeVehicles(r, now, vehicles);
  const list = Array.from({ length: incidents }, (_, n) => makeIncident(r, now, n, fleet));
  for (const inc of list) firstTimeline(inc, r);
  return { r, now, fleet, incidents: list, people, rules, seq: incidents, audit: 8120 };
}

/** Events of one vehicle, newest first. The same vehicle always has the same ones. */
export function eventsOf(world, vehicle, count = 900) {
  const r = randomFrom(0x51ed + vehicle.n);
  const events = [];
  let at = vehicle.last;
  let seq = vehicle.ledger.produced;
  for (let i = 0; i < count; i++) {
    const rule = r.pick(world.rules);
    at -= Math.floor(r.next() ** 4 * 6 * HOUR) + 400;
    seq -= i === 40 && vehicle.ledger.missing > 0 ? 4 : 1;
    if (seq < 1) break;
    const late = r.next() < 0.05 ? 3 * HOUR : 900;
    events.push({
      id: `${String(vehicle.n).padStart(6, '0')}.seg@${seq}`, vid: vehicle.vid, type: rule.type, priority: { critical: 'critical', high: 'medium', medium: 'medium', low: 'low' }[rule.severity], time: iso(at), time_trust: vehicle.skew_ms > 5 * MINUTE ? 'repaired' : 'trusted',
      received: iso(at + late), count: r.next() < 0.2 ? 2 + r.below(60) : 1, first: iso(at), last: iso(at + 1000), seq, epoch: 3, ecu: rule.ecu, bus: rule.bus, sensor: 'can_spec', signature: rule.signature, model: vehicle.model, sw_version: vehicle.sw_version, region: vehicle.region,
      fields: eventFieldsOf(rule, r),
    });
  }
  return events;
}
