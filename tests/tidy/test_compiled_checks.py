"""The checks that compile: for every promise about the vehicle's core, a source that breaks it."""
import pytest

from tidylib import compiled

CLEAN = '#include <string.h>\nint f(char *to, const char *from);\nint f(char *to, const char *from)\n{\n    memcpy(to, from, 4);\n    return 0;\n}\n'


def test_a_clean_core_passes_twice_and_the_second_time_from_the_kept_objects(tree):
    t = tree({'src/core/x.c': CLEAN})
    assert list(compiled.check_vehicle(t)) == []
    assert list(compiled.check_vehicle(t)) == []


@pytest.mark.parametrize('name, source, what', [
    ('src/core/x.c', '#include <stdlib.h>\nvoid *f(void);\nvoid *f(void)\n{\n    return malloc(3);\n}\n', 'needs malloc'),
    ('src/codec/x.c', '#include <stdio.h>\nvoid f(int a);\nvoid f(int a)\n{\n    printf("%d", a);\n}\n', 'needs printf'),
    ('src/edge/can/x.c', 'extern long time(long *);\nlong f(void);\nlong f(void)\n{\n    return time(0);\n}\n', 'needs time'),
    ('src/event/x.c', 'int f(void);\nint f(void)\n{\n    static int count;\n    return ++count;\n}\n', 'static data that can change: count'),
    ('src/gateway/journal.c', 'int f(int a);\nint f(int a)\n{\n    return a < 2 ? a : f(a - 1) * f(a - 2);\n}\n', 'recursion: f -> f'),
    ('src/core/x.c', 'int f(int a);\nint g(int a);\nint f(int a)\n{\n    return g(a) + 1;\n}\nint g(int a)\n{\n    return f(a) + 1;\n}\n', 'recursion'),
    ('src/core/x.c', 'double f(double a);\ndouble f(double a)\n{\n    return a * 2;\n}\n', 'SSE'),
    ('src/core/x.c', 'int f(int *a);\nint f(int *a)\n{\n    double d = *a;\n    *a = (int)(d * 1.1);\n    return 0;\n}\n', 'SSE'),
    ('src/edge/can/x.c', 'int f(void);\nint f(void)\n{\n    return 1;\n}\n', 'libvids exports f'),
    ('src/core/x.c', 'int f(void)\n{\n    return g();\n}\n', 'implicit declaration'),
])
def test_a_broken_promise_is_found(tree, name, source, what):
    findings = list(compiled.check_vehicle(tree({name: source})))
    assert any(what in f.text and f.path == name for f in findings), findings


@pytest.mark.parametrize('name', ['src/base/x.c', 'src/edge/host/x.c', 'src/gateway/uplink.c'])
def test_outside_the_core_the_same_is_fine(tree, name):
    source = '#include <stdlib.h>\nvoid *f(void);\nvoid *f(void)\n{\n    static int n;\n    n++;\n    return malloc(3);\n}\n'
    assert list(compiled.check_vehicle(tree({name: source}))) == []


def test_a_header_that_needs_another_is_found(tree):
    t = tree({'src/core/good.h': '#include <stdint.h>\nuint8_t f(void);\n', 'src/core/bad.h': '\nuint8_t g(void);\n'})
    findings = list(compiled.check_headers_alone(t))
    assert [(f.path, f.line) for f in findings] == [('src/core/bad.h', 2)]


def test_an_edit_of_a_header_is_not_hidden_by_the_kept_objects(tree):
    files = {'src/core/x.h': 'int f(void);\n', 'src/core/x.c': '#include "core/x.h"\nint f(void)\n{\n    return 1;\n}\n'}
    assert list(compiled.check_vehicle(tree(files))) == []
    assert list(compiled.check_vehicle(tree({**files, 'src/core/x.h': 'long f(void);\n'}))) != []


def test_a_cycle_in_calls_is_named():
    assert compiled.find_cycle({('a', 'b'), ('b', 'c'), ('a', 'c'), ('c', 'd')}) is None
    assert sorted(compiled.find_cycle({('a', 'b'), ('b', 'c'), ('c', 'b')})) == ['b', 'c']
