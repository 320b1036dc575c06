"""Random Sigma rules over every modifier, condition form and shape of a selection, with filters and placeholders, and
random events that come close to them. Everything follows from the generator of random numbers that is handed in."""
import itertools

WORDS = ['a', 'b', 'ab', 'Ab', 'abc', 'x y', '-f', '/f', 'a-b', '10.1.2.3', '10.9.9.9', 'fd00::1', '5', '6', '5.5', '',
         'a*', 'a\\b', 'a\\\\b', 'é', 'É', 'ä?', 'Ω', 'ж', 'Ж', '漢字', '🚗', 'a 🚗 b', 'C:\\Win\\x.exe', '%x%', '100%',
         'line\nbreak', 'tab\there', 'ß', 'ẞ', 'ſ', '\u212a', 'σς']
TIMES = ['2026-03-01T00:00:00Z', '2026-12-31T23:59:59.5Z', '2024-12-30T12:30:00+05:00', '2021-01-03T06:07:08Z',
         1772323200000000, 0, 'not a time']
FIELDS = ['f', 'g', 'h', 'n.o', 't']
PLACEHOLDERS = {'one': ['ab'], 'two': ['a*', 'x y'], 'three': ['b', 5, 'C:\\Win*'], 'odd name': ['é']}

TEXT = ['', 'contains', 'startswith', 'endswith']
PLAIN = [[m] if m else [] for m in TEXT] + [['cased'], ['contains', 'cased'], ['endswith', 'cased'], ['neq'],
                                            ['contains', 'neq'], ['cased', 'neq']]
OTHERS = [['re'], ['re', 'i'], ['re', 'i', 's'], ['re', 'm'], ['re', 'neq'], ['base64'], ['base64offset', 'contains'],
          ['wide', 'base64offset', 'contains'], ['utf16be', 'base64offset', 'contains'], ['utf16', 'base64offset', 'contains'],
          ['wide', 'base64'],
          ['windash'], ['windash', 'contains'], ['windash', 'startswith'], ['gt'], ['gte'], ['lt'], ['lte'], ['lt', 'neq'],
          ['exists'], ['fieldref'], ['fieldref', 'neq'], ['fieldref', 'startswith'], ['fieldref', 'endswith'],
          ['fieldref', 'contains'], ['cidr'], ['cidr', 'neq'], ['expand'], ['expand', 'contains'], ['contains', 'expand'],
          ['minute'], ['hour'], ['day'], ['week'], ['month'], ['year'], ['hour', 'gte'], ['month', 'lt']]
RARE = [['utf16le', 'base64']]  # pySigma does not know utf16le by this name
ALL_MODIFIERS = sorted({m for chain in PLAIN + OTHERS + RARE for m in chain} | {'all'})


def text_value(rng):
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(WORDS)
    parts = ['a', 'b', 'x', ' ', '*', '?', '\\*', '\\?', '\\\\', '\\', 'é', '/', '-', '.', '🚗']
    return ''.join(rng.choice(parts) for _ in range(rng.randint(1, 5)))


def value(rng, chain):
    kind = next((m for m in chain if m not in ('neq', 'cased', 'all', 'contains', 'startswith', 'endswith')), '')
    if 'windash' in chain:
        return rng.choice([' -f', '/f', '-a b', 'a-b', '-a /b', 'x'])
    if kind == 're':
        return rng.choice(['a.', '^a', 'b$', '[a-c]+', '(a|x) ?y', 'A', 'a.*b', '^b', r'\d+', 'a{2,3}', 'é', '.', r'\.exe$'])
    if kind in ('gt', 'gte', 'lt', 'lte'):
        return rng.choice([5, 5.5, 6, -1, 0, 1000000])
    if kind == 'exists':
        return rng.random() < 0.5
    if kind == 'fieldref':
        return rng.choice(FIELDS + ['absent'])
    if kind == 'cidr':
        return rng.choice(['10.0.0.0/8', '10.1.0.0/16', '192.168.0.0/16', '10.1.2.3/32', 'fd00::/8', '0.0.0.0/0'])
    if 'base64' in chain or 'base64offset' in chain:
        return rng.choice(['a', 'ab', 'abc', 'abcd', 'x y', 'foobar'])
    if kind == 'expand':
        return rng.choice(['%one%', '%two%', '%three%', 'x%two%', '%one%%two%', '%odd name%', 'no', '*%one%', '%three%*'])
    if kind in ('minute', 'hour', 'day', 'week', 'month', 'year'):
        return rng.choice([0, 1, 3, 6, 7, 12, 23, 30, 31, 52, 53, 59, 2021, 2026])
    if not chain or chain == ['neq']:
        return rng.choice([5, 6, 5.5, -1, True, False]) if rng.random() < 0.25 else text_value(rng)
    return text_value(rng)


