// Every GET operation of schema/openapi.yaml is asked once, and its answer is held against its schema: types, required fields, codes, times. The same for
// the errors. A field that the schema does not name is a finding too, because the console could come to rely on it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PASSWORD, USER } from './browser.mjs';

const base = `${process.env.VSOC_URL}/api/v1`;
const document = parse(readFileSync(new URL('../../../schema/openapi.yaml', import.meta.url), 'utf8'));
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/;
const FINDINGS_MAX = 12;

const resolve = (schema) => (schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema);
const kindOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value);

/** All that is wrong with `value`, as lines of "path: what". */
export function findings(schema, value, path = '$') {
  const s = resolve(schema);
  if (s.oneOf) return s.oneOf.some((o) => findings(o, value, path).length === 0) ? [] : [`${path}: ${JSON.stringify(value)} fits none of its alternatives`];
  if (s.enum) return s.enum.includes(value) ? [] : [`${path}: ${JSON.stringify(value)} is no known code`];
  const merged = [...(s.allOf ?? []).map(resolve), s];
  const properties = Object.assign({}, ...merged.map((m) => m.properties ?? {}));
  const types = [s.type].flat().filter(Boolean);
  const kind = kindOf(value);
  if (types.length > 0 && !types.includes(kind) && !(kind === 'integer' && types.includes('number'))) return [`${path}: is ${kind}, not ${types.join(' or ')}`];
  if (kind === 'array') return value.flatMap((v, i) => findings(s.items, v, `${path}[${i}]`));
  if (kind === 'string' && s.format === 'date-time' && !TIME.test(value)) return [`${path}: ${value} is no RFC 3339 UTC time with fractions`];
  if (kind !== 'object') return [];
  if (s.additionalProperties) return Object.entries(value).flatMap(([k, v]) => findings(s.additionalProperties, v, `${path}.${k}`));
  const missing = merged.flatMap((m) => m.required ?? []).filter((name) => !(name in value)).map((name) => `${path}.${name}: is missing`);
  const known = Object.entries(value).flatMap(([k, v]) => (properties[k] ? findings(properties[k], v, `${path}.${k}`) : [`${path}.${k}: is not in the schema`]));
  return [...missing, ...known];
}

async function session() {
  const response = await fetch(`${base}/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user: USER, password: PASSWORD }) });
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0];
  return { cookie, me: await response.json(), flags: response.headers.get('set-cookie') };
}

async function samples(headers) {
  const get = async (path) => (await (await fetch(base + path, { headers })).json());
  const incident = (await get('/incidents?limit=1&sort=-vehicles')).rows[0].id;
  const vid = (await get('/vehicles?limit=1')).rows[0].vid;
  const alert = (await get('/alerts?limit=1')).rows?.[0]?.id;
  const silence = (await get('/silences?limit=1')).rows[0]?.id;
  QUERY['/rules/one'] = `?rule=${encodeURIComponent((await get('/rules')).rows[0].rule)}`;
  return { '/alerts/{id}': { id: alert }, '/vehicles': { vid }, '/incidents': { id: incident }, '/silences/{id}': { id: silence } };
}

const QUERY = { '/search': '?q=i', '/incidents/news': '?since=0', '/vehicles/{vid}/activity': '?from=now-7d' };
const NEEDS = { '/audit': 'audit.read', '/audit/verify': 'audit.read' };

test('every answer is what the schema says', async () => {
  const { cookie, me, flags } = await session();
  assert.match(flags, /HttpOnly/i);
  assert.match(flags, /SameSite=Strict/i);
  const headers = { cookie };
  const ids = await samples(headers);
  const wrong = [];
  for (const [path, item] of Object.entries(document.paths)) {
    const schema = item.get?.responses['200']?.content?.['application/json']?.schema;
    if (!schema || (NEEDS[path] && !me.permissions.includes(NEEDS[path]))) continue;
    const id = ids[path] ?? Object.entries(ids).find(([prefix]) => path.startsWith(`${prefix}/`))?.[1] ?? {};
    if (/\{/.test(path) && Object.values(id)[0] === undefined) continue;
    const response = await fetch(base + path.replace(/\{(\w+)\}/g, (_, name) => id[name]) + (QUERY[path] ?? ''), { headers });
    const answer = await response.json();
    const found = response.status === 200 ? findings(schema, answer) : [`$: status ${response.status}, ${answer.detail}`];
    wrong.push(...[...new Set(found.map((f) => f.replace(/\[\d+\]/g, '[]')))].slice(0, FINDINGS_MAX).map((f) => `${path} ${f}`));
    assert.ok(response.headers.get('x-request-id'), `${path} has a request id`);
  }
  assert.deepEqual(wrong, []);
});

test('every error is a problem document with a known code and a next step', async () => {
  const { cookie, me } = await session();
  const codes = new Set([...readFileSync(new URL('../../../schema/errors.yaml', import.meta.url), 'utf8').matchAll(/\{name: (\w+)/g)].map((m) => m[1]));
  const post = (path, body, token = me.csrf_token) => fetch(base + path, { method: 'POST', headers: { cookie, 'Content-Type': 'application/json', 'X-CSRF-Token': token }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const get = (path, headers = { cookie }) => fetch(base + path, { headers });
  const incident = (await (await get('/incidents?limit=1')).json()).rows[0];
  const cases = [
    [401, get('/incidents', {})], [404, get('/incidents/INC-999999999')], [404, get('/nothing')], [400, get('/incidents?sort=sideways')], [400, get('/incidents?from=yesterday')],
    [409, post(`/incidents/${incident.id}/assign`, { assignee: 'me', version: incident.version + 1000 })], [403, post(`/incidents/${incident.id}/assign`, { assignee: 'me', version: incident.version }, 'wrong')],
    [400, post(`/incidents/${incident.id}/assign`, '{"assignee": ')], [404, post('/undo', { token: 'nonsense' })],
  ];
  const wrong = [];
  for (const [status, call] of cases) {
    const response = await call;
    const where = `${new URL(response.url).pathname} -> ${response.status}`;
    if (response.status !== status) wrong.push(`${where}, not ${status}`);
    if (!/application\/problem\+json/.test(response.headers.get('content-type') ?? '')) { wrong.push(`${where}: no problem document`); continue; }
    const problem = await response.json();
    wrong.push(...findings({ $ref: '#/components/schemas/Problem' }, problem).map((f) => `${where} ${f}`));
    if (!codes.has(problem.code)) wrong.push(`${where}: code ${problem.code} is not in errors.yaml`);
    if (!problem.detail || problem.request_id !== response.headers.get('x-request-id')) wrong.push(`${where}: detail or request id`);
  }
  assert.deepEqual(wrong, []);
});
