/* One conformance suite for every engine of store/store.h: the same statements, the same answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "store/migrate.h"
#include "store/store.h"
#include "store/store_exec.h"

struct place {
    char dir[64];
    char address[128];
    struct store *st;
};

static void open_address(struct place *p)
{
    struct store_error error = {""};

    if (store_open(p->address, &p->st, &error) != VS_OK)
        fail_msg("%s", error.text);
    assert_int_equal(store_exec(p->st, "CREATE TABLE IF NOT EXISTS t (k BIGINT PRIMARY KEY, s TEXT, b BLOB)"), VS_OK);
}

static int open_sqlite(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    snprintf(p->dir, sizeof p->dir, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->address, sizeof p->address, "sqlite:%s/state.db", p->dir);
    open_address(p);
    *state = p;
    return 0;
}

static int open_memory(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    snprintf(p->address, sizeof p->address, "memory:");
    open_address(p);
    *state = p;
    return 0;
}

static int close_place(void **state)
{
    struct place *p = *state;
    const char *const name[] = {"state.db", "state.db-wal", "state.db-shm"};
    char path[128];

    store_close(p->st);
    for (size_t i = 0; i < 3 && p->dir[0] != '\0'; i++) {
        snprintf(path, sizeof path, "%s/%s", p->dir, name[i]);
        unlink(path);
    }
    if (p->dir[0] != '\0')
        rmdir(p->dir);
    free(p);
    return 0;
}

static enum vs_err put(struct store *st, int64_t k, const char *s)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO t (k, s) VALUES (?, ?)");

    store_bind_i64(q, 1, k);
    store_bind_text(q, 2, slice_str(s));
    return store_run(q);
}

static int64_t count(struct store *st)
{
    struct store_stmt *q = store_prepare(st, "SELECT count(*) FROM t");

    assert_int_equal(store_step(q), VS_OK);
    int64_t n = store_i64(q, 0);
    store_done(q);
    return n;
}

static void values_come_back_as_they_went_in(void **state)
{
    struct place *p = *state;
    const uint8_t bytes[] = {0, 1, 255, 0};
    struct store_stmt *q = store_prepare(p->st, "INSERT INTO t (k, s, b) VALUES (?, ?, ?)");

    store_bind_i64(q, 1, INT64_MIN);
    store_bind_text(q, 2, slice_str("na\xc3\xafve"));
    store_bind_blob(q, 3, slice_make(bytes, sizeof bytes));
    assert_int_equal(store_run(q), VS_OK);
    assert_int_equal(store_changes(p->st), 1);
    q = store_prepare(p->st, "INSERT INTO t (k, s, b) VALUES (?, ?, ?)");
    store_bind_i64(q, 1, INT64_MAX);
    store_bind_text(q, 2, slice_make(NULL, 0)); /* empty is not null */
    store_bind_null(q, 3);
    assert_int_equal(store_run(q), VS_OK);

    q = store_prepare(p->st, "SELECT k, s, b FROM t ORDER BY k");
    assert_int_equal(store_step(q), VS_OK);
    assert_true(store_i64(q, 0) == INT64_MIN);
    check_slice(store_text(q, 1), "na\xc3\xafve");
    assert_true(slice_equal(store_blob(q, 2), slice_make(bytes, sizeof bytes)));
    assert_int_equal(store_step(q), VS_OK);
    assert_true(store_i64(q, 0) == INT64_MAX);
    assert_false(store_is_null(q, 1));
    assert_int_equal(store_text(q, 1).len, 0);
    assert_true(store_is_null(q, 2));
    assert_int_equal(store_step(q), VS_ERR_END);
    store_done(q);
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct place *p = *state;

    assert_int_equal(store_begin(p->st), VS_OK);
    assert_int_equal(put(p->st, 1, "a"), VS_OK);
    store_rollback(p->st);
    assert_int_equal(count(p->st), 0);
    store_rollback(p->st); /* none runs: nothing happens */
    assert_int_equal(store_begin(p->st), VS_OK);
    assert_int_equal(put(p->st, 1, "a"), VS_OK);
    assert_int_equal(put(p->st, 1, "b"), VS_ERR_CONFLICT);
    assert_int_equal(put(p->st, 2, "b"), VS_OK);
    assert_int_equal(store_commit(p->st), VS_OK);
    assert_int_equal(count(p->st), 2);
}

static void a_statement_may_run_inside_itself(void **state)
{
    struct place *p = *state;
    int64_t pairs = 0;

    for (int64_t k = 1; k <= 3; k++)
        assert_int_equal(put(p->st, k, "x"), VS_OK);
    const char *sql = "SELECT k FROM t ORDER BY k";
    struct store_stmt *outer = store_prepare(p->st, sql);
    while (store_step(outer) == VS_OK) {
        struct store_stmt *inner = store_prepare(p->st, sql);
        assert_ptr_not_equal(inner, outer);
        while (store_step(inner) == VS_OK)
            pairs += store_i64(inner, 0) * 10 + store_i64(outer, 0);
        store_done(inner);
    }
    store_done(outer);
    assert_int_equal(pairs, 3 * (10 + 20 + 30) + 3 * (1 + 2 + 3));
}

static void bindings_do_not_outlive_their_use(void **state)
{
    struct place *p = *state;

    assert_int_equal(put(p->st, 1, "old"), VS_OK);
    struct store_stmt *q = store_prepare(p->st, "INSERT INTO t (k, s) VALUES (?, ?)");
    store_bind_i64(q, 1, 2);
    assert_int_equal(store_run(q), VS_OK); /* nothing bound to s */
    q = store_prepare(p->st, "SELECT s FROM t WHERE k = 2");
    assert_int_equal(store_step(q), VS_OK);
    assert_true(store_is_null(q, 0));
    store_done(q);
}

