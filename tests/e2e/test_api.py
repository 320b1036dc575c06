"""The HTTP interface against the running daemon, every answer held to schema/openapi.yaml.

R-110 (analysis isolation is no act on a vehicle), R-149 (dispositions), R-150 to R-154 (context), R-155 (life cycle),
R-175 (case fields), R-177 (queue), R-222 to R-230 (roles)."""
import concurrent.futures
import json
import sqlite3
import subprocess
import time

import pytest
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import backend as b

USERS = {'tess': 't1', 'theo': 't2', 'lena': 'irl', 'emil': 'eng', 'mara': 'mgr', 'fred': 'fusa', 'otto': 'auditor', 'anna': 'admin',
         'boss': 'mgmt', 'tina': 'ti', 'both': 'irl,mgr'}


@pytest.fixture(scope='module')
def backend(binaries, tmp_path_factory):
    one = b.Backend(binaries, tmp_path_factory.mktemp('api'))
    for name, roles in USERS.items():
        made = one.user(name, roles)
        assert made.returncode == 0, made.stderr
    yield one
    assert one.stop() == 0
    assert 'ERROR: AddressSanitizer' not in b.stderr_of(one)


@pytest.fixture(scope='module')
def people(backend):
    return {name: backend.login(name) for name in USERS}

TESTED_ELSEWHERE = {'economy', 'campaigns'}  # tags whose operations have a test file of their own, which holds them to the contract


class Numbers:
    """A vehicle that no other test has."""
    next = 1000


def new_incident(backend, person, pdu='EngTorque'):
    """An incident of its own: a new vehicle's SecOC storm."""
    Numbers.next += 1
    car = b.secoc_storm(backend, b.vin(Numbers.next), pdu)
    rows = backend.wait(lambda: person.ok('/incidents', vid=car.vid.hex())['rows'])
    return car, rows[0]


# ---- the way of an incident

def test_an_attack_goes_from_triage_to_closed(backend, people):
    lena = people['lena']
    car, row = new_incident(backend, lena, 'BrakeStatus')
    at = '/incidents/' + row['id']
    assert (row['severity'], row['stage'], row['vid']) == ('high', 'triage', car.vid.hex())
    assert row['signature'].startswith('SecOC_fail|BrakeStatus')
    page = lena.ok(at)
    assert [s['stage'] for s in page['lifecycle']['stages']] == ['triage', 'contain', 'investigate', 'patch', 'recover', 'closed']
    assert sum(t['points'] for t in page['rank']) == pytest.approx(page['row']['priority'])
    assert len(page['evidence']) == 1 and len(page['evidence'][0]['sha256']) == 64

    said = lena.refused(at + '/stage', {'to': 'contain', 'version': row['version']}, 422, 'refused')
    assert 'verdict' in said['detail']
    row = lena.act(at + '/assign', {'assignee': 'me', 'version': row['version']})['row']
    assert row['assignee'] == 'lena'
    row = lena.act(at + '/disposition', {'disposition': 'malicious', 'version': row['version'], 'confidence': 'high'})['row']
    row = lena.act(at + '/stage', {'to': 'contain', 'version': row['version']})['row']
    said = lena.refused(at + '/stage', {'to': 'patch', 'version': row['version']}, 422, 'refused')
    said = lena.refused(at + '/stage', {'to': 'investigate', 'version': row['version'], 'containment': '   '}, 422, 'refused')
    assert said['missing'] == ['containment']
    row = lena.act(at + '/stage', {'to': 'investigate', 'version': row['version'], 'containment': 'token revoked'})['row']
    said = lena.refused(at + '/stage', {'to': 'patch', 'version': row['version'], 'root_cause': 'x'}, 422, 'refused')
    assert said['missing'] == ['component', 'tara_scenario']
    row = lena.act(at + '/stage', {'to': 'patch', 'version': row['version'], 'root_cause': 'key leaked', 'component': 'gw 4.12',
                                   'tara_scenario': 'TS-1'})['row']
    row = lena.act(at + '/stage', {'to': 'recover', 'version': row['version'], 'fix_ref': 'OTA-7'})['row']
    said = lena.refused(at + '/stage', {'to': 'closed', 'version': row['version'], 'recurrence_check': 'none', 'update_decision': 'no'},
                        422, 'refused')
    assert said['missing'] == ['risk_acceptance']  # the shorter of the two ways
    row = lena.act(at + '/stage', {'to': 'closed', 'version': row['version'], 'recurrence_check': 'none since', 'update_decision': 'rule kept',
                                   'engineering_assessment': 'assessed', 'fleet_proof': 'gone for 30 days'})['row']
    assert row['stage'] == 'closed'
    page = lena.ok(at)
    assert {f['fact'] for f in page['facts']} >= {'containment', 'root_cause', 'fix_ref', 'fleet_proof'}
    assert all(c['state'] in ('met', 'none') for c in page['clocks'])
    acts = [e['act'] for e in people['otto'].ok('/audit', object=row['id'])['rows']]
    assert acts.count('incident.move') == 5 and acts[-1] == 'incident.open'
    assert people['otto'].ok('/audit/verify')['ok'] is True


