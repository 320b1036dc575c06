"""Ethernet detectors on packets that scapy makes: every attack is found as what it is, and a clean twin of it stays silent.
The vehicle: a gateway, a camera, a display and a diagnostic entity behind it; a tester may come from one address."""
import functools
import json
import struct
import subprocess

import pytest
from scapy.contrib.automotive.doip import DoIP
from scapy.contrib.automotive.someip import SD, SDEntry_EventGroup, SDEntry_Service, SDOption_IP4_EndPoint, SOMEIP
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

POLICY = """
hosts:
  - {name: gateway, ip: 10.0.0.1, mac: '02:00:00:00:00:01'}
  - {name: camera, ip: 10.0.0.2, mac: '02:00:00:00:00:02'}
  - {name: display, ip: 10.0.0.3, mac: '02:00:00:00:00:03'}
  - {name: tester, ip: 10.0.0.9, mac: '02:00:00:00:00:09'}
  - {name: gateway, ip: 'fd00::1', mac: '02:00:00:00:00:01'}
ethertypes: [0x0800, 0x0806, 0x86DD, 0x88F7]
vlans: [5]
flows:
  - {src: 10.0.0.0/24, dst: 224.0.0.0/4, protocol: udp, port: 30490}
  - {src: 10.0.0.0/24, dst: 10.0.0.0/24, protocol: udp, port: 30490}
  - {src: 10.0.0.3, dst: 10.0.0.2, protocol: udp, port: 40000, bytes: 20000, packets: 50}
  - {src: 10.0.0.9, dst: 10.0.0.1, protocol: tcp, port: 13400}
  - {src: any, dst: any, protocol: udp, port: 13400}
  - {src: 'fd00::/8', dst: any}
  - {src: 'fe80::/10', dst: any}
services:
  - {service: 0x1234, instance: 1, interface: 2, offered_by: 10.0.0.2, clients: [10.0.0.3], methods: [0x0001, 0x0002, 0x8001]}
doip:
  testers: [{ip: 10.0.0.9, address: 0x0E80, address_last: 0x0E8F}]
  entities: [10.0.0.1]
  connections: 1
grandmasters: ['0200000000000001']
limits: {scan_ports: 8, subscribes: 10, offer_changes: 4, answer_ms: 500}
"""
MAC = {n: '02:00:00:00:00:%02x' % n for n in range(256)}
STRANGER = 0x66


def ip(src, dst, mac=None):
    return Ether(src=MAC[src if mac is None else mac], dst=MAC.get(dst, 'ff:ff:ff:ff:ff:ff') if dst < 200 else '01:00:5e:00:00:01') / \
        IP(src='10.0.0.%d' % src, dst='10.0.0.%d' % dst if dst < 200 else '224.244.224.245')


def call(session, method=1, service=0x1234, client=3, server=2, iface=2, kind=0, code=0, mac=None, body=b'abcd'):
    if kind in (0, 1):
        way = ip(client, server, mac) / UDP(sport=41000, dport=40000)
    else:
        way = ip(server, client, mac) / UDP(sport=40000, dport=41000)
    return way / SOMEIP(srv_id=service, sub_id=method, client_id=7, session_id=session, iface_ver=iface, msg_type=kind, retcode=code) / body


def sd(src, session, entries, options=(), flags=0xC0, dst=244, mac=None):
    s = SD(flags=flags)
    s.set_entryArray(list(entries))
    s.set_optionArray(list(options))
    return ip(src, dst, mac) / UDP(sport=30490, dport=30490) / SOMEIP(srv_id=0xFFFF, sub_id=0x8100, client_id=0, session_id=session, msg_type=2) / s


def offer(src=2, session=1, ttl=3, service=0x1234, endpoint=None, **more):
    option = SDOption_IP4_EndPoint(addr='10.0.0.%d' % (endpoint or src), l4_proto=17, port=40000)
    return sd(src, session, [SDEntry_Service(type=1, srv_id=service, inst_id=1, major_ver=2, ttl=ttl, n_opt_1=1)], [option], **more)


def subscribe(session, src=3, dst=2):
    return sd(src, session, [SDEntry_EventGroup(type=6, srv_id=0x1234, inst_id=1, major_ver=2, ttl=3, eventgroup_id=1)], dst=dst)


