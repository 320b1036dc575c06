/* snapshot: what was put comes back; a file cut or changed at any byte is refused as a whole; the file of a name stays
 * what it was until the new one is finished; gets never pass the end of a section. */
#include "base/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c_fast.h"
#include "check.h"

#define VERSION 7

static char dir[64], path[128];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/vsoc-snapshot-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/one.snap", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void write_one(uint64_t number)
{
    struct snapshot_writer *w = NULL;
    uint64_t bytes = 0;

    assert_int_equal(snapshot_create(path, VERSION, &w), VS_OK);
    snapshot_begin(w, "numbers");
    snapshot_put_u8(w, 0xFE);
    snapshot_put_u32(w, 0x12345678);
    snapshot_put_u64(w, number);
    snapshot_put_i64(w, INT64_MIN);
    snapshot_put_bytes(w, slice_str("text"));
    snapshot_put_bytes(w, slice_make(NULL, 0));
    snapshot_end(w);
    snapshot_begin(w, "empty");
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, &bytes), VS_OK);
    assert_int_equal(bytes, 16 + 48 + 1 + 4 + 8 + 8 + 8 + 4 + 48 + 48);
}

static uint64_t read_number(void)
{
    struct snapshot *s = NULL;
    struct snapshot_in in;

    assert_int_equal(snapshot_open(path, VERSION, &s, NULL), VS_OK);
    assert_int_equal(snapshot_section(s, "numbers", &in), VS_OK);
    assert_int_equal(snapshot_get_u8(&in), 0xFE);
    assert_int_equal(snapshot_get_u32(&in), 0x12345678);
    uint64_t number = snapshot_get_u64(&in);
    assert_true(snapshot_get_i64(&in) == INT64_MIN);
    assert_true(slice_equal_str(snapshot_get_bytes(&in), "text"));
    assert_int_equal(snapshot_in_done(&in), VS_ERR_MALFORMED); /* not all of it was read */
    assert_int_equal(snapshot_get_bytes(&in).len, 0);
    assert_int_equal(snapshot_in_done(&in), VS_OK);
    assert_int_equal(snapshot_section(s, "empty", &in), VS_OK);
    assert_int_equal(snapshot_in_done(&in), VS_OK);
    assert_int_equal(snapshot_section(s, "other", &in), VS_ERR_NOT_FOUND);
    snapshot_close(s);
    return number;
}

static void what_was_put_comes_back(void **state)
{
    (void)state;
    write_one(42);
    assert_int_equal(read_number(), 42);
}

static void a_writing_that_does_not_end_changes_nothing(void **state)
{
    struct snapshot_writer *w = NULL;
    struct snapshot *s = NULL;

    (void)state;
    write_one(1);
    assert_int_equal(snapshot_create(path, VERSION, &w), VS_OK);
    snapshot_begin(w, "numbers");
    snapshot_put_u64(w, 2);
    assert_int_equal(read_number(), 1);
    snapshot_abort(w);
    assert_int_equal(read_number(), 1);
    write_one(3);
    assert_int_equal(read_number(), 3);
    assert_int_equal(snapshot_open(path, VERSION + 1, &s, NULL), VS_ERR_VERSION);
    assert_int_equal(snapshot_open("/nonexistent/x", VERSION, &s, NULL), VS_ERR_NOT_FOUND);
    assert_int_equal(snapshot_create("/nonexistent/x", VERSION, &w), VS_ERR_IO);
}

static uint8_t *load(size_t *ret_size)
{
    FILE *f = fopen(path, "rb");
    static uint8_t bytes[4096];

    assert_non_null(f);
    *ret_size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return bytes;
}

static void store(const uint8_t *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void damage_anywhere_is_found(void **state)
{
    struct snapshot *s = NULL;
    uint64_t byte = 0;
    size_t size;

    (void)state;
    write_one(9);
    uint8_t *bytes = load(&size);
    for (size_t cut = 0; cut < size; cut++) {
        store(bytes, cut);
        assert_int_not_equal(snapshot_open(path, VERSION, &s, &byte), VS_OK);
        assert_true(byte <= cut);
    }
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= 0x10;
        store(bytes, size);
        assert_int_not_equal(snapshot_open(path, VERSION, &s, NULL), VS_OK);
        bytes[at] ^= 0x10;
    }
    bytes[size] = 0; /* something behind the end */
    store(bytes, size + 1);
    assert_int_equal(snapshot_open(path, VERSION, &s, NULL), VS_ERR_MALFORMED);
    store(bytes, size);
    assert_int_equal(read_number(), 9);
}

