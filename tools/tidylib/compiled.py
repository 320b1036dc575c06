"""What only a compiler can say: every header compiles alone, and the vehicle's core needs nothing but a few string functions.

The core (layers.VEHICLE) is compiled here, apart from the build, so that the proof needs no build directory and no
sanitizer gets between: nm then lists what each object needs and which data it may change, and the call graph that gcc
writes shows recursion. Objects are kept in build/tidy under the hash of everything that went into them."""
import concurrent.futures
import hashlib
import os
import re
import subprocess

from .layers import extra, is_vehicle
from .tree import Finding

CC = os.environ.get('CC', 'gcc')
CACHE = 'build/tidy'
BASE = ['-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-Isrc', '-Isim', '-I.']
# No inlining, so that the call graph and the needed symbols are those of the source.
PROOF = ['-O1', '-fno-inline', '-fno-optimize-sibling-calls', '-fno-pic', '-fno-stack-protector', '-U_FORTIFY_SOURCE', '-fcallgraph-info=su']
# Paths that a microcontroller without a floating point unit runs: the compiler may not touch a float register there.
NO_FLOAT_DIRS = ('src/core/', 'src/event/', 'src/edge/can/', 'src/gateway/')
# What becomes libvids.
VIDS_DIRS = ('src/edge/can/', 'src/edge/eth/')
# All that the core may need from outside: string functions that every freestanding library has, the assert hook, and the
# integer helpers of the compiler's own library.
NEEDED_OK = {'memcpy', 'memset', 'memcmp', 'memmove', 'memchr', 'strlen', 'strnlen', 'strcmp', 'strncmp', 'strchr', '__assert_fail',
             '__popcountdi2', '__clzdi2', '__ctzdi2', '__udivti3', '__umodti3', '__divti3', '__modti3', '__multi3'}
# Pure functions of numbers, where floating point is allowed at all.
NEEDED_EXTRA = {'src/codec/': {'ldexp', 'frexp', 'floor', 'ceil', 'round', 'trunc', 'rint', 'nearbyint', 'fmod'}}


class Object:
    """One compiled source: what it needs, what it defines, which data it may change, who calls whom."""

    def __init__(self, name, error='', symbols='', graph=''):
        self.name, self.error = name, error
        self.needed, self.defined, self.exported, self.mutable = set(), set(), set(), set()
        for line in symbols.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == 'U':
                self.needed.add(symbol)
            else:
                self.defined.add(symbol)
                if kind.isupper():
                    self.exported.add(symbol)
            if kind in 'bBdDC':
                self.mutable.add(symbol)
        edges = re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', graph)
        self.calls = {(a, b) for a, b in edges}


def _hash_of(tree, names):
    h = hashlib.sha256(subprocess.run([CC, '--version'], capture_output=True).stdout + repr([BASE, PROOF]).encode())
    for name in names:
        h.update(name.encode() + b'\0' + tree.data(name))
    return h


