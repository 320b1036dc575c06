#!/usr/bin/env python3
"""Writes the events of one case of the comparison with peers, as flat JSON lines, the same for the same seed.

usage: events.py CASE COUNT [--seed N] [--sigma DIR] > events.jsonl
cases: sigma vehicle event_count value_count temporal late flood
"""
import argparse
import glob
import json
import os
import random
import sys
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
LATE_CHANCE = 0.3


def stamp(seconds):
    """RFC 3339 to the second, because rsigma counts in seconds."""
    return (START + timedelta(seconds=int(seconds))).strftime('%Y-%m-%dT%H:%M:%SZ')


def out(event):
    sys.stdout.write(json.dumps(event, separators=(',', ':'), ensure_ascii=False) + '\n')


# ---- what Windows and Linux hosts send

USERS = ['NT AUTHORITY\\SYSTEM', 'NT AUTHORITY\\NETWORK SERVICE', 'CORP\\j.meyer', 'CORP\\a.tanaka', 'CORP\\svc_backup',
         'CORP\\build01', 'CORP\\m.rossi']
FOLDERS = ['C:\\Windows\\System32\\', 'C:\\Windows\\SysWOW64\\', 'C:\\Program Files\\Vector CANoe 17\\Exec64\\',
           'C:\\Program Files (x86)\\ETAS\\INCA7.4\\', 'C:\\Program Files\\Microsoft Office\\root\\Office16\\',
           'C:\\Users\\j.meyer\\AppData\\Local\\Programs\\', 'C:\\ProgramData\\chocolatey\\bin\\', 'D:\\build\\tools\\']
PROGRAMS = ['svchost.exe', 'cmd.exe', 'powershell.exe', 'conhost.exe', 'rundll32.exe', 'msiexec.exe', 'winword.exe', 'excel.exe',
            'CANoe64.exe', 'INCA.exe', 'python.exe', 'git.exe', 'cl.exe', 'link.exe', 'ninja.exe', 'explorer.exe', 'sc.exe',
            'net.exe', 'reg.exe', 'schtasks.exe', 'wmic.exe', 'certutil.exe', 'tasklist.exe', 'ipconfig.exe', 'whoami.exe']
WORDS = ['-k netsvcs -p', '/c dir', '--build', '-NoProfile', '-ExecutionPolicy RemoteSigned', '/S /Q', '-m pip install cantools',
         'status --short', '/nologo /W4 /O2', 'query state= all', '-File C:\\scripts\\nightly.ps1', '/user:CORP\\svc_backup',
         'export HKLM\\Software\\Vector backup.reg', '--config release', '-jar hil.jar --bench 3', 'start CANalyzer', '/i setup.msi /qn',
         '/Create /SC DAILY /TN nightly', 'config --global core.autocrlf', '-o main.obj', 'view \\\\fileserver\\share', '-hashfile a.bin SHA256']
KEYS = ['HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\', 'HKLM\\System\\CurrentControlSet\\Services\\',
        'HKU\\S-1-5-21-3457937927-2839227994-823803824-1104\\Software\\Microsoft\\Office\\16.0\\Common\\',
        'HKLM\\SOFTWARE\\Vector\\License\\', 'HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows Defender\\']
FILES = ['C:\\Users\\j.meyer\\AppData\\Local\\Temp\\', 'C:\\Windows\\Temp\\', 'D:\\build\\out\\', 'C:\\ProgramData\\Vector\\',
         'C:\\Users\\a.tanaka\\Documents\\']
SHELL = ['/usr/bin/bash', '/usr/bin/ls', '/usr/sbin/cron', '/usr/bin/systemctl', '/usr/bin/ssh', '/usr/bin/docker', '/usr/bin/python3',
         '/usr/bin/curl', '/usr/bin/tar', '/usr/sbin/sshd', '/usr/bin/git', '/usr/bin/apt-get']
