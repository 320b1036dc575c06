"""Each check on text and source: one clean tree that passes, and for every rule a tree that breaks it."""
import pytest

from tidylib import calls, dead, layers, sizes, text
from tidylib.tree import blank_comments_and_strings

LAYERED = {
    'src/core/a.h': '#ifndef CORE_A_H\n#define CORE_A_H\nint a(void);\n#endif\n',
    'src/base/b.h': '#ifndef BASE_B_H\n#define BASE_B_H\n#include "core/a.h"\nint b(void);\n#endif\n',
    'src/detect/d.h': '#ifndef DETECT_D_H\n#define DETECT_D_H\nint d(void);\n#endif\n',
}


def test_comments_and_strings_are_blanked_and_lines_stay():
    code = blank_comments_and_strings('a /* malloc( */ "free(" \'"\' b\n// gets(\n#include "x/y.h"\n/* 1\n2 */ c\n')
    assert 'malloc' not in code and 'free' not in code and 'gets' not in code
    assert '#include "x/y.h"' in code
    assert code.split('\n')[4].strip() == 'c'


@pytest.mark.parametrize('name, include, text', [
    ('src/core/x.c', '"base/b.h"', 'points up or sideways'),
    ('src/respond/x.c', '"detect/d.h"', 'points up or sideways'),
    ('src/detect/x.c', '"a.h"', 'is not a file under src/'),
    ('src/detect/x.c', '"core/missing.h"', 'is not a file under src/'),
    ('src/core/x.c', '<stdio.h>', 'has no operating system'),
    ('src/codec/x.c', '<stdlib.h>', 'has no operating system'),
    ('src/event/x.c', '<math.h>', 'has no operating system'),
    ('src/edge/can/x.c', '<time.h>', 'has no operating system'),
    ('src/gateway/journal.c', '<unistd.h>', 'has no operating system'),
    ('src/odd/x.c', '<stdio.h>', 'is not a layer'),
])
def test_a_wrong_include_is_found_with_its_line(tree, name, include, text):
    findings = list(layers.check_includes(tree({**LAYERED, name: '/* why */\n#include %s\n' % include})))
    assert [f.path for f in findings] == [name]
    assert text in findings[0].text
    assert findings[0].line == (0 if 'layer' in text else 2)


def test_includes_that_point_down_pass(tree):
    clean = {**LAYERED,
             'src/detect/x.c': '#include <stdio.h>\n#include "base/b.h"\n#include "core/a.h"\n#include "detect/d.h"\n',
             'src/app/x.c': '#include "detect/d.h"\n', 'src/edge/host/x.c': '#include <stdio.h>\n',
             'src/gateway/uplink.c': '#include <stdio.h>\n', 'src/core/x.c': '#include <string.h>\n', 'src/codec/y.c': '#include <math.h>\n',
             'tests/unit/core/test_x.c': '#include "core/a.h"\n#include "help.h"\n', 'tests/unit/help.h': ''}
    assert list(layers.check_includes(tree(clean))) == []


def test_header_rules(tree, found):
    umbrella = {'src/core/all.h': '#ifndef CORE_ALL_H\n#define CORE_ALL_H\n#include "core/a.h"\n#endif\n',
                'src/core/bare.h': 'int bare(void);\n',
                'src/core/var.h': '#ifndef CORE_VAR_H\n#define CORE_VAR_H\nextern int shared;\nextern int f(int);\nextern const int TABLE[3];\nextern const char *const NAME;\nextern const char *name;\nextern "C" int g;\n#endif\n'}
    assert found(layers.check_headers(tree({**LAYERED, **umbrella}))) == [
        'src/core/all.h:0 an umbrella header (1 includes of ours)',
        'src/core/bare.h:1 no include guard CORE_BARE_H',
        'src/core/var.h:3 an extern variable', 'src/core/var.h:7 an extern variable']


@pytest.mark.parametrize('name, line', [
    ('src/base/x.c', 'strcpy(a, b);'), ('tests/unit/x.c', 'sprintf(a, "x");'), ('src/app/x.c', 'atoi(s);'), ('sim/x.c', 'rand();'),
    ('src/detect/x.c', 't = time(NULL);'), ('src/api/x.c', 'clock_gettime(0, &t);'), ('src/base/x.c', 'socket(1, 2, 3);'),
    ('src/store/x.c', 'getrandom(p, 8, 0);'), ('src/respond/x.c', 'printf("x");'), ('src/respond/x.c', 'fputs("x", stderr);'), ('src/ingest/x.c', 'exit(1);'),
    ('src/codec/x.c', 'malloc(3);'), ('src/event/x.c', 'snprintf(a, 3, "x");'), ('src/edge/eth/x.c', 'free (p);'),
])
def test_a_banned_call_is_found_where_it_is_banned(tree, name, line):
    findings = list(calls.check_calls(tree({name: 'void f(void)\n{\n    %s\n}\n' % line})))
    assert [(f.path, f.line) for f in findings] == [(name, 3)]
    assert findings[0].fix


