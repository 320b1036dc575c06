#include "codec/pcap.h"

#include "core/cursor.h"
#include "core/timestamp.h"

#define MAGIC_US UINT32_C(0xA1B2C3D4)
#define MAGIC_NS UINT32_C(0xA1B23C4D)
#define MAGIC_NG UINT32_C(0x1A2B3C4D)

#define BLOCK_HEAD  8u
#define BLOCK_MIN   12u
#define BLOCK_MAX   (PCAP_PACKET_MAX + 64u * 1024)
#define RECORD_HEAD 16u

enum block_type { BLOCK_INTERFACE = 1, BLOCK_PACKET_OLD = 2, BLOCK_PACKET_SIMPLE = 3, BLOCK_PACKET = 6 };
#define BLOCK_SECTION UINT32_C(0x0A0D0D0A)

enum option {
    OPTION_END = 0,
    OPTION_FLAGS = 2,
    OPTION_NAME = 2,
    OPTION_DROPS = 4,
    OPTION_RESOLUTION = 9,
    OPTION_OFFSET = 14
};

#define DIRECTION_MASK 3u
#define DIRECTION_SENT 2u

void pcap_init(struct pcap *p)
{
    memset(p, 0, sizeof *p);
}

static uint16_t get_u16(const struct pcap *p, struct cursor *c)
{
    return p->swapped ? cursor_u16be(c) : cursor_u16le(c);
}

static uint32_t get_u32(const struct pcap *p, struct cursor *c)
{
    return p->swapped ? cursor_u32be(c) : cursor_u32le(c);
}

static uint64_t get_u64(const struct pcap *p, struct cursor *c)
{
    return p->swapped ? cursor_u64be(c) : cursor_u64le(c);
}

static uint32_t magic_le(struct slice in, size_t at)
{
    struct cursor c;

    cursor_init(&c, slice_from(in, at));
    return cursor_u32le(&c);
}

static uint32_t magic_be(struct slice in, size_t at)
{
    struct cursor c;

    cursor_init(&c, slice_from(in, at));
    return cursor_u32be(&c);
}

bool pcap_is_header(struct slice in)
{
    uint32_t le = magic_le(in, 0), be = magic_be(in, 0);

    return le == MAGIC_US || le == MAGIC_NS || be == MAGIC_US || be == MAGIC_NS || le == BLOCK_SECTION;
}

/* ---- times */

static uint64_t power_of(const struct pcap_interface *f)
{
    uint64_t v = 1;

    if (f->binary)
        return UINT64_C(1) << f->power;
    for (unsigned i = 0; i < f->power; i++)
        v *= 10;
    return v;
}

/* Ticks of the interface into microseconds; beyond what 64 bits hold, the nearest they do. */
static int64_t ticks_us(const struct pcap_interface *f, uint64_t ticks)
{
    uint64_t per_s = power_of(f), seconds = ticks / per_s, rest = ticks % per_s;

    /* The rest is below per_s; scaled so that the product stays within 64 bits. */
    while (per_s > UINT64_MAX / US_PER_S) {
        per_s /= 2;
        rest /= 2;
    }
    int64_t us = (int64_t)(rest * (uint64_t)US_PER_S / per_s);
    const int64_t limit_s = INT64_MAX / US_PER_S - 1;
    if (seconds > (uint64_t)limit_s || f->offset_s > limit_s - (int64_t)seconds)
        return limit_s * US_PER_S;
    int64_t whole_s = (int64_t)seconds + f->offset_s;
    return (whole_s < -limit_s ? -limit_s : whole_s) * US_PER_S + us;
}

/* ---- libpcap's own format */

static enum vs_err take_file_header(struct pcap *p, struct slice in, size_t *ret_used, const char **ret_reason)
{
    struct pcap_interface *f = &p->interface[0];
    struct cursor c;

    if (in.len < PCAP_HEADER_SIZE)
        return VS_ERR_TRUNCATED;
    cursor_init(&c, in);
    p->swapped = magic_be(in, 0) == MAGIC_US || magic_be(in, 0) == MAGIC_NS;
    f->power = get_u32(p, &c) == MAGIC_NS ? 9 : 6;
    uint16_t major = get_u16(p, &c);
    (void)cursor_bytes(&c, 14);
    f->link = (uint16_t)get_u32(p, &c);
    if (major != 2) {
        *ret_reason = "only version 2 of the pcap format is read";
        return VS_ERR_UNSUPPORTED;
    }
    p->interface_count = 1;
    p->begun = true;
    *ret_used = PCAP_HEADER_SIZE;
    return VS_OK;
}

