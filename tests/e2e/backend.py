"""The whole backend on a folder of its own: vsocd with all roles, users, and a client that holds every answer to
schema/openapi.yaml."""
import json
import os
import pathlib
import re
import subprocess
import time

import jsonschema
import requests
import yaml

import door

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = 'correct horse battery'


class Backend(door.Door):
    """vsocd with ingest, detect and api, the rules of content/, and a console of two files."""

    def __init__(self, binaries, place, rules=None):
        self.rules = rules or ROOT / 'content/rules'
        self.contract = Contract()
        super().__init__(binaries, place, vehicle_bytes_per_hour_max=40 * 1024 * 1024)

    def start(self):
        self.write_console()
        text = self.config.read_text()
        if 'console' not in text:
            text = text.replace('  rules: rules', '  rules: %s' % self.rules).replace('  vault_key:', '  console: console\n  vault_key:')
            self.config.write_text(text)
        self.errors = open(self.place / 'stderr', 'ab')
        self.process = subprocess.Popen([str(self.binaries / 'vsocd'), '--config', str(self.config)], stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        assert line, (self.place / 'stderr').read_text()
        ready = json.loads(line)
        self.port, self.api_port = ready['ingest_port'], ready['api_port']
        self.url = 'http://127.0.0.1:%d' % self.api_port

    def write_console(self):
        folder = self.place / 'console'
        (folder / 'assets').mkdir(parents=True, exist_ok=True)
        (folder / 'index.html').write_text('<!doctype html><title>console</title>')
        (folder / 'assets/main-0A1B2C3D.js').write_text('console.log(1)')
        (folder / 'assets/main-0A1B2C3D.js.gz').write_bytes(__import__('gzip').compress(b'console.log(1)'))

    def user(self, name, roles, verb='add', password=PASSWORD):
        return subprocess.run([str(self.binaries / 'vsoc'), 'user', verb, name, '--role', roles, '--config', str(self.config)],
                              input=password + '\n', text=True, capture_output=True)

    def login(self, name, password=PASSWORD):
        client = Client(self)
        answer = client.post('/login', {'user': name, 'password': password})
        assert answer.status_code == 200, answer.text
        client.me = answer.json()
        client.session.headers['X-CSRF-Token'] = client.me['csrf_token']
        return client

    def wait(self, check, seconds=60):
        """The value of check() as soon as it is true. Detection and its commit run beside us."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = check()
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError('did not happen: %s\n%s' % (check, (self.place / 'stderr').read_text()[-3000:]))


class Contract:
    """Answers against the schema of their operation and status."""

    def __init__(self):
        self.doc = yaml.safe_load((ROOT / 'schema/openapi.yaml').read_text())
        self.paths = [(re.compile('^' + re.sub(r'\{\w+\}', '[^/]+', path) + '$'), path) for path in self.doc['paths']]
        self.paths.sort(key=lambda p: p[1].count('{'))
        self.seen = set()
        self.formats = jsonschema.FormatChecker(formats=())

        @self.formats.checks('date-time')
        def is_time(text):
            return not isinstance(text, str) or re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}Z', text) is not None

    def resolve(self, node):
        while '$ref' in node:
            found = self.doc
            for part in node['$ref'][2:].split('/'):
                found = found[part]
            node = found
        return node

    def check(self, method, path, answer):
        """The answer is one that the contract names, and its body fits."""
        template = next((t for pattern, t in self.paths if pattern.match(path)), None)
        kind = answer.headers.get('Content-Type', '')
        if answer.status_code >= 400:
            assert kind == 'application/problem+json', (kind, answer.text[:200])
            self.fits({'$ref': '#/components/schemas/Problem'}, answer.json())
            assert answer.json()['request_id'] == answer.headers['X-Request-Id']
            assert answer.json()['status'] == answer.status_code
            return
        assert template, 'no such path in the contract: ' + path
        operation = self.doc['paths'][template][method.lower()]
        response = operation['responses'].get(str(answer.status_code))
        assert response, (method, path, answer.status_code)
        self.seen.add(operation['operationId'])
        content = self.resolve(response).get('content', {})
        if 'application/json' in content:
            assert kind == 'application/json'
            self.fits(content['application/json']['schema'], answer.json())

    def fits(self, schema, value):
        whole = {'$ref': schema['$ref'], 'components': self.doc['components']} if '$ref' in schema else {**schema, 'components': self.doc['components']}
        errors = sorted(jsonschema.Draft202012Validator(whole, format_checker=self.formats).iter_errors(value), key=lambda e: list(e.path))
        assert not errors, '\n'.join('%s: %s' % ('/'.join(map(str, e.absolute_path)), e.message[:300]) for e in errors[:5])


class Client:
    """One person at the API."""

    def __init__(self, backend):
        self.backend = backend
        self.session = requests.Session()
        self.session.trust_env = False
        self.me = None

    def request(self, method, path, **more):
        answer = self.session.request(method, self.backend.url + '/api/v1' + path, timeout=60, **more)
        assert re.fullmatch('[0-9a-f]{32}', answer.headers['X-Request-Id'])
        self.backend.contract.check(method, path.split('?')[0], answer)
        return answer

    def get(self, path, **params):
        return self.request('GET', path, params=params)

    def ok(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None, **more):
        return self.request('POST', path, json=body, **more)

    def act(self, path, body):
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path, body, status, code):
        answer = self.post(path, body)
        assert (answer.status_code, answer.json()['code']) == (status, code), answer.text
        return answer.json()


def secoc_storm(backend, vin, pdu='EngTorque', at_us=None, count=8):
    """A vehicle whose SecOC fails more than five times in a minute: one HIGH alert. Returns the vehicle."""
    car = backend.vehicle(vin)
    send(backend, car, pdu, at_us, count)
    return car


def send(backend, car, pdu='EngTorque', at_us=None, count=8):
    now_us = int(time.time() * 1e6)
    events = [{**door.secoc_event(i, pdu), -3: i * 1000000} for i in range(count)]
    payload = door.envelope(car.vid, events, car.next, now_us, _6=at_us or now_us - 60 * 1000000)
    car.next += count
    answer = backend.post(car, door.cose_sign(car.key, payload))
    assert answer.status == 200, answer.text


def vin(number):
    return 'WVWZZZ1KZAW%06d' % number


def stderr_of(backend):
    return (backend.place / 'stderr').read_text(errors='replace')


__all__ = ['Backend', 'Client', 'Contract', 'PASSWORD', 'os', 'secoc_storm', 'send', 'stderr_of', 'vin']
