#!/usr/bin/env python3
"""Instructions per frame of libvids, by callgrind, which counts the same on every machine.

usage: edge_instructions.py BENCH_EDGE_FRAME        e.g. build/release/bench/bench_edge_frame

Prints one JSON line: all detectors that a learned model of 48 cyclic identifiers arms, the loop around them included."""
import json
import os
import re
import subprocess
import sys
import tempfile

TARGET = 260


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'callgrind.out')
        done = subprocess.run(['valgrind', '--tool=callgrind', '--toggle-collect=run', '--callgrind-out-file=' + out, sys.argv[1], '--once'],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        frames = json.loads(done.stdout)['frames']
        with open(out) as f:
            instructions = int(re.search(r'^(?:totals|summary): (\d+)', f.read(), re.M).group(1))
    per_frame = instructions / frames
    print(json.dumps({'bench': 'edge_instructions', 'unit': 'instructions/frame', 'value': round(per_frame, 1), 'frames': frames,
                      'target': TARGET, 'met': per_frame <= TARGET}))


if __name__ == '__main__':
    main()