def test_a_false_alarm_closes_from_triage_with_a_reason(backend, people):
    theo = people['theo']
    _, row = new_incident(backend, theo)
    at = '/incidents/' + row['id']
    said = theo.refused(at + '/stage', {'to': 'closed', 'version': row['version'], 'reason': 'x'}, 422, 'refused')
    assert 'disposition' in said['detail']
    row = theo.act(at + '/disposition', {'disposition': 'hardware_fault', 'version': row['version'], 'reason': 'wiring'})['row']
    said = theo.refused(at + '/stage', {'to': 'closed', 'version': row['version']}, 422, 'refused')
    assert said['missing'] == ['reason']
    row = theo.act(at + '/stage', {'to': 'closed', 'version': row['version'], 'reason': 'connector corroded'})['row']
    said = theo.refused(at + '/disposition', {'disposition': 'malicious', 'version': row['version']}, 422, 'refused')
    row = theo.act(at + '/stage', {'to': 'triage', 'version': row['version'], 'reason': 'another look'})['row']
    assert row['stage'] == 'triage'
    assert [m['kind'] for m in theo.ok(at)['lifecycle']['moves'] if m['to'] == 'closed'] == ['close']


def test_moves_say_what_this_person_may_do(backend, people):
    _, row = new_incident(backend, people['tess'])
    at = '/incidents/' + row['id']
    moves = {m['to']: m for m in people['tess'].ok(at)['lifecycle']['moves']}
    assert not moves['contain']['allowed'] and moves['contain']['why']
    row = people['tess'].act(at + '/disposition', {'disposition': 'malicious', 'version': row['version']})['row']
    moves = {m['to']: m for m in people['tess'].ok(at)['lifecycle']['moves']}
    assert not moves['contain']['allowed'] and 'Tier 2' in moves['contain']['why']
    moves = {m['to']: m for m in people['theo'].ok(at)['lifecycle']['moves']}
    assert moves['contain'] == {'to': 'contain', 'allowed': True, 'kind': 'forward', 'why': moves['contain']['why'], 'needs': [[]]}
    assert not moves['closed']['allowed']  # an attack in triage closes with a signed risk acceptance only
    moves = {m['to']: m for m in people['mara'].ok(at)['lifecycle']['moves']}
    assert moves['closed']['needs'] == [['reason', 'risk_acceptance']]


def test_a_risk_acceptance_is_signed_by_who_may(backend, people):
    _, row = new_incident(backend, people['theo'])
    at = '/incidents/' + row['id']
    row = people['theo'].act(at + '/disposition', {'disposition': 'malicious', 'version': row['version']})['row']
    body = {'to': 'closed', 'version': row['version'], 'reason': 'pilot fleet', 'risk_acceptance': 'RA-9, head of product'}
    said = people['theo'].refused(at + '/stage', body, 403, 'forbidden')
    assert said['needs_permission'] == 'incident.accept_risk' and said['needs_role'] == ['mgr', 'mgmt']
    people['emil'].refused(at + '/facts', {'version': row['version'], 'risk_acceptance': 'me'}, 403, 'forbidden')
    row = people['emil'].act(at + '/facts', {'version': row['version'], 'engineering_assessment': 'reachable over OBD only'})['row']
    body['version'] = row['version']
    assert people['mara'].act(at + '/stage', body)['row']['stage'] == 'closed'


# ---- versions, undo, bulk

def test_two_people_do_not_overwrite_each_other(backend, people):
    _, row = new_incident(backend, people['theo'])
    at = '/incidents/' + row['id']
    people['theo'].act(at + '/assign', {'assignee': 'me', 'version': row['version']})
    said = people['lena'].refused(at + '/assign', {'assignee': 'lena', 'version': row['version']}, 409, 'conflict')
    assert said['version'] > row['version']
    now = people['lena'].ok(at)['row']
    assert now['assignee'] == 'theo'
    people['lena'].act(at + '/comments', {'text': 'mine?\nYes.'})  # no version, no conflict
    # A comment raises the version, but it is no reason to refuse who saw the version before it.
    assert people['lena'].act(at + '/assign', {'assignee': 'lena', 'version': now['version']})['row']['assignee'] == 'lena'


