"""Working with rules as one works with code (R-118, R-119, R-195): expected alerts, JUnit, versions, placeholders, scopes,
dry runs of a draft over events and over the event log of a daemon, and explanations out of its store."""
import json
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

import backend as b

STORM = {'title': 'Storm', 'name': 'storm', 'level': 'high',
         'correlation': {'type': 'event_count', 'rules': ['one'], 'group-by': ['vin'], 'timespan': '10s',
                         'condition': {'gte': 2}}}
ONE = {'title': 'One', 'name': 'one', 'logsource': {'product': 'vehicle', 'service': 'secoc'},
       'detection': {'selection': {'type': 'secoc.verification_failed'}, 'condition': 'selection'}}


def run(binaries, *arguments):
    return subprocess.run([binaries / 'vsoc', 'rule', *map(str, arguments)], capture_output=True, text=True, timeout=120)


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def event(vin, second, **more):
    return {'vin': vin, 'time': '2026-03-01T12:00:%02dZ' % second, 'type': 'secoc.verification_failed', 'seq': second, **more}


def write(path, documents):
    path.write_text(yaml.safe_dump_all(documents))
    return path


@pytest.fixture
def rule(tmp_path):
    return write(tmp_path / 'storm.yml', [STORM, ONE])


@pytest.fixture
def events(tmp_path):
    path = tmp_path / 'events.jsonl'
    path.write_text(''.join(json.dumps(event(vin, s, model=model, sw_version=sw)) + '\n'
                            for vin, model, sw in [('V1', 'Aurora', '3.2'), ('V2', 'Comet X', '4.0'), ('V3', 'Comet Y', '3.10')]
                            for s in range(4)))
    return path


def test_backtest_against_expected_alerts(binaries, tmp_path, rule, events):
    expected, report = tmp_path / 'expected.jsonl', tmp_path / 'report.xml'
    expected.write_text(run(binaries, 'backtest', '--rules', rule, '--events', events).stdout)
    done = run(binaries, 'backtest', '--rules', rule, '--events', events, '--expect', expected, '--junit', report)
    assert done.returncode == 0 and done.stdout == ''
    suite = ElementTree.parse(report).getroot()
    assert (suite.get('tests'), suite.get('failures')) == ('3', '0')

    # Some keys, another order, a time written otherwise; one is wrong, one is not there, one was not expected.
    expected.write_text('\n'.join(map(json.dumps, [
        {'rule': 'storm', 'group': {'vin': 'V3'}, 'first': '2026-03-01T13:00:00+01:00'},
        {'rule': 'storm', 'group': {'vin': 'V1'}, 'count': 5}, {'rule': 'gone'}])) + '\n')
    done = run(binaries, 'backtest', '--rules', rule, '--events', events, '--expect', expected, '--junit', report)
    assert done.returncode == 1
    assert [(d['difference'], d['rule'], d['reason']) for d in lines(done)] == [
        ('changed', 'storm', 'count is 4, expected 5'), ('missing', 'gone', 'expected, but there is no such alert'),
        ('unexpected', 'storm', 'not expected')]
    suite = ElementTree.parse(report).getroot()
    assert (suite.get('tests'), suite.get('failures'), len(suite.findall('.//failure'))) == ('4', '3', 3)


@pytest.mark.parametrize('text,reason', [('{"count": 1}', ':1:1: error: expected one alert'), ('nonsense', ':1:1: error'),
                                         ('{"rule": "storm", "counts": 1}', "no key 'counts'")])
def test_expected_alerts_that_are_none_are_refused(binaries, tmp_path, rule, events, text, reason):
    expected = tmp_path / 'expected.jsonl'
    expected.write_text(text + '\n')
    done = run(binaries, 'backtest', '--rules', rule, '--events', events, '--expect', expected)
    assert done.returncode == 2 and reason in done.stderr


def test_rule_tests_report_as_junit(binaries, tmp_path, rule):
    case = {'name': 'two < three & "four"', 'events': [event('V1', 0), event('V1', 1)], 'alerts': [{'rule': 'storm', 'count': 3}]}
    (tmp_path / 'storm.test.yml').write_text(yaml.safe_dump({'cases': [case]}))
    report = tmp_path / 'report.xml'
    assert run(binaries, 'test', rule, '--junit', report).returncode == 1
    failed = ElementTree.parse(report).getroot().find('testcase')
    assert failed.get('name') == case['name'] and 'count is 2' in failed.find('failure').get('message')


@pytest.mark.parametrize('scope,vehicles', [
    ({'model': 'Aurora'}, ['V1']), ({'model': ['Aurora', 'comet*']}, ['V1', 'V2', 'V3']), ({'sw_version': '>=3.10'}, ['V2', 'V3']),
    ({'sw_version': '>=3.2 <4'}, ['V1', 'V3']), ({'model': 'Comet*', 'sw_version': ['<3.5', '4.*']}, ['V2']),
    ({'region': '*'}, [])])
