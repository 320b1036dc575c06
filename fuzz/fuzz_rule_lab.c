/* What people hand to the tools around rules: expected alerts, budgets, version bounds, and the text of a version.
 *
 * The input is a text for all of them; a line "%%" separates expected alerts from alerts that came. A rule that loads
 * from its version's text must have that version again. */
#include <stdlib.h>

#include "base/jsonl/json_lines.h"
#include "detect/lab/dry_run.h"
#include "detect/lab/expect.h"
#include "detect/lab/junit.h"
#include "detect/sigma/plan.h"
#include "detect/sigma/rule_text.h"
#include "detect/sigma/version_range.h"

static void count(void *ctx, const struct expect_result *r)
{
    junit_case(ctx, r->rule, slice_str(r->reason), r->kind == EXPECT_SAME ? slice_str("") : slice_str(r->reason));
}

static void compare(struct slice want, struct slice got)
{
    struct expect *e = expect_new();
    struct junit j;
    struct diag d;

    diag_init(&d);
    junit_init(&j);
    if (expect_read(e, &d, "fuzz", want)) {
        expect_take(e, got);
        uint32_t differences = expect_compare(e, count, &j);
        if (differences != j.failures)
            abort();
    }
    junit_done(&j);
    diag_done(&d);
    expect_free(e);
}

static void reload(const struct plan *p, const struct rule *r)
{
    struct plan again;
    struct diag d;
    size_t len;
    char *text = rule_text_version(p, r, &len);

    diag_init(&d);
    plan_init(&again);
    if (plan_load_text(&again, "version.yml", slice_make(text, len), &d) != VS_OK || again.loaded_count == 0 ||
        memcmp(again.rule[0]->version, r->version, RULE_HASH_SIZE) != 0)
        abort();
    plan_done(&again);
    diag_done(&d);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = calloc(1, size + JSON_PADDING);
    struct slice text = slice_make(copy, size);
    const char *cut;
    struct version_range range;
    struct rule_budget budget;
    struct plan p;
    struct diag d;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    cut = size > 0 ? memmem(copy, size, "\n%%\n", 4) : NULL;
    size_t head = cut != NULL ? (size_t)(cut - copy) : size;
    compare(slice_head(text, head), cut != NULL ? slice_from(text, head + 4) : slice_str("{\"rule\":\"r\"}"));
    if (version_range_read(text, &range) && version_range_holds(&range, text) != version_range_holds(&range, text))
        abort();
    if (version_compare(text, text) != 0)
        abort();
    (void)dry_run_read_budget(text, &budget);
    diag_init(&d);
    plan_init(&p);
    if (plan_load_text(&p, "fuzz.yml", text, &d) == VS_OK)
        for (uint32_t i = 0; i < p.loaded_count && i < 8; i++)
            reload(&p, p.rule[i]);
    plan_done(&p);
    diag_done(&d);
    free(copy);
    return 0;
}
