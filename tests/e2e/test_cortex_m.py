"""libvids on a Cortex-M4 (QEMU, MPS2 AN386): the same events as on the host to the byte, and what a frame costs there.

QEMU counts instructions (-icount), so the figures are the same on every machine and may be asserted; a change that makes
the core dearer has to change the bounds below on purpose. R-064."""
import gzip
import json
import re
import subprocess

import pytest

import can_sim

FRAME_INSTRUCTIONS_MAX = 480    # all armed detectors of a learned model, the harness's loop included; the aim is 260
TICK_INSTRUCTIONS_PER_ID_MAX = 27
STACK_BYTES_MAX = 5200          # 4 kB of it is the harness's own text buffer
ATTACKED = 'daga_v40_%s_t0-60.log.gz'


@pytest.fixture(scope='module')
def target(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp('target')
    subprocess.run([root / 'tests/target/build.sh', folder], check=True)
    return folder


def run(command, folder):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def both(target, tmp_path, model, trace):
    """What the host and the controller wrote: their lines, and what the controller counted."""
    run([target / 'run_trace', model, trace, tmp_path / 'host.jsonl'], tmp_path)
    arguments = ','.join('arg=%s' % a for a in ('run_trace', model.name, trace.name, 'm4.jsonl'))
    assert model.parent == trace.parent == tmp_path
    run(['qemu-system-arm', '-M', 'mps2-an386', '-display', 'none', '-monitor', 'none', '-serial', 'none',
         '-icount', 'shift=6,align=off,sleep=off', '-semihosting-config', 'enable=on,target=native,' + arguments,
         '-kernel', target / 'run_trace.elf'], tmp_path)
    host, m4 = ((tmp_path / name).read_text().splitlines() for name in ('host.jsonl', 'm4.jsonl'))
    assert host[:-1] == m4[:-1]
    cost = json.loads(m4[-1])
    assert cost['findings'] == len(m4) - 1 and cost['frames'] == json.loads(host[-1])['frames']
    return m4[:-1], cost


def learn(binaries, trace, until, model):
    subprocess.run([binaries / 'vsoc-edge', 'learn', trace, '--learn-until', str(until), '-o', model], check=True,
                   capture_output=True)


def check_cost(cost):
    assert cost['step_millinstructions'] / 1000 <= FRAME_INSTRUCTIONS_MAX, cost
    assert cost['tick_millinstructions'] / 1000 <= TICK_INSTRUCTIONS_PER_ID_MAX * cost['ids'], cost
    assert 0 < cost['stack_bytes'] <= STACK_BYTES_MAX, cost


@pytest.mark.parametrize('family', ['clean', 'SingleIDReplay_ID_145', 'MessageIDFuzzing', 'DenialOfService_lowestID'])
def test_a_real_drive_gives_the_same_events_on_a_controller(binaries, target, data_dir, tmp_path, family):
    model, trace = tmp_path / 'v40.vids', tmp_path / 'drive.log'
    learn(binaries, data_dir / 'can' / (ATTACKED % 'clean'), 30, model)
    with gzip.open(data_dir / 'can' / (ATTACKED % family), 'rb') as f:
        trace.write_bytes(f.read())
    events, cost = both(target, tmp_path, model, trace)
    assert (len(events) == 0) == (family == 'clean')
    assert cost['frames'] > 90000
    if family == 'clean':
        check_cost(cost)
        print(cost)


def test_a_made_up_vehicle_gives_the_same_events_on_a_controller(binaries, target, tmp_path):
    frames = can_sim.drive(can_sim.vehicle(4711), 60)
    trace, attacked, model = tmp_path / 'clean.log', tmp_path / 'attacked.log', tmp_path / 'v.vids'
    can_sim.write(trace, frames)
    learn(binaries, trace, 40, model)
    can_sim.write(attacked, can_sim.attack(frames, 'id_fuzz', 3, 40)[0])
    events, _ = both(target, tmp_path, model, attacked)
    assert events


def test_the_controller_has_no_heap_and_no_floating_point(target):
    names = subprocess.run(['arm-none-eabi-nm', target / 'run_trace.elf'], check=True, capture_output=True, text=True).stdout
    assert 'vids_step' in names
    assert not re.search(r'\b(_?malloc|_?calloc|_?realloc|_?free|_sbrk|_?printf|fopen|__aeabi_[fd]\w+)$', names, re.M)
