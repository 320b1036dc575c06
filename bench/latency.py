#!/usr/bin/env python3
"""From an event to its alert under load: starts a vsocd of its own on loopback, lets bench_latency send signed batches to it
over mTLS, and says how long marked events took to become alerts and what that cost each process.

usage: bench/latency.py [--rate EVENTS_PER_S] [--seconds N] [--vehicles N] [--short]

--short is 5 s at 5,000 events/s. Prints one JSON object: p50, p99 and the longest delay from the moment a batch was due to
the row of its alert in the database; the rate that was reached; CPU seconds of each process from the first batch until
detection had read the last; events per CPU second of ingest and detect together, with TLS, signatures and SQLite.
Needs a release build (VSOC_BIN names another folder of programs). Exit 0: everything arrived and every mark was seen.
"""
import argparse, json, os, shutil, sqlite3, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get('VSOC_BIN', os.path.join(ROOT, 'build/release/bin'))
BENCH = os.path.join(os.path.dirname(BIN), 'bench/bench_latency')
MARKERS = 8  # vehicles that carry marks, in bench/latency.c
DRAIN_S = 120
TICKS = os.sysconf('SC_CLK_TCK')


def run(*args):
    r = subprocess.run([os.path.join(BIN, args[0])] + list(args[1:]), capture_output=True, text=True, timeout=120)
    if r.returncode != 0:
        sys.exit('latency: %s failed: %s' % (' '.join(args), r.stderr))


def prepare(home, vehicles):
    run('vsoc', 'pki', 'init', home)
    config = {'data_dir': 'data', 'detect': {'rules': os.path.join(ROOT, 'content/rules')},
              'ingest': {'address': '127.0.0.1', 'port': 0, 'tls_cert': 'server.pem', 'tls_key': 'server.key', 'vehicle_ca': 'vehicle-ca.pem',
                         'pseudonym_key': 'pseudonym.key', 'vehicle_bytes_per_hour_max': 4000000000},
              'api': {'address': '127.0.0.1', 'port': 0, 'vault_key': 'vault.key'}}
    path = os.path.join(home, 'latency.yaml')
    with open(path, 'w') as f:
        json.dump(config, f)  # JSON is YAML
    vins = ['WVWZZZ1KZAW%06d' % n for n in range(vehicles + MARKERS)]
    with open(os.path.join(home, 'vins'), 'w') as f:
        f.write(''.join(vin + '\n' for vin in vins))
    with open(os.path.join(home, 'vehicles.jsonl'), 'w') as f:
        for n, vin in enumerate(vins):
            f.write(json.dumps({'vin': vin, 'model': 'M%d' % (n % 8), 'hardware': 'H1', 'sw_version': '1.0.0', 'region': 'eu', 'owner': 'o%d' % n}) + '\n')
    run('vsoc', 'import', 'vehicles', os.path.join(home, 'vehicles.jsonl'), '--config', path)
    return path


class Processes:
    """CPU seconds of vsocd's roles, by name."""

    def __init__(self, pid):
        self.pids = {}
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            for child in f.read().split():
                with open('/proc/%s/comm' % child) as comm:
                    self.pids[self.role(child, comm.read().strip())] = child

    @staticmethod
    def role(pid, name):
        """A role calls itself by its name; otherwise its open files tell."""
        for role in ('ingest', 'detect', 'api'):
            if role in name:
                return role
        return 'pid-' + pid

    def cpu_s(self):
        out = {}
        for role, pid in self.pids.items():
            with open('/proc/%s/stat' % pid) as f:
                field = f.read().rsplit(')', 1)[1].split()
            out[role] = (int(field[11]) + int(field[12])) / TICKS
        return out


def drain(state):
    """Waits until detection has committed everything; gives the sums of the ledger and how many alerts there are by rule."""
    last, still, until = None, 0, time.monotonic() + DRAIN_S
    while time.monotonic() < until and still < 4:
        with sqlite3.connect('file:%s?mode=ro' % state, uri=True) as db:
            now = db.execute('SELECT coalesce(sum(log_offset), 0) FROM log_position').fetchone()[0]
        still = still + 1 if now == last else 0
        last = now
        time.sleep(0.25)
    with sqlite3.connect('file:%s?mode=ro' % state, uri=True) as db:
        db.row_factory = sqlite3.Row
        ledger = db.execute('SELECT sum(produced) produced, sum(stored) stored, sum(missing) missing, sum(dead_lettered) dead_lettered FROM ledger').fetchone()
        return dict(ledger), dict(db.execute('SELECT rule, count(*) FROM alert GROUP BY rule').fetchall())


def measure(home, config, args):
    log = open(os.path.join(home, 'vsocd.log'), 'w')
    daemon = subprocess.Popen([os.path.join(BIN, 'vsocd'), '--config', config], stdout=subprocess.PIPE, stderr=log, text=True)
    bench = None
    try:
        ready = json.loads(daemon.stdout.readline())
        state = os.path.join(home, 'data/state/state.db')
        processes = Processes(daemon.pid)
        bench = subprocess.Popen([BENCH, home, str(ready['ingest_port']), state, str(args.rate), str(args.seconds)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if bench.stdout.readline().strip() != 'ready':
            sys.exit('latency: the load could not be made; see above and %s' % log.name)
        before, load = processes.cpu_s(), os.getloadavg()[0]
        bench.stdin.write('\n')
        bench.stdin.flush()
        text = bench.stdout.readline()
        if bench.wait(60) != 0 or not text:
            sys.exit('latency: the load generator failed')
        ledger, alerts = drain(state)
        after = processes.cpu_s()
    finally:
        if bench is not None and bench.poll() is None:
            bench.kill()
        daemon.terminate()
        daemon.wait(60)
    result = {'rate_wanted': args.rate, 'seconds': args.seconds, 'vehicles': args.vehicles, **json.loads(text)}
    result['cpu_s'] = {role: round(after[role] - before[role], 2) for role in after}
    result['ledger'], result['alerts'] = ledger, alerts
    behind = sum(s for role, s in result['cpu_s'].items() if role != 'api')
    result['events_per_cpu_s_behind_tls'] = round(result['events'] / behind) if behind > 0 else None
    result['load_average_before'] = load
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rate', type=int, default=116000)
    parser.add_argument('--seconds', type=int, default=60)
    parser.add_argument('--vehicles', type=int, default=512)
    parser.add_argument('--short', action='store_true')
    args = parser.parse_args()
    if args.short:
        args.rate, args.seconds = 5000, 5
    if not os.path.exists(BENCH):
        sys.exit('latency: %s is missing; run: cmake --build build/release --target bench_latency' % BENCH)
    home = tempfile.mkdtemp(prefix='vsoc-latency-')
    try:
        result = measure(home, prepare(home, args.vehicles), args)
    finally:
        if not os.environ.get('VSOC_KEEP'):
            shutil.rmtree(home)
    print(json.dumps(result))
    whole = result['ledger']['stored'] == result['events'] - result['events_doubled'] and result['ledger']['missing'] == 0
    return 0 if whole and result['refused'] == 0 and result['marks_seen'] == result['marks'] else 1


if __name__ == '__main__':
    sys.exit(main())
