#!/usr/bin/env python3
"""Scores learn and scan on vehicles that do not exist (tests/e2e/can_sim.py): per attack family, and false alarms on clean drives.

usage: edge_vehicles.py VSOC_EDGE FIRST LAST [SECONDS]      e.g. build/release/bin/vsoc-edge 7000 7020

Each seed is a vehicle: cycles of 10 ms to 1 s, jitter up to a fifth of the cycle, senders on a timer of their own or counted
from the last frame, sending on change, pages, on-off and sporadic messages, lost frames, bursts at start, clocks of 1 us, 10 us
or 1 ms, absolute or relative times; every fourth has a logger that holds the bus now and then. Trained on the first 30 s, scored
on the rest. With SECONDS above 90 only the clean drive is scored. Prints one JSON line."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'tests' / 'e2e'))
import can_sim  # noqa: E402

TRAIN_S = 30
KINDS = ['dos', 'id_fuzz', 'payload_fuzz', 'replay_one', 'replay_ordered', 'replay_arbitrary', 'flood_known']


def scan(program, trace, model):
    done = subprocess.run([program, 'scan', trace, '--model', model, '--from', str(TRAIN_S)], capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def score(frames, alarms):
    runs = []
    for f in frames:
        t = f[0] / 1e6
        if f[5] and t >= TRAIN_S:
            if runs and t - runs[-1][1] <= 0.4:
                runs[-1][1] = t
            else:
                runs.append([t, t])
    at = [frames[a['frame']][0] / 1e6 for a in alarms]
    return len(runs), sum(any(s <= t <= e + 0.1 for t in at) for s, e in runs)


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    program, seconds = sys.argv[1], int(sys.argv[4]) if len(sys.argv) == 5 else 90
    total = {'vehicles': 0, 'clean_s': 0, 'false_alarm_episodes': 0, 'families': {k: [0, 0] for k in KINDS + ['suppress']}}
    with tempfile.TemporaryDirectory() as folder:
        log, model = folder + '/a.log', folder + '/m.vids'
        for seed in range(int(sys.argv[2]), int(sys.argv[3])):
            clean = can_sim.drive(can_sim.vehicle(seed), seconds, stalls=0.05 if seed % 4 == 3 else 0)
            shape = dict(resolution_us=[1, 10, 1000][seed % 3], epoch=[0, 1.7e9][seed % 2])
            can_sim.write(log, clean, **shape)
            subprocess.run([program, 'learn', log, '-o', model, '--learn-until', str(TRAIN_S)], check=True, stderr=subprocess.DEVNULL)
            at = sorted(a['time'] for a in scan(program, log, model))
            total['vehicles'] += 1
            total['clean_s'] += seconds - TRAIN_S
            total['false_alarm_episodes'] += sum(1 for i, t in enumerate(at) if i == 0 or t - at[i - 1] > 1)
            for kind in KINDS if seconds <= 90 else []:
                frames, _ = can_sim.attack(clean, kind, seed, TRAIN_S)
                can_sim.write(log, frames, **shape)
                count, found = score(frames, scan(program, log, model))
                total['families'][kind][0] += found
                total['families'][kind][1] += count
            if seconds <= 90:
                frames, target = can_sim.attack(clean, 'suppress', seed, TRAIN_S)
                can_sim.write(log, frames, **shape)
                total['families']['suppress'][0] += any(a['type'] == 'can.silent' and a['id'] == '%03X' % target for a in scan(program, log, model))
                total['families']['suppress'][1] += 1
    if seconds > 90:
        del total['families']
    print(json.dumps(total))


if __name__ == '__main__':
    main()
