"""Indicators against a fleet: matched live by the running daemon, and found again in its event log.

R-240, R-244: an indicator that comes in by file raises one alert a vehicle that shows it and none for a vehicle that does
not; one that comes in later finds what was there before; a hunt over the same log finds the same events."""
import json
import subprocess
import uuid

import pytest

import backend as b

RULE = 'threat_intelligence'


def indicator(pattern):
    return {'type': 'indicator', 'spec_version': '2.1', 'id': 'indicator--%s' % uuid.uuid4(), 'created': '2026-03-01T12:00:00.000Z',
            'modified': '2026-03-01T12:00:00.000Z', 'name': 'forged frames', 'pattern': pattern, 'pattern_type': 'stix',
            'valid_from': '2026-03-01T12:00:00Z', 'confidence': 80}


def take_in(backend, one):
    bundle = {'type': 'bundle', 'id': 'bundle--%s' % uuid.uuid4(), 'objects': [one]}
    path = backend.place / (one['id'] + '.json')
    path.write_text(json.dumps(bundle))
    done = subprocess.run([str(backend.binaries / 'vsoc'), 'import', 'stix', str(path), '--config', str(backend.config)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)['added'] == 1
    return path


def hunt(backend, *options):
    done = subprocess.run([str(backend.binaries / 'vsoc'), 'intel', 'hunt', '--archive', str(backend.place / 'data/log'), *options],
                          capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (1 if rows else 0)
    return rows


@pytest.fixture
def backend(binaries, tmp_path):
    one = b.Backend(binaries, tmp_path)
    assert one.user('tess', 't1').returncode == 0
    yield one
    if one.process.poll() is None:
        assert one.stop() == 0
    assert 'ERROR: AddressSanitizer' not in b.stderr_of(one)


def alerts_of(person, car):
    return [row for row in person.ok('/alerts', vid=car.vid.hex())['rows'] if row['rule'] == RULE]


def test_live_late_and_hunted_are_the_same(backend):
    tess = backend.login('tess')
    early = indicator("[x-openvsoc-event:signature LIKE 'SecOC_fail|BrakeStatus%']")
    path = take_in(backend, early)
    shown = b.secoc_storm(backend, b.vin(1), 'BrakeStatus')
    other = b.secoc_storm(backend, b.vin(2), 'EngTorque')
    row = backend.wait(lambda: alerts_of(tess, shown))[0]
    assert row['severity'] == 'high'

    # The other vehicle's events were acknowledged, so they stand in the log before the indicator that names them comes.
    assert alerts_of(tess, other) == []
    late = indicator("[x-openvsoc-event:signature LIKE 'SecOC_fail|EngTorque%']")
    take_in(backend, late)
    b.send(backend, shown, 'BrakeStatus')
    backend.wait(lambda: alerts_of(tess, other))
    assert len(alerts_of(tess, shown)) == 1

    assert backend.stop() == 0
    by_bundle = hunt(backend, '--bundle', str(path))
    assert {r['vehicle'] for r in by_bundle} == {shown.vid.hex()} and {r['indicator'] for r in by_bundle} == {early['id']}
    assert sum(r['count'] for r in by_bundle) == 16
    by_store = hunt(backend, '--config', str(backend.config), '--indicator', late['id'])
    assert {r['vehicle'] for r in by_store} == {other.vid.hex()} and sum(r['count'] for r in by_store) == 8
    assert hunt(backend, '--pattern', "[x-openvsoc-event:signature = 'nobody sends this']") == []


def test_a_pattern_that_is_none_is_refused_with_its_byte(backend):
    done = subprocess.run([str(backend.binaries / 'vsoc'), 'intel', 'hunt', '--archive', str(backend.place / 'data/log'),
                           '--pattern', '[a:b = '], capture_output=True, text=True)
    assert done.returncode == 2 and 'byte 7' in done.stderr
