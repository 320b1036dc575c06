"""A naive reading of docs/rules.md: alerts of one correlation from a list of events, in quadratic time and without state.

It shares no code and no idea with the engine: sort, look at each event's window as a list, join hits into episodes."""
import math
from fractions import Fraction

TYPES = ('event_count', 'value_count', 'temporal', 'temporal_ordered', 'value_sum', 'value_avg', 'value_percentile',
         'geo_velocity')


def parts(events):
    """Duplicates removed, sorted; an aggregated record is one event at its first time and the rest at its last."""
    seen = {}
    for ev in events:
        seen[(ev['vin'], ev.get('epoch', 0), ev['seq'])] = ev
    out = []
    for ev in seen.values():
        k = ev.get('count', 1)
        out.append((ev['time'], ev['vin'], ev.get('epoch', 0), ev['seq'], 0, 1, ev))
        if k > 1:
            out.append((ev.get('last', ev['time']), ev['vin'], ev.get('epoch', 0), ev['seq'], 1, k - 1, ev))
    return sorted(out, key=lambda p: p[:5])


def distance_km(a, b):
    la, lb = math.radians(a['lat']), math.radians(b['lat'])
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin(math.radians(b['lon'] - a['lon']) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))


def in_order(window, count):
    """Length of the longest start of the list of rules that occurs in order, each in an event of its own."""
    best = 0
    for start in range(len(window)):
        n = 0
        for _, rules in window[start:]:
            if n < count and n in rules:
                n += 1
        best = max(best, n)
    return best


def value(rule, group, i, matches):
    span = rule['span']
    window = [j for j in range(i + 1) if group[i][0] - group[j][0] <= span]
    kind = rule['type']
    if kind == 'event_count':
        return sum(group[j][5] for j in window)
    if kind == 'value_count':
        return len({tuple(group[j][6][f] for f in rule['field']) for j in window
                    if all(group[j][6].get(f) is not None for f in rule['field'])})
    if kind == 'temporal':
        return len(set().union(*(matches(group[j][6]) for j in window)))
    if kind == 'temporal_ordered':
        return in_order([(j, matches(group[j][6])) for j in window], rule['refs'])
    if kind == 'geo_velocity':
        if i == 0 or group[i][0] - group[i - 1][0] > span:
            return None
        return Fraction(round(distance_km(group[i - 1][6], group[i][6]) * 1000), 1000)
    numbers = [(group[j][6][rule['field'][0]], group[j][5]) for j in window if group[j][6].get(rule['field'][0]) is not None]
    if not numbers:
        return None
    weight = sum(w for _, w in numbers)
    if kind == 'value_sum':
        return sum(v * w for v, w in numbers)
    if kind == 'value_avg':
        return Fraction(math.floor(Fraction(sum(v * w for v, w in numbers), weight) * 10 ** 9), 10 ** 9)
    rank = max(1, math.ceil(Fraction(weight * rule.get('percentile', 50), 100)))
    for v, w in sorted(numbers):
        rank -= w
        if rank <= 0:
            return v
    raise AssertionError


OPS = {'gt': lambda a, b: a > b, 'gte': lambda a, b: a >= b, 'lt': lambda a, b: a < b, 'lte': lambda a, b: a <= b,
       'eq': lambda a, b: a == b, 'neq': lambda a, b: a != b}


def hits(rule, group, matches):
    """Index and value of every hit."""
    for i in range(len(group)):
        v = value(rule, group, i, matches)
        if v is not None and all(OPS[op](v, b) for op, b in rule['condition'].items()):
            yield i, v


def groups_of(rule, events, matches):
    groups = {}
    for p in parts(events):
        ev = p[6]
        if not matches(ev) or any(ev.get(f) is None for f in rule['group']):
            continue
        if rule['type'] == 'geo_velocity' and (ev.get('lat') is None or ev.get('trust', 'trusted') != 'trusted'):
            continue
        groups.setdefault(tuple(str(ev[f]) for f in rule['group']), []).append(p)
    return groups


def alerts(rule, events, matches):
    """All episodes of a rule as plain dicts, sorted by group and first. `matches(event)` is the set of referred rules'
    numbers that match; empty when none does."""
    out = []
    for key, group in groups_of(rule, events, matches).items():
        episodes = []
        for i, v in hits(rule, group, matches):
            t = group[i][0]
            if episodes and t - episodes[-1]['last'] <= rule['span']:
                episodes[-1]['last'] = t
                episodes[-1]['peak'] = max(episodes[-1]['peak'], v)
            else:
                first = min(p[0] for p in group[:i + 1] if t - p[0] <= rule['span'])
                episodes.append({'first': first, 'last': t, 'peak': v})
        for ep in episodes:
            members = [p for p in group if ep['first'] <= p[0] <= ep['last']]
            ep['count'] = sum(p[5] for p in members)
            ep['vehicles'] = len({p[1] for p in members})
            ep['late'] = any(p[6].get('received') is not None
                             and p[6]['received'] - p[6].get('last', p[6]['time']) > 3600 * 10 ** 6 for p in members)
            ep['group'] = dict(zip(rule['group'], key))
            out.append(ep)
    return sorted(out, key=lambda a: (tuple(a['group'].values()), a['first']))