LOG = ['session opened for user build by (uid=0)', 'Accepted publickey for deploy from 10.3.4.7 port 51144 ssh2',
       'pam_unix(cron:session): session closed for user root', 'Started Daily apt download activities.',
       'docker0: port 3(veth12ab) entered forwarding state', 'Connection closed by 10.3.9.21 port 40122 [preauth]',
       'systemd-logind[612]: New session 4411 of user build.', 'CRON[20931]: (root) CMD (run-parts /etc/cron.hourly)']


def hexes(rnd, n):
    return '%0*X' % (n, rnd.getrandbits(4 * n))


def image(rnd):
    return rnd.choice(FOLDERS) + rnd.choice(PROGRAMS)


def base(rnd, seconds, category, event_id):
    return {'product': 'windows', 'category': category, 'service': 'sysmon', 'EventID': event_id, 'Channel': 'Microsoft-Windows-Sysmon/Operational',
            'Provider_Name': 'Microsoft-Windows-Sysmon', 'Computer': 'ws%03d.corp.example' % rnd.randrange(400), 'UtcTime': stamp(seconds),
            'ProcessGuid': '{%s-%s-%s}' % (hexes(rnd, 8), hexes(rnd, 4), hexes(rnd, 12)), 'ProcessId': rnd.randrange(60000), 'Image': image(rnd),
            'User': rnd.choice(USERS)}


def process_creation(rnd, seconds):
    e = base(rnd, seconds, 'process_creation', 1)
    parent = image(rnd)
    e.update({'FileVersion': '10.0.%d.%d' % (rnd.randrange(30000), rnd.randrange(5000)), 'Description': 'Host Process for Windows Services',
              'Product': 'Microsoft® Windows® Operating System', 'Company': 'Microsoft Corporation',
              'OriginalFileName': e['Image'].rsplit('\\', 1)[1].upper(),
              'CommandLine': '"%s" %s' % (e['Image'], ' '.join(rnd.choices(WORDS, k=rnd.randrange(1, 6)))),
              'CurrentDirectory': rnd.choice(FILES), 'LogonId': '0x' + hexes(rnd, 6).lower(), 'TerminalSessionId': rnd.randrange(4),
              'IntegrityLevel': rnd.choice(['System', 'Medium', 'High']),
              'Hashes': 'SHA1=%s,MD5=%s,SHA256=%s,IMPHASH=%s' % (hexes(rnd, 40), hexes(rnd, 32), hexes(rnd, 64), hexes(rnd, 32)),
              'ParentImage': parent, 'ParentProcessId': rnd.randrange(60000), 'ParentUser': rnd.choice(USERS),
              'ParentCommandLine': '%s %s' % (parent, rnd.choice(WORDS))})
    return e


def registry_set(rnd, seconds):
    e = base(rnd, seconds, 'registry_set', 13)
    e.update({'EventType': 'SetValue', 'TargetObject': rnd.choice(KEYS) + hexes(rnd, 8), 'Details': 'DWORD (0x%08x)' % rnd.randrange(5)})
    return e


def file_event(rnd, seconds):
    e = base(rnd, seconds, 'file_event', 11)
    e.update({'TargetFilename': rnd.choice(FILES) + hexes(rnd, 8).lower() + rnd.choice(['.tmp', '.obj', '.log', '.dll', '.docx']),
              'CreationUtcTime': stamp(seconds)})
    return e


def image_load(rnd, seconds):
    e = base(rnd, seconds, 'image_load', 7)
    e.update({'ImageLoaded': rnd.choice(FOLDERS) + rnd.choice(['kernel32.dll', 'user32.dll', 'vxlapi64.dll', 'crypt32.dll']), 'Signed': 'true',
              'Signature': 'Microsoft Windows', 'SignatureStatus': 'Valid',
              'Hashes': 'SHA1=%s,SHA256=%s' % (hexes(rnd, 40), hexes(rnd, 64))})
    return e