static enum vs_err take_record(const struct pcap *p, struct slice in, struct pcap_packet *ret, size_t *ret_used,
                               const char **ret_reason)
{
    const struct pcap_interface *f = &p->interface[0];
    struct cursor c;

    if (in.len < RECORD_HEAD)
        return VS_ERR_TRUNCATED;
    cursor_init(&c, in);
    uint64_t seconds = get_u32(p, &c), fraction = get_u32(p, &c);
    uint32_t kept = get_u32(p, &c);
    if (kept > PCAP_PACKET_MAX) {
        *ret_reason = "a packet of more than 256 kB, or not a packet at all";
        return VS_ERR_RANGE;
    }
    if (kept > in.len - RECORD_HEAD)
        return VS_ERR_TRUNCATED;
    *ret_used = RECORD_HEAD + kept;
    memset(ret, 0, sizeof *ret);
    ret->time_us = (int64_t)seconds * US_PER_S + (int64_t)(f->power == 9 ? fraction / 1000 : fraction);
    ret->interface = f;
    ret->wire_len = get_u32(p, &c);
    ret->data = cursor_bytes(&c, kept);
    return VS_OK;
}

/* ---- pcapng */

/* u16 code, u16 length, value padded to 4 bytes. False at the end of the options. */
static bool next_option(const struct pcap *p, struct cursor *c, unsigned *ret_code, struct slice *ret)
{
    if (cursor_left(c) < 4)
        return false;
    *ret_code = get_u16(p, c);
    uint16_t len = get_u16(p, c);
    if (*ret_code == OPTION_END)
        return false;
    *ret = cursor_bytes(c, len);
    if (len % 4 != 0)
        (void)cursor_bytes(c, 4 - len % 4u);
    return !c->failed;
}

static bool set_resolution(struct pcap_interface *f, uint8_t v)
{
    f->binary = (v & 0x80) != 0;
    f->power = v & 0x7F;
    return f->power <= (f->binary ? 63 : 19);
}

static enum vs_err take_interface(struct pcap *p, struct cursor *c, const char **ret_reason)
{
    struct pcap_interface f = {.power = 6};
    struct slice v;
    unsigned code;

    f.link = get_u16(p, c);
    (void)cursor_bytes(c, 6);
    while (next_option(p, c, &code, &v)) {
        struct cursor vc;
        cursor_init(&vc, v);
        if (code == OPTION_NAME) {
            f.name_len = (uint8_t)(v.len < PCAP_NAME_MAX ? v.len : PCAP_NAME_MAX);
            memcpy(f.name, v.ptr, f.name_len);
        } else if (code == OPTION_RESOLUTION && v.len == 1 && !set_resolution(&f, cursor_u8(&vc))) {
            *ret_reason = "resolution of times out of range";
            return VS_ERR_RANGE;
        } else if (code == OPTION_OFFSET && v.len == 8) {
            f.offset_s = (int64_t)get_u64(p, &vc);
        }
    }
    *ret_reason = "more interfaces than are kept";
    if (p->interface_count == PCAP_INTERFACES_MAX)
        return VS_ERR_LIMIT;
    p->interface[p->interface_count++] = f;
    return VS_OK;
}

static void take_packet_options(const struct pcap *p, struct cursor *c, struct pcap_packet *ret)
{
    struct slice v;
    unsigned code;

    while (next_option(p, c, &code, &v)) {
        struct cursor vc;
        cursor_init(&vc, v);
        if (code == OPTION_FLAGS && v.len == 4)
            ret->sent = (get_u32(p, &vc) & DIRECTION_MASK) == DIRECTION_SENT;
        else if (code == OPTION_DROPS && v.len == 8)
            ret->dropped = get_u64(p, &vc);
    }
}

