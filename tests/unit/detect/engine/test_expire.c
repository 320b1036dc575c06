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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expired_state_is_never_missed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
