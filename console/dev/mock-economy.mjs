// Silences, budgets, rules and tags of the development server. Silences are kept but hold nothing: the made-up alerts stay where they are.
import { iso } from './seed.mjs';

const MINUTE = 60_000;
const DAY = 86_400_000;
const CAUSES = { maintenance: 'Maintenance window', workshop: 'Vehicle in the workshop', test_fleet: 'Test fleet', research_or_test: 'Research or test', owner_modification: 'Modified by its owner', software_defect: 'Known software defect', hardware_fault: 'Known hardware fault', known_benign: 'Known benign behaviour' };
const POLICY = { days_max: 30, critical_hours_max: 24, junior_hours_max: 24, spread_factor: 3, causes: Object.entries(CAUSES).map(([cause, title]) => ({ cause, title })) };
const NARROW = /^(rule|vid|signature|tag|group\..+)$/;
const OWNERS = ['vehicle-network-security', 'telematics-security'];

const stateOf = (s) => (s.ended !== null ? 'ended' : s.needs_second && s.approved === null ? 'pending' : 'active');
const shown = (s) => ({ ...s, state: stateOf(s) });
const textFits = (m, text) => (m.op === 'glob' ? new RegExp(`^${m.value.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`).test(text ?? '') : m.value === text);

function split(body) {
  const matchers = (body.matchers ?? []).filter((m) => m.field !== 'severity');
  const named = (body.matchers ?? []).filter((m) => m.field === 'severity').map((m) => m.value);
  return { matchers, severities: named.length > 0 ? named : ['info', 'low', 'medium', 'high'] };
}

function refusalOf(body) {
  const { matchers, severities } = split(body);
  if (!CAUSES[body.cause]) return { code: 'range', field: 'cause', detail: 'not a known cause' };
  if (!matchers.some((m) => NARROW.test(m.field) && !(m.op === 'glob' && /^[*?]*$/.test(m.value)))) return { code: 'range', field: 'matchers', detail: 'too broad: name a rule, a group field, a signature, vehicles, or a tag of vehicles' };
  if (severities.includes('critical') && body.minutes > 24 * 60) return { code: 'range', field: 'expires', detail: 'what is critical or may hurt people is silenced for 24 hours at most, with a second person' };
  if ((body.reason ?? '').trim().length < 5) return { code: 'range', field: 'reason', detail: 'a silence needs a reason that the next shift understands' };
  return null;
}

function preview(world, body) {
  const { matchers, severities } = split(body);
  const fields = [...new Set(matchers.map((m) => m.field))];
  const meant = world.incidents.filter(({ row }) => fields.every((f) => matchers.some((m) => m.field === f && textFits(m, row[f]))));
  const held = meant.filter(({ row }) => severities.includes(row.severity));
  const rules = [...new Set(held.map((i) => i.row.rule))];
  return {
    from: iso(Date.now() - 7 * DAY), looked_at: world.incidents.length, alerts: held.length, open: held.length, graver: meant.length - held.length, vehicles: new Set(held.flatMap((i) => i.members)).size, incidents: held.length,
    malicious: held.filter((i) => i.row.disposition === 'malicious').length, in_queue: held.filter((i) => i.row.stage !== 'closed').length, complete: true,
    rules: rules.slice(0, 10).map((rule) => ({ rule, alerts: held.filter((i) => i.row.rule === rule).length })), samples: [],
  };
}

function make(world, user, body) {
  const { matchers, severities } = split(body);
  const s = {
    id: `SIL-${world.silences.length + 1}`, cause: body.cause, cause_title: CAUSES[body.cause], reason: body.reason, ticket: body.ticket ?? null, incident: body.incident ?? null, author: user, created: iso(Date.now()),
    starts: iso(Date.now()), expires: iso(Date.now() + body.minutes * MINUTE), matchers, severities, spread_factor: 3, vehicles_max: body.vehicles_max ?? 0, needs_second: severities.includes('critical'), approved_by: null, approved: null,
    ended: null, ended_by: null, ended_why: null, ended_reason: null, held: 0, held_ever: 0, through: 0, vehicles: 0,
  };
  world.silences.unshift(s);
  return shown(s);
}

function budgetRow(world, rule, i) {
  const today = Date.now() - (Date.now() % DAY);
  const days = Array.from({ length: 14 }, (_, d) => ({ day: iso(today - (13 - d) * DAY), queued: (i * 7 + d * 3) % 11, through: d % 4 === 0 ? 1 : 0, joined: 0, over: i === 0 && d > 10 ? 14 : 0, silenced: i === 1 ? 3 : 0 }));
  const { day, ...counts } = days.at(-1);
  return { name: rule.id, title: rule.title, owner: OWNERS[i % 2], per_day: i === 3 ? null : 10 + i, own_limit: i === 0, today: counts, days };
}

function ruleRow(rule, i) {
  return { rule: rule.id, title: rule.title, owner: OWNERS[i % 2], severity: rule.severity, safety: rule.safety, hunt_only: false, loaded: i !== 5, playbook: null, tara: [`TS-${i + 1}`], r155: [`${4 + (i % 20)}.1`], atm: ['T0070'], alerts_per_day: (i * 7) % 12 / 2, used_today: (i * 3) % 12, per_day: i === 3 ? null : 10 + i, version: i % 3 === 2 ? null : (String(i) + 'c0ffee').repeat(10).slice(0, 64), versions: i % 3 === 2 ? 0 : 1, last_alert: i % 3 === 2 ? null : iso(Date.now() - i * 3 * 3_600_000) };
}

