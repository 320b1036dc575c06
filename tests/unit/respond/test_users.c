/* Logging in, staying logged in, and being kept out, with a clock that the test turns. */
#include <string.h>

#include "check.h"
#include "respond/audit.h"
#include "respond/users.h"

#define MINUTE INT64_C(60000000)
static const char PASSWORD[] = "correct horse battery";

struct world {
    struct store *st;
    int64_t now_us;
    uint8_t draw; /* what the next random bytes are made of */
    char token[USERS_TOKEN_TEXT];
    struct session session;
    int64_t retry_s;
};

static int open_world(void **state)
{
    static struct world w;
    struct store_error error;
    const uint8_t salt[USERS_SALT_SIZE] = {1};

    memset(&w, 0, sizeof w);
    w.now_us = INT64_C(1700000000000000);
    assert_int_equal(store_open("memory:", &w.st, &error), VS_OK);
    assert_int_equal(users_put(w.st, slice_str("anna"), slice_str("Anna A."), ROLE_BIT(ROLE_T2), slice_str(PASSWORD),
                               salt, false, w.now_us),
                     VS_OK);
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;

    store_close(w->st);
    return 0;
}

static enum vs_err login_from(struct world *w, const char *name, const char *password, const char *address)
{
    uint8_t random[2 * USERS_TOKEN_SIZE];

    memset(random, ++w->draw, sizeof random);
    random[USERS_TOKEN_SIZE] ^= 0x55;
    return users_login(w->st, slice_str(name), slice_str(password), slice_str(address), random, w->now_us, w->token,
                       &w->session, &w->retry_s);
}

static enum vs_err login(struct world *w, const char *name, const char *password)
{
    return login_from(w, name, password, "10.0.0.1");
}

static enum vs_err alive(struct world *w)
{
    return users_session(w->st, slice_str(w->token), w->now_us, &w->session);
}

static void a_session_lives_while_it_is_used_and_then_ends(void **state)
{
    struct world *w = *state;

    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    assert_string_equal(w->session.user.display, "Anna A.");
    assert_int_equal(w->session.user.roles, ROLE_BIT(ROLE_T2));
    for (int64_t us = 0; us + 50 * MINUTE < USERS_SESSION_US; us += 50 * MINUTE) {
        assert_int_equal(alive(w), VS_OK);
        w->now_us += 50 * MINUTE;
    }
    w->now_us += 50 * MINUTE; /* twelve hours are over, however busy it was */
    assert_int_equal(alive(w), VS_ERR_AUTH);
}

static void an_idle_session_ends(void **state)
{
    struct world *w = *state;

    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    w->now_us += USERS_IDLE_US - 1;
    assert_int_equal(alive(w), VS_OK);
    w->now_us += USERS_IDLE_US;
    assert_int_equal(alive(w), VS_ERR_AUTH);
}

