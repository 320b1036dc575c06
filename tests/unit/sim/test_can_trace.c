/* can_trace: the made recordings read back with the project's own candump reader, in time order, and the attack is in
 * them. */
#include "can_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define SECONDS 20

static char *make(enum can_trace_kind kind, uint64_t *ret_frames)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    *ret_frames = can_trace_write(f, 2, kind, SECONDS);
    fclose(f);
    return text;
}

static unsigned count_id(const char *text, const char *id)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, id)) != NULL; p++)
        n++;
    return n;
}

static void frames_are_in_order_and_counted(void **state)
{
    (void)state;
    for (int kind = 0; kind < CAN_TRACE_KIND_COUNT; kind++) {
        uint64_t frames, lines = 0;
        char *text = make((enum can_trace_kind)kind, &frames);
        double before = -1;
        char *rest = NULL;

        for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
            double t = strtod(line + 1, NULL);

            assert_true(line[0] == '(' && t >= before);
            before = t;
            lines++;
        }
        assert_true(lines == frames && frames > 5000);
        free(text);
    }
}

static void attacks_differ_from_the_clean_drive(void **state)
{
    uint64_t clean_frames, frames;
    char *clean = make(CAN_TRACE_CLEAN, &clean_frames);

    (void)state;
    char *dos = make(CAN_TRACE_DOS, &frames);
    assert_int_equal(count_id(clean, " 000#"), 0);
    assert_true(count_id(dos, " 000#") > 1000);
    free(dos);
    char *suspended = make(CAN_TRACE_SUSPEND, &frames);
    assert_true(frames < clean_frames);
    free(suspended);
    char *fuzz = make(CAN_TRACE_FUZZ, &frames);
    assert_true(frames > clean_frames);
    free(fuzz);
    char *again = make(CAN_TRACE_CLEAN, &frames);
    assert_string_equal(clean, again);
    free(again);
    free(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_in_order_and_counted),
        cmocka_unit_test(attacks_differ_from_the_clean_drive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