export function economyTable(Failure, need, find, findVehicle) {
  const one = (world, id) => world.silences.find((s) => s.id === id) ?? (() => { throw new Failure('not_found', 'there is no such silence'); })();
  const tags = (world, vid) => ({ tags: world.tags.filter((t) => t.vid === findVehicle(world, vid).vid).map(({ vid: _, ...t }) => t) });
  return [
    ['GET', /^\/silences$/, (world, { query }) => {
      const wanted = (query.get('state') ?? '').split(',').filter(Boolean);
      const rows = world.silences.map(shown).filter((s) => wanted.length === 0 || wanted.includes(s.state));
      return { now: iso(Date.now()), total: { value: rows.length, relation: 'eq' }, rows, next: null, held: 0, policy: POLICY };
    }],
    ['POST', /^\/silences\/preview$/, (world, { body }) => ({ preview: preview(world, body), needs_second: split(body).severities.includes('critical'), expires: iso(Date.now() + body.minutes * MINUTE), refusal: refusalOf(body) })],
    ['POST', /^\/silences$/, (world, { session, body }) => {
      need(session, 'silence.create');
      const no = refusalOf(body);
      if (no) throw new Failure('range', no.detail, { field: no.field });
      return make(world, session.person.user, body);
    }],
    ['GET', /^\/silences\/([^/]+)$/, (world, { params: [id] }) => shown(one(world, id))],
    ['POST', /^\/silences\/([^/]+)\/revoke$/, (world, { session, params: [id], body }) => {
      const s = one(world, id);
      if (s.ended !== null) throw new Failure('refused', 'it has ended already');
      return shown(Object.assign(s, { ended: iso(Date.now()), ended_by: session.person.user, ended_why: 'revoked', ended_reason: body.reason, held: 0 }));
    }],
    ['POST', /^\/silences\/([^/]+)\/second$/, (world, { session, params: [id], body }) => {
      const s = one(world, id);
      if (s.author === session.person.user) throw new Failure('forbidden', 'a second person has to approve, not its author');
      return shown(Object.assign(s, body.approve ? { approved: iso(Date.now()), approved_by: session.person.user } : { ended: iso(Date.now()), ended_by: session.person.user, ended_why: 'refused', ended_reason: body.reason ?? null }));
    }],
    ['GET', /^\/incidents\/([^/]+)\/silence$/, (world, { params: [id] }) => {
      const { row } = find(world, id);
      const matchers = [{ field: 'rule', op: 'is', value: row.rule }, ...(row.vehicles === 1 && row.vid ? [{ field: 'vid', op: 'is', value: row.vid }] : row.model ? [{ field: 'model', op: 'is', value: row.model }] : [])];
      return { incident: row.id, cause: CAUSES[row.disposition] ? row.disposition : 'known_benign', reason: row.disposition ? `${row.id} was judged ${row.disposition}.` : '', attack: row.disposition === 'malicious', matchers };
    }],
    ['GET', /^\/budgets$/, (world) => {
      const today = Date.now() - (Date.now() % DAY);
      const rules = world.rules.map((r, i) => budgetRow(world, r, i));
      return { now: iso(Date.now()), today: iso(today), from: iso(today - 13 * DAY), rules, teams: OWNERS.map((name, i) => ({ ...rules[i], name, title: name, owner: name, per_day: 40 })) };
    }],
    ['GET', /^\/rules$/, (world) => ({ days: 7, rows: world.rules.map(ruleRow) })],
    ['GET', /^\/rules\/one$/, (world, { query }) => {
      const i = world.rules.findIndex((r) => r.id === query.get('rule'));
      if (i < 0) throw new Failure('not_found', 'no rule of this name runs or ever fired');
      const row = ruleRow(world.rules[i], i);
      return { row, rationale: world.rules[i].text, path: `content/rules/${row.rule}.yml`, versions: row.version ? [{ version: row.version, first: iso(Date.now() - 20 * DAY), text: `title: ${row.title}\nlogsource: {product: vehicle}\ndetection:\n    selection: {type: ${world.rules[i].type}}\n    condition: selection\n`, alerts: 4 }] : [] };
    }],
    ['GET', /^\/vehicles\/([^/]+)\/tags$/, (world, { params: [vid] }) => tags(world, vid)],
    ['POST', /^\/vehicles\/([^/]+)\/tags$/, (world, { session, params: [vid], body }) => {
      need(session, 'vehicle.tag');
      world.tags.push({ vid, tag: body.tag, reason: body.reason, who: session.person.user, since: iso(Date.now()), until: null });
      return tags(world, vid);
    }],
    ['POST', /^\/vehicles\/([^/]+)\/tags\/remove$/, (world, { session, params: [vid], body }) => {
      need(session, 'vehicle.tag');
      world.tags = world.tags.filter((t) => t.vid !== vid || t.tag !== body.tag);
      return tags(world, vid);
    }],
  ];
}