def test_news_of_detection_is_no_conflict(backend, people):
    car, row = new_incident(backend, people['theo'])
    b.send(backend, car, count=3, at_us=int(time.time() * 1e6) - 50 * 10**6)
    newer = backend.wait(lambda: next((r for r in people['theo'].ok('/incidents', vid=car.vid.hex())['rows'] if r['version'] > row['version']), None))
    assert newer['id'] == row['id']
    people['theo'].act('/incidents/%s/assign' % row['id'], {'assignee': 'me', 'version': row['version']})


def test_an_act_is_taken_back_by_its_token(backend, people):
    theo = people['theo']
    _, row = new_incident(backend, theo)
    at = '/incidents/' + row['id']
    row = theo.act(at + '/disposition', {'disposition': 'malicious', 'version': row['version']})['row']
    row = theo.act(at + '/stage', {'to': 'contain', 'version': row['version']})['row']
    done = theo.act(at + '/stage', {'to': 'investigate', 'version': row['version'], 'containment': 'API key blocked'})
    people['lena'].refused('/undo', {'token': done['undo']['token']}, 404, 'not_found')
    back = theo.act('/undo', {'token': done['undo']['token']})['rows']
    assert [(r['id'], r['stage']) for r in back] == [(row['id'], 'contain')]
    page = theo.ok(at)
    assert page['facts'] == [] and page['timeline'][0]['kind'] == 'undo'
    contain = next(c for c in page['clocks'] if c['name'] == 'contain')
    assert contain['stopped'] is None
    theo.refused('/undo', {'token': done['undo']['token']}, 404, 'not_found')


def test_an_act_that_somebody_built_on_is_not_taken_back(backend, people):
    _, row = new_incident(backend, people['theo'])
    at = '/incidents/' + row['id']
    done = people['theo'].act(at + '/assign', {'assignee': 'me', 'version': row['version']})
    people['lena'].act(at + '/disposition', {'disposition': 'malicious', 'version': done['row']['version']})
    said = people['theo'].refused('/undo', {'token': done['undo']['token']}, 422, 'refused')
    assert 'changed since' in said['detail']


def test_bulk_does_each_by_itself_and_takes_all_back(backend, people):
    lena = people['lena']
    rows = [new_incident(backend, lena)[1] for _ in range(3)]
    items = [{'id': r['id'], 'version': r['version']} for r in rows]
    items[1]['version'] = 0
    items += [{'id': 'INC-999999', 'version': 1}, {'id': rows[0]['id'], 'version': rows[0]['version']}]
    body = {'op': 'assign', 'assignee': 'theo', 'items': items, 'dry_run': True}
    dry = lena.act('/incidents/bulk', body)
    codes = [r['code'] for r in dry['results']]
    assert codes == ['ok', 'conflict', 'ok', 'not_found', 'refused']
    assert dry['undo'] is None
    assert lena.ok('/incidents/' + rows[0]['id'])['row']['assignee'] is None
    done = lena.act('/incidents/bulk', {**body, 'dry_run': False})
    assert [r['code'] for r in done['results']] == codes
    assert lena.ok('/incidents/' + rows[0]['id'])['row']['assignee'] == 'theo'
    back = lena.act('/undo', {'token': done['undo']['token']})['rows']
    assert sorted(r['id'] for r in back) == sorted([rows[0]['id'], rows[2]['id']])
    assert all(r['assignee'] is None for r in back)


# ---- who may what

def test_without_a_session_nothing_is_told(backend):
    stranger = b.Client(backend)
    for path in ('/me', '/incidents', '/alerts', '/vehicles', '/audit', '/stats', '/stream', '/users', '/ledger', '/search?q=x'):
        answer = stranger.get(path)
        assert (answer.status_code, answer.json()['code']) == (401, 'auth')
    assert stranger.get('/healthz').json()['ok'] is True
    stranger.session.cookies.set('vsoc_session', '0' * 64)
    assert stranger.get('/me').status_code == 401


DENIED = [('tess', 'POST', '/incidents/INC-1/stage', {'to': 'contain', 'version': 1}, 'incident.move'),
          ('tess', 'POST', '/incidents/INC-1/stage', {'to': 'closed', 'version': 1, 'reason': 'x'}, 'incident.close'),
          ('tina', 'POST', '/incidents/INC-1/disposition', {'disposition': None, 'version': 1}, 'incident.act'),
          ('otto', 'POST', '/incidents/INC-1/comments', {'text': 'x'}, 'incident.comment'),
          ('otto', 'POST', '/incidents/bulk', {'op': 'comment', 'text': 'x', 'items': []}, 'incident.comment'),
          ('tess', 'GET', '/audit', None, 'audit.read'), ('theo', 'GET', '/audit/verify', None, 'audit.read'),
          ('anna', 'GET', '/incidents', None, 'incident.read'), ('anna', 'GET', '/vehicles', None, 'vehicle.read'),
          ('emil', 'GET', '/vehicles', None, 'vehicle.read'), ('boss', 'GET', '/alerts', None, 'alert.read'),
          ('mara', 'POST', '/vehicles/%s/reveal' % ('0' * 32), {'purpose': 'just looking'}, 'vin.reveal')]