static enum vs_err take_packet(const struct pcap *p, uint32_t type, struct cursor *c, struct pcap_packet *ret,
                               const char **ret_reason)
{
    uint32_t number = 0, kept;
    uint64_t ticks = 0;

    memset(ret, 0, sizeof *ret);
    if (type == BLOCK_PACKET)
        number = get_u32(p, c);
    if (type == BLOCK_PACKET_OLD) {
        number = get_u16(p, c);
        ret->dropped = get_u16(p, c);
    }
    if (type != BLOCK_PACKET_SIMPLE) {
        ticks = (uint64_t)get_u32(p, c) << 32;
        ticks |= get_u32(p, c);
        kept = get_u32(p, c);
        ret->wire_len = get_u32(p, c);
    } else {
        ret->wire_len = get_u32(p, c);
        kept = ret->wire_len < cursor_left(c) ? ret->wire_len : (uint32_t)cursor_left(c);
    }
    ret->data = cursor_bytes(c, kept);
    *ret_reason = "block shorter than the packet it says it holds";
    if (c->failed)
        return VS_ERR_MALFORMED;
    *ret_reason = "packet of an interface that was not described";
    if (number >= p->interface_count)
        return VS_ERR_MALFORMED;
    ret->interface = &p->interface[number];
    ret->time_us = type == BLOCK_PACKET_SIMPLE ? 0 : ticks_us(ret->interface, ticks);
    if (kept % 4 != 0)
        (void)cursor_bytes(c, 4 - kept % 4);
    if (type != BLOCK_PACKET_SIMPLE && !c->failed)
        take_packet_options(p, c, ret);
    return VS_OK;
}

/* A section shows its byte order itself, and starts the numbering of interfaces anew. */
static enum vs_err take_section(struct pcap *p, struct cursor *c, const char **ret_reason)
{
    (void)cursor_bytes(c, 4);
    uint16_t major = get_u16(p, c);

    p->ng = p->begun = true;
    p->interface_count = 0;
    *ret_reason = "only version 1 of the pcapng format is read";
    return c->failed || major != 1 ? VS_ERR_UNSUPPORTED : VS_OK;
}

static enum vs_err take_block(struct pcap *p, struct slice in, struct pcap_packet *ret, bool *ret_is_packet,
                              size_t *ret_used, const char **ret_reason)
{
    struct cursor c;

    if (in.len < BLOCK_MIN)
        return VS_ERR_TRUNCATED;
    if (magic_le(in, 0) == BLOCK_SECTION) {
        p->swapped = magic_be(in, BLOCK_HEAD) == MAGIC_NG;
        *ret_reason = "section header without its magic number";
        if (!p->swapped && magic_le(in, BLOCK_HEAD) != MAGIC_NG)
            return VS_ERR_MALFORMED;
    }
    cursor_init(&c, in);
    uint32_t type = get_u32(p, &c), size = get_u32(p, &c);
    *ret_reason = "block length out of bounds";
    if (size < BLOCK_MIN || size % 4 != 0 || size > BLOCK_MAX)
        return VS_ERR_RANGE;
    if (size > in.len)
        return VS_ERR_TRUNCATED;
    *ret_used = size;
    cursor_init(&c, slice_head(slice_from(in, size - 4), 4));
    *ret_reason = "the block's two lengths differ";
    if (get_u32(p, &c) != size)
        return VS_ERR_MALFORMED;
    cursor_init(&c, slice_head(slice_from(in, BLOCK_HEAD), size - BLOCK_MIN));
    if (type == BLOCK_SECTION)
        return take_section(p, &c, ret_reason);
    if (type == BLOCK_INTERFACE)
        return take_interface(p, &c, ret_reason);
    *ret_is_packet = type == BLOCK_PACKET || type == BLOCK_PACKET_OLD || type == BLOCK_PACKET_SIMPLE;
    return *ret_is_packet ? take_packet(p, type, &c, ret, ret_reason) : VS_OK;
}

enum vs_err pcap_record(struct pcap *p, struct slice in, struct pcap_packet *ret_packet, bool *ret_is_packet,
                        size_t *ret_used, const char **ret_reason)
{
    struct pcap_packet packet;
    enum vs_err err;

    *ret_is_packet = false;
    *ret_used = 0;
    *ret_reason = "the capture ends within a record";
    if (in.len < 4)
        return VS_ERR_TRUNCATED;
    if (!p->begun && !pcap_is_header(in)) {
        *ret_reason = "not a capture";
        return VS_ERR_MALFORMED;
    }
    if (p->ng || (!p->begun && magic_le(in, 0) == BLOCK_SECTION)) {
        err = take_block(p, in, &packet, ret_is_packet, ret_used, ret_reason);
    } else if (!p->begun) {
        err = take_file_header(p, in, ret_used, ret_reason);
    } else {
        err = take_record(p, in, &packet, ret_used, ret_reason);
        *ret_is_packet = true;
    }
    *ret_is_packet = *ret_is_packet && err == VS_OK;
    if (*ret_is_packet)
        *ret_packet = packet;
    return err;
}
