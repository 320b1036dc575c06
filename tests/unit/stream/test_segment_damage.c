/* Decay in the middle of durable data: it is told once, costs the damaged record alone, and is never cut away with what
 * stands behind it. And what a vehicle puts into a record cannot pass for a record. */
#include "check.h"

#include <stdlib.h>

#include "sim_disk.h"
#include "stream/segment/segment_stream.h"

#define SEGMENT "/log/000/00000000000000000000.seg"
#define RECORDS 30

struct fixture {
    struct sim_disk *disk;
    struct stream *s;
    uint64_t at[RECORDS + 1]; /* where each record begins */
};

static struct stream *open_log(struct sim_disk *d, bool writable, uint64_t segment_bytes)
{
    struct stream_address at = {.path = "/log", .segment_bytes = segment_bytes};
    struct segment_io io = sim_disk_io(d);
    struct stream_error error = {""};
    struct stream *s = NULL;

    if (segment_stream_open(&at, writable, &io, &s, &error) != VS_OK)
        fail_msg("%s", error.text);
    return s;
}

static void append(struct stream *s, const void *value, size_t len)
{
    struct stream_record rec = {
        .received_us = 1, .door = 1, .format = 1, .key = slice_str("car"), .value = slice_make(value, len)};
    uint64_t offset;

    assert_int_equal(stream_append(s, &rec, &offset), VS_OK);
}

static void begin(struct fixture *f, uint64_t segment_bytes)
{
    f->disk = sim_disk_new(1);
    f->s = open_log(f->disk, true, segment_bytes);
    f->at[0] = SEGMENT_HEAD_SIZE;
    for (unsigned i = 0; i < RECORDS; i++) {
        uint8_t value[100];

        memset(value, (int)i, sizeof value);
        append(f->s, value, 40 + i);
        f->at[i + 1] = f->at[i] + SEGMENT_RECORD_HEAD + 3 + 40 + i;
        assert_int_equal(stream_sync(f->s), VS_OK);
    }
}

static void end(struct fixture *f)
{
    stream_close(f->s);
    sim_disk_free(f->disk);
}

/* Reads all; returns how many good records came, and how many times damage was told. */
static unsigned read_all(struct stream *s, unsigned *ret_damage, bool there[RECORDS + 2])
{
    struct stream_reader *r;
    struct stream_record rec;
    enum vs_err err;
    unsigned good = 0;

    *ret_damage = 0;
    assert_int_equal(stream_reader_open(s, 0, 0, &r), VS_OK);
    while ((err = stream_reader_next(r, &rec)) != VS_ERR_END) {
        assert_true(err == VS_OK || err == VS_ERR_TAMPERED);
        *ret_damage += err == VS_ERR_TAMPERED;
        if (err != VS_OK)
            continue;
        good++;
        assert_true(rec.offset < RECORDS + 2);
        there[rec.offset] = true;
        if (rec.offset < RECORDS)
            assert_int_equal(rec.value.ptr[0], rec.offset);
    }
    stream_reader_close(r);
    return good;
}

/* Every byte of the record in the middle, one after the other. */
static void test_one_bad_byte_costs_one_record(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1 << 20);
    for (uint64_t at = f.at[10]; at < f.at[11]; at++) {
        bool there[RECORDS + 2] = {false};
        unsigned damage;

        assert_true(sim_disk_damage(f.disk, SEGMENT, at, 0x40));
        assert_int_equal(read_all(f.s, &damage, there), RECORDS - 1);
        assert_int_equal(damage, 1);
        assert_false(there[10]);
        assert_true(sim_disk_damage(f.disk, SEGMENT, at, 0x40));
    }
    end(&f);
}

static void damage_survives_opening(unsigned record)
{
    struct fixture f;
    bool there[RECORDS + 2] = {false};
    unsigned damage;

    begin(&f, 1 << 20);
    stream_close(f.s);
    assert_true(sim_disk_damage(f.disk, SEGMENT, f.at[record] + 50, 1));
    int64_t size = sim_disk_size(f.disk, SEGMENT);
    f.s = open_log(f.disk, true, 1 << 20);
    assert_int_equal(sim_disk_size(f.disk, SEGMENT), size);
    append(f.s, "\xEE more", 6);
    assert_int_equal(stream_sync(f.s), VS_OK);
    assert_int_equal(read_all(f.s, &damage, there), RECORDS);
    assert_int_equal(damage, 1);
    assert_false(there[record]);
    assert_true(there[RECORDS]); /* its offset was not given out again */
    end(&f);
}

static void test_opening_does_not_cut_damage_away(void **state)
{
    (void)state;
    damage_survives_opening(0);
    damage_survives_opening(10);
    damage_survives_opening(RECORDS - 1);
}