@pytest.mark.parametrize('name, line', [
    ('src/app/x.c', 't = time(NULL);'), ('src/base/x.c', 'malloc(3);'), ('src/core/x.c', 'x.free(p); y->time(q);'),
    ('src/core/x.c', '/* malloc(3) */ "exit(1)";'), ('src/core/x.c', 'pool_free(p); uptime(3);'), ('src/edge/host/x.c', 'snprintf(a, 3, "x");'),
    ('src/base/crypto.c', 'RAND_bytes(p, 8);'), ('src/base/x.c', 'fprintf(out, "x");'), ('tests/unit/x.c', 'printf("x");'),
])
def test_calls_that_are_fine_pass(tree, name, line):
    assert list(calls.check_calls(tree({name: line + '\n'}))) == []


def a_function(name, lines):
    return 'static int %s(int a,\n    int b)\n{\n%s}\n\n' % (name, '    a++;\n' * (lines - 4))


def test_function_lengths_are_counted_from_signature_to_brace():
    code = 'struct x {\n    int a;\n};\n\n' + a_function('one', 9) + 'static const int T[] = {\n    1,\n};\n\n' + a_function('two', 5)
    assert sizes.functions(code) == [('one', 5, 9), ('two', 19, 5)]


def test_a_long_function_is_found_and_the_ratchet_only_turns_one_way(tree, found):
    def with_ratchet(lines, entry):
        return found(sizes.check_sizes(tree({'src/base/x.c': a_function('long_one', lines), sizes.RATCHET: entry})))

    assert with_ratchet(70, '') == []
    assert with_ratchet(71, '') == ['src/base/x.c:1 function long_one has 71 lines, at most 70']
    assert with_ratchet(80, 'function src/base/x.c long_one 80 # a table\n') == []
    assert with_ratchet(81, 'function src/base/x.c long_one 80 # a table\n') == ['src/base/x.c:1 function long_one has 81 lines, at most 80']
    assert with_ratchet(60, 'function src/base/x.c long_one 80\n')[0].startswith('tools/tidy_ratchet.txt:1 the entry is not needed')
    assert with_ratchet(60, 'nonsense\n')[0].startswith('tools/tidy_ratchet.txt:1 ')


def test_a_long_file_and_a_large_one_are_found(tree, found):
    t = tree({'src/base/x.c': 'int a;\n' * 601, 'src/base/y.gen.c': 'int a;\n' * 601, 'docs/big.png': b'x' * (512 * 1024 + 1)})
    assert found(sizes.check_sizes(t)) == ['src/base/x.c:0 file has 601 lines, at most 600']
    assert found(sizes.check_blobs(t)) == ['docs/big.png:0 the file has 524289 bytes, at most 524288']


@pytest.mark.parametrize('content, what', [
    ('int a; // TO' + 'DO later\n', 'a loose end'), ('int a;\r\n', 'a carriage return'), ('int a;', 'no newline at the end'),
    ('int a; \n', 'blanks at the end'), ('\tint a;\n', 'a tab'), ('// see /work' + '/main/x\n', 'a path of one machine'),
    ('// fixes issue ' + '#12\n', 'a reference to a tracker'), ('// written as an ' + 'AI\n', 'talk of how'),
])
def test_a_loose_end_in_a_text_is_found(tree, content, what):
    findings = list(text.check_text(tree({'src/base/x.c': content})))
    assert len(findings) == 1 and findings[0].text.startswith(what) and findings[0].line == 1


def test_a_tab_in_a_makefile_and_generated_words_pass(tree):
    assert list(text.check_text(tree({'Makefile': 'all:\n\tmake\n', 'docs/reference/x.md': 'TO' + 'DO\n', 'fuzz/corpus/x/a.c': 'no end '}))) == []


def test_files_that_nobody_uses_are_found(tree, found):
    t = tree({'src/base/CMakeLists.txt': 'vsoc_layer(vs_base SOURCES used.c # gone.c\n)\n', 'src/base/used.c': '#include "base/used.h"\n',
              'src/base/gone.c': '', 'src/base/used.h': '', 'src/base/gone.h': '',
              'tests/unit/base/CMakeLists.txt': 'foreach(name used)\n  vsoc_test(test_${name})\nendforeach()\n', 'tests/unit/base/test_used.c': '',
              'tests/unit/base/test_gone.c': ''})
    assert found(dead.check_dead_files(t)) == ['src/base/gone.c:0 no CMakeLists.txt on its path names it', 'src/base/gone.h:0 nobody includes it',
                                               'tests/unit/base/test_gone.c:0 no CMakeLists.txt on its path names it']
