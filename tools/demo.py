#!/usr/bin/env python3
"""Runs the whole system once, end to end, on this machine: keys, daemon, simulated fleet, vehicles that replay CAN traces.

usage: tools/demo.py [--once] [--vehicles N] [--days N] [--seed N] [--dir DIR]

Progress goes to stderr. At the end one JSON object goes to stdout: what the fleet produced, where every event is now (the
ledger), what was found of what was planted, and what was found that was not. Without --once the console stays up until
Ctrl-C. Exit 0: everything planted was found, nothing else was, and the ledger balances. Exit 1 otherwise.
"""
import argparse, ctypes, datetime, glob, gzip, http.cookiejar, json, os, select, shutil, signal, socket, ssl, subprocess, sys, time, urllib.error, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get('VSOC_BIN', os.path.join(ROOT, 'build/release/bin'))
DATA = os.environ.get('VSOC_DATA', os.path.join(ROOT, '../shared/data'))
ANALYST, PASSWORD = 'analyst', 'demo-analyst-2026'
START_S = 60
FEEDS = ('keycloak', 'kong', 'hawkbit')  # owners' logins, the API gateway, the OTA server
TRAINED_S = 30  # of the clean drive; the rest is what is watched


def say(text):
    print('demo: ' + text, file=sys.stderr, flush=True)


def program(name):
    path = os.path.join(BIN, name)
    if not os.path.exists(path):
        sys.exit('demo: %s is missing; run: make build' % path)
    return path


def run(*args, stdin=None, out=subprocess.PIPE):
    r = subprocess.run(args, input=stdin, stdout=out, text=True)
    if r.returncode != 0:
        sys.exit('demo: failed with %d: %s' % (r.returncode, ' '.join(args)))
    return r.stdout


def end_with_parent():
    """The daemon goes when the demo goes, however it goes (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port(wanted):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', wanted))
            return wanted
        except OSError:
            return 0


class Api:
    """The console's own HTTP interface, used the way a person's browser would."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.csrf = None

    def call(self, method, path, body=None):
        req = urllib.request.Request(self.base + '/api/v1' + path, method=method, data=None if body is None else json.dumps(body).encode())
        req.add_header('Content-Type', 'application/json')
        if self.csrf:
            req.add_header('X-CSRF-Token', self.csrf)
        with self.opener.open(req, timeout=30) as r:
            text = r.read()
            return json.loads(text) if text else None

    def login(self, name, password):
        self.csrf = self.call('POST', '/login', {'user': name, 'password': password})['csrf_token']

    def all(self, path, key):
        """Every page of a list."""
        rows, cursor = [], None
        while True:
            sep = '&' if '?' in path else '?'
            page = self.call('GET', path + (sep + 'cursor=' + urllib.request.quote(cursor) if cursor else ''))
            rows += page[key]
            cursor = page.get('next')
            if not cursor:
                return rows


