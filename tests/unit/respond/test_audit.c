/* The audit chain: any byte of any record that is changed, taken out, put in or moved is seen, and the first one named.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core/hex.h"
#include "respond/audit.h"
#include "store/store_exec.h"

#define RECORDS 6
static const char *const COLUMN[] = {"who", "act", "object", "before", "after", "reason", "source", "hash"};

static int open_store(void **state)
{
    struct store_error error;
    struct store *st = NULL;

    assert_int_equal(store_open("memory:", &st, &error), VS_OK);
    assert_int_equal(store_begin(st), VS_OK);
    for (int64_t i = 1; i <= RECORDS; i++) {
        struct audit_record r = {.who = SLICE_LIT("anna"),
                                 .act = SLICE_LIT("incident.move"),
                                 .object = SLICE_LIT("INC-7"),
                                 .before = SLICE_LIT("triage"),
                                 .after = SLICE_LIT("contain"),
                                 .reason = SLICE_LIT("na\xc3\xafve"),
                                 .source = SLICE_LIT("10.0.0.1")};
        int64_t seq;
        assert_int_equal(audit_add(st, &r, 1000 * i, &seq), VS_OK);
        assert_int_equal(seq, i);
    }
    assert_int_equal(store_commit(st), VS_OK);
    *state = st;
    return 0;
}

static int close_store(void **state)
{
    store_close(*state);
    return 0;
}

static struct audit_verdict verify(struct store *st)
{
    struct audit_verdict v;

    assert_int_equal(audit_verify(st, &v), VS_OK);
    return v;
}

static void expect_broken(struct store *st, int64_t first_bad)
{
    struct audit_verdict v = verify(st);

    assert_false(v.ok);
    assert_int_equal(v.first_bad, first_bad);
    assert_int_equal(v.verified_to, first_bad - 1);
    assert_true(v.why[0] != '\0');
}

static void an_untouched_chain_holds(void **state)
{
    struct audit_verdict v = verify(*state);

    assert_true(v.ok);
    assert_int_equal(v.entries, RECORDS);
    assert_int_equal(v.verified_to, RECORDS);
    assert_int_equal(v.first_bad, 0);
    assert_int_equal(strlen(v.head_hash), 64);
}

/* The hash against one worked out by hand from the words of audit.h. */
static void the_hash_is_what_the_header_says(void **state)
{
    struct audit_record r = {
        .seq = 1, .at_us = 2, .who = SLICE_LIT("a"), .act = SLICE_LIT("b"), .object = SLICE_LIT("")};
    const uint8_t zero[SHA256_SIZE] = {0};
    const uint8_t canonical[] = {0,   0,   0,   0,   0,   0,   0,   1,   0,   0,   0,   0,   0,   0,  0,   2,
                                 0,   0,   0,   1,   'a', 0,   0,   0,   1,   'b', 0,   0,   0,   0,  255, 255,
                                 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t whole[SHA256_SIZE + sizeof canonical], want[SHA256_SIZE], got[SHA256_SIZE];

    (void)state;
    memcpy(whole, zero, sizeof zero);
    memcpy(whole + sizeof zero, canonical, sizeof canonical);
    sha256(slice_make(whole, sizeof whole), want);
    audit_hash(zero, &r, got);
    assert_memory_equal(got, want, SHA256_SIZE);
}

static void update_text(struct store *st, const char *column, int64_t seq, struct slice text, bool as_null)
{
    static char sql[8][96]; /* statements are cached by their text, which must live on */
    int at = 0;

    while (strcmp(COLUMN[at], column) != 0)
        at++;
    snprintf(sql[at], sizeof sql[at], "UPDATE audit SET %s = ? WHERE seq = ?", column);
    struct store_stmt *q = store_prepare(st, sql[at]);
    if (!as_null)
        store_bind_text(q, 1, text);
    store_bind_i64(q, 2, seq);
    assert_int_equal(store_run(q), VS_OK);
}

static size_t read_text(struct store *st, int column, int64_t seq, char *buf, size_t size)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT who, act, object, before, after, reason, source, hash FROM audit WHERE seq = ?");

    store_bind_i64(q, 1, seq);
    assert_int_equal(store_step(q), VS_OK);
    assert_true(slice_to_str(store_text(q, column), buf, size));
    store_done(q);
    return strlen(buf);
}

