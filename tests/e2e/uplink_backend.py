"""What a vehicle's gateway talks to in tests: a small mTLS server that opens batches with cbor2 and cryptography, written
from docs/formats/batch.md only, and counts the numbers by itself. And a vehicle: keys, configuration, the process."""
import ctypes
import http.server
import json
import os
import pathlib
import signal
import ssl
import subprocess
import threading
import time

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives import hashes

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binaries():
    for place in (os.environ.get('VSOC_BIN'), 'build/asan/bin', 'build/release/bin'):
        if place and (ROOT / place / 'vsoc-edge').exists():
            return ROOT / place
    pytest.skip('no programs; build them or set VSOC_BIN')


def unzstd(data, size):
    lib = ctypes.CDLL('libzstd.so.1')
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    out = ctypes.create_string_buffer(size + 1)
    n = lib.ZSTD_decompress(out, size + 1, data, len(data))
    assert n == size, 'body does not unpack to the length told'
    return out.raw[:size]


def open_batch(cose, certificate):
    """Checks the COSE_Sign1 and gives the envelope (keys as in batch.md) and the events."""
    message = cbor2.loads(cose)
    assert isinstance(message, cbor2.CBORTag) and message.tag == 18
    protected, unprotected, payload, signature = message.value
    assert unprotected == {} and len(signature) == 64
    text = cbor2.dumps(['Signature1', protected, b'', payload])
    key = certificate.public_key()
    if cbor2.loads(protected) == {1: -8}:
        assert isinstance(key, ed25519.Ed25519PublicKey)
        key.verify(signature, text)
    else:
        assert cbor2.loads(protected) == {1: -7}
        r, s = int.from_bytes(signature[:32], 'big'), int.from_bytes(signature[32:], 'big')
        key.verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
    envelope = cbor2.loads(payload)
    body = envelope[11] if envelope[9] == 0 else unzstd(envelope[11], envelope[10])
    events = cbor2.loads(body)
    assert len(events) == envelope[8]
    return envelope, events


class Ledger:
    """Numbers of one vehicle, by epoch: what arrived, what was folded, what contradicts."""

    def __init__(self):
        self.received, self.folded, self.next, self.problems = {}, {}, {}, []
        self.count = self.duplicates = 0

    def take(self, envelope, events):
        epoch, base = envelope[3], envelope[4]
        self.next[epoch] = max(self.next.get(epoch, 1), envelope[5])
        for event in events:
            seq = base + event[-2]
            if seq >= envelope[5]:
                self.problems.append('number %d is not below seq_next' % seq)
            whole = {k: v for k, v in event.items() if k not in (-2, -3, -11)}
            whole['time'] = envelope[6] + event[-3]
            whole['folds'] = [[f, base + first, n] for f, first, n in event.get(-11, [])]
            if (epoch, seq) in self.received:
                self.duplicates += 1
                if self.received[epoch, seq] != whole:
                    self.problems.append('number %d came with two contents' % seq)
                continue
            self.received[epoch, seq] = whole
            self.count += event.get(-5, 1)
            for _, first, n in whole['folds']:
                for number in range(first, first + n):
                    if (epoch, number) in self.folded:
                        self.problems.append('number %d is folded twice' % number)
                    self.folded[epoch, number] = seq

    def missing(self):
        return [(epoch, n) for epoch, end in self.next.items() for n in range(1, end)
                if (epoch, n) not in self.received and (epoch, n) not in self.folded]


