"""Rules changed under a running vsocd: a broken set is refused and told, the old one goes on; a good one takes over, and a new rule
says of the past what a backtest says of it."""
import json
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

BROKEN = 'title: Broken\nname: broken\nlogsource: {product: vehicle}\ndetection:\n    selection: {type: secoc.verification_failed}\n    condition: selektion\n'
LATE_RULE = 'geolocation_jump'


def command(binaries, *args):
    r = subprocess.run([str(binaries / args[0]), *map(str, args[1:])], capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, r.stderr
    return r.stdout


def wait_for(what, seconds=60):
    for _ in range(seconds * 10):
        found = what()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail('it did not come')


def alerts_of(binaries, config):
    lines = command(binaries, 'vsoc', 'report', 'alerts', '--config', config).splitlines()
    return [a for a in map(json.loads, lines) if a['state'] != 'retracted' and not a['superseded']]


def named(alerts):
    return {(a['id'], a['rule'], a['first'], a['last'], a['count']) for a in alerts}


def test_rules_change_under_a_running_daemon(binaries, root, tmp_path):
    home, rules, log = tmp_path / 'f', tmp_path / 'rules', tmp_path / 'vsocd.log'
    aside = tmp_path / 'aside'
    command(binaries, 'vsoc', 'pki', 'init', home)
    shutil.copytree(root / 'content/rules', rules)
    late = [f for f in rules.rglob('*.yml') if 'name: %s\n' % LATE_RULE in f.read_text() and not f.name.endswith('.test.yml')]
    assert len(late) == 1
    shutil.move(late[0], aside)
    config = home / 'c.yaml'
    config.write_text(json.dumps({
        'data_dir': 'data', 'detect': {'rules': str(rules)}, 'api': {'port': 0, 'vault_key': 'vault.key'},
        'ingest': {'port': 0, 'tls_cert': 'server.pem', 'tls_key': 'server.key', 'vehicle_ca': 'vehicle-ca.pem',
                   'pseudonym_key': 'pseudonym.key', 'simulated_clock': True}}))
    sim = ['--seed', '3', '--vehicles', '120', '--days', '10', '--pki', home]
    with open(log, 'w') as stderr:
        daemon = subprocess.Popen([str(binaries / 'vsocd'), '--config', str(config)], stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        ready = json.loads(daemon.stdout.readline())
        vehicles = home / 'vehicles.jsonl'
        vehicles.write_text(command(binaries, 'vsoc', 'sim', 'vehicles', *sim))
        command(binaries, 'vsoc', 'import', 'vehicles', vehicles, '--config', config)
        sent = json.loads(command(binaries, 'vsoc', 'sim', 'drive', *sim, '--url', 'https://localhost:%d' % ready['ingest_port'], '--parallel', '4'))
        assert sent['refused'] == 0
        events = home / 'events.jsonl'
        events.write_text(command(binaries, 'vsoc', 'sim', 'events', *sim))
        expected = [json.loads(line) for line in command(binaries, 'vsoc', 'rule', 'backtest', '--rules', root / 'content/rules', '--events', events).splitlines()]
        before = [a for a in expected if a['rule'] != LATE_RULE]
        assert any(a['rule'] == LATE_RULE for a in expected)
        wait_for(lambda: named(before) == named(alerts_of(binaries, config)))

        # Broken: told with its place, and nothing else changes.
        (rules / 'broken.yml').write_text(BROKEN)
        daemon.send_signal(signal.SIGHUP)
        told = wait_for(lambda: [a for a in alerts_of(binaries, config) if a['rule'] == 'vsoc_rules_refused'])
        assert told[0]['state'] == 'open'
        assert 'broken.yml:6' in log.read_text() and '"rules.refused"' in log.read_text()
        with sqlite3.connect('file:%s?mode=ro' % (home / 'data/state/state.db'), uri=True) as db:
            assert 'broken.yml:6' in db.execute("SELECT title FROM alert WHERE rule = 'vsoc_rules_refused'").fetchone()[0]
        assert named(before) == named(a for a in alerts_of(binaries, config) if not a['rule'].startswith('vsoc_'))

        # Good, and with a rule more: the past is looked at as if it had always been there.
        (rules / 'broken.yml').unlink()
        shutil.move(aside, late[0])
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: '"rules.filled"' in log.read_text())
        wait_for(lambda: named(expected) == named(a for a in alerts_of(binaries, config) if not a['rule'].startswith('vsoc_')))
        assert [a['state'] for a in alerts_of(binaries, config) if a['rule'] == 'vsoc_rules_refused'] == ['closed']
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
