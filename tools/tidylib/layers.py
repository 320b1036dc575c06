"""Layers are folders and includes point down: the one table that says what may include what, and its check."""
import re

from .tree import Finding

BACKEND = ('core', 'event', 'codec', 'base', 'stream', 'store')

# Folder under src/ -> the folders it may include besides itself. A folder that is not here is an error.
LAYERS = {
    'core': (),
    'event': ('core',),
    'codec': ('core', 'event'),
    'edge': ('core', 'event', 'codec'),
    'gateway': ('core', 'event', 'codec', 'edge'),
    'base': ('core', 'event', 'codec'),
    'stream': ('core', 'event', 'codec', 'base'),
    'store': ('core', 'event', 'codec', 'base'),
    'ingest': BACKEND,
    'detect': BACKEND,
    'respond': BACKEND,
    'comply': BACKEND,
    'api': BACKEND + ('ingest', 'detect', 'respond', 'comply'),
    'app': BACKEND + ('edge', 'gateway', 'ingest', 'detect', 'respond', 'comply', 'api', 'sim'),
}
# Programs beside src/ and what they may not include.
ABOVE = {'sim': ('app',), 'tests': (), 'fuzz': ('app',), 'bench': ()}

# The part of the vehicle that runs without an operating system: no heap, no stdio, no clock, no mutable static data.
VEHICLE = ('src/core/', 'src/event/', 'src/codec/', 'src/edge/can/', 'src/edge/eth/', 'src/gateway/')
# The gateway's side towards network, files and tests; everything else of the gateway is core.
NOT_VEHICLE = re.compile(r'^src/gateway/(uplink|port_)[^/]*$')
FREESTANDING_HEADERS = {'assert.h', 'inttypes.h', 'limits.h', 'stdalign.h', 'stdarg.h', 'stdatomic.h', 'stdbool.h', 'stddef.h', 'stdint.h',
                        'stdnoreturn.h', 'string.h'}
# Codecs may hold what a file format says in floating point (a DBC's factor); codecs that a microcontroller runs do not.
FREESTANDING_EXTRA = {'src/codec/': {'math.h'}}
# A header with more includes of ours than this and hardly anything else is an umbrella.
INCLUDES_MAX = 12

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def is_vehicle(name):
    return name.startswith(VEHICLE) and not NOT_VEHICLE.match(name)


def extra(table, name):
    """The entries of a table {folder: set} that hold for a file."""
    return set().union(*(more for folder, more in table.items() if name.startswith(folder)))


def includes(tree, name):
    """(line, quote, target) of each include of a file."""
    code = tree.code(name)
    return [(code.count('\n', 0, m.start()) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(code)]


def layer_of(name):
    parts = name.split('/')
    return parts[1] if parts[0] == 'src' and len(parts) > 2 else None


def check_includes(tree):
    """Includes point down, are written from src/, and name files that exist."""
    for name in tree.select(('.c', '.h', '.cc'), ('src/', 'sim/', 'tests/', 'fuzz/', 'bench/'), generated=True):
        top = name.split('/')[0]
        layer = layer_of(name)
        if top == 'src' and layer is not None and layer not in LAYERS:
            yield Finding(name, 0, 'src/%s/ is not a layer' % layer, 'give it a place in LAYERS of tools/tidylib/layers.py and in docs')
            continue
        for line, quote, target in includes(tree, name):
            if quote == '"':
                yield from _check_own(tree, name, line, target, layer)
            elif is_vehicle(name) and target not in FREESTANDING_HEADERS | extra(FREESTANDING_EXTRA, name):
                yield Finding(name, line, '<%s> in the part of the vehicle that has no operating system' % target,
                              'take what it gives as an argument; allowed are ' + ' '.join(sorted(FREESTANDING_HEADERS)))


def _check_own(tree, name, line, target, layer):
    top = name.split('/')[0]
    below = target.split('/')[0]
    if top in ('tests', 'fuzz', 'bench', 'sim') and _beside(tree, name, target):
        return
    if tree_has(tree, 'sim/' + target) or target.startswith('sim/'):
        below = 'sim'
    elif not tree_has(tree, 'src/' + target):
        yield Finding(name, line, '"%s" is not a file under src/' % target, 'write includes as "folder/file.h", seen from src/')
        return
    if target.endswith(('.c', '.cc')) and top != 'tests':
        yield Finding(name, line, '"%s" includes a source file' % target, 'link it, and declare what you need in its header')
    if layer is not None and below != layer and below not in LAYERS[layer]:
        allowed = ', '.join(LAYERS[layer]) or 'nothing'
        yield Finding(name, line, '"%s" points up or sideways: %s may include %s' % (target, layer, allowed),
                      'move the shared part down, or hand it in as an argument or a small contract')
    if below in ABOVE.get(top, ()):
        yield Finding(name, line, '"%s": %s/ may not include %s/' % (target, top, below), 'logic lives in the layer; mains only wire')


def _beside(tree, name, target):
    """True when the include names a file of the same folder tree, e.g. a helper header of the tests."""
    folder = name.rsplit('/', 1)[0]
    return any(tree_has(tree, base + '/' + target) for base in (folder, 'tests/unit', name.split('/')[0]))


def tree_has(tree, name):
    return name in tree.__dict__.setdefault('_names', set(tree.files))


def check_headers(tree):
    """No umbrella headers, no shared variables that can change, an include guard that follows from the path."""
    for name in tree.select(('.h',), ('src/', 'sim/')):
        code = tree.code(name)
        own = [t for _, quote, t in includes(tree, name) if quote == '"']
        body = [l for l in code.splitlines() if l.strip() and not l.lstrip().startswith('#')]
        if len(own) > INCLUDES_MAX or (own and not body):
            yield Finding(name, 0, 'an umbrella header (%d includes of ours)' % len(own), 'let each file include what it uses; declare structs forward')
        guard = re.sub(r'[^A-Z0-9]', '_', re.sub(r'^src/', '', name).upper())
        if not re.search(r'^#ifndef %s$' % re.escape(guard), code, re.M):
            yield Finding(name, 1, 'no include guard %s' % guard, 'guard the header with the name that its path gives')
    for name in tree.select(('.c', '.h', '.cc'), ('src/', 'sim/'), generated=True):
        code = tree.code(name)
        for m in re.finditer(r'^[ \t]*extern\b(?![ \t]*")[^;(]*;', code, re.M):
            # Constant after the last star, if there is one: a table or a back end, which nobody can change.
            if re.search(r'\bconst\b', m.group(0).rsplit('*', 1)[-1]):
                continue
            yield Finding(name, code.count('\n', 0, m.start()) + 1, 'an extern variable', 'pass a context struct instead')
