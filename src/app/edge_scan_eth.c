#include "app/edge_scan_eth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/capture.h"
#include "app/eth_policy.h"
#include "codec/can_packet.h"
#include "core/writer.h"
#include "edge/eids.h"
#include "event/event_json.h"

#define TICK_US   100000
#define LINE_SIZE (EVENT_JSON_SIZE + 256)

struct eth_scan {
    struct trace_input in;
    struct capture capture;
    struct eth_policy_file policy;
    struct eids *ids;
    struct eids_finding found[EIDS_FINDINGS_MAX];
    uint64_t events, damaged;
    int64_t tick_us;
};

bool edge_is_ethernet(const char *path)
{
    struct trace_input in;
    struct capture c;
    struct pcap_packet packet;
    struct can_frame frame;
    uint64_t byte;
    const char *reason;

    if (strcmp(path, "-") == 0 || !trace_input_open(&in, path))
        return false;
    (void)trace_input_more(&in);
    bool is = pcap_is_header(trace_input_window(&in));
    capture_init(&c);
    is = is && capture_next(&c, &in, &packet, &byte, &reason) == VS_OK &&
         can_packet_read(&packet, &frame, &reason) == VS_ERR_NOT_FOUND;
    trace_input_close(&in);
    return is;
}

/* frame, then the event as everywhere. */
static void print(struct eth_scan *s, size_t count)
{
    uint8_t text[EIDS_TEXT_SIZE], line[LINE_SIZE], extra[64];

    for (size_t i = 0; i < count; i++) {
        const struct eids_finding *f = &s->found[i];
        struct writer w, x;
        struct event ev;
        eids_finding_event(f, 0, text, &ev);
        writer_init(&x, extra, sizeof extra);
        writer_text(&x, ",\"frame\":");
        writer_u64_text(&x, f->packet);
        writer_init(&w, line, sizeof line);
        event_json_write(&ev, slice_make(NULL, 0), writer_slice(&x), &w);
        fwrite(line, 1, w.len, stdout);
        fputc('\n', stdout);
        s->events++;
    }
}

static void packet_scan(struct eth_scan *s, const struct pcap_packet *p)
{
    if (s->tick_us == 0)
        s->tick_us = p->time_us + TICK_US;
    for (; s->tick_us < p->time_us && p->time_us - s->tick_us < 1000 * (int64_t)TICK_US; s->tick_us += TICK_US)
        print(s, eids_tick(s->ids, s->tick_us, s->found, EIDS_FINDINGS_MAX));
    if (s->tick_us < p->time_us)
        s->tick_us = p->time_us;
    print(s, eids_packet(s->ids, p->interface->link, p->data, p->wire_len, p->time_us, s->found, EIDS_FINDINGS_MAX));
}

static int run(struct eth_scan *s, const char *path)
{
    struct pcap_packet packet;
    uint64_t byte = 0;
    const char *reason = "";
    enum vs_err err;

    if (!trace_input_open(&s->in, path)) {
        fprintf(stderr, "vsoc-edge: %s: %s\n", path, strerror(errno));
        return 2;
    }
    capture_init(&s->capture);
    while ((err = capture_next(&s->capture, &s->in, &packet, &byte, &reason)) != VS_ERR_END) {
        if (err == VS_OK) {
            packet_scan(s, &packet);
        } else {
            s->damaged++;
            fprintf(stderr, "vsoc-edge: %s: byte %" PRIu64 ": %s\n", path, byte, reason);
        }
    }
    if (s->in.failed) {
        s->damaged++;
        fprintf(stderr, "vsoc-edge: %s: reading or unpacking failed behind byte %" PRIu64 "\n", path, s->in.offset);
    }
    trace_input_close(&s->in);
    const struct eids_counters *c = &s->ids->counters;
    fprintf(stderr,
            "scanned %" PRIu64 " packets: %" PRIu64 " events, %" PRIu64 " hits withheld, %" PRIu64
            " packets of other link types\n",
            c->packets, s->events, c->findings_withheld, c->foreign);
    if (c->packets == 0 && s->damaged == 0) {
        fprintf(stderr, "vsoc-edge: %s: no packet in it; is it a capture (pcap, pcapng)?\n", path);
        return 2;
    }
    return s->damaged > 0 ? 2 : s->events > 0 ? 1 : 0;
}

int edge_scan_ethernet(const char *path, const char *policy)
{
    static struct eth_scan s;
    struct eth_policy_error error;
    int code = 2;

    if (policy != NULL && eth_policy_load(policy, &s.policy, &error) != VS_OK) {
        fprintf(stderr, "vsoc-edge: %s\n", error.text);
        return 2;
    }
    if (policy == NULL)
        fprintf(stderr, "vsoc-edge: without --policy only what contradicts itself is told\n");
    s.ids = malloc(sizeof *s.ids);
    if (s.ids != NULL) {
        eids_init(s.ids, &s.policy.policy);
        code = run(&s, path);
    }
    free(s.ids);
    eth_policy_free(&s.policy);
    return code;
}
