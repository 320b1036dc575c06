/* One conformance suite for every implementation of the event log, plus random operations against a naive twin.
 * */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/hex.h"
#include "seed.h"
#include "stream/by_key.h"
#include "stream/stream.h"
#include "temp_dir.h"

#define TWIN_MAX   4000
#define VALUE_MAX  3000
#define KEYS       7
#define PARTITIONS 3

struct kind {
    const char *name;
    bool files; /* survives closing, may be opened twice */
};

static const struct kind KINDS[] = {{"memory", false}, {"segment", true}};

struct fixture {
    const struct kind *kind;
    struct temp_dir dir;
    char address[128];
    struct stream *s;
};

static struct stream *open_stream(const char *address, bool writable)
{
    struct stream_error error;
    struct stream *s = NULL;
    enum vs_err err = stream_open(address, writable, &s, &error);

    if (err != VS_OK)
        fail_msg("open %s: %s", address, error.text);
    return s;
}

static void begin(struct fixture *f, const struct kind *kind, const char *options)
{
    f->kind = kind;
    f->dir = temp_dir_make();
    if (kind->files)
        snprintf(f->address, sizeof f->address, "segment:%s/log?%s", f->dir.path, options);
    else
        snprintf(f->address, sizeof f->address, "memory:?%s", options);
    f->s = open_stream(f->address, true);
}

static void end(struct fixture *f)
{
    stream_close(f->s);
    temp_dir_remove(&f->dir);
}

/* A second handle of another process stands for itself; in memory there is only the one. */
static struct stream *reading_handle(struct fixture *f)
{
    return f->kind->files ? open_stream(f->address, false) : f->s;
}

static void end_reading(struct fixture *f, struct stream *s)
{
    if (s != f->s)
        stream_close(s);
}

static struct stream_record record(const char *key, const char *value, int64_t received_us)
{
    return (struct stream_record){.received_us = received_us,
                                  .door = STREAM_DOOR_HTTPS,
                                  .format = STREAM_FORMAT_BATCH,
                                  .key = slice_str(key),
                                  .value = slice_str(value)};
}

static uint64_t append(struct stream *s, const char *key, const char *value, int64_t received_us)
{
    struct stream_record rec = record(key, value, received_us);
    uint64_t offset = UINT64_MAX;

    assert_int_equal(stream_append(s, &rec, &offset), VS_OK);
    return offset;
}

static void reads_back_what_was_synced(const struct kind *kind)
{
    struct fixture f;
    struct stream_record rec;
    struct stream_reader *r;

    begin(&f, kind, "partitions=1");
    assert_int_equal(append(f.s, "car", "one", 11), 0);
    assert_int_equal(append(f.s, "car", "", 12), 1);
    assert_int_equal(stream_sync(f.s), VS_OK);
    struct stream *s = reading_handle(&f);
    assert_int_equal(stream_end(s, 0), 2);
    assert_int_equal(stream_reader_open(s, 0, 0, &r), VS_OK);
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    assert_int_equal(rec.offset, 0);
    assert_int_equal(rec.received_us, 11);
    assert_int_equal(rec.door, STREAM_DOOR_HTTPS);
    assert_int_equal(rec.format, STREAM_FORMAT_BATCH);
    check_slice(rec.key, "car");
    check_slice(rec.value, "one");
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    assert_int_equal(rec.value.len, 0);
    assert_int_equal(stream_reader_next(r, &rec), VS_ERR_END);
    stream_reader_close(r);
    end_reading(&f, s);
    end(&f);
}

static void shows_nothing_before_the_sync(const struct kind *kind)
{
    struct fixture f;
    struct stream_record rec;
    struct stream_reader *r;

    begin(&f, kind, "partitions=1");
    struct stream *s = reading_handle(&f);
    assert_int_equal(stream_reader_open(s, 0, 0, &r), VS_OK);
    append(f.s, "car", "one", 1);
    assert_int_equal(stream_reader_next(r, &rec), VS_ERR_END);
    assert_int_equal(stream_sync(f.s), VS_OK);
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    append(f.s, "car", "two", 2);
    assert_int_equal(stream_reader_next(r, &rec), VS_ERR_END);
    assert_int_equal(stream_sync(f.s), VS_OK);
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    check_slice(rec.value, "two");
    stream_reader_close(r);
    end_reading(&f, s);
    end(&f);
}

