/* engine: what is handed out change by change adds up to what a fresh look at all events gives.
 */
#include "detect/feed.h"

#include "detect/lab/alert_json.h"
#include "seed.h"

#define EVENTS  160
#define ALERTS  512
#define US_BASE INT64_C(1772323200000000)

static const char *const HEAD =
    "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
    "title: b\nname: b\nlogsource: {product: vehicle}\ndetection: {s: {type: x.b}, condition: s}\n---\n";

/* One rule of each kind; %d is a threshold, the last %d a span. */
static const char *const CORRELATION[] = {
    "title: r\nname: r%d\ncorrelation: {type: event_count, rules: [a, b], group-by: [pdu], condition: {gte: %d}, "
    "timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {lte: %d}, "
    "timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: value_count, rules: [a, b], group-by: [pdu], condition: {field: vin, "
    "gte: %d}, timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: value_count, rules: [a], condition: {field: [vin, n], eq: %d}, timespan: "
    "%ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: temporal, rules: [a, b], group-by: [vin], condition: {gte: %d}, "
    "timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: temporal_ordered, rules: [a, b, a], group-by: [vin], condition: {gte: "
    "%d}, timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: value_sum, rules: [a, b], group-by: [vin], condition: {field: n, gt: "
    "%d}, timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: value_avg, rules: [b], group-by: [pdu], condition: {field: n, gt: %d}, "
    "timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: value_percentile, rules: [a, b], group-by: [vin], condition: {field: n, "
    "percentile: 75, gte: %d}, timespan: %ds}\n---\n",
    "title: r\nname: r%d\ncorrelation: {type: geo_velocity, rules: [a, b], condition: {gt: %d}, timespan: %ds}\n---\n",
};
#define CORRELATION_COUNT (sizeof CORRELATION / sizeof CORRELATION[0])

/* Chained: hits of `low` are events of `top`. */
static const char *const CHAIN =
    "title: low\nname: low\ncorrelation: {type: event_count, rules: [a], group-by: [pdu], condition: {gte: %d}, "
    "timespan: 40s}\n---\n"
    "title: top\nname: top\ncorrelation: {type: temporal, rules: [low, b], group-by: [vin], timespan: 60s}\n";

/* Standing alerts, as text by id. */
struct board {
    struct {
        uint8_t id[ALERT_ID_SIZE];
        char *text;
    } alert[ALERTS];
    size_t count;
};

static void board_drop(struct board *b, const uint8_t id[ALERT_ID_SIZE])
{
    for (size_t i = 0; i < b->count; i++) {
        if (memcmp(b->alert[i].id, id, ALERT_ID_SIZE) == 0) {
            free(b->alert[i].text);
            b->alert[i] = b->alert[--b->count];
            return;
        }
    }
}

static void board_done(struct board *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->alert[i].text);
}

/* Takes a change as the daemon does. `supersedes` and the state are left out of the text: they belong to the way. */
static void take(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct board *b = ctx;
    struct alert plain = *al;
    char text[8192];
    struct writer w;

    (void)rule;
    assert_true(al->supersedes_count <= ALERT_SUPERSEDES_MAX);
    for (uint32_t i = 0; i < al->supersedes_count; i++)
        board_drop(b, al->supersedes[i]);
    board_drop(b, al->id);
    if (al->state == ALERT_RETRACTED)
        return;
    plain.supersedes_count = 0;
    plain.state = ALERT_OPEN;
    writer_init(&w, text, sizeof text - 1);
    alert_json_write(&plain, &w);
    assert_false(w.full);
    text[w.len] = '\0';
    assert_true(b->count < ALERTS);
    memcpy(b->alert[b->count].id, al->id, ALERT_ID_SIZE);
    b->alert[b->count++].text = strdup(text);
}

static const char *board_find(const struct board *b, const uint8_t id[ALERT_ID_SIZE])
{
    for (size_t i = 0; i < b->count; i++)
        if (memcmp(b->alert[i].id, id, ALERT_ID_SIZE) == 0)
            return b->alert[i].text;
    return "missing";
}

static void boards_agree(const struct board *want, const struct board *got)
{
    for (size_t i = 0; i < want->count; i++)
        assert_string_equal(board_find(got, want->alert[i].id), want->alert[i].text);
    assert_int_equal(got->count, want->count);
}

static void random_rules(struct seed *s, char *text, size_t size)
{
    size_t len = (size_t)snprintf(text, size, "%s", HEAD);

    for (int i = 0; i < 8; i++) {
        size_t kind = seed_below(s, CORRELATION_COUNT);
        int span = (int[]){5, 20, 60, 200}[seed_below(s, 4)];
        int limit = kind == 9 ? (int)seed_below(s, 300) : 1 + (int)seed_below(s, 5);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        len += (size_t)snprintf(text + len, size - len, CORRELATION[kind], i, limit, span);
    }
    snprintf(text + len, size - len, CHAIN, 2 + (int)seed_below(s, 2));
#pragma GCC diagnostic pop
}