def auditd(rnd, seconds):
    exe = rnd.choice(SHELL)
    args = exe.rsplit('/', 1)[1:] + rnd.choice(WORDS).split(' ')
    e = {'product': 'linux', 'category': 'none', 'service': 'auditd', 'type': rnd.choice(['EXECVE', 'SYSCALL', 'PATH']), 'node': 'hil%02d' % rnd.randrange(40),
         'time': stamp(seconds), 'syscall': rnd.choice(['execve', 'openat', 'connect']), 'exe': exe, 'comm': args[0], 'uid': rnd.randrange(1200),
         'auid': rnd.randrange(1200), 'pid': rnd.randrange(60000), 'name': exe, 'key': rnd.choice(['exec', 'net', '(null)'])}
    e.update({'a%d' % i: a for i, a in enumerate(args)})
    return e


def syslog(rnd, seconds):
    return {'product': 'linux', 'category': 'none', 'service': rnd.choice(['sshd', 'cron', 'syslog', 'auth']), 'host': 'hil%02d' % rnd.randrange(40),
            'time': stamp(seconds), 'program': rnd.choice(['sshd', 'systemd', 'CRON', 'kernel']), 'pid': rnd.randrange(60000),
            'message': rnd.choice(LOG)}


def flatten(value, event):
    for k, v in value.items():
        if k != '#attributes':
            event[k] = v


def documents(text):
    """JSON documents one behind the other."""
    at, found = 0, []
    while text[at:].strip():
        doc, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
        found += doc if isinstance(doc, list) else [doc]
        text, at = text[at:].lstrip(), end
    return found


def regression(folder):
    """The events of the rule corpus: what of them a rule names, at the top, and the rule's log source."""
    events = []
    for path in sorted(glob.glob(os.path.join(folder, 'regression', '*.json'))):
        rule = open(path[:-5] + '.rule.yml').read()
        source = {line.split(':')[0].strip(): line.split(':')[1].strip() for line in rule.split('logsource:')[1].split('detection:')[0].splitlines()
                  if ':' in line}
        for one in documents(open(path).read()):
            event = {k: source.get(k, 'none') for k in ('product', 'category', 'service')}
            flatten({k: v for k, v in one['Event']['System'].items() if not isinstance(v, dict)}, event)
            flatten(one['Event'].get('EventData') or {}, event)
            events.append(event)
    return events