@pytest.mark.parametrize('who,method,path,body,permission', DENIED)
def test_a_denial_says_who_could(people, who, method, path, body, permission):
    answer = people[who].request(method, path, json=body)
    said = answer.json()
    assert (answer.status_code, said['code'], said['needs_permission']) == (403, 'forbidden', permission)
    assert said['needs_role'] and USERS[who] not in said['needs_role']


def test_a_changing_call_needs_the_token_of_its_session(backend, people):
    theo = people['theo']
    answer = theo.post('/undo', {'token': 'x'}, headers={'X-CSRF-Token': people['lena'].me['csrf_token']})
    assert (answer.status_code, answer.json()['code']) == (403, 'forbidden')
    answer = theo.post('/undo', {'token': 'x'}, headers={'X-CSRF-Token': None})
    assert answer.status_code == 403 and 'X-CSRF-Token' in answer.json()['detail']
    answer = theo.request('POST', '/undo', data='token=x', headers={'Content-Type': 'application/x-www-form-urlencoded'})
    assert (answer.status_code, answer.json()['code']) == (400, 'malformed')


def test_the_session_cookie_is_shut_to_scripts_and_other_sites(backend):
    answer = requests.post(backend.url + '/api/v1/login', json={'user': 'theo', 'password': b.PASSWORD}, timeout=60)
    cookie = answer.headers['Set-Cookie']
    assert 'HttpOnly' in cookie and 'SameSite=Strict' in cookie and 'Path=/' in cookie
    assert answer.cookies['vsoc_session'] not in json.dumps(answer.json())


def test_people_that_incidents_can_be_given_to(people):
    names = {u['user'] for u in people['tess'].ok('/users')['users']}
    assert {'tess', 'theo', 'lena'} <= names and 'anna' not in names  # who may not read incidents cannot work on one


def test_logging_out_ends_the_session(backend):
    one = backend.login('theo')
    assert one.post('/logout').status_code == 204
    assert one.get('/me').status_code == 401


def test_a_guesser_is_stopped_and_the_right_password_does_not_help(backend):
    assert backend.user('victim', 't1').returncode == 0
    stranger = b.Client(backend)
    for _ in range(5):
        stranger.refused('/login', {'user': 'victim', 'password': 'wrong wrong wrong'}, 401, 'auth')
    answer = stranger.post('/login', {'user': 'victim', 'password': b.PASSWORD})
    assert (answer.status_code, answer.json()['code']) == (429, 'quota')
    assert 1 <= int(answer.headers['Retry-After']) <= 900
    stranger.refused('/login', {'user': 'nobody', 'password': 'wrong wrong wrong'}, 401, 'auth')


def test_roles_and_password_change_on_the_command_line(backend):
    assert backend.user('temp', 't1').returncode == 0
    assert backend.user('temp', 't1').returncode == 2
    old = backend.login('temp')
    assert backend.user('temp', 'auditor', verb='set', password='another long one').returncode == 0
    assert old.get('/me').status_code == 401
    assert backend.login('temp', 'another long one').me['roles'] == ['auditor']
    assert backend.user('temp2', 'king').returncode == 2
    assert backend.user('Bad Name', 't1').returncode == 2
    assert backend.user('temp2', 't1', password='short').returncode == 2


# ---- bodies that are wrong

BODIES = [(b'{"text": "x"', 'truncated', None), (b'', 'truncated', None), (b'[]', 'malformed', None), (b'"text"', 'malformed', None),
          (b'{"text": 1}', 'malformed', 'text'), (b'{"text": null}', 'malformed', 'text'), (b'{}', 'malformed', 'text'),
          (b'{"text": "x", "txt": "y"}', 'malformed', 'txt'), (b'{"text": "\xff"}', 'malformed', None),
          (b'{"text": "\xed\xa0\x80"}', 'malformed', None), (b'{"text": "a", "text": "b"}', 'malformed', None),
          (b'{"text": "\\u0000"}', 'malformed', None), (b'{"text": "\\u0007"}', 'range', 'text'), (b'{"text": ""}', 'range', 'text'),
          (b'{"text": "  \\n"}', 'range', 'text'), (b'{"text": "' + b'x' * 10001 + b'"}', 'range', 'text'),
          (b'{"text": "x"} {}', 'malformed', None), (b'[' * 100000, 'malformed', None), (b'{"text":' * 5000, 'malformed', None)]


