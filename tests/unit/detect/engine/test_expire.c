/* expire: forgetting what nothing can reach any more changes no alert that events from after the cutoff touch. */
#include "detect/feed.h"

#include "detect/lab/alert_json.h"
#include "seed.h"

#define US_BASE INT64_C(1772323200000000)
#define S       INT64_C(1000000)

/* Alerts whose last time is not before a limit, as lines of text. */
struct lines {
    char text[65536];
    size_t len;
    int64_t from_us;
};

static void take(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct lines *l = ctx;
    struct alert plain = *al;
    struct writer w;

    (void)rule;
    if (al->last_us < l->from_us)
        return;
    plain.state = ALERT_OPEN;
    writer_init(&w, l->text + l->len, sizeof l->text - l->len);
    alert_json_write(&plain, &w);
    writer_u8(&w, '\n');
    assert_false(w.full);
    l->len += w.len;
}

static void expired_state_is_never_missed(void **state)
{
    struct seed s = seed_start("expire", 7);
    static struct lines full, lean;
    uint64_t expired = 0;

    (void)state;
    for (int round = 0; round < 40; round++) {
        struct engine_limits limits = {0};
        struct feed f;
        char rules[1024];
        int span = (int[]){5, 20, 60}[seed_below(&s, 3)];
        int64_t cutoff = 0;
        snprintf(
            rules, sizeof rules,
            "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
            "title: n\nname: n\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {%s: %d}, "
            "timespan: %ds}\n---\n"
            "title: v\nname: v\ncorrelation: {type: value_count, rules: [a], condition: {field: vin, gte: 2}, "
            "timespan: %ds}\n",
            seed_below(&s, 3) == 0 ? "lte" : "gte", 1 + (int)seed_below(&s, 3), span, span);
        feed_init(&f, rules);
        f.sighter.horizon_us = 0;
        struct engine *a = engine_new(&f.plan, &limits);
        struct engine *b = engine_new(&f.plan, &limits);
        for (int i = 0; i < 200; i++) {
            char text[200];
            /* Time moves on; an event is at most 100 s late, which is the horizon. */
            int64_t t = US_BASE + i * 10 * S - (int64_t)seed_below(&s, 100) * S;
            snprintf(text, sizeof text, "{\"vin\":\"v%d\",\"time\":%lld,\"type\":\"x.a\",\"seq\":%d}",
                     (int)seed_below(&s, 3), (long long)t, i);
            feed_put(&f, a, text);
            feed_put(&f, b, text);
            if (i % 7 == 0) {
                engine_settle(b, 0, NULL, NULL);
                cutoff = US_BASE + i * 10 * S - 100 * S;
                engine_expire(b, cutoff, 0, NULL, NULL);
            }
        }
        full.len = lean.len = 0;
        full.from_us = lean.from_us = cutoff;
        engine_alerts(a, take, &full);
        engine_alerts(b, take, &lean);
        expired += engine_counters(b)->expired;
        assert_int_equal(full.len, lean.len);
        assert_memory_equal(full.text, lean.text, full.len);
        engine_free(a);
        engine_free(b);
        feed_done(&f);
    }
    assert_true(expired > 1000);
}

static void tell_forgotten(void *ctx, uint64_t tag)
{
    uint64_t *count = ctx;

    (void)tag;
    ++*count;
}

/* New vehicles, groups, values and identities all the time: what is kept is that of the last horizon, however long it
 * goes on; in small steps as the daemon does it. */