class Tcp:
    """Both directions of a connection to the DoIP port."""
    def __init__(self, client=9, server=1, port=50000, mac=None):
        self.way = {True: lambda: ip(client, server, mac), False: lambda: ip(server, client)}
        self.port, self.seq = port, {True: 1000, False: 5000}

    def send(self, data=b'', up=True, flags='PA'):
        ports = dict(sport=self.port, dport=13400) if up else dict(sport=13400, dport=self.port)
        p = self.way[up]() / TCP(seq=self.seq[up], flags=flags, **ports) / data
        self.seq[up] += len(data) + ('S' in flags)
        return p

    def open(self):
        return [self.send(flags='S'), self.send(up=False, flags='SA')]

    def activate(self, address=0x0E80, code=0x10):
        return [self.send(bytes(DoIP(payload_type=5, source_address=address, activation_type=0))),
                self.send(bytes(DoIP(payload_type=6, logical_address_tester=address, logical_address_doip_entity=1, routing_activation_response=code)), up=False)]

    def diagnose(self, uds=b'\x22\xf1\x90', address=0x0E80):
        return [self.send(bytes(DoIP(payload_type=0x8001, source_address=address, target_address=1) / uds))]


def announce(grandmaster, src=1):
    body = bytes.fromhex('1B02004000000008') + bytes(12) + bytes.fromhex('0200000000000001') + bytes.fromhex('000112340500')
    body += bytes(10) + bytes.fromhex('002500F6F8FE4E5DF8') + bytes.fromhex(grandmaster) + bytes.fromhex('0001A0')
    return Ether(src=MAC[src], dst='01:80:c2:00:00:0e', type=0x88F7) / body


@functools.lru_cache
def clean():
    """A minute of ordinary traffic, every kind of it."""
    t, out = 0.0, []
    c = Tcp()
    for n in range(1, 61):
        out.append((n, Ether(src=MAC[3], dst='ff:ff:ff:ff:ff:ff') / ARP(op=1, hwsrc=MAC[3], psrc='10.0.0.3', pdst='10.0.0.2')))
        out.append((n + .001, Ether(src=MAC[2], dst=MAC[3]) / ARP(op=2, hwsrc=MAC[2], psrc='10.0.0.2', hwdst=MAC[3], pdst='10.0.0.3')))
        out.append((n + .01, offer(session=n)))
        out.append((n + .02, subscribe(n)))
        for k in range(5):
            s = 5 * n + k
            out.append((n + .1 + k / 20, call(s)))
            out.append((n + .11 + k / 20, call(s, kind=0x80)))
            out.append((n + .12 + k / 20, call(s, method=0x8001, kind=2)))
        out.append((n + .5, announce('0200000000000001')))
    out += [(30.6 + i / 1000, p) for i, p in enumerate(c.open() + c.activate() + c.diagnose() + c.diagnose(b'\x3e\x00'))]
    out.append((31.7, ip(1, 200) / UDP(sport=13400, dport=13400) / DoIP(payload_type=4, vin=b'WVWZZZ1JZXW000001', logical_address=1)))
    out.append((32.7, Ether(src=MAC[1], dst='ff:ff:ff:ff:ff:ff') / ARP(op=1, hwsrc=MAC[1], psrc='10.0.0.1', pdst='10.0.0.1')))
    return [(t, bytes(p)) for t, p in out]


def poison():
    return [Ether(src=MAC[STRANGER], dst=MAC[3]) / ARP(op=2, hwsrc=MAC[STRANGER], psrc='10.0.0.2', hwdst=MAC[3], pdst='10.0.0.3')]


def activated(**more):
    c = Tcp(**more)
    return c, c.open() + c.activate()


def diagnose_first():
    c = Tcp()
    return c.open() + c.diagnose()


def two_testers():
    out = []
    for port in (50001, 50002, 50003):
        out += activated(port=port)[1]
    return out


def split_activation():
    """The activation of a stranger in segments of three bytes, out of order once and repeated."""
    c = Tcp(client=9)
    data = bytes(DoIP(payload_type=5, source_address=0x0F00, activation_type=0))
    parts = [c.send(data[i:i + 3]) for i in range(0, len(data), 3)]
    start = Tcp(client=9)
    return [start.send(flags='S')] + [_shift(p) for p in (parts[:2] + parts[1:])]


