"""Network descriptions against cantools: every file of the real inputs, and generated ones that nobody has seen.

Known and wanted differences, each with its test below:
- cantools keeps the first of two messages' value descriptions when both have one identifier; we keep the last message.
- cantools selects by the *scaled* value of a multiplexer when asked to scale; we select by the raw value, as it does
  when not asked.
- cantools gives nothing for a frame whose multiplexer selects nothing; we give the rest and mark the multiplexer.
- Python's integers have no end; where a product or sum leaves 64 bits we go on in double precision.
- An attribute that is used but not defined is read over; cantools fails.
- A byte order other than 0 and 1, or a multiplexer mark that is none, is refused; cantools guesses.
- Text is UTF-8 when the whole file is, else cp1252; cantools reads what it is told.
R-249, R-071."""
import json
import math
import os
import pathlib
import random
import subprocess

import pytest

import dbc_generator
import dbc_oracle

DATA = pathlib.Path(__file__).resolve().parents[2] / '../shared/data/dbc'
FILES = sorted(p for p in DATA.glob('*/*') if p.suffix.lower() == '.dbc')
FRAMES_PER_MESSAGE = 24
SEED = 20261120


def vsoc(binaries, *arguments, stdin=b''):
    return subprocess.run([binaries / 'vsoc', 'dbc', *map(str, arguments)], input=stdin, capture_output=True, timeout=300)


def set_bits(data, s, value):
    for i in range(s.length):
        if s.byte_order == 'little_endian':
            byte, bit = divmod(s.start + i, 8)
        else:
            byte, bit = divmod(dbc_oracle.first_bit(s) + s.length - 1 - i, 8)
            bit = 7 - bit
        if byte < len(data):
            data[byte] = data[byte] & ~(1 << bit) | (value >> i & 1) << bit


def payloads(m, rng):
    """Corners, random bytes, short frames, and frames in which the multiplexers have values that select something."""
    length = min(m.length, 64)
    yield bytes(length)
    yield b'\xff' * length
    for _ in range(FRAMES_PER_MESSAGE):
        data = bytearray(rng.randbytes(length if rng.random() < 0.8 else rng.randint(0, length)))
        for s in m.signals:
            chosen = [i for t in m.signals if t.multiplexer_signal == s.name for i in (t.multiplexer_ids or [])[:9]]
            if chosen and rng.random() < 0.8:
                set_bits(data, s, rng.choice(chosen))
        yield bytes(data)


def log_line(n, m, data):
    id_text = '%08X' % m.frame_id if m.is_extended_frame else '%03X' % m.frame_id
    return '(%d.000000) can0 %s%s%s\n' % (n, id_text, '##1' if len(data) > 8 else '#', data.hex().upper())


def in_64_bits(s, wanted):
    """False when a step of raw * factor + offset needs integers of more than 64 bits, which Python has and we round."""
    scale, offset = s.conversion.scale, s.conversion.offset
    if not isinstance(wanted['raw'], int) or not (isinstance(scale, int) or isinstance(wanted['value'], int)):
        return True
    return -2**63 <= scale < 2**63 and -2**63 <= offset < 2**63 and abs(wanted['raw'] * scale) < 2**64 and \
        -2**63 <= wanted['value'] < 2**64


def compare_frame(m, strict, data, got):
    where = '%s %s' % (m.name, data.hex())
    assert got['message'] == m.name, where
    names = [s['name'] for s in got['signals']]
    there, unknown = dbc_oracle.decode(m, strict, data)
    if there is not None:
        assert set(names) == there, where
    if strict:
        assert unknown == any('mux_unknown' in s for s in got['signals']), where
    by_name = {s.name: s for s in m.signals}
    for one in got['signals']:
        one.pop('mux_unknown', None)
        wanted = dbc_oracle.signal(by_name[one['name']], data)
        if not in_64_bits(by_name[one['name']], wanted):
            conversion = by_name[one['name']].conversion
            largest = max(abs(wanted['raw'] * conversion.scale), abs(conversion.offset))
            assert math.isclose(one['value'], wanted['value'], rel_tol=0, abs_tol=largest * 2**-51), where
            wanted['value'] = one['value']
        assert one == wanted, where
    return len(names)