static void starts_in_the_middle_and_at_the_end(const struct kind *kind)
{
    struct fixture f;
    struct stream_record rec;
    struct stream_reader *r;
    char value[200];

    begin(&f, kind, kind->files ? "partitions=1&segment_bytes=4096" : "partitions=1");
    memset(value, 'x', sizeof value);
    for (int i = 0; i < 100; i++) {
        snprintf(value, sizeof value, "%0150d", i);
        append(f.s, "car", value, i);
        assert_int_equal(stream_sync(f.s), VS_OK);
    }
    for (uint64_t from = 0; from <= 100; from += 10) {
        assert_int_equal(stream_reader_open(f.s, 0, from, &r), VS_OK);
        if (from < 100) {
            assert_int_equal(stream_reader_next(r, &rec), VS_OK);
            assert_int_equal(rec.offset, from);
        } else {
            assert_int_equal(stream_reader_next(r, &rec), VS_ERR_END);
        }
        stream_reader_close(r);
    }
    end(&f);
}

static void keeps_a_key_in_one_partition(const struct kind *kind)
{
    struct fixture f;
    unsigned used[PARTITIONS] = {0};

    begin(&f, kind, "partitions=3");
    assert_int_equal(stream_partition_count(f.s), PARTITIONS);
    for (int i = 0; i < 300; i++) {
        char key[16];

        snprintf(key, sizeof key, "car %d", i);
        uint32_t p = stream_partition_of(f.s, slice_str(key));
        assert_true(p < PARTITIONS);
        uint64_t before = stream_end(f.s, p);
        assert_int_equal(append(f.s, key, "v", i), before);
        used[p]++;
    }
    for (unsigned i = 0; i < PARTITIONS; i++)
        assert_true(used[i] > 50);
    end(&f);
}

static void refuses_what_is_too_large(const struct kind *kind)
{
    struct fixture f;
    uint64_t offset;
    char key[STREAM_KEY_MAX + 1] = {0};
    uint8_t *value = calloc(1, STREAM_RECORD_MAX + 1);
    struct stream_record rec = record("car", "", 0);

    begin(&f, kind, "partitions=1");
    rec.key = slice_make(key, sizeof key);
    assert_int_equal(stream_append(f.s, &rec, &offset), VS_ERR_LIMIT);
    rec.key = slice_make(key, STREAM_KEY_MAX);
    rec.value = slice_make(value, STREAM_RECORD_MAX + 1);
    assert_int_equal(stream_append(f.s, &rec, &offset), VS_ERR_LIMIT);
    rec.value.len--;
    assert_int_equal(stream_append(f.s, &rec, &offset), VS_OK);
    assert_int_equal(stream_sync(f.s), VS_OK);
    struct stream_reader *r;
    assert_int_equal(stream_reader_open(f.s, 0, 0, &r), VS_OK);
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    assert_int_equal(rec.value.len, STREAM_RECORD_MAX);
    stream_reader_close(r);
    end(&f);
    free(value);
}

static void stops_at_its_size_limit(const struct kind *kind)
{
    struct fixture f;
    struct stream_record rec = record("car", "0123456789", 0);
    uint64_t offset;
    enum vs_err err = VS_OK;
    unsigned taken = 0;

    begin(&f, kind, "partitions=1&bytes_max=1000");
    while (err == VS_OK && taken < 1000) {
        err = stream_append(f.s, &rec, &offset);
        taken += err == VS_OK;
    }
    assert_int_equal(err, VS_ERR_FULL);
    assert_true(taken > 5 && taken < 100);
    assert_int_equal(stream_sync(f.s), VS_OK);
    end(&f);
}

static void finds_one_key(const struct kind *kind)
{
    struct fixture f;
    struct stream_by_key *q;
    struct stream_record rec;
    char value[120];

    begin(&f, kind, kind->files ? "partitions=2&segment_bytes=4096" : "partitions=2");
    for (int i = 0; i < 400; i++) {
        char key[8];

        snprintf(key, sizeof key, "car %d", i % 5);
        snprintf(value, sizeof value, "%0100d", i);
        append(f.s, key, value, 1000 + i);
        if (i % 7 == 0)
            assert_int_equal(stream_sync(f.s), VS_OK);
    }
    assert_int_equal(stream_sync(f.s), VS_OK);
    struct stream *s = reading_handle(&f);
    for (int from = 0; from < 400; from += 133) {
        int want = from;

        while (want % 5 != 3)
            want++;
        assert_int_equal(stream_by_key_open(s, slice_str("car 3"), 1000 + from, &q), VS_OK);
        while (stream_by_key_next(q, &rec) == VS_OK) {
            assert_int_equal(rec.received_us, 1000 + want);
            check_slice(rec.key, "car 3");
            assert_int_equal(rec.partition, stream_partition_of(s, rec.key));
            want += 5;
        }
        assert_int_equal(want, 403);
        stream_by_key_close(q);
    }
    assert_int_equal(stream_by_key_open(s, slice_str("nobody"), 0, &q), VS_OK);
    assert_int_equal(stream_by_key_next(q, &rec), VS_ERR_END);
    stream_by_key_close(q);
    end_reading(&f, s);
    end(&f);
}

