#!/usr/bin/env python3
"""Puts our engine and its peers through the same rules and events in one run, and writes bench/peers/out/table.md.

usage: run.py [--bin PROGRAM] [--runs N] [--scale X] [--sigma DIR] [--only CASE,..]

`make bench-peers` builds the drivers first. Every case runs the engines in turn, N times (5), each in a process of its own
on one thread, and the median counts. Rates are events per CPU second (user + system) of that process, from the first byte of
the first event to the last answer; memory is its VmHWM. What must be equal is compared, and where the peers follow the
order of arrival, their alerts are held against the naive twin of tests/oracle.
"""
import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, 'build', 'peers')
RULES = os.path.join(HERE, 'rules')
CPU_MAX_S = 4 # a peer that needs more is stopped, and its rate is that of what it did
sys.path.insert(0, os.path.join(ROOT, 'tests', 'oracle'))

import episode_twin as twin  # noqa: E402

RSIGMA = os.path.join(BUILD, 'rsigma', 'target', 'release', 'peer_rsigma')
ESPER = os.path.join(BUILD, 'esper', 'peer_esper')


class Case:
    def __init__(self, name, events, rules, count, options=(), args=(), engines=('rsigma',), match=False):
        self.name, self.events, self.rules, self.count = name, events, rules, count
        self.options, self.args, self.engines, self.match = list(options), list(args), engines, match


def cases(a):
    corpus = [os.path.join(BUILD, 'corpus')]
    many = [os.path.join(BUILD, 'many')]
    windows = ['--windows']
    found = []
    for source, rules in (('140 rules of the corpus', corpus), ('3,000 rules', many)):
        for options, text in (([], ''), (['--logsource'], ', by log source'), (['--parsed'], ', JSON parsed before'),
                              (['--parsed', '--logsource'], ', by log source, JSON parsed before')):
            if rules is many and '--parsed' in options:
                continue
            found.append(Case('match: ' + source + text, 'sigma', rules, 60000, options, match=True))
    vehicle = [os.path.join(BUILD, 'vehicle')]
    found += [
        Case('vehicle rules, no windows', 'vehicle', vehicle, 300000, [], match=True),
        Case('vehicle rules', 'vehicle', vehicle, 300000, windows),
        Case('event_count, 1 M groups', 'event_count', ['event_count'], 1300000, windows, engines=('rsigma', 'esper')),
        Case('value_count, 2,000 distinct', 'value_count', ['value_count'], 100000, windows, engines=('rsigma', 'esper')),
        Case('value_count, 1 M distinct', 'value_count', ['value_count'], 1100000, windows, ['--distinct', '1000000'], ('rsigma', 'esper')),
        Case('temporal, 50,000 groups', 'temporal', ['temporal'], 300000, windows),
        Case('temporal_ordered, 50,000 groups', 'temporal', ['temporal_ordered'], 300000, windows),
    ]
    return found


def events_file(name, count, args, sigma):
    folder = os.path.join(BUILD, 'events')
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, '_'.join([name, str(count)] + [x.strip('-') for x in args]) + '.jsonl')
    if not os.path.exists(path):
        with open(path + '.part', 'w') as f:
            subprocess.run([sys.executable, os.path.join(HERE, 'events.py'), name, str(count), '--sigma', sigma, *args], stdout=f, check=True)
        os.rename(path + '.part', path)
    return path


def prepare_rules(sigma):
    """Folders of rules that all engines can load: the corpus as it is, many rules in its shape, and ours without what only we have."""
    def write(name, texts):
        folder = os.path.join(BUILD, name)
        os.makedirs(folder, exist_ok=True)
        for old in glob.glob(folder + '/*.yml'):
            os.unlink(old)
        for i, text in enumerate(texts):
            with open(os.path.join(folder, '%05d.yml' % i), 'w') as f:
                f.write(text)

    paths = sorted(glob.glob(sigma + '/regression/*.rule.yml') + glob.glob(sigma + '/linux/**/*.yml', recursive=True))
    corpus = [open(p).read() for p in paths]
    write('corpus', corpus)
    write('many', subprocess.run([sys.executable, os.path.join(HERE, 'many_rules.py'), '3000'], input='\x00'.join(corpus), text=True, capture_output=True,
                                 check=True).stdout.split('\x00'))
    vehicle = [open(p).read() for p in sorted(glob.glob(ROOT + '/content/rules/*.yml')) if not p.endswith('.test.yml')]
    write('vehicle', [t for t in vehicle if 'geo_velocity' not in t and '|hour' not in t])


