#include "app/trace_source.h"

void trace_pcap_init(struct trace_pcap *p, uint64_t *lost)
{
    memset(p, 0, sizeof *p);
    capture_init(&p->capture);
    p->lost = lost;
}

enum vs_err trace_pcap_next(struct trace_pcap *p, struct trace_input *in, struct can_frame *ret,
                            struct trace_fault *fault)
{
    struct pcap_packet packet;

    fault->line = 0;
    for (;;) {
        enum vs_err err = capture_next(&p->capture, in, &packet, &fault->byte, &fault->reason);
        if (err != VS_OK)
            return err;
        *p->lost += packet.dropped;
        err = can_packet_read(&packet, ret, &fault->reason);
        if (err != VS_ERR_NOT_FOUND)
            return err;
        p->foreign++;
    }
}
