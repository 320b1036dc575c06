#include "codec/gptp.h"

#include "core/cursor.h"

#define HEADER_SIZE   34u
#define ANNOUNCE_SIZE 64u
#define FOLLOW_SIZE   44u
#define VERSION       2u

static void take_identity(struct cursor *c, uint8_t ret[GPTP_IDENTITY_SIZE])
{
    struct slice bytes = cursor_bytes(c, GPTP_IDENTITY_SIZE);

    if (bytes.len == GPTP_IDENTITY_SIZE)
        memcpy(ret, bytes.ptr, GPTP_IDENTITY_SIZE);
}

static void take_announce(struct gptp *m, struct cursor *c)
{
    (void)cursor_bytes(c, 13);
    m->priority1 = cursor_u8(c);
    m->clock_class = cursor_u8(c);
    (void)cursor_bytes(c, 3);
    m->priority2 = cursor_u8(c);
    take_identity(c, m->grandmaster);
    m->steps_removed = cursor_u16be(c);
}

static void take_follow_up(struct gptp *m, struct cursor *c)
{
    uint64_t seconds = (uint64_t)cursor_u16be(c) << 32;

    seconds |= cursor_u32be(c);
    m->origin_us = seconds * 1000000u + cursor_u32be(c) / 1000u;
}

enum vs_err gptp_read(struct slice in, struct gptp *ret, struct byte_fault *ret_fault)
{
    struct gptp m = {0};
    struct cursor c;

    cursor_init(&c, in);
    m.type = cursor_u8(&c) & 15u;
    unsigned version = cursor_u8(&c) & 15u, length = cursor_u16be(&c);
    m.domain = cursor_u8(&c);
    (void)cursor_bytes(&c, 15);
    take_identity(&c, m.source);
    (void)cursor_bytes(&c, 2);
    m.sequence = cursor_u16be(&c);
    (void)cursor_bytes(&c, 2);
    if (c.failed)
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, in.len, "shorter than a PTP header");
    if (version != VERSION)
        return byte_fault_set(ret_fault, VS_ERR_UNSUPPORTED, 1, "PTP version is not 2");
    if (length < HEADER_SIZE || length > in.len)
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, 2, "PTP length beyond the packet, or below its header");
    c.in.len = length;
    if ((m.type == GPTP_ANNOUNCE && length < ANNOUNCE_SIZE) || (m.type == GPTP_FOLLOW_UP && length < FOLLOW_SIZE))
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, 2, "PTP message shorter than its type");
    if (m.type == GPTP_ANNOUNCE)
        take_announce(&m, &c);
    else if (m.type == GPTP_FOLLOW_UP)
        take_follow_up(&m, &c);
    *ret = m;
    return VS_OK;
}
