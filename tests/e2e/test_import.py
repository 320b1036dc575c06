"""`vsoc import vehicles`: a list becomes registry rows, software over time and sealed VINs; all rows or none.

R-098, R-099, R-101, R-107."""
import hashlib
import hmac
import json
import os
import sqlite3
import subprocess

import pytest

VINS = ['WVWZZZ1KZAW000%03d' % i for i in range(20)]


class Desk:
    """An operator's folder with keys, and the command."""

    def __init__(self, binaries, place):
        self.binaries, self.place = binaries, place
        self.key = os.urandom(32)
        (place / 'pseudonym.key').write_text(self.key.hex() + '\n')
        (place / 'vault.key').write_text(os.urandom(32).hex())

    def run(self, text, code=0, args=(), name='list'):
        path = self.place / name
        path.write_text(text, encoding='utf-8')
        done = subprocess.run([str(self.binaries / 'vsoc'), 'import', 'vehicles', str(path), '--data', str(self.place / 'data'),
                               '--pseudonym-key', str(self.place / 'pseudonym.key'), '--vault-key', str(self.place / 'vault.key'), *args],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    def vid(self, vin):
        return hmac.new(self.key, vin.encode(), hashlib.sha256).hexdigest()[:32]

    def rows(self, sql, *args):
        path = self.place / 'data/state/state.db'
        if not path.exists():
            return []
        with sqlite3.connect('file:%s?mode=ro' % path, uri=True) as db:
            return db.execute(sql, args).fetchall()


@pytest.fixture
def desk(binaries, tmp_path):
    return Desk(binaries, tmp_path)


def test_csv(desk):
    text = 'vin,model,hardware,sw_version,region,owner\r\n' + ''.join(
        '%s,"Model ""A"", long",H%d,4.1,EU,Owner %d\r\n' % (vin, i % 2, i) for i, vin in enumerate(VINS))
    assert desk.run(text) == {'added': 20, 'changed': 0, 'unchanged': 0}
    rows = desk.rows('SELECT vid, model, hardware, region, owner FROM vehicle ORDER BY vid')
    assert {r[0] for r in rows} == {desk.vid(v) for v in VINS}
    assert {r[1] for r in rows} == {'Model "A", long'}
    assert desk.rows('SELECT count(*), min(from_us), max(software) FROM vehicle_software') == [(20, 0, '4.1')]
    owners = {r[4] for r in rows}
    assert len(owners) == 20 and all(len(o) == 32 and 'Owner' not in o for o in owners)
    assert desk.run(text) == {'added': 0, 'changed': 0, 'unchanged': 20}


def test_vins_stand_nowhere_in_the_clear(desk):
    desk.run('vin,model\n' + '\n'.join('%s,M' % v for v in VINS))
    assert desk.rows('SELECT count(*) FROM vehicle_vin') == [(20,)]
    for path in (desk.place / 'data').rglob('*'):
        if path.is_file():
            assert b'WVWZZZ' not in path.read_bytes()


def test_json_lines_with_history(desk):
    lines = [{'vin': VINS[0].lower(), 'model': 'M', 'sw_version': '1.0'},
             {'vin': VINS[0], 'sw_version': '2.0', 'sw_since': '2026-03-01T00:00:00Z'},
             {'vin': VINS[0], 'component': 'BRAKE', 'sw_version': 'b7', 'region': None}]
    assert desk.run('\n'.join(map(json.dumps, lines))) == {'added': 1, 'changed': 2, 'unchanged': 0}
    assert desk.rows('SELECT component, software, from_us FROM vehicle_software ORDER BY component, from_us') == [
        ('', '1.0', 0), ('', '2.0', 1772323200000000), ('BRAKE', 'b7', 0)]
    assert desk.rows('SELECT vid, model FROM vehicle') == [(desk.vid(VINS[0]), 'M')]


def test_empty_values_change_nothing(desk):
    desk.run('vin,model,region\n%s,M,EU\n' % VINS[0])
    assert desk.run('vin,model,region\n%s,,US\n' % VINS[0]) == {'added': 0, 'changed': 1, 'unchanged': 0}
    assert desk.rows('SELECT model, region FROM vehicle') == [('M', 'US')]


@pytest.mark.parametrize('text, said', [
    ('vin,model\n%s,M\nNOTAVIN,M\n' % VINS[0], ':3: vin must be'),
    ('vin,model\n%s,M\nWVWZZZ1KZAI000001,M\n' % VINS[0], ':3: vin must be'),
    ('vin,colour\n%s,red\n' % VINS[0], ':1: column is not known'),
    ('vin,vin\n%s,x\n' % VINS[0], ':1: column stands twice'),
    ('model\nM\n', ':1: the first line must name the columns'),
    ('vin,model\n%s,"M\n' % VINS[0], ':2: a quote is not closed'),
    ('vin,model\n%s,"M"x\n' % VINS[0], ':2: text stands behind'),
    ('vin,sw_since\n%s,yesterday\n' % VINS[0], ':2: sw_since'),
    ('vin,component\n%s,BRAKE\n' % VINS[0], ':2: a component needs'),
    ('{"vin":"%s"}\n{"vin":"%s","model":7}\n' % (VINS[0], VINS[1]), ':2: value must be a text'),
    ('{"vin":"%s"}\n{"vin":"%s"\n' % (VINS[0], VINS[1]), ':2: '),
    ('{"vin":"%s","vim":"x"}\n' % VINS[0], ':1: key is not known'),
    ('vin,model\n%s,%s\n' % (VINS[0], 'x' * 300), ':2: value is longer'),
])
def test_one_broken_row_imports_nothing(desk, text, said):
    errors = desk.run(text, code=2)
    assert said in errors and 'nothing was imported' in errors
    assert desk.rows('SELECT * FROM vehicle') == []


def test_every_broken_row_is_named(desk):
    errors = desk.run('vin\n' + 'bad\n' * 5, code=2)
    assert [line.split(':')[1] for line in errors.splitlines() if 'vin must be' in line] == ['2', '3', '4', '5', '6']


def test_bad_usage(binaries, tmp_path):
    for args in (['import'], ['import', 'cars', 'x'], ['import', 'vehicles'], ['import', 'vehicles', 'x'], ['import', 'vehicles', 'x', '--what']):
        done = subprocess.run([str(binaries / 'vsoc'), *args], capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and 'usage' in done.stderr
