/* Hostile state: the first byte says whether identities are unique, the rest is a section of the rule engine. One that
 * loads must leave an engine that can be used, saved and freed. */
#include <stdlib.h>
#include <unistd.h>

#include "detect/engine/engine.h"

static const char RULES[] =
    "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
    "title: n\nname: n\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {gte: 2}, timespan: "
    "10s}\n"
    "---\n"
    "title: v\nname: v\ncorrelation: {type: value_count, rules: [a], group-by: [pdu], condition: {field: vin, gte: 2}, "
    "timespan: 10s}\n---\n"
    "title: s\nname: s\ncorrelation: {type: value_sum, rules: [a], condition: {field: n, gte: 2}, timespan: 10s}\n---\n"
    "title: g\nname: g\ncorrelation: {type: geo_velocity, rules: [a], condition: {gte: 2}, timespan: 10s}\n---\n"
    "title: t\nname: t\ncorrelation: {type: temporal_ordered, rules: [n, v], group-by: [vin], timespan: 20s}\n";

static void ignore(void *ctx, const struct rule *rule, const struct alert *al)
{
    (void)ctx;
    (void)rule;
    (void)al;
}

static struct plan *load_plan(void)
{
    static struct plan p;
    struct diag d;

    diag_init(&d);
    plan_init(&p);
    if (plan_load_text(&p, "fuzz.yml", slice_make(RULES, sizeof RULES - 1), &d) != VS_OK)
        abort();
    diag_done(&d);
    return &p;
}

/* Uses all that was loaded. */
static void use(struct engine *e, const struct plan *p)
{
    struct snapshot_writer *w;
    char path[64];
    struct writer name;

    engine_settle(e, INT64_C(1) << 59, ignore, NULL);
    engine_alerts(e, ignore, NULL);
    engine_rebind(e, p, ignore, NULL);
    engine_expire(e, INT64_C(1) << 58, 0, NULL, NULL);
    writer_init(&name, path, sizeof path - 1);
    writer_text(&name, "/tmp/fuzz_snapshot.");
    writer_u64_text(&name, (uint64_t)getpid());
    path[name.len] = '\0';
    if (snapshot_create(path, 1, &w) != VS_OK)
        return;
    snapshot_begin(w, "engine");
    engine_save(e, w);
    snapshot_end(w);
    snapshot_abort(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plan *plan;
    struct engine_limits limits = {.unique_input = size > 0 && (data[0] & 1) != 0};
    struct snapshot_in in;

    if (size == 0)
        return 0;
    if (plan == NULL)
        plan = load_plan();
    struct engine *e = engine_new(plan, &limits);
    cursor_init(&in.c, slice_make(data + 1, size - 1));
    if (engine_load(e, &in) == VS_OK)
        use(e, plan);
    engine_free(e);
    return 0;
}
