/* edge_run: `vsoc-edge run`: sensors, gateway and uplink in one loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/edge_commands.h"
#include "app/edge_node.h"
#include "app/edge_sources.h"
#include "app/log_line.h"
#include "app/uplink_https.h"
#include "app/usage.h"
#include "app/wall_clock.h"

#define STEP_LINES     256
#define WAIT_MS_MAX    50
#define JUMP_US_MIN    INT64_C(2000000) /* a step of the clock against the monotonic one that is told */
#define QUARANTINE_MAX 1000             /* refused batches kept as files; more are only counted */

static const char usage[] =
    "usage: vsoc-edge run --config FILE\n"
    "       vsoc-edge run --keys              all keys of the file with default and meaning\n"
    "\n"
    "Runs the vehicle's gateway: reads CAN and security events, qualifies and aggregates them, keeps them in a sealed\n"
    "journal and sends them over mTLS until the backend has acknowledged them. Survives kill and power loss at any "
    "moment.\n"
    "\n"
    "stdout: one JSON line when more became durable, when a batch was acknowledged or refused; stderr: the log.\n"
    "SIGTERM writes what is open and ends. exit: 0 ok, 2 bad usage or input\n";

struct run {
    struct edge_config cfg;
    struct edge_node node;
    struct edge_sources sources;
    struct uplink uplink;
    struct uplink_https *https; /* NULL = no uplink */
    uint64_t durable_told;
    int64_t clock_offset_us; /* wall minus monotonic */
    uint64_t quarantined;
};

static volatile sig_atomic_t stopping;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

/* Memory holds what was taken while the journal cannot be written; when it is full, what comes is refused and counted.
 */
static bool take_event(void *ctx, const struct event *ev)
{
    struct run *r = ctx;
    enum vs_err err = gateway_report(&r->node.gw, ev, wall_clock_us());

    return err == VS_OK;
}

static void own_event(struct run *r, uint16_t type, enum ev_field_id id, const char *text, int64_t jump_us)
{
    struct event ev;

    event_init(&ev, type, wall_clock_us());
    if (text != NULL)
        event_set_text(&ev, id, slice_str(text));
    else
        event_set_int(&ev, id, jump_us);
    take_event(r, &ev);
}

/* The wall clock may be set while we run; detection times before and after do not fit together then. */
static void watch_clock(struct run *r)
{
    int64_t offset_us = wall_clock_us() - monotonic_clock_us();
    int64_t jump_us = offset_us - r->clock_offset_us;

    if (jump_us < JUMP_US_MIN && jump_us > -JUMP_US_MIN)
        return;
    r->clock_offset_us = offset_us;
    own_event(r, EV_GATEWAY_CLOCK_JUMP, EV_F_JUMP_US, NULL, jump_us);
}

static void tell(const char *event, uint32_t epoch, uint64_t seq_next, uint64_t events, uint64_t bytes)
{
    printf("{\"event\":\"%s\",\"epoch\":%u,\"seq_next\":%llu", event, (unsigned)epoch, (unsigned long long)seq_next);
    if (events > 0)
        printf(",\"events\":%llu,\"bytes\":%llu", (unsigned long long)events, (unsigned long long)bytes);
    printf("}\n");
    fflush(stdout);
}

static void tell_durable(struct run *r)
{
    const struct outbox *o = &r->node.gw.outbox;

    if (o->seq_durable == r->durable_told)
        return;
    r->durable_told = o->seq_durable;
    tell("durable", o->epoch, o->seq_durable, 0, 0);
}

/* A batch that the backend will never take is kept for whoever looks into it. */
static void quarantine(struct run *r, const struct batcher_summary *sum, const char *reason)
{
    char path[EDGE_TEXT_MAX + 64];

    log_line("edge", "batch_refused", "epoch %u, up to number %llu, %u events: %s", (unsigned)sum->epoch,
             (unsigned long long)sum->seq_next, (unsigned)sum->events, reason);
    if (r->cfg.uplink.quarantine[0] == '\0' || r->quarantined++ >= QUARANTINE_MAX)
        return;
    snprintf(path, sizeof path, "%s/%u-%llu-%llu.cose", r->cfg.uplink.quarantine, (unsigned)sum->epoch,
             (unsigned long long)sum->seq_next, (unsigned long long)wall_clock_us());
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(r->node.out, 1, sum->bytes, f) != sum->bytes)
        log_line("edge", "quarantine_failed", "%s: %s", path, strerror(errno));
    if (f != NULL)
        fclose(f);
}

static void take_answer(struct run *r, const struct uplink_reply *reply, int64_t now_us)
{
    struct batcher_summary sum = *gateway_under_way(&r->node.gw);
    uint32_t random = 0;

    if (crypto_random((uint8_t *)&random, sizeof random) != VS_OK)
        random = UINT32_MAX;
    switch (uplink_answered(&r->uplink, reply, random, now_us)) {
    case UPLINK_ACKED:
        gateway_acked(&r->node.gw, wall_clock_us());
        tell("acked", sum.epoch, sum.seq_next, sum.events, sum.bytes);
        break;
    case UPLINK_REFUSED:
        quarantine(r, &sum, reply->reason);
        gateway_refused(&r->node.gw, wall_clock_us());
        tell("refused", sum.epoch, sum.seq_next, sum.events, sum.bytes);
        break;
    case UPLINK_AGAIN:
        gateway_returned(&r->node.gw);
        log_line("edge", "batch_delayed", "status %d %s, next try in %u ms", reply->status,
                 uplink_https_error(r->https), uplink_wait_ms(&r->uplink, now_us, UINT32_MAX));
        break;
    }
}

