"""Ethernet captures against what others read in them: tcpdump's own expected outputs, packets of PcapPlusPlus, and scapy.
R-249."""
import json
import pathlib
import random
import re
import struct
import subprocess

import pytest

DATA = pathlib.Path(__file__).resolve().parents[2] / '../shared/data/someip-doip'
CAPTURES = sorted(DATA.glob('tcpdump/*.pcap'))
PACKETS = sorted(DATA.glob('pcapplusplus/*.dat'))
TYPES = {'REQUEST': 'request', 'REQUEST_NO_RETURN': 'request_no_return', 'NOTIFICATION': 'notification', 'RESPONSE': 'response',
         'ERROR': 'error'}


def decode(binaries, path, code=0):
    result = subprocess.run([binaries / 'vsoc', 'eth', 'decode', '--trace', path], capture_output=True, timeout=120)
    assert result.returncode == code, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.splitlines()]


def pcap(path, packets, link=1):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHIIII', 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link))
        for i, p in enumerate(packets):
            f.write(struct.pack('<IIII', 1700000000, i, len(p), len(p)) + p)
    return path


@pytest.mark.parametrize('path', CAPTURES, ids=lambda p: p.name)
def test_tcpdump_and_we_read_the_same(binaries, path):
    wanted = path.with_suffix('.out').read_text().splitlines()
    got = decode(binaries, path)
    assert len(got) == len(wanted) > 0
    for line, packet in zip(wanted, got):
        m = re.search(r'IP (\S+)\.(\d+) > (\S+)\.(\d+): SOMEIP, service (\d+), (event|method) (\d+), len (\d+), client (\d+), '
                      r'session (\d+), pver (\d+), iver (\d+), msgtype (\w+), retcode E_(\w+)', line)
        src, sport, dst, dport, service, kind, number, length, client, session, pver, iver, msgtype, code = m.groups()
        s, = packet['someip']
        assert (packet['src_ip'], packet['src_port'], packet['dst_ip'], packet['dst_port']) == (src, int(sport), dst, int(dport))
        # tcpdump leaves out the bit that makes a method an event.
        assert int(s[kind], 16) & 0x7FFF == int(number)
        assert (int(s['service'], 16), s['length'], int(s['client'], 16), s['session']) == tuple(map(int, (service, length, client, session)))
        assert (s['protocol_version'], s['interface_version'], s['type'], s['code']) == (int(pver), int(iver), TYPES[msgtype], code.lower())


# What PcapPlusPlus expects of its own test packets.
WANTED = {
    'DoIpAliveCheckRequestPacket': {'type': 'alive_check'},
    'DoIpAliveCheckResponsePacket': {'type': 'alive_check_response'},
    'DoIpDiagnosticMessageAckPacket': {'type': 'diagnostic_ack', 'code': '0x00'},
    'DoIpDiagnosticMessageNackPacket': {'type': 'diagnostic_nack'},
    'DoIpDiagnosticMessagePacket': {'type': 'diagnostic_message'},
    'DoIpEntityStatusRequestPacket': {'type': 'entity_status_request'},
    'DoIpEntityStatusResponsePacket': {'type': 'entity_status', 'sockets_max': 1, 'sockets_open': 0},
    'DoIpGenericHeaderNackPacket': {'type': 'header_nack', 'code': '0x01'},
    'DoIpPowerModeRequestPacket': {'type': 'power_mode_request'},
    'DoIpPowerModeResponsePacket': {'type': 'power_mode', 'code': '0x00'},
    'DoIpRoutingActivationRequestPacket': {'type': 'routing_activation', 'source': '0x0E80', 'activation_type': '0x00'},
    'DoIpRoutingActivationResponsePacket': {'type': 'routing_activation_response', 'code': '0x10'},
    'DoIpVehicleAnnouncementMessagePacket': {'type': 'announcement'},
    'DoIpVehicleIdentificationRequestPacket': {'type': 'identification_request'},
    'DoIpVehicleIdentificationRequestWithDefaultVersPacket': {'type': 'identification_request', 'version': 255},
    'DoIpVehicleIdentificationRequestWithEIDPacket': {'type': 'identification_request_eid'},
    'DoIpVehicleIdentificationRequestWithVINPacket': {'type': 'identification_request_vin'},
}
# Broken on purpose: the layer, the byte within it, and a word of the reason.
BROKEN = {
    'DoIpInvalidPayloadTypePacket': ('doip', 2, 'type unknown'),
    'DoIpInvalidProtocolVersionPacket': ('doip', 1, 'inverse'),
    'DoIpWrongLengthRoutingActivationRequestPacket': ('doip', 20, 'shorter'),  # a byte too many behind the message
}


