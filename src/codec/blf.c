#include "codec/blf.h"

#include "core/cursor.h"
#include "core/timestamp.h"
#include "core/writer.h"

#define PADDING_MAX 7u

#define FLAG_TIME_10_US 1u
#define CAN_ID_EXT      UINT32_C(0x80000000)
#define CAN_SENT        0x01u
#define CAN_REMOTE      0x80u

enum object_type {
    CAN_MESSAGE = 1,
    CAN_ERROR = 2,
    LOG_CONTAINER = 10,
    CAN_ERROR_EXT = 73,
    CAN_MESSAGE2 = 86,
    CAN_FD_MESSAGE = 100,
    CAN_FD_MESSAGE_64 = 101,
    CAN_FD_ERROR_64 = 104,
    DATA_LOST_END = 126
};

static const struct slice FILE_MARK = SLICE_LIT("LOGG"), OBJECT_MARK = SLICE_LIT("LOBJ");

bool blf_is_header(struct slice in)
{
    return slice_starts(in, FILE_MARK);
}

static void put_digits(struct writer *w, unsigned value, unsigned digits)
{
    unsigned unit = 1;

    for (unsigned i = 1; i < digits; i++)
        unit *= 10;
    for (; unit > 0; unit /= 10)
        writer_u8(w, (uint8_t)('0' + value / unit % 10));
}

/* A date that is none, all zeros for one, is an unknown one. */
static int64_t take_system_time(struct cursor *c)
{
    unsigned part[8];
    uint8_t text[TIMESTAMP_TEXT_LEN];
    struct writer w;
    int64_t us;

    for (size_t i = 0; i < 8; i++)
        part[i] = cursor_u16le(c);
    writer_init(&w, text, sizeof text);
    put_digits(&w, part[0], 4);
    writer_u8(&w, '-');
    put_digits(&w, part[1], 2);
    writer_u8(&w, '-');
    put_digits(&w, part[3], 2);
    writer_u8(&w, 'T');
    put_digits(&w, part[4], 2);
    writer_u8(&w, ':');
    put_digits(&w, part[5], 2);
    writer_u8(&w, ':');
    put_digits(&w, part[6], 2);
    writer_u8(&w, '.');
    put_digits(&w, part[7], 3);
    writer_u8(&w, 'Z');
    return timestamp_parse(writer_slice(&w), &us) ? us : -1;
}

enum vs_err blf_header(struct slice in, struct blf_head *ret, const char **ret_reason)
{
    struct cursor c;

    cursor_init(&c, in);
    (void)cursor_bytes(&c, FILE_MARK.len);
    uint32_t size = cursor_u32le(&c);
    (void)cursor_bytes(&c, 32);
    int64_t start_us = take_system_time(&c);
    (void)cursor_bytes(&c, 16);
    if (c.failed) {
        *ret_reason = "the file ends within its header";
        return VS_ERR_TRUNCATED;
    }
    if (!blf_is_header(in) || size < BLF_HEADER_MIN || size > BLF_HEADER_MAX) {
        *ret_reason = "the header of a BLF file begins with LOGG and is 72 to 4096 bytes long";
        return VS_ERR_MALFORMED;
    }
    *ret = (struct blf_head){size, start_us};
    return VS_OK;
}

/* ---- objects */

struct object {
    uint32_t size, type;
    uint16_t head_size, version;
    int64_t time_us;
};

static struct slice channel_name(struct blf *b, unsigned channel)
{
    unsigned unit = 10000;
    size_t n = 0;

    for (; unit > 1 && channel < unit; unit /= 10)
        ;
    for (; unit > 0; unit /= 10)
        b->channel[n++] = (char)('0' + channel / unit % 10);
    return slice_make(b->channel, n);
}

/* Some writers forget the mark; an identifier that needs 29 bits has them. */
static void set_id(struct can_frame *fr, uint32_t id)
{
    fr->id = id & CAN_FRAME_ID_EXT;
    fr->flags |= (id & CAN_ID_EXT) != 0 || fr->id > CAN_FRAME_ID_STD ? CAN_FRAME_EXT : 0;
}

/* `there` bytes follow; a frame that says it has more is filled up with zeros, as Vector's own tools do. */
static void set_data(struct can_frame *fr, struct cursor *c, size_t len, size_t there)
{
    struct slice data = cursor_bytes(c, there < len ? there : len);

    if ((fr->flags & CAN_FRAME_RTR) != 0)
        return;
    memcpy(fr->data, data.ptr, data.len);
    fr->len = (uint8_t)len;
}