/* Waits are counted on the monotonic clock, so that a clock that is set changes none. */
static void step_uplink(struct run *r)
{
    const struct uplink_link *link = uplink_https_link(r->https);
    int64_t now_us = monotonic_clock_us();
    struct uplink_reply reply = {0};
    size_t len;

    if (r->uplink.state == UPLINK_WAITING) {
        enum vs_err err = link->poll(link->ctx, &reply);

        if (err == VS_ERR_BUSY && !uplink_overdue(&r->uplink, now_us))
            return;
        if (err != VS_OK)
            link->cancel(link->ctx);
        take_answer(r, &reply, now_us);
    }
    if (!uplink_ready(&r->uplink, now_us) || gateway_due(&r->node.gw) == 0)
        return;
    enum vs_err err = gateway_next_batch(&r->node.gw, wall_clock_us(), r->node.out, r->node.out_size, &len);
    if (err != VS_OK) {
        log_line("edge", "batch_failed", "%s", vs_err_text(err));
        return;
    }
    tell_durable(r);
    uplink_started(&r->uplink, now_us);
    if (link->start(link->ctx, slice_make(r->node.out, len)) != VS_OK)
        take_answer(r, &reply, now_us);
}

static void wait_for_work(struct run *r, bool more)
{
    struct pollfd fd[2];
    unsigned count = edge_sources_fds(&r->sources, fd);
    int timeout_ms = more ? 0 : WAIT_MS_MAX;

    if (r->https != NULL)
        uplink_https_wait(r->https, fd, count, timeout_ms);
    else
        poll(fd, count, timeout_ms);
}

static bool is_done(const struct run *r)
{
    if (!r->cfg.input.once || !edge_sources_ended(&r->sources))
        return false;
    return r->https == NULL || (gateway_due(&r->node.gw) == 0 && r->uplink.state == UPLINK_IDLE);
}

static void loop(struct run *r)
{
    bool flushed = false;

    while (!stopping && !is_done(r)) {
        bool more = edge_sources_step(&r->sources, STEP_LINES, wall_clock_us());
        enum vs_err err = gateway_tick(&r->node.gw, wall_clock_us());

        if (r->cfg.input.once && !flushed && edge_sources_ended(&r->sources)) {
            err = gateway_flush(&r->node.gw, wall_clock_us());
            flushed = err == VS_OK;
        }
        if (err != VS_OK)
            log_line("edge", "journal_failed", "%s: %s", vs_err_text(err), strerror(errno));
        watch_clock(r);
        tell_durable(r);
        if (r->https != NULL)
            step_uplink(r);
        wait_for_work(r, more);
    }
}

static bool open_uplink(struct run *r)
{
    struct uplink_https_config link = {.url = r->cfg.uplink.url,
                                       .ca = r->cfg.uplink.ca,
                                       .cert = r->cfg.vehicle.cert,
                                       .key = r->cfg.vehicle.key,
                                       .vid = r->node.vid_text};
    struct uplink_config cfg = {.backoff_ms_min = r->cfg.uplink.backoff_ms_min,
                                .backoff_ms_max = r->cfg.uplink.backoff_ms_max,
                                .answer_ms_max = r->cfg.uplink.answer_ms_max};

    uplink_init(&r->uplink, &cfg);
    if (r->cfg.uplink.url[0] == '\0')
        return true;
    if (uplink_https_new(&link, &r->https) != VS_OK) {
        fprintf(stderr, "uplink.url: %s: not an https:// address, or out of memory\n", r->cfg.uplink.url);
        return false;
    }
    gateway_link(&r->node.gw, r->cfg.uplink.metered ? BEARER_METERED : BEARER_FREE);
    return true;
}

static int run(struct run *r)
{
    struct journal_finding finding;
    struct sigaction action = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    if (!edge_node_open(&r->node, &r->cfg, wall_clock_us(), &finding) || !open_uplink(r) ||
        !edge_sources_open(&r->sources, &r->cfg, take_event, r))
        return 2;
    r->clock_offset_us = wall_clock_us() - monotonic_clock_us();
    log_line("edge", "started", "vehicle %s, epoch %u, next number %llu, %u records waiting, journal %s",
             r->node.vid_text, (unsigned)gateway_epoch(&r->node.gw), (unsigned long long)gateway_seq_next(&r->node.gw),
             (unsigned)gateway_waiting(&r->node.gw), journal_fault_name(finding.fault));
    own_event(r, EV_GATEWAY_STARTED, EV_F_REASON, finding.torn ? "power_loss" : journal_fault_name(finding.fault), 0);
    loop(r);
    bool clean = gateway_flush(&r->node.gw, wall_clock_us()) == VS_OK;
    tell_durable(r);
    log_line("edge", "ended", "next number %llu, %u records waiting, %llu lines refused",
             (unsigned long long)gateway_seq_next(&r->node.gw), (unsigned)gateway_waiting(&r->node.gw),
             (unsigned long long)r->sources.bad_lines);
    return clean ? 0 : 2;
}

int edge_run(int argc, char **argv)
{
    static struct run r;

    if (argc == 2 && strcmp(argv[1], "--keys") == 0) {
        edge_config_describe();
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        if (argc != 2 || strcmp(argv[1], "--help") != 0)
            return usage_refuse("vsoc-edge run", argc, argv, usage);
        fputs(usage, stdout);
        return 0;
    }
    if (!edge_config_read(argv[2], &r.cfg))
        return 2;
    int status = run(&r);
    edge_sources_close(&r.sources);
    uplink_https_free(r.https);
    edge_node_close(&r.node);
    return status;
}
