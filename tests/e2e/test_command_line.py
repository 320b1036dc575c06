"""The contract of every program: --help says what it does, bad usage is exit 2 with a reason on stderr, and neither
starts any work. Nouns are taken from the program's own help, so a new command is held to the contract by being there."""
import os
import re
import subprocess

import pytest

PROGRAMS = ['vsoc', 'vsocd', 'vsoc-edge']


def run(binaries, *arguments):
    return subprocess.run([binaries / arguments[0], *arguments[1:]], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def commands():
    """(program, noun or None) of all programs that are built; collected from the same place as the fixture."""
    root = os.path.join(os.path.dirname(__file__), '..', '..')
    named = os.environ.get('VSOC_BIN')
    for place in [named] if named else ['build/asan/bin', 'build/release/bin']:
        place = os.path.join(root, place)
        if os.path.isdir(place):
            break
    found = []
    for program in PROGRAMS:
        path = os.path.join(place, program)
        found.append((program, None))
        if program != 'vsocd' and os.path.exists(path):
            text = subprocess.run([path, '--help'], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL).stdout
            found += [(program, noun) for noun in re.findall(r'^  ([a-z][a-z-]*)  +\S', text, re.M)]
    return found


@pytest.mark.parametrize('program, noun', commands())
def test_help_is_on_stdout_and_exits_0(binaries, program, noun):
    result = run(binaries, program, *([noun] if noun else []), '--help')
    assert result.returncode == 0, result.stderr
    assert 'usage:' in result.stdout
    assert len(result.stdout.splitlines()) >= 3, 'help that is worth reading'


@pytest.mark.parametrize('program, noun', commands())
def test_an_unknown_option_exits_2_and_names_it_on_stderr(binaries, program, noun):
    result = run(binaries, program, *([noun] if noun else []), '--no-such-option')
    assert result.returncode == 2, (result.stdout, result.stderr)
    assert 'no-such-option' in result.stderr
    assert result.stdout == ''


@pytest.mark.parametrize('program', ['vsoc', 'vsoc-edge'])
def test_an_unknown_noun_exits_2_and_names_it(binaries, program):
    result = run(binaries, program, 'no-such-noun')
    assert result.returncode == 2
    assert 'no-such-noun' in result.stderr and result.stdout == ''


@pytest.mark.parametrize('program', ['vsoc', 'vsoc-edge'])
def test_no_arguments_exits_2_with_the_usage_on_stderr(binaries, program):
    result = run(binaries, program)
    assert result.returncode == 2
    assert 'usage:' in result.stderr and result.stdout == ''
