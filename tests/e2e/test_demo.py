"""The demo's own promise on a smaller fleet: it ends by itself with exit 0 and one JSON object that says what was produced, where
every event is, and what was found of what was planted."""
import json
import os
import subprocess
import sys


def test_the_demo_finds_what_it_plants(binaries, root, tmp_path):
    env = dict(os.environ, VSOC_BIN=str(binaries))
    r = subprocess.run([sys.executable, root / 'tools/demo.py', '--once', '--vehicles', '300', '--days', '12', '--seed', '3', '--dir', tmp_path / 'demo'],
                       capture_output=True, text=True, timeout=400, env=env)
    assert r.returncode == 0, r.stderr[-3000:]
    said = json.loads(r.stdout)
    ledger = said['ledger']
    assert ledger['balanced'] and ledger['produced'] == sum(ledger[k] for k in ('stored', 'merged', 'dead_lettered', 'missing'))
    assert ledger['missing'] == 0 and ledger['duplicates'] > 0
    assert said['vehicles'] > 300 and said['frames'] > 100000 and said['late_batches'] > 0 and said['doubled_uploads'] > 0
    # Lines of backend logs carry no numbers: the ledger, which is about numbers, does not have them.
    assert sum(n for name, n in said['events'].items() if not name.startswith('backend.')) == ledger['stored']
    assert said['log_lines'] > 1000 and 0 <= said['log_lines'] - sum(n for name, n in said['events'].items() if name.startswith('backend.')) < 10
    assert said['alerts']['mass_unlock'] == said['alerts']['vehicle_enumeration'] == said['alerts']['ota_campaign_off_hours'] == 1
    assert said['planted']['missed'] == 0 and said['planted']['total'] > 10 and said['false_incidents'] == 0
    assert said['alerts']['can_injection'] >= 3 and said['closed']
    assert 0 < said['bytes_per_event'] < 60
