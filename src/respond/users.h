/* users: the people who log in, their sessions, and what keeps a guesser out.
 *
 * Passwords are kept as argon2id (19 MiB, 2 passes: the OWASP floor). A session is 32 random bytes in a cookie, of
 * which the database has only the SHA-256; it ends USERS_SESSION_US after login or USERS_IDLE_US after its last use.
 * Each has a CSRF token that every changing request repeats. Failed logins are counted per user name and per address
 * within USERS_WINDOW_US; past the limit nobody is let in under that name or from that address until the window is
 * over, right password or not. An unknown name costs the same time as a wrong password.
 *
 * Random bytes and the time are handed in. Functions that write open their own transaction. */
#ifndef RESPOND_USERS_H
#define RESPOND_USERS_H

#include "respond/roles.h"
#include "store/store.h"

#define USERS_NAME_MAX             64
#define USERS_PASSWORD_MIN         10
#define USERS_PASSWORD_MAX         256
#define USERS_SALT_SIZE            16
#define USERS_TOKEN_SIZE           32
#define USERS_TOKEN_TEXT           (2 * USERS_TOKEN_SIZE + 1)
#define USERS_SESSION_US           INT64_C(43200000000) /* 12 h */
#define USERS_IDLE_US              INT64_C(3600000000)  /* 1 h */
#define USERS_WINDOW_US            INT64_C(900000000)   /* 15 min */
#define USERS_FAILURES_MAX         5                    /* per name and window */
#define USERS_ADDRESS_FAILURES_MAX 50                   /* per address and window; a team may sit behind one */

struct user {
    char name[USERS_NAME_MAX + 1];
    char display[2 * USERS_NAME_MAX + 1];
    uint32_t roles;
};

struct session {
    struct user user;
    char csrf[USERS_TOKEN_TEXT];
    int64_t expires_us;
};

/* Why a name or password is not accepted; NULL when it is. */
const char *users_name_fault(struct slice name);
const char *users_password_fault(struct slice password);

/* Adds a user, or with `replace` gives an existing one these roles, display name and password and ends their sessions.
 * VS_ERR_EXISTS, VS_ERR_RANGE (see the fault functions). */
VS_MUST_USE enum vs_err users_put(struct store *st, struct slice name, struct slice display, uint32_t roles,
                                  struct slice password, const uint8_t salt[USERS_SALT_SIZE], bool replace,
                                  int64_t now_us);

/* Checks name and password and starts a session. `random` becomes the cookie and the CSRF token. VS_ERR_AUTH: wrong;
 * VS_ERR_QUOTA: too many failures, *ret_retry_s says for how long. */
VS_MUST_USE enum vs_err users_login(struct store *st, struct slice name, struct slice password, struct slice address,
                                    const uint8_t random[2 * USERS_TOKEN_SIZE], int64_t now_us,
                                    char ret_token[USERS_TOKEN_TEXT], struct session *ret, int64_t *ret_retry_s);
/* The session of a cookie. VS_ERR_AUTH when there is none that is alive. Notes the use once a minute. */
VS_MUST_USE enum vs_err users_session(struct store *st, struct slice token, int64_t now_us, struct session *ret);
VS_MUST_USE enum vs_err users_logout(struct store *st, struct slice token, struct slice address, int64_t now_us);
/* Equal CSRF tokens, in constant time. */
bool users_csrf_ok(const struct session *s, struct slice token);
/* VS_ERR_NOT_FOUND. Disabled users are not found. */
VS_MUST_USE enum vs_err users_find(struct store *st, struct slice name, struct user *ret);

#endif
