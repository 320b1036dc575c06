"""Makes CAN recordings of vehicles that do not exist, with what real buses do to a timing detector, and attacks on them.

A vehicle is a seed: its identifiers, cycles, jitter and habits are drawn from it, so that a test can ask about a hundred
vehicles instead of one. A recording is a list of (time_us, bus, id, dlc, bytes, label); label 1 = injected."""
import random

FRAME_US = 230  # a classic frame of 8 bytes at 500 kbit/s


class Message:
    def __init__(self, rng, ident, kind):
        self.id, self.kind, self.rng = ident, kind, rng
        self.period = rng.choice([10, 10, 20, 20, 20, 40, 50, 100, 100, 200, 500, 1000]) * 1000
        self.jitter = rng.choice([0.002, 0.01, 0.05, 0.12, 0.2]) if self.period <= 20000 else rng.choice([0.002, 0.01, 0.03, 0.08])
        self.relative = rng.random() < 0.3            # counts from its last frame, so its phase walks
        self.skew = 1 + rng.gauss(0, 60e-6)
        self.length = rng.choice([8, 8, 8, 8, 4, 2, 6])
        self.start = rng.choice([0, 0, 0, rng.uniform(0, 4e6)])
        self.counter_at = rng.randrange(self.length) if rng.random() < 0.4 else None
        self.base = bytearray(rng.randrange(256) for _ in range(self.length))
        self.moves = [b for b in range(self.length) if rng.random() < 0.35]  # bytes that carry physical values
        self.walk = {b: rng.randrange(256) for b in self.moves}
        self.count = 0
        self.fast_start = rng.random() < 0.1
        self.lost = rng.choice([0, 0, 0, 0.002, 0.01])

    def payload(self, news=False):
        if news:
            b = self.rng.randrange(self.length)
            (self.walk if b in self.walk else self.base)[b] ^= 1 << self.rng.randrange(8)
        data = bytearray(self.base)
        for b in self.moves:
            if self.rng.random() < (0.8 if self.kind != 'change' else 0):
                self.walk[b] = (self.walk[b] + self.rng.choice([-2, -1, 0, 1, 2])) % 256
            data[b] = self.walk[b]
        if self.counter_at is not None and self.kind == 'cyclic':
            data[self.counter_at] = (data[self.counter_at] & 0xF0) | self.count % 16
        self.count += 1
        return bytes(data)

    def times(self, until):
        rng, p = self.rng, self.period * self.skew
        if self.kind == 'sporadic':
            mean = rng.choice([0.4e6, 1e6, 3e6])
            t = rng.expovariate(1 / mean)
            while t < until:
                yield t, True
                t += rng.expovariate(1 / mean)
            return
        if self.kind == 'burst':  # pages sent back to back
            pages = rng.choice([2, 3, 4])
            t = self.start + rng.uniform(0, p)
            while t < until:
                for k in range(pages):
                    yield t + k * rng.uniform(800, 1500) + rng.gauss(0, self.jitter * p / 6), False
                t += p * pages
            return
        t = self.start + rng.uniform(0, p)
        change = rng.expovariate(1 / 9e6) if self.kind == 'change' else until
        active, toggle = True, rng.uniform(3e6, 9e6)
        if self.fast_start:
            for k in range(10):
                yield self.start + k * p / 4, False
            t = self.start + 10 * p / 4 + p
        while t < until:
            if self.kind == 'onoff' and t > toggle:
                active, toggle = not active, toggle + rng.uniform(2e6, 6e6)
            while change < t:  # sent at once on change, out of turn
                yield change, True
                change += rng.expovariate(1 / 9e6)
            if active and rng.random() >= self.lost:
                yield t + (0 if self.relative else max(-3, min(3, rng.gauss(0, 1))) * self.jitter * p / 3), False
            t += p + (max(-3, min(3, rng.gauss(0, 1))) * self.jitter * p / 3 if self.relative else 0)


