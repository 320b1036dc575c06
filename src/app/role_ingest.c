/* The ingest role: the door that vehicles and backend feeds knock at. It checks envelopes and signatures, appends to
 * the event log, and answers when the disk has it. It holds no database right.
 *
 *     POST /v1/batches   application/cose          a vehicle's signed batch; certificate CN = vid
 *     GET  /healthz                                 without a certificate
 *     POST /v1/events    application/x-ndjson       JSON lines of a backend feed; certificate CN = feed:<name>
 *
 * A worker thread checks an upload and hands it to the committer (app/ingest_commit.h), which answers it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "app/file_text.h"
#include "app/ingest_certs.h"
#include "app/ingest_commit.h"
#include "app/ingest_reply.h"
#include "app/log_line.h"
#include "app/vsocd_config.h"
#include "app/wall_clock.h"
#include "base/http/http_server.h"
#include "core/hex.h"
#include "core/timestamp.h"
#include "ingest/quota.h"
#include "ingest/receive.h"

#define WORKERS           2
#define BODIES_BYTES_MAX  (256u << 20)
#define CONNECTIONS_MAX   20000u
#define FILES_KEPT        64  /* descriptors that are not connections */
#define IDLE_TIMEOUT_S    300 /* handshakes with client certificates are what costs: keep connections */
#define STOP_WAIT_MS      5000
#define POLL_MS           100
#define SAY_EVERY_US      INT64_C(60000000)
#define QUOTA_VEHICLES    262144
#define FEED_QUOTA_FACTOR 1024 /* a feed speaks for many vehicles */

static const char NAME[] = "ingest";
static const char FEED_PREFIX[] = "feed:";

/* What one worker thread needs for itself. */
struct worker {
    struct receiver *receiver;
    struct ingest_certs *certs;
};

struct door {
    const struct vsocd_config *cfg;
    char certs_dir[VSOCD_PATH_MAX];
    uint8_t pseudonym_key[PSEUDONYM_KEY_SIZE];
    struct stream *stream;
    struct ingest_commit *commit;
    struct http_server *server;
    pthread_key_t worker_key;
    pthread_mutex_t quota_lock;
    struct quota *quota, *feed_quota;
    atomic_ullong taken, refused, over_quota;
};

/* ---- workers */

static void worker_free(void *arg)
{
    struct worker *w = arg;

    if (w == NULL)
        return;
    receiver_free(w->receiver);
    ingest_certs_free(w->certs);
    free(w);
}

/* Made when a thread handles its first request, freed when the thread ends. */
static struct worker *worker_get(struct door *d)
{
    struct worker *w = pthread_getspecific(d->worker_key);

    if (w != NULL)
        return w;
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    if (receiver_new(&w->receiver) != VS_OK || ingest_certs_new(d->certs_dir, &w->certs) != VS_OK ||
        pthread_setspecific(d->worker_key, w) != 0) {
        worker_free(w);
        return NULL;
    }
    return w;
}

/* ---- one request */

static void refuse(struct door *d, struct http_request *rq, enum vs_err err, const char *reason, size_t byte)
{
    atomic_fetch_add(&d->refused, 1);
    ingest_reply_error(rq, err, reason, byte);
}

/* The receive time: our clock, or the simulation's when the configuration says so. */
static bool now_of(const struct door *d, struct http_request *rq, int64_t *ret_us)
{
    const char *told = d->cfg->ingest.simulated_clock ? http_header(rq, "VSOC-Sim-Now") : NULL;
    char *end;

    if (told == NULL) {
        *ret_us = wall_clock_us();
        return true;
    }
    if (timestamp_parse(slice_str(told), ret_us))
        return true;
    *ret_us = strtoll(told, &end, 10);
    return end != told && *end == '\0' && *ret_us > 0 && *ret_us <= TIMESTAMP_US_MAX;
}

static bool within_quota(struct door *d, struct http_request *rq, struct quota *quota, const uint8_t vid[EV_VID_SIZE],
                         int64_t now_us)
{
    uint32_t retry_s = 0;

    pthread_mutex_lock(&d->quota_lock);
    bool ok = quota_take(quota, vid, http_body(rq).len, now_us, &retry_s);
    pthread_mutex_unlock(&d->quota_lock);
    if (!ok) {
        atomic_fetch_add(&d->over_quota, 1);
        ingest_reply_refusal(rq, VS_ERR_QUOTA, "more than the quota of one sender", 0, retry_s);
    }
    return ok;
}