ONE_ONLY = ('exists', 'gt', 'gte', 'lt', 'lte')


def item(rng, chain):
    many = rng.random() < 0.4 and not any(m in ONE_ONLY for m in chain)
    values = [value(rng, chain) for _ in range(rng.randint(2, 3))] if many else value(rng, chain)
    everything = many and rng.random() < 0.35
    return chain + (['all'] if everything else []), values


def selection_map(rng):
    out = {}
    for field in rng.sample(FIELDS, rng.randint(1, 3)):
        chain = rng.choice(PLAIN) if rng.random() < 0.5 else rng.choice(OTHERS if rng.random() < 0.99 else RARE)
        if field != 't' and any(m in ('minute', 'hour', 'day', 'week', 'month', 'year') for m in chain):
            field = 't'
        chain, values = item(rng, chain)
        if not chain and rng.random() < 0.15:
            values = rng.choice([None, ''])
        out['|'.join([field] + chain)] = values
    return out


def keywords(rng):
    words = [rng.choice(['a', 'x y', 'b*c', 5, 'é', 'a?c', 'zz', '\\*', '🚗']) for _ in range(rng.randint(1, 3))]
    kind = rng.random()
    if kind < 0.6:
        return words
    if kind < 0.8 and len(words) > 1:
        return {'|all': words}
    return {'|re': [rng.choice(['a.', '[0-9]', 'é'])]}


def selection(rng):
    kind = rng.random()
    if kind < 0.6:
        return selection_map(rng)
    if kind < 0.8:
        return [selection_map(rng) for _ in range(rng.randint(1, 3))]
    if kind < 0.85:
        return [selection_map(rng), rng.choice(['a', 'x y'])]
    return keywords(rng)


NAMES = ['s1', 's2', 'sel_x', 'filter_a', '_hidden']


def condition(rng, depth=0):
    kind = rng.random()
    if depth > 3 or kind < 0.35:
        return rng.choice(NAMES)
    if kind < 0.5:
        word = rng.choice(['1 of', 'all of', 'any of'])
        return word + ' ' + rng.choice(['them', 's*', 'sel*', '*', 'f*a', '*_*', 's1'])
    if kind < 0.6:
        return 'not ' + condition(rng, depth + 1) if rng.random() < 0.6 else 'not (' + condition(rng, depth + 1) + ')'
    parts = [condition(rng, depth + 1) for _ in range(rng.randint(2, 3))]
    joined = rng.choice([' and ', ' or '] * 20 + [' AND ', ' Or ']).join(parts)
    return '(' + joined + ')' if rng.random() < 0.5 else joined


def rule(rng, name):
    detection = {n: selection(rng) for n in NAMES}
    detection['condition'] = condition(rng) if rng.random() < 0.85 else [condition(rng), condition(rng)]
    return {'title': name, 'name': name, 'logsource': {'product': rng.choice(['x', 'y']), 'category': 'c'},
            'detection': detection}


def filter_document(rng, number, names):
    rules = 'any' if rng.random() < 0.4 else rng.sample(names, min(2, len(names)))
    logsource = rng.choice([{'product': 'x'}, {'product': 'y'}, {'category': 'c'}, {'product': 'x', 'category': 'c'}])
    return {'title': 'filter %d' % number, 'logsource': logsource,
            'filter': {'rules': rules, 'selection': selection_map(rng), 'other': selection_map(rng),
                       'condition': rng.choice(['selection', 'not selection', 'selection or other',
                                                'not (selection and other)', '1 of other*', 'not 1 of *'])}}


def scalar(rng):
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(WORDS + ['YWI=', 'xYWJjx', 'a /f', 'a –f', 'x —a b', 'YQBiAA==', 'Zm9vYmFy', 'xAGEAYgBjx'])
    return rng.choice([5, 6, 5.5, -1, 0, True, False, None, 10 ** 6])


def event(rng):
    out = {}
    for field in ['f', 'g', 'h']:
        kind = rng.random()
        if kind < 0.7:
            out[field] = scalar(rng)
        elif kind < 0.8:
            out[field] = [scalar(rng) for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.5:
        out['n'] = rng.choice([{'o': scalar(rng)}, {'o': [scalar(rng), scalar(rng)]}, {'p': scalar(rng)}])
    if rng.random() < 0.6:
        out['t'] = rng.choice(TIMES)
    return out


def modifiers_of(node):
    """Names of the modifiers in a detection."""
    if isinstance(node, dict):
        return set(itertools.chain.from_iterable(
            set(str(k).split('|')[1:]) | modifiers_of(v) for k, v in node.items() if k != 'condition'))
    if isinstance(node, list):
        return set(itertools.chain.from_iterable(modifiers_of(v) for v in node))
    return set()
