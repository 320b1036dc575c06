"""The coverage matrix (R-141, R-195, R-021): fresh, complete, and its check can fail."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def coverage(root, *arguments):
    return subprocess.run([sys.executable, ROOT / 'tools/coverage.py', '--root', str(root), *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def copy(tmp_path):
    for folder in ('content/rules', 'content/tara'):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    os.makedirs(tmp_path / 'schema')
    shutil.copy(ROOT / 'schema/events.yaml', tmp_path / 'schema/events.yaml')
    assert coverage(tmp_path).returncode == 0
    return tmp_path


def test_what_is_committed_is_fresh():
    said = coverage(ROOT, '--check')
    assert said.returncode == 0, said.stdout


def test_a_changed_rule_makes_it_stale(copy):
    assert coverage(copy, '--check').returncode == 0
    path = copy / 'content/rules/debug.yml'
    source = (copy / 'content/rules/ecu_integrity.yml').read_text()
    path.write_text(source.replace("'28.2', ", ''))
    (copy / 'content/rules/debug.test.yml').write_text('cases: []\n')
    said = coverage(copy, '--check')
    assert said.returncode == 1 and 'docs/reference/coverage.md' in said.stdout and 'coverage.json' in said.stdout


@pytest.mark.parametrize('old, new, named', [('TS-ECU-REFLASH', 'TS-UNKNOWN', 'TS-UNKNOWN'), ('T0016', 'T9999', 'T9999'), ("'28.2'", "'28.9'", '28.9')])
def test_names_that_no_catalogue_has_are_refused(copy, old, new, named):
    path = copy / 'content/rules/ecu_integrity.yml'
    path.write_text(path.read_text().replace(old, new))
    said = coverage(copy)
    assert said.returncode == 2 and named in said.stderr


def test_a_rule_without_a_test_is_refused(copy):
    os.remove(copy / 'content/rules/ecu_integrity.test.yml')
    said = coverage(copy)
    assert said.returncode == 2 and 'ecu_integrity.yml' in said.stderr


def test_the_catalogues_are_whole():
    data = json.loads((ROOT / 'console/src/gen/coverage.json').read_text())
    assert len(data['threats']) == 67 and len({x['id'] for x in data['threats']}) == 67
    assert all(x['id'] not in ('14.1', '22.1', '30.1') for x in data['threats'])
    ids = {x['id'] for x in data['threats']}
    for scenario in data['scenarios']:
        assert set(scenario['r155']) <= ids and set(scenario['impact'].values()) <= {'severe', 'major', 'moderate', 'negligible'}
    blank = [x['id'] for x in data['threats'] if not x['rules']]
    assert data['count']['threats'] - len(blank) == data['count']['threats_covered']
    text = (ROOT / 'docs/reference/coverage.md').read_text()
    for x in blank:
        assert any(line.startswith('| %s |' % x) and '**none**' in line for line in text.splitlines()), x


def test_the_starter_pack_has_its_size_and_every_rule_its_two_sides():
    """20 to 30 use cases (R-141): a file each, the brute force with its lock-out variant being one. Each has a case that alarms for every
    alerting rule of the file, and one that must not."""
    folder = ROOT / 'content/rules'
    files = [p for p in sorted(folder.glob('*.yml')) if not p.name.endswith('.test.yml')]
    assert 24 <= len(files) - 1 <= 30
    for path in files:
        alerting = {d['name'] for d in yaml.safe_load_all(path.read_text()) if d and 'vsoc' in d}
        cases = yaml.safe_load(path.with_name(path.stem + '.test.yml').read_text())['cases']
        seen = {a['rule'] for c in cases for a in c['alerts']}
        assert alerting <= seen, (path.name, alerting - seen)
        assert any(not c['alerts'] for c in cases), path.name