static void nothing_grows_over_many_horizons(void **state)
{
    static const char RULES[] =
        "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
        "title: n\nname: n\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {gte: 2}, "
        "timespan: "
        "20s}\n---\n"
        "title: v\nname: v\ncorrelation: {type: value_count, rules: [a], group-by: [pdu], condition: {field: n, gte: "
        "2}, "
        "timespan: 15s}\n---\n"
        "title: s\nname: s\ncorrelation: {type: value_sum, rules: [n], group-by: [other], condition: {field: n, gte: "
        "3}, "
        "timespan: 30s}\n---\n"
        "title: g\nname: g\ncorrelation: {type: geo_velocity, rules: [a], condition: {gt: 10}, timespan: 30s}\n";
    const int64_t horizon = 200 * S;
    struct engine_size at_first = {0};
    struct engine_size size;
    struct feed f;

    (void)state;
    for (int unique = 0; unique < 2; unique++) {
        struct engine_limits limits = {.unique_input = unique == 1, .large_entries_min = 4};
        uint64_t forgotten = 0;
        feed_init(&f, RULES);
        struct engine *e = engine_new(&f.plan, &limits);
        for (int i = 0; i < 20000; i++) {
            char text[256];
            int64_t t = US_BASE + i * S / 2;
            snprintf(
                text, sizeof text,
                "{\"vin\":\"v%d\",\"time\":%lld,\"last\":%lld,\"count\":2,\"type\":\"x.%c\",\"seq\":%d,\"pdu\":\"p%d\","
                "\"other\":\"o%d\",\"n\":%d,\"lat\":%d,\"lon\":7}",
                i / 3, (long long)t, (long long)(t + 3 * S), i % 5 == 4 ? 'b' : 'a', i, i / 50, i / 7, i, 40 + i % 2);
            feed_put(&f, e, text);
            if (i % 16 == 0) {
                engine_settle(e, t, NULL, NULL);
                engine_expire(e, t - horizon, 40, tell_forgotten, &forgotten);
            }
            if (i == 4000)
                engine_size(e, &at_first);
        }
        engine_size(e, &size);
        assert_int_equal(forgotten, engine_counters(e)->expired);
        assert_in_range(size.events, 200, at_first.events * 5 / 4);
        assert_in_range(size.groups, 100, at_first.groups * 5 / 4);
        assert_in_range(size.names, 100, at_first.names * 5 / 4);
        assert_in_range(size.name_bytes, 100, at_first.name_bytes * 5 / 4);
        assert_in_range(size.vehicles, 50, at_first.vehicles * 5 / 4);
        if (unique == 0)
            assert_in_range(size.identities, 400, at_first.identities * 5 / 4);
        engine_settle(e, US_BASE + 100000 * S, NULL, NULL);
        engine_expire(e, US_BASE + 100000 * S, 0, NULL, NULL);
        engine_size(e, &size);
        assert_int_equal(size.events + size.groups + size.vehicles + size.names + size.name_bytes + size.identities, 0);
        engine_free(e);
        feed_done(&f);
    }
}

struct hits {
    char text[512];
};

static void note_limit(void *ctx, const struct engine_limit_hit *hit)
{
    struct hits *h = ctx;
    size_t len = strlen(h->text);

    snprintf(h->text + len, sizeof h->text - len, "%s %.*s %llu; ", engine_limit_name(hit->limit), (int)hit->name.len,
             (const char *)hit->name.ptr, (unsigned long long)hit->count);
}

/* Every ceiling says whom it turned away, once, in an order of names. */
static void each_limit_tells_whom_it_turned_away(void **state)
{
    struct engine_limits limits = {
        .events_per_vehicle_max = 3, .groups_max = 4, .events_max = 8, .name_bytes_max = 40, .unique_input = true};
    struct hits h = {""};
    struct feed f;

    (void)state;
    feed_init(
        &f,
        "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
        "title: n\nname: n\ncorrelation: {type: event_count, rules: [a], group-by: [vin], condition: {gte: 9}, "
        "timespan: 20s}\n---\n"
        "title: p\nname: p\ncorrelation: {type: value_count, rules: [a], condition: {field: pdu, gte: 9}, timespan: "
        "15s}\n");
    struct engine *e = engine_new(&f.plan, &limits);
    for (int i = 0; i < 16; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"vin\":\"v%d\",\"time\":%lld,\"type\":\"x.a\",\"seq\":%d,\"pdu\":\"%s\"}",
                 i < 6 ? 1 : i - 4, (long long)(US_BASE + i * S), i,
                 i == 7 ? "a very long name that does not fit" : "p");
        feed_put(&f, e, text);
    }
    engine_limits_take(e, note_limit, &h);
    assert_string_equal(h.text, "events  5; events per vehicle v1 3; groups n 3; bytes of group and value names p 1; ");
    h.text[0] = '\0';
    engine_limits_take(e, note_limit, &h);
    assert_string_equal(h.text, "");
    engine_free(e);
    feed_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expired_state_is_never_missed),
                                       cmocka_unit_test(nothing_grows_over_many_horizons),
                                       cmocka_unit_test(each_limit_tells_whom_it_turned_away)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