def _in_parallel(work, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def _first_error(output):
    """(line, text) of the first error in a compiler's output."""
    m = re.search(r'^[^\n:]+:(\d+):\d+: (?:fatal )?error: ([^\n]*)', output, re.M)
    return (int(m.group(1)), m.group(2)) if m else (0, (output.strip().splitlines() or ['the compiler failed'])[0])


def _kept(tree, key):
    os.makedirs(tree.path(CACHE), exist_ok=True)
    return tree.path(os.path.join(CACHE, key))


def check_headers_alone(tree):
    """Each header as the only content of a file."""
    headers = tree.select(('.h',), ('src/', 'sim/'), generated=True)
    all_headers = _hash_of(tree, headers)

    def compile_one(name):
        h = all_headers.copy()
        h.update(name.encode())
        mark = _kept(tree, h.hexdigest()[:24] + '.ok')
        if os.path.exists(mark):
            return None
        run = subprocess.run([CC, *BASE, '-Wno-unused-function', '-fsyntax-only', '-x', 'c', '-include', name, '/dev/null'],
                             cwd=tree.root, capture_output=True, text=True)
        if run.returncode == 0:
            open(mark, 'w').close()
            return None
        line, text = _first_error(run.stderr)
        return Finding(name, line, 'does not compile alone: ' + text, 'include what it uses, or declare the struct forward')

    yield from filter(None, _in_parallel(compile_one, headers))


def compile_vehicle(tree):
    sources = [n for n in tree.select(('.c',), ('src/',), generated=True) if is_vehicle(n)]
    headers = [n for n in tree.select(('.h',), ('src/',), generated=True)]
    all_headers = _hash_of(tree, headers)

    def compile_one(name):
        h = all_headers.copy()
        h.update(name.encode() + b'\0' + tree.data(name))
        stem = _kept(tree, h.hexdigest()[:24])
        if not os.path.exists(stem + '.o'):
            no_float = ['-mgeneral-regs-only'] if name.startswith(NO_FLOAT_DIRS) else []
            # To a name of its own first: two runs at once must not read half an object.
            part = '%s.%d' % (stem, os.getpid())
            run = subprocess.run([CC, *BASE, *PROOF, *no_float, '-c', name, '-o', part + '.o'], cwd=tree.root, capture_output=True, text=True)
            if run.returncode != 0:
                return Object(name, error=run.stderr)
            os.replace(part + '.ci', stem + '.ci')
            os.replace(part + '.o', stem + '.o')
        symbols = subprocess.run(['nm', stem + '.o'], capture_output=True, text=True, check=True).stdout
        with open(stem + '.ci') as f:
            return Object(name, symbols=symbols, graph=f.read())

    return _in_parallel(compile_one, sources)


def find_cycle(calls):
    """A list of functions that call each other in a circle, or None. Depth first, with an own stack."""
    graph = {}
    for a, b in sorted(calls):
        graph.setdefault(a, []).append(b)
    done = set()
    for start in graph:
        path, stack = [], [(start, iter(graph.get(start, ())))]
        path.append(start)
        while stack:
            node, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                path.pop()
                done.add(node)
            elif target in path:
                return path[path.index(target):]
            elif target not in done:
                path.append(target)
                stack.append((target, iter(graph.get(target, ()))))
    return None


def check_vehicle(tree):
    """No heap, no stdio, no float where there is no unit for it, no hidden state, no recursion; libvids exports vids_* only, the Ethernet part eids_*."""
    objects = compile_vehicle(tree)
    at_home = set().union(*(o.defined for o in objects))
    for o in objects:
        if o.error:
            line, text = _first_error(o.error)
            fix = 'use integers in fixed units' if 'SSE' in text else 'mend it'
            yield Finding(o.name, line, text, fix)
            continue
        for symbol in sorted(o.needed - at_home - NEEDED_OK - extra(NEEDED_EXTRA, o.name)):
            yield Finding(o.name, _line_with(tree, o.name, symbol), 'needs %s, which the vehicle does not have' % symbol,
                          'take what it gives as an argument or a small contract')
        for symbol in sorted(o.exported if o.name.startswith(VIDS_DIRS) else ()):
            prefix = 'eids_' if o.name.startswith('src/edge/eth/') else 'vids_'
            if not symbol.startswith(prefix):
                yield Finding(o.name, _line_with(tree, o.name, symbol), 'libvids exports %s' % symbol,
                              'make it static, or give it the prefix %s: the library lives in other people\'s firmware' % prefix)
        for symbol in sorted(o.mutable):
            plain = symbol.split('.')[0]
            yield Finding(o.name, _line_with(tree, o.name, plain), 'static data that can change: %s' % plain, 'put it into the context that the caller passes')
    cycle = find_cycle(set().union(*(o.calls for o in objects)))
    if cycle:
        names = [c.split(':')[-1] for c in cycle]
        owner = next((o.name for o in objects if any(a == cycle[0] for a, _ in o.calls)), 'src/')
        yield Finding(owner, _line_with(tree, owner, names[0]), 'recursion: %s' % ' -> '.join(names + names[:1]), 'use a loop with a stack of named size')


def _line_with(tree, name, word):
    if name not in tree.files:
        return 0
    m = re.search(r'\b%s\b' % re.escape(word), tree.code(name))
    return tree.code(name).count('\n', 0, m.start()) + 1 if m else 0