/* ---- naive twin */

struct twin_record {
    uint32_t partition;
    uint64_t offset;
    int64_t received_us;
    uint8_t key;
    size_t len;
    uint8_t fill;
};

struct twin {
    struct twin_record record[TWIN_MAX];
    unsigned count;
    unsigned durable;
    uint64_t end[PARTITIONS];
};

static struct stream_record twin_make(const struct twin_record *t, uint8_t *value)
{
    static const char *const NAME[KEYS] = {"a", "bb", "ccc", "dddd", "vehicle-0005", "vehicle-00000000006", ""};

    memset(value, t->fill, t->len);
    return (struct stream_record){.received_us = t->received_us,
                                  .door = (uint8_t)(1 + t->key % 3),
                                  .format = (uint8_t)(1 + t->fill % 3),
                                  .key = slice_str(NAME[t->key]),
                                  .value = slice_make(value, t->len)};
}

static void twin_append(struct fixture *f, struct twin *t, struct seed *seed)
{
    struct twin_record *tr = &t->record[t->count];
    uint8_t value[VALUE_MAX];
    uint64_t offset;

    tr->received_us = (int64_t)seed_below(seed, 1000);
    tr->key = (uint8_t)seed_below(seed, KEYS);
    tr->len = seed_below(seed, 8) == 0 ? seed_below(seed, VALUE_MAX) : seed_below(seed, 60);
    tr->fill = (uint8_t)seed_next(seed);
    struct stream_record rec = twin_make(tr, value);
    assert_int_equal(stream_append(f->s, &rec, &offset), VS_OK);
    tr->partition = stream_partition_of(f->s, rec.key);
    assert_int_equal(offset, t->end[tr->partition]);
    tr->offset = t->end[tr->partition]++;
    t->count++;
}

static void same(const struct stream_record *got, const struct twin_record *t)
{
    uint8_t value[VALUE_MAX];
    struct stream_record want = twin_make(t, value);

    assert_int_equal(got->offset, t->offset);
    assert_int_equal(got->partition, t->partition);
    assert_int_equal(got->received_us, want.received_us);
    assert_int_equal(got->door, want.door);
    assert_int_equal(got->format, want.format);
    assert_true(slice_equal(got->key, want.key));
    assert_true(slice_equal(got->value, want.value));
}

static void twin_read(struct stream *s, const struct twin *t, uint32_t partition, uint64_t from)
{
    struct stream_reader *r;
    struct stream_record rec;

    assert_int_equal(stream_reader_open(s, partition, from, &r), VS_OK);
    for (unsigned i = 0; i < t->durable; i++)
        if (t->record[i].partition == partition && t->record[i].offset >= from) {
            assert_int_equal(stream_reader_next(r, &rec), VS_OK);
            same(&rec, &t->record[i]);
        }
    assert_int_equal(stream_reader_next(r, &rec), VS_ERR_END);
    stream_reader_close(r);
}

static void twin_find(struct stream *s, const struct twin *t, uint8_t key, int64_t from_us)
{
    struct stream_by_key *q;
    struct stream_record rec;
    uint8_t value[VALUE_MAX];
    struct twin_record any = {.key = key};

    assert_int_equal(stream_by_key_open(s, twin_make(&any, value).key, from_us, &q), VS_OK);
    for (unsigned i = 0; i < t->durable; i++)
        if (t->record[i].key == key && t->record[i].received_us >= from_us) {
            assert_int_equal(stream_by_key_next(q, &rec), VS_OK);
            same(&rec, &t->record[i]);
        }
    assert_int_equal(stream_by_key_next(q, &rec), VS_ERR_END);
    stream_by_key_close(q);
}

static void agrees_with_a_naive_twin(const struct kind *kind)
{
    struct seed seed = seed_start(kind->name, 20260301);
    struct twin *t = calloc(1, sizeof *t);
    struct fixture f;

    begin(&f, kind, kind->files ? "partitions=3&segment_bytes=8192" : "partitions=3");
    while (t->count < TWIN_MAX) {
        uint64_t dice = seed_below(&seed, 100);

        if (dice < 80) {
            twin_append(&f, t, &seed);
        } else if (dice < 94) {
            assert_int_equal(stream_sync(f.s), VS_OK);
            t->durable = t->count;
        } else if (dice < 96) {
            uint32_t p = (uint32_t)seed_below(&seed, PARTITIONS);
            struct stream *s = reading_handle(&f);
            twin_read(s, t, p, seed_below(&seed, t->end[p] + 1));
            end_reading(&f, s);
        } else if (dice < 98) {
            twin_find(f.s, t, (uint8_t)seed_below(&seed, KEYS), (int64_t)seed_below(&seed, 1000));
        } else if (kind->files && t->durable == t->count) {
            stream_close(f.s);
            f.s = open_stream(f.address, true);
        }
    }
    assert_int_equal(stream_sync(f.s), VS_OK);
    t->durable = t->count;
    for (uint32_t p = 0; p < PARTITIONS; p++)
        twin_read(f.s, t, p, 0);
    end(&f);
    free(t);
}

