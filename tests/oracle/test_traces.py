"""Recordings against python-can: the same frames, in the same order, with the same bytes.

`vsoc dbc decode` is asked with a description that has one byte per signal for every identifier, so that it says what
it read. Known and wanted differences: a classic ASC line with a dlc above 15 is an FD frame of that many bytes for us,
python-can keeps 8 of them; a CANFD line of no bytes is a remote request only when its flags say so; relative ASC time
stamps are added up, python-can takes them for absolute. R-249."""
import gzip
import json
import pathlib
import random
import subprocess
import warnings

import can
import pytest

DATA = pathlib.Path(__file__).resolve().parents[2] / '../shared/data'
ASC = sorted(DATA.glob('can-formats/*.asc*'))
TRC = sorted(DATA.glob('can-formats/*.trc'))
BLF = sorted(DATA.glob('can-formats/*.blf'))
LOGS = sorted(DATA.glob('can/*.log.gz'))


def description(ids):
    lines = ['VERSION ""\nBU_: A\n']
    for i, (number, extended) in enumerate(sorted(ids)):
        lines.append('BO_ %d M%d: 64 A\n' % (number | (extended << 31), i))
        lines += [' SG_ B%d : %d|8@1+ (1,0) [0|0] "" A\n' % (b, 8 * b) for b in range(64)]
    return ''.join(lines)


def ours(binaries, tmp_path, trace, ids, code=0):
    dbc = tmp_path / 'bytes.dbc'
    dbc.write_text(description(ids))
    result = subprocess.run([binaries / 'vsoc', 'dbc', 'decode', '--dbc', dbc, '--trace', trace], capture_output=True, timeout=300)
    assert result.returncode == code, result.stderr.decode()
    frames = []
    for line in map(json.loads, result.stdout.splitlines()):
        kind = line.get('type', 'data')
        number = None if kind == 'error' else (int(line['id'], 16), len(line['id']) == 8)
        frames.append((line['time'], line['bus'], kind, number, bytes(s['raw'] for s in line['signals'])))
    return frames


def theirs(messages):
    frames = []
    for m in messages:
        kind = 'error' if m.is_error_frame else 'remote' if m.is_remote_frame else 'data'
        number = None if kind == 'error' else (m.arbitration_id, m.is_extended_id)
        frames.append((m.timestamp, m.channel, kind, number, bytes(m.data) if kind == 'data' else b''))
    return frames


def ids_of(frames):
    return {number for _, _, _, number, _ in frames if number}


def compare(got, wanted, channel):
    assert len(got) == len(wanted)
    for ours_, theirs_ in zip(got, wanted):
        assert ours_[0] == pytest.approx(theirs_[0], abs=2e-6)
        assert theirs_[1] is None or ours_[1] == channel(theirs_[1])
        assert ours_[2:] == theirs_[2:]


def asc_frames(path):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return theirs(can.LogReader(path) if path.suffix == '.gz' else can.ASCReader(path))


@pytest.mark.parametrize('path', ASC, ids=lambda p: p.name)
def test_a_real_asc_log_has_the_frames_python_can_finds(binaries, tmp_path, path):
    wanted = asc_frames(path)
    assert wanted
    if path.name == 'single_frame.asc':
        got = ours(binaries, tmp_path, path, ids_of(wanted))
        assert [f[2:] for f in got] == [('data', (0x123, True), bytes(range(64)))]
        return
    compare(ours(binaries, tmp_path, path, ids_of(wanted)), wanted, lambda channel: str(channel + 1))


def same_but_for_time(got, wanted, channel):
    """Our times begin with the measurement, python-can adds its date where the file has one."""
    shift = wanted[0][0] - got[0][0]
    compare(got, [(f[0] - shift, *f[1:]) for f in wanted], channel)


@pytest.mark.parametrize('path', TRC, ids=lambda p: p.name)
def test_a_real_peak_trace_has_the_frames_python_can_finds(binaries, tmp_path, path):
    wanted = theirs(can.TRCReader(path))
    assert len(wanted) > 1
    same_but_for_time(ours(binaries, tmp_path, path, ids_of(wanted)), wanted, str)


@pytest.mark.parametrize('path', BLF, ids=lambda p: p.name)
def test_a_real_vector_blf_has_the_frames_python_can_finds(binaries, tmp_path, path):
    # Vector's own samples have identifiers of 27 bits without the mark of 29-bit ones; for us they have it.
    wanted = [(*f[:3], f[3] and (f[3][0], f[3][1] or f[3][0] > 0x7FF), f[4]) for f in theirs(can.BLFReader(path))]
    assert wanted
    same_but_for_time(ours(binaries, tmp_path, path, ids_of(wanted)), wanted, lambda channel: str(channel + 1))


