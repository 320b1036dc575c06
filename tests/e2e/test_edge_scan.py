"""`vsoc-edge learn` and `scan` as a user has them: recordings in, JSON lines out (R-051, R-052, R-055, R-071 to R-074).

The real drive is scored as everywhere in this project (tools/can_score.py of the data folder is the same arithmetic): an
injection is found when an alarm lies between its first frame and 100 ms after its last. Nothing is scored on frames that
were trained on. Made-up vehicles ask the same of cycles, jitter and habits that the real drive does not have."""
import gzip
import json
import os
import pathlib
import subprocess

import can_sim
import pytest

TRAIN_S = 30
FAMILIES = ['DenialOfService_lowestID', 'MessageIDFuzzing', 'OrderedSequenceReplay_n_4', 'PayloadFuzzing_ID_2C5', 'SingleIDReplay_ID_145']


@pytest.fixture(scope='module')
def drives():
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(os.environ.get('VSOC_DATA', root.parent / 'shared' / 'data')) / 'can'
    if not folder.is_dir():
        pytest.skip('no recorded drives in %s' % folder)
    return folder


def edge(binaries, *arguments):
    return subprocess.run([binaries / 'vsoc-edge', *map(str, arguments)], capture_output=True, text=True, timeout=300)


def learn(binaries, trace, model, *more):
    done = edge(binaries, 'learn', trace, '-o', model, '--learn-until', TRAIN_S, *more)
    assert done.returncode == 0, done.stderr
    return model


def scan(binaries, trace, *more):
    done = edge(binaries, 'scan', trace, *more)
    assert done.returncode in (0, 1), done.stderr
    alarms = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (1 if alarms else 0)
    return alarms


def injections(times, labels, start):
    runs = []
    for t, bad in zip(times, labels):
        if bad and t >= start:
            if runs and t - runs[-1][1] <= 0.4:
                runs[-1][1] = t
            else:
                runs.append([t, t])
    return runs


def score(times, labels, alarms, start):
    """(injections, found, alarms at no injection)"""
    runs = injections(times, labels, start)
    at = [times[a['frame']] for a in alarms]
    found = sum(any(s <= t <= e + 0.1 for t in at) for s, e in runs)
    stray = sum(not any(s <= t <= e + 0.1 for s, e in runs) for t in at)
    return len(runs), found, stray


def read(folder, name):
    with gzip.open(folder / ('daga_v40_%s_t0-60.log.gz' % name), 'rt') as f:
        times = [float(line[1:line.index(')')]) for line in f if line.startswith('(')]
    with gzip.open(folder / ('daga_v40_%s_t0-60.lab.gz' % name), 'rt') as f:
        return times, [line.strip() == '1' for line in f]


@pytest.fixture(scope='module')
def model(binaries, drives, tmp_path_factory):
    return learn(binaries, drives / 'daga_v40_clean_t0-60.log.gz', tmp_path_factory.mktemp('model') / 'v40.vids')


def test_clean_remainder_of_a_real_drive_is_quiet(binaries, drives, model):
    assert scan(binaries, drives / 'daga_v40_clean_t0-60.log.gz', '--model', model, '--from', TRAIN_S) == []


@pytest.mark.parametrize('family', FAMILIES)
def test_attacks_on_a_real_drive(binaries, drives, model, family):
    times, labels = read(drives, family)
    alarms = scan(binaries, drives / ('daga_v40_%s_t0-60.log.gz' % family), '--model', model, '--from', TRAIN_S)
    count, found, stray = score(times, labels, alarms, TRAIN_S)
    assert count > 20
    assert found == count
    assert stray == 0


@pytest.mark.parametrize('seed', range(2000, 2004))
def test_made_up_vehicles(binaries, tmp_path, seed):
    """Odd seeds stamp at 1 ms or 10 us, some start at an absolute time; clean stays quiet, attacks on a message that runs are found."""
    kinds = ['cyclic'] * 14 + ['change'] * 3 + ['burst']
    clean = can_sim.drive(can_sim.vehicle(seed, kinds=kinds), 60)
    shape = dict(resolution_us=[1, 10, 1000][seed % 3], epoch=[0, 1.7e9][seed % 2])
    can_sim.write(tmp_path / 'clean.log', clean, **shape)
    model = learn(binaries, tmp_path / 'clean.log', tmp_path / 'm.vids')
    assert scan(binaries, tmp_path / 'clean.log', '--model', model, '--from', TRAIN_S) == []
    for kind in ['dos', 'id_fuzz', 'payload_fuzz', 'replay_one', 'replay_ordered', 'replay_arbitrary', 'flood_known']:
        frames, _ = can_sim.attack(clean, kind, seed, TRAIN_S)
        can_sim.write(tmp_path / 'attack.log', frames, **shape)
        alarms = scan(binaries, tmp_path / 'attack.log', '--model', model, '--from', TRAIN_S)
        count, found, _ = score([f[0] / 1e6 for f in frames], [f[5] for f in frames], alarms, TRAIN_S)
        assert found >= 0.9 * count, (kind, found, count)
    frames, target = can_sim.attack(clean, 'suppress', seed, TRAIN_S)
    can_sim.write(tmp_path / 'attack.log', frames, **shape)
    silent = [a for a in scan(binaries, tmp_path / 'attack.log', '--model', model, '--from', TRAIN_S) if a['type'] == 'can.silent']
    assert [a['id'] for a in silent] == ['%03X' % target]


