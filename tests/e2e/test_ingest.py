"""The door as vehicles and feeds see it: what is acknowledged is in the log, what is wrong is named, nobody is starved.

R-047 (storm), R-093 (nothing acknowledged is lost), R-095 (key is the pseudonym), R-096, R-101 (no VIN gets in)."""
import json
import random
import struct
import threading
import time

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import door as d


@pytest.fixture(scope='module')
def door(binaries, tmp_path_factory):
    place = tmp_path_factory.mktemp('door')
    one = d.Door(binaries, place, vehicle_bytes_per_hour_max=40 * 1024 * 1024)
    yield one
    assert one.stop() == 0


def refused(answer, status, code):
    said = answer.json()
    assert (answer.status, said['error']) == (status, code), said
    assert said['reason'] and isinstance(said['byte'], int)
    return said


def test_a_batch_is_taken_and_is_in_the_log_verbatim(door):
    car = door.vehicle('WVWZZZ1KZAW000001')
    body = car.batch()
    answer = door.post(car, body)
    assert answer.status == 200, answer.text
    assert answer.json() == {'vid': car.vid.hex(), 'epoch': 1, 'seq_next': 4, 'stored': True}
    records = [r for r in door.log() if r[5] == car.vid]
    assert [(r[3], r[4], r[6]) for r in records] == [(1, 1, body)]
    assert abs(records[0][2] - time.time() * 1e6) < 60e6


def test_ecdsa_keys_work_as_well(door):
    car = door.vehicle('WVWZZZ1KZAW000002', key=ec.generate_private_key(ec.SECP256R1()))
    assert door.post(car, car.batch()).status == 200


def test_the_certificate_is_kept_for_offline_verification(door):
    car = door.vehicle('WVWZZZ1KZAW000003')
    assert door.post(car, car.batch()).status == 200
    kept = list((door.place / 'data' / 'certs').glob(car.vid.hex() + '-*.pem'))
    assert [k.read_bytes() for k in kept] == [d.pem(car.cert)]


def test_the_same_batch_again_is_acknowledged_again(door):
    car = door.vehicle('WVWZZZ1KZAW000004')
    body = car.batch()
    assert [door.post(car, body).status for _ in range(3)] == [200, 200, 200]


def test_many_batches_go_over_one_connection(door):
    car = door.vehicle('WVWZZZ1KZAW000005')
    connection = door.connect(car)
    assert [door.post(car, car.batch(), connection=connection).status for _ in range(50)] == [200] * 50
    connection.close()


def test_another_vehicles_batch_is_refused(door):
    car, other = door.vehicle('WVWZZZ1KZAW000006'), door.vehicle('WVWZZZ1KZAW000007')
    stolen = d.cose_sign(car.key, d.envelope(other.vid, [d.secoc_event(0)], 1, int(time.time() * 1e6)))
    refused(door.post(car, stolen), 403, 'forbidden')


def test_a_signature_of_another_key_is_refused(door):
    car = door.vehicle('WVWZZZ1KZAW000008')
    body = d.cose_sign(ed25519.Ed25519PrivateKey.generate(), d.envelope(car.vid, [d.secoc_event(0)], 1, 1))
    refused(door.post(car, body), 400, 'signature')


def test_without_a_certificate_nobody_gets_in(door):
    car = door.vehicle('WVWZZZ1KZAW000009')
    refused(door.post(None, car.batch()), 401, 'auth')


def test_a_certificate_of_another_authority_is_refused(door, tmp_path):
    stranger = d.Vehicle(tmp_path, d.Authority('somebody else'), d.vid_of(door.pseudonym_key, 'WVWZZZ1KZAW000010'))
    refused(door.post(stranger, stranger.batch()), 401, 'auth')


def test_a_certificate_of_no_vehicle_is_refused(door):
    tool = door.vehicle('WVWZZZ1KZAW000011', cn='workshop tester')
    refused(door.post(tool, tool.batch()), 403, 'forbidden')


@pytest.mark.parametrize('change, code', [
    ({'_1': 2}, 'version'), ({'_8': 4}, 'malformed'), ({'_10': 7}, 'malformed'), ({'_9': 7}, 'range'),
    ({'_2': b'short'}, 'range'), ({'_5': 2 ** 41}, 'range'), ({'_4': 0}, 'range'), ({'_11': b'\xff' * 8, '_10': 8}, 'malformed'),
])
def test_a_broken_envelope_is_named(door, change, code):
    car = door.vehicle('WVWZZZ1KZAW000012')
    refused(door.post(car, car.batch(**change)), 400, code)