@pytest.mark.parametrize('body,code,field', BODIES)
def test_a_broken_body_is_refused_with_its_place(people, body, code, field):
    answer = people['theo'].request('POST', '/incidents/INC-1/comments', data=body, headers={'Content-Type': 'application/json'})
    said = answer.json()
    assert answer.status_code == 400 and said['code'] in (code, 'malformed' if code == 'truncated' else code), said
    assert said['detail'] and said.get('field') == field
    if field is None and b'[]' != body and body != b'"text"':
        assert 'line' in said['detail'] and 'column' in said['detail']


def test_a_huge_body_is_not_taken(backend, people):
    answer = people['theo'].request('POST', '/incidents/INC-1/comments', data=b'{"text":"' + b'x' * (2 << 20) + b'"}',
                                    headers={'Content-Type': 'application/json'})
    assert (answer.status_code, answer.json()['code']) == (413, 'limit')
    assert people['theo'].get('/me').status_code == 200


def test_values_of_the_wrong_kind_are_named(people):
    theo = people['theo']
    assert theo.refused('/incidents/INC-1/stage', {'to': 'contain', 'version': '1'}, 400, 'malformed')['field'] == 'version'
    assert theo.refused('/incidents/INC-1/stage', {'to': 'contain', 'version': 1.5}, 400, 'malformed')['field'] == 'version'
    assert theo.refused('/incidents/INC-1/stage', {'to': 'nowhere', 'version': 1}, 400, 'range')['field'] == 'to'
    assert theo.refused('/incidents/INC-1/disposition', {'disposition': 'fine', 'version': 1}, 400, 'range')['field'] == 'disposition'
    items = [{'id': 'INC-1', 'version': 1}, {'id': 'INC-1'}]
    assert theo.refused('/incidents/bulk', {'op': 'assign', 'items': items}, 400, 'malformed')['field'] == 'items[1]'
    theo.refused('/incidents/bulk', {'op': 'assign', 'items': [{'id': 'INC-1', 'version': 1}] * 1001}, 400, 'range')
    theo.refused('/incidents/INC-424242/comments', {'text': 'x'}, 404, 'not_found')
    assert theo.refused('/incidents/INC-1/assign', {'assignee': 'ghost', 'version': 99999}, 409, 'conflict')


QUERIES = [('severity', 'grave'), ('stage', '-'), ('disposition', 'malicious,,benign_anomaly'), ('rule', '"open'), ('from', 'yesterday'),
           ('from', 'now-5y'), ('to', 'now+1h'), ('sort', 'colour'), ('cursor', 'x'), ('cursor', '-priority~1'), ('cursor', 'id~1~2'),
           ('limit', '0'), ('limit', '201'), ('limit', 'ten'), ('as_of', '-1'), ('q', 'a b c d e f g h i'), ('rule', ','.join('abcdefghijklmnopqr')),
           ('limit', '99999999999999999999999')]


@pytest.mark.parametrize('name,value', QUERIES)
def test_a_wrong_parameter_is_named(people, name, value):
    answer = people['theo'].get('/incidents', **{name: value})
    assert answer.status_code in (400, 413) and answer.json()['field'] == name, answer.text


# ---- lists

def test_pages_of_a_snapshot_do_not_shift_and_news_is_counted(backend, people):
    theo = people['theo']
    for _ in range(4):
        new_incident(backend, theo)
    first = theo.ok('/incidents', sort='id', limit=2)
    new_incident(backend, theo)
    ids, page = [r['id'] for r in first['rows']], first
    while page['next']:
        page = theo.ok('/incidents', sort='id', limit=2, as_of=first['as_of'], cursor=page['next'])
        ids += [r['id'] for r in page['rows']]
        assert page['total'] == first['total']
    assert len(ids) == len(set(ids)) == first['total']['value']
    assert ids == sorted(ids, key=lambda i: int(i[4:]))
    assert theo.ok('/incidents/news', since=first['as_of'])['count'] == 1
    assert theo.ok('/incidents')['total']['value'] == first['total']['value'] + 1


SORTS = {'priority': lambda r: r['priority'], 'severity': lambda r: ['info', 'low', 'medium', 'high', 'critical'].index(r['severity']),
         'opened': lambda r: r['opened'], 'updated': lambda r: r['updated'], 'vehicles': lambda r: r['vehicles'],
         'sla': lambda r: r['sla_due'] or '9999', 'id': lambda r: int(r['id'][4:])}


@pytest.mark.parametrize('key', SORTS)
def test_every_order_is_total_both_ways(people, key):
    up = people['theo'].ok('/incidents', sort=key)['rows']
    down = people['theo'].ok('/incidents', sort='-' + key)['rows']
    assert [r['id'] for r in up] == [r['id'] for r in reversed(down)]
    assert [SORTS[key](r) for r in up] == sorted(SORTS[key](r) for r in up)


