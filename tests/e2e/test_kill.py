"""kill -9 at random moments of one seeded run: nothing acknowledged is lost, no alert is doubled, the ledger balances.

A simulated fleet sends its month to a real vsocd while the daemon, with all its roles, is killed again and again and started
over the same folder, writing a snapshot of its state every second; in between, in-vehicle programs are killed in the middle of their drive and started over their journal.
The reference is the same month without any kill: the events as `vsoc sim events` prints them, the alerts that `vsoc rule
backtest` finds in them, and those of fleet statistics, which no backtest has, in a daemon that nobody kills.
Repeat a run with VSOC_SEED=n; VSOC_KILLS=n changes how many kills there are."""
import collections
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest

KILLS = int(os.environ.get('VSOC_KILLS', '200'))
EDGE_KILLS = KILLS // 5
SEED = int(os.environ.get('VSOC_SEED', '20261120'))
VEHICLES, DAYS = 300, 30
STATISTICS = 'fleet_statistics'  # alerts that no rule makes


def command(binaries, *args, **more):
    r = subprocess.run([str(binaries / args[0]), *map(str, args[1:])], capture_output=True, text=True, timeout=300, **more)
    assert r.returncode == 0, r.stderr
    return r.stdout


class Daemon:
    """vsocd over one folder, on ports that stay the same from start to start."""

    def __init__(self, binaries, config, log):
        self.binaries, self.config, self.log = binaries, config, log
        self.process = None
        self.starts = 0

    def start(self, wait=True):
        self.process = subprocess.Popen([str(self.binaries / 'vsocd'), '--config', str(self.config)], stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.starts += 1
        if wait:
            line = self.process.stdout.readline()
            assert line, 'vsocd ended before it was ready'
            return json.loads(line)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0


@pytest.fixture
def fleet(binaries, root, tmp_path):
    """Keys, a configuration, and the fleet in the database."""
    command(binaries, 'vsoc', 'pki', 'init', tmp_path / 'f')
    home = tmp_path / 'f'
    config = home / 'kill.yaml'

    def write(ingest_port, api_port):
        config.write_text(json.dumps({
            'data_dir': 'data', 'detect': {'rules': str(root / 'content/rules'), 'snapshot_seconds': 1}, 'api': {'port': api_port, 'vault_key': 'vault.key'},
            'ingest': {'port': ingest_port, 'tls_cert': 'server.pem', 'tls_key': 'server.key', 'vehicle_ca': 'vehicle-ca.pem',
                       'pseudonym_key': 'pseudonym.key', 'simulated_clock': True}}))

    write(0, 0)
    with open(home / 'vsocd.log', 'w') as log:
        daemon = Daemon(binaries, config, log)
        ports = daemon.start()
        daemon.stop()
        write(ports['ingest_port'], ports['api_port'])
        # The same daemon over a folder of its own, which nobody kills.
        calm = home / 'calm.yaml'
        calm.write_text(json.dumps({**json.loads(config.read_text()), 'data_dir': 'calm'}))
        sim = ['--seed', '7', '--vehicles', VEHICLES, '--days', DAYS, '--pki', home]
        vehicles = home / 'vehicles.jsonl'
        vehicles.write_text(command(binaries, 'vsoc', 'sim', 'vehicles', *sim))
        command(binaries, 'vsoc', 'import', 'vehicles', vehicles, '--config', config)
        command(binaries, 'vsoc', 'import', 'vehicles', vehicles, '--config', calm)
        yield home, config, daemon, ports['ingest_port'], sim
        if daemon.process.poll() is None:  # a test that failed has not stopped it
            daemon.kill()


def reference(binaries, root, home, sim):
    """What the same month is without kills: distinct events per vehicle, and the alerts."""
    events = home / 'events.jsonl'
    with open(events, 'w') as f:
        r = subprocess.run([str(binaries / 'vsoc'), 'sim', 'events', *map(str, sim)], stdout=f, stderr=subprocess.PIPE, text=True, timeout=600)
    assert r.returncode == 0, r.stderr
    distinct = set()
    with open(events) as f:
        for line in f:
            ev = json.loads(line)
            distinct.add((ev['vin'], ev['epoch'], ev['seq']))
    alerts = command(binaries, 'vsoc', 'rule', 'backtest', '--rules', root / 'content/rules', '--events', events)
    return distinct, [json.loads(line) for line in alerts.splitlines()]


def calm_statistics(binaries, home, port, sim, produced_min):
    """What fleet statistics say of the same month when nothing is killed."""
    with open(home / 'calm.log', 'w') as log:
        daemon = Daemon(binaries, home / 'calm.yaml', log)
        daemon.start()
        try:
            command(binaries, 'vsoc', 'sim', 'drive', *sim, '--url', 'https://localhost:%d' % port, '--parallel', '8')
            wait_until_read(binaries, home / 'calm.yaml', produced_min)
        finally:
            daemon.kill()
    alerts = command(binaries, 'vsoc', 'report', 'alerts', '--config', home / 'calm.yaml').splitlines()
    return standing(a for a in map(json.loads, alerts) if a['rule'] == STATISTICS)


def standing(alerts):
    return {(a['id'], a['rule'], a['first'], a['last'], a['count']) for a in alerts if a['state'] != 'retracted' and not a['superseded']}


class Edge:
    """In-vehicle programs that watch a made-up drive, killed and started over their journals."""

    def __init__(self, binaries, home, ingest_port, rng):
        self.binaries, self.home, self.rng = binaries, home, rng
        clean, attacked = home / 'clean.log', home / 'attacked.log'
        command(binaries, 'vsoc', 'sim', 'trace', '--kind', 'clean', '--out', clean)
        command(binaries, 'vsoc', 'sim', 'trace', '--kind', 'fuzz', '--out', attacked)
        command(binaries, 'vsoc-edge', 'learn', clean, '-o', home / 'car.model')
        car = json.loads(command(binaries, 'vsoc', 'pki', 'vehicle', home, 'WVSX0000X90000001', home / 'car'))
        self.vid = car['vid']
        self.config = home / 'car/edge.yaml'
        self.config.write_text(json.dumps({
            'vehicle': {'cert': 'vehicle.pem', 'key': 'vehicle.key'}, 'journal': {'file': 'journal', 'anchor': 'anchor', 'key': 'journal.key'},
            'uplink': {'url': 'https://localhost:%d/v1/batches' % ingest_port, 'ca': str(home / 'vehicle-ca.pem'), 'metered': False, 'backoff_ms_min': 50, 'backoff_ms_max': 500},
            'input': {'can': str(attacked), 'model': str(home / 'car.model'), 'once': True}}))
        self.lines = []
        self.kills = 0

    def start(self):
        return subprocess.Popen([str(self.binaries / 'vsoc-edge'), 'run', '--config', str(self.config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def read(self, process):
        for line in process.stdout:
            if line.endswith('\n') and line.startswith('{'):
                self.lines.append(json.loads(line))
        process.stdout.close()

    def torment(self, kills):
        for _ in range(kills):
            p = self.start()
            try:
                p.wait(self.rng.uniform(0.02, 0.6))
            except subprocess.TimeoutExpired:
                self.kills += 1
            p.send_signal(signal.SIGKILL)
            p.wait()
            self.read(p)

    def finish(self):
        p = self.start()
        try:
            p.wait(120)
        finally:
            p.kill()
        self.read(p)
        assert p.returncode == 0


def wait_until_read(binaries, config, produced_min):
    """Detection has read everything when the summary stands still."""
    last, still = None, 0
    for _ in range(600):
        now = json.loads(command(binaries, 'vsoc', 'report', 'summary', '--config', config))
        still = still + 1 if now == last and now['ledger']['produced'] >= produced_min else 0
        if still == 4:
            return now
        last = now
        time.sleep(0.5)
    pytest.fail('detection never came to rest: %r' % last)


def test_nothing_acknowledged_is_lost_by_kill_9(binaries, root, fleet):
    home, config, daemon, port, sim = fleet
    rng = random.Random(SEED)
    print('seed %d, %d kills of vsocd and %d of vsoc-edge' % (SEED, KILLS - EDGE_KILLS, EDGE_KILLS))
    distinct, expected = reference(binaries, root, home, sim)
    daemon.start()
    drive = subprocess.Popen([str(binaries / 'vsoc'), 'sim', 'drive', *map(str, sim), '--url', 'https://localhost:%d' % port, '--parallel', '8'],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    edge = Edge(binaries, home, port, random.Random(SEED + 1))
    torment = threading.Thread(target=edge.torment, args=(EDGE_KILLS,))
    torment.start()
    under_load = 0
    for _ in range(KILLS - EDGE_KILLS):
        time.sleep(rng.uniform(0.02, 0.7))
        under_load += drive.poll() is None
        daemon.kill()
        daemon.start(wait=rng.random() < 0.3)
    torment.join()
    summary = json.loads(drive.communicate(timeout=600)[0])
    edge.finish()
    print('%d kills of vsocd while the fleet was sending, %d of vsoc-edge while it ran; %d batches sent again' % (under_load, edge.kills, summary['retried']))
    assert summary['refused'] == 0
    assert under_load >= (KILLS - EDGE_KILLS) // 4

    # Everything the fleet was told is taken has been taken, once.
    report = wait_until_read(binaries, config, len(distinct))
    ledger = report['ledger']
    assert ledger['balanced'] and ledger['missing'] == 0 and ledger['dead_lettered'] == 0
    assert ledger['produced'] == ledger['stored'] + ledger['merged']
    alerts = [json.loads(line) for line in command(binaries, 'vsoc', 'report', 'alerts', '--config', config).splitlines()]
    mine = [a for a in alerts if edge.vid in a['vehicles']]
    fleet_alerts = [a for a in alerts if edge.vid not in a['vehicles'] and a['state'] != 'retracted' and not a['superseded']]

    # The same alerts with the same ids as without any kill, none twice.
    assert collections.Counter(a['id'] for a in alerts).most_common(1)[0][1] == 1
    assert standing(a for a in fleet_alerts if a['rule'] != STATISTICS) == {(a['id'], a['rule'], a['first'], a['last'], a['count']) for a in expected}
    incidents = {a['incident'] for a in fleet_alerts if a['severity'] != 'info'}  # information is for hunters
    assert 0 not in incidents

    # The car's own account: what it was told is acknowledged is in the log, and its attack was seen.
    vehicle = edge_ledger(home, edge.vid)
    told = max((line['seq_next'] - 1 for line in edge.lines if line['event'] == 'acked'), default=0)
    assert vehicle['missing'] == 0
    assert vehicle['produced'] >= told > 0
    assert any(a['rule'] == 'can_injection' for a in mine)
    # Nobody enrolled it, which is told.
    assert any(a['rule'] == 'vsoc_vehicle_not_enrolled' for a in mine)
    log = (home / 'vsocd.log').read_text()
    print('%d snapshots written, %d loaded, %d refused' % tuple(log.count('"snapshot.%s"' % what) for what in ('written', 'loaded', 'refused')))
    assert log.count('"snapshot.loaded"') > 0 and 'snapshot.refused' not in log
    daemon.stop()
    statistics = standing(a for a in fleet_alerts if a['rule'] == STATISTICS)
    assert statistics == calm_statistics(binaries, home, port, sim, len(distinct))
    print('%d alerts of rules and %d of fleet statistics as without kills' % (len(fleet_alerts) - len(statistics), len(statistics)))


def edge_ledger(home, vid):
    import sqlite3
    with sqlite3.connect('file:%s?mode=ro' % (home / 'data/state/state.db'), uri=True) as db:
        db.row_factory = sqlite3.Row
        return dict(db.execute('SELECT * FROM ledger WHERE vid = ?', (vid,)).fetchone())