def vehicle(seed, bus='can0', count=40, kinds=None):
    rng = random.Random(seed)
    ids = rng.sample(range(0x10, 0x7D0), count)
    kinds = kinds or ['cyclic'] * 14 + ['change'] * 3 + ['sporadic', 'burst', 'onoff']
    return [Message(random.Random(rng.random()), i, rng.choice(kinds)) for i in ids], bus


def drive(veh, seconds, stalls=0):
    """The bus serialises frames by priority; `stalls` times a second a gateway or logger holds everything for a while."""
    messages, bus = veh
    until = seconds * 1e6
    queue = sorted(((t, m.id, m, news) for m in messages for t, news in m.times(until) if t >= 0),
                   key=lambda x: (x[0], x[1]))
    rng = random.Random(len(queue))
    out, free = [], 0.0
    for t, ident, m, news in queue:
        at = max(t, free)
        free = at + FRAME_US * (0.5 + m.length / 16)
        out.append([at, bus, ident, m.length, m.payload(news), 0])
    for _ in range(int(stalls * seconds)):
        start, hold = rng.uniform(0, until), rng.uniform(10e3, 60e3)
        for f in out:
            if start <= f[0] < start + hold:
                f[0] = start + hold + (f[0] - start) / 1000
    out.sort(key=lambda f: f[0])
    return out


def attack(frames, kind, seed, start, gap=1.0):
    """Adds an attack to a copy of a drive, from `start` seconds on, one instance about every `gap` seconds."""
    rng = random.Random(seed)
    frames = [list(f) for f in frames]
    end, bus = frames[-1][0], frames[0][1]
    counts = {}
    for f in frames:
        counts[f[2]] = counts.get(f[2], 0) + 1
    busy = [i for i, n in counts.items() if n > 3 * (end / 1e6)]
    old = [f for f in frames if f[0] < start * 1e6]
    extra, t = [], start * 1e6 + rng.uniform(0, 3e5)
    target = rng.choice(busy)
    unknown = rng.choice([i for i in range(1, 0x7D0) if i not in counts])
    sample = rng.choice([f for f in old if f[2] == target])
    while t < end:
        if kind == 'dos':
            extra += [[t + k * 230, bus, min(counts) if seed % 2 else 0, 8, bytes(8), 1] for k in range(90)]
        elif kind == 'id_fuzz':
            extra.append([t, bus, unknown, 8, rng.randbytes(8), 1])
        elif kind == 'payload_fuzz':
            extra.append([t, bus, target, sample[3], rng.randbytes(sample[3]), 1])
        elif kind == 'replay_one':
            extra.append([t, bus, target, sample[3], sample[4], 1])
        elif kind in ('replay_ordered', 'replay_arbitrary'):
            at = rng.randrange(len(old) - 10)
            seq = [f for f in (old[at:at + 6] if kind == 'replay_ordered' else rng.sample(old, 6)) if f[2] in busy]
            extra += [[t + 10 * k, bus, f[2], f[3], f[4], 1] for k, f in enumerate(seq)]
        elif kind == 'flood_known':  # ten times too fast for 0.2 s
            period = end / counts[target]
            extra += [[t + k * period / 10, bus, target, sample[3], sample[4], 1] for k in range(20)]
        t += gap * 1e6 * rng.uniform(0.8, 1.2)
    if kind == 'suppress':
        cut = (start + 5) * 1e6
        frames = [f for f in frames if not (f[2] == target and f[0] >= cut)]
    return sorted(frames + extra, key=lambda f: f[0]), target


def write(path, frames, resolution_us=1, epoch=0.0, labels=None):
    with open(path, 'w') as f:
        for t, bus, ident, length, data, _ in frames:
            us = int(t // resolution_us * resolution_us) + int(epoch * 1e6)
            f.write('(%d.%06d) %s %03X#%s\n' % (us // 1000000, us % 1000000, bus, ident, data[:length].hex().upper()))
    if labels:
        with open(labels, 'w') as f:
            f.write(''.join('%d\n' % x[5] for x in frames))
