/* capture: the packets of a pcap or pcapng file, one after the other, out of the window of a trace_input. */
#ifndef APP_CAPTURE_H
#define APP_CAPTURE_H

#include "app/trace_input.h"
#include "codec/pcap.h"

struct capture {
    struct pcap pcap;
    bool stopped;    /* what follows cannot be read */
    uint64_t record; /* 0-based number of the packet last handed out, plus 1 */
};

void capture_init(struct capture *c);
/* The next packet; it borrows from the input until the next call. VS_ERR_END behind the last one (or reading failed;
 * the input knows). Another error concerns the record at *ret_byte of the unpacked file; the next call goes on behind
 * it. */
VS_MUST_USE enum vs_err capture_next(struct capture *c, struct trace_input *in, struct pcap_packet *ret,
                                     uint64_t *ret_byte, const char **ret_reason);

#endif
