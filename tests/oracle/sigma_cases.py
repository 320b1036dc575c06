"""Random correlation rules and events for comparing the engine with its twin."""
import datetime
import json

from episode_twin import TYPES

BASE_US = 1_772_323_200_000_000
KINDS = ('secoc.verification_failed', 'uds.negative_response', 'vehicle.contact', 'can.bus_off')
SECOND = 10 ** 6


def plain_tests():
    """Name and test of each plain rule."""
    return {'kind%d' % i: lambda ev, kind=kind: ev['type'] == kind for i, kind in enumerate(KINDS)}


def plain_rules():
    return [json.dumps({'title': 'kind %d' % i, 'name': 'kind%d' % i, 'logsource': {'product': 'vehicle'},
                        'detection': {'sel': {'type': kind}, 'condition': 'sel'}}) for i, kind in enumerate(KINDS)]


def yaml_rule(rule):
    """One correlation as Sigma text. JSON is YAML."""
    correlation = {'type': rule['type'], 'rules': rule['refs'], 'timespan': '%ds' % (rule['span'] // SECOND)}
    if rule['condition']:
        correlation['condition'] = dict(rule['condition'])
    if rule['group']:
        correlation['group-by'] = rule['group']
    if rule.get('aliases'):
        correlation['aliases'] = rule['aliases']
    if rule.get('generate'):
        correlation['generate'] = True
    if rule.get('field'):
        correlation['condition']['field'] = rule['field']
    if rule['type'] == 'value_percentile':
        correlation['condition']['percentile'] = rule['percentile']
    return json.dumps({'title': rule['name'], 'name': rule['name'], 'level': 'high', 'correlation': correlation})


def random_condition(rng, kind, refs):
    threshold = {'event_count': rng.randint(2, 8), 'value_count': rng.randint(2, 4), 'temporal': refs,
                 'temporal_ordered': refs, 'value_sum': rng.randint(5, 60), 'value_avg': rng.randint(1, 9),
                 'value_percentile': rng.randint(1, 9), 'geo_velocity': rng.randint(50, 400)}[kind]
    if kind in ('temporal', 'temporal_ordered') and rng.random() < 0.5:
        return {}
    return rng.choice([{'gte': threshold}, {'gt': threshold - 1}, {'gte': threshold, 'lt': threshold + 4},
                       {'lte': max(1, threshold // 2)}, {'eq': threshold}, {'neq': threshold},
                       {'gt': 0, 'neq': threshold, 'lte': threshold + 3}])


def random_rule(rng, n, known):
    """A correlation over the plain rules and, now and then, over correlations that are known already."""
    kind = rng.choice(TYPES)
    choice = ['kind%d' % i for i in range(len(KINDS))]
    refs = rng.sample(choice, rng.randint(1, 3) if kind.startswith('value') or kind == 'event_count' else rng.randint(2, 3))
    if known and rng.random() < 0.4:
        refs[rng.randrange(len(refs))] = rng.choice(known)['name']
    if kind == 'temporal_ordered' and rng.random() < 0.3:
        refs.append(refs[0])
    rule = {'name': 'r%02d' % n, 'type': kind, 'refs': refs, 'span': rng.choice([0, 5, 20, 60, 300]) * SECOND,
            'group': rng.choice([['vin'], ['pdu'], ['vin', 'pdu'], []])}
    if rule['span'] == 0:
        rule['span'] = SECOND
    if kind == 'geo_velocity':
        rule['refs'] = ['kind2'] + [r for r in refs if r != 'kind2'][:1]
        rule['group'] = ['vin']
    elif rng.random() < 0.25:
        rule['group'] = ['who'] + rule['group'][:1]
        rule['aliases'] = {'who': {r: rng.choice(['pdu', 'other', 'vin']) for r in refs}}
    rule['condition'] = random_condition(rng, kind, len(set(rule['refs'])) if kind == 'temporal' else len(rule['refs']))
    if kind in ('value_sum', 'value_avg', 'value_percentile'):
        rule['field'] = ['value']
    if kind == 'value_count':
        rule['field'] = rng.choice([['vin'], ['value'], ['vin', 'value'], ['pdu', 'other']])
    if kind == 'value_percentile':
        rule['percentile'] = rng.choice([0, 10, 50, 75, 95, 100])
    rule['generate'] = rng.random() < 0.3
    return rule


def random_rules(rng, count):
    rules = []
    for n in range(count):
        rules.append(random_rule(rng, n, rules))
    return rules


def random_event(rng, seqs, spread=900):
    vin = 'V%d' % rng.randint(1, 4)
    seqs[vin] = seqs.get(vin, 0) + 1
    time = BASE_US + rng.randint(0, spread) * SECOND + rng.choice([0, 0, 0, 1, 999_999])
    ev = {'vin': vin, 'time': time, 'seq': seqs[vin], 'type': rng.choice(KINDS), 'pdu': rng.choice(['A', 'B', 'a']),
          'other': rng.choice([None, 'A', 'B']), 'value': rng.choice([None, rng.randint(-5, 12)])}
    if rng.random() < 0.3:
        ev['count'] = rng.randint(1, 5)
        ev['last'] = time + rng.randint(0, 40) * SECOND
    if rng.random() < 0.3:
        ev['epoch'] = rng.randint(0, 1)
    if rng.random() < 0.5:
        ev['lat'], ev['lon'] = rng.randint(40, 45), rng.randint(5, 9)
    if rng.random() < 0.2:
        ev['trust'] = rng.choice(['trusted', 'suspect', 'repaired'])
    if rng.random() < 0.2:
        ev['received'] = ev.get('last', time) + rng.choice([0, 3600, 3601]) * SECOND
    if rng.random() < 0.1:
        # Without a number an event is known by what it says; times of its own keep it from ties that a hash decides.
        del ev['seq']
        own = 10 + 4 * sum(seqs.values())
        ev['time'] = ev['time'] // SECOND * SECOND + own
        ev['last'] = ev.get('last', ev['time']) // SECOND * SECOND + own + 1
    return ev


def as_line(rng, ev):
    """The event in one of the spellings that mean the same. What is known by all it says must say the same each time."""
    spell_null = ev.get('seq') is not None and rng.random() < 0.5
    ev = {k: v for k, v in ev.items() if v is not None or spell_null}
    keys = list(ev)
    rng.shuffle(keys)
    return json.dumps({k: ev[k] for k in keys})


def text_time(us):
    t = datetime.datetime.fromtimestamp(us // SECOND, datetime.timezone.utc)
    return t.strftime('%Y-%m-%dT%H:%M:%S') + '.%06dZ' % (us % SECOND)


def comparable(ep):
    return (ep['rule'], ep['group'], text_time(ep['first']), text_time(ep['last']), ep['count'], ep['vehicles'], ep['late'],
            round(float(ep['peak']), 6))


def printed(line):
    al = json.loads(line)
    return (al['rule'], al['group'], al['first'], al['last'], al['count'], al['vehicles'], al['late'], round(al['peak'], 6))