static void the_database_has_neither_password_nor_cookie(void **state)
{
    struct world *w = *state;

    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    struct store_stmt *q = store_prepare(w->st, "SELECT u.password, s.token FROM app_user u, session s");
    assert_int_equal(store_step(q), VS_OK);
    assert_true(slice_starts(store_text(q, 0), slice_str("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_false(slice_equal_str(store_text(q, 1), w->token));
    store_done(q);
}

static void failures_shut_a_name_for_a_while(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < USERS_FAILURES_MAX; i++)
        assert_int_equal(login(w, "anna", "wrong"), VS_ERR_AUTH);
    assert_int_equal(login(w, "anna", PASSWORD), VS_ERR_QUOTA);
    assert_true(w->retry_s > 0 && w->retry_s <= USERS_WINDOW_US / 1000000);
    w->now_us += w->retry_s * 1000000;
    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    for (int i = 0; i < USERS_FAILURES_MAX - 1; i++) /* a success starts the count anew */
        assert_int_equal(login(w, "anna", "wrong"), VS_ERR_AUTH);
    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
}

static void failures_shut_an_address_for_a_while(void **state)
{
    struct world *w = *state;
    char name[] = "user-a";

    for (int i = 0; i < USERS_ADDRESS_FAILURES_MAX; i++) {
        name[5] = (char)('a' + i % 25);
        w->now_us += 1;
        assert_int_equal(login_from(w, name, "wrong", "10.9.9.9") == VS_OK, false);
    }
    /* Fifty tries from one place, spread over names, some of which were shut before. */
    while (login_from(w, "fresh", "wrong", "10.9.9.9") == VS_ERR_AUTH)
        ;
    assert_int_equal(login_from(w, "anna", PASSWORD, "10.9.9.9"), VS_ERR_QUOTA);
    assert_int_equal(login_from(w, "anna", PASSWORD, "10.0.0.1"), VS_OK);
}

static void csrf_tokens_are_of_one_session(void **state)
{
    struct world *w = *state;

    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    struct session first = w->session;
    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    assert_true(users_csrf_ok(&first, slice_str(first.csrf)));
    assert_false(users_csrf_ok(&first, slice_str(w->session.csrf)));
    assert_false(users_csrf_ok(&first, slice_make(NULL, 0)));
    assert_false(users_csrf_ok(&first, slice_head(slice_str(first.csrf), 63)));
}

static void a_new_password_ends_the_sessions(void **state)
{
    struct world *w = *state;
    const uint8_t salt[USERS_SALT_SIZE] = {2};

    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    assert_int_equal(users_put(w->st, slice_str("anna"), slice_str(""), ROLE_BIT(ROLE_T1), slice_str("something else"),
                               salt, false, w->now_us),
                     VS_ERR_EXISTS);
    assert_int_equal(alive(w), VS_OK);
    assert_int_equal(users_put(w->st, slice_str("anna"), slice_str(""), ROLE_BIT(ROLE_T1), slice_str("something else"),
                               salt, true, w->now_us),
                     VS_OK);
    assert_int_equal(alive(w), VS_ERR_AUTH);
    assert_int_equal(login(w, "anna", PASSWORD), VS_ERR_AUTH);
    assert_int_equal(login(w, "anna", "something else"), VS_OK);
    assert_int_equal(w->session.user.roles, ROLE_BIT(ROLE_T1));
}

static void logging_out_ends_it_at_once(void **state)
{
    struct world *w = *state;

    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    assert_int_equal(users_logout(w->st, slice_str(w->token), slice_str("x"), w->now_us), VS_OK);
    assert_int_equal(alive(w), VS_ERR_AUTH);
    assert_int_equal(users_logout(w->st, slice_str(w->token), slice_str("x"), w->now_us), VS_ERR_AUTH);
}

static void every_login_is_on_record(void **state)
{
    struct world *w = *state;
    struct audit_verdict v;

    assert_int_equal(login(w, "anna", "wrong"), VS_ERR_AUTH);
    assert_int_equal(login(w, "An\nna <script>", "wrong"), VS_ERR_AUTH);
    assert_int_equal(login(w, "anna", PASSWORD), VS_OK);
    struct store_stmt *q = store_prepare(w->st, "SELECT act, who FROM audit ORDER BY seq");
    static const char *const WANT[][2] = {
        {"user.put", "system"}, {"login.failed", "anna"}, {"login.failed", "unknown"}, {"login", "anna"}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(store_step(q), VS_OK);
        check_slice(store_text(q, 0), WANT[i][0]);
        check_slice(store_text(q, 1), WANT[i][1]);
    }
    store_done(q);
    assert_int_equal(audit_verify(w->st, &v), VS_OK);
    assert_true(v.ok);
}

static void names_and_passwords_have_rules(void **state)
{
    static const char *const GOOD[] = {"a", "anna.b", "x@y-z_9"};
    static const char *const BAD[] = {
        "",   "Anna", "me",  "none",     "system",
        "-a", "a b",  "a,b", "\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        CHECK_ROW(i, users_name_fault(slice_str(GOOD[i])) == NULL);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        CHECK_ROW(i, users_name_fault(slice_str(BAD[i])) != NULL);
    assert_non_null(users_password_fault(slice_str("123456789")));
    assert_null(users_password_fault(slice_str("1234567890")));
    assert_non_null(users_password_fault(slice_str("123456789\xff")));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_lives_while_it_is_used_and_then_ends),
        TEST(an_idle_session_ends),
        TEST(the_database_has_neither_password_nor_cookie),
        TEST(failures_shut_a_name_for_a_while),
        TEST(failures_shut_an_address_for_a_while),
        TEST(csrf_tokens_are_of_one_session),
        TEST(a_new_password_ends_the_sessions),
        TEST(logging_out_ends_it_at_once),
        TEST(every_login_is_on_record),
        cmocka_unit_test(names_and_passwords_have_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