@pytest.mark.parametrize('path', PACKETS, ids=lambda p: p.stem)
def test_packets_of_pcapplusplus(binaries, tmp_path, path):
    raw = bytes.fromhex(''.join(path.read_text().split()))
    broken = BROKEN.get(path.stem)
    packet, = decode(binaries, pcap(tmp_path / 'one.pcap', [raw]), 1 if broken else 0)
    if broken:
        payload_at = 14 + 20 + (8 if packet['protocol'] == 'udp' else 20)
        layer, byte, word = broken
        assert packet['error']['layer'] == layer and packet['error']['byte'] == payload_at + byte and word in packet['error']['reason']
    elif path.stem.startswith('DoIp'):
        message, = packet['doip']
        assert {k: message[k] for k in WANTED[path.stem]} == WANTED[path.stem]
    elif path.stem.startswith('SomeIpSd'):
        message, = packet['someip']
        assert message['service'] == '0xFFFF' and message['sd']['entries']
    else:
        message, = packet['someip']
        assert message['more'] == (path.stem == 'SomeIpTp1')


# ---- scapy

def ethernet(rng):
    from scapy.layers.inet import IP, UDP, TCP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Dot1Q, Ether
    mac = lambda: ':'.join('%02x' % rng.randrange(256) for _ in range(6))
    p = Ether(src=mac(), dst=mac())
    vlan = rng.choice([None, None, rng.randrange(1, 4095)])
    if vlan:
        p /= Dot1Q(vlan=vlan)
    if rng.random() < 0.5:
        ip = IP(src='10.%d.0.1' % rng.randrange(256), dst='10.0.%d.2' % rng.randrange(256), ttl=rng.randrange(1, 256))
    else:
        ip = IPv6(src='fd00::%x' % rng.randrange(1, 65536), dst='fd00:0:1::%x:%x' % (rng.randrange(65536), rng.randrange(65536)))
    tcp = rng.random() < 0.4
    port = rng.randrange(40000, 60000)
    return p / ip, (lambda dport: TCP(sport=port, dport=dport, seq=rng.randrange(1 << 32)) if tcp else UDP(sport=port, dport=dport)), tcp


def check_layers(packet, p, tcp):
    from scapy.layers.inet import IP, UDP, TCP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Dot1Q, Ether
    ip = p[IP] if IP in p else p[IPv6]
    assert (packet['src_mac'], packet['dst_mac']) == (p[Ether].src, p[Ether].dst)
    assert packet.get('vlan') == (p[Dot1Q].vlan if Dot1Q in p else None)
    assert (packet['src_ip'], packet['dst_ip'], packet['protocol']) == (ip.src, ip.dst, 'tcp' if tcp else 'udp')
    layer = p[TCP] if tcp else p[UDP]
    assert (packet['src_port'], packet['dst_port'], packet['payload']) == (layer.sport, layer.dport, len(layer.payload))


@pytest.mark.parametrize('seed', range(3))
def test_someip_by_scapy_reads_back(binaries, tmp_path, seed):
    rng, packets = random.Random(seed), []
    for _ in range(150):
        below, transport, tcp = ethernet(rng)
        messages = []
        for _ in range(rng.randrange(1, 4)):
            body = rng.randbytes(rng.randrange(60))
            srv, method, client, session = (rng.randrange(1, 0xFFFE) for _ in range(4))
            kind, code = rng.choice([0, 1, 2, 0x80, 0x81]), rng.randrange(11)
            iface = rng.randrange(256)
            from scapy.contrib.automotive.someip import SOMEIP
            m = SOMEIP(srv_id=srv, sub_id=method, client_id=client, session_id=session, iface_ver=iface, msg_type=kind, retcode=code)
            messages.append((bytes(m / body), srv, method, client, session, iface, kind, code, len(body)))
        p = below / transport(rng.choice([30500, 40000])) / b''.join(m[0] for m in messages)
        packets.append((p, tcp, messages))
    got = decode(binaries, pcap(tmp_path / 's.pcap', [bytes(p) for p, _, _ in packets]))
    for packet, (p, tcp, messages) in zip(got, packets):
        check_layers(packet, type(p)(bytes(p)), tcp)
        assert len(packet['someip']) == len(messages)
        for s, (_, srv, method, client, session, iface, kind, code, size) in zip(packet['someip'], messages):
            assert (int(s['service'], 16), int(s.get('event', s.get('method')), 16), int(s['client'], 16), s['session']) == (srv, method, client, session)
            assert (s['interface_version'], s['length']) == (iface, size + 8)
            assert s['type'] == {0: 'request', 1: 'request_no_return', 2: 'notification', 0x80: 'response', 0x81: 'error'}[kind]