def compare_decoding(binaries, path, db, rng):
    cases = [(m, data) for m in dbc_oracle.last_messages(db).values() for data in payloads(m, rng)]
    strict = {id(m): dbc_oracle.is_strict(m) for m in db.messages}
    log = ''.join(log_line(n, m, data) for n, (m, data) in enumerate(cases))
    result = vsoc(binaries, 'decode', '--dbc', path, '--trace', '-', stdin=log.encode())
    if not cases:
        assert result.returncode == 2 and b'no frame' in result.stderr
        return 0, 0
    assert result.returncode == 0, result.stderr.decode()
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line['frame'] for line in lines] == list(range(len(cases)))
    return len(cases), sum(compare_frame(m, strict[id(m)], data, got) for (m, data), got in zip(cases, lines))


def compare_layout(binaries, path, db):
    result = vsoc(binaries, 'show', path)
    assert result.returncode == 0, result.stderr.decode()
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(shown) == len(db.messages)
    shown = {(int(m['id'], 16), len(m['id']) == 8): m for m in shown}
    for key, m in dbc_oracle.last_messages(db).items():
        got = shown[key]
        assert (got['message'], got['length']) == (m.name, m.length)
        assert got['cycle_ms'] == (m.cycle_time or 0), m.name
        assert got['send_type'] == (m.send_type or ''), m.name
        assert got['format'].endswith('CAN_FD') == bool(m.is_fd), m.name
        ours = {s['name']: s for s in got['signals']}
        assert ours.keys() == {s.name for s in m.signals}, m.name
        for s in m.signals:
            compare_signal(m, s, ours[s.name])


def compare_signal(m, s, got):
    where = '%s %s' % (m.name, s.name)
    assert got['name'] == s.name
    assert (got['start'], got['length'], got['big_endian']) == (s.start, s.length, s.byte_order == 'big_endian'), where
    assert got['float'] == s.conversion.is_float, where
    if not s.conversion.is_float:
        assert got['signed'] == s.is_signed, where
    assert (got['factor'], got['offset']) == (float(s.conversion.scale), float(s.conversion.offset)), where
    assert got['unit'] == (s.unit or ''), where
    wanted = (0, 0) if s.minimum is None else (float(s.minimum), float(s.maximum))
    assert (got.get('min', 0), got.get('max', 0)) == wanted, where
    assert got.get('multiplexer', False) == bool(s.is_multiplexer), where
    if 'selected_by' in got:
        assert got['selected_by'] == s.multiplexer_signal, where
        if all(high - low < 70000 for low, high in got['when']):
            ids = {i for low, high in got['when'] for i in range(low, high + 1)}
            assert ids == set(s.multiplexer_ids), where


@pytest.mark.parametrize('path', FILES, ids=lambda p: '%s/%s' % (p.parent.name, p.name))
def test_a_real_description_is_read_and_decoded_as_cantools_does(binaries, path):
    db = dbc_oracle.load(path)
    if isinstance(db, Exception):
        result = vsoc(binaries, 'show', path)
        assert result.returncode == 2 and result.stdout == b'', 'cantools refuses it: %s' % db
        name, line, column, reason = result.stderr.decode().split(':', 3)
        assert name == str(path) and int(line) > 0 and int(column) > 0 and reason.strip()
        return
    compare_layout(binaries, path, db)
    compare_decoding(binaries, path, db, random.Random(SEED))


def test_there_are_real_descriptions(data_dir):
    assert len(FILES) >= 100, 'of 125 real files'


@pytest.mark.parametrize('seed', range(int(os.environ.get('VSOC_DBC_SEEDS', 40))))
def test_a_generated_description_is_read_and_decoded_as_cantools_does(binaries, tmp_path, seed):
    rng = random.Random(SEED + seed)
    path = tmp_path / ('seed%d.dbc' % seed)
    path.write_text(dbc_generator.description(rng), encoding=rng.choice(['cp1252', 'utf-8', 'utf-8-sig']))
    db = dbc_oracle.load(path)
    assert not isinstance(db, Exception), db
    compare_layout(binaries, path, db)
    frames, signals = compare_decoding(binaries, path, db, rng)
    assert frames > 0 and signals > 0