@pytest.mark.parametrize('path', LOGS, ids=lambda p: p.name)
def test_a_real_candump_log_has_the_frames_python_can_finds(binaries, tmp_path, path):
    with gzip.open(path, 'rt') as log:
        wanted = theirs(can.CanutilsLogReader(log))
    assert len(wanted) > 90000
    wanted = wanted[:20000]
    head = tmp_path / 'head.log.gz'
    with gzip.open(path, 'rt') as log, gzip.open(head, 'wt') as out:
        out.writelines(line for line, _ in zip(log, range(20000)))
    compare(ours(binaries, tmp_path, head, ids_of(wanted)), wanted, str)


def random_message(rng, t, channels):
    extended = rng.random() < 0.4
    number = rng.choice([1, 0x7F, 0x1FFFFFFE if extended else 0x7FE, rng.randrange(1 << (29 if extended else 11))])
    kind = rng.choice(['data', 'data', 'data', 'fd', 'fd', 'remote'])
    length = rng.choice([0, 1, 7, 8, 12, 20, 24, 48, 64]) if kind == 'fd' else rng.randrange(9)
    return can.Message(timestamp=t, arbitration_id=number, is_extended_id=extended, is_fd=kind == 'fd',
                       is_remote_frame=kind == 'remote', bitrate_switch=kind == 'fd' and rng.random() < 0.5,
                       dlc=length, data=b'' if kind == 'remote' else rng.randbytes(length), is_rx=rng.random() < 0.7,
                       channel=rng.choice(channels))


def random_messages(seed, channels, start):
    rng, t = random.Random(seed), start
    for _ in range(400):
        t += rng.randrange(1, 50000) / 1e6
        yield random_message(rng, round(t, 6), channels)


@pytest.mark.parametrize('seed', range(5))
def test_a_candump_log_by_python_can_reads_back(binaries, tmp_path, seed):
    path = tmp_path / 'made.log'
    messages = list(random_messages(seed, ['can0', 'vcan1', 'x'], 1.7e9))
    with can.CanutilsLogWriter(path) as writer:
        for m in messages:
            writer.on_message_received(m)
    wanted = theirs(messages)
    compare(ours(binaries, tmp_path, path, ids_of(wanted)), wanted, str)


@pytest.mark.parametrize('seed', range(5))
def test_an_asc_log_by_python_can_reads_back(binaries, tmp_path, seed):
    path = tmp_path / 'made.asc'
    # An empty FD frame is written without the flags that tell it from a remote request of python-can's.
    messages = [m for m in random_messages(seed, [0, 1, 7], 0) if not (m.is_fd and m.dlc == 0)]
    with can.ASCWriter(path) as writer:
        for m in messages:
            writer.on_message_received(m)
    wanted = theirs(messages)
    first = wanted[0][0]
    compare(ours(binaries, tmp_path, path, ids_of(wanted)), [(f[0] - first, *f[1:]) for f in wanted], lambda c: str(c + 1))


@pytest.mark.parametrize('seed', range(3))
def test_a_peak_trace_by_python_can_reads_back(binaries, tmp_path, seed):
    path = tmp_path / 'made.trc'
    messages = [m for m in random_messages(seed, [1, 2, 7], 1.7e9) if not m.is_fd and not m.is_remote_frame]
    with can.TRCWriter(path) as writer:
        for m in messages:
            writer.on_message_received(m)
    wanted = [f for f in theirs(messages)]
    got = ours(binaries, tmp_path, path, ids_of(wanted))
    shift = wanted[0][0] - got[0][0]
    assert len(got) == len(wanted)
    for g, w in zip(got, wanted):
        assert g[0] == pytest.approx(w[0] - shift, abs=1e-3)  # the writer rounds to milliseconds with three digits
        assert g[1:] == (str(w[1] + 1), *w[2:])


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('container', [200, 1000, 128 * 1024])
@pytest.mark.parametrize('level', [0, 9])
def test_a_vector_blf_by_python_can_reads_back(binaries, tmp_path, seed, container, level):
    """Small containers cut most objects in two. An FD frame of python-can's remote kind does not exist."""
    path = tmp_path / 'made.blf'
    messages = list(random_messages(seed, [0, 1, 7], 1.7e9))
    with can.BLFWriter(path, compression_level=level, max_container_size=container) as writer:
        for m in messages:
            writer.on_message_received(m)
    wanted = theirs(messages)
    same_but_for_time(ours(binaries, tmp_path, path, ids_of(wanted)), wanted, lambda channel: str(channel + 1))