/* One of few vehicles, times and numbers, so that ties, copies and conflicts occur. */
static void random_event(struct seed *s, char *text, size_t size)
{
    int64_t t = US_BASE + (int64_t)seed_below(s, 400) * 1000000;
    int count = seed_below(s, 4) == 0 ? 1 + (int)seed_below(s, 4) : 1;
    int64_t last = t + (int64_t)seed_below(s, 30) * 1000000;

    snprintf(text, size,
             "{\"vin\":\"v%d\",\"time\":%lld,\"last\":%lld,\"type\":\"x.%c\",\"seq\":%d,\"pdu\":\"p%d\",\"n\":%d,"
             "\"count\":%d,"
             "\"lat\":%d,\"lon\":%d,\"received\":%lld}",
             (int)seed_below(s, 4), (long long)t, (long long)last, 'a' + (char)seed_below(s, 3), (int)seed_below(s, 60),
             (int)seed_below(s, 2), (int)seed_below(s, 8) - 2, count, 40 + (int)seed_below(s, 4),
             5 + (int)seed_below(s, 3), (long long)(last + (seed_below(s, 5) == 0 ? 7200000000 : 0)));
}

static void incremental_changes_add_up_to_the_whole(void **state)
{
    struct seed s = seed_start("engine", 20261120);
    char rules[8192];
    char(*event)[512] = calloc(EVENTS, sizeof *event);

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct engine_limits limits = {0};
        struct feed f;
        struct board whole = {0};
        struct board live = {0};
        struct board after = {0};
        random_rules(&s, rules, sizeof rules);
        feed_init(&f, rules);
        f.sighter.horizon_us = 0;
        for (int i = 0; i < EVENTS; i++)
            random_event(&s, event[i], sizeof event[i]);
        struct engine *batch = engine_new(&f.plan, &limits);
        for (int i = 0; i < EVENTS; i++)
            feed_put(&f, batch, event[i]);
        engine_alerts(batch, take, &whole);

        limits.seed = seed_next(&s);
        limits.large_entries_min = 1 + (uint32_t)seed_below(&s, 30);
        limits.defer_entries_min = 1 + (uint32_t)seed_below(&s, 8);
        struct engine *e = engine_new(&f.plan, &limits);
        for (int i = EVENTS - 1; i > 0; i--) {
            int j = (int)seed_below(&s, (uint64_t)i + 1);
            char swap[512];
            memcpy(swap, event[i], sizeof swap);
            memcpy(event[i], event[j], sizeof swap);
            memcpy(event[j], swap, sizeof swap);
        }
        for (int i = 0; i < EVENTS; i++) {
            feed_put(&f, e, event[i]);
            if (seed_below(&s, 3) == 0)
                feed_put(&f, e, event[seed_below(&s, (uint64_t)i + 1)]);
            if (seed_below(&s, 4) == 0)
                (seed_below(&s, 2) == 0 ? engine_settle : engine_settle_due)(
                    e, seed_below(&s, 2) == 0 ? US_BASE + (int64_t)seed_below(&s, 600) * 1000000 : 0, take, &live);
        }
        engine_settle(e, 0, take, &live);
        boards_agree(&whole, &live);
        engine_alerts(e, take, &after);
        boards_agree(&whole, &after);
        board_done(&whole);
        board_done(&live);
        board_done(&after);
        engine_free(batch);
        engine_free(e);
        feed_done(&f);
    }
    free(event);
}

/* The changes one event makes, as a short text: state, count and number of superseded alerts. */
static void log_change(void *ctx, const struct rule *rule, const struct alert *al)
{
    char *log = ctx;
    size_t len = strlen(log);

    (void)rule;
    snprintf(log + len, 256 - len, "%s/%llu/%u ", alert_state_name(al->state), (unsigned long long)al->count,
             al->supersedes_count);
}

static const char *step(struct feed *f, struct engine *e, char log[256], int vehicle, int second)
{
    char text[200];

    log[0] = '\0';
    snprintf(text, sizeof text, "{\"vin\":\"v%d\",\"time\":%lld,\"type\":\"x.a\",\"seq\":%d}", vehicle,
             (long long)(US_BASE + second * INT64_C(1000000)), second);
    feed_put(f, e, text);
    engine_settle(e, 0, log_change, log);
    return log;
}