def _shift(p):
    p = p.copy()
    p[TCP].seq += 1
    return p


# name: packets of the attack, the event type it must give, what the event says
ATTACKS = {
    'arp poisoning': (poison(), 'eth.arp_spoof', {'src_ip': '10.0.0.2', 'src_mac': MAC[STRANGER], 'mac_expected': MAC[2]}),
    'arp with a lying header': ([Ether(src=MAC[STRANGER], dst=MAC[3]) / ARP(op=1, hwsrc=MAC[3], psrc='10.0.0.3', pdst='10.0.0.2')], 'eth.arp_spoof', {'reason': 'sender differs from the Ethernet header'}),
    'unasked arp answer': ([Ether(src=MAC[9], dst=MAC[3]) / ARP(op=2, hwsrc=MAC[9], psrc='10.0.0.9', hwdst=MAC[3], pdst='10.0.0.3')], 'eth.arp_spoof', {'reason': 'answer that nobody asked for'}),
    'binding of an unnamed host changes': ([Ether(src=MAC[m], dst='ff:ff:ff:ff:ff:ff') / ARP(op=1, hwsrc=MAC[m], psrc='10.0.0.50', pdst='10.0.0.1') for m in (50, 51)], 'eth.arp_spoof', {'reason': 'binding changed', 'mac_expected': MAC[50]}),
    'neighbour advertisement': ([Ether(src=MAC[STRANGER], dst='33:33:00:00:00:01') / IPv6(src='fe80::66', dst='ff02::1') / ICMPv6ND_NA(tgt='fd00::1') / ICMPv6NDOptDstLLAddr(lladdr=MAC[STRANGER])], 'eth.arp_spoof', {'src_ip': 'fd00::1', 'mac_expected': MAC[1]}),
    'spoofed source': ([call(900, mac=STRANGER)], 'eth.arp_spoof', {'reason': 'sends from the address of another host'}),
    'unknown ethertype': ([Ether(src=MAC[2], dst=MAC[3], type=0x99FE) / (b'x' * 50)], 'eth.unknown_ethertype', {'ethertype': 0x99FE}),
    'unknown vlan': ([Ether(src=MAC[2], dst=MAC[3]) / Dot1Q(vlan=99) / IP(src='10.0.0.3', dst='10.0.0.2') / UDP(sport=41000, dport=40000)], 'eth.unknown_ethertype', {'vlan': 99}),
    'stranger talks': ([ip(77, 2) / UDP(sport=5000, dport=40000) / b'hello'], 'eth.unexpected_address', {'src_ip': '10.0.0.77', 'dst_port': 40000}),
    'known host, new port': ([ip(3, 2) / TCP(sport=5000, dport=22, flags='S')], 'eth.unexpected_address', {'dst_port': 22, 'protocol': 'tcp'}),
    'fragment': ([ip(77, 2) / UDP(sport=5000, dport=40000) / (b'x' * 8)], 'eth.unexpected_address', {}),
    'ping': ([ip(3, 2) / ICMP()], 'eth.unexpected_address', {'protocol': 'icmp'}),
    'volume': ([ip(3, 2) / UDP(sport=41000, dport=40000) / (b'\0' * 1000) for _ in range(30)], 'eth.volume', {'bytes_expected': 20000}),
    'packet burst': ([ip(3, 2) / UDP(sport=41000, dport=40000) / b'\0' for _ in range(60)], 'eth.volume', {'src_ip': '10.0.0.3'}),
    'port scan': ([ip(9, 1) / TCP(sport=6000, dport=d, flags='S') for d in range(20, 35)], 'eth.port_scan', {'src_ip': '10.0.0.9'}),
    'service out of the matrix': ([call(901, service=0x4321)], 'someip.unauthorised_call', {'reason': 'service that is not in the matrix'}),
    'method out of the matrix': ([call(902, method=0x77)], 'someip.unauthorised_call', {'reason': 'method', 'someip_method': 0x77}),
    'wrong interface version': ([call(903, iface=9)], 'someip.unauthorised_call', {'reason': 'interface version'}),
    'wrong client': ([call(904, client=1)], 'someip.unauthorised_call', {'reason': 'host that is no client of the service'}),
    'notification by a stranger': ([call(905, method=0x8001, kind=2, server=1)], 'someip.unauthorised_call', {'reason': 'not the host that offers the service'}),
    'answer without request': ([call(906, kind=0x80)], 'someip.unauthorised_call', {'reason': 'answer without a request'}),
    'request without answer': ([call(907)], 'someip.unauthorised_call', {'reason': 'request without an answer'}),
    'method scan': ([p for s in range(10) for p in (call(910 + s), call(910 + s, kind=0x81, code=3))], 'someip.unauthorised_call', {'reason': 'looks for services or methods', 'src_ip': '10.0.0.3'}),
    'replayed request': ([p for _ in range(2) for p in (call(950), call(950, kind=0x80))], 'someip.session_anomaly', {'reason': 'session used twice'}),
    'session goes back': ([p for s in (960, 955) for p in (call(s), call(s, kind=0x80))], 'someip.session_anomaly', {'reason': 'session goes back'}),
    'segment out of order': ([ip(3, 2) / UDP(sport=41000, dport=40000) / bytes.fromhex('12340001 0000001C 000703CA 01022000 00000101'.replace(' ', '') + 16 * '00')], 'someip.unauthorised_call', {'reason': 'segment that does not follow the one before'}),
    'rogue offer': ([offer(src=1, session=90)], 'someip.unauthorised_offer', {'src_ip': '10.0.0.1', 'someip_service': 0x1234, 'reason': 'offered by a stranger'}),
    'rogue stop': ([offer(src=1, session=91, ttl=0)], 'someip.unauthorised_offer', {'reason': 'withdrawn by a stranger'}),
    'offer of a service nobody knows': ([offer(session=92, service=0x9999)], 'someip.unauthorised_offer', {'someip_service': 0x9999}),
    'offer with a foreign endpoint': ([offer(session=93, endpoint=66)], 'someip.unauthorised_offer', {'reason': 'endpoint of another host'}),
    'offer flapping': ([offer(session=100 + i, ttl=3 * (i % 2)) for i in range(8)], 'someip.subscribe_flood', {'reason': 'service comes and goes'}),
    'subscribe flood': ([subscribe(200 + i) for i in range(15)], 'someip.subscribe_flood', {'reason': 'subscriptions', 'src_ip': '10.0.0.3'}),
    'replayed discovery': ([offer(session=300), offer(session=300)], 'someip.session_anomaly', {'reason': 'session used twice'}),
    'broken discovery': ([sd(2, 94, [SDEntry_Service(type=1, srv_id=0x1234, index_1=7, n_opt_1=2)])], 'eth.malformed', {}),
    'stranger opens a diagnosis': (activated(client=3)[1], 'doip.unexpected_tester', {'src_ip': '10.0.0.3', 'logical_address': 0x0E80}),
    'tester with a foreign address': ((lambda c: c.open() + c.activate(address=0x0F00))(Tcp()), 'doip.unexpected_tester', {'logical_address': 0x0F00}),
    'activation in pieces': (split_activation(), 'doip.unexpected_tester', {'logical_address': 0x0F00}),
    'diagnosis without activation': (diagnose_first(), 'doip.protocol_violation', {'reason': 'diagnosis without activation'}),
    'activation refused': ((lambda c: c.open() + c.activate(code=0))(Tcp()), 'doip.protocol_violation', {'reason': 'activation refused'}),
    'too many connections': (two_testers(), 'doip.unexpected_tester', {'reason': 'more connections than allowed'}),
    'wrong doip version': ([ip(9, 1) / UDP(sport=13400, dport=13400) / bytes.fromhex('0202000100000000')], 'doip.protocol_violation', {}),
    'wrong doip length': ([ip(9, 1) / UDP(sport=13400, dport=13400) / bytes.fromhex('02FD000200000000')], 'doip.protocol_violation', {}),
    'announced by a stranger': ([ip(3, 200) / UDP(sport=13400, dport=13400) / DoIP(payload_type=4, vin=b'WVWZZZ1JZXW000009', logical_address=1)], 'doip.protocol_violation', {'reason': 'announced by a stranger'}),
    'new grandmaster': ([announce('0666666666666666', src=STRANGER)], 'eth.grandmaster_changed', {'src_mac': MAC[STRANGER]}),
    'malformed packet': ([Ether(src=MAC[STRANGER], dst=MAC[3], type=0x0800) / bytes.fromhex('65000020')], 'eth.malformed', {'src_mac': MAC[STRANGER]}),
}