#define CONFORMS(name)                                                                                                 \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)                                                    \
            name(&KINDS[i]);                                                                                           \
    }
CONFORMS(reads_back_what_was_synced)
CONFORMS(shows_nothing_before_the_sync)
CONFORMS(starts_in_the_middle_and_at_the_end)
CONFORMS(keeps_a_key_in_one_partition)
CONFORMS(refuses_what_is_too_large)
CONFORMS(stops_at_its_size_limit)
CONFORMS(finds_one_key)
CONFORMS(agrees_with_a_naive_twin)

/* ---- what only files can do, and addresses */

static void test_one_writer_at_a_time(void **state)
{
    struct fixture f;
    struct stream_error error;
    struct stream *second;

    (void)state;
    begin(&f, &KINDS[1], "partitions=1");
    assert_int_equal(stream_open(f.address, true, &second, &error), VS_ERR_BUSY);
    assert_true(strlen(error.text) > 0);
    end(&f);
}

static void test_partitions_do_not_change(void **state)
{
    struct fixture f;
    struct stream_error error;
    struct stream *again;
    char address[160];

    (void)state;
    begin(&f, &KINDS[1], "partitions=4");
    stream_close(f.s);
    snprintf(address, sizeof address, "segment:%s/log?partitions=5", f.dir.path);
    assert_int_equal(stream_open(address, true, &again, &error), VS_ERR_CONFIG);
    snprintf(address, sizeof address, "segment:%s/log", f.dir.path);
    f.s = open_stream(address, true);
    assert_int_equal(stream_partition_count(f.s), 4);
    end(&f);
}

static void test_addresses_are_checked(void **state)
{
    static const char *const WRONG[] = {"",
                                        "kafka",
                                        "file:/tmp/x",
                                        "memory",
                                        "memory:?partitions=0",
                                        "memory:?partitions=257",
                                        "memory:?partitions=",
                                        "memory:?partitions=1x",
                                        "memory:?partitions",
                                        "memory:?colour=1",
                                        "segment:",
                                        "memory:?segment_bytes=12"};
    struct stream_error error;
    struct stream *s;

    (void)state;
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        CHECK_ROW(i, stream_open(WRONG[i], true, &s, &error) == VS_ERR_CONFIG && error.text[0] != '\0');
    assert_int_equal(stream_open("segment:/tmp/vsoc-there-is-no-such-log", false, &s, &error), VS_ERR_NOT_FOUND);
}

/* Murmur2 of Kafka's own tests (UtilsTest.testMurmur2): producers in other languages must agree with us. */
static void test_partition_is_that_of_kafka(void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } ROW[] = {{"21", -973932308},
               {"foobar", -790332482},
               {"a-little-bit-long-string", -985981536},
               {"a-little-bit-longer-string", -1486304829},
               {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
               {"abc", 479470107}};
    struct stream_error error;
    struct stream *s;

    (void)state;
    assert_int_equal(stream_open("memory:?partitions=199", true, &s, &error), VS_OK);
    for (size_t i = 0; i < sizeof ROW / sizeof ROW[0]; i++)
        CHECK_ROW(i, stream_partition_of(s, slice_str(ROW[i].key)) == ((uint32_t)ROW[i].hash & 0x7FFFFFFF) % 199);
    stream_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_back_what_was_synced),
        cmocka_unit_test(test_shows_nothing_before_the_sync),
        cmocka_unit_test(test_starts_in_the_middle_and_at_the_end),
        cmocka_unit_test(test_keeps_a_key_in_one_partition),
        cmocka_unit_test(test_refuses_what_is_too_large),
        cmocka_unit_test(test_stops_at_its_size_limit),
        cmocka_unit_test(test_finds_one_key),
        cmocka_unit_test(test_agrees_with_a_naive_twin),
        cmocka_unit_test(test_one_writer_at_a_time),
        cmocka_unit_test(test_partitions_do_not_change),
        cmocka_unit_test(test_addresses_are_checked),
        cmocka_unit_test(test_partition_is_that_of_kafka),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