def test_filters_agree_with_facets(backend, people):
    theo = people['theo']
    _, row = new_incident(backend, theo, 'SteerAngle')
    theo.act('/incidents/%s/assign' % row['id'], {'assignee': 'theo', 'version': row['version']})
    facets = {f['name']: {v['value']: v['count'] for v in f['values']} for f in theo.ok('/incidents/facets')['facets']}
    for name, values in facets.items():
        for value, count in values.items():
            assert theo.ok('/incidents', **{name: value})['total']['value'] == count, (name, value)
            without = theo.ok('/incidents', **{name: '-"%s"' % value})['total']['value']
            assert without == sum(values.values()) - count
    assert theo.ok('/incidents', assignee='me')['rows'][0]['assignee'] == 'theo'
    assert [r['id'] for r in theo.ok('/incidents', q='steerangle ' + row['id'].lower())['rows']] == [row['id']]
    assert theo.ok('/incidents', q=row['vid'][:12])['rows'][0]['vid'] == row['vid']
    assert theo.ok('/incidents', q='100%')['rows'] == []
    assert theo.ok('/incidents', signature=row['signature'])['total']['value'] == 1
    assert theo.ok('/incidents', **{'from': 'now-1h', 'to': 'now'})['total']['value'] > 0
    assert theo.ok('/incidents', **{'from': 'now-2h', 'to': 'now-1h'})['rows'] == []


def test_alerts_vehicles_and_events_lead_to_each_other(backend, people):
    theo = people['theo']
    car, row = new_incident(backend, theo, 'DoorLock')
    vid = car.vid.hex()
    alert = theo.ok('/alerts', incident=row['id'])['rows'][0]
    assert alert['group'] == {'vin': vid, 'pdu': 'DoorLock'} and alert['incident'] == row['id']
    detail = theo.ok('/alerts/' + alert['id'])
    assert detail['members_total'] == len(detail['members']) == alert['count']
    assert detail['members'][0]['fields']['pdu'] == 'DoorLock'
    events = theo.ok('/incidents/%s/events' % row['id'])
    assert events['total']['value'] == alert['count'] and events['rows'] == detail['members']
    assert theo.ok('/incidents/%s/events' % row['id'], vid='0' * 32)['rows'] == []
    assert [v['vid'] for v in theo.ok('/incidents/%s/vehicles' % row['id'])['rows']] == [vid]
    theo.ok('/incidents/%s/context' % row['id'])

    vehicle = theo.ok('/vehicles/' + vid)
    assert vehicle['incidents'][0]['id'] == row['id'] and vehicle['ledger']['stored'] == 8 and not vehicle['vin_known']
    assert vehicle['events_by_type'] == [{'type': 'secoc.verification_failed', 'count': 8}]
    own = theo.ok('/vehicles/%s/events' % vid)
    assert own['total']['value'] == 8 and {e['id'] for e in own['rows']} == {e['id'] for e in events['rows']}
    times = [e['time'] for e in own['rows']]
    assert times == sorted(times, reverse=True)
    half = theo.ok('/vehicles/%s/events' % vid, limit=5)
    rest = theo.ok('/vehicles/%s/events' % vid, limit=5, cursor=half['next'])
    assert half['rows'] + rest['rows'] == own['rows'] and rest['next'] is None
    assert theo.ok('/vehicles/%s/events' % vid, type='uds')['rows'] == []
    assert theo.ok('/vehicles/%s/events' % vid, type='secoc', priority='-low')['total']['value'] == 8
    activity = theo.ok('/vehicles/%s/activity' % vid, **{'from': 'now-1h', 'to': 'now', 'buckets': 12})
    assert sum(k['critical'] + k['medium'] + k['low'] for k in activity['buckets']) == 8
    assert activity['buckets'][0]['gap'] and len(activity['buckets']) == 12
    assert theo.ok('/vehicles', q=vid[:10])['rows'][0]['vid'] == vid
    assert {h['kind'] for h in theo.ok('/search', q='doorlock')['hits']} >= {'incident', 'signature'}
    assert theo.ok('/search', q=vid[:16])['hits'][0]['id'] == vid
    for path in ('/vehicles/' + 'f' * 32, '/vehicles/xyz', '/alerts/' + 'f' * 32, '/incidents/INC-424242', '/incidents/1', '/nothing'):
        assert theo.get(path).status_code == 404
    stats = theo.ok('/stats')
    assert stats['funnel']['incidents'] == theo.ok('/incidents')['total']['value']
    ledger = theo.ok('/ledger')
    assert ledger['produced'] == ledger['stored'] + ledger['merged'] + ledger['dead_lettered'] + ledger['missing']