class Backend:
    """`behave` decides each request: None takes it; a status (with Retry-After, reason) answers that; 'drop' takes it and
    closes without an answer."""

    def __init__(self, pki, vehicle_cert, vid):
        self.ledger, self.lock, self.requests, self.behave = Ledger(), threading.Lock(), 0, lambda n: None
        self.bytes = self.batches = 0
        self.batch_files = []
        certificate = x509.load_pem_x509_certificate(pathlib.Path(vehicle_cert).read_bytes())
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                backend.post(self, certificate, vid)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / 'server.pem', pki / 'server.key')
        context.load_verify_locations(pki / 'vehicle-ca.pem')
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def post(self, request, certificate, vid):
        body = request.rfile.read(int(request.headers['Content-Length']))
        assert request.headers['Content-Type'] == 'application/cose' and request.path == '/v1/batches'
        with self.lock:
            self.requests += 1
            answer = self.behave(self.requests)
            if answer in (None, 'drop'):
                try:
                    envelope, events = open_batch(body, certificate)
                    assert envelope[2].hex() == vid
                    self.ledger.take(envelope, events)
                    self.bytes += len(body)
                    self.batches += 1
                except Exception as problem:  # whatever is wrong with a batch is a finding of the test
                    self.ledger.problems.append(repr(problem))
        if answer == 'drop':
            request.close_connection = True
            return
        if answer is None:
            self.reply(request, 200, {'vid': vid, 'epoch': envelope[3], 'seq_next': envelope[5], 'stored': len(events)})
        else:
            status, headers, content = answer
            self.reply(request, status, content, headers)

    @staticmethod
    def reply(request, status, content, headers=()):
        text = json.dumps(content).encode()
        request.send_response(status)
        for name, value in dict(headers).items():
            request.send_header(name, value)
        request.send_header('Content-Type', 'application/json')
        request.send_header('Content-Length', str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Vehicle:
    """A folder with keys, journal and configuration, and the process on it."""

    def __init__(self, place):
        self.bin, self.place = binaries(), place
        self.pki = place / 'pki'
        self.vsoc('pki', 'init', self.pki)
        self.vid = json.loads(self.vsoc('pki', 'vehicle', self.pki, 'WVWZZZ1KZAW000001', place / 'vehicle').stdout)['vid']
        self.backend = Backend(self.pki, place / 'vehicle/vehicle.pem', self.vid)
        self.events = place / 'events'
        self.process = None
        self.lines = []

    def vsoc(self, *arguments, check=True):
        run = subprocess.run([self.bin / 'vsoc', *map(str, arguments)], capture_output=True, text=True)
        assert not check or run.returncode == 0, run.stderr
        return run

    def configure(self, **keys):
        """Keys as section_key, e.g. uplink_window_s=0."""
        settings = {
            'vehicle': {'cert': 'vehicle/vehicle.pem', 'key': 'vehicle/vehicle.key'},
            'journal': {'file': 'journal', 'anchor': 'anchor', 'key': 'journal.key', 'kib': 1024, 'block_bytes': 512, 'commit_ms': 20,
                        'records_max': 8192},
            'uplink': {'url': 'https://localhost:%d/v1/batches' % self.backend.port, 'ca': 'pki/vehicle-ca.pem', 'metered': 'false',
                       'backoff_ms_min': 20, 'backoff_ms_max': 200},
            'qualify': {'aggregate_ms': 300},
            'input': {'events': str(self.events)},
        }
        for key, value in keys.items():
            section, name = key.split('_', 1)
            settings[section][name] = value
        text = ''.join('%s:\n%s' % (section, ''.join('  %s: %s\n' % pair for pair in inner.items())) for section, inner in settings.items())
        (self.place / 'edge.yaml').write_text(text)

    def start(self):
        self.process = subprocess.Popen([self.bin / 'vsoc-edge', 'run', '--config', self.place / 'edge.yaml'], stdout=subprocess.PIPE,
                                        stderr=open(self.place / 'log', 'ab'), text=True)
        thread = threading.Thread(target=self.collect, args=(self.process,), daemon=True)
        thread.start()
        self.reader = thread

    def collect(self, process):
        for line in process.stdout:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                pass  # a line that the kill cut short

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(60)
        self.reader.join(10)
        return self.process.returncode

    def finish(self, timeout=60):
        code = self.process.wait(timeout)
        self.reader.join(10)
        return code

    def told(self, event):
        return [line for line in self.lines if line['event'] == event]

    def log(self):
        return (self.place / 'log').read_text()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.backend.close()


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def event(number, kind='secoc.verification_failed', **fields):
    """One JSON line; `number` sets the time, and the fields that tell events apart."""
    line = {'vin': '', 'type': kind, 'time': 1795000000000000 + number * 1000}
    line.update(fields or {'pdu': 'P%d' % number})
    return json.dumps(line) + '\n'
