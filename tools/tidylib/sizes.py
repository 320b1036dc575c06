"""Functions fit a screen and files hold one idea: lengths, with a ratchet for the honest exceptions."""
import re

from .tree import Finding

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
FILE_BYTES_MAX = 512 * 1024
RATCHET = 'tools/tidy_ratchet.txt'
SOURCE_DIRS = ('src/', 'sim/', 'tests/', 'fuzz/', 'bench/')


def functions(code):
    """(name, first line, number of lines) of each function of a file in our format: the opening brace of a function, and
    of nothing else, stands alone in the first column. `code` has no comments and strings."""
    lines = code.split('\n')
    found = []
    for i, line in enumerate(lines):
        if line != '{':
            continue
        first = i
        while first > 0 and lines[first - 1].strip() and not re.match(r'[}#]|.*;\s*$', lines[first - 1]):
            first -= 1
        last = next((j for j in range(i + 1, len(lines)) if lines[j].startswith('}')), len(lines) - 1)
        name = re.search(r'(\w+)\s*\(', ' '.join(lines[first:i]))
        found.append((name.group(1) if name else '?', first + 1, last - first + 1))
    return found


def read_ratchet(tree):
    """{('function', path, name) or ('file', path, ''): (allowed lines, line of the entry)}"""
    entries = {}
    if RATCHET not in tree.files:
        return entries
    for number, line in enumerate(tree.text(RATCHET).splitlines(), 1):
        words = line.split('#')[0].split()
        if not words:
            continue
        if words[0] == 'function' and len(words) == 4:
            entries[('function', words[1], words[2])] = (int(words[3]), number)
        elif words[0] == 'file' and len(words) == 3:
            entries[('file', words[1], '')] = (int(words[2]), number)
        else:
            entries[('bad', line, '')] = (0, number)
    return entries


def check_sizes(tree):
    """Function and file lengths; a listed exception may shrink, never grow."""
    ratchet = read_ratchet(tree)
    used = set()

    def judge(kind, path, name, line, count, limit, what):
        key = (kind, path, name)
        if count <= limit:
            return None
        used.add(key)
        allowed = ratchet.get(key, (limit, 0))[0]
        if count <= allowed:
            return None
        return Finding(path, line, '%s has %d lines, at most %d' % (what, count, allowed),
                       'split it: branching in the parent, work in the leaves. A flat table or one state machine seen whole may be listed in ' + RATCHET)

    for path in tree.select(('.c', '.h', '.cc'), SOURCE_DIRS):
        for name, line, count in functions(tree.code(path)):
            finding = judge('function', path, name, line, count, FUNCTION_LINES_MAX, 'function ' + name)
            if finding:
                yield finding
    for path in tree.select(('.c', '.h', '.cc', '.ts', '.tsx', '.py', '.sh'), SOURCE_DIRS + ('tools/', 'console/')):
        finding = judge('file', path, '', 0, tree.text(path).count('\n'), FILE_LINES_MAX, 'file')
        if finding:
            yield finding
    for key, (_, line) in ratchet.items():
        if key not in used:
            yield Finding(RATCHET, line, 'the entry is not needed any more, or is not "function PATH NAME LINES" or "file PATH LINES"', 'remove or mend it')


def check_blobs(tree):
    """No large files in the repository."""
    for name in tree.files:
        if tree.size(name) > FILE_BYTES_MAX:
            yield Finding(name, 0, 'the file has %d bytes, at most %d' % (tree.size(name), FILE_BYTES_MAX),
                          'generate it, or read it from where it is kept')
