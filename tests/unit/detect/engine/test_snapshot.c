/* snapshot and rebind: an engine that was written down and read back, or moved to another plan, goes on as if nothing
 * had been. */
#include "detect/feed.h"

#include <unistd.h>

#include "detect/lab/alert_json.h"
#include "seed.h"

#define US_BASE INT64_C(1772323200000000)
#define S       INT64_C(1000000)
#define EVENTS  14

static const char RULES[] =
    "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
    "title: b\nname: b\nlogsource: {product: vehicle}\ndetection: {s: {type: x.b}, condition: s}\n---\n"
    "title: n\nname: n\ncorrelation: {type: event_count, rules: [a, b], group-by: [vin], condition: {gte: 2}, "
    "timespan: "
    "20s, generate: true}\n---\n"
    "title: v\nname: v\ncorrelation: {type: value_count, rules: [a], condition: {field: vin, gte: 2}, timespan: "
    "15s}\n---\n"
    "title: s\nname: s\ncorrelation: {type: value_sum, rules: [b], group-by: [pdu], condition: {field: n, gte: 3}, "
    "timespan: 30s}\n---\n"
    "title: t\nname: t\ncorrelation: {type: temporal, rules: [n, b], group-by: [vin], timespan: 30s}\n";

/* The same rules but for `v`, which means something else, `s`, which is gone, and one more. */
static const char OTHER[] =
    "title: t again\nname: t\ncorrelation: {type: temporal, rules: [n, b], group-by: [vin], timespan: 30s}\n---\n"
    "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: x.a}, condition: s}\n---\n"
    "title: b\nname: b\nlogsource: {product: vehicle}\ndetection: {s: {type: x.b}, condition: s}\n---\n"
    "title: v\nname: v\ncorrelation: {type: value_count, rules: [a], condition: {field: vin, gte: 3}, timespan: "
    "15s}\n---\n"
    "title: n\nname: n\ncorrelation: {type: event_count, rules: [a, b], group-by: [vin], condition: {gte: 2}, "
    "timespan: "
    "20s, generate: true}\n---\n"
    "title: w\nname: w\ncorrelation: {type: event_count, rules: [n], group-by: [vin], condition: {gte: 1}, timespan: "
    "20s}\n";

/* Changes as lines of text. */
struct lines {
    char text[65536];
    size_t len;
};

static void take(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct lines *l = ctx;
    struct writer w;

    (void)rule;
    writer_init(&w, l->text + l->len, sizeof l->text - l->len - 1);
    alert_json_write(al, &w);
    writer_text(&w, " r");
    writer_u64_text(&w, al->revision);
    writer_u8(&w, '\n');
    assert_false(w.full);
    l->len += w.len;
    l->text[l->len] = '\0';
}

static struct engine *reload(struct engine *e, const struct plan *plan, struct engine_limits limits)
{
    struct snapshot_writer *w;
    struct snapshot *snap;
    struct snapshot_in in;
    char path[64];

    snprintf(path, sizeof path, "/tmp/test_snapshot.%ld", (long)getpid());
    assert_int_equal(snapshot_create(path, 1, &w), VS_OK);
    snapshot_begin(w, "engine");
    engine_save(e, w);
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, NULL), VS_OK);
    engine_free(e);
    limits.seed++;
    e = engine_new(plan, &limits);
    assert_int_equal(snapshot_open(path, 1, &snap, NULL), VS_OK);
    assert_int_equal(snapshot_section(snap, "engine", &in), VS_OK);
    assert_int_equal(engine_load(e, &in), VS_OK);
    snapshot_close(snap);
    remove(path);
    return e;
}

static void random_event(struct seed *s, char *text, size_t size)
{
    int64_t t = US_BASE + (int64_t)seed_below(s, 60) * S;

    snprintf(text, size,
             "{\"vin\":\"v%d\",\"time\":%lld,\"last\":%lld,\"count\":%d,\"type\":\"x.%c\",\"seq\":%d,\"pdu\":\"p%d\","
             "\"n\":%d,\"received\":%lld}",
             (int)seed_below(s, 3), (long long)t, (long long)(t + 5 * S), 1 + (int)seed_below(s, 2),
             'a' + (char)seed_below(s, 3), (int)seed_below(s, 12), (int)seed_below(s, 2), (int)seed_below(s, 4),
             (long long)(t + 5 * S + (seed_below(s, 3) == 0 ? 7200 * S : 0)));
}

