"""What every Python test may ask for: the programs under test, the real inputs beside the repository, a free port."""
import os
import pathlib
import socket

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope='session')
def root():
    """The repository."""
    return ROOT


@pytest.fixture(scope='session')
def binaries():
    """The directory of the programs under test: VSOC_BIN, else the sanitizer build, else the release build."""
    named = os.environ.get('VSOC_BIN')
    places = [pathlib.Path(named)] if named else [ROOT / 'build/asan/bin', ROOT / 'build/release/bin']
    for place in places:
        if not place.is_absolute():
            place = ROOT / place
        if place.is_dir():
            return place
    pytest.fail('no programs in %s; build them with: make build' % ' or '.join(map(str, places)))


@pytest.fixture(scope='session')
def data_dir():
    """Real inputs that are not part of the repository: VSOC_DATA, else ../shared/data. Skips where there are none."""
    place = pathlib.Path(os.environ.get('VSOC_DATA') or ROOT / '../shared/data').resolve()
    if not place.is_dir():
        pytest.skip('no real inputs at %s; name their folder in VSOC_DATA' % place)
    return place


@pytest.fixture
def free_port():
    """A TCP port on the loopback that nobody listened on a moment ago."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]