def scapy_packet(m):
    from scapy.layers.can import CAN, CANFD
    flags = ('extended' if m.is_extended_id else '') + ('+remote_transmission_request' if m.is_remote_frame else '')
    if m.is_fd:
        return CANFD(identifier=m.arbitration_id, flags=flags.strip('+'), fd_flags=4 | m.bitrate_switch, data=bytes(m.data))
    return CAN(identifier=m.arbitration_id, flags=flags.strip('+'), length=m.dlc, data=bytes(m.data))


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('form', ['pcap', 'pcap-ns', 'pcap-big', 'pcapng', 'gzip'])
def test_a_capture_by_scapy_reads_back(binaries, tmp_path, seed, form):
    from scapy.utils import PcapNgWriter, RawPcapWriter
    path = tmp_path / 'made.cap'
    messages = list(random_messages(seed, ['can0'], 1.7e9))
    if form == 'pcapng':
        writer = PcapNgWriter(str(path))
    else:
        writer = RawPcapWriter(str(path), linktype=227, nano=form == 'pcap-ns', endianness='>' if form == 'pcap-big' else '<',
                               gz=form == 'gzip')
        writer.write_header(None)
    for m in messages:
        packet = scapy_packet(m)
        packet.time = m.timestamp
        if form == 'pcapng':
            writer.write(packet)
        else:
            s, us = divmod(round(m.timestamp * 1e6), 1000000)
            writer.write_packet(bytes(packet), sec=s, usec=us * 1000 if form == 'pcap-ns' else us)
    writer.close()
    wanted = [(f[0], '', *f[2:]) for f in theirs(messages)]
    compare(ours(binaries, tmp_path, path, ids_of(wanted)), wanted, lambda channel: '')


def test_relative_time_stamps_are_added_up(binaries, tmp_path):
    path = tmp_path / 'relative.asc'
    path.write_text('date Die Mär 3 07:08:09 2026\nbase dec timestamps relative\n   0.000000 Start of measurement\n'
                    '   0.500000 1  291 Rx d 2 10 255\n   0.250000 CAN 1 Status:chip status error active\n'
                    '   0.250000 2  419361536x Tx d 1 07 Length = 1\n')
    got = ours(binaries, tmp_path, path, {(0x123, False), (0x18FEF300, True)})
    assert got == [(0.5, '1', 'data', (0x123, False), b'\x0a\xff'), (1.0, '2', 'data', (0x18FEF300, True), b'\x07')]


def test_a_second_trigger_block_goes_on_with_its_date(binaries, tmp_path):
    path = tmp_path / 'blocks.asc'
    path.write_text('date Tue Mar 3 07:00:00 am 2026\nbase hex timestamps absolute\nBegin Triggerblock Tue Mar 3 07:00:00 am 2026\n'
                    ' 5.000000 1 123 Rx d 0\nEnd TriggerBlock\nBegin Triggerblock Tue Mar 3 07:01:00 am 2026\n'
                    ' 0.500000 1 123 Rx d 0\nEnd TriggerBlock\n')
    assert [f[0] for f in ours(binaries, tmp_path, path, {(0x123, False)})] == [5.0, 60.5]


@pytest.mark.parametrize('text, line, column, reason', [
    ('(1.0) can0 123#112\n', 1, 18, 'unexpected text'),
    ('# note\n(1.0) can0 12345#00:00:00000000#11\n', 2, 12, 'CAN XL'),
    ('(1.0) can0 123#11\n(2.0) can0 8FF#\n', 2, 12, '11-bit identifier'),
    ('date x\nbase hex timestamps absolute\n1.0 1 123 Rx d 2 11\n', 3, 20, 'expected a data byte'),
])
def test_a_bad_line_is_named_with_its_place(binaries, tmp_path, text, line, column, reason):
    path = tmp_path / 'bad.log'
    path.write_text(text)
    dbc = tmp_path / 'empty.dbc'
    dbc.write_text('VERSION ""\n')
    result = subprocess.run([binaries / 'vsoc', 'dbc', 'decode', '--dbc', dbc, '--trace', path], capture_output=True, text=True)
    assert result.returncode == 2
    assert '%s:%d:%d: ' % (path, line, column) in result.stderr and reason in result.stderr


@pytest.mark.parametrize('content, reason', [
    (b'', 'no frame in it'), (b'hello\nworld\n', 'no frame in it'), (b'LOGG\x90\0\0\0', 'ends within its header'), (b'MZ\x90\0\n', 'binary file'),
    (b'\xd4\xc3\xb2\xa1\x03\0\4\0' + b'\0' * 16, 'only version 2'), (b'\n\r\r\n\x1c\0\0\0MAGI' + b'\0' * 16, 'magic number'),
    (gzip.compress(b'(1.0) can0 123#11\n' * 9999)[:-40], 'unpacking failed'), (b'(1.0) can0 123#' + b'1' * 600000, 'longer than any frame'),
])
def test_what_is_no_recording_is_refused(binaries, tmp_path, content, reason):
    path = tmp_path / 'what'
    path.write_bytes(content)
    dbc = tmp_path / 'empty.dbc'
    dbc.write_text('VERSION ""\n')
    result = subprocess.run([binaries / 'vsoc', 'dbc', 'decode', '--dbc', dbc, '--trace', path], capture_output=True, text=True)
    assert result.returncode == 2 and reason in result.stderr, result.stderr
