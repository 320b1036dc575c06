/* Power is taken away at every single operation of a session with the segment log, many sessions with other dice each.
 *
 * After each: the log opens by itself; every record that was synced is there, in order and unchanged; nothing that was
 * shown to a reader has gone; no offset was given twice; and the log can be written on. R-093. */
#include "check.h"

#include <stdlib.h>

#include "seed.h"
#include "sim_disk.h"
#include "stream/segment/segment_stream.h"

#define RECORDS_MAX 200
#define PARTITIONS  2
#define DIR_NAME    "/log"
#define LOST        UINT32_MAX /* partition of a record that a power loss took, as it may */

/* What was written, by the number that is in each record; `synced` and `seen` say what must never be lost. */
struct truth {
    uint32_t partition[RECORDS_MAX];
    uint64_t offset[RECORDS_MAX];
    bool synced[RECORDS_MAX];
    bool seen[RECORDS_MAX];
    unsigned count;
};

static const struct stream_address AT = {.path = DIR_NAME, .partitions = PARTITIONS, .segment_bytes = 4096};

static enum vs_err open_log(struct sim_disk *d, bool writable, struct stream **ret)
{
    struct segment_io io = sim_disk_io(d);
    struct stream_error error = {""};

    return segment_stream_open(&AT, writable, &io, ret, &error);
}

static size_t value_of(unsigned number, uint8_t *value)
{
    size_t len = 4 + (number * 37) % 900;

    for (size_t i = 0; i < len; i++)
        value[i] = (uint8_t)(number * 31 + i * 7);
    memcpy(value, &number, sizeof number);
    return len;
}

/* Reads a partition to its end, checking every record against the truth. */
static void read_partition(struct stream *s, struct truth *t, uint32_t partition, bool *there)
{
    struct stream_reader *r;
    struct stream_record rec;
    uint64_t offset = 0;

    if (stream_reader_open(s, partition, 0, &r) != VS_OK)
        return;
    enum vs_err err;
    while ((err = stream_reader_next(r, &rec)) == VS_OK) {
        uint8_t value[1024];
        unsigned number;

        assert_true(rec.value.len >= sizeof number);
        memcpy(&number, rec.value.ptr, sizeof number);
        assert_true(number < t->count);
        assert_true(slice_equal(rec.value, slice_make(value, value_of(number, value))));
        assert_int_equal(rec.offset, offset);
        assert_int_equal(t->partition[number], partition);
        if (t->synced[number])
            assert_int_equal(t->offset[number], rec.offset);
        assert_false(there[number]);
        there[number] = true;
        offset++;
    }
    assert_true(err == VS_ERR_END || err == VS_ERR_IO);
    stream_reader_close(r);
}

/* A reader of another process: what it sees now must outlive any power loss. */
static void look(struct sim_disk *d, struct truth *t)
{
    struct stream *s;
    bool there[RECORDS_MAX] = {false};

    if (open_log(d, false, &s) != VS_OK)
        return;
    for (uint32_t p = 0; p < PARTITIONS; p++)
        read_partition(s, t, p, there);
    stream_close(s);
    for (unsigned i = 0; i < t->count; i++)
        t->seen[i] = t->seen[i] || there[i];
}

static enum vs_err write_one(struct stream *s, struct truth *t, struct seed *seed)
{
    uint8_t value[1024], key = (uint8_t)seed_below(seed, 9);
    struct stream_record rec = {
        .received_us = 1 + (int64_t)t->count, .door = 1, .format = 1, .key = slice_make(&key, 1)};
    unsigned number = t->count;

    rec.value = slice_make(value, value_of(number, value));
    t->partition[number] = stream_partition_of(s, rec.key);
    t->count++;
    return stream_append(s, &rec, &t->offset[number]);
}

