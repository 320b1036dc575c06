"""Broken input to every program that reads a file: refused with place and reason, or read because the damage left it valid;
never a crash, a hang, or half an answer on stdout (R-096, R-264).

Each format has one good sample. It is cut at drawn places and has drawn bits turned; the program must end by itself with 0, 1
or 2, every line on stdout must be whole JSON, and a complaint must name the file and a line or byte. VSOC_SEED=n repeats."""
import json
import os
import random
import re
import subprocess

import pytest

SEED = int(os.environ.get('VSOC_SEED', '424242'))
CUTS, FLIPS = 25, 60

CANDUMP = ''.join('(%d.%06d) can0 %03X#%02X0203%02X\n' % (1700000000 + i // 10, i % 10 * 100000, 0x100 + i % 3, i, 255 - i) for i in range(60))
DBC = '''VERSION ""

NS_ :

BS_:

BU_: GW ENG

BO_ 256 EngineData: 8 ENG
 SG_ Speed : 0|16@1+ (0.01,0) [0|250] "km/h" GW
 SG_ Mode M : 16|4@1+ (1,0) [0|15] "" GW
 SG_ Torque m1 : 24|12@1- (0.5,-100) [-500|500] "Nm" GW

CM_ SG_ 256 Speed "measured at the wheel";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 256 20;
VAL_ 256 Mode 0 "off" 1 "on" ;
'''
RULE = '''title: Six failures
name: six
id: 3c1a5e0e-2f0b-4b3f-9c55-6d2c1b1f7a11
logsource: {product: vehicle, service: secoc}
detection:
    selection:
        type: secoc.verification_failed
        pdu|startswith: Eng
    condition: selection
level: high
'''
EVENTS = ''.join(json.dumps({'vin': 'V%d' % (i % 4), 'time': '2026-03-01T00:00:%02dZ' % (i % 60), 'type': 'secoc.verification_failed', 'seq': i + 1, 'pdu': 'EngTorque'}) + '\n' for i in range(40))
CONFIG = '''data_dir: data
ingest: {port: 0, tls_cert: a.pem, tls_key: a.key, vehicle_ca: ca.pem, pseudonym_key: p.key}
detect: {rules: rules, lateness_days: 30}
api: {port: 0, vault_key: v.key}
'''
VEHICLES = ''.join(json.dumps({'vin': 'WVSA0000X%08d' % i, 'model': 'A', 'hardware': 'H', 'sw_version': '1', 'region': 'eu', 'owner': 'own-%d' % i}) + '\n' for i in range(5))


def batch(binaries, tmp_path):
    """A signed batch as a vehicle sends it, and the certificate to verify it with; made with cbor2 and cryptography alone."""
    import cbor2
    from door import Authority, pem
    from cryptography.hazmat.primitives.asymmetric import ed25519
    key, vid = ed25519.Ed25519PrivateKey.generate(), bytes(range(16))
    body = cbor2.dumps([{-1: 0x0201, -2: i, -3: i * 1000, 13: 'EngTorque'} for i in range(20)], canonical=True)
    envelope = cbor2.dumps({1: 1, 2: vid, 3: 1, 4: 1, 5: 21, 6: 1790000000000000, 7: 1790000000000000, 8: 20, 9: 0, 10: len(body), 11: body}, canonical=True)
    protected = cbor2.dumps({1: -8})
    signature = key.sign(cbor2.dumps(['Signature1', protected, b'', envelope]))
    cert = tmp_path / 'vehicle.pem'
    cert.write_bytes(pem(Authority().issue(vid.hex(), key.public_key())))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, envelope, signature])), ['--cert', str(cert)]