/* Every statement of the house in use needs ON CONFLICT and RETURNING. */
static void upsert_and_returning_work(void **state)
{
    struct place *p = *state;

    for (int64_t i = 1; i <= 3; i++) {
        struct store_stmt *q = store_prepare(p->st, "INSERT INTO t (k, s) VALUES (7, 'x') ON CONFLICT (k) DO UPDATE "
                                                    "SET b = NULL, s = t.s || excluded.s RETURNING length(s)");
        assert_int_equal(store_step(q), VS_OK);
        assert_int_equal(store_i64(q, 0), i);
        assert_int_equal(store_step(q), VS_ERR_END);
        store_done(q);
    }
}

static void broken_references_are_refused(void **state)
{
    struct place *p = *state;
    struct store_stmt *q =
        store_prepare(p->st, "INSERT INTO incident_alert (incident, alert, joined_us) VALUES (1, 'none', 0)");

    assert_int_equal(store_run(q), VS_ERR_CONFLICT);
}

static const struct migration STEPS[] = {{1, "one", "CREATE TABLE m1 (k BIGINT)"},
                                         {2, "two", "CREATE TABLE m2 (k BIGINT); INSERT INTO m2 VALUES (5)"},
                                         {3, "broken", "CREATE TABLE m3 (k BIGINT); INSERT INTO nowhere VALUES (1)"}};

static void migrations_apply_once_in_order_and_whole(void **state)
{
    struct place *p = *state;
    struct store_error error = {""};

    /* The house's own steps are applied already; take a fresh list in their place. */
    assert_int_equal(store_exec(p->st, "DELETE FROM schema_step"), VS_OK);
    assert_int_equal(migrate(p->st, STEPS, 2, &error), VS_OK);
    assert_int_equal(migrate(p->st, STEPS, 2, &error), VS_OK); /* CREATE TABLE again would fail */
    assert_int_not_equal(migrate(p->st, STEPS, 3, &error), VS_OK);
    assert_non_null(strstr(error.text, "0003-broken"));
    assert_int_equal(store_exec(p->st, "SELECT * FROM m2"), VS_OK);
    assert_int_not_equal(store_exec(p->st, "SELECT * FROM m3"), VS_OK); /* taken back with its step */
    assert_int_equal(migrate(p->st, STEPS, 1, &error), VS_ERR_VERSION); /* the database knows more than this build */
    assert_non_null(strstr(error.text, "newer"));
}

/* ---- what only a file can show */

static void a_second_handle_sees_commits_and_waits_for_the_writer(void **state)
{
    struct place *p = *state;
    struct store *other = NULL;
    struct store_error error = {""};

    assert_int_equal(store_open(p->address, &other, &error), VS_OK);
    assert_int_equal(store_begin(p->st), VS_OK);
    assert_int_equal(put(p->st, 1, "a"), VS_OK);
    assert_int_equal(count(other), 0); /* readers do not wait and see only what is committed */
    assert_int_equal(store_commit(p->st), VS_OK);
    assert_int_equal(count(other), 1);
    assert_int_equal(store_begin(other), VS_OK);
    assert_int_equal(put(other, 2, "b"), VS_OK);
    store_close(other); /* not committed: gone */
    assert_int_equal(count(p->st), 1);
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct place *p = *state;

    assert_int_equal(put(p->st, 1, "a"), VS_OK);
    store_close(p->st);
    open_address(p);
    assert_int_equal(count(p->st), 1);
}

static void a_readonly_handle_changes_nothing(void **state)
{
    struct place *p = *state;
    struct store *ro = NULL;
    struct store_error error = {""};
    char address[160];

    assert_int_equal(put(p->st, 1, "a"), VS_OK);
    snprintf(address, sizeof address, "sqlite-readonly:%s/state.db", p->dir);
    assert_int_equal(store_open(address, &ro, &error), VS_OK);
    assert_int_equal(count(ro), 1);
    assert_int_equal(put(ro, 2, "b"), VS_ERR_FORBIDDEN);
    store_close(ro);
}

static void addresses_that_are_none_are_refused(void **state)
{
    struct store *st = NULL;
    struct store_error error = {""};

    (void)state;
    assert_int_equal(store_open("mysql:x", &st, &error), VS_ERR_CONFIG);
    assert_int_equal(store_open("sqlite", &st, &error), VS_ERR_CONFIG);
    assert_int_not_equal(store_open("sqlite:/nowhere/at/all/state.db", &st, &error), VS_OK);
    assert_true(error.text[0] != '\0');
    assert_int_equal(store_open("sqlite:/dev/null", &st, &error) == VS_OK, false);
    assert_null(st);
}

#define BOTH(test)                                                                                                     \
    cmocka_unit_test_setup_teardown(test, open_sqlite, close_place),                                                   \
        cmocka_unit_test_setup_teardown(test, open_memory, close_place)
#define FILE_ONLY(test) cmocka_unit_test_setup_teardown(test, open_sqlite, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(values_come_back_as_they_went_in),
        BOTH(a_transaction_is_all_or_nothing),
        BOTH(a_statement_may_run_inside_itself),
        BOTH(bindings_do_not_outlive_their_use),
        BOTH(upsert_and_returning_work),
        BOTH(broken_references_are_refused),
        BOTH(migrations_apply_once_in_order_and_whole),
        FILE_ONLY(a_second_handle_sees_commits_and_waits_for_the_writer),
        FILE_ONLY(what_was_committed_is_there_after_reopening),
        FILE_ONLY(a_readonly_handle_changes_nothing),
        cmocka_unit_test(addresses_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
