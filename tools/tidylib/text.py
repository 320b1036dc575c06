"""What no text file of ours holds: loose ends, stray blanks, paths of one machine, talk about how it came to be."""
import re

from .tree import DATA_DIRS, Finding, is_generated

SUFFIXES = ('.c', '.h', '.cc', '.py', '.sh', '.md', '.txt', '.yaml', '.yml', '.json', '.cmake', '.ts', '.tsx', '.css', '.html', '.js', '.mjs', '.sql',
            'Makefile', 'run', 'pre-commit')
# Files that name these words in order to look for them.
OWN = ('tools/tidylib/', 'tests/tidy/')

WORDS = [
    (re.compile(r'\b(TODO|FIXME|XXX|HACK)\b'), 'a loose end', 'do it, or leave it out; open questions belong to the tracker'),
    (re.compile(r'/work/(main|shared)|/tmp/w\b|/root/|/home/\w+/'), 'a path of one machine', 'make it relative to the repository, or a setting'),
    (re.compile(r'\b(issue|ticket|PR|pull request) #\d+', re.I), 'a reference to a tracker', 'say the reason itself; history is in git'),
    (re.compile(r'\bc[l]aude\b|\banthro[p]ic\b|\bchat ?g[p]t\b|\bco[p]ilot\b|\bas an AI\b|\bAI[- ]generated\b|\blanguage model\b|Co-Authored-By', re.I),
     'talk of how the text was made', 'say what is and why'),
]


def is_text(name):
    return name.endswith(SUFFIXES) and not name.startswith(DATA_DIRS) and not name.endswith('package-lock.json')


def check_text(tree):
    """Line ends, stray blanks, loose ends, paths of one machine."""
    for name in tree.files:
        if not is_text(name):
            continue
        data = tree.data(name)
        if b'\r' in data:
            yield Finding(name, data[:data.index(b'\r')].count(b'\n') + 1, 'a carriage return', 'end lines with LF alone')
        if data and not data.endswith(b'\n'):
            yield Finding(name, data.count(b'\n') + 1, 'no newline at the end', 'end the file with one')
        text = tree.text(name)
        for number, line in enumerate(text.split('\n'), 1):
            if line.endswith((' ', '\t')):
                yield Finding(name, number, 'blanks at the end of the line', 'remove them')
            if '\t' in line and name.endswith(('.c', '.h', '.cc', '.py', '.yaml')):
                yield Finding(name, number, 'a tab', 'indent with four spaces')
        if not name.startswith(OWN) and not is_generated(name):
            yield from _check_words(name, text)


def _check_words(name, text):
    for pattern, what, fix in WORDS:
        for m in pattern.finditer(text):
            yield Finding(name, text.count('\n', 0, m.start()) + 1, '%s: %s' % (what, m.group(0)), fix)
