#!/usr/bin/env python3
"""Makes N rules in the shape of the ones on standard input (separated by NUL): the same fields, modifiers and conditions, other values.

Real rule sets are some twenty times as large as the corpus at hand. Each new rule is one of the corpus whose words are put
together anew from the words of the corpus, with a title and an id of its own."""
import random
import re
import sys

WORD = re.compile(r'[A-Za-z]{4,}')


def main():
    rnd = random.Random(3)
    texts = [t for t in sys.stdin.read().split('\x00') if t.strip()]
    vocabulary = sorted({w for t in texts for w in WORD.findall(t.split('detection:')[1])})
    out = list(texts)
    for n in range(int(sys.argv[1]) - len(texts)):
        head, body = rnd.choice(texts).split('detection:', 1)
        detection, rest = re.split(r'\n(?=falsepositives:|level:|fields:)', body, maxsplit=1) if re.search(r'\n(?=falsepositives:|level:|fields:)', body) else (body, '')
        lines = []
        for line in detection.split('\n'):
            value = line.lstrip().startswith("- '") or ": '" in line or line.lstrip().startswith('- "')
            at = line.find("'") if "'" in line else len(line)
            special = '|re' in line or '\\' in line[at:] and rnd.random() < 0.3
            if value and not special and at < len(line):
                line = line[:at] + WORD.sub(lambda m: mutate(rnd, m.group(), vocabulary), line[at:])
            lines.append(line)
        head = re.sub(r'(?m)^title: .*$', 'title: Made rule %d' % n, head)
        head = re.sub(r'(?m)^id: .*$', 'id: %08x-0000-4000-8000-000000000000' % n, head)
        head = re.sub(r'(?m)^name: .*\n', '', head)
        head = re.sub(r'(?ms)^related:.*?^(?=[a-z])', '', head)
        out.append(head + 'detection:' + '\n'.join(lines) + '\n' + rest)
    sys.stdout.write('\x00'.join(out))


def mutate(rnd, word, vocabulary):
    """Half of the words come from the corpus, the others are made up: most of a rule set looks for what never comes."""
    if rnd.random() < 0.5:
        return word[:2] + ''.join(rnd.choice('abcdefghiklmnoprstu') for _ in range(len(word) - 2))
    return rnd.choice(vocabulary)


if __name__ == '__main__':
    main()