static void gets_stay_inside_the_section(void **state)
{
    struct snapshot_writer *w = NULL;
    struct snapshot *s = NULL;
    struct snapshot_in in;

    (void)state;
    assert_int_equal(snapshot_create(path, VERSION, &w), VS_OK);
    snapshot_begin(w, "a");
    snapshot_put_u64(w, 3); /* a count of things of two bytes */
    snapshot_put_raw(w, "abcde", 5);
    snapshot_end(w);
    snapshot_begin(w, "b");
    snapshot_put_u32(w, 1000); /* a text longer than what follows */
    snapshot_put_raw(w, "abc", 3);
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, NULL), VS_OK);
    assert_int_equal(snapshot_open(path, VERSION, &s, NULL), VS_OK);
    assert_int_equal(snapshot_section(s, "a", &in), VS_OK);
    assert_int_equal(snapshot_get_count(&in, 2), 0);
    assert_true(snapshot_in_failed(&in));
    assert_int_equal(snapshot_get_u8(&in), 0); /* stays failed */
    assert_int_equal(snapshot_section(s, "a", &in), VS_OK);
    assert_int_equal(snapshot_get_count(&in, 1), 3);
    assert_int_equal(snapshot_section(s, "b", &in), VS_OK);
    assert_int_equal(snapshot_get_bytes(&in).len, 0);
    assert_int_equal(snapshot_in_done(&in), VS_ERR_MALFORMED);
    snapshot_close(s);
}

/* Sizes of pieces smaller and larger than the buffer, in any mixture. */
static size_t piece_size(size_t i, size_t large)
{
    return i % 9 == 0 ? large : i * 2654435761u >> 7 & 0xFFFF;
}

static void large_sections_come_back(void **state)
{
    static uint8_t block[3 * SNAPSHOT_BUFFER / 2];
    struct snapshot_writer *w = NULL;
    struct snapshot *s = NULL;
    struct snapshot_in in;
    size_t total = 0;

    (void)state;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 2654435761u >> 13);
    assert_int_equal(snapshot_create(path, VERSION, &w), VS_OK);
    snapshot_begin(w, "large");
    for (size_t i = 0; i < 40; i++) {
        size_t len = piece_size(i, sizeof block);

        snapshot_put_raw(w, block, len);
        total += len;
    }
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, NULL), VS_OK);
    assert_int_equal(snapshot_open(path, VERSION, &s, NULL), VS_OK);
    assert_int_equal(snapshot_section(s, "large", &in), VS_OK);
    assert_int_equal(cursor_left(&in.c), total);
    for (size_t i = 0; i < 40; i++) {
        size_t len = piece_size(i, sizeof block);

        assert_memory_equal(snapshot_get_raw(&in, len).ptr, block, len);
    }
    assert_int_equal(snapshot_in_done(&in), VS_OK);
    snapshot_close(s);
}

static void the_fast_crc_is_the_plain_one(void **state)
{
    static uint8_t bytes[512];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t from = 0; from < 9; from++)
        for (size_t len = 0; len < 130; len++) {
            struct slice s = slice_make(bytes + from, len);

            assert_int_equal(crc32c_fast(0, s), crc32c(0, s));
            assert_int_equal(crc32c_fast(99, s), crc32c(99, s));
        }
    assert_int_equal(crc32c_fast(0, slice_str("123456789")), 0xE3069283);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_back),  cmocka_unit_test(a_writing_that_does_not_end_changes_nothing),
        cmocka_unit_test(damage_anywhere_is_found), cmocka_unit_test(gets_stay_inside_the_section),
        cmocka_unit_test(large_sections_come_back), cmocka_unit_test(the_fast_crc_is_the_plain_one),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
