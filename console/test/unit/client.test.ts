import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { ApiError, call, problemFor, setCsrfToken, whenSignedOut } from '../../src/api/client';

let sent: { url: string; init: RequestInit }[] = [];
const reply = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  globalThis.fetch = (async (url: string, init: RequestInit) => {
    sent.push({ url, init });
    return new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  }) as typeof fetch;
};

async function failure(run: Promise<unknown>): Promise<ApiError> {
  try {
    await run;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return error;
  }
  throw new Error('it should have failed');
}

beforeEach(() => { sent = []; whenSignedOut(() => {}); });

test('ids are escaped and empty filters are left out', async () => {
  reply(200, {});
  await call('getIncident', { params: { id: 'INC/1 ?' } });
  await call('listIncidents', { query: { q: '', stage: '-closed' } });
  assert.equal(sent[0]?.url, '/api/v1/incidents/INC%2F1%20%3F');
  assert.equal(sent[1]?.url, '/api/v1/incidents?stage=-closed');
});

test('writes carry the CSRF token, reads do not', async () => {
  reply(200, { rows: [] });
  setCsrfToken('secret');
  await call('undo', { body: { token: 't' } });
  await call('me');
  assert.equal((sent[0]?.init.headers as Record<string, string>)['X-CSRF-Token'], 'secret');
  assert.equal((sent[1]?.init.headers as Record<string, string>)['X-CSRF-Token'], undefined);
});

test('a problem keeps its code, next step, request id and missing facts', async () => {
  reply(422, { code: 'refused', detail: 'Needs a fix.', next: 'give it', request_id: 'r1', missing: ['fix_ref'] });
  const { problem } = await failure(call('moveIncident', { params: { id: 'INC-1' }, body: { to: 'recover', version: 1 } }));
  assert.equal(problem.code, 'refused');
  assert.equal(problem.status, 422);
  assert.deepEqual(problem.missing, ['fix_ref']);
});

test('an error that is no problem document still says something', async () => {
  reply(502, '<html>bad gateway</html>', { 'X-Request-Id': 'r2' });
  const { problem } = await failure(call('getStats'));
  assert.equal(problem.status, 502);
  assert.equal(problem.request_id, 'r2');
  assert.match(problem.next, /request id/);
});

test('no network is a problem like any other', async () => {
  globalThis.fetch = (async () => { throw new TypeError('fetch failed'); }) as typeof fetch;
  const { problem } = await failure(call('getStats'));
  assert.equal(problem.code, 'net');
  assert.match(problem.next, /vsocd/);
});

test('a lost session is reported once per call, a wrong password is not', async () => {
  let out = 0;
  whenSignedOut(() => { out++; });
  reply(401, { code: 'auth', detail: 'no session' });
  await failure(call('getStats'));
  await failure(call('login', { body: { user: 'a', password: 'b' } }));
  assert.equal(out, 1);
});

test('an answer the console cannot use is explained', () => {
  assert.match(problemFor(new SyntaxError('Unexpected token')).next, /different versions/);
});