def command(engine, case, rules, events, a):
    options = list(case.options)
    if engine == 'ours':
        head = [a.bin]
    elif engine == 'rsigma':
        head = [RSIGMA, '--cpu-max', str(CPU_MAX_S)] + (['--groups-max', '10000000'] if '--windows' in options else [])
    else:
        head = [ESPER, '--cpu-max', str(CPU_MAX_S)]
    return head + [x for r in rules for x in ('--rules', r)] + ['--events', events] + options


def run(cmd):
    done = subprocess.run(cmd, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit('%s\n%s' % (' '.join(cmd), done.stderr))
    return json.loads(done.stdout)


def rule_paths(names):
    return [n if os.path.isabs(n) else os.path.join(RULES, n + '.yml') for n in names]


def measure(case, a):
    count = max(1000, int(case.count * a.scale))
    events = events_file(case.events, count, case.args, a.sigma)
    rules = rule_paths(case.rules)
    engines = ['ours'] + [e for e in case.engines if available(e)]
    runs = {e: [] for e in engines}
    for _ in range(a.runs):
        for e in engines:
            runs[e].append(run(command(e, case, rules, events, a)))
    row = {'case': case.name, 'events': count, 'bytes': os.path.getsize(events), 'engines': {}}
    for e in engines:
        rates = [r['events'] / r['cpu_s'] for r in runs[e]]
        row['engines'][e] = {'version': runs[e][0]['engine'], 'rate': statistics.median(rates), 'lowest': min(rates), 'highest': max(rates),
                             'peak_kb': statistics.median(r['peak_kb'] for r in runs[e]), 'matches': runs[e][0]['matches'],
                             'alerts': runs[e][0]['alerts'], 'done': runs[e][0]['events'], 'cut': runs[e][0]['cut'], 'rules': runs[e][0]['rules']}
    if case.match and available('rsigma') and not any(r['cut'] for e in engines for r in runs[e]):
        row['differences'] = differences(case, rules, events, a)
    print(json.dumps(row), flush=True)
    return row


def available(engine):
    return os.path.exists({'rsigma': RSIGMA, 'esper': ESPER}[engine])


def differences(case, rules, events, a):
    """Matches (line, rule) that only one of us and rsigma finds."""
    with tempfile.TemporaryDirectory() as tmp:
        found = []
        for e in ('ours', 'rsigma'):
            path = os.path.join(tmp, e)
            run(command(e, case, rules, events, a) + ['--out', path])
            found.append(set(open(path)))
        return {'ours_only': sorted(found[0] - found[1])[:5], 'theirs_only': sorted(found[1] - found[0])[:5],
                'count': len(found[0] ^ found[1]), 'both': len(found[0] & found[1])}


# ---- correctness

KINDS = ['uds.negative_response', 'uds.download_requested', 'uds.ecu_reset']
LATE_RULES = {
    '7c1f0000-0000-4000-8000-000000000012': {'type': 'event_count', 'span': 3600, 'group': ['vin'], 'condition': {'gte': 3}, 'refs': 1},
    '7c1f0000-0000-4000-8000-000000000013': {'type': 'value_count', 'span': 600, 'group': ['region'], 'condition': {'gte': 4}, 'field': ['vin'], 'refs': 1},
    '7c1f0000-0000-4000-8000-000000000016': {'type': 'temporal', 'span': 7200, 'group': ['vin'], 'condition': {'gte': 3}, 'refs': 3},
    '7c1f0000-0000-4000-8000-000000000017': {'type': 'temporal_ordered', 'span': 7200, 'group': ['vin'], 'condition': {'gte': 3}, 'refs': 3},
}


def seconds(stamp):
    from datetime import datetime
    return int(datetime.fromisoformat(stamp.replace('Z', '+00:00')).timestamp())


def folded(times, span):
    """Times of hits as episodes: hits not more than a span apart belong together."""
    out = []
    for t in sorted(times):
        if out and t - out[-1][1] <= span:
            out[-1][1] = t
        else:
            out.append([t, t])
    return [tuple(x) for x in out]


def truth(events):
    """By (rule, group): episodes as (first hit, last hit), and the twin's full alerts."""
    hits, alerts = {}, {}
    for rule_id, rule in LATE_RULES.items():
        rule = {'field': [], **rule}

        def matches(ev, rule=rule):
            return {i for i, kind in enumerate(KINDS[:rule['refs']]) if ev['type'] == kind}
        for key, group in twin.groups_of(rule, events, matches).items():
            times = [group[i][0] for i, _ in twin.hits(rule, group, matches)]
            hits[rule_id, key] = folded(times, rule['span'])
        for al in twin.alerts(rule, events, matches):
            alerts.setdefault((rule_id, tuple(al['group'].values())), []).append((al['first'], al['last'], al['count'], float(al['peak']), al['vehicles']))
    return {k: v for k, v in hits.items() if v}, alerts


def judge(found, true):
    """Episodes that touch none of the true ones, true ones that none touches, and those that differ."""
    false = missed = inexact = 0
    for key in set(found) | set(true):
        f, t, span = found.get(key, []), true.get(key, []), LATE_RULES[key[0]]['span']
        false += sum(not any(x[0] <= y[1] and y[0] - span <= x[1] for y in t) for x in f)
        missed += sum(not any(x[0] <= y[1] and y[0] - span <= x[1] for x in f) for y in t)
        inexact += sum(y not in f and any(x[0] <= y[1] and y[0] - span <= x[1] for x in f) for y in t)
    return {'false': false, 'missed': missed, 'inexact': inexact}


def fired(path):
    """The peers say each event at which a condition holds; several such are one episode, as an alert desk would fold them."""
    times = {}
    for line in open(path):
        row = json.loads(line)
        times.setdefault((row['rule'], tuple(row['group'])), []).append(seconds(row['time']))
    return {k: folded(v, LATE_RULES[k[0]]['span']) for k, v in times.items()}


def our_alerts(path, labels):
    out = {}
    for line in open(path):
        a = json.loads(line)
        key = (labels[a['rule']], tuple(a['group'].values()))
        out.setdefault(key, []).append((seconds(a['first'].split('.')[0] + 'Z'), seconds(a['last'].split('.')[0] + 'Z'), a['count'], float(a['peak']), a['vehicles']))
    return out


def correctness(a):
    rows = []
    rules = [os.path.join(RULES, 'late.yml')]
    labels = {r: r for r in LATE_RULES}
    for name, args in (('in order', []), ('delivered twice (1 of 20)', ['--twice']), ('up to 5 min late (3 of 10)', ['--delay-s', '300']),
                       ('up to 4 h late (3 of 10)', ['--delay-s', '14400']), ('up to 4 h late, delivered twice', ['--delay-s', '14400', '--twice'])):
        path = events_file('late', 6000, args, a.sigma)
        events = [json.loads(line) for line in open(path)]
        for ev in events:
            ev['time'] = seconds(ev['time'])
        hits, alerts = truth(events)
        row = {'events': name, 'true_alerts': sum(len(v) for v in hits.values())}
        case = Case(name, 'late', rules, 6000, ['--windows'])
        with tempfile.TemporaryDirectory() as tmp:
            out = os.path.join(tmp, 'out')
            run(command('ours', case, rules, path, a) + ['--out', out])
            got = our_alerts(out, labels)
            row['ours'] = {'wrong': sum(len(set(got.get(k, [])) ^ set(alerts.get(k, []))) for k in set(got) | set(alerts)),
                           'alerts': sum(len(v) for v in got.values())}
            if available('rsigma'):
                done = run(command('rsigma', case, rules, path, a) + ['--out', out])
                got = fired(out)
                row['rsigma'] = {**judge(got, hits), 'firings': done['alerts']}
            if available('esper'): # it has two of the four rules
                done = run(command('esper', case, rules, path, a) + ['--out', out])
                theirs = {k: v for k, v in hits.items() if LATE_RULES[k[0]]['type'] in ('event_count', 'value_count')}
                row['esper'] = {**judge(fired(out), theirs), 'firings': done['alerts'], 'true_alerts': sum(len(v) for v in theirs.values())}
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


def flood(a):
    """Does a slow attack on 20 vehicles survive one vehicle that makes up a new group with every event?"""
    rules = [os.path.join(RULES, 'flood.yml')]
    path = events_file('flood', 1000000, [], a.sigma)
    case = Case('flood', 'flood', rules, 1000000, ['--windows'])
    row = {}
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, 'out')
        row['ours'] = run(command('ours', case, rules, path, a) + ['--live', '--out', out])
        row['ours']['found'] = len({json.loads(x)['group']['vin'] for x in open(out)})
        if available('rsigma'):
            for label, limit in (('rsigma', []), ('rsigma_unlimited', ['--groups-max', '10000000'])):
                row[label] = run([RSIGMA, '--windows', *limit, '--rules', rules[0], '--events', path, '--out', out])
                row[label]['found'] = len({json.loads(x)['group'][0] for x in open(out)})
    print(json.dumps(row), flush=True)
    return row