@pytest.mark.parametrize('seed', range(int(os.environ.get('VSOC_DBC_SEEDS', 40))))
def test_a_damaged_description_is_refused_where_cantools_refuses_it(binaries, tmp_path, seed):
    """One character of a good file is removed, doubled or replaced. We may refuse less only where the header says so."""
    rng = random.Random(SEED - seed)
    good = dbc_generator.description(rng)
    at = rng.randrange(len(good))
    bad = good[:at] + rng.choice(['', good[at] * 2, '(', ';', '"', '@', 'x', '7', ' ']) + good[at + 1:]
    path = tmp_path / 'damaged.dbc'
    path.write_text(bad, encoding='cp1252', errors='replace')
    db = dbc_oracle.load(path)
    result = vsoc(binaries, 'show', path)
    assert result.returncode in (0, 2), result.stderr.decode()
    if not isinstance(db, Exception):
        assert result.returncode == 0 or dbc_generator.is_known_strictness(result.stderr.decode()), result.stderr.decode()
    elif result.returncode == 0:
        assert dbc_generator.is_known_tolerance(str(db)), db


HEAD = 'VERSION ""\nBU_: A B\n'
MESSAGE = 'BO_ 100 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" B\n'


@pytest.mark.parametrize('statement, what', [
    ('BO_ 100 N: 8 A\n SG_ T : 8|8@1+ (1,0) [0|0] "" B\n', 'the last of two messages with one identifier counts'),
    ('VAL_ 100 S 1 "one" 1 "uno" ;\n', 'the last of two descriptions of one value counts'),
])
def test_the_later_statement_counts(binaries, tmp_path, statement, what):
    path = tmp_path / 'later.dbc'
    path.write_text(HEAD + MESSAGE + statement)
    result = vsoc(binaries, 'decode', '--dbc', path, '--frame', '064#0102')
    got = json.loads(result.stdout)
    if 'BO_' in statement:
        assert (got['message'], got['signals'][0]['name']) == ('N', 'T'), what
    else:
        assert got['signals'][0]['text'] == 'uno', what


def test_lenient_takes_what_cars_in_the_field_have(binaries, tmp_path):
    path = tmp_path / 'field.dbc'
    path.write_text(HEAD + MESSAGE + 'BO_ 419361536 2nd: 8 A\n SG_ 0_COUNTER : 0|4@1+ (1,0) [0|15] "" B\n'
                    'CM_ "no semicolon"\nVAL_ 100 Gone 1 "x";\n')
    strict = vsoc(binaries, 'show', path)
    assert strict.returncode == 2 and b':5:15:' in strict.stderr and b'--lenient takes the file' in strict.stderr
    lenient = vsoc(binaries, 'decode', '--lenient', '--dbc', path, '--frame', '18FEF300#05')
    assert lenient.returncode == 0, lenient.stderr
    got = json.loads(lenient.stdout)
    assert (got['message'], got['signals'][0]['name'], got['signals'][0]['raw']) == ('2nd', '0_COUNTER', 5)


def test_a_huge_multiplexer_range_costs_nothing(binaries, tmp_path):
    path = tmp_path / 'huge.dbc'
    path.write_text(HEAD + 'BO_ 1 M: 8 A\n SG_ X M : 0|32@1+ (1,0) [0|0] "" B\n SG_ Y m0M : 32|8@1+ (1,0) [0|0] "" B\n'
                    ' SG_ Z m1 : 40|8@1+ (1,0) [0|0] "" B\nSG_MUL_VAL_ 1 Y X 0-4294967295;\nSG_MUL_VAL_ 1 Z Y 5-5, 7-9;\n')
    result = vsoc(binaries, 'decode', '--dbc', path, '--frame', '001#FFFFFFFF082A0000', '--frame', '001#0000000006000000')
    first, second = [json.loads(line)['signals'] for line in result.stdout.splitlines()]
    assert [(s['name'], s['raw']) for s in first] == [('X', 4294967295), ('Y', 8), ('Z', 42)]
    assert [s.get('mux_unknown', False) for s in second] == [False, True]