def cases(binaries, tmp_path, root):
    trace, dbc = tmp_path / 'good.log', tmp_path / 'good.dbc'
    trace.write_text(CANDUMP)
    dbc.write_text(DBC)
    sealed, options = batch(binaries, tmp_path)
    return {
        'candump by scan': (CANDUMP.encode(), '.log', lambda f: ['vsoc-edge', 'scan', f, '--learn', str(trace)]),
        'candump by dbc': (CANDUMP.encode(), '.log', lambda f: ['vsoc', 'dbc', 'decode', '--dbc', str(dbc), '--trace', f]),
        'network description': (DBC.encode(), '.dbc', lambda f: ['vsoc', 'dbc', 'decode', '--dbc', f, '--frame', '100#0011223344556677']),
        'rule': (RULE.encode(), '.yml', lambda f: ['vsoc', 'rule', 'check', f]),
        'events': (EVENTS.encode(), '.jsonl', lambda f: ['vsoc', 'rule', 'backtest', '--rules', str(root / 'content/rules'), '--events', f]),
        'configuration': (CONFIG.encode(), '.yaml', lambda f: ['vsoc', 'config', 'check', f]),
        'batch': (sealed, '.cose', lambda f: ['vsoc', 'verify', 'batch', f, *options]),
    }


def damaged(good, rng):
    for _ in range(CUTS):
        yield good[:rng.randrange(len(good))]
    for _ in range(FLIPS):
        at = rng.randrange(len(good) * 8)
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        yield bytes(bad)


def run(binaries, args):
    return subprocess.run([str(binaries / args[0]), *args[1:]], capture_output=True, timeout=60)


@pytest.mark.parametrize('name', ['candump by scan', 'candump by dbc', 'network description', 'rule', 'events', 'configuration', 'batch'])
def test_damage_is_refused_or_harmless(binaries, root, tmp_path, name):
    rng = random.Random('%d %s' % (SEED, name))
    print('seed %d' % SEED)
    good, ending, command = cases(binaries, tmp_path, root)[name]
    file = tmp_path / ('input' + ending)
    file.write_bytes(good)
    whole = run(binaries, command(str(file)))
    assert whole.returncode == 0, whole.stderr
    refused = 0
    for bad in damaged(good, rng):
        file.write_bytes(bad)
        r = run(binaries, command(str(file)))
        assert r.returncode in (0, 1, 2), (r.returncode, bad, r.stderr)
        for line in r.stdout.decode().splitlines():
            json.loads(line)
        text = (r.stderr + (r.stdout if name in ('rule', 'batch') else b'')).decode(errors='replace')
        if r.returncode == 2 or (r.returncode == 1 and 'scan' not in name) or re.search(re.escape(file.name) + r':\d+', text):
            refused += 1
            assert file.name in text, (bad, text)
            assert re.search(r'(:\d+|"byte":|byte \d+|line \d+|empty|missing|no (event|frame|rule|record))', text), (bad, text)
    print('%s: %d of %d damaged inputs refused' % (name, refused, CUTS + FLIPS))
    assert refused > 0


def test_every_turned_bit_of_a_batch_is_noticed(binaries, root, tmp_path):
    """No flip in a signed batch may pass as verified."""
    good, ending, command = cases(binaries, tmp_path, root)['batch']
    rng = random.Random(SEED)
    file = tmp_path / ('input' + ending)
    for at in rng.sample(range(len(good) * 8), 150):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        file.write_bytes(bad)
        r = run(binaries, command(str(file)))
        assert r.returncode in (1, 2), (at, r.stdout)


def test_a_vehicle_list_is_taken_whole_or_not_at_all(binaries, tmp_path):
    home = tmp_path / 'f'
    assert run(binaries, ['vsoc', 'pki', 'init', str(home)]).returncode == 0
    (home / 'rules').mkdir()
    (home / 'data').mkdir()
    (home / 'data/state').mkdir()
    bad = VEHICLES.replace('"vin": "WVSA0000X00000003"', '"vni": "WVSA0000X00000003"')
    file = tmp_path / 'vehicles.jsonl'
    file.write_text(bad)
    r = run(binaries, ['vsoc', 'import', 'vehicles', str(file), '--config', str(home / 'vsocd.yaml')])
    assert r.returncode == 2 and 'vehicles.jsonl:4' in r.stderr.decode()
    file.write_text(VEHICLES)
    r = run(binaries, ['vsoc', 'import', 'vehicles', str(file), '--config', str(home / 'vsocd.yaml')])
    assert r.returncode == 0, r.stderr
