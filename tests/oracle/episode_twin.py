"""A naive reading of docs/rules.md: the alerts of a set of rules over a list of events, in quadratic time and without
state.

It shares no code and no idea with the engine: sort, look at each event's window as a list, join hits into episodes.

A plain rule is a name and a test of an event. A correlation is a dict: name, type, refs (names, as listed), group
(fields), aliases ({group field: {rule: field}}), span (microseconds), condition ({operator: bound}), field (list),
percentile, generate."""
import math
from fractions import Fraction

TYPES = ('event_count', 'value_count', 'temporal', 'temporal_ordered', 'value_sum', 'value_avg', 'value_percentile',
         'geo_velocity')
HOUR_US = 3600 * 10 ** 6


class Part:
    """One entry of a window: an event, or one of the two that stand for an aggregated record."""

    def __init__(self, ev, second):
        k = ev.get('count', 1)
        self.ev = ev
        self.time = ev.get('last', ev['time']) if second else ev['time']
        self.weight = k - 1 if second else 1
        self.order = (self.time, ev['vin'], ev.get('epoch', 0), ev.get('seq', 0), second)
        self.vin = ev['vin']
        self.late = ev.get('received') is not None and ev['received'] - ev.get('last', ev['time']) > HOUR_US


def identity(ev):
    if ev.get('seq') is not None:
        return ev['vin'], ev.get('epoch', 0), ev['seq']
    return tuple(sorted((k, v) for k, v in ev.items() if k != 'received' and v is not None))


def parts(events):
    """Duplicates removed, sorted. Of copies, one that came in time makes the event one that was not late."""
    seen = {}
    for ev in events:
        kept = seen.setdefault(identity(ev), ev)
        if Part(kept, False).late and not Part(ev, False).late:
            seen[identity(ev)] = ev
    out = []
    for ev in seen.values():
        out.append(Part(ev, False))
        if ev.get('count', 1) > 1:
            out.append(Part(ev, True))
    return sorted(out, key=lambda p: p.order)


def distance_km(a, b):
    la, lb = math.radians(a['lat']), math.radians(b['lat'])
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin(math.radians(b['lon'] - a['lon']) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))


def in_order(window, count):
    """Length of the longest start of the list of rules that occurs in order, each in an event of its own."""
    best = 0
    for start in range(len(window)):
        n = 0
        for rules in window[start:]:
            if n < count and n in rules:
                n += 1
        best = max(best, n)
    return best


def value(rule, group, i):
    """The value of the window of entry i; group is a list of (part, set of places in the list of referred rules)."""
    span = rule['span']
    now = group[i][0].time
    window = [entry for entry in group[:i + 1] if now - entry[0].time <= span]
    kind = rule['type']
    if kind == 'event_count':
        return sum(p.weight for p, _ in window)
    if kind == 'value_count':
        return len({tuple(p.ev[f] for f in rule['field']) for p, _ in window
                    if all(p.ev.get(f) is not None for f in rule['field'])})
    if kind == 'temporal':
        return len(set().union(*({rule['refs'][n] for n in refs} for _, refs in window)))
    if kind == 'temporal_ordered':
        return in_order([refs for _, refs in window], len(rule['refs']))
    if kind == 'geo_velocity':
        if i == 0 or now - group[i - 1][0].time > span:
            return None
        return Fraction(round(distance_km(group[i - 1][0].ev, group[i][0].ev) * 1000), 1000)
    field = rule['field'][0]
    numbers = [(p.ev[field], p.weight) for p, _ in window if p.ev.get(field) is not None]
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


def hits(rule, group):
    """Index and value of every hit."""
    condition = rule['condition'] or {'gte': len(rule['refs'])}
    for i in range(len(group)):
        v = value(rule, group, i)
        if v is not None and all(OPS[op](v, b) for op, b in condition.items()):
            yield i, v


def text(v):
    return v if isinstance(v, str) else str(v)


def groups_of(rule, found):
    """Groups of a correlation. found[name] is the list of parts that the rule of that name matches or hits."""
    groups = {}
    for n, ref in enumerate(rule['refs']):
        fields = [rule.get('aliases', {}).get(f, {}).get(ref, f) for f in rule['group']]
        for p in found[ref]:
            if any(p.ev.get(f) is None for f in fields):
                continue
            if rule['type'] == 'geo_velocity' and (p.ev.get('lat') is None or p.ev.get('trust', 'trusted') != 'trusted'):
                continue
            key = tuple(text(p.ev[f]) for f in fields)
            groups.setdefault(key, {}).setdefault(p.order, (p, set()))[1].add(n)
    return {key: [group[order] for order in sorted(group)] for key, group in groups.items()}


def episodes(rule, group):
    """Episodes of one group as plain dicts."""
    out = []
    for i, v in hits(rule, group):
        t = group[i][0].time
        if out and t - out[-1]['last'] <= rule['span']:
            out[-1]['last'] = t
            out[-1]['peak'] = max(out[-1]['peak'], v)
        else:
            first = min(p.time for p, _ in group[:i + 1] if t - p.time <= rule['span'])
            out.append({'rule': rule['name'], 'first': first, 'last': t, 'peak': v})
    for ep in out:
        members = [p for p, _ in group if ep['first'] <= p.time <= ep['last']]
        ep['count'] = sum(p.weight for p in members)
        ep['vehicles'] = len({p.vin for p in members})
        ep['late'] = any(p.late for p in members)
    return out


def alone(name):
    """How a plain rule that no correlation refers to is counted."""
    return {'name': name, 'type': 'event_count', 'refs': [name], 'group': ['vin'], 'span': HOUR_US, 'condition': {'gte': 1}}


def alerts(plain, correlations, events):
    """All alerts, sorted by rule, group, first. Correlations come after those they refer to."""
    all_parts = parts(events)
    found = {name: [p for p in all_parts if test(p.ev)] for name, test in plain.items()}
    referred = {ref for c in correlations if not c.get('generate') for ref in c['refs']}
    out = []
    for rule in correlations + [alone(name) for name in plain if name not in referred]:
        hit = []
        for key, group in groups_of(rule, found).items():
            hit += [group[i][0] for i, _ in hits(rule, group)]
            if rule['name'] not in referred:
                out += [dict(ep, group=dict(zip(rule['group'], key))) for ep in episodes(rule, group)]
        if rule['name'] not in plain:
            found[rule['name']] = hit
    return sorted(out, key=lambda a: (a['rule'], tuple(a['group'].values()), a['first']))