# ---- the table

def number(x):
    return '%.2f M' % (x / 1e6) if x >= 999500 else '%d k' % round(x / 1e3) if x >= 9950 else '%.1f k' % (x / 1e3) if x >= 1000 else '%d' % x


def cell(row, e):
    r = row['engines'].get(e)
    if r is None:
        return '-'
    return '%s (%s to %s)%s' % (number(r['rate']), number(r['lowest']), number(r['highest']), ', cut at %s events' % number(r['done']) if r['cut'] else '')


def table(rows, right, storm):
    peers = [e for e in ('rsigma', 'esper') if any(e in r['engines'] for r in rows)]
    text = ['| case | ours | %s | ours / rsigma | memory ours / %s |' % (' | '.join(peers), ' / '.join(peers)), '|---' * (4 + len(peers)) + '|']
    for r in rows:
        e = r['engines']
        ratio = '%.1f' % (e['ours']['rate'] / e['rsigma']['rate']) if 'rsigma' in e else '-'
        memory = ' / '.join('%d' % round(e[x]['peak_kb'] / 1024) if x in e else '-' for x in ['ours'] + peers)
        text.append('| %s | %s | %s | %s | %s MiB |' % (r['case'], cell(r, 'ours'), ' | '.join(cell(r, p) for p in peers), ratio, memory))
    text += ['', '| events | true alerts | ours wrong | rsigma false, missed, inexact | Esper (2 rules of 4) false, missed, inexact |', '|---|---|---|---|---|']
    for r in right:
        theirs = [', '.join(str(r[e][k]) for k in ('false', 'missed', 'inexact')) if e in r else '-' for e in ('rsigma', 'esper')]
        theirs[1] += ' of %d' % r['esper']['true_alerts'] if 'esper' in r else ''
        text.append('| %s | %d | %d | %s |' % (r['events'], r['true_alerts'], r['ours']['wrong'], ' | '.join(theirs)))
    if storm:
        text += ['', '| flood of groups by one vehicle | slow attacks found, of 20 | peak MiB |', '|---|---|---|']
        text += ['| %s | %d | %d |' % (k, v['found'], v['peak_kb'] / 1024) for k, v in storm.items()]
    return '\n'.join(text) + '\n'


