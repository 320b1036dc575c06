/* isotp: puts long diagnostic messages together again from CAN frames (ISO 15765-2), as an observer on the bus.
 *
 * One isotp follows one direction of one conversation (one CAN id, or one id and address byte). Frames are:
 *
 *     0L dd..                  single frame, L = 1 to 7 bytes      00 LL dd..    FD single frame, more than 7 bytes
 *     1L LL dd..               first frame, 12-bit length          10 00 LLLLLLLL dd..   first frame, 32-bit length
 *     2S dd..                  consecutive frame, S counts 1..15, 0..
 *     3F BB TT                 flow control: F 0 continue, 1 wait, 2 overflow; block size; separation time
 *
 * Memory: the caller gives the buffer that a message is put together in; a longer message is refused as VS_ERR_LIMIT.
 * Handed-out payloads are borrowed from that buffer or from the frame, until the next step. Time: `now_us` comes from
 * the caller; a gap between consecutive frames above the timeout drops the half message. Cost: O(bytes of the frame).
 * Threads: one isotp belongs to one thread. Counters say how often each bound was hit. */
#ifndef CODEC_ISOTP_H
#define CODEC_ISOTP_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define ISOTP_TIMEOUT_US INT64_C(1000000) /* N_Cr, ISO 15765-2 table 16 */

enum isotp_kind {
    ISOTP_NOTHING, /* taken, no message complete yet */
    ISOTP_MESSAGE, /* payload holds a whole message */
    ISOTP_FLOW     /* a flow control frame; flow_* are set */
};

enum isotp_flow { ISOTP_FLOW_CONTINUE = 0, ISOTP_FLOW_WAIT = 1, ISOTP_FLOW_OVERFLOW = 2 };

struct isotp_item {
    enum isotp_kind kind;
    struct slice payload; /* ISOTP_MESSAGE; borrowed until the next step */
    enum isotp_flow flow; /* ISOTP_FLOW */
    uint8_t block_size;   /* ISOTP_FLOW; 0 = all */
    uint32_t gap_us_min;  /* ISOTP_FLOW; separation time asked for */
    bool dropped;         /* this frame ended a half message without completing it */
};

struct isotp {
    uint8_t *buf; /* borrowed */
    size_t size;
    size_t have;     /* bytes of the message so far */
    size_t want;     /* its length; 0 while none is under way */
    int64_t seen_us; /* time of its last frame */
    int64_t timeout_us;
    uint8_t sequence; /* number the next consecutive frame must have */
    uint32_t messages_count, sequence_errors_count, timeouts_count, too_long_count, aborted_count, malformed_count;
};

/* size: the longest message that can be put together; 0 is allowed (single frames only). */
void isotp_init(struct isotp *tp, void *buf, size_t size);
void isotp_reset(struct isotp *tp);
/* Takes the data bytes of one frame, address byte of extended addressing already removed. Failures leave tp ready for
 * the next message: VS_ERR_MALFORMED (bad length or reserved type), VS_ERR_LIMIT (message longer than the buffer),
 * VS_ERR_CONFLICT (consecutive frame out of order or without a first frame), VS_ERR_TRUNCATED (frame too short). */
VS_MUST_USE enum vs_err isotp_step(struct isotp *tp, struct slice data, int64_t now_us, struct isotp_item *ret_item);
/* Drops a half message that got no frame for the timeout; true when it did. */
bool isotp_tick(struct isotp *tp, int64_t now_us);

#endif
