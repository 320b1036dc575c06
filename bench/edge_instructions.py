#!/usr/bin/env python3
"""Instructions per frame of libvids, by callgrind, which counts the same on every machine.

usage: edge_instructions.py BENCH_EDGE_FRAME        e.g. build/release/bench/bench_edge_frame

The program runs once with one pass over its frames and once with three; the difference is two passes and nothing else. Prints
one JSON line: all detectors that a learned model of 48 cyclic identifiers arms, the loop around them included."""
import json
import os
import re
import subprocess
import sys
import tempfile

TARGET = 260


def count(program, times):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'callgrind.out')
        done = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=' + out, program, '--times', str(times)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        with open(out) as f:
            return int(re.search(r'^(?:totals|summary): (\d+)', f.read(), re.M).group(1)), json.loads(done.stdout)['frames']


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    one, frames_one = count(sys.argv[1], 1)
    three, frames_three = count(sys.argv[1], 3)
    per_frame = (three - one) / (frames_three - frames_one)
    print(json.dumps({'bench': 'edge_instructions', 'unit': 'instructions/frame', 'value': round(per_frame, 1), 'frames': frames_one,
                      'target': TARGET, 'met': per_frame <= TARGET}))


if __name__ == '__main__':
    main()