def test_a_campaign_takes_in_its_vehicles(backend, people):
    """R-121, R-124 to R-127: fifty vehicles with one signature are one incident, with open tasks for people and a title that
    says what and how many; the incident of the first vehicle goes there."""
    theo = people['theo']
    car, row = new_incident(backend, theo, 'AirbagArm')
    theo.act('/incidents/%s/comments' % row['id'], {'text': 'seen on one car'})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: b.secoc_storm(backend, b.vin(50000 + n), 'AirbagArm', count=1), range(49)))
    found = backend.wait(lambda: [r for r in theo.ok('/incidents', q='airbagarm')['rows'] if r['vehicles'] == 50])
    assert len(found) == 1 and found[0]['rule'] == 'fleet_campaign'
    assert 'SecOC_fail|AirbagArm' in found[0]['title'] and found[0]['title'].endswith(' on 50 vehicles')
    page = theo.ok('/incidents/' + found[0]['id'])
    assert {t['kind'] for t in page['tasks']} == {'psirt_indicator_report', 'share_auto_isac', 'evaluate_ota_countermeasure'}
    assert {t['state'] for t in page['tasks']} == {'pending_approval', 'open'}
    assert {a['rule'] for a in page['alerts']} == {'fleet_campaign', 'secoc_storm'}
    assert any(t['lane'] == 'comment' and t['detail'] == 'seen on one car' for t in page['timeline'])
    assert theo.ok('/incidents/' + row['id'])['row']['id'] == found[0]['id']  # the old address leads there
    theo.refused('/incidents/%s/assign' % row['id'], {'assignee': 'me', 'version': 1}, 409, 'conflict')
    assert len(theo.ok('/incidents', vid=car.vid.hex())['rows']) == 1
    task = page['tasks'][0]
    theo.act('/incidents/%s/tasks/%d' % (found[0]['id'], task['id']), {'state': 'done', 'note': 'PSIRT-12'})
    after = next(t for t in theo.ok('/incidents/' + found[0]['id'])['tasks'] if t['id'] == task['id'])
    assert (after['state'], after['by'], after['note']) == ('done', 'theo', 'PSIRT-12')
    theo.refused('/incidents/%s/tasks/%d' % (found[0]['id'], task['id']), {'state': 'done'}, 422, 'refused')
    rows = theo.ok('/incidents/%s/vehicles' % found[0]['id'], limit=20)
    assert rows['total']['value'] == 50 and rows['rows'][0]['vid'] == car.vid.hex() and rows['next']


# ---- the VIN

def test_a_vin_is_revealed_for_a_purpose_and_on_record(backend, people):
    car, _ = new_incident(backend, people['theo'])
    vid = car.vid.hex()
    purpose = {'purpose': 'owner reported a theft, case 77'}
    people['theo'].refused('/vehicles/%s/reveal' % vid, purpose, 404, 'not_found')
    key, nonce = bytes.fromhex((backend.place / 'vault.key').read_text()), b'\x01' * 12
    with sqlite3.connect(backend.place / 'data/state/state.db', timeout=30) as db:
        db.execute('INSERT INTO vehicle_vin (vid, sealed) VALUES (?, ?)',
                   (vid, nonce + AESGCM(key).encrypt(nonce, b'WVWZZZ1KZAW123456', car.vid)))
    db.close()
    assert people['theo'].refused('/vehicles/%s/reveal' % vid, {'purpose': 'short'}, 400, 'range')['field'] == 'purpose'
    said = people['theo'].act('/vehicles/%s/reveal' % vid, purpose)
    assert (said['vid'], said['vin']) == (vid, 'WVWZZZ1KZAW123456')
    entry = people['otto'].ok('/audit', act='vin.reveal')['rows'][0]
    assert (entry['seq'], entry['who'], entry['object'], entry['reason']) == (said['audit_seq'], 'theo', vid, purpose['purpose'])
    assert 'WVWZZZ1KZAW123456' not in json.dumps(people['otto'].ok('/audit'))


# ---- the live stream

class Stream:
    def __init__(self, person, last_id=None):
        headers = {'Last-Event-ID': str(last_id)} if last_id is not None else {}
        self.answer = person.session.get(person.backend.url + '/api/v1/stream', stream=True, timeout=30, headers=headers)
        assert self.answer.headers['Content-Type'] == 'text/event-stream'
        self.lines = self.answer.iter_lines(chunk_size=1)

    def next(self):
        event = {}
        for line in self.lines:
            if not line:
                return event
            name, _, value = line.decode().partition(': ')
            event[name] = value
        raise AssertionError('the stream ended')

    def until(self, name, **fields):
        while True:
            event = self.next()
            if event['event'] == name and all(json.loads(event['data'])[k] == v for k, v in fields.items()):
                return event

    def close(self):
        self.answer.close()


