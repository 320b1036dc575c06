#include "codec/can_packet.h"

#include "core/cursor.h"

#define HEAD_SIZE    8u
#define FD_SIZE      72u
#define SLL_SIZE     16u
#define SLL2_SIZE    20u
#define SLL_SENT     4u /* packet type: sent by the recording host */
#define PROTOCOL_CAN 0x000Cu
#define PROTOCOL_FD  0x000Du
#define PROTOCOL_XL  0x000Eu
#define XL_BIT       0x80u
#define FLAG_BRS     1u
#define FLAG_ESI     2u
#define FLAG_FD      4u
#define FLAGS_KNOWN  (FLAG_BRS | FLAG_ESI | FLAG_FD)
#define ID_EXT       UINT32_C(0x80000000)
#define ID_RTR       UINT32_C(0x40000000)
#define ID_ERR       UINT32_C(0x20000000)

/* An 11-bit identifier leaves the bits between 11 and 28 zero. */
static bool possible(uint32_t id)
{
    return (id & (ID_EXT | ID_ERR)) != 0 || (id & CAN_FRAME_ID_EXT) <= CAN_FRAME_ID_STD;
}

static uint32_t swap(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xFF00u) | (v << 8 & 0xFF0000u) | v << 24;
}

struct head {
    uint32_t id;
    uint8_t len, flags, reserved, raw_dlc;
};

static bool is_fd(const struct head *h, size_t packet_len)
{
    if (packet_len == FD_SIZE)
        return true;
    return (h->flags & FLAG_FD) != 0 && (h->flags & ~FLAGS_KNOWN) == 0 && h->reserved == 0 && h->raw_dlc == 0;
}

static enum vs_err fill(const struct head *h, struct cursor *c, bool fd, struct can_frame *ret, const char **ret_reason)
{
    unsigned max = fd ? CAN_FRAME_DATA_MAX : 8u;

    *ret_reason = "length above what a frame holds";
    if (h->len > max)
        return VS_ERR_RANGE;
    ret->id = h->id & ((h->id & (ID_EXT | ID_ERR)) != 0 ? CAN_FRAME_ID_EXT : CAN_FRAME_ID_STD);
    ret->flags |= (h->id & ID_ERR   ? CAN_FRAME_ERR
                   : h->id & ID_EXT ? CAN_FRAME_EXT
                                    : 0) |
                  (h->id & ID_RTR && !fd ? CAN_FRAME_RTR : 0) | (fd ? CAN_FRAME_FD : 0) |
                  (fd && h->flags & FLAG_BRS ? CAN_FRAME_BRS : 0) | (fd && h->flags & FLAG_ESI ? CAN_FRAME_ESI : 0);
    ret->dlc = can_frame_len_to_dlc(h->len, fd);
    if (!fd && h->len == 8 && h->raw_dlc > 8 && h->raw_dlc < 16)
        ret->dlc = h->raw_dlc;
    if ((ret->flags & CAN_FRAME_RTR) != 0)
        return VS_OK;
    *ret_reason = "packet cut short before the end of its data";
    if (h->len > cursor_left(c))
        return VS_ERR_TRUNCATED;
    memcpy(ret->data, cursor_bytes(c, h->len).ptr, h->len);
    ret->len = h->len;
    return VS_OK;
}

static enum vs_err read_head(struct slice packet, bool cooked, bool cooked_fd, struct can_frame *ret,
                             const char **ret_reason)
{
    struct cursor c;
    struct head h;

    cursor_init(&c, packet);
    h.id = cooked ? cursor_u32le(&c) : cursor_u32be(&c);
    if (cooked && !possible(h.id))
        h.id = swap(h.id);
    h.len = cursor_u8(&c);
    h.flags = cursor_u8(&c);
    h.reserved = cursor_u8(&c);
    h.raw_dlc = cursor_u8(&c);
    *ret_reason = "shorter than the header of a CAN frame";
    if (c.failed)
        return VS_ERR_TRUNCATED;
    *ret_reason = "CAN XL frames are not supported";
    if ((h.len & XL_BIT) != 0)
        return VS_ERR_UNSUPPORTED;
    return fill(&h, &c, cooked ? cooked_fd : is_fd(&h, packet.len), ret, ret_reason);
}

/* SLL: u16 packet type, .., u16 protocol at 14. SLL2: u16 protocol at 0, .., u8 packet type at 10. */
static enum vs_err read_cooked(const struct pcap_packet *p, struct can_frame *ret, const char **ret_reason)
{
    bool second = p->interface->link == PCAP_LINK_SLL2;
    size_t size = second ? SLL2_SIZE : SLL_SIZE;
    struct cursor c;

    *ret_reason = "shorter than the header of a cooked capture";
    if (p->data.len < size)
        return VS_ERR_TRUNCATED;
    cursor_init(&c, slice_from(p->data, second ? 0 : 14));
    uint16_t protocol = cursor_u16be(&c);
    cursor_init(&c, slice_from(p->data, second ? 10 : 0));
    unsigned type = second ? cursor_u8(&c) : cursor_u16be(&c);
    *ret_reason = "CAN XL frames are not supported";
    if (protocol == PROTOCOL_XL)
        return VS_ERR_UNSUPPORTED;
    *ret_reason = "not a CAN packet";
    if (protocol != PROTOCOL_CAN && protocol != PROTOCOL_FD)
        return VS_ERR_NOT_FOUND;
    ret->flags |= type == SLL_SENT ? CAN_FRAME_TX : 0;
    return read_head(slice_from(p->data, size), true, protocol == PROTOCOL_FD, ret, ret_reason);
}

enum vs_err can_packet_read(const struct pcap_packet *p, struct can_frame *ret, const char **ret_reason)
{
    struct can_frame fr = {.time_us = p->time_us, .flags = p->sent ? CAN_FRAME_TX : 0};
    enum vs_err err;

    fr.bus = slice_make(p->interface->name, p->interface->name_len);
    if (p->interface->link == PCAP_LINK_CAN) {
        err = read_head(p->data, false, false, &fr, ret_reason);
    } else if (p->interface->link == PCAP_LINK_SLL || p->interface->link == PCAP_LINK_SLL2) {
        err = read_cooked(p, &fr, ret_reason);
    } else {
        *ret_reason = "not a CAN packet";
        err = VS_ERR_NOT_FOUND;
    }
    if (err == VS_OK)
        *ret = fr;
    return err;
}
