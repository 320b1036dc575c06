"""`vsoc rule eval` against pySigma's reading of the same rules (R-118): the real cases, and the real Linux rules over
events built from their own values. Random rules are in test_sigma_differential.py."""
import json
import random
import subprocess

import pytest
import yaml

pytest.importorskip('sigma', reason='pySigma is not installed')
import sigma_reading  # noqa: E402


def evaluate(binaries, rules, events, tmp_path):
    """Set of (rule, line) that ours reports."""
    path = tmp_path / 'events.jsonl'
    path.write_text('\n'.join(json.dumps(ev) for ev in events) + '\n')
    done = subprocess.run([binaries / 'vsoc', 'rule', 'eval', '--rules', *rules, '--events', path], capture_output=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return {(m['rule'], m['line']) for m in map(json.loads, done.stdout.splitlines())}


def expected(parsed, events):
    return {(name, n + 1) for name, rule in parsed.items() for n, ev in enumerate(events)
            if sigma_reading.rule_matches(rule, ev)}


def regression_cases(data_dir):
    folder = data_dir / 'sigma' / 'regression'
    return sorted(p for p in folder.glob('*.rule.yml'))


def flat_documents(text):
    """Events of a file that holds one or more documents, each as one flat object."""
    out, at = [], 0
    while at < len(text.rstrip()):
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = json.JSONDecoder().raw_decode(text, at)
        flat = {}
        for part in ('System', 'EventData', 'UserData'):
            flat.update(document['Event'].get(part) or {})
        out.append(flat)
    return out


def test_regression_events_fire_their_own_rule(binaries, data_dir, tmp_path):
    """As they lie there (printed over many lines, fields two levels deep) and flat on one line."""
    cases = regression_cases(data_dir)
    assert len(cases) >= 65
    for rule in cases:
        event = rule.with_name(rule.name.replace('.rule.yml', '.json'))
        label = yaml.safe_load(rule.read_text())['id']
        done = subprocess.run([binaries / 'vsoc', 'rule', 'eval', '--rules', rule, '--events', event], capture_output=True,
                              timeout=60)
        hits = [json.loads(line) for line in done.stdout.splitlines()]
        flat = flat_documents(event.read_text())
        assert {h['rule'] for h in hits} == {label} and len(hits) <= len(flat), rule
        assert len(evaluate(binaries, [rule], flat, tmp_path)) == len(hits), rule


def scalars(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ('condition', 'timeframe'):
                continue
            for field, v in scalars(value):
                yield (field or str(key).split('|')[0], v)
    elif isinstance(node, list):
        for value in node:
            yield from scalars(value)
    else:
        yield ('', node)


def plain(rng, v):
    """A text that the value may or may not match: wildcards filled, escapes kept or resolved, ends added."""
    if not isinstance(v, str):
        return rng.choice([v, str(v)]) if v is not None else None
    text = v.replace('\\\\', '\\') if rng.random() < 0.3 else v
    text = ''.join(rng.choice(['', 'x', 'long filler']) if c == '*' else 'q' if c == '?' else c for c in text)
    if rng.random() < 0.4:
        text = rng.choice(['', 'C:\\', ' ']) + text + rng.choice(['', ' -x', '.exe'])
    return rng.choice([text, text.upper(), text.lower()])


def events_from(rng, docs, count):
    """Events that come close to the rules: each takes some of one rule's values, sometimes all into one text."""
    out = []
    for _ in range(count):
        pairs = list(scalars(rng.choice(docs)['detection']))
        event = {}
        for field, v in pairs:
            if rng.random() < 0.6:
                key = field or rng.choice(['message', 'data'])
                value = plain(rng, v)
                joined = isinstance(event.get(key), str) and isinstance(value, str) and rng.random() < 0.6
                event[key] = event[key] + ' ' + value if joined else value
        out.append(event)
    return out


@pytest.mark.parametrize('folder', ['linux', 'regression'])
def test_real_rules_read_as_pysigma_reads_them(binaries, data_dir, tmp_path, folder):
    rng = random.Random(5)
    paths = sorted((data_dir / 'sigma' / folder).rglob('*.yml'))
    docs, parsed, used = [], {}, []
    for path in paths:
        doc = yaml.safe_load(path.read_text())
        if 'detection' not in doc:
            continue
        docs.append(doc)
        parsed[doc['id']] = sigma_reading.parse(path.read_text())
        used.append(path)
    assert len(used) >= 60
    events = events_from(rng, docs, 600)
    want = expected(parsed, events)
    assert len(want) > 50, 'the events must hit something for this to mean anything'
    assert evaluate(binaries, used, events, tmp_path) == want
