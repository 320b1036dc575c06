"""Silences, budgets and rules against the running daemon, every answer held to schema/openapi.yaml (R-019; docs/alerts.md)."""
import subprocess

import pytest

import backend as b

USERS = {'tess': 't1', 'theo': 't2', 'lena': 'irl', 'emil': 'eng', 'mara': 'mgr', 'fred': 'fusa', 'otto': 'auditor', 'anna': 'admin'}
BUDGETS = 'default: {rule: 1000, team: unlimited}\nrules: {secoc_storm: 4}\n'


class Economy(b.Backend):
    """A backend whose SecOC rule may bring four alerts a day to the queue."""

    def start(self):
        (self.place / 'budgets.yml').write_text(BUDGETS)
        text = self.config.read_text()
        if 'respond:' not in text:
            self.config.write_text(text + 'respond: {budgets: budgets.yml}\n')
        super().start()


@pytest.fixture(scope='module')
def backend(binaries, tmp_path_factory):
    one = Economy(binaries, tmp_path_factory.mktemp('economy'))
    for name, roles in USERS.items():
        assert one.user(name, roles).returncode == 0
    yield one
    assert one.stop() == 0
    assert 'ERROR: AddressSanitizer' not in b.stderr_of(one)


@pytest.fixture(scope='module')
def people(backend):
    return {name: backend.login(name) for name in USERS}


def car_of(backend, number, pdu='EngTorque'):
    return b.secoc_storm(backend, b.vin(number), pdu)


def alerts_of(person, car, **more):
    """Those of the one rule that the tests are about; other rules may have seen the vehicle, too."""
    return person.ok('/alerts', vid=car.vid.hex(), rule='secoc_storm', **more)['rows']


def draft(*matchers, **more):
    return {'matchers': [dict(zip(('field', 'op', 'value'), m)) for m in matchers], 'cause': 'workshop', 'reason': 'on the test bench',
            'minutes': 600, **more}


def test_a_silence_is_tried_made_seen_and_revoked(backend, people):
    theo = people['theo']
    first = car_of(backend, 1, 'Bench')
    row = backend.wait(lambda: theo.ok('/incidents', vid=first.vid.hex())['rows'])[0]
    proposal = theo.ok('/incidents/%s/silence' % row['id'])
    assert {'field': 'rule', 'op': 'is', 'value': 'secoc_storm'} in proposal['matchers'] and not proposal['attack']
    want = draft(('signature', 'glob', '*|Bench|*'), ticket='T-1', incident=row['id'])
    trial = theo.act('/silences/preview', want)
    assert trial['refusal'] is None and not trial['needs_second']
    assert (trial['preview']['alerts'], trial['preview']['vehicles'], trial['preview']['in_queue']) == (1, 1, 1)
    made = theo.act('/silences', want)
    assert made['state'] == 'active' and made['incident'] == row['id'] and made['author'] == 'theo'
    second = car_of(backend, 2, 'Bench')
    held = backend.wait(lambda: alerts_of(theo, second))[0]
    assert held['silence'] == made['id'] and held['incident'] is None
    assert [a['id'] for a in theo.ok('/alerts', silence=made['id'])['rows']] == [held['id']]
    assert held['id'] in [a['id'] for a in theo.ok('/alerts', silence='any')['rows']]
    assert held['id'] not in [a['id'] for a in theo.ok('/alerts', silence='none')['rows']]
    assert theo.ok('/incidents', vid=second.vid.hex())['rows'] == []
    assert theo.ok('/stats')['funnel']['silenced'] == 1
    spots = backend.wait(lambda: [s for s in theo.ok('/stats')['health']['blind_spots'] if s['code'] == 'silenced'])
    assert spots[0]['text'] == '1 alert is silenced' and spots[0]['link'] == '/silences?tab=held'
    assert theo.ok('/silences/' + made['id'])['held'] == 1
    assert theo.ok('/silences', state='active')['rows'][0]['id'] == made['id']
    ended = theo.act('/silences/%s/revoke' % made['id'], {'reason': 'bench is down'})
    assert (ended['state'], ended['ended_why'], ended['held']) == ('ended', 'revoked', 0)
    assert theo.ok('/incidents', vid=second.vid.hex())['rows'] != []  # in the transaction of the revocation
    theo.refused('/silences/%s/revoke' % made['id'], {'reason': 'again'}, 422, 'refused')
    acts = [e['act'] for e in people['otto'].ok('/audit', object=made['id'])['rows']]
    assert acts == ['silence.revoked', 'silence.create']


