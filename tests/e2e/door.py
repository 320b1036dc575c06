"""A vehicle and a reader of the event log, written from docs/formats only, for tests of the door.

Nothing here shares code with the backend: batches are made with cbor2 and cryptography, the log is read byte by byte."""
import contextlib
import datetime
import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import time

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

SECOC_FAILED = 0x0201  # needs the field pdu (13)
FIELD_PDU = 13


def vid_of(key, vin):
    """Pseudonym of a VIN: the first 16 bytes of HMAC-SHA-256."""
    return hmac.new(key, vin.encode(), hashlib.sha256).digest()[:16]


# ---- certificates

class Authority:
    """A small CA for vehicles and the server."""

    def __init__(self, name='test fleet'):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.cert = self._build(self.name, self.key.public_key(), ca=True)

    def _build(self, subject, public_key, ca=False, names=None, days=30):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=40))
                   .not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, common_name, public_key, **more):
        return self._build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]), public_key, **more)


def pem(thing):
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


# ---- batches

def cose_sign(key, payload):
    """COSE_Sign1 with the algorithm of the key (RFC 9052, section 4.2)."""
    ed = isinstance(key, ed25519.Ed25519PrivateKey)
    protected = cbor2.dumps({1: -8 if ed else -7})
    text = cbor2.dumps(['Signature1', protected, b'', payload])
    if ed:
        signature = key.sign(text)
    else:
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, 'big') + s.to_bytes(32, 'big')
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))


def envelope(vid, events, first_seq, now_us, epoch=1, **change):
    body = cbor2.dumps(events)
    keys = {1: 1, 2: vid, 3: epoch, 4: first_seq, 5: first_seq + len(events), 6: now_us, 7: now_us, 8: len(events),
            9: 0, 10: len(body), 11: body}
    keys.update({int(k[1:]): v for k, v in change.items()})
    return cbor2.dumps(keys)


def secoc_event(seq_delta, pdu='EngTorque'):
    return {-1: SECOC_FAILED, -2: seq_delta, -3: 0, FIELD_PDU: pdu}


class Vehicle:
    """One car: its key, its certificate, its numbers, its connection."""

    def __init__(self, place, ca, vid, key=None, cn=None):
        self.vid = vid
        self.key = key or ed25519.Ed25519PrivateKey.generate()
        self.cert = ca.issue(cn if cn is not None else vid.hex(), self.key.public_key())
        self.next = 1
        self.connection = None
        name = hashlib.sha256(pem(self.key)).hexdigest()[:16]
        self.cert_file, self.key_file = place / (name + '.pem'), place / (name + '.key')
        self.cert_file.write_bytes(pem(self.cert))
        self.key_file.write_bytes(pem(self.key))

    def context(self, server_ca):
        ctx = ssl.create_default_context(cafile=str(server_ca))
        ctx.load_cert_chain(self.cert_file, self.key_file)
        return ctx

    def batch(self, count=3, now_us=None, **change):
        """The next batch, signed; its numbers are used up."""
        now_us = now_us or int(time.time() * 1e6)
        payload = envelope(self.vid, [secoc_event(i) for i in range(count)], self.next, now_us, **change)
        self.next += count
        return cose_sign(self.key, payload)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = dict(response.getheaders())
        self.text = response.read()

    def json(self):
        return json.loads(self.text)


# ---- the daemon

