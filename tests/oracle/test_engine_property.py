"""The engine against its naive twin (docs/rules.md section 4; R-092, R-109 to R-133): for random rules of every
correlation type, chained, with aliases, generated, with several bounds, and random events with aggregation, copies and
conflicting copies, the final alerts are those of the twin, and they are the same to the byte however the events came:
shuffled, repeated, settled in between, over restarts from a snapshot and changes of the plan with a backfill
(tests/unit/detect/engine/engine_cases.c does the ways, this file the cases).

VSOC_SEED is the first case, VSOC_SEEDS how many; a case prints its seed when it fails."""
import itertools
import os
import random
import subprocess

from episode_twin import alerts, identity
from sigma_cases import as_line, comparable, plain_rules, plain_tests, printed, random_event, random_rules, yaml_rule

FIRST = int(os.environ.get('VSOC_SEED', '1'))
COUNT = int(os.environ.get('VSOC_SEEDS', '300'))
SCHEDULES = int(os.environ.get('VSOC_SCHEDULES', '3'))
AT_ONCE = 100


def conflicting(rng, ev):
    """A copy under the same name that says something else."""
    twin = dict(ev)
    twin['value'] = (ev['value'] or 0) + 100
    if rng.random() < 0.5:
        twin['time'] = ev['time'] - 7
    twin.pop('received', None)
    return twin


class Case:
    def __init__(self, seed):
        rng = random.Random(seed)
        self.seed = seed
        self.rules = random_rules(rng, rng.randint(1, 6))
        seqs = {}
        self.events = [random_event(rng, seqs, rng.choice([60, 300, 900])) for _ in range(rng.randint(1, 70))]
        numbered = [ev for ev in self.events if ev.get('seq') is not None]
        self.other = {}
        if numbered and rng.random() < 0.3:
            for ev in rng.sample(numbered, min(len(numbered), rng.randint(1, 2))):
                self.other[identity(ev)] = conflicting(rng, ev)
        self.lines = [as_line(rng, ev) for ev in self.events + list(self.other.values())]
        rng.shuffle(self.lines)

    def text(self):
        rows = ['C %d' % self.seed]
        rows += ['R ' + r for r in plain_rules() + [yaml_rule(r) for r in self.rules]]
        rows += ['E ' + line for line in self.lines]
        return '\n'.join(rows + ['X %d' % SCHEDULES]) + '\n'

    def answers(self):
        """What may come out: of two contents under one name the twin cannot tell which has the smaller hash."""
        for chosen in itertools.product((False, True), repeat=len(self.other)):
            use = dict(zip(self.other, chosen))
            events = [self.other[identity(ev)] if use.get(identity(ev)) else ev for ev in self.events]
            yield [comparable(ep) for ep in alerts(plain_tests(), self.rules, events)]


def run(binaries, cases):
    done = subprocess.run([binaries / 'engine_cases'], input=''.join(c.text() for c in cases).encode(), capture_output=True,
                          timeout=3600)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    out = done.stdout.decode().split('X\n')
    assert len(out) == len(cases) + 1 and out[-1] == ''
    return [[printed(line) for line in text.splitlines()] for text in out[:-1]]


def test_engine_equals_its_twin_however_events_come(binaries):
    total = 0
    print('VSOC_SEED=%d VSOC_SEEDS=%d' % (FIRST, COUNT))
    for first in range(FIRST, FIRST + COUNT, AT_ONCE):
        cases = [Case(seed) for seed in range(first, min(first + AT_ONCE, FIRST + COUNT))]
        for case, got in zip(cases, run(binaries, cases)):
            assert got in list(case.answers()), 'VSOC_SEED=%d VSOC_SEEDS=1' % case.seed
            total += len(got)
    assert total >= COUNT  # a run in which hardly anything alerts would show nothing
