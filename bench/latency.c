/* The load and the watch of bench/latency.py: vehicles that send signed batches over mTLS to a running vsocd at a given
 * rate, and how long it takes from a marked event to the row of its alert in the state database.
 *
 * Everything is made and signed before the clock starts, so that sending costs little beside what is measured. The
 * loop is open: a batch has a time at which it is due, and a marked one is measured from that time, also when the
 * sender came too late for it. One batch in twenty tells of two hours ago, one in twenty is an earlier one once more.
 *
 * usage: bench_latency DIR PORT STATE EVENTS_PER_S SECONDS [MARKS_PER_S]
 *   DIR    made by `vsoc pki init`; DIR/vins lists the VINs of the fleet, the last MARKERS of them carry the marks
 *   STATE  the state database
 * Prints "ready", reads a line, begins; at the end one JSON object. Talks to 127.0.0.1 only. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/compress.h"
#include "base/pki.h"
#include "bench.h"
#include "codec/cose.h"
#include "core/hex.h"
#include "event/batch.h"
#include "ingest/pseudonym.h"
#include "store/store.h"

#define EVENTS      100 /* of a batch */
#define MARK_EVENTS 6   /* the sixth SecOC failure in a minute is an alert (content/rules/secoc_storm.yml) */
#define SENDERS     32
#define MARKERS     8
#define VINS_MAX    4096
#define VIN_LINE    32
#define SECONDS_MAX 600
#define RATE_MAX    1000000
#define BUF_SIZE    65536
#define LATE_US     INT64_C(7200000000)
#define DRAIN_US    INT64_C(30000000) /* for the last alerts to come */
#define POLL_US     2000
#define STACK_SIZE  (256 * 1024)

struct vehicle {
    uint8_t vid[EV_VID_SIZE];
    struct key *key;
    SSL *tls;
    uint64_t next;
};

struct upload {
    int64_t due_us; /* since the beginning */
    uint32_t vehicle, len;
    const uint8_t *body;
    bool doubled;
};

struct sender {
    struct upload *up;
    size_t count, room;
    uint64_t accepted, refused, doubled;
    int64_t lag_us_max, end_us; /* end: since the beginning */
    pthread_t thread;
};

struct load {
    struct vehicle vehicle[VINS_MAX];
    uint32_t vehicles, marks;
    struct sender sender[SENDERS + 1]; /* the last one sends the marks */
    SSL_CTX *tls;
    uint16_t port;
    int64_t start_us; /* wall clock */
    int64_t *seen_us; /* of each mark, since the beginning; 0 = not yet */
    struct compressor *compressor;
    struct key *ca_key;
    char ca_pem[PKI_PEM_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "bench_latency: %s failed\n", what);
    exit(2);
}

static int64_t wall_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void sleep_until(int64_t at_us)
{
    int64_t left_us = at_us - wall_us();

    if (left_us > 0)
        usleep((useconds_t)left_us);
}

static void read_text(const char *dir, const char *name, char *text, size_t size)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(text, 1, size - 1, f) : 0;
    if (n == 0)
        die(path);
    fclose(f);
    text[n] = '\0';
}

/* ---- what is sent */

static void fill(struct event *ev, uint32_t i, int64_t at_us)
{
    static const char *const PROGRAM[] = {"systemd", "sshd", "updater", "navd"};

    if (i % 3 != 0) {
        event_init(ev, EV_VEHICLE_CONTACT, at_us);
        event_set_int(ev, EV_F_LAT, 485000000 + (int32_t)(i % 7));
        event_set_int(ev, EV_F_LON, 115000000 + (int32_t)(i % 5));
        event_set_int(ev, EV_F_SPEED, 1300);
        event_set_bool(ev, EV_F_IGNITION, true);
    } else {
        event_init(ev, EV_HOST_AUDIT, at_us);
        event_set_text(ev, EV_F_PROCESS, slice_str(PROGRAM[i / 3 % 4]));
        event_set_text(ev, EV_F_TEXT, slice_str("service state changed"));
    }
    ev->ecu = slice_str("GW");
}

