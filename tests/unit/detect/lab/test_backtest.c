/* backtest: the alerts do not depend on the number of workers; run under ThreadSanitizer, it also shows that they share
 * nothing they should not. */
#include "detect/lab/backtest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jsonl/json_reader.h"
#include "check.h"
#include "detect/lab/alert_json.h"

#define EVENTS 6000

static const char *const RULES = "content/rules";

/* Storms, wrong keys and contacts of forty vehicles, and a broken line now and then. */
static char *make_events(size_t *ret_len)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    for (int i = 0; i < EVENTS; i++) {
        int second = i % 3600;

        fprintf(f, "{\"vin\":\"V%d\",\"time\":\"2026-03-01T%02d:%02d:%02dZ\",\"seq\":%d,", i % 40, second / 600,
                second / 60 % 60, second % 60, i + 1);
        if (i % 3 == 0)
            fprintf(f, "\"type\":\"secoc.verification_failed\",\"pdu\":\"P%d\"}\n", i % 2);
        else if (i % 3 == 1)
            fprintf(f, "\"type\":\"uds.negative_response\",\"service\":39,\"nrc\":53}\n");
        else
            fprintf(f,
                    i % 50 == 2 ? "\"type\":\n"
                                : "\"type\":\"v2x.malformed\",\"message\":\"CAM\",\"payload_signature\":\"s%d\"}\n",
                    i % 7);
    }
    for (int i = 0; i < JSON_PADDING; i++)
        fputc(0, f);
    fclose(f);
    *ret_len = size - JSON_PADDING;
    return text;
}

static void put_alert(void *ctx, const struct rule *rule, const struct alert *al)
{
    char line[8192];
    struct writer w;

    (void)rule;
    writer_init(&w, line, sizeof line);
    alert_json_write(al, &w);
    fwrite(w.buf, 1, w.len, ctx);
    fputc('\n', ctx);
}

static char *run(const struct plan *plan, struct slice text, unsigned workers, struct backtest_report *report)
{
    struct backtest_options o = {.workers = workers};
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);

    assert_int_equal(backtest_run(plan, text, &o, put_alert, f, report), VS_OK);
    fclose(f);
    return out;
}

static void workers_change_nothing(void **state)
{
    struct plan plan;
    struct diag diag;
    struct backtest_report report, again;
    size_t len;

    (void)state;
    plan_init(&plan);
    diag_init(&diag);
    assert_int_equal(plan_load(&plan, &RULES, 1, &diag), VS_OK);
    char *text = make_events(&len);
    char *one = run(&plan, slice_make(text, len), 1, &report);
    assert_true(strlen(one) > 1000);
    assert_true(report.bad_lines > 0);
    for (unsigned workers = 2; workers <= 8; workers *= 2) {
        char *many = run(&plan, slice_make(text, len), workers, &again);

        assert_string_equal(one, many);
        assert_int_equal(again.bad_lines, report.bad_lines);
        free(many);
    }
    free(one);
    free(text);
    plan_done(&plan);
    diag_done(&diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