def test_two_buses_in_one_recording(binaries, tmp_path):
    both = sorted(can_sim.drive(can_sim.vehicle(1, 'can0', 12, ['cyclic']), 60) + can_sim.drive(can_sim.vehicle(2, 'can1', 12, ['cyclic']), 60), key=lambda f: f[0])
    can_sim.write(tmp_path / 'both.log', both)
    model = learn(binaries, tmp_path / 'both.log', tmp_path / 'm.vids')
    assert scan(binaries, tmp_path / 'both.log', '--model', model, '--from', TRAIN_S) == []
    stray = next(f for f in both if f[1] == 'can0' and f[0] > 40e6)
    wrong = sorted(both + [[stray[0] + 1, 'can1', *stray[2:]]], key=lambda f: f[0])
    can_sim.write(tmp_path / 'wrong.log', wrong)
    alarms = scan(binaries, tmp_path / 'wrong.log', '--model', model, '--from', TRAIN_S)
    assert [(a['type'], a['bus'], a['bus_expected']) for a in alarms] == [('can.wrong_segment', 'can1', 'can0')]
    assert scan(binaries, tmp_path / 'wrong.log', '--model', model, '--from', TRAIN_S, '--bus', 'can0') == []


def test_adapter_of_another_name_is_the_same_bus(binaries, tmp_path):
    frames = can_sim.drive(can_sim.vehicle(5, 'can0', 10, ['cyclic']), 45)
    can_sim.write(tmp_path / 'a.log', frames)
    can_sim.write(tmp_path / 'b.log', [[f[0], 'vcan3', *f[2:]] for f in frames] + [[frames[-1][0] + 1, 'vcan3', 0x7FE, 1, b'x', 1]])
    alarms = scan(binaries, tmp_path / 'b.log', '--learn', tmp_path / 'a.log')
    assert [(a['type'], a['bus'], a['id'], a['frame']) for a in alarms] == [('can.unknown_id', 'vcan3', '7FE', len(frames))]


DBC = '''VERSION ""
NS_ :
BS_:
BU_: A
BO_ 256 Engine: 8 A
 SG_ Speed : 0|16@1+ (0.1,0) [0|250] "km/h" A
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 256 10;
'''


def test_description_alone(binaries, tmp_path):
    """R-071 to R-073 word for word: an id outside the DBC, a 10 ms message at 1 ms, a value one step above its range."""
    (tmp_path / 'n.dbc').write_text(DBC)
    lines = ['(%.6f) can0 100#C409%04X00000000' % (k / 100, k) for k in range(300)]
    (tmp_path / 'ok.log').write_text('\n'.join(lines) + '\n')
    assert scan(binaries, tmp_path / 'ok.log', '--dbc', tmp_path / 'n.dbc') == []
    fast = ['(%.6f) can0 100#C409%04X00000000' % (3 + k / 1000, k) for k in range(200)]
    (tmp_path / 'bad.log').write_text('\n'.join(lines + fast + ['(4.0) can0 101#00', '(5.0) can0 100#C509000000000000']).replace('4.0)', '4.000000)').replace('5.0)', '5.000000)') + '\n')
    types = {a['type'] for a in scan(binaries, tmp_path / 'bad.log', '--dbc', tmp_path / 'n.dbc')}
    assert {'can.cycle_too_fast', 'can.unknown_id', 'can.signal_out_of_range'} <= types


def test_bad_input_is_named(binaries, tmp_path):
    (tmp_path / 'not.vids').write_bytes(b'VIDS' + bytes(100))
    (tmp_path / 'ok.log').write_text('(0.000000) can0 100#00\n')
    (tmp_path / 'bad.log').write_text('(0.000000) can0 100#00\n(0.1 nonsense\n')
    for arguments, word in [(('scan', tmp_path / 'ok.log', '--model', tmp_path / 'not.vids'), 'not.vids'), (('scan', tmp_path / 'missing.log'), 'missing.log'),
                            (('scan', tmp_path / 'bad.log'), 'bad.log:2'), (('learn', tmp_path / 'bad.log', '-o', tmp_path / 'm'), 'bad.log:2'),
                            (('scan', tmp_path / 'ok.log', '--from', 'soon'), 'usage'), (('learn', tmp_path / 'ok.log'), 'usage')]:
        done = edge(binaries, *arguments)
        assert done.returncode == 2, arguments
        assert word in done.stderr, arguments


def test_the_same_recording_gives_the_same_model_and_the_same_lines(binaries, tmp_path):
    frames, _ = can_sim.attack(can_sim.drive(can_sim.vehicle(9, count=12), 50), 'payload_fuzz', 9, TRAIN_S)
    can_sim.write(tmp_path / 'a.log', frames)
    one, two = learn(binaries, tmp_path / 'a.log', tmp_path / '1.vids'), learn(binaries, tmp_path / 'a.log', tmp_path / '2.vids')
    assert one.read_bytes() == two.read_bytes()
    assert scan(binaries, tmp_path / 'a.log', '--model', one) == scan(binaries, tmp_path / 'a.log', '--model', two)
