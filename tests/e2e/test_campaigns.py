"""Fleet statistics through the whole daemon: a planted outbreak is found and told by the API, opens an incident only once a
person armed a baseline, and outlives a restart (docs/campaigns.md; answers held to schema/openapi.yaml)."""
import json
import subprocess
import time

import pytest

import backend as b
import door

IGNITION_ON = 0x0802
HOUR_US, DAY_US = 3600 * 10**6, 24 * 3600 * 10**6
CARS, DAYS, VICTIMS = 24, 14, 8


class Fleet:
    """Enrolled cars that are driven every day for two weeks, half of them of another model."""

    def __init__(self, one):
        self.one, self.start_us = one, int(time.time() * 1e6) - DAYS * DAY_US
        vins = [b.vin(7000 + i) for i in range(CARS)]
        rows = ['vin,model,hardware,region,sw_version'] + ['%s,%s,H1,EU,4.2' % (v, 'M1' if i < CARS // 2 else 'M2') for i, v in enumerate(vins)]
        (one.place / 'fleet.csv').write_text('\n'.join(rows) + '\n')
        done = subprocess.run([str(one.binaries / 'vsoc'), 'import', 'vehicles', str(one.place / 'fleet.csv'), '--config', str(one.config)],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.cars = [one.vehicle(v) for v in vins]
        for car in self.cars:
            self.send(car, self.start_us, [{-1: IGNITION_ON, -2: i, -3: i * DAY_US} for i in range(DAYS)])

    def send(self, car, at_us, events):
        payload = door.envelope(car.vid, events, car.next, int(time.time() * 1e6), _6=at_us)
        car.next += len(events)
        answer = self.one.post(car, door.cose_sign(car.key, payload))
        assert answer.status == 200, answer.text

    def outbreak(self, pdu):
        """Cars of the first model report a failed check each, within half an hour, two hours ago."""
        for i, car in enumerate(self.cars[:VICTIMS]):
            self.send(car, int(time.time() * 1e6) - 2 * HOUR_US + i * 60 * 10**6, [door.secoc_event(0, pdu)])


def baseline(one, *words):
    done = subprocess.run([str(one.binaries / 'vsoc'), 'campaign', 'baseline', *words, '--store', 'sqlite:%s' % (one.place / 'data/state/state.db'),
                           '--who', 'theo', '--reason', 'the fleet was well'], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def backend(binaries, tmp_path):
    one = b.Backend(binaries, tmp_path)
    assert one.user('theo', 't2').returncode == 0
    yield one
    assert one.stop() == 0
    assert 'ERROR: AddressSanitizer' not in b.stderr_of(one)


def found(one, person, pdu, check=lambda c: True):
    """The campaign on that signature, as soon as all victims are in it."""
    def look():
        rows = [c for c in person.ok('/campaigns')['rows'] if pdu in c['signature'] and c['state'] == 'open' and c['vehicles'] == VICTIMS]
        return [c for c in rows if check(c)]
    rows = one.wait(look)
    assert len(rows) == 1
    return rows[0]


def look_at_one(person, row):
    """R-136: the curve has the cases, the verdict its reasons, and the alert its members."""
    whole = person.ok('/campaigns/' + row['id'])
    assert whole['campaign'] == row
    assert sum(h['cases'] for h in whole['curve']) == VICTIMS
    times = [h['time'] for h in whole['curve']]
    assert times == sorted(set(times)) and len(times) > 24
    assert whole['reasons'] and all(r['text'] for r in whole['reasons'])
    assert abs(row['attack'] + row['regression'] + row['fault'] - 1) < 0.01
    assert row['model'] in ('M1', None) and row['expected'] < 2 < row['score'] and row['score'] > row['threshold']
    assert person.ok('/alerts/' + row['alert'])['alert']['vehicles'] == VICTIMS


def test_an_outbreak_is_found_and_opens_an_incident_only_when_armed(backend):
    fleet, theo = Fleet(backend), backend.login('theo')
    assert theo.ok('/campaigns') == {'total': {'value': 0, 'relation': 'eq'}, 'rows': [], 'next': None}
    fleet.outbreak('BrakeTorque')
    first = found(backend, theo, 'BrakeTorque')
    look_at_one(theo, first)
    assert first['baseline'] is None and not first['pages'] and first['incident'] is None
    assert theo.ok('/incidents')['total']['value'] == 0

    assert backend.stop() == 0
    backend.start()
    assert theo.ok('/campaigns/' + first['id'])['campaign'] == first

    fleet.send(fleet.cars[-1], int(time.time() * 1e6), [{-1: IGNITION_ON, -2: 0, -3: 0}])  # the day's candidate is written with it
    learned = backend.wait(lambda: candidate_days(backend) >= 7) and baseline(backend, 'learn')
    assert learned['version'] == 1 and learned['frozen_signatures'] == 1
    since = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 86400))
    assert baseline(backend, 'arm', '1', '--from', since) == {'armed': 1, 'before': 0}
    fleet.outbreak('SteerAngle')
    second = found(backend, theo, 'SteerAngle', lambda c: c['incident'])
    look_at_one(theo, second)
    assert second['baseline'] == 1 and second['pages']
    incident = theo.ok('/incidents/' + second['incident'])
    assert second['alert'] in [a['id'] for a in incident['alerts']]

    page = theo.ok('/campaigns', limit=1)
    rest = theo.ok('/campaigns', limit=1, cursor=page['next'])
    assert page['total']['value'] == 2 and rest['next'] is None
    assert {page['rows'][0]['id'], rest['rows'][0]['id']} == {first['id'], second['id']}
    assert theo.ok('/campaigns', state='retracted')['rows'] == []
    assert theo.get('/campaigns', state='lost').status_code == 400
    assert theo.get('/campaigns/' + 'f' * 32).status_code == 404


def candidate_days(one):
    done = subprocess.run([str(one.binaries / 'vsoc'), 'campaign', 'baseline', 'list', '--store',
                           'sqlite:%s' % (one.place / 'data/state/state.db')], capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return next((r['days'] for r in rows if r['version'] == 0), 0)
