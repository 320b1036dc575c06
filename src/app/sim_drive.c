/* vsoc sim drive: every vehicle of the world sends its batches to a real ingest door over mTLS, each with its own
 * certificate and its own connection, and tries again until the backend has acknowledged. A vehicle has one request in
 * flight at a time, so that its batches arrive in order; different vehicles overlap. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "app/sim_options.h"
#include "app/wall_clock.h"
#include "base/pki.h"
#include "drive.h"

#define REPLY_MAX     1024
#define RETRIES_MAX   600
#define RETRY_WAIT_MS 250
#define YEAR_S        INT64_C(31557600)

struct car_link {
    CURL *curl; /* NULL until the vehicle sends for the first time; keeps its connection */
    char cert[PKI_PEM_MAX], key[PKI_PEM_MAX];
    bool in_flight;
};

struct request {
    const struct world_upload *up; /* NULL = the place is free */
    struct curl_slist *headers;
    char reply[REPLY_MAX];
    size_t reply_len;
    unsigned tries;
    int64_t wait_until_us; /* 0 = not waiting */
};

struct driver {
    const struct sim_options *opt;
    struct world *world;
    CURLM *multi;
    struct car_link *link;
    struct request *request;
    struct key *ca_key;
    char ca_pem[PKI_PEM_MAX], server_ca[1024];
    uint64_t accepted, refused, retried;
    const char *failure;
};

static bool read_pem(const char *dir, const char *name, char text[PKI_PEM_MAX])
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(text, 1, PKI_PEM_MAX - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    if (n == 0)
        fprintf(stderr, "%s: cannot read; make it with: vsoc pki init %s\n", path, dir);
    return n > 0;
}

static size_t take_reply(char *data, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t n = size * count, room = sizeof r->reply - 1 - r->reply_len;

    memcpy(r->reply + r->reply_len, data, n < room ? n : room);
    r->reply_len += n < room ? n : room;
    r->reply[r->reply_len] = '\0';
    return n;
}

/* The certificate a vehicle would have got at enrolment. */
static bool enrol(struct driver *d, uint32_t number, struct car_link *l)
{
    const struct fleet_vehicle *v = world_vehicle(d->world, number);
    const struct key *key = world_key(d->world, number);
    int64_t now_s = wall_clock_us() / US_PER_S;
    char cn[EV_VID_TEXT_LEN + 1] = {0};
    struct pki_request req = {cn, NULL, number + 1000u, now_s - 3600, now_s + 2 * YEAR_S, false, false};
    struct writer w;

    writer_init(&w, cn, sizeof cn - 1);
    writer_hex(&w, slice_make(v->vid, sizeof v->vid), false);
    return pki_issue(&req, key, d->ca_key, d->ca_pem, l->cert) == VS_OK && pki_private_pem(key, l->key) == VS_OK;
}

static CURL *open_link(struct driver *d, uint32_t number)
{
    struct car_link *l = &d->link[number];
    char url[512];

    if (l->curl != NULL)
        return l->curl;
    CURL *c = curl_easy_init();
    if (c == NULL || !enrol(d, number, l)) {
        curl_easy_cleanup(c);
        return NULL;
    }
    struct curl_blob cert = {l->cert, strlen(l->cert), CURL_BLOB_NOCOPY};
    struct curl_blob key = {l->key, strlen(l->key), CURL_BLOB_NOCOPY};
    snprintf(url, sizeof url, "%s/v1/batches", d->opt->url);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_SSLCERT_BLOB, &cert);
    curl_easy_setopt(c, CURLOPT_SSLKEY_BLOB, &key);
    curl_easy_setopt(c, CURLOPT_CAINFO, d->server_ca);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    l->curl = c;
    return c;
}

static bool start_request(struct driver *d, struct request *r)
{
    CURL *c = open_link(d, r->up->vehicle);
    char now[64];

    if (c == NULL) {
        d->failure = "cannot make a vehicle's certificate";
        return false;
    }
    r->reply_len = 0;
    r->reply[0] = '\0';
    r->wait_until_us = 0;
    snprintf(now, sizeof now, "VSOC-Sim-Now: %" PRId64, r->up->sent_us);
    if (r->headers == NULL) {
        r->headers = curl_slist_append(r->headers, "Content-Type: application/cose");
        r->headers = curl_slist_append(r->headers, "Expect:");
        r->headers = curl_slist_append(r->headers, now);
    }
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)r->up->body.ptr);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)r->up->body.len);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(c, CURLOPT_PRIVATE, (char *)r);
    d->link[r->up->vehicle].in_flight = true;
    return curl_multi_add_handle(d->multi, c) == CURLM_OK;
}

static void end_request(struct driver *d, struct request *r)
{
    d->link[r->up->vehicle].in_flight = false;
    curl_slist_free_all(r->headers);
    r->headers = NULL;
    r->up = NULL;
    r->tries = 0;
}

