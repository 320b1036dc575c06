#include <argon2.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "core/utf8.h"
#include "core/writer.h"
#include "respond/audit.h"
#include "respond/users.h"

#define ARGON2_KIB    19456
#define ARGON2_PASSES 2
#define ARGON2_LANES  1
#define HASH_SIZE     32
#define ENCODED_SIZE  160
#define NOTE_USE_US   INT64_C(60000000)

/* The hash of a password that nobody has, so that an unknown name takes as long as a known one. */
static const char NOBODY[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const char *users_name_fault(struct slice name)
{
    if (name.len == 0 || name.len > USERS_NAME_MAX)
        return "a user name has 1 to 64 characters";
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '@';
        if (!ok)
            return "a user name has lower-case letters, digits, and . _ - @ only";
    }
    if (slice_equal_str(name, "me") || slice_equal_str(name, "none") || slice_equal_str(name, "system") ||
        name.ptr[0] == '-')
        return "me, none and system are taken, and a name does not begin with a minus";
    return NULL;
}

const char *users_password_fault(struct slice password)
{
    if (password.len < USERS_PASSWORD_MIN)
        return "a password has at least 10 characters";
    if (password.len > USERS_PASSWORD_MAX)
        return "a password has at most 256 bytes";
    return utf8_valid(password) ? NULL : "a password is UTF-8 text";
}

static void hex_text(const uint8_t *bytes, size_t size, char *text)
{
    struct writer w;

    writer_init(&w, text, 2 * size);
    writer_hex(&w, slice_make(bytes, size), false);
    text[2 * size] = '\0';
}

static struct slice roles_text(uint32_t roles, char *buf, size_t size)
{
    struct writer w;

    writer_init(&w, buf, size);
    for (int r = 0; r < ROLE_COUNT; r++) {
        if (!(roles & ROLE_BIT(r)))
            continue;
        if (w.len > 0)
            writer_text(&w, ",");
        writer_text(&w, role_code((enum role)r));
    }
    return writer_slice(&w);
}

static enum vs_err write_user(struct store *st, struct slice name, struct slice display, uint32_t roles,
                              const char *encoded, bool replace, int64_t now_us)
{
    char buf[128];
    struct store_stmt *q = store_prepare(
        st, replace ? "INSERT INTO app_user (name, display, roles, password, disabled, created_us) "
                      "VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (name) DO UPDATE SET display = excluded.display, "
                      "roles = excluded.roles, password = excluded.password, disabled = 0"
                    : "INSERT INTO app_user (name, display, roles, password, disabled, created_us) "
                      "VALUES (?, ?, ?, ?, 0, ?)");

    store_bind_text(q, 1, name);
    store_bind_text(q, 2, display.len > 0 ? display : name);
    store_bind_text(q, 3, roles_text(roles, buf, sizeof buf));
    store_bind_text(q, 4, slice_str(encoded));
    store_bind_i64(q, 5, now_us);
    enum vs_err err = store_run(q);
    if (err != VS_OK)
        return err == VS_ERR_CONFLICT ? VS_ERR_EXISTS : err;
    q = store_prepare(st, "DELETE FROM session WHERE name = ?");
    store_bind_text(q, 1, name);
    return store_run(q);
}

enum vs_err users_put(struct store *st, struct slice name, struct slice display, uint32_t roles, struct slice password,
                      const uint8_t salt[USERS_SALT_SIZE], bool replace, int64_t now_us)
{
    char encoded[ENCODED_SIZE], buf[128];

    if (users_name_fault(name) != NULL || users_password_fault(password) != NULL || roles == 0)
        return VS_ERR_RANGE;
    if (display.len > 2 * USERS_NAME_MAX || !utf8_valid(display))
        return VS_ERR_RANGE;
    if (argon2id_hash_encoded(ARGON2_PASSES, ARGON2_KIB, ARGON2_LANES, password.ptr, password.len, salt,
                              USERS_SALT_SIZE, HASH_SIZE, encoded, sizeof encoded) != ARGON2_OK)
        return VS_ERR_NO_MEMORY;
    struct audit_record rec = {.who = SLICE_LIT("system"),
                               .act = SLICE_LIT("user.put"),
                               .object = name,
                               .after = roles_text(roles, buf, sizeof buf),
                               .source = SLICE_LIT("command line")};
    enum vs_err err = store_begin(st);
    if (err != VS_OK)
        return err;
    err = write_user(st, name, display, roles, encoded, replace, now_us);
    if (err == VS_OK)
        err = audit_add(st, &rec, now_us, NULL);
    if (err == VS_OK)
        err = store_commit(st);
    if (err != VS_OK)
        store_rollback(st);
    return err;
}

/* ---- failures */

static void subject_text(const char *kind, struct slice what, char *buf, size_t size)
{
    snprintf(buf, size, "%s:%.*s", kind, (int)(what.len < 100 ? what.len : 100), (const char *)what.ptr);
}