def test_who_may_silence_what(backend, people):
    storm = ('rule', 'is', 'secoc_storm')
    low = [('severity', 'is', s) for s in ('low', 'medium')]
    people['otto'].refused('/silences', draft(storm), 403, 'forbidden')
    people['anna'].refused('/silences/preview', draft(storm), 403, 'forbidden')
    said = people['tess'].refused('/silences', draft(storm), 403, 'forbidden')
    assert 'medium' in said['detail']
    people['tess'].refused('/silences', draft(storm, *low, minutes=25 * 60), 403, 'forbidden')
    mine = people['tess'].act('/silences', draft(storm, *low))
    assert mine['severities'] == ['low', 'medium']
    theirs = people['theo'].act('/silences', draft(storm, ('vid', 'is', 'f' * 32)))
    people['tess'].refused('/silences/%s/revoke' % theirs['id'], {'reason': 'not mine'}, 403, 'forbidden')
    people['tess'].act('/silences/%s/revoke' % mine['id'], {'reason': 'enough'})
    people['lena'].act('/silences/%s/revoke' % theirs['id'], {'reason': 'enough'})


def test_what_is_critical_waits_for_a_second_person(backend, people):
    grave = draft(('rule', 'is', 'secoc_storm'), ('severity', 'is', 'critical'), minutes=60)
    said = people['lena'].refused('/silences', {**grave, 'minutes': 25 * 60}, 400, 'range')
    assert said['field'] == 'expires'
    made = people['lena'].act('/silences', grave)
    assert made['state'] == 'pending' and made['needs_second']
    at = '/silences/%s/second' % made['id']
    people['lena'].refused(at, {'approve': True}, 403, 'forbidden')  # her own
    people['theo'].refused(at, {'approve': True}, 403, 'forbidden')  # not his to say
    assert people['fred'].act(at, {'approve': True, 'reason': 'brakes are off the car'})['state'] == 'active'
    people['mara'].refused(at, {'approve': False}, 422, 'refused')
    again = people['lena'].act('/silences', grave)
    assert people['mara'].act('/silences/%s/second' % again['id'], {'approve': False, 'reason': 'no'})['ended_why'] == 'refused'
    people['lena'].act('/silences/%s/revoke' % made['id'], {'reason': 'done'})


@pytest.mark.parametrize('change, field', [
    ({'matchers': []}, 'matchers'), ({'matchers': [{'field': 'model', 'op': 'is', 'value': 'E4'}]}, 'matchers'),
    ({'matchers': [{'field': 'rule', 'op': 'glob', 'value': '*'}]}, 'matchers'),
    ({'matchers': [{'field': 'colour', 'op': 'is', 'value': 'red'}]}, 'matchers'),
    ({'matchers': [{'field': 'rule', 'op': 'like', 'value': 'x'}]}, 'matchers'),
    ({'matchers': [{'field': 'severity', 'op': 'is', 'value': 'bad'}]}, 'matchers'),
    ({'cause': 'mood'}, 'cause'), ({'reason': 'x'}, 'reason'), ({'minutes': 31 * 24 * 60}, 'expires'), ({'minutes': 0}, 'minutes'),
    ({'expires': '2026-11-20T12:00:00Z'}, 'expires'), ({'spread_factor': 101}, 'spread_factor'), ({'vehicles_max': -1}, 'vehicles_max'),
    ({'incident': 'seven'}, 'incident'), ({'starts': 'tomorrow'}, 'starts')])
def test_what_is_wrong_is_said_with_its_place(people, change, field):
    said = people['theo'].refused('/silences', {**draft(('rule', 'is', 'x')), **change}, 400, 'range')
    assert said['field'] == field


def test_a_tag_names_the_test_fleet(backend, people):
    theo = people['theo']
    car = backend.vehicle(b.vin(30))
    b.send(backend, car, 'Brake', count=2)  # known, without an alert
    tags = '/vehicles/%s/tags' % car.vid.hex()
    backend.wait(lambda: theo.get(tags).status_code == 200)
    people['tess'].refused(tags, {'tag': 'test-fleet', 'reason': 'a mule'}, 403, 'forbidden')
    assert theo.refused(tags, {'tag': 'Test Fleet', 'reason': 'a mule'}, 400, 'range')['field'] == 'tag'
    assert theo.act(tags, {'tag': 'test-fleet', 'reason': 'a mule'})['tags'][0]['who'] == 'theo'
    made = theo.act('/silences', draft(('tag', 'is', 'test-fleet'), cause='test_fleet'))
    b.send(backend, car, 'Brake')
    assert backend.wait(lambda: alerts_of(theo, car))[0]['silence'] == made['id']
    assert theo.act(tags + '/remove', {'tag': 'test-fleet', 'reason': 'sold'})['tags'] == []
    theo.refused(tags + '/remove', {'tag': 'test-fleet', 'reason': 'sold'}, 404, 'not_found')
    theo.act('/silences/%s/revoke' % made['id'], {'reason': 'over'})


def budget_of(person, rule):
    return next(r for r in person.ok('/budgets')['rules'] if r['name'] == rule)