class Demo:
    def __init__(self, args):
        self.args = args
        self.dir = os.path.abspath(args.dir)
        self.daemon = None
        self.children = []
        self.frames = 0
        self.log_lines = 0
        self.truth = []

    # -- set-up

    def prepare(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        run(program('vsoc'), 'pki', 'init', self.dir)
        config = {'data_dir': 'data',
                  'ingest': {'address': '127.0.0.1', 'port': free_port(8443), 'tls_cert': 'server.pem', 'tls_key': 'server.key', 'vehicle_ca': 'vehicle-ca.pem',
                             'pseudonym_key': 'pseudonym.key', 'simulated_clock': True},
                  'detect': {'rules': os.path.join(ROOT, 'content/rules')},
                  'api': {'address': '127.0.0.1', 'port': free_port(8080), 'vault_key': 'vault.key'}}
        console = os.path.join(ROOT, 'console/dist')
        if os.path.isdir(console):
            config['api']['console'] = console
        else:
            say('the console is not built (npm --prefix console run build); serving the API only')
        self.config = os.path.join(self.dir, 'demo.yaml')
        with open(self.config, 'w') as f:
            json.dump(config, f, indent=1)  # JSON is YAML
        run(program('vsoc'), 'config', 'check', self.config, out=subprocess.DEVNULL)

    def start(self):
        self.log = open(os.path.join(self.dir, 'vsocd.log'), 'w')
        self.daemon = subprocess.Popen([program('vsocd'), '--config', self.config], stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=end_with_parent)
        if not select.select([self.daemon.stdout], [], [], START_S)[0]:
            sys.exit('demo: vsocd is not ready after %d s; see %s' % (START_S, self.log.name))
        line = self.daemon.stdout.readline()
        if not line:
            sys.exit('demo: vsocd did not start; see %s' % self.log.name)
        ready = json.loads(line)
        self.ingest = 'https://localhost:%d' % ready['ingest_port']
        self.console = 'http://127.0.0.1:%d' % ready['api_port']
        say('vsocd is up; console at %s' % self.console)

    def enrol(self):
        sim = self.sim_options()
        vehicles = run(program('vsoc'), 'sim', 'vehicles', *sim)
        path = os.path.join(self.dir, 'vehicles.jsonl')
        with open(path, 'w') as f:
            f.write(vehicles)
            for v in self.trace_vehicles():
                f.write(json.dumps({'vin': v['vin'], 'model': 'Test V40', 'hardware': 'GW-X', 'sw_version': '1.0.0', 'region': 'eu-south', 'owner': 'own-test'}) + '\n')
        run(program('vsoc'), 'import', 'vehicles', path, '--config', self.config, out=subprocess.DEVNULL)
        for name, role in ((ANALYST, 't2'), ('lead', 'irl'), ('auditor', 'auditor')):
            run(program('vsoc'), 'user', 'add', name, '--role', role, '--config', self.config, stdin='demo-%s-2026\n' % name, out=subprocess.DEVNULL)
        say('%d vehicles enrolled' % (self.args.vehicles + len(self.trace_vehicles())))

    # -- the fleet

    def sim_options(self):
        return ['--seed', str(self.args.seed), '--vehicles', str(self.args.vehicles), '--days', str(self.args.days), '--start', 'now', '--pki', self.dir]

    def drive(self):
        say('driving %d vehicles for %d days, with attacks, late and doubled uploads' % (self.args.vehicles, self.args.days))
        truth = os.path.join(self.dir, 'truth.jsonl')
        self.fleet = json.loads(run(program('vsoc'), 'sim', 'drive', *self.sim_options(), '--url', self.ingest, '--truth', truth))
        with open(truth) as f:
            self.truth += [json.loads(line) for line in f]

    def hand_in_logs(self):
        """Backend logs the way an operator connects them: raw lines, their mapping, and the door of feeds, a day at a time."""
        for name in FEEDS:
            home = os.path.join(self.dir, 'feed-' + name)
            run(program('vsoc'), 'pki', 'feed', self.dir, name, home, out=subprocess.DEVNULL)
            log, truth = os.path.join(home, name + '.log'), os.path.join(home, 'truth.jsonl')
            run(program('vsoc'), 'sim', 'logs', '--kind', name, '--out', log, '--truth', truth, *self.sim_options(), out=subprocess.DEVNULL)
            mapping = os.path.join(ROOT, 'content/mappings', name + '.yml')
            days, count = {}, 0
            for line in run(program('vsoc'), 'mapping', 'convert', '--mapping', mapping, log).splitlines():
                days.setdefault(json.loads(line)['time'][:10], []).append(line)
                count += 1
            for day in sorted(days):
                self.post_feed(home, day, days[day])
            with open(truth) as f:
                self.truth += [json.loads(line) for line in f]
            self.log_lines += count
            say('%s: %d lines of log handed in' % (name, count))

    def post_feed(self, home, day, lines):
        """The end of the day is when its log comes; the door takes 10,000 lines at a time."""
        context = ssl.create_default_context(cafile=os.path.join(self.dir, 'vehicle-ca.pem'))
        context.load_cert_chain(os.path.join(home, 'feed.pem'), os.path.join(home, 'feed.key'))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        end = datetime.datetime.fromisoformat(day + 'T23:59:59+00:00') + datetime.timedelta(minutes=1)
        for i in range(0, len(lines), 9000):
            req = urllib.request.Request(self.ingest + '/v1/events', data=''.join(line + '\n' for line in lines[i:i + 9000]).encode(), method='POST')
            req.add_header('Content-Type', 'application/x-ndjson')
            req.add_header('VSOC-Sim-Now', str(int(end.timestamp() * 1000000)))
            with opener.open(req, timeout=60) as r:
                r.read()

    def trace_vehicles(self):
        """One car per recorded trace: the clean drive and its attacked copies; made by the simulator when there are none."""
        if not hasattr(self, 'traces'):
            clean = sorted(glob.glob(os.path.join(DATA, 'can/*clean*.log.gz')))
            attacked = sorted(p for p in glob.glob(os.path.join(DATA, 'can/*.log.gz')) if 'clean' not in p)
            if clean and attacked:
                say('CAN traces: %d real recordings from %s' % (1 + len(attacked), os.path.join(DATA, 'can')))
                files = [clean[0]] + attacked
            else:
                say('CAN traces: none recorded are here, making some')
                os.makedirs(os.path.join(self.dir, 'traces'), exist_ok=True)
                files = []
                for kind in ('clean', 'dos', 'fuzz', 'inject'):
                    files.append(os.path.join(self.dir, 'traces', kind + '.log'))
                    run(program('vsoc'), 'sim', 'trace', '--seed', str(self.args.seed), '--kind', kind, '--out', files[-1], out=subprocess.DEVNULL)
            self.traces = [{'file': f, 'clean': i == 0, 'vin': 'WVSX0000X%08d' % (90000000 + i)} for i, f in enumerate(files)]
        return self.traces

    def replay(self):
        """Runs the real in-vehicle program on each trace, with its own certificate, journal and uplink."""
        cars = self.trace_vehicles()
        model = os.path.join(self.dir, 'v40.model')
        run(program('vsoc-edge'), 'learn', cars[0]['file'], '--learn-until', str(TRAINED_S), '-o', model, out=subprocess.DEVNULL)
        for i, car in enumerate(cars):
            home = os.path.join(self.dir, 'car%d' % i)
            car['vid'] = json.loads(run(program('vsoc'), 'pki', 'vehicle', self.dir, car['vin'], home))['vid']
            trace, lines = os.path.join(home, 'drive.log'), 0
            opener = gzip.open if car['file'].endswith('.gz') else open
            with opener(car['file'], 'rt') as src, open(trace, 'w') as dst:
                for line in src:
                    if line.startswith('(') and float(line[1:line.index(')')]) >= TRAINED_S:
                        dst.write(line)
                        lines += 1
            self.frames += lines
            config = {'vehicle': {'cert': 'vehicle.pem', 'key': 'vehicle.key'}, 'journal': {'file': 'journal', 'anchor': 'anchor', 'key': 'journal.key'},
                      'uplink': {'url': self.ingest + '/v1/batches', 'ca': os.path.join(self.dir, 'vehicle-ca.pem'), 'metered': False},
                      'input': {'can': trace, 'model': model, 'once': True}}
            path = os.path.join(home, 'edge.yaml')
            with open(path, 'w') as f:
                json.dump(config, f, indent=1)
            with open(os.path.join(home, 'edge.log'), 'w') as log:
                if subprocess.run([program('vsoc-edge'), 'run', '--config', path], stdout=log, stderr=log).returncode != 0:
                    sys.exit('demo: vsoc-edge failed; see %s' % log.name)
            say('%s: %d frames watched' % (os.path.basename(car['file']), lines))
            if not car['clean']:
                self.truth.append({'id': 'can-' + os.path.basename(car['file']).split('.')[0], 'scenario': 'can_injection', 'lookalike': False, 'rules': ['can_injection'], 'vehicles': [car['vid']]})

    # -- what came of it

    def settle(self):
        """Waits until detection has read everything that was acknowledged."""
        say('waiting for detection to catch up')
        last, still = None, 0
        while still < 4:
            now = self.report()
            still = still + 1 if now == last else 0
            last = now
            time.sleep(0.5)
        self.summary = last

    def report(self):
        return json.loads(run(program('vsoc'), 'report', 'summary', '--config', self.config))

    def close_one(self):
        """Walks one incident to Closed the way an analyst does, so that the console has a case to look at."""
        rows = self.api.all('/incidents?stage=triage&sort=-vehicles', 'rows')
        if not rows:
            return None
        name = rows[0]['id']

        def step(path, body):
            version = self.api.call('GET', '/incidents/' + name)['row']['version']
            self.api.call('POST', '/incidents/%s/%s' % (name, path), dict(body, version=version))

        step('assign', {'assignee': 'me'})
        step('disposition', {'disposition': 'malicious', 'confidence': 'high', 'reason': 'same signature on many vehicles, no rollout explains it'})
        for body in ({'to': 'contain', 'reason': 'malicious'},
                     {'to': 'investigate', 'reason': 'backend contained', 'containment': 'update key revoked at the backend'},
                     {'to': 'patch', 'reason': 'root cause found', 'root_cause': 'update key leaked from a supplier build server', 'component': 'TCU update agent', 'tara_scenario': 'TS-OTA-02'},
                     {'to': 'recover', 'reason': 'fix rolled out', 'fix_ref': 'OTA-2026-117'},
                     {'to': 'closed', 'reason': 'signature is gone from the fleet', 'engineering_assessment': 'agent pins the new key', 'fleet_proof': 'no hit for 14 days on all vehicles', 'recurrence_check': 'rule stays armed', 'update_decision': 'TARA scenario raised, see TCR-31'}):
            step('stage', body)
        return name

    def score(self):
        """Holds what was found against what was planted. An alert belongs to an attack when its rule is one the attack provokes and
        its vehicles are (mostly) the attack's; an incident that no planted attack explains is false."""
        alerts = [json.loads(line) for line in run(program('vsoc'), 'report', 'alerts', '--config', self.config).splitlines()]
        alerts = [a for a in alerts if a['state'] != 'retracted' and not a['superseded']]
        planted = [t for t in self.truth if not t['lookalike']]
        found, explained, rules = set(), set(), {}
        for a in alerts:
            rules[a['rule']] = rules.get(a['rule'], 0) + 1
            mine = set(a['vehicles'])
            for t in planted:
                if a['rule'] in t['rules'] and 2 * len(mine & set(t['vehicles'])) > len(mine):
                    explained.add(a['incident'])
                    if a['rule'] == t['rules'][0] and 2 * len(mine & set(t['vehicles'])) > len(t['vehicles']):
                        found.add(t['id'])
        incidents = {a['incident'] for a in alerts if a['incident']}
        for t in planted:
            if t['id'] not in found:
                say('MISSED: %s' % t['id'])
        for name in sorted(incidents - explained):
            say('FALSE: %s %s' % (name, sorted({a['rule'] for a in alerts if a['incident'] == name})))
        return rules, len(incidents), {'total': len(planted), 'found': len(found), 'missed': len(planted) - len(found)}, len(incidents - explained)

    def finish(self):
        self.api = Api(self.console)
        self.api.login(ANALYST, PASSWORD)
        rules, incidents, planted, false = self.score()
        closed = self.close_one()
        s, ledger = self.summary, self.summary['ledger']
        result = {'vehicles': self.args.vehicles + len(self.trace_vehicles()), 'frames': self.frames, 'log_lines': self.log_lines, 'events': s['events'], 'batches': self.fleet['batches'],
                  'doubled_uploads': self.fleet['doubled'], 'late_batches': self.fleet['late_batches'],
                  'bytes_per_event': round(self.fleet['bytes'] / max(1, self.fleet['records']), 1), 'ledger': ledger, 'alerts': rules, 'incidents': incidents,
                  'closed': closed, 'planted': planted, 'false_incidents': false}
        print(json.dumps(result), flush=True)
        return planted['missed'] == 0 and false == 0 and ledger['balanced']

    def stop(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                self.daemon.kill()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--once', action='store_true', help='end by itself')
    ap.add_argument('--vehicles', type=int, default=2000)
    ap.add_argument('--days', type=int, default=30)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--dir', default=os.path.join(ROOT, 'demo-data'))
    demo = Demo(ap.parse_args())
    ok = False
    try:
        demo.prepare()
        demo.start()
        demo.enrol()
        demo.drive()
        demo.hand_in_logs()
        demo.replay()
        demo.settle()
        ok = demo.finish()
        if not demo.args.once:
            say('console: %s   user %s, password %s   (Ctrl-C ends)' % (demo.console, ANALYST, PASSWORD))
            demo.daemon.wait()
    except KeyboardInterrupt:
        pass
    finally:
        demo.stop()
    sys.exit(0 if ok else 1)


if __name__ == '__main__':
    main()