def sigma(rnd, count, folder):
    known = regression(folder)
    kinds = [process_creation] * 45 + [registry_set] * 15 + [file_event] * 10 + [image_load] * 10 + [auditd] * 12 + [syslog] * 8
    for i in range(count):
        out(known[i // 100 % len(known)] if i % 100 == 0 and known else rnd.choice(kinds)(rnd, i // 20))


# ---- what vehicles send

def vehicle_event(rnd, seconds, vin, seq):
    kind = rnd.random()
    e = {'vin': 'V%07d' % vin, 'seq': seq, 'time': stamp(seconds)}
    if kind < 0.6:
        e.update(type='vehicle.position', priority='low', lat=round(48 + vin % 97 / 100 + seconds / 1e7, 7), lon=round(11 + vin % 89 / 100, 7), speed=round(rnd.random() * 40, 2))
    elif kind < 0.8:
        e.update(type='vehicle.ignition', priority='low', ecu='CGW')
    elif kind < 0.88:
        e.update(type='uds.negative_response', ecu=rnd.choice(['ECM', 'BCM', 'CGW', 'ADAS']), bus='diag', service=39, nrc=rnd.choice([0x11, 0x31, 0x33, 0x35, 0x36, 0x78]), client=0xE00)
    elif kind < 0.93:
        e.update(type='secoc.verification_failed', ecu='BCM', bus='body', pdu=rnd.choice(['EngTorque', 'BrakeReq', 'DoorCmd']), data_id=rnd.randrange(8), freshness=rnd.randrange(1 << 20))
    elif kind < 0.97:
        e.update(type='can.unknown_id', bus=rnd.choice(['powertrain', 'body', 'chassis']), sensor='CGW', can_id=rnd.randrange(2048), dlc=8, detector='unknown_id', score=round(rnd.random() * 9, 2))
    else:
        e.update(type='host.login', ecu='TCU', user='service', result='success')
    return e


def vehicle(rnd, count):
    seqs = {}
    for i in range(count):
        vin = rnd.randrange(20000)
        seqs[vin] = seqs.get(vin, 0) + 1
        out(vehicle_event(rnd, i // 40, vin, seqs[vin]))


# ---- what windows are counted over

def refused(seconds, vin, seq, **more):
    return {'vin': 'V%07d' % vin, 'seq': seq, 'time': stamp(seconds), 'type': 'uds.negative_response', 'ecu': 'ECM', 'service': 39, 'nrc': 0x35, **more}


def event_count(rnd, count, groups=1000000):
    """Every group once, then events of random ones."""
    for i in range(count):
        out(refused(i // 2000, i if i < groups else rnd.randrange(groups), i + 1))


def value_count(count, distinct):
    """One group; at any time the last `distinct` events are in the window, each with a value of its own."""
    per_second = max(1, distinct // 2000)
    for i in range(count):
        out(refused(i // per_second, i % distinct, i + 1, region='EU'))


def temporal(rnd, count, groups=50000):
    for i in range(count):
        e = refused(i // 100, rnd.randrange(groups), i + 1)
        e['type'] = rnd.choice(['uds.negative_response', 'uds.download_requested', 'uds.ecu_reset', 'host.login'])
        out(e)


def late(rnd, count, delay_s, twice, vins=60):
    """A few weeks of few vehicles, with bursts: the same set of events in order, or each with chance 0.3 up to delay_s late,
    or one in twenty of them delivered twice."""
    events, now = [], 0
    for i in range(count):
        now += rnd.choice([1, 1, 2, 5, 20, 60, 300, 900]) if i % 40 else 7200
        e = refused(now, rnd.randrange(vins), i + 1, region=rnd.choice(['EU', 'US', 'CN']))
        e['type'] = rnd.choice(['uds.negative_response', 'uds.negative_response', 'uds.download_requested', 'uds.ecu_reset'])
        events.append((now, i, e))
    if twice:
        events += [(t + rnd.randrange(60), i, e) for t, i, e in events if rnd.random() < 0.05]
    if delay_s > 0:
        events = [(t + (rnd.randrange(delay_s) if rnd.random() < LATE_CHANCE else 0), i, e) for t, i, e in events]
    for _, _, e in sorted(events, key=lambda x: x[:2]):
        out(e)


def flood(count):
    """Twenty cars under a slow attack, one event an hour each, while one car makes up a new ECU with every event."""
    slow, hours = 20, 8
    every = max(1, count // (slow * hours))
    for i in range(count):
        seconds = i * 3600 * hours // count
        if i % every == 0 and i // every < slow * hours:
            out(refused(seconds, 1 + i // every % slow, i + 1))
        else:
            out({**refused(seconds, 0, i + 1), 'ecu': 'X%07d' % i})


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument('case')
    p.add_argument('count', type=int)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--sigma', default='../shared/data/sigma')
    p.add_argument('--distinct', type=int, default=2000)
    p.add_argument('--delay-s', type=int, default=0)
    p.add_argument('--twice', action='store_true')
    a = p.parse_args()
    rnd = random.Random(a.seed)
    if a.case == 'sigma':
        sigma(rnd, a.count, a.sigma)
    elif a.case == 'vehicle':
        vehicle(rnd, a.count)
    elif a.case == 'event_count':
        event_count(rnd, a.count)
    elif a.case == 'value_count':
        value_count(a.count, a.distinct)
    elif a.case == 'temporal':
        temporal(rnd, a.count)
    elif a.case == 'late':
        late(rnd, a.count, a.delay_s, a.twice)
    elif a.case == 'flood':
        flood(a.count)
    else:
        p.error('unknown case ' + a.case)


if __name__ == '__main__':
    main()
