"""Makes network descriptions that nobody has seen: all byte orders, signs, floats, factors, multiplexing trees, odd
spacing and comments. The same random generator gives the same text."""
import re

FACTORS = ['1', '2', '0.5', '0.01', '-0.125', '1E-3', '1e+2', '+3', '0.069444444', '4294967296', '1.0', '-1', '0.1']
OFFSETS = ['0', '-40', '0.5', '1E3', '-1e-6', '+7', '-9223372036854775808', '273.15', '0.0', '18446744073709551615']
UNITS = ['', 'km/h', '°C', '%', 'say \\"x\\"', 'm/s²', 'µs', 'a//b', 'two\nlines', ';']
TEXTS = ['off', 'on', 'Fehler ä', 'not \\"so\\"', '', 'a;b', 'line\nbreak']


class Names:
    def __init__(self, rng):
        self.rng, self.used = rng, set()

    def new(self, prefix):
        while True:
            name = '%s_%s' % (prefix, ''.join(self.rng.choice('abcXYZ019_') for _ in range(self.rng.randint(1, 20))))
            if name not in self.used:
                self.used.add(name)
                return name


def blank(rng):
    return rng.choice([' ', ' ', '  ', '\t', ' // note\n '])


def spot(rng, first, length, big):
    """The start bit of a signal whose first bit on its own scale is `first`."""
    return first if not big else 8 * (first // 8) + 7 - first % 8


def signal_line(rng, name, mark, first, length, big, signed):
    b = lambda: blank(rng) if rng.random() < 0.3 else rng.choice(['', ' '])
    minimum, maximum = rng.choice([('0', '0'), ('-5', '5.5'), ('0', '1E6'), ('+1', '2')])
    return ' SG_ %s%s%s:%s%d|%d%s@%s%d%s%s%s(%s,%s%s)%s[%s|%s]%s"%s"%s%s\n' % (
        name, ' ' + mark if mark else '', blank(rng), b(), spot(rng, first, length, big), length, b(), b(),
        0 if big else 1, b(), '-' if signed else '+', b(), rng.choice(FACTORS), b(), rng.choice(OFFSETS), b(), minimum,
        maximum, b(), rng.choice(UNITS), blank(rng), ' , '.join(rng.choice([['B'], ['A', 'B'], ['Vector__XXX']])))


class Description:
    def __init__(self, rng):
        self.rng, self.names = rng, Names(rng)
        self.messages, self.after = [], []

    def free(self, at, length, size, big):
        """A place for a signal at or behind bit `at`; None when the message is full. A Motorola and an Intel signal
        never share a byte, so that they cannot overlap."""
        if at % 8 and self.last_big != big:
            at += 8 - at % 8
        self.last_big = big
        return at if at + length <= size * 8 else None

    def signal(self, dbc_id, mark, at, size, kind):
        rng = self.rng
        big, signed = rng.random() < 0.5, rng.random() < 0.5
        length = {'mux': rng.randint(1, 8), 'float': rng.choice([16, 32, 64])}.get(kind) or rng.choice([1, 2, 3, 7, 8, 12, 16, 33, 53, 64])
        if kind == 'mux':
            signed = False
        at = self.free(at, length, size, big)
        if at is None:
            return None, None
        name = self.names.new('S')
        line = signal_line(rng, name, mark, at, length, big, signed)
        if kind == 'mux':
            line = re.sub(r'\([^)]*\)', '(1,0)', line, count=1)
        if kind == 'float':
            self.after.append('SIG_VALTYPE_ %d %s%s: %d;\n' % (dbc_id, name, blank(rng), 1 if length < 64 else 2))
        elif rng.random() < 0.4:
            top = 1 << min(length, 62)
            values = {rng.choice([0, 1, 2, top - 1, -1, -2, rng.randrange(top)]) for _ in range(rng.randint(1, 5))}
            pairs = ' '.join('%d "%s"' % (v, rng.choice(TEXTS)) for v in values)
            self.after.append('VAL_ %d %s %s%s;\n' % (dbc_id, name, pairs, blank(rng)))
        return name, (line, at + length)

    def add(self, lines, dbc_id, mark, at, size, kind='plain'):
        name, placed = self.signal(dbc_id, mark, at, size, kind)
        if name is None:
            return None, at
        lines.append(placed[0])
        return name, placed[1]

    def plain(self, lines, dbc_id, at, size):
        for _ in range(self.rng.randint(0, 8)):
            _, at = self.add(lines, dbc_id, '', at, size, 'float' if self.rng.random() < 0.2 else 'plain')

    def simple_mux(self, lines, dbc_id, size):
        name, at = self.add(lines, dbc_id, 'M', 0, size, 'mux')
        for k in self.rng.sample(range(8), 4):
            end = at
            for _ in range(self.rng.randint(1, 3)):
                signal, end = self.add(lines, dbc_id, 'm%d' % k, end, size)
                if signal and self.rng.random() < 0.2:
                    self.after.append('SG_MUL_VAL_ %d %s %s %d-%d;\n' % (dbc_id, signal, name, k, k))

    def extended_mux(self, lines, dbc_id, size):
        rng = self.rng
        root, at = self.add(lines, dbc_id, 'M', 0, size, 'mux')
        inner, inner_at = self.add(lines, dbc_id, 'm1M', at, size, 'mux')
        if inner is None:
            return
        self.after.append('SG_MUL_VAL_ %d %s %s 1-3, 9-9;\n' % (dbc_id, inner, root))
        for k in rng.sample(range(6), 3):
            leaf, _ = self.add(lines, dbc_id, 'm%d' % k, inner_at, size)
            if leaf:
                self.after.append('SG_MUL_VAL_ %d %s%s%s %d-%d;\n' % (dbc_id, leaf, blank(rng), inner, k, k))
        leaf, _ = self.add(lines, dbc_id, 'm4', at, size)
        if leaf:
            self.after.append('SG_MUL_VAL_ %d %s %s 4-8, 100-200;\n' % (dbc_id, leaf, root))

    def overlapping(self, lines, dbc_id, size):
        for _ in range(self.rng.randint(1, 6)):
            self.last_big = None
            self.add(lines, dbc_id, '', self.rng.randrange(size * 8), size + 2)

    def message(self, dbc_id):
        rng, lines = self.rng, []
        size = rng.choice([1, 2, 5, 8, 8, 8, 12, 24, 64])
        self.last_big = None
        kind = rng.choice(['plain', 'plain', 'simple', 'extended', 'overlapping'])
        if kind == 'plain':
            self.plain(lines, dbc_id, rng.randrange(4), size)
        elif kind == 'simple':
            self.simple_mux(lines, dbc_id, size)
        elif kind == 'extended':
            self.extended_mux(lines, dbc_id, size)
        else:
            self.overlapping(lines, dbc_id, size)
        # Statements about messages and signals may come before them.
        self.messages.append('BO_ %d%s%s%s: %d %s\n%s' % (dbc_id, blank(rng), self.names.new('M'), blank(rng), size,
                                                        rng.choice(['A', 'Vector__XXX']), ''.join(lines)))
        if rng.random() < 0.5:
            self.after.append('BA_ "GenMsgCycleTime" BO_ %d %d;\n' % (dbc_id, rng.choice([0, 10, 1000])))
        if rng.random() < 0.3:
            self.after.append('CM_ BO_ %d "about\nthis \\"message\\"";\n' % dbc_id)

    def text(self):
        rng = self.rng
        for i in rng.sample(range(0x800), 6):
            self.message(i)
        for i in rng.sample(range(0x20000000), 3):
            self.message(0x80000000 | i)
        body = self.messages + self.after
        if rng.random() < 0.3:
            rng.shuffle(body)
        return ('VERSION "1"\nNS_ :\n\tBA_\n\tCM_\n\tSG_MUL_VAL_\n\nBS_:\n\nBU_: A B\n' + ''.join(body) +
                'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;\nBA_DEF_ BO_ "GenMsgSendType" ENUM "Cyclic","Spontan";\n'
                'BA_DEF_DEF_ "GenMsgCycleTime" 20;\nBA_DEF_DEF_ "GenMsgSendType" "Spontan";\n')


def description(rng):
    return Description(rng).text()


def is_known_tolerance(refusal):
    """Where we take what cantools does not. An attribute that is used but not defined says nothing that we keep wrongly,
    and several tools write such files; cantools names the attribute as its only word."""
    return re.fullmatch(r"DBC: \"'?[^:]+'?\"", refusal) is not None


def is_known_strictness(refusal):
    """Where we refuse what cantools takes: it reads every byte order but 0 as Intel, and any word as a multiplexer mark
    when there are several multiplexers."""
    return 'expected the byte order, 0 or 1' in refusal or 'or a multiplexer mark' in refusal