/* Seconds until the subject may try again; 0 when it may now. */
static int64_t blocked_s(struct store *st, const char *subject, int64_t limit, int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "SELECT window_us, failures FROM login_attempt WHERE subject = ?");
    int64_t wait_us = 0;

    store_bind_text(q, 1, slice_str(subject));
    if (store_step(q) == VS_OK && store_i64(q, 1) >= limit)
        wait_us = store_i64(q, 0) + USERS_WINDOW_US - now_us;
    store_done(q);
    return wait_us > 0 ? (wait_us + 999999) / 1000000 : 0;
}

static enum vs_err count_failure(struct store *st, const char *subject, int64_t now_us)
{
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO login_attempt (subject, window_us, failures) VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE "
        "SET failures = CASE WHEN login_attempt.window_us <= ? THEN 1 ELSE login_attempt.failures + 1 END, "
        "window_us = CASE WHEN login_attempt.window_us <= ? THEN excluded.window_us ELSE login_attempt.window_us END");

    store_bind_text(q, 1, slice_str(subject));
    store_bind_i64(q, 2, now_us);
    store_bind_i64(q, 3, now_us - USERS_WINDOW_US);
    store_bind_i64(q, 4, now_us - USERS_WINDOW_US);
    return store_run(q);
}

static enum vs_err forget(struct store *st, const char *sql, const char *subject, int64_t before_us)
{
    struct store_stmt *q = store_prepare(st, sql);

    if (subject != NULL)
        store_bind_text(q, 1, slice_str(subject));
    else
        store_bind_i64(q, 1, before_us);
    return store_run(q);
}

/* ---- login */

static bool read_user(struct store_stmt *q, struct user *ret)
{
    return slice_to_str(store_text(q, 0), ret->name, sizeof ret->name) &&
           slice_to_str(store_text(q, 1), ret->display, sizeof ret->display) &&
           roles_parse(store_text(q, 2), &ret->roles);
}

static bool password_ok(struct store *st, struct slice name, struct slice password, struct user *ret)
{
    char encoded[ENCODED_SIZE];
    struct store_stmt *q =
        store_prepare(st, "SELECT name, display, roles, password FROM app_user WHERE name = ? AND disabled = 0");

    store_bind_text(q, 1, name);
    bool known = store_step(q) == VS_OK && read_user(q, ret) && slice_to_str(store_text(q, 3), encoded, sizeof encoded);
    store_done(q);
    int rc = argon2id_verify(known ? encoded : NOBODY, password.ptr, password.len);
    return known && rc == ARGON2_OK;
}

static void token_hash(struct slice token, char ret[2 * SHA256_SIZE + 1])
{
    uint8_t hash[SHA256_SIZE];

    sha256(token, hash);
    hex_text(hash, sizeof hash, ret);
}

static enum vs_err write_session(struct store *st, const char *token, const struct session *s, int64_t now_us)
{
    char hash[2 * SHA256_SIZE + 1];
    struct store_stmt *q = store_prepare(st, "INSERT INTO session (token, name, csrf, created_us, seen_us, expires_us) "
                                             "VALUES (?, ?, ?, ?, ?, ?)");

    token_hash(slice_str(token), hash);
    store_bind_text(q, 1, slice_str(hash));
    store_bind_text(q, 2, slice_str(s->user.name));
    store_bind_text(q, 3, slice_str(s->csrf));
    store_bind_i64(q, 4, now_us);
    store_bind_i64(q, 5, now_us);
    store_bind_i64(q, 6, s->expires_us);
    return store_run(q);
}

static enum vs_err audit_login(struct store *st, const char *act, struct slice name, struct slice address,
                               int64_t now_us)
{
    struct audit_record rec = {.who = name, .act = slice_str(act), .object = name, .source = address};

    return audit_add(st, &rec, now_us, NULL);
}

/* What is written after the password was judged: either a session, or one more failure. */
static enum vs_err settle(struct store *st, bool ok, struct slice name, struct slice address, const char *by_name,
                          const char *by_address, const char *token, const struct session *s, int64_t now_us)
{
    enum vs_err err = store_begin(st);

    if (err != VS_OK)
        return err;
    if (ok) {
        err = forget(st, "DELETE FROM login_attempt WHERE subject = ?", by_name, 0);
        if (err == VS_OK)
            err = forget(st, "DELETE FROM session WHERE expires_us < ?", NULL, now_us);
        if (err == VS_OK)
            err = write_session(st, token, s, now_us);
    } else {
        err = count_failure(st, by_name, now_us);
        if (err == VS_OK)
            err = count_failure(st, by_address, now_us);
        if (err == VS_OK)
            err = forget(st, "DELETE FROM login_attempt WHERE window_us < ?", NULL, now_us - USERS_WINDOW_US);
    }
    if (err == VS_OK)
        err = audit_login(st, ok ? "login" : "login.failed", name, address, now_us);
    if (err == VS_OK)
        err = store_commit(st);
    if (err != VS_OK)
        store_rollback(st);
    return err;
}

