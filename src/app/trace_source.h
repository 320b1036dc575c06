/* trace_source: the kinds of recordings that trace reads, each with its state and the same kind of step.
 *
 * A step gives the next frame. VS_ERR_END: there is nothing more (or reading failed; the input knows).
 * VS_ERR_UNSUPPORTED: of a kind that is not read, and the source gives nothing more. Any other error concerns one line
 * or record, *fault says where and why, and the next step goes on behind it. Memory: the states below; text and
 * captures own none besides, a Vector log the container that it is in. */
#ifndef APP_TRACE_SOURCE_H
#define APP_TRACE_SOURCE_H

#include "app/capture.h"
#include "app/trace_input.h"
#include "codec/asc.h"
#include "codec/blf.h"
#include "codec/can_packet.h"
#include "codec/candump.h"
#include "codec/trc.h"

struct trace_fault {
    uint64_t line;   /* 1-based; 0 = it is a binary file */
    unsigned column; /* 1-based byte of the line */
    uint64_t byte;   /* 0-based byte of the unpacked file */
    const char *reason;
};

/* ---- text: candump, Vector ASC, PEAK TRC */

enum trace_text_kind { TRACE_TEXT_UNKNOWN, TRACE_TEXT_CANDUMP, TRACE_TEXT_ASC, TRACE_TEXT_TRC, TRACE_TEXT_BINARY };

struct trace_text {
    enum trace_text_kind kind;
    struct asc asc;
    struct trc trc;
    uint64_t line;  /* 1-based number of the line last taken */
    uint64_t *lost; /* counts frames that the recording says were lost */
    bool cut;       /* the rest of a line that was too long is still to be passed over */
};

void trace_text_init(struct trace_text *t, uint64_t *lost);
VS_MUST_USE enum vs_err trace_text_next(struct trace_text *t, struct trace_input *in, struct can_frame *ret,
                                        struct trace_fault *fault);

/* ---- Vector BLF */

struct trace_blf {
    struct blf blf;
    bool begun, stopped;
    uint8_t *inner; /* what containers held, from the first object that is not complete */
    size_t inner_len, inner_pos, inner_room;
    uint64_t *lost;
};

void trace_blf_init(struct trace_blf *b, uint64_t *lost);
void trace_blf_done(struct trace_blf *b);
VS_MUST_USE enum vs_err trace_blf_next(struct trace_blf *b, struct trace_input *in, struct can_frame *ret,
                                       struct trace_fault *fault);

/* ---- captures: pcap, pcapng */

struct trace_pcap {
    struct capture capture;
    uint64_t foreign; /* packets that are not CAN */
    uint64_t *lost;
};

void trace_pcap_init(struct trace_pcap *p, uint64_t *lost);
VS_MUST_USE enum vs_err trace_pcap_next(struct trace_pcap *p, struct trace_input *in, struct can_frame *ret,
                                        struct trace_fault *fault);

#endif
