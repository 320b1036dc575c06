"""vsoc-edge run against a backend that has nothing of ours in it. R-033, R-083 to R-092."""
import json
import shutil
import subprocess

import pytest

from uplink_backend import Vehicle, event, wait_until


@pytest.fixture
def vehicle(tmp_path):
    v = Vehicle(tmp_path)
    yield v
    v.close()


def run_once(vehicle, text, **keys):
    vehicle.events.write_text(text)
    vehicle.configure(input_once='true', **keys)
    vehicle.start()
    return vehicle.finish()


def types(vehicle):
    return sorted(e[-1] for e in vehicle.backend.ledger.received.values())


def test_a_file_of_events_arrives_signed_and_complete(vehicle):
    text = ''.join(event(i) for i in range(250)) + ''.join(event(300 + i, 'host.audit', process='sshd') for i in range(1000))
    assert run_once(vehicle, text) == 0, vehicle.log()
    ledger = vehicle.backend.ledger
    assert ledger.problems == [] and ledger.missing() == []
    assert ledger.count == 1250 + 1  # and the gateway's own start
    audits = [e for e in ledger.received.values() if e[-1] == 0x0506]
    assert sum(e.get(-5, 1) for e in audits) == 1000 and len(audits) <= 3
    assert len(vehicle.told('acked')) == vehicle.backend.batches


def test_no_client_certificate_no_batch(vehicle):
    other = vehicle.place / 'other'
    vehicle.vsoc('pki', 'init', other)
    vehicle.vsoc('pki', 'vehicle', other, 'WVWZZZ1KZAW000002', vehicle.place / 'stranger')
    vehicle.events.write_text(event(1))
    vehicle.configure(vehicle_cert='stranger/vehicle.pem', vehicle_key='stranger/vehicle.key')
    vehicle.start()
    assert wait_until(lambda: 'batch_delayed' in vehicle.log())
    assert vehicle.backend.requests == 0
    vehicle.kill()


def test_plain_http_is_refused(vehicle):
    vehicle.events.write_text(event(1))
    vehicle.configure(uplink_url='http://localhost:%d/v1/batches' % vehicle.backend.port)
    vehicle.start()
    assert vehicle.finish() == 2
    assert 'https' in vehicle.log()


def test_busy_lost_and_refused_answers(vehicle):
    """503 and a broken connection leave the records where they are; 400 sets one batch aside and goes on."""
    answers = {1: (503, {'Retry-After': '1'}, {}), 2: 'drop', 3: (400, {}, {'reason': 'it smells'}), 4: (500, {}, {})}
    vehicle.backend.behave = answers.get
    (vehicle.place / 'refused').mkdir()
    code = run_once(vehicle, ''.join(event(i) for i in range(30)), uplink_batch_events=10, uplink_quarantine='refused')
    assert code == 0, vehicle.log()
    ledger = vehicle.backend.ledger
    assert ledger.problems == []
    refused = list((vehicle.place / 'refused').iterdir())
    assert len(refused) == 1 and vehicle.told('refused')[0]['events'] == 10
    assert 'it smells' in vehicle.log()
    assert vehicle.vsoc('verify', 'batch', refused[0], '--cert', vehicle.place / 'vehicle/vehicle.pem').returncode == 0
    # The batch that was dropped after the backend took it was sent again, then refused: its numbers are not missing.
    assert ledger.missing() == [] and len(ledger.received) == 31


def test_a_captive_portal_is_no_acknowledgement(vehicle):
    vehicle.backend.behave = lambda n: (200, {}, {'hello': 'please log in'}) if n < 4 else None
    assert run_once(vehicle, event(1)) == 0
    assert vehicle.backend.requests >= 4
    assert vehicle.backend.ledger.missing() == [] and vehicle.backend.ledger.count == 2


def test_low_stays_on_a_metered_link(vehicle):
    """R-084 to R-086: critical goes, medium waits for its window, low stays in the journal."""
    text = event(1) + event(2, 'can.signal_out_of_range', can_id=3, signal='S', value=1) + event(3, 'host.audit', process='p')
    assert run_once(vehicle, text, uplink_metered='true', uplink_window_s=86400) == 0
    assert types(vehicle) == [0x0201]
    vehicle.configure(input_once='true', uplink_metered='false')
    vehicle.events.write_text('')
    vehicle.start()
    assert vehicle.finish() == 0
    assert vehicle.backend.ledger.missing() == [] and set(types(vehicle)) == {0x0105, 0x0201, 0x0506, 0x0C05}


def test_bad_lines_are_told_and_passed_over(vehicle):
    text = 'not json\n' + event(1) + '{"type":"no.such","time":1}\n' + '{"type":"secoc.verification_failed","time":5}\n' + event(2)
    assert run_once(vehicle, text) == 0
    assert vehicle.log().count('line_refused') == 3
    assert len([t for t in types(vehicle) if t == 0x0201]) == 2


def test_an_older_journal_put_back_is_told(vehicle):
    """Rollback: the journal as it was yesterday, the anchor as it is."""
    assert run_once(vehicle, event(1)) == 0
    shutil.copy(vehicle.place / 'journal', vehicle.place / 'old')
    assert run_once(vehicle, event(2)) == 0
    shutil.copy(vehicle.place / 'old', vehicle.place / 'journal')
    check = vehicle.vsoc('verify', 'journal', vehicle.place / 'journal', '--key', vehicle.place / 'journal.key',
                         '--anchor', vehicle.place / 'anchor', check=False)
    assert check.returncode == 1 and json.loads(check.stdout)['fault'] == 'cut'
    assert run_once(vehicle, event(3)) == 0
    tampered = [e for e in vehicle.backend.ledger.received.values() if e[-1] == 0x0C03]
    assert len(tampered) == 1 and tampered[0][22] == 'cut'
    assert vehicle.backend.ledger.problems == [] and vehicle.backend.ledger.missing() == []