static void any_changed_byte_is_named(void **state)
{
    struct store *st = *state;

    for (int64_t seq = 1; seq <= RECORDS; seq++)
        for (int column = 0; column < 8; column++) {
            char text[128];
            size_t len = read_text(st, column, seq, text, sizeof text);
            for (size_t at = 0; at < len; at++) {
                char kept = text[at];
                text[at] = kept == 'x' ? 'y' : 'x';
                update_text(st, COLUMN[column], seq, slice_str(text), false);
                expect_broken(st, seq);
                text[at] = kept;
            }
            update_text(st, COLUMN[column], seq, slice_str(text), false);
            assert_true(verify(st).ok);
        }
}

static void a_text_that_moves_or_vanishes_is_named(void **state)
{
    struct store *st = *state;

    update_text(st, "reason", 3, slice_make(NULL, 0), true); /* null is not empty, and not what it was */
    expect_broken(st, 3);
    update_text(st, "reason", 3, slice_str(""), false);
    expect_broken(st, 3);
    update_text(st, "reason", 3, slice_str("na\xc3\xafve"), false);
    assert_true(verify(st).ok);
    update_text(st, "who", 3, slice_str("annai"), false); /* the same bytes joined, cut elsewhere */
    update_text(st, "act", 3, slice_str("ncident.move"), false);
    expect_broken(st, 3);
}

static const struct {
    const char *sql;
    int64_t first_bad;
} TAMPERING[] = {
    {"UPDATE audit SET at_us = at_us + 1 WHERE seq = 4", 4},
    {"DELETE FROM audit WHERE seq = 1", 1},
    {"DELETE FROM audit WHERE seq = 4", 4},
    {"DELETE FROM audit WHERE seq = 6", 6}, /* a cut tail */
    {"DELETE FROM audit", 1},
    {"UPDATE audit SET seq = 100 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE "
     "seq = 100",
     2},
    {"INSERT INTO audit SELECT 7, at_us, who, act, object, before, after, reason, source, hash FROM audit WHERE seq = "
     "6",
     7},
    {"UPDATE audit_head SET hash = 'zz'", 7},
    {"UPDATE audit_head SET hash = '0000000000000000000000000000000000000000000000000000000000000000'", 6},
    {"UPDATE audit_head SET seq = 9", 7},
    {"DELETE FROM audit_head", 7},
};

static void what_is_cut_put_in_or_moved_is_named(void **state)
{
    struct store *st = *state;

    for (size_t i = 0; i < sizeof TAMPERING / sizeof TAMPERING[0]; i++) {
        assert_int_equal(store_begin(st), VS_OK);
        assert_int_equal(store_exec(st, TAMPERING[i].sql), VS_OK);
        struct audit_verdict v = verify(st);
        CHECK_ROW(i, !v.ok && v.first_bad == TAMPERING[i].first_bad);
        store_rollback(st);
    }
    assert_true(verify(st).ok);
}

static void a_file_without_a_log_is_told_from_a_broken_one(void **state)
{
    struct audit_verdict v;
    struct store_error error = {""};

    (void)state;
    assert_int_not_equal(audit_verify_file("/nowhere/state.db", &v, &error), VS_OK);
    assert_int_not_equal(audit_verify_file("CMakeLists.txt", &v, &error), VS_OK);
    assert_true(error.text[0] != '\0');
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_untouched_chain_holds),
        TEST(the_hash_is_what_the_header_says),
        TEST(any_changed_byte_is_named),
        TEST(a_text_that_moves_or_vanishes_is_named),
        TEST(what_is_cut_put_in_or_moved_is_named),
        TEST(a_file_without_a_log_is_told_from_a_broken_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
