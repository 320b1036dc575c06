// The answers of the development server, one function per operation of schema/openapi.yaml.
import { movesOf, moveOf, STAGES } from './lifecycle.mjs';
import { economyTable } from './mock-economy.mjs';
import { eventsOf, iso } from './seed.mjs';

const PASSWORD = 'demo';
const UNDO_MS = 15_000;
const STATUS = { malformed: 400, range: 400, auth: 401, forbidden: 403, not_found: 404, conflict: 409, refused: 422, unsupported: 501 };
const NEXT = { auth: 'log in', forbidden: 'ask someone with the role named', not_found: 'check the id', conflict: 'load it again and repeat the change', refused: 'see the reason given', range: 'use a value within the documented range' };
const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'];
const ALL = ['incident.read', 'incident.act', 'incident.comment', 'incident.move', 'incident.assess', 'incident.close', 'incident.accept_risk', 'vehicle.read', 'vin.reveal', 'alert.read', 'audit.read', 'silence.create', 'silence.manage', 'vehicle.tag'];
const READ = ['incident.read', 'vehicle.read', 'alert.read', 'audit.read'];

class Failure extends Error {
  constructor(code, detail, extra = {}) {
    super(detail);
    this.code = code;
    this.extra = extra;
  }
}

const permissionsOf = (person) => (person.roles.includes('auditor') ? READ : ALL);
const need = (session, permission) => {
  if (!permissionsOf(session.person).includes(permission)) throw new Failure('forbidden', `This needs the permission ${permission}.`, { needs_permission: permission, needs_role: ['t2', 'irl'] });
};

// ---- filters, order, pages