def test_a_lost_anchor_starts_a_new_epoch(vehicle):
    assert run_once(vehicle, event(1)) == 0
    (vehicle.place / 'anchor').unlink()
    assert run_once(vehicle, event(2)) == 0
    ledger = vehicle.backend.ledger
    assert len(ledger.next) == 2 and ledger.problems == [] and ledger.missing() == []


def test_verify_journal_names_the_block(vehicle):
    vehicle.events.write_text(''.join(event(i) for i in range(20)))
    vehicle.configure(input_once='true', uplink_url='')
    vehicle.start()
    assert vehicle.finish() == 0
    arguments = ['verify', 'journal', vehicle.place / 'journal', '--key', vehicle.place / 'journal.key', '--anchor', vehicle.place / 'anchor']
    sound = vehicle.vsoc(*arguments)
    assert json.loads(sound.stdout)['sound'] is True
    data = bytearray((vehicle.place / 'journal').read_bytes())
    data[512 * 3 + 100] ^= 1
    (vehicle.place / 'journal').write_bytes(data)
    broken = vehicle.vsoc(*arguments, check=False)
    found = json.loads(broken.stdout)
    assert broken.returncode == 1 and found['fault'] == 'edited' and found['byte'] <= 512 * 3


def test_verify_batch_names_the_byte(vehicle):
    (vehicle.place / 'refused').mkdir()
    vehicle.backend.behave = lambda n: (400, {}, {'reason': 'no'})
    assert run_once(vehicle, ''.join(event(i) for i in range(5)), uplink_quarantine='refused') == 0
    file = next((vehicle.place / 'refused').iterdir())
    cert = vehicle.place / 'vehicle/vehicle.pem'
    good = file.read_bytes()
    assert json.loads(vehicle.vsoc('verify', 'batch', file, '--cert', cert).stdout)['signature'] == 'verified'
    for at in range(0, len(good), 7):
        bad = bytearray(good)
        bad[at] ^= 0x10
        file.write_bytes(bad)
        run = vehicle.vsoc('verify', 'batch', file, '--cert', cert, check=False)
        assert run.returncode == 1 and json.loads(run.stdout)['sound'] is False
    file.write_bytes(good[:-1])
    assert vehicle.vsoc('verify', 'batch', file, check=False).returncode == 1


def can_log(seconds, extra=()):
    """A quiet bus: three cyclic identifiers, and what is put in besides."""
    frames = []
    for ident, cycle in ((0x100, 0.010), (0x200, 0.020), (0x300, 0.100)):
        for n in range(int(seconds / cycle)):
            frames.append((1795000000 + n * cycle + ident / 1e6, '%03X#%02X00112233445566' % (ident, n % 16)))
    frames += extra
    return ''.join('(%.6f) can0 %s\n' % f for f in sorted(frames))


def test_injected_frames_arrive_as_events(vehicle):
    """R-083 end to end: CAN log, detector, gateway, mTLS, an independent reader of the batch."""
    clean, attack, model = vehicle.place / 'clean.log', vehicle.place / 'attack.log', vehicle.place / 'model'
    clean.write_text(can_log(60))
    attack.write_text(can_log(20, [(1795000010 + n * 0.001, '7A5#DEADBEEF') for n in range(300)]))
    learn = subprocess.run([vehicle.bin / 'vsoc-edge', 'learn', clean, '-o', model], capture_output=True, text=True)
    assert learn.returncode == 0, learn.stderr
    vehicle.configure(input_once='true', input_events='""', input_can=attack, input_model='model')
    vehicle.start()
    assert vehicle.finish() == 0, vehicle.log()
    ledger = vehicle.backend.ledger
    unknown = [e for e in ledger.received.values() if e[-1] == 0x0101]
    assert unknown and unknown[0][0] == 0x7A5 and unknown[0][-8] == 'can0'
    assert ledger.problems == [] and ledger.missing() == []
    assert 1795000009e6 < unknown[0]['time'] < 1795000012e6


def test_offline_for_long_then_everything_in_order(vehicle):
    """R-087, R-033: nobody answers while events come and the gateway is restarted; then all of them arrive."""
    vehicle.backend.behave = lambda n: (503, {'Retry-After': '1'}, {})
    for night in range(4):
        vehicle.events.write_text(''.join(event(night * 100 + i) for i in range(100)))
        vehicle.configure(uplink_backoff_ms_max=50)
        vehicle.start()
        assert wait_until(lambda: vehicle.told('durable') and vehicle.told('durable')[-1]['seq_next'] >= (night + 1) * 101)
        vehicle.kill(15 if night % 2 else 9)
    vehicle.backend.behave = lambda n: None
    vehicle.events.write_text('')
    vehicle.configure(input_once='true')
    vehicle.start()
    assert vehicle.finish() == 0
    ledger = vehicle.backend.ledger
    assert ledger.problems == [] and ledger.missing() == []
    assert len([t for t in types(vehicle) if t == 0x0201]) == 400