def test_every_truncation_and_many_bit_flips_are_refused(door):
    """Whatever the radio does to a batch, the door says no and stays up."""
    car = door.vehicle('WVWZZZ1KZAW000013')
    whole = car.batch(count=2)
    connection = door.connect(car)
    rng = random.Random(20260301)
    broken = [whole[:n] for n in range(0, len(whole), 3)] + [whole + b'\0']
    for _ in range(100):
        at = rng.randrange(len(whole) * 8)
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << at % 8
        broken.append(bytes(flipped))
    for body in broken:
        answer = door.post(car, body, connection=connection)
        assert answer.status == 400 and answer.json()['error'] in ('malformed', 'truncated', 'signature', 'unsupported'), answer.text
    assert door.post(car, whole, connection=connection).status == 200
    connection.close()


def test_an_upload_larger_than_any_batch_is_refused(door):
    car = door.vehicle('WVWZZZ1KZAW000014')
    refused(door.post(car, b'\0' * (7 << 20)), 413, 'limit')
    assert door.post(car, car.batch()).status == 200


def test_plain_text_is_not_answered(door):
    with d.plain_socket(door.port) as s:
        s.sendall(b'POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
        try:
            assert not s.recv(100).startswith(b'HTTP')
        except ConnectionError:
            pass


def test_other_paths_and_methods(door):
    car = door.vehicle('WVWZZZ1KZAW000015')
    refused(door.post(car, b'', path='/v1/nothing'), 404, 'not_found')
    refused(door.post(car, car.batch(), kind='text/plain'), 400, 'unsupported')
    c = door.connect()
    c.request('GET', '/healthz')
    answer = d.Answer(c.getresponse())
    assert (answer.status, answer.json()) == (200, {'ok': True})
    c.request('GET', '/v1/batches')
    assert d.Answer(c.getresponse()).status == 405
    c.close()


def test_only_a_simulation_believes_the_simulated_clock(door):
    car = door.vehicle('WVWZZZ1KZAW000016')
    assert door.post(car, car.batch(), VSOC_Sim_Now='1000000').status == 200
    record = [r for r in door.log() if r[5] == car.vid][0]
    assert record[2] > 1.7e15


def test_a_feed_gives_lines_and_no_vin_gets_in(door):
    feed = door.vehicle('WVWZZZ1KZAW000017', cn='feed:ota')
    lines = [{'vin': 'WVWZZZ1KZAW0000%02d' % (20 + i % 2), 'time': '2026-11-20T10:00:0%dZ' % i, 'type': 'ota.installed', 'seq': i + 1,
              'version': '4.%d' % i, 'note': 'car WVWZZZ1KZAW0000%02d' % (20 + i % 2), 'lat': 48.1} for i in range(5)]
    lines.append({'time': '2026-11-20T10:00:09Z', 'type': 'backend.login', 'seq': 6, 'user': 'eve', 'result': 'failure'})
    answer = door.post(feed, '\n'.join(map(json.dumps, lines)), path='/v1/events', kind='application/x-ndjson')
    assert (answer.status, answer.json()) == (200, {'records': 3, 'stored': True})
    records = [r for r in door.log() if r[4] == 2]
    assert len(records) == 3
    for vin in ('WVWZZZ1KZAW000020', 'WVWZZZ1KZAW000021'):
        vid = d.vid_of(door.pseudonym_key, vin)
        said = [json.loads(line) for r in records if r[5] == vid for line in r[6].splitlines()]
        assert said and all(s['vin'] == vid.hex() and s['epoch'] >= 2 ** 31 and 'note' not in s for s in said)
        assert [s['seq'] for s in said] == sorted(s['seq'] for s in said)
    assert b'WVWZZZ' not in b''.join(p.read_bytes() for p in (door.place / 'data').rglob('*') if p.is_file())


@pytest.mark.parametrize('line, number', [('{"vin":"WVWZZZ1KZAW000020","time":0,"type":', 2), ('{"vin":"NOT A VIN"}', 2),
                                          ('{"vin":17}', 2), ('[]', 2)])
def test_one_bad_line_refuses_the_whole_upload_and_is_named(door, line, number):
    feed = door.vehicle('WVWZZZ1KZAW000018', cn='feed:bad')
    before = len(door.log())
    said = refused(door.post(feed, '{"time":1,"type":"backend.login"}\n' + line, path='/v1/events', kind='application/x-ndjson'),
                   400, 'malformed')
    assert said['byte'] == number
    assert len(door.log()) == before


def test_vehicles_and_feeds_do_not_change_places(door):
    car, feed = door.vehicle('WVWZZZ1KZAW000019'), door.vehicle('WVWZZZ1KZAW000022', cn='feed:ota')
    refused(door.post(car, '{}', path='/v1/events'), 403, 'forbidden')
    refused(door.post(feed, car.batch()), 403, 'forbidden')


def test_a_storming_car_is_held_back_and_starves_nobody(binaries, tmp_path):
    """R-047."""
    one = d.Door(binaries, tmp_path, vehicle_bytes_per_hour_max=4096)
    try:
        stormy, quiet = one.vehicle('WVWZZZ1KZAW000031'), one.vehicle('WVWZZZ1KZAW000032')
        answers = [one.post(stormy, stormy.batch(count=20)) for _ in range(12)]
        taken = [a.status for a in answers].count(200)
        assert 1 <= taken < 12 and {a.status for a in answers} == {200, 429}
        last = answers[-1]
        refused(last, 429, 'quota')
        assert 1 <= int(last.headers['Retry-After']) <= 3600
        assert one.post(quiet, quiet.batch()).status == 200
    finally:
        assert one.stop() == 0


def test_the_simulated_clock_is_the_receive_time_in_a_simulation(binaries, tmp_path):
    one = d.Door(binaries, tmp_path, simulated_clock=True)
    try:
        car = one.vehicle()
        assert one.post(car, car.batch(), VSOC_Sim_Now='1767225600000000').status == 200
        assert one.post(car, car.batch(), VSOC_Sim_Now='2026-01-01T00:00:01Z').status == 200
        refused(one.post(car, car.batch(), VSOC_Sim_Now='yesterday'), 400, 'malformed')
        assert [r[2] for r in one.log()] == [1767225600000000, 1767225601000000]
    finally:
        assert one.stop() == 0


class Load(threading.Thread):
    """A car that uploads until it is told to stop, and remembers what was acknowledged."""

    def __init__(self, one, car):
        super().__init__()
        self.one, self.car, self.acknowledged, self.over = one, car, [], threading.Event()

    def run(self):
        connection = None
        while not self.over.is_set():
            body = self.car.batch()
            try:
                connection = connection or self.one.connect(self.car, timeout=5)
                if self.one.post(self.car, body, connection=connection).status == 200:
                    self.acknowledged.append(body)
            except Exception:
                connection = None
                time.sleep(0.01)


def test_kill_9_loses_nothing_that_was_acknowledged(binaries, tmp_path):
    """The promise of the door: again and again the daemon is killed in the middle of the load."""
    one = d.Door(binaries, tmp_path)
    cars = [one.vehicle('WVWZZZ1KZAW0001%02d' % i) for i in range(4)]
    acknowledged = []
    rng = random.Random(7)
    for _ in range(6):
        loads = [Load(one, car) for car in cars]
        for load in loads:
            load.start()
        time.sleep(0.2 + rng.random() * 0.3)
        one.kill()
        for load in loads:
            load.over.set()
        for load in loads:
            load.join()
            acknowledged += load.acknowledged
        one.start()
        values = {r[6] for r in one.log()}
        assert all(body in values for body in acknowledged)
    assert len(acknowledged) > 50
    assert one.stop() == 0


def test_a_torn_tail_is_cut_without_anybodys_help(binaries, tmp_path):
    one = d.Door(binaries, tmp_path)
    car = one.vehicle()
    bodies = [car.batch() for _ in range(3)]
    assert [one.post(car, b).status for b in bodies] == [200] * 3
    one.kill()
    segment = sorted((tmp_path / 'data' / 'log').glob('000/*.seg'))[-1]
    with open(segment, 'ab') as f:
        f.write(b'\xf5VR1' + struct.pack('>II', 123, 999) + b'half a rec')
    one.start()
    more = car.batch()
    assert one.post(car, more).status == 200
    assert [r[6] for r in one.log()] == bodies + [more]
    assert one.stop() == 0