const listOf = (text) => (text.match(/-?"[^"]*"|[^,]+/g) ?? []).map((t) => ({ not: t.startsWith('-'), value: t.replace(/^-/, '').replace(/^"|"$/g, '') }));

function passes(text, value, me) {
  if (!text) return true;
  const names = value === null ? ['none'] : value === me ? [value, 'me'] : [value];
  const items = listOf(text);
  if (items.some((i) => i.not && names.includes(i.value))) return false;
  const wanted = items.filter((i) => !i.not);
  return wanted.length === 0 || wanted.some((i) => names.includes(i.value));
}

const UNIT = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
function timeOf(text) {
  const m = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
  if (m) return Date.now() - (m[1] ? Number(m[1]) * UNIT[m[2]] : 0);
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Failure('range', `"${text}" is no time.`, { field: 'from' });
  return ms;
}

function matching(world, query, me, except) {
  const words = (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const from = query.get('from') ? timeOf(query.get('from')) : -Infinity;
  const to = query.get('to') ? timeOf(query.get('to')) : Infinity;
  return world.incidents.filter(({ row, members }) => {
    const facet = (name, value) => name === except || passes(query.get(name), value, me);
    if (!facet('severity', row.severity) || !facet('stage', row.stage) || !facet('disposition', row.disposition) || !facet('assignee', row.assignee) || !facet('rule', row.rule) || !facet('model', row.model)) return false;
    if (query.get('signature') && row.signature !== query.get('signature')) return false;
    if (query.get('vid') && !members.some((v) => v.vid === query.get('vid'))) return false;
    const last = Date.parse(row.last);
    if (last < from || last >= to) return false;
    const text = `${row.id} ${row.title} ${row.signature} ${row.rule} ${row.model} ${row.ecu} ${row.vid}`.toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

const KEYS = { priority: (r) => r.priority, severity: (r) => SEVERITIES.indexOf(r.severity), opened: (r) => r.opened, updated: (r) => r.updated, vehicles: (r) => r.vehicles_48h, sla: (r) => r.sla_due ?? '9', id: (r) => Number(r.id.slice(4)) };

function ordered(list, sort) {
  const key = KEYS[sort.replace(/^-/, '')];
  if (!key) throw new Failure('range', `The list cannot be sorted by "${sort}".`, { field: 'sort' });
  const sign = sort.startsWith('-') ? -1 : 1;
  return [...list].sort((a, b) => { const x = key(a.row), y = key(b.row); return x < y ? -sign : x > y ? sign : a.seq - b.seq; });
}

function pageOf(list, query, map) {
  const start = Number(query.get('cursor') ?? 0);
  const limit = Math.min(200, Number(query.get('limit') ?? 200));
  return { total: { value: list.length, relation: 'eq' }, rows: list.slice(start, start + limit).map(map), next: start + limit < list.length ? String(start + limit) : null };
}

// ---- incidents

function find(world, id) {
  const inc = world.incidents.find((i) => i.row.id === id);
  if (!inc) throw new Failure('not_found', `There is no incident ${id}.`);
  return inc;
}

const vehicleLine = (inc) => (v) => ({ vid: v.vid, model: v.model, hardware: v.hardware, sw_version: v.sw_version, region: v.region, events: 3 + (v.n % 40), first: inc.row.first, last: inc.row.last, motion: v.motion });

function alertsOf(inc) {
  return Array.from({ length: inc.row.alerts }, (_, i) => ({
    id: `${inc.rule.id.length.toString(16)}${String(inc.seq * 10 + i).padStart(31, '0')}`, rule: inc.rule.id, title: inc.rule.title, severity: inc.row.severity, group: inc.row.signature ? { signature: inc.row.signature } : { vin: inc.members[0].vid }, first: inc.row.first, last: inc.row.last,
    count: 40 + inc.seq, peak: inc.row.vehicles_48h, vehicles: inc.row.vehicles, state: inc.row.stage === 'closed' ? 'closed' : 'open', late: i === 1, supersedes: [], incident: inc.row.id, silence: null,
  }));
}

function detail(world, inc) {
  const at = STAGES.indexOf(inc.row.stage);
  const unique = [...new Map(inc.members.map((v) => [v.vid, v])).values()];
  return {
    row: inc.row, description: inc.description, facts: inc.facts, rank: inc.rank,
    lifecycle: { stage: inc.row.stage, stages: STAGES.map((s, i) => ({ stage: s, entered: inc.entered[s] ?? (i <= at ? inc.row.opened : null), seconds: i <= at ? 1800 * (i + 1) : 0 })), moves: movesOf(inc.row) },
    dispositions: { allowed: ['malicious', 'research_or_test', 'owner_modification', 'hardware_fault', 'software_defect', 'benign_anomaly'], why: '' },
    clocks: [
      { name: 'acknowledge', basis: 'policy', started: inc.row.opened, due: inc.row.sla_due, stopped: inc.row.assignee ? inc.row.opened : null, state: inc.row.assignee ? 'met' : inc.row.sla_state },
      { name: 'triage', basis: 'policy', started: inc.row.opened, due: inc.row.sla_due, stopped: null, state: inc.row.sla_state },
      { name: 'remediate', basis: 'standard', started: inc.row.opened, due: iso(Date.parse(inc.row.opened) + 30 * UNIT.d), stopped: null, state: 'running' },
    ],
    timeline: inc.timeline, timeline_total: inc.timeline.length, alerts: alertsOf(inc), vehicles: unique.slice(0, 50).map(vehicleLine(inc)), vehicles_total: unique.length,
    similar: world.incidents.filter((o) => o !== inc && o.rule === inc.rule).slice(0, 5).map((o) => ({ id: o.row.id, title: o.row.title, severity: o.row.severity, stage: o.row.stage, disposition: o.row.disposition, vehicles: o.row.vehicles, last: o.row.last, because: 'signature' })),
    shared: inc.row.vehicles < 2 ? [] : [{ attribute: 'software', value: '4.12.0', affected: Math.round(unique.length * 0.94), affected_total: unique.length, fleet: 46, fleet_total: 420 }, { attribute: 'region', value: 'EU-C', affected: Math.round(unique.length * 0.3), affected_total: unique.length, fleet: 110, fleet_total: 420 }],
    evidence: inc.members.slice(0, 4).map((v, i) => ({ id: `E${inc.seq}-${i}`, kind: 'batch', text: `Signed batch of ${v.vid.slice(0, 10)}`, sha256: `${v.vid}${v.vid}`, size: 5321 + 71 * i, stored: inc.row.opened, position: `${String(inc.seq).padStart(12, '0')}.seg@${1184 * (i + 1)}`, verified: i === 3 ? null : true })),
    ecus: inc.row.ecu ? [inc.row.ecu] : [], buses: inc.row.bus ? [inc.row.bus] : [], sw_versions: inc.row.sw_version ? [inc.row.sw_version] : [],
  };
}

const ecusOf = (v) => [
  { ecu: 'GW', hardware: 'G2-114', sw_built: '4.10.0', sw_now: v.sw_version, since: iso(Date.now() - 40 * UNIT.d), fleet_share: 0.11 },
  { ecu: 'TCU', hardware: 'T1-090', sw_built: '2.3.1', sw_now: '2.3.1', since: iso(v.first), fleet_share: 0.87 },
  { ecu: 'IVI', hardware: 'I5-301', sw_built: '7.0.4', sw_now: '7.2.0', since: iso(Date.now() - 90 * UNIT.d), fleet_share: 0.64 },
  { ecu: 'BMS', hardware: 'B1-012', sw_built: '1.9.0', sw_now: '1.9.0', since: iso(v.first), fleet_share: null },
];

function contextOf(inc) {
  const ok = (rows) => ({ state: 'ok', why: '', rows });
  return {
    configuration: ok(ecusOf(inc.members[0])),
    baseline: ok([{ type: inc.rule.type, now: 41, low: 0, high: 3, days: 90, unit: '/ day' }, { type: 'uds.session_changed', now: 2, low: 0, high: 4, days: 90, unit: '/ day' }, { type: 'can.bus_load', now: 61, low: 38, high: 64, days: 90, unit: '%' }]),
    sbom: inc.row.ecu ? ok([{ ecu: inc.row.ecu, component: 'openssl', version: '3.0.9', cve: 'CVE-2023-5678', vex: 'affected', cvss: 5.3, fixed_in: '3.0.13' }, { ecu: inc.row.ecu, component: 'lwip', version: '2.1.2', cve: 'CVE-2020-22283', vex: 'not_affected', cvss: 7.5, fixed_in: null }, { ecu: inc.row.ecu, component: 'zlib', version: '1.3.1', cve: null, vex: null, cvss: null, fixed_in: null }]) : { state: 'empty', why: 'The incident names no ECU, so no component list belongs to it.', rows: [] },
    tara: inc.rule.safety > 0 ? ok([{ id: 'TS-041', title: 'Spoofed torque request on the powertrain bus', safety: inc.rule.safety, financial: 2, operational: 3, privacy: 0, feasibility: 'medium', risk: 4, mitigations: ['SecOC on EngTorque', 'plausibility check in the inverter'], r155: ['5.1', '20.3'] }]) : { state: 'not_configured', why: 'Import the TARA of this model line with vsoc import tara FILE.', rows: [] },
  };
}

function log(world, inc, session, lane, kind, text, extra = null) {
  world.seq++;
  inc.timeline = [{ id: `t${world.seq}x${inc.timeline.length}`, time: iso(Date.now()), lane, kind, who: session.person.user, text, detail: extra, vid: null, ref: null }, ...inc.timeline];
}

function act(world, session, inc, version, change, undoable = true) {
  if (version !== undefined && version !== inc.row.version) throw new Failure('conflict', `${inc.row.id} was changed by someone else meanwhile.`, { version: inc.row.version });
  const before = { row: inc.row, facts: inc.facts, entered: inc.entered };
  inc.row = { ...inc.row, version: inc.row.version + 1, updated: iso(Date.now()) };
  inc.entered = { ...inc.entered };
  change(inc);
  world.tell(inc.row.id, inc.row.version);
  if (!undoable) return null;
  const token = `u${world.seq}${Math.random().toString(16).slice(2)}`;
  world.undo.set(token, { user: session.person.user, until: Date.now() + UNDO_MS, items: [{ inc, before, version: inc.row.version }] });
  return { token, until: iso(Date.now() + UNDO_MS) };
}

function assignTo(world, session, inc, body) {
  const user = body.assignee === 'me' ? session.person.user : body.assignee;
  return act(world, session, inc, body.version, () => { inc.row.assignee = user; log(world, inc, session, 'analyst', 'assigned', user === null ? 'Unassigned' : `Assigned to ${user}`); });
}

function judge(world, session, inc, body) {
  return act(world, session, inc, body.version, () => { inc.row.disposition = body.disposition; log(world, inc, session, 'analyst', 'disposition.set', `Verdict: ${body.disposition.replace(/_/g, ' ')}`, body.reason || null); });
}

function move(world, session, inc, body) {
  const m = moveOf(inc.row, body.to);
  if (!STAGES.includes(body.to) || body.to === inc.row.stage) throw new Failure('refused', `${inc.row.id} is in ${inc.row.stage} already.`);
  if (!m.allowed) throw new Failure('refused', m.why);
  const known = new Set(inc.facts.map((f) => f.fact));
  const lacks = m.needs.map((alternative) => alternative.filter((f) => !body[f] && (f === 'reason' || !known.has(f))));
  const least = lacks.sort((a, b) => a.length - b.length)[0] ?? [];
  if (least.length > 0) throw new Failure('refused', `The move needs: ${least.join(', ')}.`, { missing: least });
  return act(world, session, inc, body.version, () => {
    const given = Object.entries(body).filter(([k, v]) => v && !['to', 'version', 'reason'].includes(k));
    inc.facts = [...inc.facts.filter((f) => !given.some(([k]) => k === f.fact)), ...given.map(([fact, text]) => ({ fact, text, by: session.person.user, at: iso(Date.now()) }))];
    inc.row.stage = body.to;
    inc.entered[body.to] = iso(Date.now());
    if (body.to === 'closed') { inc.row.sla_state = 'met'; inc.row.sla_due = null; }
    log(world, inc, session, 'analyst', 'stage.moved', `Moved to ${body.to}`, body.reason || given.map(([k, v]) => `${k}: ${v}`).join('\n') || null);
  });
}

function undo(world, session, token) {
  const entry = world.undo.get(token);
  if (!entry || entry.user !== session.person.user) throw new Failure('not_found', 'There is no such act to undo.');
  if (Date.now() > entry.until) throw new Failure('refused', 'The time to undo is over.');
  if (entry.items.some((i) => i.inc.row.version !== i.version)) throw new Failure('refused', 'The incident was changed since.');
  world.undo.delete(token);
  return entry.items.map(({ inc, before }) => {
    const version = inc.row.version + 1;
    Object.assign(inc, before);
    inc.row = { ...before.row, version };
    log(world, inc, session, 'analyst', 'undo', 'Last act undone');
    world.tell(inc.row.id, version);
    return inc.row;
  });
}

function bulk(world, session, body) {
  const tokens = [];
  const results = body.items.map(({ id, version }) => {
    try {
      const inc = find(world, id);
      const token = body.op === 'assign' ? assignTo(world, session, inc, { ...body, version }) : body.op === 'disposition' ? judge(world, session, inc, { ...body, version }) : act(world, session, inc, undefined, () => log(world, inc, session, 'comment', 'comment', 'Comment', body.text));
      tokens.push(token.token);
      return { id, code: 'ok', detail: '', row: inc.row };
    } catch (error) {
      return { id, code: error.code, detail: error.message, row: world.incidents.find((i) => i.row.id === id)?.row ?? null };
    }
  });
  const token = `b${world.seq}`;
  world.undo.set(token, { user: session.person.user, until: Date.now() + UNDO_MS, items: tokens.flatMap((t) => world.undo.get(t).items) });
  return { results, undo: { token, until: iso(Date.now() + UNDO_MS) } };
}

function facets(world, query, me) {
  const label = (name, value) => (name === 'rule' ? world.rules.find((r) => r.id === value)?.title ?? null : name === 'assignee' ? world.people.find((p) => p.user === value)?.display ?? null : null);
  return ['severity', 'stage', 'disposition', 'assignee', 'rule', 'model'].map((name) => {
    const counts = new Map();
    for (const { row } of matching(world, query, me, name)) counts.set(row[name] ?? 'none', (counts.get(row[name] ?? 'none') ?? 0) + 1);
    const values = [...counts].map(([value, count]) => ({ value, label: label(name, value), count })).sort((a, b) => b.count - a.count);
    return { name, values: values.slice(0, 50), other: values.slice(50).reduce((s, v) => s + v.count, 0) };
  });
}

// ---- vehicles

function findVehicle(world, vid) {
  const v = world.fleet.find((x) => x.vid === vid);
  if (!v) throw new Failure('not_found', `There is no vehicle ${vid}.`);
  return v;
}

function vehicleDetail(world, v) {
  const incidents = world.incidents.filter((i) => i.members.includes(v));
  const counts = new Map();
  for (const e of eventsOf(world, v)) counts.set(e.type, (counts.get(e.type) ?? 0) + e.count);
  return {
    vid: v.vid, vin_known: true, model: v.model, hardware: v.hardware, sw_version: v.sw_version, sw_since: iso(v.last - 40 * UNIT.d), region: v.region, first_contact: iso(v.first), last_contact: iso(v.last), silent: v.silent, silent_after_s: 604800, motion: v.motion, motion_time: v.motion === 'unknown' ? null : iso(v.last),
    skew_ms: v.skew_ms, tz: v.region === 'JP' ? 'Asia/Tokyo' : v.region === 'NA-W' ? 'America/Los_Angeles' : 'Europe/Berlin', as_of: iso(Date.now()),
    ledger: { ...v.ledger, epochs: 3, gaps: v.ledger.missing > 0 ? [{ epoch: 3, seq_first: v.ledger.produced - 44, seq_last: v.ledger.produced - 42, noticed: iso(v.last - UNIT.h), reason: null }, { epoch: 2, seq_first: 118, seq_last: 118, noticed: iso(v.last - 60 * UNIT.d), reason: 'rate_limit' }] : [] },
    software: [{ sw_version: v.sw_version, from: iso(v.last - 40 * UNIT.d), to: null, source: 'ota' }, { sw_version: '4.10.0', from: iso(v.first), to: iso(v.last - 40 * UNIT.d), source: 'import' }],
    ecus: ecusOf(v), alerts: incidents.flatMap(alertsOf), alerts_total: incidents.reduce((n, i) => n + i.row.alerts, 0), incidents: incidents.map((i) => i.row), incidents_total: incidents.length,
    events_by_type: [...counts].map(([type, count]) => ({ type, count })).sort((a, b) => b.count - a.count),
  };
}

function vehicleEvents(world, v, query) {
  const from = query.get('from') ? timeOf(query.get('from')) : -Infinity;
  const to = query.get('to') ? timeOf(query.get('to')) : Infinity;
  const types = (query.get('type') ?? '').split(',').filter(Boolean);
  const list = eventsOf(world, v).filter((e) => { const t = Date.parse(e.time); return t >= from && t < to && (types.length === 0 || types.some((x) => e.type === x || e.type.startsWith(`${x}.`))); });
  const page = pageOf(list, query, (e) => e);
  return { ...page, gaps: v.ledger.missing > 0 && !query.get('cursor') ? [{ epoch: 3, seq_first: v.ledger.produced - 44, seq_last: v.ledger.produced - 42, noticed: iso(v.last), reason: null }] : [] };
}

function activity(world, v, query) {
  const from = timeOf(query.get('from') ?? 'now-7d');
  const to = query.get('to') ? timeOf(query.get('to')) : Date.now();
  const n = Number(query.get('buckets') ?? 96);
  const size = (to - from) / n;
  const buckets = Array.from({ length: n }, (_, i) => ({ time: iso(from + i * size), critical: 0, medium: 0, low: 0, gap: from + i * size > v.last || (i > n * 0.3 && i < n * 0.38) }));
  for (const e of eventsOf(world, v)) {
    const i = Math.floor((Date.parse(e.time) - from) / size);
    if (buckets[i] && !buckets[i].gap) buckets[i][e.priority] += e.count;
  }
  return { from: iso(from), to: iso(to), bucket_s: Math.max(1, Math.round(size / 1000)), buckets };
}

const vehicleRow = (world) => (v) => ({ vid: v.vid, model: v.model, hardware: v.hardware, sw_version: v.sw_version, region: v.region, first_contact: iso(v.first), last_contact: iso(v.last), silent: v.silent, incidents_open: world.incidents.filter((i) => i.row.stage !== 'closed' && i.members.includes(v)).length });

function search(world, q) {
  const text = q.toLowerCase();
  const hits = world.incidents.filter((i) => i.row.id.toLowerCase().startsWith(text) || i.row.title.toLowerCase().includes(text)).slice(0, 6).map((i) => ({ kind: 'incident', id: i.row.id, title: i.row.id, detail: i.row.title }));
  for (const v of world.fleet.filter((x) => x.vid.startsWith(text)).slice(0, 5)) hits.push({ kind: 'vehicle', id: v.vid, title: v.vid.slice(0, 12), detail: `${v.model}, ${v.sw_version}` });
  for (const r of world.rules) {
    if (r.id.includes(text)) hits.push({ kind: 'rule', id: r.id, title: r.id, detail: r.title });
    if (r.signature?.toLowerCase().includes(text)) hits.push({ kind: 'signature', id: r.signature, title: r.signature, detail: r.title });
  }
  return hits.slice(0, 20);
}

function alertDetail(world, id) {
  const inc = world.incidents.find((i) => alertsOf(i).some((a) => a.id === id));
  if (!inc) throw new Failure('not_found', `There is no alert ${id}.`);
  const alert = alertsOf(inc).find((a) => a.id === id);
  const members = eventsOf(world, inc.members[0], 60).filter((e) => e.type === inc.rule.type);
  return { alert, revisions: [{ revision: 1, time: inc.row.opened, state: 'open', count: alert.count, vehicles: alert.vehicles, why: 'opened' }], members, members_total: members.length };
}

const auditEntry = (world) => ({ seq: world.audit, time: iso(world.now), who: 'analyst', act: 'login', object: 'analyst', before: null, after: null, reason: null, source: '127.0.0.1', hash: '0'.repeat(64) });

function ledgerOf(world) {
  const sum = (key) => world.fleet.reduce((n, v) => n + v.ledger[key], 0);
  return { produced: sum('produced'), stored: sum('stored'), merged: sum('merged'), dead_lettered: sum('dead_lettered'), missing: sum('missing'), vehicles: world.fleet.length, vehicles_with_gaps: world.fleet.filter((v) => v.ledger.missing > 0).length, silent_vehicles: world.fleet.filter((v) => v.silent).length, as_of: iso(Date.now()) };
}

function stats(world) {
  const silent = world.fleet.filter((v) => v.silent).length;
  return {
    as_of: iso(Date.now()), funnel: { events: 1_904_220, alerts: 312, incidents: world.incidents.length, incidents_open: world.incidents.filter((i) => i.row.stage !== 'closed').length, vehicles_enrolled: world.fleet.length, vehicles_reporting_24h: world.fleet.length - silent, silenced: 0, over_budget: 0 },
    health: { ingest_lag_ms: 340, detect_lag_ms: 120, silent_vehicles: silent, dead_lettered_24h: 14, missing: 221, rules_loaded: 31, rules_failed: 0, blind_spots: [{ code: 'silent_vehicles', text: `${silent} vehicles silent for more than 7 days`, since: null, link: '/vehicles' }, { code: 'dead_letters', text: '14 records in 24 h could not be decoded', since: null, link: null }] },
  };
}

// ---- the table of operations

const meOf = (session) => ({ user: session.person.user, display: session.person.display, roles: session.person.roles, permissions: permissionsOf(session.person), csrf_token: session.csrf, expires: iso(Date.now() + 8 * UNIT.h) });

function login(world, { body }) {
  const person = world.people.find((p) => p.user === body.user);
  if (!person || body.password !== PASSWORD) throw new Failure('auth', 'User or password is wrong.', { next: 'Check both and try again. After several failures the account rests for a minute.' });
  const id = `s${Math.random().toString(16).slice(2)}`;
  const session = { id, person, csrf: `c${Math.random().toString(16).slice(2)}` };
  world.sessions.set(id, session);
  return { status: 200, body: meOf(session), headers: { 'Set-Cookie': `vsoc_session=${id}; HttpOnly; SameSite=Strict; Path=/` } };
}

const withRow = (permission, change) => (world, { session, params: [id], body }) => {
  need(session, permission);
  const inc = find(world, id);
  const undoToken = change(world, session, inc, body);
  return { row: inc.row, undo: undoToken };
};

const table = [
  ['POST', /^\/logout$/, (world, { session }) => { world.sessions.delete(session.id); return { status: 204, headers: { 'Set-Cookie': 'vsoc_session=; Max-Age=0; Path=/' } }; }],
  ['GET', /^\/me$/, (_, { session }) => meOf(session)],
  ['GET', /^\/users$/, (world) => ({ users: world.people })],
  ['GET', /^\/incidents$/, (world, { query, session }) => {
    const asOf = Number(query.get('as_of') ?? world.seq);
    const list = ordered(matching(world, query, session.person.user).filter((i) => i.seq <= asOf), query.get('sort') ?? '-priority');
    return { as_of: asOf, as_of_time: iso(Date.now()), ...pageOf(list, query, (i) => i.row) };
  }],
  ['GET', /^\/incidents\/news$/, (world, { query, session }) => ({ since: Number(query.get('since')), as_of: world.seq, count: matching(world, query, session.person.user).filter((i) => i.seq > Number(query.get('since'))).length })],
  ['GET', /^\/incidents\/facets$/, (world, { query, session }) => ({ as_of: world.seq, facets: facets(world, query, session.person.user) })],
  ['POST', /^\/incidents\/bulk$/, (world, { session, body }) => { need(session, 'incident.act'); return bulk(world, session, body); }],
  ['GET', /^\/incidents\/([^/]+)$/, (world, { params: [id] }) => detail(world, find(world, id))],
  ['GET', /^\/incidents\/([^/]+)\/context$/, (world, { params: [id] }) => contextOf(find(world, id))],
  ['GET', /^\/incidents\/([^/]+)\/events$/, (world, { params: [id], query }) => { const inc = find(world, id); return { ...pageOf(eventsOf(world, inc.members[0], 240).filter((e) => e.type === inc.rule.type), query, (e) => e), gaps: [] }; }],
  ['GET', /^\/incidents\/([^/]+)\/vehicles$/, (world, { params: [id], query }) => { const inc = find(world, id); return pageOf([...new Set(inc.members)], query, vehicleLine(inc)); }],
  ['POST', /^\/incidents\/([^/]+)\/stage$/, withRow('incident.move', move)],
  ['POST', /^\/incidents\/([^/]+)\/disposition$/, withRow('incident.act', judge)],
  ['POST', /^\/incidents\/([^/]+)\/assign$/, withRow('incident.act', assignTo)],
  ['POST', /^\/incidents\/([^/]+)\/comments$/, withRow('incident.comment', (world, session, inc, body) => act(world, session, inc, undefined, () => log(world, inc, session, 'comment', 'comment', 'Comment', body.text), false))],
  ['POST', /^\/undo$/, (world, { session, body }) => ({ rows: undo(world, session, body.token) })],
  ['GET', /^\/vehicles$/, (world, { query }) => {
    const words = (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const list = world.fleet.filter((v) => words.every((w) => `${v.vid} ${v.model} ${v.sw_version} ${v.region} ${v.hardware}`.toLowerCase().includes(w))).sort((a, b) => b.last - a.last);
    return pageOf(list, query, vehicleRow(world));
  }],
  ['GET', /^\/vehicles\/([^/]+)$/, (world, { params: [vid] }) => vehicleDetail(world, findVehicle(world, vid))],
  ['GET', /^\/vehicles\/([^/]+)\/events$/, (world, { params: [vid], query }) => vehicleEvents(world, findVehicle(world, vid), query)],
  ['GET', /^\/vehicles\/([^/]+)\/activity$/, (world, { params: [vid], query }) => activity(world, findVehicle(world, vid), query)],
  ['POST', /^\/vehicles\/([^/]+)\/reveal$/, (world, { session, params: [vid], body }) => {
    need(session, 'vin.reveal');
    if ((body.purpose ?? '').length < 10) throw new Failure('range', 'The purpose needs at least 10 characters.', { field: 'purpose' });
    return { vid, vin: findVehicle(world, vid).vin, audit_seq: ++world.audit, hide_after_s: 60 };
  }],
  ['GET', /^\/alerts$/, (world, { query }) => pageOf(world.incidents.flatMap(alertsOf), query, (a) => a)],
  ['GET', /^\/alerts\/([^/]+)$/, (world, { params: [id] }) => alertDetail(world, id)],
  ['GET', /^\/audit$/, (world, { session, query }) => { need(session, 'audit.read'); return pageOf([auditEntry(world)], query, (e) => e); }],
  ['GET', /^\/audit\/verify$/, (world, { session }) => { need(session, 'audit.read'); return { ok: true, verified_to: world.audit, entries: world.audit, head_hash: '0'.repeat(64), first_bad: null, checked: iso(Date.now()) }; }],
  ['GET', /^\/ledger$/, (world) => ledgerOf(world)],
  ['GET', /^\/stats$/, (world) => stats(world)],
  ...economyTable(Failure, need, (world, id) => find(world, id), (world, vid) => findVehicle(world, vid)),
  ['GET', /^\/search$/, (world, { query }) => ({ hits: search(world, query.get('q') ?? '') })],
];

function problem(error, requestId) {
  const code = error instanceof Failure ? error.code : 'malformed';
  if (!(error instanceof Failure)) console.error(error);
  const body = { type: 'about:blank', title: { auth: 'not authenticated', refused: 'the move is not allowed in this state', conflict: 'changed by someone else meanwhile', not_found: 'not found', forbidden: 'not allowed for this role' }[code] ?? code, status: STATUS[code] ?? 500, code, detail: error.message, next: NEXT[code] ?? '', request_id: requestId, ...(error.extra ?? {}) };
  return { status: body.status, body };
}

export function answer(world, request) {
  try {
    if (request.path === '/healthz') return { status: 200, body: { ok: true, version: 'mock' } };
    if (request.path === '/login') return login(world, request);
    if (!request.session) throw new Failure('auth', 'There is no session.');
    if (request.method !== 'GET' && request.csrf !== request.session.csrf) throw new Failure('forbidden', 'The CSRF token is missing or wrong.');
    if (request.body === null) throw new Failure('malformed', 'The body is no JSON.');
    for (const [method, pattern, run] of table) {
      const match = pattern.exec(request.path);
      if (!match || method !== request.method) continue;
      const result = run(world, { ...request, params: match.slice(1).map(decodeURIComponent) });
      return result?.status ? result : { status: 200, body: result };
    }
    throw new Failure('not_found', `There is no ${request.method} ${request.path}.`);
  } catch (error) {
    return problem(error, request.requestId);
  }
}
