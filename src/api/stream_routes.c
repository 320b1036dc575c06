/* Server-sent events: what changed, so that a screen refetches it.
 *
 * A stream follows the change feed from the sequence that its client has seen (Last-Event-ID) or from now on. Changes
 * are sent at most every STREAM_EVERY_US and topic, the newest standing for all of the topic; "*" says that there were
 * several objects. A heartbeat goes out at once and then every HEARTBEAT_US; with it the session is looked at again,
 * and a stream whose session has ended ends too. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/filter.h"
#include "api/health.h"
#include "api/route.h"
#include "store/change.h"

#define STREAM_EVERY_US INT64_C(500000)
#define HEARTBEAT_US    INT64_C(5000000)
#define TOPICS          6
#define ROOM_NEEDED     512 /* bytes of one event */

static const char *const TOPIC[TOPICS] = {"incident", "alert", "vehicle", "ledger", "health", "silence"};

struct stream_state {
    struct api *api;
    char token[USERS_TOKEN_TEXT];
    int64_t seen_seq;
    int64_t sent_us, heartbeat_us;
    bool reset; /* the client is too far behind: it is told to start over */
};

/* What is to be told of one topic. */
struct news {
    int64_t seq, version;
    unsigned objects;
    char object[96];
};

static void put_event(struct writer *w, const char *name, int64_t id, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);
    char head[64];

    json_decref(data);
    if (text == NULL)
        return;
    snprintf(head, sizeof head, "id: %" PRId64 "\nevent: %s\ndata: ", id, name);
    writer_text(w, head);
    writer_text(w, text);
    writer_text(w, "\n\n");
    free(text);
}

static int topic_number(struct slice name)
{
    for (int t = 0; t < TOPICS; t++)
        if (slice_equal_str(name, TOPIC[t]))
            return t;
    return -1;
}

/* Reads what came after the sequence that was seen, folded by topic. Returns the newest sequence read. */
static int64_t read_news(struct stream_state *s, struct news news[TOPICS])
{
    struct store_stmt *q =
        store_prepare(s->api->cfg.store, "SELECT seq, topic, object, version FROM change WHERE seq > ? ORDER BY seq");
    int64_t last = s->seen_seq;

    memset(news, 0, TOPICS * sizeof news[0]);
    store_bind_i64(q, 1, s->seen_seq);
    while (store_step(q) == VS_OK) {
        last = store_i64(q, 0);
        int t = topic_number(store_text(q, 1));
        if (t < 0)
            continue;
        struct slice object = slice_head(store_text(q, 2), sizeof news[t].object - 1);
        if (news[t].objects == 0 || !slice_equal_str(object, news[t].object))
            news[t].objects++;
        memcpy(news[t].object, object.ptr, object.len);
        news[t].object[object.len] = '\0';
        news[t].seq = last;
        news[t].version = store_i64(q, 3);
    }
    store_done(q);
    return last;
}

static void put_changes(struct stream_state *s, struct writer *w, int64_t now_us)
{
    struct news news[TOPICS];

    if (now_us - s->sent_us < STREAM_EVERY_US)
        return;
    int64_t last = read_news(s, news);
    /* In the order of the sequence, so that the last id a client keeps covers all it was sent. */
    for (int64_t from = s->seen_seq;;) {
        int best = -1;
        for (int t = 0; t < TOPICS; t++)
            if (news[t].objects > 0 && news[t].seq > from && (best < 0 || news[t].seq < news[best].seq))
                best = t;
        if (best < 0)
            break;
        from = news[best].seq;
        put_event(w, "change", from,
                  json_pack("{s:s, s:s, s:I, s:I}", "topic", TOPIC[best], "id",
                            news[best].objects > 1 ? "*" : news[best].object, "version", (json_int_t)news[best].version,
                            "seq", (json_int_t)from));
        s->sent_us = now_us;
    }
    s->seen_seq = last;
}

static void put_heartbeat(struct stream_state *s, struct writer *w, int64_t now_us)
{
    struct call c = {.api = s->api, .st = s->api->cfg.store, .now_us = now_us};
    struct health h;

    health_read(&c, &h);
    s->heartbeat_us = now_us;
    put_event(w, "heartbeat", s->seen_seq,
              json_pack("{s:I, s:o, s:o, s:o, s:I, s:i}", "seq", (json_int_t)s->seen_seq, "time", json_time(now_us),
                        "lag_ms", h.ingest_known ? json_integer(h.ingest_lag_ms) : json_null(), "detect_lag_ms",
                        h.detect_known ? json_integer(h.detect_lag_ms) : json_null(), "silent_vehicles",
                        (json_int_t)h.silent_vehicles, "blind_spots", (int)h.spot_count));
}

static ssize_t stream_feed(uint8_t *buf, size_t size, void *ctx)
{
    struct stream_state *s = ctx;
    int64_t now_us = s->api->cfg.now_us(s->api->cfg.ctx);
    struct session session;
    struct writer w;

    if (size < (TOPICS + 2) * ROOM_NEEDED)
        return -1; /* the server's buffer is smaller than what one turn may say: a bug that ends the stream */
    writer_init(&w, buf, size);
    if (s->reset) {
        s->reset = false;
        writer_text(&w, "event: reset\ndata: \n\n");
    }
    if (s->heartbeat_us == 0 || now_us - s->heartbeat_us >= HEARTBEAT_US) {
        if (users_session(s->api->cfg.store, slice_str(s->token), now_us, &session) != VS_OK)
            return -1;
        put_heartbeat(s, &w, now_us);
    }
    put_changes(s, &w, now_us);
    return (ssize_t)w.len;
}

static void stream_end(void *ctx)
{
    struct stream_state *s = ctx;

    s->api->streams--;
    free(s);
}

/* Where the client goes on. A sequence that the feed no longer has means that changes may be lost: start over. */
static void start_at(struct stream_state *s, const char *last_id)
{
    int64_t head = change_head(s->api->cfg.store), seen = 0;

    s->seen_seq = head;
    if (last_id == NULL || last_id[0] == '\0')
        return;
    if (filter_number(last_id, INT64_MAX, &seen) != VS_OK || seen > head ||
        seen < head - CHANGE_KEEP + CHANGE_KEEP / 10)
        s->reset = true;
    else
        s->seen_seq = seen;
}

void stream_get(struct call *c)
{
    const char *token = http_cookie(c->rq, "vsoc_session");
    struct stream_state *s = c->api->streams < API_STREAMS_MAX ? calloc(1, sizeof *s) : NULL;

    if (s == NULL) {
        reply_fault(c, VS_ERR_FULL, NULL, "as many live streams as there may be are open");
        return;
    }
    s->api = c->api;
    snprintf(s->token, sizeof s->token, "%s", token);
    start_at(s, http_header(c->rq, "Last-Event-ID"));
    c->api->streams++;
    http_add_header(c->rq, "X-Request-Id", c->request_id);
    http_add_header(c->rq, "Cache-Control", "no-store");
    http_add_header(c->rq, "X-Content-Type-Options", "nosniff");
    http_reply_stream(c->rq, "text/event-stream", stream_feed, stream_end, s);
}
