/* Windows by themselves: events that rules have matched already go into the engine, in time order, and alerts come out.
 *
 * Each kind of correlation runs twice: settled once at the end, as a backtest does, and settled after every 256 events,
 * as the daemon does under load. The window is an hour, so that all events of a run are in it; the shapes are those on
 * which other engines slow down: a million groups, and two thousand or a million distinct values in one window. */
#include "bench.h"

#include "detect/engine/engine.h"

#define EVENTS  1000000u
#define EVERY   256u
#define STRETCH 32u /* events put together */
#define US_BASE INT64_C(1772323200000000)
#define TARGET  2000000.0 /* events a CPU second; the best peer does 0.9 to 1.8 million on a faster machine */

static const char RULES[] =
    "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
    "title: b\nname: b\nlogsource: {product: vehicle}\ndetection: {s: {type: x.b}, condition: s}\n---\n"
    "title: c\nname: c\nlogsource: {product: vehicle}\ndetection: {s: {type: x.c}, condition: s}\n---\n"
    "title: event_count\nname: event_count\ncorrelation: {type: event_count, rules: [a], group-by: [user], condition: "
    "{gte: "
    "5}, timespan: 1h}\n---\n"
    "title: value_count\nname: value_count\ncorrelation: {type: value_count, rules: [a], group-by: [user], condition: "
    "{field: ip, gte: 500}, timespan: 1h}\n---\n"
    "title: temporal\nname: temporal\ncorrelation: {type: temporal, rules: [a, b, c], group-by: [user], timespan: "
    "1h}\n---\n"
    "title: ordered\nname: ordered\ncorrelation: {type: temporal_ordered, rules: [a, b, c], group-by: [user], "
    "timespan: "
    "1h}\n---\n"
    "title: value_sum\nname: value_sum\ncorrelation: {type: value_sum, rules: [a], group-by: [user], condition: "
    "{field: n, "
    "gte: 5}, timespan: 1h}\n";

struct shape {
    const char *name, *rule;
    double target;
    uint32_t groups, values, rules;
    bool live, identities;
};

static const struct shape SHAPE[] = {
    {"event_count, 1 M groups", "event_count", TARGET, 1000000, 0, 1, false, false},
    {"event_count, 1 M groups, live", "event_count", TARGET, 1000000, 0, 1, true, false},
    {"event_count, 1 M groups, identities", "event_count", TARGET, 1000000, 0, 1, false, true},
    {"event_count, 1 group, live", "event_count", TARGET, 1, 0, 1, true, false},
    {"value_count, 2,000 distinct", "value_count", TARGET, 1, 2000, 1, false, false},
    {"value_count, 2,000 distinct, live", "value_count", TARGET, 1, 2000, 1, true, false},
    {"value_count, 1 M distinct", "value_count", 1000000.0, 1, 1000000, 1, false, false},
    {"value_count, 1 M distinct, live", "value_count", 1000000.0, 1, 1000000, 1, true, false},
    {"temporal, 1,000 groups", "temporal", TARGET, 1000, 0, 3, false, false},
    {"temporal, 1,000 groups, live", "temporal", TARGET, 1000, 0, 3, true, false},
    {"temporal_ordered, 1,000 groups", "ordered", 1000000.0, 1000, 0, 3, false, false},
    {"temporal_ordered, 1,000 groups, live", "ordered", 1000000.0, 1000, 0, 3, true, false},
    {"value_sum, 1,000 groups, live", "value_sum", TARGET, 1000, 0, 1, true, false},
};

struct job {
    const struct plan *plan;
    const struct shape *shape;
    uint32_t corr;
    uint64_t alerts;
};

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* "<prefix>dddddddd" behind its length, as a group or a value is encoded. */
static struct slice encoded(uint8_t *to, char prefix, uint32_t n)
{
    to[0] = 0;
    to[1] = 9;
    to[2] = (uint8_t)prefix;
    for (unsigned i = 0; i < 8; i++, n /= 10)
        to[10 - i] = (uint8_t)('0' + n % 10);
    return slice_make(to, 11);
}

static void count(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct job *j = ctx;

    (void)rule;
    (void)al;
    j->alerts++;
}

/* Events that are put together, as a backtest does. */
struct stretch {
    uint8_t group[STRETCH][16], value[STRETCH][16], vehicle[STRETCH][16];
    struct place place[STRETCH];
    struct sighting seen[STRETCH];
    uint32_t count;
};

static void add(struct stretch *to, const struct job *j, uint32_t i)
{
    const struct shape *s = j->shape;
    uint32_t n = to->count++;
    struct place *p = &to->place[n];
    struct sighting *seen = &to->seen[n];
    uint64_t r = mix(i);

    *p = (struct place){.corr = j->corr,
                        .mask = UINT64_C(1) << mix(r) % s->rules,
                        .group = encoded(to->group[n], 'u', (uint32_t)(r % s->groups)),
                        .has_value = true,
                        .number = NANO_ONE};
    *seen = (struct sighting){.first_us = US_BASE + i * 1000,
                              .last_us = US_BASE + i * 1000,
                              .count = 1,
                              .seq = i,
                              .has_seq = true,
                              .place = p,
                              .place_count = 1};

    if (s->values > 0)
        p->value = encoded(to->value[n], 'i', (uint32_t)(s->values == EVENTS ? i : (r >> 32) % s->values));
    seen->vehicle = slice_from(encoded(to->vehicle[n], 'v', i / 64 % 10000), 2);
    if (s->identities)
        seen->identity = sighting_identity(seen->vehicle, 0, i);
}

static uint64_t run(void *ctx)
{
    struct job *j = ctx;
    struct engine_limits limits = {.unique_input = !j->shape->identities, .seed = 1};
    struct engine *e = engine_new(j->plan, &limits);
    struct stretch stretch = {.count = 0};

    j->alerts = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
        add(&stretch, j, i);
        if (stretch.count == STRETCH || i + 1 == EVENTS) {
            engine_put_all(e, stretch.seen, stretch.count);
            stretch.count = 0;
        }
        if (j->shape->live && i % EVERY == EVERY - 1)
            engine_settle_due(e, US_BASE + i * 1000, count, j);
    }
    engine_settle(e, 0, count, j);
    engine_free(e);
    return EVENTS;
}

int main(void)
{
    struct plan plan;
    struct diag diag;

    diag_init(&diag);
    plan_init(&plan);
    if (plan_load_text(&plan, "bench.yml", slice_str(RULES), &diag) != VS_OK)
        return 2;
    for (size_t i = 0; i < sizeof SHAPE / sizeof SHAPE[0]; i++) {
        struct job j = {.plan = &plan, .shape = &SHAPE[i]};
        while (!slice_equal_str(plan.rule[plan.corr[j.corr]]->label, SHAPE[i].rule))
            j.corr++;
        bench_rate(SHAPE[i].name, "events/CPU-s", SHAPE[i].target, run, &j);
        if (j.alerts == 0)
            return 1;
    }
    plan_done(&plan);
    diag_done(&diag);
    return 0;
}
