#!/usr/bin/env python3
"""The house rules, checked. Needs Python's own library, gcc and nm.

usage: tools/tidy.py [--root DIR] [--list] [CHECK...]

Prints one line per finding: file:line: what is wrong [check] what to do. Exits 1 when there is one, 2 on bad usage.
docs/principles.md says why the rules are as they are. A check is a function that takes a Tree and yields Findings;
tests/tidy/ proves of each one that it can fail."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tidylib import calls, compiled, dead, layers, sizes, text  # noqa: E402
from tidylib.tree import Finding, Tree  # noqa: E402


def check_schema(tree):
    """Generated files follow from schema/."""
    generator = tree.path('tools/gen_schema.py')
    if not os.path.exists(generator):
        return
    run = subprocess.run([tree.path('tools/python.sh'), generator, '--check'], capture_output=True, text=True)
    stale = [l.split()[-1] for l in run.stdout.splitlines() if l.startswith('stale:')]
    for name in stale:
        yield Finding(name, 0, 'differs from what schema/ gives', 'run tools/gen_schema.py')
    if run.returncode != 0 and not stale:
        yield Finding('tools/gen_schema.py', 0, (run.stderr or run.stdout).strip().splitlines()[-1], 'mend the schema')


CHECKS = {
    'includes': layers.check_includes,
    'headers': layers.check_headers,
    'calls': calls.check_calls,
    'sizes': sizes.check_sizes,
    'blobs': sizes.check_blobs,
    'text': text.check_text,
    'dead': dead.check_dead_files,
    'schema': check_schema,
    'alone': compiled.check_headers_alone,
    'vehicle': compiled.check_vehicle,
}


def main(arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if arguments[:1] == ['--list']:
        for name, check in CHECKS.items():
            print('%-9s %s' % (name, (check.__doc__ or '').strip().split('\n')[0]))
        return 0
    if arguments[:1] == ['--root'] and len(arguments) > 1:
        root, arguments = os.path.abspath(arguments[1]), arguments[2:]
    unknown = [a for a in arguments if a not in CHECKS]
    if unknown:
        print('tools/tidy.py: no check %s; see tools/tidy.py --list' % ', '.join(unknown), file=sys.stderr)
        return 2
    start = time.monotonic()
    tree = Tree(root)
    findings = [(f, name) for name in arguments or CHECKS for f in CHECKS[name](tree)]
    for f, name in sorted(findings):
        print('%s:%d: %s [%s] %s' % (f.path, f.line, f.text, name, f.fix))
    print('tidy: %d files, %d checks, %d findings, %.1f s' % (len(tree.files), len(arguments or CHECKS), len(findings), time.monotonic() - start))
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
