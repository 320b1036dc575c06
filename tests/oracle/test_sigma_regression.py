"""Must show 1 of the detection requirements (R-118): every given rule compiles, or is refused for a reason that the
specification gives; every regression case fires its own rule; and every other rule that fires on it is known and
explained. The report is printed (pytest -s) and written where VSOC_REPORT says."""
import collections
import json
import os
import pathlib
import subprocess

import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
REFUSED = {}  # id of a rule: why the specification refuses it. None of the given ones is.


def vsoc(binaries, *arguments):
    done = subprocess.run([binaries / 'vsoc', 'rule', *arguments], capture_output=True, text=True, timeout=300)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def rules_of(folder):
    out = {}
    for path in sorted(folder.rglob('*.yml')):
        for doc in yaml.safe_load_all(path.read_text()):
            if isinstance(doc, dict) and ('detection' in doc or 'correlation' in doc):
                out[doc['id']] = (path, doc)
    return out


def test_every_given_rule_compiles_or_is_refused_with_reason(binaries, data_dir):
    rules = rules_of(data_dir / 'sigma')
    code, findings, _ = vsoc(binaries, 'check', data_dir / 'sigma')
    refused = collections.defaultdict(list)
    for f in findings:
        if f['level'] == 'error':
            refused[f['path']].append(f)
    ids = {str(path): i for i, (path, _) in rules.items()}
    assert {ids[p] for p in refused} == set(REFUSED), refused
    assert code == (1 if REFUSED else 0)
    assert len(rules) >= 140


def why(binaries, rule, events):
    """Parts of the rule that matched, of each event that it fired on."""
    code, lines, _ = vsoc(binaries, 'explain', '--rule', rule, '--events', events)
    assert code == 0
    return [(line['line'], [w for w in line['why'] if w['match']]) for line in lines if line['match']]


@pytest.fixture(scope='module')
def fired(binaries, data_dir):
    """{case: {rule: number of events}} of all rules on all cases."""
    out = {}
    for events in sorted((data_dir / 'sigma' / 'regression').glob('*.json')):
        code, hits, err = vsoc(binaries, 'eval', '--rules', data_dir / 'sigma', '--events', events)
        assert code == 0, err
        out[events.name.removesuffix('.json')] = collections.Counter(h['rule'] for h in hits)
    return out


def test_every_case_fires_its_own_rule(fired):
    assert len(fired) == 65
    assert [case for case, rules in fired.items() if rules[case] < 1] == []


def test_every_other_rule_that_fires_is_explained(binaries, data_dir, fired):
    rules = rules_of(data_dir / 'sigma')
    known = yaml.safe_load((HERE / 'sigma_cross_hits.yml').read_text())
    reviewed = {(k['case'], k['rule']): k for k in known}
    seen, report = set(), []
    for case, others in fired.items():
        path = data_dir / 'sigma' / 'regression' / (case + '.json')
        report.append('%s  %s: %d of its events' % (case[:8], rules[case][1]['title'], others[case]))
        for rule in sorted(set(others) - {case}):
            key = (case[:8], rule[:8])
            assert key in reviewed, 'new: %s on %s: %s' % (rules[rule][1]['title'], case, why(binaries, rules[rule][0], path))
            seen.add(key)
            matched = why(binaries, rules[rule][0], path)
            assert matched and all(reviewed[key]['item'] in {w['selection'] for w in parts} for _, parts in matched)
            source = reviewed[key].get('source')
            ours, theirs = rules[case][1]['logsource'], rules[rule][1]['logsource']
            assert (source is not None) == (ours != theirs), key
            report.append('    also %s (%s), by %s: %s' % (rules[rule][1]['title'], rule[:8], ', '.join(
                '%s %s = %s' % (w['selection'], w['field'], w.get('value')) for w in matched[0][1]), reviewed[key]['why']))
    assert seen == set(reviewed), 'reviewed, but no longer so: %s' % (set(reviewed) - seen)
    text = '\n'.join(report) + '\n'
    print(text)
    if os.environ.get('VSOC_REPORT'):
        pathlib.Path(os.environ['VSOC_REPORT']).write_text(text)