enum vs_err users_login(struct store *st, struct slice name, struct slice password, struct slice address,
                        const uint8_t random[2 * USERS_TOKEN_SIZE], int64_t now_us, char ret_token[USERS_TOKEN_TEXT],
                        struct session *ret, int64_t *ret_retry_s)
{
    char by_name[128], by_address[128], token[USERS_TOKEN_TEXT];
    struct session s = {.expires_us = now_us + USERS_SESSION_US};

    if (users_name_fault(name) != NULL || password.len > USERS_PASSWORD_MAX)
        name = slice_str("unknown"); /* costs what every failure costs, and no stranger's text enters the log */
    subject_text("user", name, by_name, sizeof by_name);
    subject_text("address", address, by_address, sizeof by_address);
    int64_t wait_name = blocked_s(st, by_name, USERS_FAILURES_MAX, now_us);
    int64_t wait_address = blocked_s(st, by_address, USERS_ADDRESS_FAILURES_MAX, now_us);
    if (wait_name > 0 || wait_address > 0) {
        *ret_retry_s = wait_name > wait_address ? wait_name : wait_address;
        return VS_ERR_QUOTA;
    }
    bool ok = password_ok(st, name, slice_head(password, USERS_PASSWORD_MAX), &s.user);
    hex_text(random, USERS_TOKEN_SIZE, token);
    hex_text(random + USERS_TOKEN_SIZE, USERS_TOKEN_SIZE, s.csrf);
    enum vs_err err = settle(st, ok, name, address, by_name, by_address, token, &s, now_us);
    if (err != VS_OK)
        return err;
    if (!ok)
        return VS_ERR_AUTH;
    memcpy(ret_token, token, sizeof token);
    *ret = s;
    return VS_OK;
}

/* ---- sessions */

static enum vs_err note_use(struct store *st, const char *hash, int64_t now_us)
{
    enum vs_err err = store_begin(st);

    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "UPDATE session SET seen_us = ? WHERE token = ?");
    store_bind_i64(q, 1, now_us);
    store_bind_text(q, 2, slice_str(hash));
    err = store_run(q);
    if (err == VS_OK)
        err = store_commit(st);
    if (err != VS_OK)
        store_rollback(st);
    return err;
}

enum vs_err users_session(struct store *st, struct slice token, int64_t now_us, struct session *ret)
{
    char hash[2 * SHA256_SIZE + 1];
    struct session s;
    struct store_stmt *q = store_prepare(
        st, "SELECT u.name, u.display, u.roles, s.csrf, s.expires_us, s.seen_us FROM session s JOIN app_user u "
            "ON u.name = s.name WHERE s.token = ? AND u.disabled = 0");

    token_hash(token, hash);
    store_bind_text(q, 1, slice_str(hash));
    enum vs_err err = store_step(q);
    bool good = err == VS_OK && read_user(q, &s.user) && slice_to_str(store_text(q, 3), s.csrf, sizeof s.csrf);
    s.expires_us = good ? store_i64(q, 4) : 0;
    int64_t seen_us = good ? store_i64(q, 5) : 0;
    store_done(q);
    if (err != VS_OK && err != VS_ERR_END)
        return err;
    if (!good || now_us >= s.expires_us || now_us - seen_us >= USERS_IDLE_US)
        return VS_ERR_AUTH;
    /* A use that could not be noted does not shut anybody out; it is noted with the next one. */
    if (now_us - seen_us >= NOTE_USE_US)
        (void)!note_use(st, hash, now_us);
    *ret = s;
    return VS_OK;
}

enum vs_err users_logout(struct store *st, struct slice token, struct slice address, int64_t now_us)
{
    char hash[2 * SHA256_SIZE + 1];
    struct session s;
    enum vs_err err = users_session(st, token, now_us, &s);

    if (err != VS_OK)
        return err;
    token_hash(token, hash);
    err = store_begin(st);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "DELETE FROM session WHERE token = ?");
    store_bind_text(q, 1, slice_str(hash));
    err = store_run(q);
    if (err == VS_OK)
        err = audit_login(st, "logout", slice_str(s.user.name), address, now_us);
    if (err == VS_OK)
        err = store_commit(st);
    if (err != VS_OK)
        store_rollback(st);
    return err;
}

bool users_csrf_ok(const struct session *s, struct slice token)
{
    return crypto_equal(slice_str(s->csrf), token);
}

enum vs_err users_find(struct store *st, struct slice name, struct user *ret)
{
    struct user u;
    struct store_stmt *q =
        store_prepare(st, "SELECT name, display, roles FROM app_user WHERE name = ? AND disabled = 0");

    store_bind_text(q, 1, name);
    enum vs_err err = store_step(q);
    bool good = err == VS_OK && read_user(q, &u);
    store_done(q);
    if (good)
        *ret = u;
    return good ? VS_OK : err == VS_OK || err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
}