@pytest.mark.parametrize('seed', range(3))
def test_service_discovery_by_scapy_reads_back(binaries, tmp_path, seed):
    from scapy.contrib.automotive.someip import (SD, SDEntry_EventGroup, SDEntry_Service, SDOption_IP4_EndPoint, SDOption_IP6_EndPoint,
                                                 SDOption_Config, SOMEIP)
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    rng, packets = random.Random(seed), []
    for _ in range(100):
        options = [rng.choice([SDOption_IP4_EndPoint(addr='192.168.%d.%d' % (rng.randrange(256), rng.randrange(256)), l4_proto=rng.choice([6, 17]), port=rng.randrange(1, 65536)),
                               SDOption_IP6_EndPoint(addr='fd00::%x' % rng.randrange(1, 65536), l4_proto=17, port=rng.randrange(1, 65536)),
                               SDOption_Config(cfg_str=b'\x03a=b\x00')]) for _ in range(rng.randrange(4))]
        entries = []
        for _ in range(rng.randrange(1, 5)):
            first = rng.randrange(len(options) + 1)
            count = rng.randrange(len(options) - first + 1) if first < len(options) else 0
            common = dict(index_1=first, n_opt_1=count, srv_id=rng.randrange(65536), inst_id=rng.randrange(65536), major_ver=rng.randrange(256),
                          ttl=rng.choice([0, 3, 0xFFFFFF]))
            if rng.random() < 0.5:
                entries.append(SDEntry_Service(type=rng.choice([0, 1]), minor_ver=rng.randrange(1 << 32), **common))
            else:
                entries.append(SDEntry_EventGroup(type=rng.choice([6, 7]), eventgroup_id=rng.randrange(65536), **common))
        sd = SD(flags=rng.choice([0, 0x80, 0xC0]))
        sd.set_entryArray(entries)
        sd.set_optionArray(options)
        message = SOMEIP(srv_id=0xFFFF, sub_id=0x8100, client_id=0, session_id=rng.randrange(1, 65536), msg_type=2)
        packets.append((Ether(src='02:00:00:00:00:01', dst='01:00:5e:00:00:01') / IP(dst='224.224.224.245') / UDP(sport=30490, dport=30490) / message / sd, entries, options))
    got = decode(binaries, pcap(tmp_path / 'sd.pcap', [bytes(p) for p, _, _ in packets]))
    kinds = {(0, False): 'find', (0, True): 'find', (1, False): 'offer', (1, True): 'stop_offer', (6, False): 'subscribe', (6, True): 'stop_subscribe',
             (7, False): 'subscribe_ack', (7, True): 'subscribe_nack'}
    for packet, (_, entries, options) in zip(got, packets):
        sd = packet['someip'][0]['sd']
        assert len(sd['entries']) == len(entries)
        for ours, theirs in zip(sd['entries'], entries):
            assert ours['kind'] == kinds[theirs.type, theirs.ttl == 0]
            assert (int(ours['service'], 16), int(ours['instance'], 16), ours['major'], ours['ttl']) == (theirs.srv_id, theirs.inst_id, theirs.major_ver, theirs.ttl)
            wanted = options[theirs.index_1:theirs.index_1 + theirs.n_opt_1]
            assert len(ours['options']) == len(wanted)
            for o, w in zip(ours['options'], wanted):
                if hasattr(w, 'addr'):
                    assert (o['ip'], o['port'], o['protocol']) == (w.addr, w.port, {6: 'tcp', 17: 'udp'}[w.l4_proto])


