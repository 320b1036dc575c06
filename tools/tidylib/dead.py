"""Files that nobody uses: sources that no CMakeLists.txt names, headers that nobody includes."""
import os
import re

from .layers import includes
from .tree import Finding


def _cmake_words(tree, name):
    """Words of the CMakeLists.txt files of the file's folder and the folders above it, up to the tree's root."""
    words = set()
    folder = os.path.dirname(name)
    while folder:
        lists = folder + '/CMakeLists.txt'
        if lists in tree.files:
            words |= set(re.findall(r'[\w.+-]+', re.sub(r'#.*', '', tree.text(lists))))
        folder = os.path.dirname(folder)
    return words


def check_dead_files(tree):
    """Each source is named by a CMakeLists.txt, each header is included by somebody."""
    for name in tree.select(('.c', '.cc'), ('src/', 'sim/', 'tests/unit/', 'fuzz/', 'bench/'), generated=True):
        base = os.path.basename(name)
        stem = os.path.splitext(base)[0]
        # A list may name the file, its stem, or (tests and fuzz targets from a loop) the stem without its prefix.
        ways = {base, stem, re.sub(r'^(test|fuzz|bench)_', '', stem)}
        if not ways & _cmake_words(tree, name):
            yield Finding(name, 0, 'no CMakeLists.txt on its path names it', 'add it to the build, or delete it')
    included = set()
    for name in tree.select(('.c', '.h', '.cc'), generated=True):
        for _, _, target in includes(tree, name):
            included |= {'src/' + target, 'sim/' + target, target}
    for name in tree.select(('.h',), ('src/', 'sim/'), generated=True):
        if name not in included:
            yield Finding(name, 0, 'nobody includes it', 'delete it, or include it where it is implemented')