static void an_alert_opens_grows_merges_and_closes(void **state)
{
    struct engine_limits limits = {0};
    struct feed f;
    char log[256];

    (void)state;
    feed_init(&f,
              "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
              "title: r\nname: r\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {gte: 2}, "
              "timespan: 10s}\n");
    struct engine *e = engine_new(&f.plan, &limits);
    assert_string_equal(step(&f, e, log, 1, 0), "");
    assert_string_equal(step(&f, e, log, 1, 5), "open/2/0 ");
    assert_string_equal(step(&f, e, log, 1, 30), "");
    assert_string_equal(step(&f, e, log, 1, 35), "open/2/0 ");
    assert_string_equal(step(&f, e, log, 1, 35), ""); /* a copy */
    assert_string_equal(step(&f, e, log, 1, 14), "open/3/0 ");
    assert_string_equal(step(&f, e, log, 1, 22), "open/6/1 "); /* late: joins what were two */
    assert_string_equal(step(&f, e, log, 2, 22), "");
    log[0] = '\0';
    engine_settle(e, US_BASE + 60 * INT64_C(1000000), log_change, log);
    assert_string_equal(log, "closed/6/0 ");
    log[0] = '\0';
    engine_settle(e, US_BASE + 90 * INT64_C(1000000), log_change, log);
    assert_string_equal(log, "");                              /* said once */
    assert_string_equal(step(&f, e, log, 1, 44), "open/7/0 "); /* late again: it opens again */
    engine_free(e);
    feed_done(&f);
}

static void a_late_event_can_retract_an_alert(void **state)
{
    struct engine_limits limits = {0};
    struct feed f;
    char log[256];

    (void)state;
    feed_init(&f,
              "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
              "title: r\nname: r\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {eq: 2}, "
              "timespan: 10s}\n");
    struct engine *e = engine_new(&f.plan, &limits);
    assert_string_equal(step(&f, e, log, 1, 1), "");
    assert_string_equal(step(&f, e, log, 1, 9), "open/2/0 ");
    assert_string_equal(step(&f, e, log, 1, 0),
                        "open/2/1 "); /* 0 and 1 are two; 9 sees three; begins with another event */
    engine_free(e);
    feed_done(&f);
}

static void log_state(void *ctx, const struct rule *rule, const struct alert *al)
{
    unsigned *seen = ctx;

    (void)rule;
    seen[al->state]++;
    seen[3] += al->supersedes_count;
}

/* One late record can join more alerts than one alert can name. */
static void many_superseded_alerts_are_all_taken_back(void **state)
{
    struct engine_limits limits = {0};
    struct feed f;
    char text[200];
    unsigned seen[4] = {0};

    (void)state;
    feed_init(&f,
              "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
              "title: r\nname: r\ncorrelation: {type: event_count, rules: [a], group-by: [pdu], condition: {gte: 1}, "
              "timespan: 10s}\n");
    struct engine *e = engine_new(&f.plan, &limits);
    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "{\"vin\":\"v\",\"time\":%lld,\"type\":\"x.a\",\"seq\":%d,\"pdu\":\"p\"}",
                 (long long)(US_BASE + i * INT64_C(15000000)), i);
        feed_put(&f, e, text);
    }
    engine_settle(e, 0, log_state, seen);
    assert_int_equal(seen[ALERT_OPEN], 30);
    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "{\"vin\":\"v\",\"time\":%lld,\"type\":\"x.a\",\"seq\":%d,\"pdu\":\"p\"}",
                 (long long)(US_BASE + i * INT64_C(15000000) + INT64_C(7000000)), 100 + i);
        feed_put(&f, e, text);
    }
    memset(seen, 0, sizeof seen);
    engine_settle(e, 0, log_state, seen);
    assert_int_equal(seen[ALERT_OPEN], 1);
    assert_int_equal(seen[3], ALERT_SUPERSEDES_MAX);
    assert_int_equal(seen[ALERT_RETRACTED], 29 - ALERT_SUPERSEDES_MAX);
    engine_free(e);
    feed_done(&f);
}

static void limits_turn_away_and_count(void **state)
{
    struct engine_limits limits = {.events_per_vehicle_max = 3, .events_max = 5, .groups_max = 2};
    struct feed f;
    char log[256];

    (void)state;
    feed_init(&f,
              "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
              "title: r\nname: r\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {gte: 100}, "
              "timespan: 10s}\n");
    struct engine *e = engine_new(&f.plan, &limits);
    for (int i = 0; i < 10; i++)
        (void)step(&f, e, log, 1, i); /* a storm of one vehicle */
    assert_int_equal(engine_counters(e)->refused_vehicle, 7);
    assert_int_equal(engine_counters(e)->refused_total, 0);
    (void)step(&f, e, log, 2, 20);
    (void)step(&f, e, log, 3, 21); /* third group */
    assert_int_equal(engine_counters(e)->refused_total, 1);
    (void)step(&f, e, log, 2, 22);
    assert_int_equal(engine_counters(e)->refused_total, 1); /* an event without a group was not kept */
    (void)step(&f, e, log, 2, 23);
    assert_int_equal(engine_counters(e)->refused_total, 2); /* sixth event */
    engine_free(e);
    feed_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incremental_changes_add_up_to_the_whole),
        cmocka_unit_test(an_alert_opens_grows_merges_and_closes),
        cmocka_unit_test(a_late_event_can_retract_an_alert),
        cmocka_unit_test(many_superseded_alerts_are_all_taken_back),
        cmocka_unit_test(limits_turn_away_and_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