static void take_classic(struct blf *b, struct cursor *c, struct can_frame *fr)
{
    fr->bus = channel_name(b, cursor_u16le(c));
    unsigned flags = cursor_u8(c);
    unsigned dlc = cursor_u8(c);
    fr->dlc = (uint8_t)(dlc > 15 ? 8 : dlc);
    set_id(fr, cursor_u32le(c));
    fr->flags |= (flags & CAN_SENT ? CAN_FRAME_TX : 0) | (flags & CAN_REMOTE ? CAN_FRAME_RTR : 0);
    set_data(fr, c, can_frame_dlc_to_len(fr->dlc, false), 8);
}

static bool take_fd(struct blf *b, struct cursor *c, struct can_frame *fr)
{
    fr->bus = channel_name(b, cursor_u16le(c));
    unsigned flags = cursor_u8(c);
    fr->dlc = cursor_u8(c) & 15u;
    set_id(fr, cursor_u32le(c));
    (void)cursor_bytes(c, 5);
    unsigned fd = cursor_u8(c);
    unsigned valid = cursor_u8(c);
    (void)cursor_bytes(c, 5);
    fr->flags |= (flags & CAN_SENT ? CAN_FRAME_TX : 0) | (flags & CAN_REMOTE ? CAN_FRAME_RTR : 0) |
                 (fd & 1 ? CAN_FRAME_FD : 0) | (fd & 2 ? CAN_FRAME_BRS : 0) | (fd & 4 ? CAN_FRAME_ESI : 0);
    bool fits = valid <= (fd & 1 ? CAN_FRAME_DATA_MAX : 8u);
    set_data(fr, c, fits ? valid : 0, cursor_left(c));
    return fits;
}

static bool take_fd_64(struct blf *b, struct cursor *c, const struct object *o, struct can_frame *fr)
{
    fr->bus = channel_name(b, cursor_u8(c));
    fr->dlc = cursor_u8(c) & 15u;
    unsigned valid = cursor_u8(c);
    (void)cursor_u8(c);
    set_id(fr, cursor_u32le(c));
    (void)cursor_u32le(c);
    uint32_t flags = cursor_u32le(c);
    (void)cursor_bytes(c, 18);
    bool sent = cursor_u8(c) != 0;
    unsigned more_at = cursor_u8(c);
    (void)cursor_u32le(c);
    fr->flags |= (sent ? CAN_FRAME_TX : 0) | (flags & 0x10 ? CAN_FRAME_RTR : 0) | (flags & 0x1000 ? CAN_FRAME_FD : 0) |
                 (flags & 0x2000 ? CAN_FRAME_BRS : 0) | (flags & 0x4000 ? CAN_FRAME_ESI : 0);
    size_t there = cursor_left(c), taken = o->size - there;
    if (more_at != 0)
        there = more_at > taken && more_at - taken < there ? more_at - taken : there;
    bool fits = valid <= (flags & 0x1000 ? CAN_FRAME_DATA_MAX : 8u);
    set_data(fr, c, fits ? valid : 0, there);
    return fits;
}

static void take_error(struct blf *b, struct cursor *c, bool fd, struct can_frame *fr)
{
    fr->bus = channel_name(b, fd ? cursor_u8(c) : cursor_u16le(c));
    fr->flags = CAN_FRAME_ERR;
    fr->id = CAN_ERROR_BUS;
    fr->dlc = fr->len = 8;
}

/* Behind the common head. False: more bytes are claimed than a frame holds. */
static bool take_body(struct blf *b, struct cursor *c, const struct object *o, struct blf_item *item)
{
    bool fits = true;

    item->kind = BLF_FRAME;
    item->frame.time_us = o->time_us;
    switch (o->type) {
    case CAN_MESSAGE:
    case CAN_MESSAGE2:
        take_classic(b, c, &item->frame);
        break;
    case CAN_FD_MESSAGE:
        fits = take_fd(b, c, &item->frame);
        break;
    case CAN_FD_MESSAGE_64:
        fits = take_fd_64(b, c, o, &item->frame);
        break;
    case CAN_ERROR:
    case CAN_ERROR_EXT:
    case CAN_FD_ERROR_64:
        take_error(b, c, o->type == CAN_FD_ERROR_64, &item->frame);
        break;
    case DATA_LOST_END:
        item->kind = BLF_LOST;
        (void)cursor_bytes(c, 12);
        item->lost = cursor_u32le(c);
        break;
    default:
        item->kind = BLF_OTHER;
    }
    return fits;
}

