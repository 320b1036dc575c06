"""vsoc rule: the contract of the command line (docs/rules.md): JSON lines on stdout, reasons on stderr, exit codes."""
import json
import random
import subprocess

import pytest

RULE = '''
title: Storm
name: storm
level: high
correlation:
    type: event_count
    rules: [one]
    group-by: [vin]
    timespan: 10s
    condition: {gte: 2}
---
title: One
name: one
logsource: {product: vehicle, service: secoc}
detection:
    selection:
        type: secoc.verification_failed
    condition: selection
'''


def run(binaries, *arguments, stdin=''):
    return subprocess.run([binaries / 'vsoc', 'rule', *arguments], capture_output=True, text=True, input=stdin, timeout=120)


def event(**more):
    return json.dumps({'vin': 'V1', 'time': '2026-03-01T12:00:00Z', 'type': 'secoc.verification_failed', **more})


@pytest.fixture
def rule(tmp_path):
    path = tmp_path / 'storm.yml'
    path.write_text(RULE)
    return path


def test_content_lints_and_passes_its_tests(binaries, root):
    assert run(binaries, 'check', root / 'content/rules').returncode == 0
    done = run(binaries, 'test', root / 'content/rules')
    assert done.returncode == 0, done.stderr
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(cases) >= 49 and all(case['passed'] for case in cases)


def test_core_rules_ask_for_the_responses_of_the_tutorial(root):
    """R-123 to R-126: the campaign names its three actions and its second severity step."""
    import yaml
    docs = list(yaml.safe_load_all((root / 'content/rules/fleet_campaign.yml').read_text()))
    vsoc = docs[1]['vsoc']
    assert vsoc['actions'] == ['psirt_indicator_report', 'share_auto_isac', 'evaluate_ota_countermeasure']
    assert vsoc['severity_steps'] == [{'peak': 100, 'level': 'critical'}]


def test_alerts_from_standard_input(binaries, rule):
    lines = [event(seq=1), event(seq=2, time='2026-03-01T12:00:05+00:00'), event(seq=3, vin='V2')]
    done = run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin='\n'.join(lines))
    assert done.returncode == 0, done.stderr
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(alerts) == 1
    alert = alerts[0]
    assert list(alert) == ['id', 'rule', 'title', 'severity', 'group', 'first', 'last', 'count', 'peak', 'vehicles', 'state',
                           'late', 'supersedes']
    assert len(alert.pop('id')) == 32
    assert alert == {'rule': 'storm', 'title': 'Storm', 'severity': 'high', 'group': {'vin': 'V1'},
                     'first': '2026-03-01T12:00:00.000000Z', 'last': '2026-03-01T12:00:05.000000Z', 'count': 2, 'peak': 2,
                     'vehicles': 1, 'state': 'open', 'late': False, 'supersedes': []}


def test_bad_lines_are_named_and_left_out(binaries, rule):
    lines = [event(seq=1), '{"vin": "V1"', '[1]', '{"time": 1, "type": "x"}', event(time='yesterday'), event(count=0),
             event(seq=-1), event(last='2026-03-01T11:00:00Z'), '{"vin":"a","vin":"b","time":1,"type":"x"}', event(seq=2)]
    done = run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin='\n'.join(lines))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    for line, reason in ((2, ''), (3, 'not a JSON object'), (4, "'vin'"), (5, "'time'"), (6, "'count'"), (7, "'seq'"),
                         (8, "'last'"), (9, 'twice')):
        assert any(text.startswith('-:%d: ' % line) and reason in text for text in done.stderr.splitlines()), (line, reason)
    strict = run(binaries, 'backtest', '--rules', rule, '--events', '-', '--strict', stdin='\n'.join(lines))
    assert strict.returncode == 2
    nothing = run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin='nonsense\n')
    assert nothing.returncode == 2


def test_future_events_are_quarantined_and_late_ones_marked(binaries, rule):
    """R-129: more than five minutes ahead of their receipt; more than an hour behind it."""
    lines = [event(seq=1, received='2026-03-01T11:54:59Z'), event(seq=2, received='2026-03-01T11:55:00Z'),
             event(seq=3, received='2026-03-01T13:00:01Z'), event(seq=4, received='2026-05-01T13:00:01Z')]
    done = run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin='\n'.join(lines))
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a['count'] for a in alerts] == [2] and alerts[0]['late'] is True
    assert '1 quarantined' in done.stderr and '1 received beyond the horizon' in done.stderr


def test_copies_count_once(binaries, rule):
    """R-097: by number when there is one, else by content, whatever the order of the keys."""
    numbered = run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin='\n'.join([event(seq=1)] * 3))
    assert numbered.stdout == '' and '2 duplicates' in numbered.stderr
    plain = [event(a=1, b=2), event(b=2, a=1), event(a=1, b=2, received='2026-03-01T12:00:09Z')]
    assert run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin='\n'.join(plain)).stdout == ''
    other = run(binaries, 'backtest', '--rules', rule, '--events', '-', stdin=event(a=1) + '\n' + event(a=2))
    assert len(other.stdout.splitlines()) == 1


