#include "app/trace_source.h"

void trace_pcap_init(struct trace_pcap *p, uint64_t *lost)
{
    memset(p, 0, sizeof *p);
    pcap_init(&p->pcap);
    p->lost = lost;
}

/* The next record, with as much of the file as it takes. VS_ERR_END behind the last whole one. */
static enum vs_err next_record(struct trace_pcap *p, struct trace_input *in, struct pcap_packet *packet,
                               bool *ret_is_packet, size_t *ret_used, struct trace_fault *fault)
{
    enum vs_err err;

    do {
        fault->byte = in->offset;
        err = pcap_record(&p->pcap, trace_input_window(in), packet, ret_is_packet, ret_used, &fault->reason);
    } while (err == VS_ERR_TRUNCATED && trace_input_more(in));
    if (err == VS_ERR_TRUNCATED) {
        p->stopped = true;
        return trace_input_window(in).len == 0 || in->failed ? VS_ERR_END : VS_ERR_TRUNCATED;
    }
    p->stopped = err != VS_OK && *ret_used == 0;
    return err;
}

enum vs_err trace_pcap_next(struct trace_pcap *p, struct trace_input *in, struct can_frame *ret,
                            struct trace_fault *fault)
{
    struct pcap_packet packet;
    bool is_packet;
    size_t used;

    fault->line = 0;
    while (!p->stopped) {
        enum vs_err err = next_record(p, in, &packet, &is_packet, &used, fault);
        if (err == VS_OK && is_packet) {
            *p->lost += packet.dropped;
            err = can_packet_read(&packet, ret, &fault->reason);
            is_packet = err != VS_ERR_NOT_FOUND;
            p->foreign += !is_packet;
            err = is_packet ? err : VS_OK;
        }
        trace_input_take(in, used);
        if (err != VS_OK || is_packet)
            return err;
    }
    return VS_ERR_END;
}