/* What an engine does with the events: settles where bit i of `settle` says so, is written down where bit i of `save`
 * does. */
static void live(struct feed *f, char event[EVENTS][256], uint32_t settle, uint32_t save, bool unique,
                 struct lines *ret)
{
    struct engine_limits limits = {.large_entries_min = 2, .unique_input = unique};
    struct engine *e = engine_new(&f->plan, &limits);

    ret->len = 0;
    for (unsigned i = 0; i < EVENTS; i++) {
        feed_put(f, e, event[i]);
        if ((save >> i & 1) != 0)
            e = reload(e, &f->plan, limits);
        if ((settle >> i & 1) != 0)
            engine_settle(e, US_BASE + (int64_t)i * 10 * S, take, ret);
    }
    engine_settle(e, US_BASE + 300 * S, take, ret);
    engine_alerts(e, take, ret);
    engine_free(e);
}

/* Changes handed out by one call come in an order that nothing promises. */
static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct lines *l, struct lines *ret)
{
    static char *line[4096];
    size_t n = 0;

    for (char *at = l->text; *at != '\0';) {
        char *end = strchr(at, '\n');
        *end = '\0';
        line[n++] = at;
        at = end + 1;
    }
    qsort(line, n, sizeof line[0], compare_lines);
    ret->len = 0;
    for (size_t i = 0; i < n; i++)
        ret->len += (size_t)snprintf(ret->text + ret->len, sizeof ret->text - ret->len, "%s\n", line[i]);
}

static void written_at_any_point_it_goes_on_alike(void **state)
{
    struct seed s = seed_start("snapshot", 11);
    static struct lines straight, other, a, b;
    struct feed f;

    (void)state;
    feed_init(&f, RULES);
    f.sighter.horizon_us = 0;
    for (int round = 0; round < 12; round++) {
        char event[EVENTS][256];
        uint32_t settle = (uint32_t)seed_next(&s);
        bool unique = round % 3 == 2;
        for (int i = 0; i < EVENTS; i++)
            random_event(&s, event[i], sizeof event[i]);
        for (int i = 0; unique && i < EVENTS; i++) /* one vehicle each: no identity comes twice */
            strstr(event[i], ":\"v")[2] = (char)('d' + i);
        live(&f, event, settle, 0, unique, &straight);
        assert_true(straight.len > 0);
        sort_lines(&straight, &a);
        for (uint32_t at = 0; at <= EVENTS; at++) {
            live(&f, event, settle, at == EVENTS ? UINT32_MAX : UINT32_C(1) << at, unique, &other);
            sort_lines(&other, &b);
            assert_string_equal(a.text, b.text);
        }
    }
    feed_done(&f);
}

static void count_events(struct feed *f, struct engine *e)
{
    for (int i = 0; i < 6; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"vin\":\"v%d\",\"time\":%lld,\"type\":\"x.%c\",\"seq\":%d,\"pdu\":\"p\",\"n\":2}", i % 2,
                 (long long)(US_BASE + i * S), i < 4 ? 'a' : 'b', i);
        feed_put(f, e, text);
    }
}

/* Labels and states of changes. */
static void note(void *ctx, const struct rule *rule, const struct alert *al)
{
    char *log = ctx;
    size_t len = strlen(log);

    snprintf(log + len, 512 - len, "%.*s/%s ", (int)rule->label.len, (const char *)rule->label.ptr,
             alert_state_name(al->state));
}

static bool needs(const struct feed *f, const struct engine *e, const char *label)
{
    return engine_needs_backfill(e, plan_find(&f->plan, slice_str(label)));
}

