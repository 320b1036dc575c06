#include "app/capture.h"

void capture_init(struct capture *c)
{
    memset(c, 0, sizeof *c);
    pcap_init(&c->pcap);
}

static enum vs_err end_within(struct capture *c, const struct trace_input *in)
{
    c->stopped = true;
    return trace_input_window(in).len == 0 || in->failed ? VS_ERR_END : VS_ERR_TRUNCATED;
}

enum vs_err capture_next(struct capture *c, struct trace_input *in, struct pcap_packet *ret, uint64_t *ret_byte,
                         const char **ret_reason)
{
    bool is_packet = false;
    size_t used;

    while (!c->stopped && !is_packet) {
        *ret_byte = in->offset;
        enum vs_err err = pcap_record(&c->pcap, trace_input_window(in), ret, &is_packet, &used, ret_reason);
        if (err == VS_ERR_TRUNCATED && trace_input_more(in))
            continue;
        if (err == VS_ERR_TRUNCATED)
            return end_within(c, in);
        c->stopped = err != VS_OK && used == 0;
        trace_input_take(in, used);
        if (err != VS_OK)
            return err;
    }
    c->record += is_packet;
    return is_packet ? VS_OK : VS_ERR_END;
}