def test_a_scope_lets_only_its_vehicles_count(binaries, tmp_path, events, scope, vehicles):
    """In the correlation and in the detection alike; the detection that others use goes on matching all."""
    narrow = write(tmp_path / 'narrow.yml', [{**STORM, 'name': 'narrow', 'vsoc': {'scope': scope}}, STORM, ONE])
    alerts = lines(run(binaries, 'backtest', '--rules', narrow, '--events', events))
    assert [a['group']['vin'] for a in alerts if a['rule'] == 'narrow'] == vehicles
    assert [a['group']['vin'] for a in alerts if a['rule'] == 'storm'] == ['V1', 'V2', 'V3']
    plain = write(tmp_path / 'plain.yml', [{**ONE, 'vsoc': {'scope': scope}}])
    assert {a['group']['vin'] for a in lines(run(binaries, 'backtest', '--rules', plain, '--events', events))} == set(vehicles)
    hits = {(m['line'] + 3) // 4 for m in lines(run(binaries, 'eval', '--rules', plain, '--events', events))}
    assert hits == {int(v[1:]) for v in vehicles}


def test_placeholders_come_from_beside_the_rules_or_from_the_command_line(binaries, tmp_path, events):
    rules = tmp_path / 'rules'
    rules.mkdir()
    path = write(rules / 'r.yml', [{'title': 'r', 'name': 'r', 'logsource': {'product': 'vehicle'}, 'detection': {
        's': {'model|expand': '%Trial cars%'}, 'condition': 's'}}])
    done = run(binaries, 'check', path)
    assert done.returncode == 1 and "r.yml:4:19: error: placeholder '%Trial cars%' has no value" in done.stderr
    values = tmp_path / 'values.yml'
    values.write_text('Trial cars: [Comet*, Nova]\n')
    done = run(binaries, 'eval', '--rules', path, '--events', events, '--placeholders', values)
    assert done.returncode == 0 and {m['line'] for m in lines(done)} == set(range(5, 13))
    write(rules / 'ours.pipeline.yml', [{'name': 'ours', 'vars': {'Trial cars': 'Aurora'}}])
    for what in (path, rules):
        assert {m['line'] for m in lines(run(binaries, 'eval', '--rules', what, '--events', events))} == {1, 2, 3, 4}
    done = run(binaries, 'check', rules, '--placeholders', values)
    assert done.returncode == 1 and 'has other values already' in done.stderr


def test_versions_name_what_is_loaded(binaries, tmp_path, rule):
    before = {v['rule']: v for v in lines(run(binaries, 'versions', '--rules', rule))}
    assert before['storm']['alerts'] and not before['one']['alerts'] and len(before['storm']['version']) == 64
    write(rule, [{**STORM, 'level': 'low'}, ONE])
    after = {v['rule']: v for v in lines(run(binaries, 'versions', '--rules', rule))}
    assert after['storm']['meaning'] == before['storm']['meaning'] and after['storm']['version'] != before['storm']['version']
    assert after['one']['version'] == before['one']['version']


def test_dry_run_over_events_holds_the_draft_to_its_budget(binaries, tmp_path, rule, events):
    done = run(binaries, 'dry-run', '--rule', rule, '--events', events, '--all')
    day, report = lines(done)
    assert done.returncode == 0 and day['on'] == {'day': '2026-03-01', 'alerts': 3, 'vehicles': 3}
    assert (report['alerts'], report['vehicles'], report['over_budget'], report['may_be_enabled']) == (3, 3, [], True)
    done = run(binaries, 'dry-run', '--rule', rule, '--events', events, '--budget', 'alerts_per_day=3,vehicles_per_day=2')
    assert done.returncode == 1 and lines(done)[-1]['over_budget'] == ['vehicles_per_day']
    own = write(tmp_path / 'own.yml', [{**STORM, 'vsoc': {'budget': {'alerts_per_day': 2}}}, ONE])
    done = run(binaries, 'dry-run', '--rule', own, '--events', events)
    assert done.returncode == 1 and lines(done)[-1]['over_budget'] == ['alerts_per_day'] and 'do not enable' in done.stderr
    assert run(binaries, 'dry-run', '--rule', own, '--events', events, '--budget', 'alerts_per_day=9').returncode == 0
    assert run(binaries, 'dry-run', '--rule', own, '--events', events, '--budget', 'alerts=9').returncode == 2
    assert run(binaries, 'dry-run', '--rule', own).returncode == 2


def test_a_draft_may_build_on_rules_that_are_there(binaries, tmp_path, events):
    draft, there = tmp_path / 'draft.yml', write(tmp_path / 'one.yml', [ONE, STORM])
    write(draft, [{**STORM, 'name': 'draft', 'condition': {'gte': 3}}])
    assert run(binaries, 'dry-run', '--rule', draft, '--events', events).returncode == 2
    done = run(binaries, 'dry-run', '--rule', draft, '--rules', there, '--events', events)
    assert done.returncode == 0 and [r['rule'] for r in lines(done)] == ['draft']


def test_explain_speaks_of_vehicles(binaries, tmp_path):
    path, ev, dbc = tmp_path / 'r.yml', tmp_path / 'e.jsonl', tmp_path / 'n.dbc'
    write(path, [{'title': 'n', 'name': 'n', 'logsource': {'product': 'vehicle', 'service': 'uds'}, 'detection': {
        's': {'type': 'uds.negative_response', 'nrc': [0x35, 0x36], 'can_id': 0x7e8, 'session': 3}, 'condition': 's'}}])
    ev.write_text(json.dumps({'vin': 'V1', 'time': 0, 'type': 'uds.negative_response', 'service': '0x27', 'nrc': '0x35',
                              'can_id': '0x7E8'}) + '\n')
    dbc.write_text('VERSION ""\nBU_:\nBO_ 2024 Diag_Response: 8 Vector__XXX\n')
    told = lines(run(binaries, 'explain', '--rule', path, '--events', ev, '--dbc', dbc))[0]
    words = {w['field']: (w['match'], w.get('means')) for w in told['why']}
    assert words == {'type': (True, 'Negative response to a diagnostic request'), 'nrc': (True, 'invalidKey'),
                     'can_id': (True, 'Diag_Response'), 'session': (False, None)}
    assert told['missing'] == ['session'] and not told['match']
    assert next(w for w in told['why'] if w['field'] == 'nrc')['expected'] == ['53 invalidKey', '54 exceedNumberOfAttempts']


@pytest.fixture(scope='module')
def past(binaries, tmp_path_factory):
    """A daemon that has seen two storms and is stopped again."""
    place = tmp_path_factory.mktemp('past')
    rules = place / 'rules'
    rules.mkdir()
    write(rules / 'storm.yml', [STORM, ONE])
    (place / 'd').mkdir()
    one = b.Backend(binaries, place / 'd', rules)
    made = one.user('tess', 't1')
    assert made.returncode == 0, made.stderr
    tess = one.login('tess')
    for n in (1, 2):
        b.secoc_storm(one, b.vin(9000 + n))
    rows = one.wait(lambda: [r for r in [tess.ok('/incidents')['rows']] if len(r) >= 2])
    assert one.stop() == 0
    return one, rules, rows[0]


def test_dry_run_over_the_event_log_knows_past_incidents(binaries, tmp_path, past):
    one, rules, incidents = past
    archive = 'segment:%s' % (one.place / 'data' / 'log')
    store = 'sqlite:%s' % next((one.place / 'data').rglob('*.db'))
    done = run(binaries, 'dry-run', '--rule', rules / 'storm.yml', '--archive', archive, '--store', store)
    report = lines(done)[-1]
    assert done.returncode == 0, done.stderr
    assert report['alerts'] == 2 and report['vehicles'] == 2
    assert report['incidents']['hit_count'] == len(incidents) and report['incidents']['missed'] == []
    blind = write(tmp_path / 'blind.yml', [STORM, {**ONE, 'detection': {'s': {'pdu': 'NoSuchPdu'}, 'condition': 's'}}])
    report = lines(run(binaries, 'dry-run', '--rule', blind, '--archive', archive, '--store', store))[-1]
    assert report['alerts'] == 0 and report['incidents']['missed_count'] == len(incidents)


def test_an_alert_is_explained_out_of_the_store(binaries, tmp_path, past):
    one, rules, _ = past
    store = 'sqlite:%s' % next((one.place / 'data').rglob('*.db'))
    versions = lines(run(binaries, 'versions', '--store', store))
    loaded = {v['rule']: v['version'] for v in lines(run(binaries, 'versions', '--rules', rules))}
    assert [(v['rule'], v['version'], v['alerts']) for v in versions] == [('storm', loaded['storm'], 2)]
    shown = run(binaries, 'versions', '--store', store, '--show', loaded['storm'][:12])
    again = tmp_path / 'again.yml'
    again.write_text(shown.stdout)
    assert {v['rule']: v['version'] for v in lines(run(binaries, 'versions', '--rules', again))}['storm'] == loaded['storm']
    # Any id of the store will do; an empty start is the start of both.
    assert run(binaries, 'explain', '--store', store, '--alert', '').returncode == 1
    for first in '0123456789abcdef':
        done = run(binaries, 'explain', '--store', store, '--alert', first)
        # Which alert an initial finds depends on the pseudonyms; the daemon's own alerts have no rule to show.
        if done.returncode == 0 and lines(done)[0]['alert']['rule'] == 'storm':
            told = lines(done)
            assert told[1]['version'] == loaded['storm']
            assert told[2]['means'] == 'SecOC authentication failed' and len(told) == 2 + told[0]['alert']['members']
            return
    done = run(binaries, 'explain', '--store', store, '--alert', 'zz')
    assert done.returncode == 1 and 'no alert' in done.stderr