/* Writes until the power goes or the records are used up. */
static void session(struct sim_disk *d, struct truth *t, struct seed *seed, unsigned until)
{
    struct stream *s;

    if (open_log(d, true, &s) != VS_OK)
        return;
    while (t->count < until) {
        if (write_one(s, t, seed) != VS_OK)
            break;
        if (seed_below(seed, 4) == 0) {
            if (stream_sync(s) != VS_OK)
                break;
            for (unsigned i = 0; i < t->count; i++)
                t->synced[i] = t->partition[i] != LOST;
            if (seed_below(seed, 4) == 0)
                look(d, t);
        } else if (seed_below(seed, 8) == 0) {
            look(d, t);
        }
    }
    stream_close(s);
}

static void check_all(struct sim_disk *d, struct truth *t)
{
    struct stream *s;
    bool there[RECORDS_MAX] = {false};

    assert_int_equal(open_log(d, true, &s), VS_OK);
    for (uint32_t p = 0; p < PARTITIONS; p++)
        read_partition(s, t, p, there);
    stream_close(s);
    for (unsigned i = 0; i < t->count; i++) {
        if (t->synced[i] && !there[i])
            fail_msg("record %u was acknowledged and is lost", i);
        if (t->seen[i] && !there[i])
            fail_msg("record %u was shown to a reader and is lost", i);
        /* What was neither may be there or not, but from now on it stays as it is. */
        t->synced[i] = t->seen[i] = there[i];
        if (!there[i])
            t->partition[i] = LOST;
    }
}

/* Offsets of records that nobody acknowledged are known only from the log itself. */
static void learn_offsets(struct sim_disk *d, struct truth *t)
{
    struct stream *s;
    struct stream_reader *r;
    struct stream_record rec;

    assert_int_equal(open_log(d, false, &s), VS_OK);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        assert_int_equal(stream_reader_open(s, p, 0, &r), VS_OK);
        while (stream_reader_next(r, &rec) == VS_OK) {
            unsigned number;

            memcpy(&number, rec.value.ptr, sizeof number);
            t->offset[number] = rec.offset;
        }
        stream_reader_close(r);
    }
    stream_close(s);
}

static uint64_t operations_of_a_session(uint64_t seed_value)
{
    struct sim_disk *d = sim_disk_new(seed_value);
    struct truth *t = calloc(1, sizeof *t);
    struct seed seed = {seed_value};

    session(d, t, &seed, 60);
    uint64_t operations = sim_disk_operations(d);
    sim_disk_free(d);
    free(t);
    return operations;
}

static void lose_power_at(uint64_t seed_value, uint64_t operation)
{
    struct sim_disk *d = sim_disk_new(seed_value + operation * 1000003);
    struct truth *t = calloc(1, sizeof *t);
    struct seed seed = {seed_value};

    sim_disk_fail_at(d, operation);
    session(d, t, &seed, 60);
    /* In half of the cases only the process dies first, is started again, shows what it found, and then the power goes.
     */
    if (operation % 2 == 0) {
        struct stream *s;

        sim_disk_process_dies(d);
        assert_int_equal(open_log(d, true, &s), VS_OK);
        look(d, t);
        stream_close(s);
    }
    /* Once more while recovering from the first loss, and once more after that. */
    for (unsigned again = 0; again < 3; again++) {
        sim_disk_power_up(d);
        if (again == 0) {
            struct stream *s;

            sim_disk_fail_at(d, 1 + seed_below(&seed, 12));
            if (open_log(d, true, &s) == VS_OK)
                stream_close(s);
            sim_disk_power_up(d);
        }
        check_all(d, t);
        learn_offsets(d, t);
        sim_disk_fail_at(d, 1 + seed_below(&seed, 60));
        session(d, t, &seed, t->count + 30);
    }
    sim_disk_power_up(d);
    check_all(d, t);
    sim_disk_free(d);
    free(t);
}

static void test_power_loss_at_every_operation(void **state)
{
    struct seed seed = seed_start("power", 20261120);

    (void)state;
    for (unsigned round = 0; round < 12; round++) {
        uint64_t value = seed_next(&seed), operations = operations_of_a_session(value);

        assert_true(operations > 50);
        for (uint64_t at = 1; at <= operations; at++)
            lose_power_at(value, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_power_loss_at_every_operation)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
