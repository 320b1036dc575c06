"""Calls that are not made, each with the reason and what to call instead."""
import re

from .layers import is_vehicle
from .tree import Finding

ANYWHERE = 'anywhere'
BELOW_APP = 'below app'  # every folder of src/ except app/, and except the shells listed below
VEHICLE = 'vehicle'      # the part without an operating system

# (function names, where they are banned, why and what instead)
BANNED = [
    (('strcpy', 'stpcpy', 'strcat', 'strncpy', 'strncat'), ANYWHERE, 'no bound, or no terminator: use writer_* or slice_to_str'),
    (('sprintf', 'vsprintf'), ANYWHERE, 'no bound: use writer_* or snprintf'),
    (('gets', 'scanf', 'sscanf', 'fscanf'), ANYWHERE, 'no bound and no error for overflow: parse with cursor'),
    (('atoi', 'atol', 'atoll', 'atof'), ANYWHERE, 'no error reporting: parse digits from a slice, or strtoul with all its checks'),
    (('strtok', 'asctime', 'ctime', 'localtime', 'gmtime'), ANYWHERE, 'shared hidden state: use slices and timestamp_write'),
    (('localtime_r', 'mktime', 'strftime', 'strptime', 'setlocale'), ANYWHERE, 'depends on the machine\'s zone or locale: use timestamp_*'),
    (('rand', 'srand', 'random', 'srandom', 'rand_r', 'drand48'), ANYWHERE, 'not reproducible across machines: take a seeded generator as an argument'),
    (('alloca', 'setjmp', 'longjmp', 'signal'), ANYWHERE, 'unbounded stack or hidden control flow: caller memory, codes, sigaction'),
    (('system', 'popen', 'tmpnam', 'tempnam', 'mktemp'), ANYWHERE, 'a shell or a race: posix_spawn with an argument list, mkstemp'),
    (('time', 'clock_gettime', 'gettimeofday', 'clock', 'times', 'ftime'), BELOW_APP, 'a clock: take `now` as an argument'),
    (('socket', 'socketpair', 'accept', 'accept4', 'connect', 'listen', 'getaddrinfo'), BELOW_APP, 'a socket: take a link as a small contract'),
    (('getrandom', 'getentropy', 'arc4random', 'RAND_bytes', 'RAND_priv_bytes', 'crypto_random'), BELOW_APP, 'randomness: take it as an argument or a small contract'),
    (('exit', '_exit', 'quick_exit', 'getenv', 'secure_getenv'), BELOW_APP, 'the program\'s decision: return a code, take settings as arguments'),
    (('printf', 'vprintf', 'puts', 'putchar', 'perror', 'syslog', 'stdout', 'stderr'), BELOW_APP,
     'libraries do not log: return a code, or write to a writer or a file that is handed in'),
    (('malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'strdup', 'strndup', 'aligned_alloc', 'posix_memalign'), VEHICLE,
     'no heap in the vehicle: the caller hands in memory'),
    (('snprintf', 'vsnprintf', 'fopen', 'fread', 'fwrite', 'fclose', 'strtod', 'strtol', 'strtoul', 'qsort'), VEHICLE,
     'not freestanding: use writer_*, cursor_*, and sorts of our own'),
]

STREAMS = {'stdout', 'stderr'}

# Files below app/ that are a shell around one outside thing, with that thing. A name that ends in '/' is a folder.
# The list is short on purpose: a new line here is a design decision.
SHELLS = {
    'src/base/crypto.c': ('RAND_bytes', 'crypto_random'),  # the one door to the system's generator; app/ hands it down
    'src/base/crypto.h': ('crypto_random',),
    'src/stream/segment/segment_io_posix.c': ('getrandom',),  # salt of a new log, through the port segment_io
}


def shell_allows(name, call):
    return any(call in calls for prefix, calls in SHELLS.items() if name == prefix or (prefix.endswith('/') and name.startswith(prefix)))


def banned_here(where, name):
    if where == VEHICLE:
        return is_vehicle(name)
    if where == BELOW_APP:
        return name.startswith('src/') and not name.startswith('src/app/')
    return True


def check_calls(tree):
    """Banned calls, in code only: comments and strings may talk about them."""
    why = {call: (where, reason) for calls, where, reason in BANNED for call in calls}
    # A name followed by a parenthesis; not a member (x.free, x->time), not a part of a longer name. Streams need none.
    names = '|'.join(sorted(set(why) - STREAMS, key=len, reverse=True))
    pattern = re.compile(r'(?<![\w.>])(?:(%s)[ \t]*\(|(%s)\b)' % (names, '|'.join(STREAMS)))
    for name in tree.select(('.c', '.h', '.cc'), ('src/', 'sim/', 'bench/', 'fuzz/', 'tests/')):
        code = tree.code(name)
        for m in pattern.finditer(code):
            call = m.group(1) or m.group(2)
            where, reason = why[call]
            if banned_here(where, name) and not shell_allows(name, call):
                yield Finding(name, code.count('\n', 0, m.start()) + 1, call, reason)
