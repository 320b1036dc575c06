/* call: one request on its way through the api: who asks, what came in, and how it is answered.
 *
 * A handler answers exactly once, with one of the reply functions; after that the call is over. What a handler reads
 * from a call (path parts, body) is borrowed until then. */
#ifndef API_CALL_H
#define API_CALL_H

#include <jansson.h>

#include "api/api.h"
#include "respond/act.h"
#include "respond/roles.h"
#include "respond/users.h"

#define CALL_PARTS_MAX       2
#define CALL_REQUEST_ID_SIZE 33

struct static_files;
struct event_log;
struct health;

struct api {
    struct api_config cfg;
    struct static_files *files; /* NULL = no console */
    struct event_log *log;
    struct health *health; /* what was read last, for HEALTH_KEEP_US */
    unsigned streams;      /* live now */
    uint64_t requests;
};

struct call {
    struct api *api;
    struct http_request *rq;
    struct store *st;
    int64_t now_us;
    char request_id[CALL_REQUEST_ID_SIZE];
    struct slice part[CALL_PARTS_MAX]; /* what {name} stood for in the path, in order */
    bool has_session;
    struct session session;
    uint32_t permissions; /* PERM_BITs of the session's user */
    json_t *body;         /* checked against the route's fields; NULL when the route takes none */
};

static inline bool call_may(const struct call *c, enum permission p)
{
    return (c->permissions & PERM_BIT(p)) != 0;
}

struct actor call_actor(struct call *c);

/* ---- answers */

/* Takes the value. */
void reply_json(struct call *c, int status, json_t *value);
void reply_empty(struct call *c, int status);

/* What a problem says beyond its code. NULL and 0 = not said. */
struct problem {
    const char *detail;
    const char *field;
    uint32_t missing;     /* FACT_BITs */
    int needs_permission; /* enum permission, -1 = none */
    int64_t version;
    int64_t retry_after_s;
};

void reply_problem(struct call *c, enum vs_err err, const struct problem *p);
/* A problem with a detail and, when it is about one, the name of the field. */
void reply_fault(struct call *c, enum vs_err err, const char *field, const char *detail);
/* The problem that a refused act tells. */
void reply_refusal(struct call *c, enum vs_err err, const struct act_refusal *r);
/* A failure of the store, when there is nothing better to say. */
void reply_store_failure(struct call *c, enum vs_err err);

/* ---- pieces of JSON */

json_t *json_slice(struct slice s);         /* text; bytes that are not UTF-8 become U+FFFD */
json_t *json_slice_or_null(struct slice s); /* null when empty */
json_t *json_time(int64_t us);
json_t *json_time_or_null(int64_t us);                  /* null when 0 */
json_t *json_column(struct store_stmt *q, int at);      /* text, or null for NULL */
json_t *json_time_column(struct store_stmt *q, int at); /* time, or null for NULL */
json_t *json_total(int64_t value);

#endif