/* Hands an upload to the committer. The request is answered there, or here when there is no room. */
static void submit(struct door *d, struct http_request *rq, struct ingest_upload *up)
{
    up->rq = rq;
    http_later(rq);
    enum vs_err err = ingest_commit_submit(d->commit, up);
    if (err == VS_OK) {
        atomic_fetch_add(&d->taken, 1);
        return;
    }
    ingest_upload_free(up);
    refuse(d, rq, err, "too many uploads wait for the disk", 0);
}

/* Is it the body kind that this path takes? Parameters behind ";" are passed over. */
static bool has_type(struct http_request *rq, const char *type)
{
    const char *got = http_header(rq, "Content-Type");
    size_t len = strlen(type);

    return got != NULL && strncasecmp(got, type, len) == 0 && (got[len] == '\0' || got[len] == ';' || got[len] == ' ');
}

static void post_batch(struct door *d, struct http_request *rq, const struct http_peer *peer)
{
    struct worker *w = worker_get(d);
    struct receive_peer who = {.cn = peer->cn};
    struct receive_refusal no;
    struct received got;
    uint8_t vid[EV_VID_SIZE];
    int64_t now_us;

    if (w == NULL) {
        refuse(d, rq, VS_ERR_NO_MEMORY, "out of memory", 0);
        return;
    }
    if (!hex_read(slice_str(peer->cn), vid, sizeof vid)) {
        refuse(d, rq, VS_ERR_FORBIDDEN, "the certificate is not of a vehicle", 0);
        return;
    }
    if (!has_type(rq, "application/cose")) {
        refuse(d, rq, VS_ERR_UNSUPPORTED, "a batch is application/cose", 0);
        return;
    }
    if (!now_of(d, rq, &now_us)) {
        refuse(d, rq, VS_ERR_MALFORMED, "VSOC-Sim-Now is no time", 0);
        return;
    }
    if (!within_quota(d, rq, d->quota, vid, now_us))
        return;
    enum vs_err err = ingest_certs_key(w->certs, peer->der, peer->cn, &who.key);
    if (err != VS_OK) {
        refuse(d, rq, err,
               err == VS_ERR_AUTH ? "key of the certificate is not Ed25519 or P-256" : "cannot keep the certificate",
               0);
        return;
    }
    if (receive_batch(w->receiver, http_body(rq), &who, now_us, &got, &no) != VS_OK) {
        refuse(d, rq, no.err, no.reason, no.byte);
        return;
    }
    struct ingest_upload *up = calloc(1, sizeof *up);
    if (up == NULL) {
        refuse(d, rq, VS_ERR_NO_MEMORY, "out of memory", 0);
        return;
    }
    up->one = got.record;
    memcpy(up->key, got.vid, sizeof got.vid);
    up->one.key.ptr = up->key;
    up->record = &up->one;
    up->record_count = 1;
    snprintf(up->reply, sizeof up->reply, "{\"vid\":\"%.32s\",\"epoch\":%u,\"seq_next\":%llu,\"stored\":true}\n",
             peer->cn, got.epoch, (unsigned long long)got.seq_next);
    submit(d, rq, up);
}

/* ---- feeds */

/* Collects a feed's records in one block: the records' keys and values, found again when it has stopped moving. */
struct feed_upload {
    struct stream_record *record;
    size_t *key_at;
    uint32_t count, size;
    uint8_t *bytes;
    size_t len, bytes_size;
};

static bool feed_room(struct feed_upload *f, size_t bytes)
{
    if (f->count == f->size) {
        uint32_t size = f->size > 0 ? f->size * 2 : 16;
        struct stream_record *record = realloc(f->record, size * sizeof record[0]);
        if (record == NULL)
            return false;
        f->record = record;
        f->size = size;
    }
    if (f->len + bytes > f->bytes_size) {
        size_t size = f->bytes_size > 0 ? f->bytes_size : 65536;
        while (size < f->len + bytes)
            size *= 2;
        uint8_t *grown = realloc(f->bytes, size);
        if (grown == NULL)
            return false;
        f->bytes = grown;
        f->bytes_size = size;
    }
    return true;
}

static enum vs_err feed_record(const struct stream_record *rec, void *ctx)
{
    struct feed_upload *f = ctx;

    if (!feed_room(f, rec->key.len + rec->value.len))
        return VS_ERR_NO_MEMORY;
    memcpy(f->bytes + f->len, rec->key.ptr, rec->key.len);
    memcpy(f->bytes + f->len + rec->key.len, rec->value.ptr, rec->value.len);
    f->len += rec->key.len + rec->value.len;
    f->record[f->count++] = *rec;
    return VS_OK;
}