/* A batch that the backend will never take is counted; anything else is tried again, as a vehicle would. */
static void finish(struct driver *d, CURL *c, CURLcode result)
{
    struct request *r = NULL;
    long status = 0;

    curl_easy_getinfo(c, CURLINFO_PRIVATE, (char **)&r);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(d->multi, c);
    if (result == CURLE_OK && status == 200) {
        d->accepted++;
        end_request(d, r);
    } else if (result == CURLE_OK && (status == 400 || status == 409 || status == 413 || status == 422)) {
        d->refused++;
        fprintf(stderr, "vsoc sim: batch refused with %ld: %s\n", status, r->reply);
        end_request(d, r);
    } else if (++r->tries > RETRIES_MAX) {
        d->failure = result != CURLE_OK ? curl_easy_strerror(result) : "the backend does not take batches";
        end_request(d, r);
    } else {
        d->retried++;
        r->wait_until_us = monotonic_clock_us() + RETRY_WAIT_MS * 1000;
    }
}

/* Starts what may start: waits that are over, and the next uploads in order as far as places and vehicles are free. */
static void fill_places(struct driver *d, const struct world_upload *up, uint32_t count, uint32_t *next)
{
    int64_t now_us = monotonic_clock_us();

    for (unsigned i = 0; i < d->opt->parallel && d->failure == NULL; i++) {
        struct request *r = &d->request[i];

        if (r->up != NULL && r->wait_until_us != 0 && now_us >= r->wait_until_us && !start_request(d, r))
            d->failure = d->failure != NULL ? d->failure : "cannot start a request";
        if (r->up != NULL || *next == count || d->link[up[*next].vehicle].in_flight)
            continue;
        r->up = &up[(*next)++];
        if (!start_request(d, r))
            d->failure = d->failure != NULL ? d->failure : "cannot start a request";
    }
}

static bool is_idle(const struct driver *d)
{
    for (unsigned i = 0; i < d->opt->parallel; i++)
        if (d->request[i].up != NULL)
            return false;
    return true;
}

static void send_day(struct driver *d, const struct world_upload *up, uint32_t count)
{
    uint32_t next = 0;
    int running = 0, left = 0;

    while (d->failure == NULL && (next < count || !is_idle(d))) {
        CURLMsg *m;

        fill_places(d, up, count, &next);
        curl_multi_perform(d->multi, &running);
        while ((m = curl_multi_info_read(d->multi, &left)) != NULL)
            if (m->msg == CURLMSG_DONE)
                finish(d, m->easy_handle, m->data.result);
        curl_multi_poll(d->multi, NULL, 0, running > 0 ? 50 : 5, NULL);
    }
}

/* One connection per vehicle: as many files as the system allows. */
static void allow_connections(void)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
}

static void progress(const struct driver *d, unsigned day, int64_t started_us)
{
    fprintf(stderr, "\rday %u of %u, %" PRIu64 " batches acknowledged, %.0f s ", day, d->opt->world.days, d->accepted,
            (double)(monotonic_clock_us() - started_us) / 1e6);
    fflush(stderr);
}

static bool driver_open(struct driver *d)
{
    char key_pem[PKI_PEM_MAX];

    snprintf(d->server_ca, sizeof d->server_ca, "%s/vehicle-ca.pem", d->opt->pki_dir);
    if (!read_pem(d->opt->pki_dir, "vehicle-ca.pem", d->ca_pem) ||
        !read_pem(d->opt->pki_dir, "vehicle-ca.key", key_pem) ||
        key_read_private(slice_str(key_pem), &d->ca_key) != VS_OK)
        return false;
    allow_connections();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || world_new(&d->opt->world, &d->world) != VS_OK)
        return false;
    d->multi = curl_multi_init();
    curl_multi_setopt(d->multi, CURLMOPT_MAXCONNECTS, (long)d->opt->world.vehicles + 16);
    d->link = calloc(d->opt->world.vehicles, sizeof *d->link);
    d->request = calloc(d->opt->parallel, sizeof *d->request);
    return d->multi != NULL && d->link != NULL && d->request != NULL && sim_write_truth(d->opt, d->world);
}

static void driver_close(struct driver *d)
{
    for (uint32_t i = 0; d->link != NULL && i < d->opt->world.vehicles; i++)
        curl_easy_cleanup(d->link[i].curl);
    curl_multi_cleanup(d->multi);
    free(d->link);
    free(d->request);
    key_free(d->ca_key);
    world_free(d->world);
}

int sim_drive(const struct sim_options *opt)
{
    struct driver d = {.opt = opt};
    const struct world_upload *up = NULL;
    uint32_t count = 0;
    unsigned day = 0;
    int64_t started_us = monotonic_clock_us();

    if (opt->pki_dir == NULL || opt->url == NULL) {
        fprintf(stderr, "vsoc sim drive: --pki DIR and --url URL are needed; see vsoc sim --help\n");
        return 2;
    }
    if (!driver_open(&d)) {
        driver_close(&d);
        return 2;
    }
    while (d.failure == NULL && world_step(d.world, &up, &count) == VS_OK) {
        send_day(&d, up, count);
        progress(&d, ++day, started_us);
    }
    fprintf(stderr, "\n");
    if (d.failure != NULL)
        fprintf(stderr, "vsoc sim: stopped: %s\n", d.failure);
    printf("{\"vehicles\":%" PRIu32 ",\"days\":%u,", opt->world.vehicles, opt->world.days);
    sim_put_counters(stdout, d.world);
    printf(",\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"retried\":%" PRIu64 "}\n", d.accepted, d.refused,
           d.retried);
    bool ok = d.failure == NULL && d.refused == 0;
    driver_close(&d);
    return ok ? 0 : 1;
}