def test_over_budget_is_gathered_and_explained(backend, people):
    """R-019: a storm stays within the budget, nothing is lost, and the owner gets a task."""
    theo = people['theo']
    cars = [car_of(backend, 100 + i) for i in range(8)]
    rows = backend.wait(lambda: (lambda found: found if all(found) else None)([alerts_of(theo, car) for car in cars]))
    homes = {r[0]['incident'] for r in rows}
    assert None not in homes
    budget = budget_of(theo, 'secoc_storm')
    today = budget['today']
    assert budget['per_day'] == 4 and budget['own_limit'] and today['queued'] == 4 and today['over'] >= 4
    over = [h for h in homes if theo.ok('/incidents/' + h)['over_budget']]
    assert len(over) == 1
    page = theo.ok('/incidents/' + over[0])
    assert page['row']['title'].startswith('Over budget: ')
    assert page['over_budget']['rule'] == 'secoc_storm' and page['over_budget']['per_day'] == 4
    assert page['over_budget']['alerts'] == page['row']['alerts'] == today['over']
    assert page['over_budget']['top']['signature'][0]['value'].startswith('SecOC_fail|EngTorque')
    assert page['over_budget']['proposals'][0]['matchers'][0] == {'field': 'rule', 'op': 'is', 'value': 'secoc_storm'}
    assert [t['kind'] for t in page['tasks']] == ['tune_rule'] and 'secoc_storm' in page['tasks'][0]['title']
    assert 'None is dropped' in page['description']
    assert theo.ok('/stats')['funnel']['over_budget'] == today['over']
    team = next(t for t in theo.ok('/budgets', days=2)['teams'] if t['name'] == budget['owner'])
    assert team['per_day'] is None and team['today']['over'] == today['over']
    # What it proposes can be made as it stands.
    proposal = page['over_budget']['proposals'][0]
    trial = theo.act('/silences/preview', {'matchers': proposal['matchers'], 'cause': 'known_benign', 'reason': 'seen before', 'minutes': 60})
    assert trial['refusal'] is None and trial['preview']['alerts'] >= proposal['alerts']


def test_rules_are_listed_with_what_they_cost(people):
    emil = people['emil']
    rows = {r['rule']: r for r in emil.ok('/rules')['rows']}
    storm = rows['secoc_storm']
    assert storm['loaded'] and storm['owner'] and storm['r155'] and storm['tara'] and storm['per_day'] == 4
    assert storm['used_today'] == 4 and storm['alerts_per_day'] > 0 and storm['last_alert']
    assert rows['v2x_spoofing']['loaded'] and rows['v2x_spoofing']['last_alert'] is None
    one = emil.ok('/rules/one', rule='secoc_storm')
    assert one['rationale'] and one['path'].endswith('secoc_storm.yml')
    if one['versions']:
        assert 'correlation' in one['versions'][0]['text'] and one['row']['version'] == one['versions'][0]['version']
    assert emil.get('/rules/one', rule='no such').status_code == 404


def test_counts_survive_being_killed(backend, people):
    """kill -9 while alerts come: the counts are those of the alerts, once each."""
    cars = []
    for i in range(12):
        cars.append(car_of(backend, 300 + i))
        if i % 4 == 3:
            backend.kill()
            backend.start()
    theo = backend.login('theo')
    backend.wait(lambda: all(alerts_of(theo, car) for car in cars))
    alerts = [a for a in theo.ok('/alerts', rule='secoc_storm')['rows']]
    assert all(a['incident'] or a['silence'] for a in alerts)
    days = budget_of(theo, 'secoc_storm')['days']
    count = {k: sum(d[k] for d in days) for k in ('queued', 'through', 'joined', 'over', 'silenced')}
    # Two alerts were held first and came to the queue, or over the budget, when their silence ended.
    assert sum(count.values()) - count['silenced'] == len(alerts)
    assert count['silenced'] == 2


def test_every_operation_of_the_economy_was_called(backend):
    operations = {op['operationId'] for path in backend.contract.doc['paths'].values() for name, op in path.items()
                  if name in ('get', 'post') and 'economy' in op['tags']}
    assert operations <= backend.contract.seen


def test_a_wrong_budget_file_is_refused_with_its_place(backend, binaries, tmp_path):
    """The detect role does not run on budgets that nobody meant."""
    (tmp_path / 'budgets.yml').write_text('rules:\n  secoc_storm: lots\n')
    config = tmp_path / 'vsocd.yaml'
    config.write_text(backend.config.read_text().replace('data_dir: data', 'data_dir: %s' % (tmp_path / 'data'))
                      .replace('budgets: budgets.yml', 'budgets: %s' % (tmp_path / 'budgets.yml')))
    for name in ('ca.pem', 'server.pem', 'server.key', 'pseudonym.key', 'vault.key'):
        (tmp_path / name).write_bytes((backend.place / name).read_bytes())
    (tmp_path / 'console').mkdir()
    with open(tmp_path / 'stderr', 'wb') as errors:
        process = subprocess.Popen([str(binaries / 'vsocd'), '--config', str(config)], stdout=subprocess.PIPE, stderr=errors)
        try:
            backend.wait(lambda: 'budgets.yml:2: alerts a day are 0 to 1000000, or unlimited' in (tmp_path / 'stderr').read_text())
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