def test_the_stream_tells_what_changed(backend, people):
    theo = people['theo']
    _, row = new_incident(backend, theo)
    stream = Stream(theo)
    beat = json.loads(stream.until('heartbeat')['data'])
    backend.contract.fits({'$ref': '#/components/schemas/StreamHeartbeat'}, beat)
    done = theo.act('/incidents/%s/comments' % row['id'], {'text': 'look'})['row']
    event = stream.until('change', topic='incident')
    change = json.loads(event['data'])
    backend.contract.fits({'$ref': '#/components/schemas/StreamChange'}, change)
    assert change['id'] in (row['id'], '*') and change['version'] == done['version'] and event['id'] == str(change['seq'])
    stream.close()
    theo.act('/incidents/%s/comments' % row['id'], {'text': 'again'})
    resumed = Stream(theo, event['id'])
    assert int(resumed.until('change', topic='incident')['id']) > change['seq']  # nothing was missed in between
    resumed.close()
    lost = Stream(theo, 10**15)
    assert lost.next()['event'] == 'reset'
    lost.close()


def test_a_stream_ends_with_its_session(backend):
    one = backend.login('theo')
    stream = Stream(one)
    stream.until('heartbeat')
    assert one.post('/logout').status_code == 204
    with pytest.raises(AssertionError, match='ended'):
        while True:
            stream.next()


# ---- the console's files

def test_the_console_is_served_shut_tight(backend):
    page = requests.get(backend.url + '/', timeout=30)
    assert page.status_code == 200 and page.headers['Cache-Control'] == 'no-cache'
    policy = page.headers['Content-Security-Policy']
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and 'unsafe' not in policy
    assert page.headers['X-Content-Type-Options'] == 'nosniff'
    assert requests.get(backend.url + '/incidents/INC-1', timeout=30).text == page.text  # a page of the console
    asset = requests.get(backend.url + '/assets/main-0A1B2C3D.js', timeout=30)
    assert asset.headers['Content-Encoding'] == 'gzip' and asset.text == 'console.log(1)' and 'immutable' in asset.headers['Cache-Control']
    plain = requests.get(backend.url + '/assets/main-0A1B2C3D.js', headers={'Accept-Encoding': 'identity'}, timeout=30)
    assert 'Content-Encoding' not in plain.headers and plain.text == asset.text
    assert plain.headers['Content-Type'].startswith('text/javascript')
    for path in ('/assets/none.js', '/../vsocd.yaml', '/%2e%2e/vsocd.yaml', '/assets/..%2f..%2fvault.key', '/api/v2/me'):
        answer = requests.get(backend.url + path, timeout=30)
        assert answer.status_code == 404 and answer.headers['Content-Type'] == 'application/problem+json', path
    assert requests.post(backend.url + '/', timeout=30).status_code == 404


# ---- last: what the module has seen of the contract

def test_every_operation_was_called(backend):
    operations = {op['operationId'] for path in backend.contract.doc['paths'].values() for name, op in path.items()
                  if name in ('get', 'post') and not TESTED_ELSEWHERE & set(op['tags'])}
    assert operations - backend.contract.seen <= {'stream'}  # the stream has tests of its own, above


def test_the_audit_log_is_checked_on_the_command_line(backend, people):
    state = backend.place / 'data/state/state.db'

    def verify(path):
        return subprocess.run([str(backend.binaries / 'vsoc'), 'verify', 'audit', str(path)], capture_output=True, text=True)
    good = verify(state)
    assert good.returncode == 0 and json.loads(good.stdout)['ok'] is True, good.stderr
    copy = backend.place / 'copy.db'
    with sqlite3.connect(state) as db, sqlite3.connect(copy) as other:
        db.backup(other)
        other.execute("UPDATE audit SET who = 'somebody' WHERE seq = 3")
    bad = verify(copy)
    assert bad.returncode == 1 and json.loads(bad.stdout)['record'] == 3
    for path in (backend.config, backend.place / 'none.db'):
        answer = verify(path)
        assert answer.returncode == 2 and answer.stderr.strip(), answer


def test_sessions_and_incidents_outlive_a_restart(backend, people):
    before = people['theo'].ok('/incidents', sort='id')
    backend.stop()
    backend.start()
    after = people['theo'].ok('/incidents', sort='id')
    kept = ('id', 'stage', 'disposition', 'assignee', 'title', 'severity', 'vehicles', 'alerts', 'first', 'last', 'opened')
    assert [[r[k] for k in kept] for r in after['rows']] == [[r[k] for k in kept] for r in before['rows']]
    assert people['otto'].ok('/audit/verify')['ok'] is True