static struct ingest_upload *feed_finish(struct feed_upload *f)
{
    struct ingest_upload *up = calloc(1, sizeof *up);
    size_t at = 0;

    if (up == NULL)
        return NULL;
    for (uint32_t i = 0; i < f->count; i++) {
        f->record[i].key.ptr = f->bytes + at;
        f->record[i].value.ptr = f->bytes + at + f->record[i].key.len;
        at += f->record[i].key.len + f->record[i].value.len;
    }
    up->record = f->record;
    up->record_count = f->count;
    up->owned = f->bytes;
    snprintf(up->reply, sizeof up->reply, "{\"records\":%u,\"stored\":true}\n", f->count);
    return up;
}

static void post_events(struct door *d, struct http_request *rq, const struct http_peer *peer)
{
    struct worker *w = worker_get(d);
    struct slice feed = slice_from(slice_str(peer->cn), sizeof FEED_PREFIX - 1);
    struct feed_upload f = {0};
    struct receive_refusal no;
    uint8_t vid[EV_VID_SIZE];
    int64_t now_us;

    if (w == NULL) {
        refuse(d, rq, VS_ERR_NO_MEMORY, "out of memory", 0);
        return;
    }
    if (strncmp(peer->cn, FEED_PREFIX, sizeof FEED_PREFIX - 1) != 0 || feed.len == 0) {
        refuse(d, rq, VS_ERR_FORBIDDEN, "the certificate is not of a feed", 0);
        return;
    }
    if (!now_of(d, rq, &now_us)) {
        refuse(d, rq, VS_ERR_MALFORMED, "VSOC-Sim-Now is no time", 0);
        return;
    }
    pseudonym_of_feed(d->pseudonym_key, feed, vid);
    if (!within_quota(d, rq, d->feed_quota, vid, now_us))
        return;
    enum vs_err err = receive_feed(w->receiver, http_body(rq), feed, d->pseudonym_key, now_us, feed_record, &f, &no);
    struct ingest_upload *up = err == VS_OK ? feed_finish(&f) : NULL;
    if (up != NULL) {
        submit(d, rq, up);
        return;
    }
    free(f.record);
    free(f.bytes);
    refuse(d, rq, err == VS_OK ? VS_ERR_NO_MEMORY : no.err, err == VS_OK ? "out of memory" : no.reason, no.byte);
}

static void handle(struct http_request *rq, void *ctx)
{
    struct door *d = ctx;
    const char *path = http_path(rq);
    bool is_post = strcmp(http_method(rq), "POST") == 0;
    bool batches = strcmp(path, "/v1/batches") == 0, events = strcmp(path, "/v1/events") == 0;

    if (strcmp(path, "/healthz") == 0) {
        bool ok = !ingest_commit_broken(d->commit);
        http_reply(rq, ok ? 200 : 503, "application/json", slice_str(ok ? "{\"ok\":true}\n" : "{\"ok\":false}\n"));
    } else if (!batches && !events) {
        refuse(d, rq, VS_ERR_NOT_FOUND, "there are POST /v1/batches and POST /v1/events", 0);
    } else if (!is_post) {
        http_add_header(rq, "Allow", "POST");
        http_reply(rq, 405, "application/json", slice_str("{\"error\":\"refused\",\"reason\":\"only POST\"}\n"));
    } else if (http_peer(rq) == NULL) {
        refuse(d, rq, VS_ERR_AUTH, "no valid client certificate of this fleet", 0);
    } else if (batches) {
        post_batch(d, rq, http_peer(rq));
    } else {
        post_events(d, rq, http_peer(rq));
    }
}

static void refuse_early(struct http_request *rq, enum vs_err err, const char *reason, void *ctx)
{
    refuse(ctx, rq, err, reason, 0);
}

/* ---- opening */

static char *read_file(const char *path)
{
    char *text = file_text_read(path, NULL);

    if (text == NULL)
        log_line(NAME, "ingest.no_file", "%s: %s", path, strerror(errno));
    return text;
}

static bool read_pseudonym_key(struct door *d)
{
    const char *path = d->cfg->ingest.pseudonym_key;
    char *text = read_file(path);

    if (text == NULL)
        return false;
    bool ok = pseudonym_key_read(slice_str(text), d->pseudonym_key) == VS_OK;
    if (!ok)
        log_line(NAME, "ingest.bad_key", "%s: a pseudonym key is 64 hex digits", path);
    free(text);
    return ok;
}