@pytest.mark.parametrize('seed', range(3))
def test_doip_by_scapy_reads_back(binaries, tmp_path, seed):
    from scapy.contrib.automotive.doip import DoIP
    rng, packets = random.Random(seed), []
    for _ in range(150):
        below, transport, tcp = ethernet(rng)
        tester, entity = rng.randrange(0x0E00, 0x1000), rng.randrange(1, 0x0E00)
        uds = rng.randbytes(rng.randrange(1, 30))
        m, wanted = rng.choice([
            (DoIP(payload_type=0x8001, source_address=tester, target_address=entity) / uds, {'type': 'diagnostic_message', 'source': '0x%04X' % tester, 'target': '0x%04X' % entity, 'uds': uds.hex().upper()}),
            (DoIP(payload_type=5, source_address=tester, activation_type=0xE0), {'type': 'routing_activation', 'source': '0x%04X' % tester, 'activation_type': '0xE0'}),
            (DoIP(payload_type=6, logical_address_tester=tester, logical_address_doip_entity=entity, routing_activation_response=0x10), {'type': 'routing_activation_response', 'source': '0x%04X' % tester, 'target': '0x%04X' % entity, 'code': '0x10'}),
            (DoIP(payload_type=4, vin=b'WVWZZZ1JZXW000001', logical_address=entity, eid=b'\1\2\3\4\5\6', gid=b'\6\5\4\3\2\1'), {'type': 'announcement', 'vin': 'WVWZZZ1JZXW000001', 'source': '0x%04X' % entity, 'eid': '010203040506'}),
        ])
        packets.append((below / transport(13400) / m, tcp, wanted))
    got = decode(binaries, pcap(tmp_path / 'd.pcap', [bytes(p) for p, _, _ in packets]))
    for packet, (p, tcp, wanted) in zip(got, packets):
        message, = packet['doip']
        assert {k: message[k] for k in wanted} == wanted


def test_arp_and_neighbours_by_scapy_read_back(binaries, tmp_path):
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
    from scapy.layers.l2 import ARP, Ether
    arp = Ether(src='02:00:00:00:00:07', dst='ff:ff:ff:ff:ff:ff') / ARP(op=2, hwsrc='02:00:00:00:00:07', psrc='192.168.1.7', hwdst='02:00:00:00:00:01', pdst='192.168.1.1')
    na = Ether(src='02:00:00:00:00:08', dst='33:33:00:00:00:01') / IPv6(src='fe80::8', dst='ff02::1') / ICMPv6ND_NA(tgt='fe80::1') / ICMPv6NDOptDstLLAddr(lladdr='02:00:00:00:00:08')
    first, second = decode(binaries, pcap(tmp_path / 'a.pcap', [bytes(arp), bytes(na)]))
    assert first['arp'] == {'operation': 2, 'sender_mac': '02:00:00:00:00:07', 'sender_ip': '192.168.1.7', 'target_mac': '02:00:00:00:00:01', 'target_ip': '192.168.1.1'}
    assert (second['src_ip'], second['dst_ip'], second['protocol']) == ('fe80::8', 'ff02::1', 58)


@pytest.mark.parametrize('seed', range(4))
def test_broken_packets_are_told_with_their_byte(binaries, tmp_path, seed):
    """Bytes changed and ends cut off: every packet still gives a line, and an error names a byte within the packet."""
    rng = random.Random(seed)
    whole = [bytes.fromhex(''.join(p.read_text().split())) for p in PACKETS] or [bytes(range(60))]
    packets = []
    for _ in range(400):
        p = bytearray(rng.choice(whole))
        for _ in range(rng.randrange(4)):
            p[rng.randrange(len(p))] = rng.randrange(256)
        packets.append(bytes(p[:rng.randrange(len(p) + 1)] if rng.random() < 0.3 else p))
    result = subprocess.run([binaries / 'vsoc', 'eth', 'decode', '--trace', pcap(tmp_path / 'b.pcap', packets)], capture_output=True, timeout=120)
    assert result.returncode == 1, result.stderr.decode()
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == len(packets)
    errors = [(line['error'], p) for line, p in zip(lines, packets) if 'error' in line]
    assert len(errors) > 20 and all(e['byte'] <= len(p) and e['reason'] for e, p in errors)