class Door:
    """vsocd with the ingest role, on a folder of its own."""

    def __init__(self, binaries, place, **ingest):
        self.binaries, self.place = binaries, place
        self.ca = Authority()
        self.pseudonym_key = os.urandom(32)
        server = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName('localhost'), x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]
        (place / 'ca.pem').write_bytes(pem(self.ca.cert))
        (place / 'server.pem').write_bytes(pem(self.ca.issue('localhost', server.public_key(), names=names)))
        (place / 'server.key').write_bytes(pem(server))
        (place / 'pseudonym.key').write_text(self.pseudonym_key.hex() + '\n')
        (place / 'vault.key').write_text(os.urandom(32).hex() + '\n')
        (place / 'rules').mkdir(exist_ok=True)
        options = {'address': '127.0.0.1', 'port': 0, 'tls_cert': 'server.pem', 'tls_key': 'server.key',
                   'vehicle_ca': 'ca.pem', 'pseudonym_key': 'pseudonym.key', **ingest}
        lines = ['data_dir: data', 'ingest:'] + ['  %s: %s' % (k, str(v).lower() if isinstance(v, bool) else v)
                                                for k, v in options.items()]
        lines += ['detect:', '  rules: rules', 'api:', '  port: 0', '  vault_key: vault.key']
        self.config = place / 'vsocd.yaml'
        self.config.write_text('\n'.join(lines) + '\n')
        self.process = None
        self.start()

    def start(self):
        self.errors = open(self.place / 'stderr', 'ab')
        self.process = subprocess.Popen([str(self.binaries / 'vsocd'), '--config', str(self.config), '--role', 'ingest'],
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        assert line, (self.place / 'stderr').read_text()
        ready = json.loads(line)
        self.port = ready['ingest_port']

    def role_pids(self):
        children = pathlib.Path('/proc/%d/task/%d/children' % (self.process.pid, self.process.pid))
        return [int(pid) for pid in children.read_text().split()]

    def kill(self):
        """kill -9 of the whole daemon, as a power switch for its memory."""
        for pid in self.role_pids() + [self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.errors.close()
        return code

    def vehicle(self, vin='WVWZZZ1KZAW000001', **more):
        return Vehicle(self.place, self.ca, vid_of(self.pseudonym_key, vin), **more)

    def connect(self, vehicle=None, timeout=30):
        ctx = vehicle.context(self.place / 'ca.pem') if vehicle else ssl.create_default_context(cafile=str(self.place / 'ca.pem'))
        return http.client.HTTPSConnection('127.0.0.1', self.port, context=ctx, timeout=timeout)

    def post(self, vehicle, body, path='/v1/batches', kind='application/cose', connection=None, **headers):
        c = connection or self.connect(vehicle)
        c.request('POST', path, body=body, headers={'Content-Type': kind, **{k.replace('_', '-'): v for k, v in headers.items()}})
        answer = Answer(c.getresponse())
        if connection is None:
            c.close()
        return answer

    def log(self):
        return list(read_log(self.place / 'data' / 'log'))


# ---- the event log, read by the book (docs/formats/segment.md)

def _crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


CRC = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def read_log(folder):
    """(partition, offset, received, door, format, key, value) of every record in every segment."""
    meta = (folder / 'meta').read_text().split()
    assert meta[:2] == ['vsoc-log', '1'] and meta[2] == 'partitions' and meta[4] == 'salt'
    salt = bytes.fromhex(meta[5])
    for partition in range(int(meta[3])):
        expected = 0
        for path in sorted((folder / ('%03d' % partition)).glob('*.seg')):
            data = path.read_bytes()
            assert data[:8] == b'VSOCSEG1' and crc32c(data[:28]) == struct.unpack('>I', data[28:32])[0]
            assert int(path.stem) == struct.unpack('>Q', data[8:16])[0] == expected
            at = 32
            while at + 36 <= len(data) and data[at:at + 4] == b'\xf5VR1':
                crc, length, offset, received, _durable, door, kind, key_len, _zero = struct.unpack('>IIQqIBBBB', data[at + 4:at + 36])
                end = at + 36 + key_len + length
                if end > len(data) or crc32c(salt + data[at + 8:end]) != crc:
                    break
                assert offset == expected
                expected += 1
                yield partition, offset, received, door, kind, data[at + 36:at + 36 + key_len], data[at + 36 + key_len:end]
                at = end


def plain_socket(port):
    return socket.create_connection(('127.0.0.1', port), timeout=10)
