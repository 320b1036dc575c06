"""How soon and how rightly fleet statistics find what is planted in a simulated fleet: `vsoc campaign score` on a seed that nothing
was tuned on, held to bounds (R-136, docs/campaigns.md)."""
import json
import subprocess

import pytest

RUN = ['--vehicles', '100000', '--days', '65', '--quiet-days', '40', '--step', '6']
CLASSES = ['attack', 'regression', 'fault']


def score(binaries, *options):
    """The lines of a run: what was planted, the account of the seed, the account of all."""
    done = subprocess.run([str(binaries / 'vsoc'), 'campaign', 'score', '--seeds', '101', *RUN, *options], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [x for x in lines if 'victims' in x], next(x for x in lines if 'records' in x)


def earlier(planted):
    """The scan told it before the literal rule did, or the rule never did."""
    return planted['scan']['found'] and (not planted['literal']['found'] or planted['scan']['delay_h'] < planted['literal']['delay_h'])


def hold(planted, account):
    """A little below what was measured: two of the nine attacks may be lost to a change of the simulator, not more."""
    attacks = [p for p in planted if CLASSES[p['class']] == 'attack']
    assert len(attacks) == 9 and len(planted) == 17
    assert sum(p['scan']['found'] for p in attacks) >= 7
    assert sum(earlier(p) for p in attacks if not p['scan']['excluded'] and not p['literal']['excluded']) >= 6
    for number, name in enumerate(CLASSES):
        verdicts = [p['verdict'].split('_')[0 if name == 'attack' else 1] for p in planted if p['class'] == number and 'verdict' in p]
        assert len(verdicts) >= (7 if name == 'attack' else 2), name
        assert 3 * verdicts.count(name) >= 2 * len(verdicts), (name, verdicts)
    assert account['scan']['false'] <= 2 < account['literal']['false']
    assert account['scan']['false_hours'] <= 24 < account['literal']['false_hours']


def test_what_is_planted_is_found_and_named_and_little_else(binaries):
    planted, account = score(binaries)
    hold(planted, account)


def test_these_bounds_tell_a_scan_that_is_too_strict(binaries):
    with pytest.raises(AssertionError):
        hold(*score(binaries, '--threshold', '200'))