static void a_new_plan_keeps_what_means_the_same(void **state)
{
    struct engine_limits limits = {0};
    struct feed old, fresh;
    char log[512] = "";
    struct engine_size size;

    (void)state;
    feed_init(&old, RULES);
    feed_init(&fresh, OTHER);
    struct engine *e = engine_new(&old.plan, &limits);
    count_events(&old, e);
    engine_settle(e, 0, note, log);
    assert_non_null(strstr(log, "v/open "));
    assert_non_null(strstr(log, "s/open "));
    assert_non_null(strstr(log, "t/open "));
    log[0] = '\0';
    engine_rebind(e, &fresh.plan, note, log);
    assert_true(strcmp(log, "v/closed s/closed ") == 0 || strcmp(log, "s/closed v/closed ") == 0);
    assert_true(needs(&fresh, e, "v") && needs(&fresh, e, "w"));
    assert_false(needs(&fresh, e, "n") || needs(&fresh, e, "t"));
    log[0] = '\0';
    engine_settle(e, 0, note, log);
    assert_string_equal(log, ""); /* what was kept has nothing new to say */
    for (int i = 0; i < 6; i++) {
        char text[256];
        struct sighting seen = {0};
        snprintf(text, sizeof text,
                 "{\"vin\":\"v%d\",\"time\":%lld,\"type\":\"x.%c\",\"seq\":%d,\"pdu\":\"p\",\"n\":2}", i % 2,
                 (long long)(US_BASE + i * S), i < 4 ? 'a' : 'b', i);
        feed_record(&fresh, text, true);
        assert_int_equal(sighter_step(&fresh.sighter, &fresh.record, &seen), SIGHT_OK);
        engine_backfill(e, &seen);
    }
    engine_backfill_end(e);
    assert_false(needs(&fresh, e, "w"));
    engine_settle(e, 0, note, log);
    assert_string_equal(log, "w/open w/open "); /* its events are hits of a rule that was kept */
    engine_size(e, &size);
    assert_int_equal(size.events, 6); /* no event is kept twice */
    engine_free(e);
    feed_done(&fresh);
    feed_done(&old);
}

static void a_cut_or_changed_section_is_refused(void **state)
{
    struct engine_limits limits = {0};
    struct seed s = seed_start("snapshot bytes", 5);
    struct feed f;
    struct snapshot_writer *w;
    struct snapshot *snap;
    struct snapshot_in whole;
    char path[64];

    (void)state;
    feed_init(&f, RULES);
    struct engine *e = engine_new(&f.plan, &limits);
    count_events(&f, e);
    snprintf(path, sizeof path, "/tmp/test_snapshot.%ld", (long)getpid());
    assert_int_equal(snapshot_create(path, 1, &w), VS_OK);
    snapshot_begin(w, "engine");
    engine_save(e, w);
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, NULL), VS_OK);
    engine_free(e);
    assert_int_equal(snapshot_open(path, 1, &snap, NULL), VS_OK);
    assert_int_equal(snapshot_section(snap, "engine", &whole), VS_OK);
    size_t len = cursor_left(&whole.c);
    struct slice bytes = cursor_bytes(&whole.c, len);
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    for (size_t cut = 0; cut < len; cut++) {
        struct snapshot_in in;
        cursor_init(&in.c, slice_make(bytes.ptr, cut));
        e = engine_new(&f.plan, &limits);
        assert_int_equal(engine_load(e, &in), VS_ERR_MALFORMED);
        engine_free(e);
    }
    for (int i = 0; i < 3000; i++) { /* a changed byte may mean something else; it may not do harm */
        struct snapshot_in in;
        memcpy(copy, bytes.ptr, len);
        copy[seed_below(&s, len)] ^= (uint8_t)(1 + seed_below(&s, 255));
        cursor_init(&in.c, slice_make(copy, len));
        e = engine_new(&f.plan, &limits);
        if (engine_load(e, &in) == VS_OK) {
            count_events(&f, e);
            engine_settle(e, US_BASE + 1000 * S, NULL, NULL);
            engine_expire(e, US_BASE + 1000 * S, 0, NULL, NULL);
        }
        engine_free(e);
    }
    free(copy);
    snapshot_close(snap);
    remove(path);
    feed_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_at_any_point_it_goes_on_alike),
        cmocka_unit_test(a_new_plan_keeps_what_means_the_same),
        cmocka_unit_test(a_cut_or_changed_section_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
