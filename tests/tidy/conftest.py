"""A small tree to break: `tree(files)` writes the files and returns what the checks see."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tools'))


@pytest.fixture
def tree(tmp_path):
    from tidylib.tree import Tree

    def make(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Tree(str(tmp_path))

    return make


@pytest.fixture
def found():
    """The findings of a check as 'path:line text', for short comparisons."""
    return lambda findings: sorted('%s:%d %s' % (f.path, f.line, f.text) for f in findings)