def test_plain_rules_make_one_alert_per_vehicle_and_storm(binaries, tmp_path):
    path = tmp_path / 'plain.yml'
    path.write_text("title: P\nid: p-1\nlogsource: {product: vehicle}\ndetection: {s: {type: boot.rollback}, condition: s}\n"
                    "vsoc: {episode: 10m}\n")
    lines = [json.dumps({'vin': vin, 'time': '2026-03-01T12:%02d:00Z' % minute, 'type': 'boot.rollback', 'seq': minute})
             for vin in ('V1', 'V2') for minute in (0, 5, 15, 26)]
    done = run(binaries, 'backtest', '--rules', path, '--events', '-', stdin='\n'.join(lines))
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(a['rule'], a['group']['vin'], a['count']) for a in alerts] == [('p-1', 'V1', 3), ('p-1', 'V1', 1),
                                                                           ('p-1', 'V2', 3), ('p-1', 'V2', 1)]


def test_referred_rules_alert_only_when_asked(binaries, tmp_path):
    path = tmp_path / 'generate.yml'
    path.write_text(RULE.replace('rules: [one]', 'rules: [one]\n    generate: true'))
    done = run(binaries, 'backtest', '--rules', path, '--events', '-', stdin=event(seq=1))
    assert [json.loads(line)['rule'] for line in done.stdout.splitlines()] == ['one']


def test_log_source_narrows_only_when_asked_in_eval(binaries, tmp_path):
    path = tmp_path / 'r.yml'
    path.write_text('title: T\nname: t\nlogsource: {product: linux, service: sshd}\ndetection: {s: {a: 1}, condition: s}\n')
    lines = '\n'.join(['{"a":1}', '{"a":1,"product":"linux","service":"sshd"}', '{"a":1,"logsource":{"product":"linux"}}',
                       '{"a":2,"product":"linux","service":"sshd"}'])
    every = run(binaries, 'eval', '--rules', path, '--events', '-', stdin=lines)
    assert [json.loads(line) for line in every.stdout.splitlines()] == [{'rule': 't', 'line': n} for n in (1, 2, 3)]
    narrowed = run(binaries, 'eval', '--rules', path, '--events', '-', '--logsource', stdin=lines)
    assert [json.loads(line) for line in narrowed.stdout.splitlines()] == [{'rule': 't', 'line': 2}]


def test_explain_says_what_did_not_match(binaries, rule):
    done = run(binaries, 'explain', '--rule', rule, '--events', '-', stdin=event() + '\n{"vin":"V1","type":"can.bus_off","time":1}')
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(s['rule'], s['line'], s['match'], s['logsource']) for s in said] == [('one', 1, True, True), ('one', 2, False, False)]
    assert said[1]['why'] == [{'selection': 'selection', 'field': 'type', 'match': False, 'value': 'can.bus_off',
                               'means': 'CAN controller went bus-off', 'expected': ['secoc.verification_failed']}]


def test_mistakes_have_a_place(binaries, tmp_path, rule):
    broken = tmp_path / 'broken.yml'
    broken.write_text('title: T\nlogsource: {product: x}\ndetection:\n  s:\n    a|containz: x\n  condition: s\n')
    done = run(binaries, 'check', broken)
    assert done.returncode == 1
    assert done.stderr.startswith('%s:5:5: error: unknown modifier' % broken)
    finding = json.loads(done.stdout.splitlines()[0])
    assert (finding['line'], finding['column'], finding['level']) == (5, 5, 'error')
    for verb in ('eval', 'backtest'):
        assert run(binaries, verb, '--rules', rule, broken, '--events', '-').returncode == 2
        assert run(binaries, verb, '--rules', rule, broken, '--events', '-', '--skip-broken').returncode == 0


def test_test_failures_are_findings(binaries, tmp_path, rule):
    (tmp_path / 'storm.test.yml').write_text(
        'cases:\n  - name: wrong\n    events:\n      - {vin: V1, time: +0s, type: secoc.verification_failed, repeat: 2}\n'
        '    alerts:\n      - {count: 3}\n')
    done = run(binaries, 'test', rule)
    assert done.returncode == 1
    assert json.loads(done.stdout)['reason'] == 'alert 1: count is 2, expected 3'


@pytest.mark.parametrize('arguments', [[], ['nonsense'], ['eval'], ['backtest', '--rules', 'x'], ['backtest', '--events', '-'],
                                       ['backtest', '--rules', '/nonexistent', '--events', '-'], ['check', '/nonexistent'],
                                       ['backtest', '--workers', '0', '--rules', 'x', '--events', '-'], ['eval', '--bogus'],
                                       ['test', '/nonexistent.test.yml']])
def test_bad_usage_exits_2(binaries, arguments):
    done = run(binaries, *arguments)
    assert done.returncode == 2 and done.stderr


def test_large_inputs_give_the_same_alerts_with_any_number_of_workers(binaries, tmp_path, rule):
    """Several blocks of lines, bad lines among them, so that blocks and line numbers are cut in the middle."""
    rng = random.Random(3)
    lines = [event(seq=n, vin='V%d' % rng.randint(1, 300), filler='x' * rng.randint(0, 300),
                   time=1_772_323_200_000_000 + rng.randint(0, 40_000) * 10 ** 6) for n in range(12000)]
    lines[7000] = 'broken'
    path = tmp_path / 'events.jsonl'
    path.write_text('\n'.join(lines))
    base = run(binaries, 'backtest', '--rules', rule, '--events', path)
    assert base.returncode == 0 and base.stdout
    assert ':7001: left out' in base.stderr
    for workers in ('2', '7'):
        more = run(binaries, 'backtest', '--rules', rule, '--events', path, '--workers', workers)
        assert more.stdout == base.stdout and ':7001: left out' in more.stderr
