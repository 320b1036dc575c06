"""The source tree as the checks see it: which files there are, their text, and their code without comments and strings."""
import os
import re
import subprocess
from typing import NamedTuple

# Folders that hold no source of ours.
SKIPPED_DIRS = {'.git', '.venv', 'build', 'node_modules', '__pycache__', 'dist', 'demo-data', '.pytest_cache'}
# Folders whose files are inputs, not text that we write.
DATA_DIRS = ('fuzz/corpus/', 'tests/vectors/')
GENERATED = re.compile(r'(\.gen\.[ch]|^console/src/gen/.*|^docs/reference/.*|package-lock\.json)$')


class Finding(NamedTuple):
    path: str
    line: int  # 1-based; 0 when it is about the whole file
    text: str  # what is wrong
    fix: str   # what to do


def blank_comments_and_strings(text):
    """Replaces comments and the insides of string and character literals with spaces; lines and columns stay.

    Strings that name an include stay readable, because the include checks need them."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|^[ \t]*#[ \t]*include[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S | re.M)

    def blank(match):
        found = match.group(0)
        if found.lstrip().startswith('#'):
            return found
        if found[0] in '"\'':
            return found[0] + re.sub(r'[^\n]', ' ', found[1:-1]) + found[-1]
        return re.sub(r'[^\n]', ' ', found)

    return token.sub(blank, text)


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = self._list()
        self._text = {}
        self._code = {}

    def _list(self):
        """Tracked and new files as git sees them; a walk where there is no git."""
        try:
            out = subprocess.run(['git', '-C', self.root, 'ls-files', '-coz', '--exclude-standard'], check=True, capture_output=True).stdout
            names = [n for n in out.decode().split('\0') if n]
        except (OSError, subprocess.CalledProcessError):
            names = []
            for folder, dirs, files in os.walk(self.root):
                dirs[:] = [d for d in dirs if d not in SKIPPED_DIRS]
                names += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return sorted(n for n in set(names) if os.path.isfile(os.path.join(self.root, n)))

    def path(self, name):
        return os.path.join(self.root, name)

    def size(self, name):
        return os.path.getsize(self.path(name))

    def data(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def text(self, name):
        if name not in self._text:
            self._text[name] = self.data(name).decode('utf-8', 'replace')
        return self._text[name]

    def code(self, name):
        if name not in self._code:
            self._code[name] = blank_comments_and_strings(self.text(name))
        return self._code[name]

    def select(self, suffixes, folders=('',), generated=False):
        """Files with one of the suffixes under one of the folders (each ends in '/'), generated ones only when asked."""
        return [n for n in self.files if n.endswith(tuple(suffixes)) and n.startswith(tuple(folders))
                and (generated or not is_generated(n)) and not n.startswith(DATA_DIRS)]


def is_generated(name):
    return GENERATED.search(name) is not None


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1
