"""The engine against a naive twin (docs/rules.md; R-109 to R-133): random rules of every correlation type over random
events, in any order, with copies, and with any number of workers, give the same alerts to the byte."""
import datetime
import json
import os
import random
import subprocess

import pytest

from episode_twin import TYPES, alerts, hits, groups_of

SEEDS = range(int(os.environ.get('VSOC_SEED', '1')), int(os.environ.get('VSOC_SEED', '1')) + int(os.environ.get('VSOC_SEEDS', '12')))
BASE_US = 1_772_323_200_000_000
KINDS = ('secoc.verification_failed', 'uds.negative_response', 'vehicle.contact', 'can.bus_off')


def yaml_rule(rule):
    """One correlation over three plain rules, as Sigma text. JSON is YAML."""
    correlation = {'type': rule['type'], 'rules': rule['refs_names'], 'timespan': '%ds' % (rule['span'] // 10 ** 6),
                   'condition': dict(rule['condition'])}
    if rule['group']:
        correlation['group-by'] = rule['group']
    if rule.get('field'):
        correlation['condition']['field'] = rule['field']
    if rule['type'] == 'value_percentile':
        correlation['condition']['percentile'] = rule['percentile']
    return json.dumps({'title': rule['name'], 'name': rule['name'], 'level': 'high', 'correlation': correlation})


def plain_rules():
    return [json.dumps({'title': 'kind %d' % i, 'name': 'kind%d' % i, 'logsource': {'product': 'vehicle'},
                        'detection': {'sel': {'type': kind}, 'condition': 'sel'}}) for i, kind in enumerate(KINDS)]


def random_rule(rng, n):
    kind = rng.choice(TYPES)
    refs = rng.sample(range(len(KINDS)), rng.randint(2, 3))
    if kind == 'temporal_ordered' and rng.random() < 0.3:
        refs.append(refs[0])
    if kind == 'geo_velocity':
        refs = [2]
    rule = {'name': 'r%02d' % n, 'type': kind, 'refs': len(refs), 'refs_names': ['kind%d' % r for r in refs], 'kinds': refs,
            'span': rng.choice([5, 20, 60, 300]) * 10 ** 6, 'group': rng.choice([['vin'], ['pdu'], ['vin', 'pdu'], []])}
    if kind == 'geo_velocity':
        rule['group'] = ['vin']
    threshold = {'event_count': rng.randint(2, 8), 'value_count': rng.randint(2, 4), 'temporal': len(refs),
                 'temporal_ordered': len(refs), 'value_sum': rng.randint(5, 60), 'value_avg': rng.randint(1, 9),
                 'value_percentile': rng.randint(1, 9), 'geo_velocity': rng.randint(50, 400)}[kind]
    rule['condition'] = rng.choice([{'gte': threshold}, {'gt': threshold}, {'gte': threshold, 'lt': threshold + 4},
                                    {'lte': max(1, threshold // 2)}, {'eq': threshold}, {'neq': threshold}])
    if kind in ('value_sum', 'value_avg', 'value_percentile'):
        rule['field'] = ['value']
    if kind == 'value_count':
        rule['field'] = rng.choice([['vin'], ['value'], ['vin', 'value']])
    if kind == 'value_percentile':
        rule['percentile'] = rng.choice([0, 10, 50, 75, 95, 100])
    return rule


def random_event(rng, seqs):
    vin = 'V%d' % rng.randint(1, 4)
    seqs[vin] = seqs.get(vin, 0) + 1
    time = BASE_US + rng.randint(0, 900) * 10 ** 6 + rng.choice([0, 0, 0, 1, 999_999])
    ev = {'vin': vin, 'time': time, 'seq': seqs[vin], 'type': rng.choice(KINDS), 'pdu': rng.choice(['A', 'B', 'a']),
          'value': rng.choice([None, rng.randint(-5, 12)])}
    if rng.random() < 0.3:
        ev['count'] = rng.randint(1, 5)
        ev['last'] = time + rng.randint(0, 40) * 10 ** 6
    if rng.random() < 0.3:
        ev['epoch'] = rng.randint(0, 1)
    if rng.random() < 0.5:
        ev['lat'], ev['lon'] = rng.randint(40, 45), rng.randint(5, 9)
    if rng.random() < 0.2:
        ev['trust'] = rng.choice(['trusted', 'suspect', 'repaired'])
    if rng.random() < 0.2:
        ev['received'] = ev.get('last', time) + rng.choice([0, 3600, 3601]) * 10 ** 6
    return ev


def as_line(rng, ev):
    """The event in one of the spellings that mean the same."""
    ev = {k: v for k, v in ev.items() if v is not None or rng.random() < 0.5}
    keys = list(ev)
    rng.shuffle(keys)
    return json.dumps({k: ev[k] for k in keys})


def backtest(binaries, tmp_path, rules, lines, workers=1):
    (tmp_path / 'rules.yml').write_text('\n---\n'.join(rules))
    (tmp_path / 'events.jsonl').write_text('\n'.join(lines) + '\n')
    done = subprocess.run([binaries / 'vsoc', 'rule', 'backtest', '--rules', tmp_path / 'rules.yml', '--events',
                           tmp_path / 'events.jsonl', '--workers', str(workers)], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def text_time(us):
    t = datetime.datetime.fromtimestamp(us // 10 ** 6, datetime.timezone.utc)
    return t.strftime('%Y-%m-%dT%H:%M:%S') + '.%06dZ' % (us % 10 ** 6)


def comparable(rule, ep):
    return (rule['name'], ep['group'], text_time(ep['first']), text_time(ep['last']), ep['count'], ep['vehicles'], ep['late'],
            round(float(ep['peak']), 6))


def expected(rules, events):
    out = []
    for rule in sorted(rules, key=lambda r: r['name']):
        refs = {}
        for n, kind in enumerate(rule['kinds']):
            refs.setdefault(KINDS[kind], set()).add(n)
        out += [comparable(rule, ep) for ep in alerts(rule, events, lambda ev: refs.get(ev['type'], set()))]
    return out


def got(stdout):
    out = []
    for line in stdout.splitlines():
        al = json.loads(line)
        assert list(al) == ['id', 'rule', 'title', 'severity', 'group', 'first', 'last', 'count', 'peak', 'vehicles', 'state',
                            'late', 'supersedes']
        out.append((al['rule'], al['group'], al['first'], al['last'], al['count'], al['vehicles'], al['late'],
                    round(al['peak'], 6)))
    return out


@pytest.mark.parametrize('seed', SEEDS)
def test_twin_agrees_in_any_order(binaries, tmp_path, seed):
    rng = random.Random(seed)
    rules = [random_rule(rng, n) for n in range(12)]
    seqs = {}
    events = [random_event(rng, seqs) for _ in range(rng.randint(20, 150))]
    texts = plain_rules() + [yaml_rule(r) for r in rules]
    lines = [as_line(rng, ev) for ev in events]
    base = backtest(binaries, tmp_path, texts, lines)
    assert got(base) == expected(rules, events), 'VSOC_SEED=%d' % seed
    for workers in (1, 2, 5):
        shuffled = [as_line(rng, ev) for ev in events + rng.sample(events, len(events) // 3)]
        rng.shuffle(shuffled)
        assert backtest(binaries, tmp_path, texts, shuffled, workers) == base, 'VSOC_SEED=%d' % seed


@pytest.mark.parametrize('seed', SEEDS)
def test_conflicting_copies_do_not_depend_on_order(binaries, tmp_path, seed):
    """Two contents under one number: one of them counts, the same one whatever comes first."""
    rng = random.Random(seed)
    rules = plain_rules() + [yaml_rule(random_rule(rng, n)) for n in range(10)]
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


@pytest.mark.parametrize('seed', SEEDS)
def test_chained_correlations(binaries, tmp_path, seed):
    """A correlation's hits are events of the correlations that refer to it (Sigma correlation rules, "Example")."""
    rng = random.Random(seed)
    low = {'name': 'low', 'type': 'event_count', 'refs': 1, 'refs_names': ['kind0'], 'kinds': [0], 'span': 60 * 10 ** 6,
           'group': ['pdu'], 'condition': rng.choice([{'gte': 3}, {'eq': 2}, {'lte': 2}])}
    top = {'name': 'top', 'type': rng.choice(['temporal', 'temporal_ordered', 'event_count']), 'refs': 2,
           'refs_names': ['low', 'kind1'], 'kinds': [], 'span': 120 * 10 ** 6, 'group': ['vin']}
    top['condition'] = {'gte': 2 if top['type'] != 'event_count' else rng.randint(2, 6)}
    events = [random_event(rng, seqs) for seqs in [{}] for _ in range(120)]
    low_hit = set()
    for group in groups_of(low, events, lambda ev: {0} if ev['type'] == KINDS[0] else set()).values():
        for i, _ in hits(low, group, lambda ev: {0}):
            p = group[i]
            low_hit.add((p[1], p[2], p[3], p[4]))
    texts = plain_rules()[:2] + [yaml_rule(low), yaml_rule(top)]
    base = backtest(binaries, tmp_path, texts, [as_line(rng, ev) for ev in events])
    want = [comparable(top, ep) for ep in chained_alerts(top, events, low_hit)]
    assert got(base) == want, 'VSOC_SEED=%d' % seed
    rng.shuffle(events)
    assert backtest(binaries, tmp_path, texts, [as_line(rng, ev) for ev in events], 2) == base


def chained_alerts(top, events, low_hit):
    """The twin sees parts of events; a part takes part when its rules are not empty, so hits are marked on copies that
    stand for one part each."""
    split = []
    for ev in events:
        for part in range(2 if ev.get('count', 1) > 1 else 1):
            copy = dict(ev, time=ev['time'] if part == 0 else ev.get('last', ev['time']))
            copy['weight'] = 1 if part == 0 else ev['count'] - 1
            copy['rules'] = ({0} if (ev['vin'], ev.get('epoch', 0), ev['seq'], part) in low_hit else set()) | \
                            ({1} if ev['type'] == KINDS[1] else set())
            copy['whole_last'] = ev.get('last', ev['time'])
            split.append((copy, part))
    return alerts_of_parts(top, split)


def alerts_of_parts(top, split):
    import episode_twin
    kept = episode_twin.parts
    listed = sorted(((c['time'], c['vin'], c.get('epoch', 0), c['seq'], part, c['weight'], c) for c, part in split),
                    key=lambda p: p[:5])
    for p in listed:
        p[6]['last'] = p[6].pop('whole_last')
    episode_twin.parts = lambda events: listed
    try:
        return alerts(top, [], lambda ev: ev['rules'])
    finally:
        episode_twin.parts = kept