def write(path, packets):
    packets = sorted(packets, key=lambda p: p[0])
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHIIII', 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1))
        for t, p in packets:
            raw = bytes(p)
            f.write(struct.pack('<IIII', 1700000000 + int(t), int(t % 1 * 1e6), len(raw), len(raw)) + raw)
    return path


def scan(binaries, tmp_path, packets, policy=POLICY):
    (tmp_path / 'policy.yaml').write_text(policy)
    trace = write(tmp_path / 't.pcap', packets)
    result = subprocess.run([binaries / 'vsoc-edge', 'scan', trace, '--policy', tmp_path / 'policy.yaml'], capture_output=True, text=True, timeout=60)
    assert result.returncode in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_clean_minute_is_silent(binaries, tmp_path):
    """But for the report of an activation that was granted, which is no alarm."""
    assert [e['type'] for e in scan(binaries, tmp_path, clean())] == ['doip.routing_activated']


@pytest.mark.parametrize('name', ATTACKS)
def test_an_attack_is_found_as_what_it_is(binaries, tmp_path, name):
    packets, type_, says = ATTACKS[name]
    traffic = [p for p in clean() if p[0] < 40.7]
    if name in ('diagnosis without activation', 'too many connections', 'tester with a foreign address', 'activation refused', 'activation in pieces'):
        traffic = [p for p in traffic if not 30.5 < p[0] < 31]
    events = scan(binaries, tmp_path, traffic + [(40.8 + i / 2000, p) for i, p in enumerate(packets)] + [(42, announce('0200000000000001'))])
    wanted = [e for e in events if e['type'] == type_ and all(e.get(k) == v for k, v in says.items())]
    assert wanted, events
    assert all(e['time'] >= '2023-11-14T22:14:00.79' or e['type'] == 'doip.routing_activated' for e in events), events


