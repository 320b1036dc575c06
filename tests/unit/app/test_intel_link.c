/* intel_link in the pipeline: alerts are a function of the set of events and the set of indicators.
 *
 * the same alerts whether indicators are there before the events, come in between, or after all of them
 * and are searched back for; whether the log is read in one go or in pieces; after a restart; and when bundles come
 * twice and in another order. What matched while an indicator was valid stays. */
#include <stdio.h>
#include <stdlib.h>

#include "app/pipeline.h"
#include "base/jsonl/json_reader.h"
#include "check.h"
#include "core/timestamp.h"
#include "detect/intel/intel_import.h"
#include "seed.h"

#define VEHICLES 6
#define RECORDS  120
#define START_US INT64_C(1767571200000000)

static struct stream *make_log(uint64_t seed)
{
    struct seed s = {seed};
    struct stream *log;
    struct stream_error error;

    assert_int_equal(stream_open("memory:?partitions=3", true, &log, &error), VS_OK);
    for (uint64_t i = 1; i <= RECORDS; i++) {
        uint8_t vid[16] = {(uint8_t)(1 + seed_next(&s) % VEHICLES)};
        char text[512], time[40] = "";
        struct writer w;
        int64_t at = START_US + (int64_t)(seed_next(&s) % (20 * 24 * 60)) * 60000000;
        uint64_t offset;

        writer_init(&w, time, sizeof time - 1);
        timestamp_write(&w, at);
        int len = snprintf(
            text, sizeof text,
            "{\"time\":\"%s\",\"type\":\"eth.contact\",\"seq\":%llu,\"dst_ip\":\"10.0.0.%u\",\"domain\":\"%s\"}", time,
            (unsigned long long)i, (unsigned)(seed_next(&s) % 8),
            seed_next(&s) % 3 == 0 ? "c2.evil.example" : "good.example");
        struct stream_record rec = {.received_us = START_US + INT64_C(21) * 86400000000,
                                    .door = STREAM_DOOR_IMPORT,
                                    .format = STREAM_FORMAT_JSON_LINES,
                                    .key = slice_make(vid, sizeof vid),
                                    .value = slice_make(text, (size_t)len)};
        assert_int_equal(stream_append(log, &rec, &offset), VS_OK);
        if (seed_next(&s) % 4 == 0) /* and again */
            assert_int_equal(stream_append(log, &rec, &offset), VS_OK);
    }
    assert_int_equal(stream_sync(log), VS_OK);
    return log;
}

#define INDICATOR(n, version, pattern, more)                                                                           \
    "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--0000000" n "-0000-4000-8000-000000000000\"," \
    "\"created\":\"2026-01-01T00:00:00Z\",\"modified\":\"2026-01-0" version "T00:00:00Z\",\"name\":\"n" n "\","        \
    "\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\"," more "\"pattern\":\"" pattern "\"}"

static const char *const OBJECT[] = {
    INDICATOR("1", "1", "[ipv4-addr:value = '10.0.0.1']", ""),
    INDICATOR("1", "2", "[ipv4-addr:value = '10.0.0.2']", ""), /* a later version */
    INDICATOR("2", "1", "[domain-name:value LIKE '%.evil.example']", "\"valid_until\":\"2026-01-15T00:00:00Z\","),
    INDICATOR("3", "1", "[ipv4-addr:value ISSUBSET '10.0.0.4/31']", "\"confidence\":90,"),
};
#define OBJECT_COUNT 4

static void import(struct store *st, unsigned which)
{
    char text[1024] = "";
    struct intel_import_config cfg = {.store = st, .source = slice_str("test")};
    struct intel_import *im;
    size_t len = strlen(OBJECT[which]);

    memcpy(text, OBJECT[which], len);
    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(intel_import_new(&cfg, &im), VS_OK);
    assert_int_equal(intel_import_text(im, slice_make(text, len)), VS_OK);
    assert_int_equal(store_commit(st), VS_OK);
    intel_import_free(im);
}

static struct log_pipeline *open_pipeline(struct stream *log, struct store *st)
{
    const struct pipeline_config cfg = {.stream = log, .store = st, .rules_path = "content/rules", .lateness_days = 30};
    struct pipeline_error error;
    struct log_pipeline *p = NULL;

    if (pipeline_open(&cfg, &p, &error) != VS_OK)
        fail_msg("%s", error.text);
    return p;
}

/* The alerts that stand, in a fixed order. */
static char *picture(struct store *st)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    struct store_stmt *q = store_prepare(st, "SELECT a.id, a.title, a.severity, a.group_json, a.first_us, a.last_us, "
                                             "a.count, a.late, a.members_total FROM alert a WHERE "
                                             "a.rule = 'threat_intelligence' AND a.state <> 2 AND "
                                             "a.superseded_by IS NULL ORDER BY a.id");

    while (store_step(q) == VS_OK)
        fprintf(f, "%.*s %.*s %d %.*s %lld %lld %lld %lld %lld\n", (int)store_text(q, 0).len, store_text(q, 0).ptr,
                (int)store_text(q, 1).len, store_text(q, 1).ptr, (int)store_i64(q, 2), (int)store_text(q, 3).len,
                store_text(q, 3).ptr, (long long)store_i64(q, 4), (long long)store_i64(q, 5),
                (long long)store_i64(q, 6), (long long)store_i64(q, 7), (long long)store_i64(q, 8));
    store_done(q);
    fclose(f);
    return text;
}

static void settle(struct log_pipeline *p)
{
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pipeline_commit(p), VS_OK);
}

static char *run(uint64_t log_seed, struct seed *s, bool simple)
{
    struct stream *log = make_log(log_seed);
    struct store *st;
    struct store_error error;
    unsigned order[OBJECT_COUNT] = {0, 1, 2, 3}, given = 0;
    uint32_t count = 1;

    assert_int_equal(store_open("memory:", &st, &error), VS_OK);
    for (unsigned i = OBJECT_COUNT; !simple && i > 1; i--) {
        unsigned k = (unsigned)(seed_next(s) % i), was = order[i - 1];
        order[i - 1] = order[k];
        order[k] = was;
    }
    while (simple && given < OBJECT_COUNT)
        import(st, order[given++]);
    struct log_pipeline *p = open_pipeline(log, st);
    while (count > 0) {
        assert_int_equal(pipeline_read(p, simple ? 100000 : 1 + (uint32_t)(seed_next(s) % 40), &count), VS_OK);
        if (simple || seed_next(s) % 2 == 0)
            assert_int_equal(pipeline_commit(p), VS_OK);
        if (!simple && given < OBJECT_COUNT && seed_next(s) % 3 == 0)
            import(st, order[given++]);
        if (!simple && seed_next(s) % 8 == 0) {
            pipeline_close(p);
            p = open_pipeline(log, st);
            count = 1;
        }
    }
    settle(p);
    while (given < OBJECT_COUNT)
        import(st, order[given++]);
    if (!simple)
        import(st, order[0]); /* again */
    settle(p);
    pipeline_close(p);
    char *text = picture(st);
    store_close(st);
    stream_close(log);
    return text;
}

static void test_any_order(void **state)
{
    struct seed s = seed_start("intel_link", 5);

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        uint64_t log_seed = seed_next(&s);
        char *want = run(log_seed, &s, true);

        assert_true(strlen(want) > 500);
        assert_null(strstr(want, "\"10.0.0.1\""));
        for (unsigned i = 0; i < 4; i++) {
            char *got = run(log_seed, &s, false);
            assert_string_equal(got, want);
            free(got);
        }
        free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