static struct slice sign(struct load *l, struct vehicle *v, struct batch *b, struct slice plain)
{
    static uint8_t packed[BUF_SIZE], envelope[BUF_SIZE], text[BUF_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    struct writer w;
    size_t len;

    b->encoding = BATCH_ZSTD;
    b->body_len = (uint32_t)plain.len;
    if (compressor_pack(l->compressor, plain, packed, sizeof packed, &len) != VS_OK)
        die("compression");
    b->body = slice_make(packed, len);
    writer_init(&w, envelope, sizeof envelope);
    batch_envelope_write(&w, b);
    struct slice payload = writer_slice(&w);
    writer_init(&w, text, sizeof text);
    cose_to_sign(&w, COSE_ALG_EDDSA, payload);
    if (key_sign(v->key, writer_slice(&w), signature) != VS_OK)
        die("signature");
    size_t room = payload.len + COSE_OVERHEAD_MAX + SIGNATURE_SIZE;
    uint8_t *body = malloc(room);
    if (body == NULL)
        die("memory");
    writer_init(&w, body, room);
    cose_sign1_write(&w, COSE_ALG_EDDSA, payload, slice_make(signature, sizeof signature));
    return writer_slice(&w);
}

/* mark < 0: an ordinary batch. */
static void add_batch(struct load *l, struct sender *s, uint32_t number, int64_t due_us, bool late, int mark)
{
    static uint8_t plain[BUF_SIZE];
    struct vehicle *v = &l->vehicle[number];
    uint32_t count = mark >= 0 ? MARK_EVENTS : EVENTS;
    int64_t at_us = l->start_us + due_us;
    struct batch b = {.epoch = 1,
                      .seq_base = v->next,
                      .seq_next = v->next + count,
                      .time_base_us = at_us - (late ? LATE_US : 0),
                      .sent_us = at_us,
                      .count = count};
    char pdu[16];
    struct writer w;
    struct event ev;

    memcpy(b.vid, v->vid, sizeof b.vid);
    snprintf(pdu, sizeof pdu, "mark%06d", mark);
    writer_init(&w, plain, sizeof plain);
    batch_body_begin(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        int64_t event_us = b.time_base_us - (int64_t)(count - i) * 1000;

        if (mark >= 0) {
            event_init(&ev, EV_SECOC_VERIFICATION_FAILED, event_us);
            event_set_text(&ev, EV_F_PDU, slice_str(pdu));
        } else {
            fill(&ev, i, event_us);
        }
        ev.seq = v->next + i;
        batch_body_add(&w, &b, &ev);
    }
    v->next += count;
    struct slice body = sign(l, v, &b, writer_slice(&w));
    if (s->count == s->room) {
        s->room = s->room == 0 ? 1024 : 2 * s->room;
        s->up = realloc(s->up, s->room * sizeof *s->up);
        if (s->up == NULL)
            die("memory");
    }
    s->up[s->count++] =
        (struct upload){.due_us = due_us, .vehicle = number, .len = (uint32_t)body.len, .body = body.ptr};
}

/* The vehicles of a sender take turns. Of twenty batches the 7th is late and the 13th one that was sent before. */
static void make_load(struct load *l, uint32_t rate, uint32_t seconds, uint32_t marks_per_s)
{
    uint32_t ordinary = l->vehicles - MARKERS, batches = (uint32_t)((uint64_t)rate * seconds / EVENTS);

    for (uint32_t i = 0; i < batches; i++) {
        struct sender *s = &l->sender[i % SENDERS];
        uint32_t turn = i / SENDERS, each = ordinary / SENDERS;
        uint32_t number = i % SENDERS + SENDERS * (turn % each);
        int64_t due_us = (int64_t)i * EVENTS * 1000000 / rate;

        if (i % 20 == 13 && s->count >= 2) {
            struct upload again = s->up[s->count - 2];

            again.due_us = due_us;
            again.doubled = true;
            if (s->count == s->room) {
                s->room *= 2;
                s->up = realloc(s->up, s->room * sizeof *s->up);
                if (s->up == NULL)
                    die("memory");
            }
            s->up[s->count++] = again;
        } else {
            add_batch(l, s, number, due_us, i % 20 == 7, -1);
        }
    }
    l->marks = seconds * marks_per_s;
    for (uint32_t i = 0; i < l->marks; i++)
        add_batch(l, &l->sender[SENDERS], ordinary + i % MARKERS, (int64_t)i * 1000000 / marks_per_s, false, (int)i);
}

/* ---- sending */

static void load_certificate(SSL *tls, const char *cert_pem, const struct key *key)
{
    BIO *bio = BIO_new_mem_buf(cert_pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    if (cert == NULL || SSL_use_certificate(tls, cert) != 1 || SSL_use_PrivateKey(tls, key_handle(key)) != 1)
        die("certificate");
    X509_free(cert);
    BIO_free(bio);
}

static void connect_vehicle(struct load *l, uint32_t number)
{
    struct vehicle *v = &l->vehicle[number];
    char cn[EV_VID_TEXT_LEN + 1] = {0}, cert[PKI_PEM_MAX];
    int64_t now_s = wall_us() / 1000000;
    struct pki_request req = {cn, NULL, number + 1000u, now_s - 3600, now_s + 86400, false, false};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(l->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = 30};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct writer w;

    writer_init(&w, cn, sizeof cn - 1);
    writer_hex(&w, slice_make(v->vid, sizeof v->vid), false);
    if (pki_issue(&req, v->key, l->ca_key, l->ca_pem, cert) != VS_OK)
        die("certificate");
    v->tls = SSL_new(l->tls);
    if (fd < 0 || v->tls == NULL || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    load_certificate(v->tls, cert, v->key);
    if (SSL_set1_host(v->tls, "localhost") != 1 || SSL_set_fd(v->tls, fd) != 1 || SSL_connect(v->tls) != 1)
        die("TLS");
}

/* One request and its answer; true for 200. The answers of the door are small and have a Content-Length. */
static bool post(SSL *tls, const struct upload *up)
{
    static _Thread_local char out[BUF_SIZE], in[4096];
    int head = snprintf(out, sizeof out,
                        "POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cose\r\n"
                        "Content-Length: %u\r\n\r\n",
                        up->len);
    size_t got = 0;

    memcpy(out + head, up->body, up->len);
    if (SSL_write(tls, out, head + (int)up->len) <= 0)
        return false;
    for (;;) {
        int n = SSL_read(tls, in + got, (int)(sizeof in - 1 - got));

        if (n <= 0)
            return false;
        in[got += (size_t)n] = '\0';
        const char *body = strstr(in, "\r\n\r\n"), *length = strcasestr(in, "\r\nContent-Length:");
        if (body != NULL && length != NULL && (size_t)(body + 4 - in) + strtoul(length + 17, NULL, 10) <= got)
            return strncmp(in, "HTTP/1.1 200", 12) == 0;
    }
}

struct sending {
    struct load *load;
    struct sender *sender;
};

static void *run_sender(void *ctx)
{
    struct sending *job = ctx;
    struct sender *s = job->sender;

    for (size_t i = 0; i < s->count; i++) {
        const struct upload *up = &s->up[i];

        sleep_until(job->load->start_us + up->due_us);
        int64_t lag_us = wall_us() - job->load->start_us - up->due_us;
        s->lag_us_max = lag_us > s->lag_us_max ? lag_us : s->lag_us_max;
        bool taken = post(job->load->vehicle[up->vehicle].tls, up);
        s->accepted += taken;
        s->refused += !taken;
        s->doubled += taken && up->doubled;
    }
    s->end_us = wall_us() - job->load->start_us;
    return NULL;
}

/* ---- watching */

/* Looks for alerts that are new. True when all marks have been seen. */
static bool look(struct load *l, struct store *st, int64_t *last_row, uint32_t *found)
{
    struct store_stmt *q = store_prepare(st, "SELECT rowid, group_json FROM alert WHERE rowid > ? ORDER BY rowid");

    store_bind_i64(q, 1, *last_row);
    while (store_step(q) == VS_OK) {
        char text[256];
        const char *mark;

        *last_row = store_i64(q, 0);
        if (!slice_to_str(slice_head(store_text(q, 1), sizeof text - 1), text, sizeof text) ||
            (mark = strstr(text, "\"mark")) == NULL)
            continue;
        uint32_t n = (uint32_t)strtoul(mark + 5, NULL, 10);
        if (n < l->marks && l->seen_us[n] == 0) {
            l->seen_us[n] = wall_us() - l->start_us;
            (*found)++;
        }
    }
    store_done(q);
    return *found == l->marks;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void report(struct load *l, double cpu_s)
{
    const struct sender *marks = &l->sender[SENDERS];
    int64_t *delay = calloc(l->marks, sizeof *delay);
    uint64_t accepted = 0, refused = 0, doubled = 0, events = (uint64_t)marks->accepted * MARK_EVENTS;
    int64_t lag_us = 0, end_us = 1;
    uint32_t found = 0;

    if (delay == NULL)
        die("memory");
    for (uint32_t i = 0; i < l->marks; i++)
        if (l->seen_us[i] != 0)
            delay[found++] = l->seen_us[i] - marks->up[i].due_us;
    qsort(delay, found, sizeof *delay, by_value);
    for (unsigned i = 0; i <= SENDERS; i++) {
        accepted += l->sender[i].accepted;
        refused += l->sender[i].refused;
        doubled += l->sender[i].doubled;
        events += i < SENDERS ? l->sender[i].accepted * EVENTS : 0;
        end_us = l->sender[i].end_us > end_us ? l->sender[i].end_us : end_us;
        lag_us = l->sender[i].lag_us_max > lag_us ? l->sender[i].lag_us_max : lag_us;
    }
    printf("{\"batches\":%llu,\"refused\":%llu,\"events\":%llu,\"events_doubled\":%llu,\"sent_in_s\":%.2f,\"events_per_"
           "s\":%.0f,"
           "\"sender_cpu_s\":%.2f,\"sender_lag_ms_max\":%.1f,\"marks\":%u,\"marks_seen\":%u",
           (unsigned long long)accepted, (unsigned long long)refused, (unsigned long long)events,
           (unsigned long long)(doubled * EVENTS), (double)end_us / 1e6, (double)events * 1e6 / (double)end_us, cpu_s,
           (double)lag_us / 1e3, l->marks, found);
    if (found > 0)
        printf(",\"delay_ms_p50\":%.1f,\"delay_ms_p99\":%.1f,\"delay_ms_max\":%.1f", (double)delay[found / 2] / 1e3,
               (double)delay[(uint64_t)found * 99 / 100] / 1e3, (double)delay[found - 1] / 1e3);
    printf("}\n");
    free(delay);
}

/* ---- set-up */

static void open_fleet(struct load *l, const char *dir)
{
    static char vins[VINS_MAX * VIN_LINE];
    char key_text[256], ca_path[1024], ca_key_pem[PKI_PEM_MAX];
    uint8_t pseudonym[PSEUDONYM_KEY_SIZE];
    char *save = NULL;

    read_text(dir, "vins", vins, sizeof vins);
    read_text(dir, "pseudonym.key", key_text, sizeof key_text);
    read_text(dir, "vehicle-ca.pem", l->ca_pem, sizeof l->ca_pem);
    read_text(dir, "vehicle-ca.key", ca_key_pem, sizeof ca_key_pem);
    snprintf(ca_path, sizeof ca_path, "%s/vehicle-ca.pem", dir);
    l->tls = SSL_CTX_new(TLS_client_method());
    if (l->tls == NULL || SSL_CTX_load_verify_locations(l->tls, ca_path, NULL) != 1 ||
        key_read_private(slice_str(ca_key_pem), &l->ca_key) != VS_OK ||
        pseudonym_key_read(slice_str(key_text), pseudonym) != VS_OK)
        die("keys");
    SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
    for (char *vin = strtok_r(vins, "\n", &save); vin != NULL && l->vehicles < VINS_MAX;
         vin = strtok_r(NULL, "\n", &save)) {
        struct vehicle *v = &l->vehicle[l->vehicles];

        v->next = 1;
        if (pseudonym_of_vin(pseudonym, slice_str(vin), v->vid) != VS_OK || key_generate(KEY_ED25519, &v->key) != VS_OK)
            die(vin);
        l->vehicles++;
    }
    if (l->vehicles < SENDERS + MARKERS)
        die("a fleet that is too small");
}

/* Times are written into the batches beforehand, so the beginning is fixed before they are made. */
static void prepare(struct load *l, uint32_t rate, uint32_t seconds, uint32_t marks_per_s)
{
    int64_t made_us = (int64_t)rate * seconds / EVENTS * 400; /* 400 us a batch on a busy machine */

    if (compressor_new(3, &l->compressor) != VS_OK)
        die("memory");
    l->start_us = wall_us() + made_us + (int64_t)l->vehicles * 15000 + 2000000;
    make_load(l, rate, seconds, marks_per_s);
    for (uint32_t i = 0; i < l->vehicles; i++)
        connect_vehicle(l, i);
    l->seen_us = calloc(l->marks, sizeof *l->seen_us);
    if (l->seen_us == NULL)
        die("memory");
    if (wall_us() > l->start_us - 500000)
        die("making the load in time");
}

static void run(struct load *l, struct store *st)
{
    struct sending job[SENDERS + 1];
    pthread_attr_t attr;
    int64_t last_row = 0, until_us;
    uint32_t found = 0;
    bool all = false;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    for (unsigned i = 0; i <= SENDERS; i++) {
        job[i] = (struct sending){l, &l->sender[i]};
        if (pthread_create(&l->sender[i].thread, &attr, run_sender, &job[i]) != 0)
            die("thread");
    }
    const struct sender *marks = &l->sender[SENDERS];
    until_us = l->start_us + marks->up[marks->count - 1].due_us + DRAIN_US;
    while (!all && wall_us() < until_us) {
        all = look(l, st, &last_row, &found);
        usleep(POLL_US);
    }
    for (unsigned i = 0; i <= SENDERS; i++)
        pthread_join(l->sender[i].thread, NULL);
}

static uint32_t number_of(const char *text, uint32_t max, const char *name)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || n < 1 || n > max)
        die(name);
    return (uint32_t)n;
}

int main(int argc, char **argv)
{
    static struct load l;
    struct store_error error = {""};
    struct store *st;
    char address[1100], line[16];

    if (argc < 6) {
        fprintf(stderr, "usage: bench_latency DIR PORT STATE EVENTS_PER_S SECONDS [MARKS_PER_S]\n");
        return 2;
    }
    uint32_t rate = number_of(argv[4], RATE_MAX, "EVENTS_PER_S"), seconds = number_of(argv[5], SECONDS_MAX, "SECONDS");
    uint32_t marks = argc > 6 ? number_of(argv[6], 100, "MARKS_PER_S") : 5;
    l.port = (uint16_t)number_of(argv[2], 65535, "PORT");
    snprintf(address, sizeof address, "sqlite-readonly:%s", argv[3]);
    if (store_open(address, &st, &error) != VS_OK)
        die(error.text);
    open_fleet(&l, argv[1]);
    prepare(&l, rate, seconds, marks);
    sleep_until(l.start_us - 400000);
    printf("ready\n");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        die("waiting for the beginning");
    double cpu_s = bench_cpu_s();
    run(&l, st);
    report(&l, bench_cpu_s() - cpu_s);
    store_close(st);
    return 0;
}
