#include "codec/isotp.h"

#include <assert.h>

#define FRAME_CLASSIC_MAX 8

void isotp_init(struct isotp *tp, void *buf, size_t size)
{
    assert(buf != NULL || size == 0);
    memset(tp, 0, sizeof *tp);
    tp->buf = (uint8_t *)buf;
    tp->size = size;
    tp->timeout_us = ISOTP_TIMEOUT_US;
}

void isotp_reset(struct isotp *tp)
{
    tp->have = 0;
    tp->want = 0;
}

static bool under_way(const struct isotp *tp)
{
    return tp->want > 0;
}

/* A new message that begins before the last one ended: the standard says to drop the old one. */
static bool abort_half(struct isotp *tp)
{
    if (!under_way(tp))
        return false;
    tp->aborted_count++;
    isotp_reset(tp);
    return true;
}

static enum vs_err malformed(struct isotp *tp, enum vs_err err)
{
    tp->malformed_count++;
    return err;
}

/* The length is in the low half of byte 0; 0 there means FD, where byte 1 is the length and has to be one that would
 * not have fitted the short form of that frame. */
static enum vs_err take_single(struct isotp *tp, struct slice data, struct isotp_item *item)
{
    size_t len = data.ptr[0] & 0x0F;
    size_t head = 1;

    if (len == 0 && data.len > FRAME_CLASSIC_MAX) {
        len = data.ptr[1];
        head = 2;
    }
    if (len == 0 || (head == 1 && len > FRAME_CLASSIC_MAX - 1))
        return malformed(tp, VS_ERR_MALFORMED);
    if (len > data.len - head)
        return malformed(tp, VS_ERR_TRUNCATED);
    item->dropped = abort_half(tp);
    item->kind = ISOTP_MESSAGE;
    item->payload = slice_make(data.ptr + head, len);
    tp->messages_count++;
    return VS_OK;
}

static enum vs_err take_first(struct isotp *tp, struct slice data, int64_t now_us, struct isotp_item *item)
{
    size_t head = 2;

    if (data.len < FRAME_CLASSIC_MAX)
        return malformed(tp, VS_ERR_TRUNCATED);
    uint32_t want = (uint32_t)(data.ptr[0] & 0x0F) << 8 | data.ptr[1];
    if (want == 0) {
        want = (uint32_t)data.ptr[2] << 24 | (uint32_t)data.ptr[3] << 16 | (uint32_t)data.ptr[4] << 8 | data.ptr[5];
        head = 6;
    }
    /* A length that a single frame could carry is to be ignored (ISO 15765-2, 9.6.3.2). */
    if (want < FRAME_CLASSIC_MAX - 1 || want <= data.len - head)
        return malformed(tp, VS_ERR_MALFORMED);
    item->dropped = abort_half(tp);
    if (want > tp->size) {
        tp->too_long_count++;
        return VS_ERR_LIMIT;
    }
    memcpy(tp->buf, data.ptr + head, data.len - head);
    tp->have = data.len - head;
    tp->want = want;
    tp->sequence = 1;
    tp->seen_us = now_us;
    return VS_OK;
}

static enum vs_err take_consecutive(struct isotp *tp, struct slice data, int64_t now_us, struct isotp_item *item)
{
    if (!under_way(tp) || (data.ptr[0] & 0x0F) != tp->sequence) {
        tp->sequence_errors_count++;
        isotp_reset(tp);
        return VS_ERR_CONFLICT;
    }
    size_t left = tp->want - tp->have;
    size_t n = data.len - 1 < left ? data.len - 1 : left;
    if (n == 0) {
        abort_half(tp);
        return malformed(tp, VS_ERR_TRUNCATED);
    }
    memcpy(tp->buf + tp->have, data.ptr + 1, n);
    tp->have += n;
    tp->sequence = (tp->sequence + 1) & 0x0F;
    tp->seen_us = now_us;
    if (tp->have == tp->want) {
        item->kind = ISOTP_MESSAGE;
        item->payload = slice_make(tp->buf, tp->want);
        tp->messages_count++;
        isotp_reset(tp);
    }
    return VS_OK;
}

/* 00 to 7F are milliseconds, F1 to F9 hundreds of microseconds; what is reserved counts as the longest, 127 ms. */
static uint32_t gap_us(uint8_t code)
{
    if (code <= 0x7F)
        return (uint32_t)code * 1000;
    if (code >= 0xF1 && code <= 0xF9)
        return (uint32_t)(code - 0xF0) * 100;
    return 127000;
}

static enum vs_err take_flow(struct isotp *tp, struct slice data, struct isotp_item *item)
{
    if (data.len < 3)
        return malformed(tp, VS_ERR_TRUNCATED);
    if ((data.ptr[0] & 0x0F) > ISOTP_FLOW_OVERFLOW)
        return malformed(tp, VS_ERR_MALFORMED);
    item->kind = ISOTP_FLOW;
    item->flow = (enum isotp_flow)(data.ptr[0] & 0x0F);
    item->block_size = data.ptr[1];
    item->gap_us_min = gap_us(data.ptr[2]);
    return VS_OK;
}

bool isotp_tick(struct isotp *tp, int64_t now_us)
{
    /* A clock that went back proves nothing about a gap. */
    if (!under_way(tp) || now_us <= tp->seen_us || now_us - tp->seen_us <= tp->timeout_us)
        return false;
    tp->timeouts_count++;
    isotp_reset(tp);
    return true;
}

enum vs_err isotp_step(struct isotp *tp, struct slice data, int64_t now_us, struct isotp_item *ret_item)
{
    struct isotp_item item = {.kind = ISOTP_NOTHING};
    bool timed_out = isotp_tick(tp, now_us);
    enum vs_err err;

    if (data.len == 0)
        return malformed(tp, VS_ERR_TRUNCATED);
    switch (data.ptr[0] >> 4) {
    case 0:
        err = take_single(tp, data, &item);
        break;
    case 1:
        err = take_first(tp, data, now_us, &item);
        break;
    case 2:
        err = take_consecutive(tp, data, now_us, &item);
        break;
    case 3:
        err = take_flow(tp, data, &item);
        break;
    default:
        err = malformed(tp, VS_ERR_MALFORMED);
        break;
    }
    if (err != VS_OK)
        return err;
    item.dropped = item.dropped || timed_out;
    *ret_item = item;
    return VS_OK;
}
