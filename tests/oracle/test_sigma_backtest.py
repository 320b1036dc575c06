"""The engine against a naive twin (docs/rules.md; R-109 to R-133): random rules of every correlation type over random
events, in any order, with copies, and with any number of workers, give the same alerts to the byte."""
import json
import os
import random
import subprocess

import pytest

from episode_twin import alerts
from sigma_cases import as_line, comparable, plain_rules, plain_tests, printed, random_event, random_rules, yaml_rule

SEEDS = range(int(os.environ.get('VSOC_SEED', '1')), int(os.environ.get('VSOC_SEED', '1')) + int(os.environ.get('VSOC_SEEDS', '12')))


def backtest(binaries, tmp_path, rules, lines, workers=1):
    (tmp_path / 'rules.yml').write_text('\n---\n'.join(rules))
    (tmp_path / 'events.jsonl').write_text('\n'.join(lines) + '\n')
    done = subprocess.run([binaries / 'vsoc', 'rule', 'backtest', '--rules', tmp_path / 'rules.yml', '--events',
                           tmp_path / 'events.jsonl', '--workers', str(workers)], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def got(stdout):
    out = []
    for line in stdout.splitlines():
        assert list(json.loads(line)) == ['id', 'rule', 'title', 'severity', 'group', 'first', 'last', 'count', 'peak', 'vehicles',
                                          'state', 'late', 'supersedes']
        out.append(printed(line))
    return out


@pytest.mark.parametrize('seed', SEEDS)
def test_twin_agrees_in_any_order(binaries, tmp_path, seed):
    rng = random.Random(seed)
    rules = random_rules(rng, 12)
    seqs = {}
    events = [random_event(rng, seqs) for _ in range(rng.randint(20, 150))]
    texts = plain_rules() + [yaml_rule(r) for r in rules]
    lines = [as_line(rng, ev) for ev in events]
    base = backtest(binaries, tmp_path, texts, lines)
    assert got(base) == [comparable(ep) for ep in alerts(plain_tests(), rules, events)], 'VSOC_SEED=%d' % seed
    for workers in (1, 2, 5):
        shuffled = [as_line(rng, ev) for ev in events + rng.sample(events, len(events) // 3)]
        rng.shuffle(shuffled)
        assert backtest(binaries, tmp_path, texts, shuffled, workers) == base, 'VSOC_SEED=%d' % seed


@pytest.mark.parametrize('seed', SEEDS)
def test_conflicting_copies_do_not_depend_on_order(binaries, tmp_path, seed):
    """Two contents under one number: one of them counts, the same one whatever comes first."""
    rng = random.Random(seed)
    rules = plain_rules() + [yaml_rule(r) for r in random_rules(rng, 10)]
    events = []
    for _ in range(80):
        ev = random_event(rng, {})
        ev['seq'] = rng.randint(1, 30)
        events.append(ev)
    lines = [json.dumps(ev) for ev in events]
    base = backtest(binaries, tmp_path, rules, lines)
    for workers in (1, 1, 3):
        rng.shuffle(lines)
        assert backtest(binaries, tmp_path, rules, lines, workers) == base, 'VSOC_SEED=%d' % seed
