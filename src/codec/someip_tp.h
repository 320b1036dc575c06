/* someip_tp: puts a SOME/IP message together again from its segments, as an observer.
 *
 * One someip_tp follows one message at a time: of one sender, service, method, client and session. Segments come in
 * order; each but the last has a payload of a multiple of 16 bytes. A first segment starts anew, one that does not
 * follow gives the message up. A set of them for all senders, and which one to give up when none is free, is for the
 * caller.
 *
 * Memory: the caller gives the buffer; a longer message is refused as VS_ERR_LIMIT. Cost: O(bytes). Threads: one owner.
 * Source: AUTOSAR PRS_SOMEIPProtocol (R22-11), 4.2.1.4. */
#ifndef CODEC_SOMEIP_TP_H
#define CODEC_SOMEIP_TP_H

#include "codec/someip.h"

struct someip_tp {
    uint8_t *buf; /* the caller's */
    uint32_t room, len;
    bool active;
    uint64_t given_up; /* messages that were begun and not completed */
    uint64_t too_long;
};

void someip_tp_init(struct someip_tp *t, void *buf, uint32_t room);
/* True when the segment completes a message: *ret_payload is all of it, borrowed until the next step. On
 * VS_ERR_MALFORMED (out of order, odd length) and VS_ERR_LIMIT (longer than the buffer) the message is given up. */
VS_MUST_USE enum vs_err someip_tp_step(struct someip_tp *t, const struct someip *segment, bool *ret_complete,
                                       struct slice *ret_payload, struct byte_fault *ret_fault);

#endif