def test_many_attacks_at_once_do_not_bury_each_other(binaries, tmp_path):
    """All attacks, a tenth of a second apart: at least one finding of every type is told."""
    packets, t = list(clean()), 70.0
    for attack, _, _ in ATTACKS.values():
        packets += [(t + i / 5000, p) for i, p in enumerate(attack)]
        t += 0.2
    found = {e['type'] for e in scan(binaries, tmp_path, packets)}
    assert found >= {type_ for _, type_, _ in ATTACKS.values()}


@pytest.mark.parametrize('text, place, reason', [
    ('hosts:\n  - {ip: 10.0.0.1}\n', ':2:', 'mac is missing'),
    ('hosts:\n  - {ip: 10.0.0.999, mac: 020000000001}\n', ':2:', 'is no IPv4 or IPv6 address'),
    ('flows:\n  - {src: 10.0.0.0/40, dst: any}\n', ':2:', 'at most 32'),
    ('flows:\n  - {src: any, dst: any, prot: udp}\n', ':2:', 'unknown key prot'),
    ('hots: []\n', ':1:', 'unknown key hots'),
    ('limits: {scan_ports: many}\n', ':1:', 'must be a number'),
    ('services:\n  - service: 1\n    offered_by: [1]\n', ':3:', 'must be a value'),
    ('a: [\n', ':2:', 'no YAML'), ('', ':1:', 'empty'), ('- 1\n', ':1:', 'expected a map'),
    ('hosts: 3\n', ':1:', 'expected a list'),
])
def test_a_bad_policy_is_named_with_its_line(binaries, tmp_path, text, place, reason):
    (tmp_path / 'p.yaml').write_text(text)
    trace = write(tmp_path / 't.pcap', clean()[:3])
    result = subprocess.run([binaries / 'vsoc-edge', 'scan', trace, '--policy', tmp_path / 'p.yaml'], capture_output=True, text=True)
    assert result.returncode == 2 and 'p.yaml' + place in result.stderr and reason in result.stderr, result.stderr