static unsigned connections_max(void)
{
    struct rlimit limit;
    bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 2 * FILES_KEPT;
    rlim_t room = known ? limit.rlim_cur - FILES_KEPT : FILES_KEPT;

    return room < CONNECTIONS_MAX ? (unsigned)room : CONNECTIONS_MAX;
}

static bool start_server(struct door *d)
{
    char *cert = read_file(d->cfg->ingest.tls_cert), *key = read_file(d->cfg->ingest.tls_key);
    char *ca = read_file(d->cfg->ingest.vehicle_ca);
    struct http_error error = {""};
    struct http_config http = {.address = d->cfg->ingest.address,
                               .port = d->cfg->ingest.port,
                               .tls_cert_pem = cert,
                               .tls_key_pem = key,
                               .client_ca_pem = ca,
                               .client_cert = HTTP_CLIENT_OPTIONAL,
                               .body_max = RECEIVE_BODY_MAX,
                               .bodies_bytes_max = BODIES_BYTES_MAX,
                               .connections_max = connections_max(),
                               .idle_timeout_s = IDLE_TIMEOUT_S,
                               .worker_threads = WORKERS,
                               .handler = handle,
                               .refuse = refuse_early,
                               .ctx = d};
    enum vs_err err = VS_ERR_CONFIG;

    if (cert != NULL && key != NULL && ca != NULL) {
        err = http_server_start(&http, &d->server, &error);
        if (err != VS_OK)
            log_line(NAME, "ingest.no_server", "%s:%u: %s", http.address, http.port, error.text);
    }
    free(cert);
    if (key != NULL)
        explicit_bzero(key, strlen(key));
    free(key);
    free(ca);
    return err == VS_OK;
}

static bool open_door(struct door *d)
{
    char address[VSOCD_PATH_MAX];
    struct stream_error error = {""};
    uint64_t bytes = d->cfg->ingest.vehicle_bytes_per_hour_max;

    vsocd_log_address(d->cfg, address);
    vsocd_certs_dir(d->cfg, d->certs_dir);
    if (!read_pseudonym_key(d))
        return false;
    if (stream_open(address, true, &d->stream, &error) != VS_OK) {
        log_line(NAME, "ingest.no_log", "%s: %s", address, error.text);
        return false;
    }
    return quota_new(bytes, QUOTA_VEHICLES, &d->quota) == VS_OK &&
           quota_new(bytes * FEED_QUOTA_FACTOR, 1024, &d->feed_quota) == VS_OK &&
           ingest_commit_start(d->stream, &d->commit) == VS_OK && start_server(d);
}

static void say_progress(struct door *d, int64_t *said_us)
{
    struct ingest_commit_stats c;

    if (monotonic_clock_us() - *said_us < SAY_EVERY_US)
        return;
    *said_us = monotonic_clock_us();
    ingest_commit_stats(d->commit, &c);
    log_line(NAME, "ingest.progress",
             "%llu uploads, %llu refused, %llu over quota, %llu records, %llu bytes, %llu syncs",
             atomic_load(&d->taken), atomic_load(&d->refused), atomic_load(&d->over_quota),
             (unsigned long long)c.records, (unsigned long long)c.bytes, (unsigned long long)c.groups);
}

static int serve(struct door *d, struct role_link *link)
{
    int64_t said_us = monotonic_clock_us();

    role_ready(link, http_server_port(d->server));
    while (!role_stopping(link)) {
        poll(NULL, 0, POLL_MS);
        say_progress(d, &said_us);
        if (ingest_commit_broken(d->commit)) {
            log_line(NAME, "ingest.log_failed", "writing the event log failed; starting again recovers it");
            return 1;
        }
    }
    return 0;
}

int role_ingest(const struct vsocd_config *cfg, struct role_link *link)
{
    struct door d = {.cfg = cfg};
    int code = 1;

    pthread_mutex_init(&d.quota_lock, NULL);
    if (pthread_key_create(&d.worker_key, worker_free) != 0)
        return 1;
    if (open_door(&d))
        code = serve(&d, link);
    http_server_stop(d.server, STOP_WAIT_MS);
    ingest_commit_stop(d.commit);
    stream_close(d.stream);
    quota_free(d.quota);
    quota_free(d.feed_quota);
    pthread_key_delete(d.worker_key);
    pthread_mutex_destroy(&d.quota_lock);
    return code;
}
