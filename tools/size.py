#!/usr/bin/env python3
"""Code, constants and stack of the vehicle's core, compiled for size: per source file, and in total.

usage: tools/size.py [--cc COMPILER] [--flags "FLAGS"] [--json]

A cross compiler gives the figures of its machine, e.g.
  tools/size.py --cc arm-none-eabi-gcc --flags "-mcpu=cortex-m4 -mthumb"
`stack` is the largest frame of one function; `path` is the deepest chain of frames below any function, calls through
pointers left out. Data that can change is 0 by the rule that `make tidy` proves."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tidylib.layers import is_vehicle  # noqa: E402
from tidylib.tree import Tree  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def compile_one(cc, flags, name, folder):
    stem = os.path.join(folder, name.replace('/', '_')[:-2])
    subprocess.run([cc, '-std=c17', '-Os', '-ffunction-sections', '-fdata-sections', '-fno-pic', '-Isrc', '-D_GNU_SOURCE', '-fcallgraph-info=su',
                    *flags, '-c', name, '-o', stem + '.o'], cwd=ROOT, check=True)
    out = subprocess.run([cc.replace('gcc', 'size') if cc.endswith('-gcc') else 'size', stem + '.o'], check=True, capture_output=True, text=True).stdout
    text, data, bss = (int(w) for w in out.splitlines()[1].split()[:3])
    with open(stem + '.ci') as f:
        graph = f.read()
    frames = {t: int(n) for t, n in re.findall(r'node: \{ title: "([^"]+)"[^\n]*?\\n(\d+) bytes \(', graph)}
    calls = re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', graph)
    return {'file': name, 'text': text, 'data': data + bss, 'stack': max(frames.values(), default=0)}, frames, calls


def deepest(frames, calls):
    """Bytes of the deepest chain; there is no recursion (tools/tidy.py proves it), so the graph has an end."""
    below, callees = {}, {}
    for a, b in calls:
        callees.setdefault(a, set()).add(b)
    order, seen = [], set()
    for start in frames:
        stack = [(start, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(c, False) for c in callees.get(node, ())]
    for node in order:
        below[node] = frames.get(node, 0) + max((below.get(c, 0) for c in callees.get(node, ())), default=0)
    return max(below.values(), default=0)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--cc', default='gcc')
    p.add_argument('--flags', default='')
    p.add_argument('--json', action='store_true', help='one JSON object per file, then the total')
    args = p.parse_args()
    rows, frames, calls = [], {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in Tree(ROOT).select(('.c',), ('src/',), generated=True) if is_vehicle(n)):
            row, f, c = compile_one(args.cc, args.flags.split(), name, folder)
            rows.append(row)
            frames.update(f)
            calls += c
    total = {'file': 'total', 'text': sum(r['text'] for r in rows), 'data': sum(r['data'] for r in rows), 'stack': max(r['stack'] for r in rows),
             'path': deepest(frames, calls)}
    for row in rows + [total]:
        if args.json:
            print(json.dumps(row))
        else:
            print('%-36s text %7d  data %5d  stack %5d%s' % (row['file'], row['text'], row['data'], row['stack'],
                                                             '  path %d' % row['path'] if 'path' in row else ''))


if __name__ == '__main__':
    try:
        main()
    except subprocess.CalledProcessError as e:
        sys.exit('tools/size.py: %s failed' % e.cmd[0])
