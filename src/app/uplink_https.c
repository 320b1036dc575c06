#include "app/uplink_https.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonl/json_reader.h"

#define WAIT_FDS_MAX 8

struct uplink_https {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct json_reader *json;
    struct uplink_link link;
    char vid[64];
    bool running;
    size_t reply_len;
    bool reply_cut;
    uint8_t reply[UPLINK_REPLY_MAX + JSON_PADDING];
    char error[CURL_ERROR_SIZE];
};

static size_t take_reply(char *ptr, size_t size, size_t count, void *ctx)
{
    struct uplink_https *u = ctx;
    size_t len = size * count, room = UPLINK_REPLY_MAX - u->reply_len;
    size_t n = len < room ? len : room;

    memcpy(u->reply + u->reply_len, ptr, n);
    u->reply_len += n;
    u->reply_cut |= n < len;
    return len;
}

static enum vs_err start(void *ctx, struct slice body)
{
    struct uplink_https *u = ctx;

    if (u->running)
        return VS_ERR_BUSY;
    u->reply_len = 0;
    u->reply_cut = false;
    u->error[0] = '\0';
    curl_easy_setopt(u->easy, CURLOPT_POSTFIELDS, (const char *)body.ptr);
    curl_easy_setopt(u->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    if (curl_multi_add_handle(u->multi, u->easy) != CURLM_OK)
        return VS_ERR_NET;
    u->running = true;
    return VS_OK;
}

static void stop(struct uplink_https *u)
{
    if (u->running)
        curl_multi_remove_handle(u->multi, u->easy);
    u->running = false;
}

static void cancel(void *ctx)
{
    stop(ctx);
}

static const struct json_field *find(const struct json_object *o, const char *name)
{
    for (uint32_t i = 0; i < o->field_count; i++)
        if (slice_equal_str(o->field[i].name, name))
            return &o->field[i];
    return NULL;
}

static uint64_t number(const struct json_object *o, const char *name)
{
    const struct json_field *f = find(o, name);

    return f != NULL && f->kind == JSON_INT && f->value.i > 0 ? (uint64_t)f->value.i : 0;
}

/* The body of an answer: what a 200 echoes, or why a batch is refused. False when it is no JSON of the backend. */
static bool read_body(struct uplink_https *u, struct uplink_reply *r)
{
    struct json_object o;

    if (u->reply_cut || json_reader_object(u->json, slice_make(u->reply, u->reply_len), &o, NULL) != VS_OK)
        return false;
    const struct json_field *vid = find(&o, "vid"), *reason = find(&o, "reason");
    r->epoch = (uint32_t)number(&o, "epoch");
    r->seq_next = number(&o, "seq_next");
    r->stored = number(&o, "stored");
    if (reason != NULL && reason->kind == JSON_TEXT &&
        !slice_to_str(slice_head(reason->value.s, sizeof r->reason - 1), r->reason, sizeof r->reason))
        r->reason[0] = '\0';
    return vid != NULL && vid->kind == JSON_TEXT && slice_equal_str(vid->value.s, u->vid);
}

static enum vs_err poll_answer(void *ctx, struct uplink_reply *ret)
{
    struct uplink_https *u = ctx;
    struct uplink_reply r = {0};
    long status = 0;
    curl_off_t retry_after = 0;
    int left;

    if (!u->running)
        return VS_ERR_REFUSED;
    if (curl_multi_perform(u->multi, &left) != CURLM_OK) {
        stop(u);
        *ret = r;
        return VS_OK;
    }
    const CURLMsg *m = curl_multi_info_read(u->multi, &left);
    if (m == NULL || m->msg != CURLMSG_DONE)
        return VS_ERR_BUSY;
    if (m->data.result == CURLE_OK) {
        curl_easy_getinfo(u->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(u->easy, CURLINFO_RETRY_AFTER, &retry_after);
        r.status = (int)status;
        r.retry_after_s = retry_after > 0 && retry_after < INT32_MAX ? (uint32_t)retry_after : 0;
        if (!read_body(u, &r) && r.status == 200) {
            snprintf(u->error, sizeof u->error, "status 200 without an acknowledgement for this vehicle");
            r.status = 0;
        }
    } else if (u->error[0] == '\0') {
        snprintf(u->error, sizeof u->error, "%s", curl_easy_strerror(m->data.result));
    }
    stop(u);
    *ret = r;
    return VS_OK;
}

static bool set_options(struct uplink_https *u, const struct uplink_https_config *cfg)
{
    CURL *e = u->easy;
    long connect_ms = cfg->connect_ms_max == 0 ? 15000 : (long)cfg->connect_ms_max;

    u->headers = curl_slist_append(NULL, "Content-Type: application/cose");
    struct curl_slist *more = u->headers == NULL ? NULL : curl_slist_append(u->headers, "Expect:");
    return more != NULL && curl_easy_setopt(e, CURLOPT_URL, cfg->url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, u->headers) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CAINFO, cfg->ca) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSLCERT, cfg->cert) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSLKEY, cfg->key) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_reply) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, u) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, u->error) == CURLE_OK;
}

enum vs_err uplink_https_new(const struct uplink_https_config *cfg, struct uplink_https **ret)
{
    if (strncmp(cfg->url, "https://", 8) != 0 || strlen(cfg->vid) >= sizeof((struct uplink_https *)0)->vid)
        return VS_ERR_CONFIG;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return VS_ERR_IO;
    struct uplink_https *u = calloc(1, sizeof *u);
    if (u == NULL)
        return VS_ERR_NO_MEMORY;
    u->multi = curl_multi_init();
    u->easy = curl_easy_init();
    snprintf(u->vid, sizeof u->vid, "%s", cfg->vid);
    u->link = (struct uplink_link){.start = start, .poll = poll_answer, .cancel = cancel, .ctx = u};
    if (u->multi == NULL || u->easy == NULL || json_reader_new(&u->json) != VS_OK || !set_options(u, cfg)) {
        uplink_https_free(u);
        return VS_ERR_NO_MEMORY;
    }
    *ret = u;
    return VS_OK;
}

void uplink_https_free(struct uplink_https *u)
{
    if (u == NULL)
        return;
    stop(u);
    curl_easy_cleanup(u->easy);
    curl_multi_cleanup(u->multi);
    curl_slist_free_all(u->headers);
    json_reader_free(u->json);
    free(u);
}

const struct uplink_link *uplink_https_link(struct uplink_https *u)
{
    return &u->link;
}

void uplink_https_wait(struct uplink_https *u, struct pollfd *fd, unsigned count, int timeout_ms)
{
    struct curl_waitfd wait[WAIT_FDS_MAX];

    for (unsigned i = 0; i < count && i < WAIT_FDS_MAX; i++)
        wait[i] = (struct curl_waitfd){.fd = fd[i].fd, .events = CURL_WAIT_POLLIN};
    curl_multi_poll(u->multi, wait, count < WAIT_FDS_MAX ? count : WAIT_FDS_MAX, timeout_ms, NULL);
    for (unsigned i = 0; i < count && i < WAIT_FDS_MAX; i++)
        fd[i].revents = (short)(wait[i].revents != 0 ? POLLIN : 0);
}

const char *uplink_https_error(const struct uplink_https *u)
{
    return u->error;
}