/* A container has no time, and its payload is what the rest of the object holds. */
static bool take_container(struct cursor *c, struct blf_item *item)
{
    unsigned packing = cursor_u16le(c);

    (void)cursor_bytes(c, 6);
    item->kind = BLF_CONTAINER;
    item->packing = packing == BLF_DEFLATE ? BLF_DEFLATE : BLF_PLAIN;
    item->unpacked_size = cursor_u32le(c);
    (void)cursor_bytes(c, 4);
    item->packed = cursor_bytes(c, cursor_left(c));
    return packing == BLF_PLAIN || packing == BLF_DEFLATE;
}

/* Flags and time, then to the end of the head. False: a head of a version that is not known. */
static bool take_time(struct cursor *c, struct object *o)
{
    uint32_t flags = cursor_u32le(c);

    (void)cursor_u32le(c);
    uint64_t time = cursor_u64le(c);
    if (o->version < 1 || o->version > 3 || o->head_size < cursor_pos(c))
        return false;
    if (o->head_size > cursor_pos(c))
        (void)cursor_bytes(c, o->head_size - cursor_pos(c));
    o->time_us =
        flags == FLAG_TIME_10_US ? (int64_t)(time > INT64_MAX / 10 ? INT64_MAX : time * 10) : (int64_t)(time / 1000);
    return true;
}

static enum vs_err take_object(struct blf *b, struct slice in, struct object *o, struct blf_item *item,
                               const char **ret_reason)
{
    struct cursor c;
    bool good;

    cursor_init(&c, in);
    (void)cursor_bytes(&c, BLF_OBJECT_HEAD);
    memset(item, 0, sizeof *item);
    if (o->type == LOG_CONTAINER) {
        good = take_container(&c, item);
        *ret_reason = "packed in a way that is not known";
    } else if (!take_time(&c, o)) {
        item->kind = BLF_OTHER; /* of a later version: passed over, as are types that are not known */
        return VS_OK;
    } else {
        good = take_body(b, &c, o, item);
        *ret_reason = "more data bytes than a frame holds";
    }
    if (c.failed) {
        *ret_reason = "object shorter than its type";
        return VS_ERR_MALFORMED;
    }
    return good ? VS_OK : item->kind == BLF_CONTAINER ? VS_ERR_UNSUPPORTED : VS_ERR_MALFORMED;
}

/* How many bytes of padding lie before the next object; SIZE_MAX when no object follows where one must. */
static size_t padding(struct slice in)
{
    size_t n = 0;

    while (n < PADDING_MAX && in.len - n >= OBJECT_MARK.len && !slice_starts(slice_from(in, n), OBJECT_MARK))
        n++;
    if (in.len - n < OBJECT_MARK.len)
        return n;
    return slice_starts(slice_from(in, n), OBJECT_MARK) ? n : SIZE_MAX;
}

enum vs_err blf_object(struct blf *b, struct slice in, struct blf_item *ret_item, size_t *ret_used,
                       const char **ret_reason)
{
    struct object o = {0};
    struct blf_item item;
    size_t pad = padding(in);
    struct cursor c;

    *ret_used = 0;
    *ret_reason = "no object where one must begin";
    if (pad == SIZE_MAX)
        return VS_ERR_MALFORMED;
    in = slice_from(in, pad);
    if (in.len < BLF_OBJECT_HEAD)
        return VS_ERR_TRUNCATED;
    cursor_init(&c, slice_from(in, OBJECT_MARK.len));
    o.head_size = cursor_u16le(&c);
    o.version = cursor_u16le(&c);
    o.size = cursor_u32le(&c);
    o.type = cursor_u32le(&c);
    *ret_reason = "object size out of bounds";
    if (o.size < BLF_OBJECT_HEAD || o.size > (o.type == LOG_CONTAINER ? BLF_CONTAINER_MAX : BLF_OBJECT_MAX))
        return VS_ERR_RANGE;
    *ret_used = pad + o.size;
    if (o.size > in.len)
        return VS_ERR_TRUNCATED;
    enum vs_err err = take_object(b, slice_head(in, o.size), &o, &item, ret_reason);
    if (err == VS_OK)
        *ret_item = item;
    return err;
}
