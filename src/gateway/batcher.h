/* batcher: makes one signed batch (docs/formats/batch.md) of the waiting records that may go now.
 *
 * Critical records first, then medium, then low, each in the order of their numbers; one batch is of one epoch, the
 * oldest that waits. The records are marked as sent; until the backend says that it keeps them they stay in the
 * journal. Memory: the caller's buffers. Bounds: events_max events, bytes_max bytes of plain body. No allocation. */
#ifndef GATEWAY_BATCHER_H
#define GATEWAY_BATCHER_H

#include "gateway/outbox.h"
#include "gateway/prioritise.h"

#define BATCHER_OVERHEAD 512u /* bytes of envelope, COSE and signature, with room to spare */

struct batcher_config {
    uint8_t vid[EV_VID_SIZE];
    uint32_t events_max; /* 1 to BATCH_EVENTS_MAX */
    uint32_t bytes_max;  /* of the plain body; one event larger than that is sent alone if it fits the buffers */
};

/* What was put into a batch. */
struct batcher_summary {
    uint32_t epoch;
    uint64_t seq_next;
    uint32_t events;
    uint32_t by_priority[3];
    uint32_t plain_bytes; /* of the body */
    uint32_t bytes;       /* as signed, on the wire */
};

/* How many records may go now. O(entries). */
uint32_t batcher_due(const struct outbox *o, const struct prioritise *p);

/* Writes the COSE_Sign1 into out. scratch holds 3 * (bytes_max + BATCHER_OVERHEAD) bytes besides the outbox's own.
 * pack may be NULL. VS_ERR_END when nothing may go; VS_ERR_LIMIT when out is too small; VS_ERR_IO and the signer's
 * codes. */
VS_MUST_USE enum vs_err batcher_make(struct outbox *o, const struct prioritise *p, const struct batcher_config *cfg,
                                     const struct port_pack *pack, const struct port_sign *sign, uint8_t *scratch,
                                     int64_t now_us, uint8_t *out, size_t size, struct batcher_summary *ret);

#endif