def machine():
    with open('/proc/cpuinfo') as f:
        model = next((line.split(':')[1].strip() for line in f if line.startswith('model name')), platform.machine())
    return '%s, %d processors, %s' % (model, os.cpu_count(), platform.release())


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument('--bin', default=os.path.join(ROOT, 'build', 'release', 'bench', 'peers', 'peer_ours'))
    p.add_argument('--runs', type=int, default=5)
    p.add_argument('--scale', type=float, default=1.0)
    p.add_argument('--sigma', default=os.environ.get('VSOC_DATA', os.path.join(ROOT, '..', 'shared', 'data')) + '/sigma')
    p.add_argument('--only', default='')
    a = p.parse_args()
    if not os.path.isdir(a.sigma):
        raise SystemExit('no rule corpus at %s; name it with --sigma' % a.sigma)
    prepare_rules(a.sigma)
    only = [x for x in a.only.split(',') if x]
    rows = [measure(c, a) for c in cases(a) if not only or any(x in c.name for x in only)]
    right = correctness(a) if not only or 'late' in only else []
    storm = flood(a) if not only or 'flood' in only else {}
    os.makedirs(os.path.join(HERE, 'out'), exist_ok=True)
    with open(os.path.join(HERE, 'out', 'results.json'), 'w') as f:
        json.dump({'machine': machine(), 'runs': a.runs, 'rows': rows, 'late': right, 'flood': storm}, f, indent=1)
        f.write('\n')
    with open(os.path.join(HERE, 'out', 'table.md'), 'w') as f:
        f.write(machine() + '\n\n' + table(rows, right, storm))
    print(open(os.path.join(HERE, 'out', 'table.md')).read(), file=sys.stderr)


if __name__ == '__main__':
    main()
