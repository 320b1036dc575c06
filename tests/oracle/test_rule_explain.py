"""`vsoc rule explain --alert` works the windows out again without the engine (R-118): over random events and rules of
every correlation type, chained and scoped ones too, it must agree with every alert of `backtest`."""
import json
import os
import random
import subprocess

import pytest
import yaml

FIRST = int(os.environ.get('VSOC_SEED', '1'))
SEEDS = range(FIRST, FIRST + int(os.environ.get('VSOC_SEEDS', '3')))
START = 1772323200000000
TYPES = ['event_count', 'value_count', 'temporal', 'temporal_ordered', 'value_sum', 'value_avg', 'value_percentile']


def base(name, value):
    return {'title': name, 'name': name, 'logsource': {'product': 'vehicle'},
            'detection': {'s': {'pdu': value}, 'condition': 's'}}


def correlation(rng, name, kind, refs):
    condition = {'gte': rng.randint(2, 4)}
    if kind.startswith('value_'):
        condition = {'field': 'pdu' if kind == 'value_count' else 'speed', rng.choice(['gt', 'gte']):
                     2 if kind == 'value_count' else rng.choice([5, 12.5, 40])}
    body = {'type': kind, 'rules': refs, 'group-by': rng.choice([['vin'], ['ecu'], ['vin', 'ecu']]),
            'timespan': rng.choice(['5s', '20s', '1m']), 'condition': condition}
    if kind.startswith('temporal'):
        del body['condition']
    rule = {'title': name, 'name': name, 'correlation': body}
    if rng.random() < 0.3:
        rule['vsoc'] = {'scope': {'model': rng.choice(['A', ['A', 'B*']]), 'sw_version': '>=2'}}
    return rule


def rules(rng):
    out = [base('a', 'a'), base('b', 'b'), base('ab', ['a', 'b'])]
    for kind in TYPES:
        refs = rng.sample(['a', 'b', 'ab'], 2 if kind.startswith('temporal') else rng.randint(1, 2))
        out.append(correlation(rng, kind, kind, refs))
        out[-1]['correlation']['generate'] = True
    out.append(correlation(rng, 'chain', 'event_count', ['value_count']))
    out.append(correlation(rng, 'chain2', 'temporal', ['event_count', 'ab']))
    return out


def events(rng):
    out = []
    for n in range(150):
        event = {'vin': 'V%d' % rng.randint(1, 3), 'seq': n, 'time': START + rng.randint(0, 300) * 1000000,
                 'type': 'secoc.verification_failed', 'pdu': rng.choice('abc'), 'ecu': rng.choice(['E', 'F']),
                 'speed': rng.choice([1, 7.25, 30, -2]), 'model': rng.choice(['A', 'B1', 'C']),
                 'sw_version': rng.choice(['1.9', '2', '10.0'])}
        if rng.random() < 0.1:
            event['count'] = rng.randint(2, 4)
            event['last'] = event['time'] + rng.randint(0, 15) * 1000000
        for key in ('ecu', 'speed', 'model'):
            if rng.random() < 0.05:
                del event[key]
        out.append(event)
    return out + rng.sample(out, 10)


def vsoc(binaries, *arguments):
    done = subprocess.run([binaries / 'vsoc', 'rule', *arguments], capture_output=True, text=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize('seed', SEEDS)
def test_windows_worked_out_again_agree_with_every_alert(binaries, tmp_path, seed):
    rng = random.Random(seed)
    rule_file, event_file = tmp_path / 'r.yml', tmp_path / 'e.jsonl'
    rule_file.write_text(yaml.safe_dump_all(rules(rng)))
    event_file.write_text(''.join(json.dumps(ev) + '\n' for ev in events(rng)))
    code, alerts, err = vsoc(binaries, 'backtest', '--rules', rule_file, '--events', event_file)
    assert code == 0, err
    correlated = [a for a in alerts if a['rule'] in TYPES + ['chain', 'chain2']]
    assert len(correlated) > 5, 'VSOC_SEED=%d' % seed
    for alert in rng.sample(correlated, min(12, len(correlated))):
        code, lines, err = vsoc(binaries, 'explain', '--rules', rule_file, '--events', event_file, '--alert', alert['id'])
        assert lines and lines[-1]['agrees'] and code == 0, 'VSOC_SEED=%d %s: %s %s' % (seed, alert, lines[-1:], err)
        members = [line for line in lines if 'member' in line]
        assert sum(m['count'] for m in members) == alert['count'] and members[-1]['time'] == alert['last']
        hits = [m for m in members if m['hit']]
        assert hits[-1]['time'] == alert['last'] and hits[0]['window']['from'] == alert['first']
        assert all(r.get('why') or r['rule'] in TYPES for m in members for r in m['rules'])