/* Without the commit file the records themselves prove how far the disk had come. */
static void test_records_prove_what_was_durable(void **state)
{
    struct fixture f;
    bool there[RECORDS + 2] = {false};
    unsigned damage;

    (void)state;
    begin(&f, 1 << 20);
    stream_close(f.s);
    sim_disk_remove(f.disk, "/log/commit");
    assert_true(sim_disk_damage(f.disk, SEGMENT, f.at[3] + 50, 1));
    f.s = open_log(f.disk, true, 1 << 20);
    assert_int_equal(read_all(f.s, &damage, there), RECORDS - 1);
    assert_int_equal(damage, 1);
    end(&f);
}

static void test_a_damaged_index_is_made_again(void **state)
{
    struct fixture f;
    struct stream_by_key *q;
    struct stream_record rec;

    (void)state;
    begin(&f, 1024);
    stream_close(f.s);
    assert_true(sim_disk_damage(f.disk, "/log/000/00000000000000000000.idx", 60, 0xFF));
    f.s = open_log(f.disk, false, 1024);
    assert_int_equal(stream_by_key_open(f.s, slice_str("car"), 0, &q), VS_OK);
    for (unsigned i = 0; i < RECORDS; i++) {
        assert_int_equal(stream_by_key_next(q, &rec), VS_OK);
        assert_int_equal(rec.offset, i);
    }
    assert_int_equal(stream_by_key_next(q, &rec), VS_ERR_END);
    stream_by_key_close(q);
    end(&f);
}

static void test_a_log_that_lost_its_end_does_not_reuse_offsets(void **state)
{
    struct fixture f;
    struct segment_io io;
    bool there[RECORDS + 2] = {false};
    unsigned damage;

    (void)state;
    begin(&f, 1 << 20);
    stream_close(f.s);
    io = sim_disk_io(f.disk);
    int fd = io.open(io.ctx, SEGMENT, SEGMENT_OPEN_WRITE);
    assert_true(io.truncate(io.ctx, fd, f.at[RECORDS - 5]) && io.sync(io.ctx, fd));
    io.close(io.ctx, fd);
    f.s = open_log(f.disk, true, 1 << 20);
    append(f.s, "\xEE", 1);
    assert_int_equal(stream_sync(f.s), VS_OK);
    assert_int_equal(read_all(f.s, &damage, there), RECORDS - 5 + 1);
    assert_int_equal(damage, 1);
    assert_true(there[RECORDS]);
    end(&f);
}

/* A record whose value is a perfect record of another car, made with the wrong salt, in a record that then decays. */
static void test_a_record_inside_a_record_is_not_believed(void **state)
{
    struct sim_disk *d = sim_disk_new(2);
    struct stream *s = open_log(d, true, 1 << 20);
    struct stream_record inner = {
        .offset = 1, .received_us = 1, .door = 1, .format = 1, .key = slice_str("rac"), .value = slice_str("forged")};
    uint8_t forged[200];
    struct writer w;
    struct stream_reader *r;
    struct stream_record rec;

    (void)state;
    writer_init(&w, forged, sizeof forged);
    segment_record_write(&w, 0, &inner, 1000);
    append(s, "first", 5);
    append(s, forged, w.len);
    append(s, "last", 4);
    assert_int_equal(stream_sync(s), VS_OK);
    assert_true(sim_disk_damage(d, SEGMENT, SEGMENT_HEAD_SIZE + SEGMENT_RECORD_HEAD + 8 + 5, 1));
    assert_int_equal(stream_reader_open(s, 0, 0, &r), VS_OK);
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    assert_int_equal(stream_reader_next(r, &rec), VS_ERR_TAMPERED);
    assert_int_equal(stream_reader_next(r, &rec), VS_OK);
    check_slice(rec.value, "last");
    stream_reader_close(r);
    stream_close(s);
    sim_disk_free(d);
}

static void test_a_failed_write_stops_the_log(void **state)
{
    struct fixture f;
    struct stream_record rec = {.key = slice_str("car"), .value = slice_str("x")};
    uint64_t offset;

    (void)state;
    begin(&f, 1 << 20);
    sim_disk_fail_at(f.disk, 1);
    assert_int_equal(stream_append(f.s, &rec, &offset), VS_OK);
    assert_int_equal(stream_sync(f.s), VS_ERR_IO);
    assert_int_equal(stream_append(f.s, &rec, &offset), VS_ERR_IO);
    assert_int_equal(stream_sync(f.s), VS_ERR_IO);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_bad_byte_costs_one_record),
        cmocka_unit_test(test_opening_does_not_cut_damage_away),
        cmocka_unit_test(test_records_prove_what_was_durable),
        cmocka_unit_test(test_a_damaged_index_is_made_again),
        cmocka_unit_test(test_a_log_that_lost_its_end_does_not_reuse_offsets),
        cmocka_unit_test(test_a_record_inside_a_record_is_not_believed),
        cmocka_unit_test(test_a_failed_write_stops_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
