#include "codec/candump.h"

#include "core/hex.h"
#include "core/timestamp.h"

#define ERROR_FRAME_BIT UINT32_C(0x20000000)

/* A scan walks one line. The first thing that does not fit sets the fault and its code; every later step then does
 * nothing, so that a reader can be written straight down and asked once at the end. */
struct scan {
    struct slice line;
    size_t pos;
    enum vs_err err;
    struct candump_fault fault;
};

static void fail_at(struct scan *s, size_t pos, enum vs_err err, const char *reason)
{
    if (s->err != VS_OK)
        return;
    s->err = err;
    s->fault.column = (unsigned)pos + 1;
    s->fault.reason = reason;
}

static void fail(struct scan *s, const char *reason)
{
    fail_at(s, s->pos, s->pos < s->line.len ? VS_ERR_MALFORMED : VS_ERR_TRUNCATED, reason);
}

/* The next byte, 0 at the end: no line of candump holds a NUL. */
static uint8_t peek(const struct scan *s)
{
    return s->pos < s->line.len ? s->line.ptr[s->pos] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool take(struct scan *s, char c)
{
    if (s->err != VS_OK || peek(s) != (uint8_t)c || c == '\0')
        return false;
    s->pos++;
    return true;
}

static bool take_text(struct scan *s, const char *text)
{
    struct slice want = slice_str(text);

    if (s->err != VS_OK || !slice_starts(slice_from(s->line, s->pos), want))
        return false;
    s->pos += want.len;
    return true;
}

static size_t take_spaces(struct scan *s)
{
    size_t from = s->pos;

    while (peek(s) == ' ' || peek(s) == '\t')
        s->pos++;
    return s->pos - from;
}

static struct slice take_word(struct scan *s)
{
    size_t from = s->pos;

    while (peek(s) > ' ')
        s->pos++;
    return slice_make(s->line.ptr + from, s->pos - from);
}

static uint64_t take_number(struct scan *s, const char *reason)
{
    uint64_t v = 0;

    if (!is_digit(peek(s)))
        fail(s, reason);
    for (; is_digit(peek(s)); s->pos++) {
        if (v > (UINT64_MAX - 9) / 10)
            fail_at(s, s->pos, VS_ERR_RANGE, "number too big");
        else
            v = v * 10 + (uint64_t)(peek(s) - '0');
    }
    return v;
}

/* "(" seconds ["." 1 to 9 digits] ")"; what is below a microsecond is cut. */
static int64_t take_time(struct scan *s)
{
    size_t from = s->pos;
    int64_t unit_us = US_PER_S;
    int64_t fraction_us = 0;

    if (!take(s, '('))
        fail(s, "expected (");
    uint64_t seconds = take_number(s, "expected seconds");
    if (take(s, '.')) {
        size_t digits_from = s->pos;
        for (; is_digit(peek(s)); s->pos++) {
            unit_us /= 10;
            fraction_us += (peek(s) - '0') * unit_us;
        }
        if (s->pos == digits_from || s->pos - digits_from > 9)
            fail(s, "expected 1 to 9 digits of a second");
    }
    if (!take(s, ')'))
        fail(s, "expected ) after the time");
    if (seconds > (uint64_t)(INT64_MAX / US_PER_S - 1))
        fail_at(s, from, VS_ERR_RANGE, "time too big");
    return s->err == VS_OK ? (int64_t)seconds * US_PER_S + fraction_us : 0;
}

/* Three digits or fewer are an 11-bit identifier, eight a 29-bit one or, with bit 29 set, an error frame's class. */
static void take_id(struct scan *s, struct can_frame *fr)
{
    size_t from = s->pos;
    uint32_t id = 0;

    for (; hex_digit(peek(s)) >= 0 && s->pos - from < 9; s->pos++)
        id = id << 4 | (uint32_t)hex_digit(peek(s));
    size_t digits = s->pos - from;
    if (digits == 5 && peek(s) == '#')
        fail_at(s, from, VS_ERR_UNSUPPORTED, "CAN XL frames are not supported");
    else if (digits == 0)
        fail(s, "expected an identifier");
    else if (digits > 3 && digits != 8)
        fail_at(s, from, VS_ERR_MALFORMED, "an identifier has 3 or 8 hex digits");
    else if (digits <= 3 && id > CAN_FRAME_ID_STD)
        fail_at(s, from, VS_ERR_RANGE, "11-bit identifier above 7FF");
    else if (digits == 8 && id > (CAN_FRAME_ID_EXT | ERROR_FRAME_BIT))
        fail_at(s, from, VS_ERR_RANGE, "29-bit identifier above 1FFFFFFF");
    if (digits == 8)
        fr->flags |= (id & ERROR_FRAME_BIT) != 0 ? CAN_FRAME_ERR : CAN_FRAME_EXT;
    fr->id = id & CAN_FRAME_ID_EXT;
}

static bool take_byte(struct scan *s, uint8_t *ret)
{
    struct slice two = slice_head(slice_from(s->line, s->pos), 2);

    if (s->err != VS_OK || !hex_read(two, ret, 1))
        return false;
    s->pos += 2;
    return true;
}

/* "_9" to "_F": the dlc as it was on the wire, for classic frames of eight bytes. */
static void take_raw_dlc(struct scan *s, struct can_frame *fr)
{
    if (!take(s, '_'))
        return;
    int dlc = hex_digit(peek(s));
    if (dlc < 9)
        fail(s, "expected a dlc of 9 to F after _");
    else if (fr->dlc != 8)
        fail(s, "a dlc above 8 needs 8 bytes");
    s->pos++;
    fr->dlc = (uint8_t)dlc;
}

static void take_log_data(struct scan *s, struct can_frame *fr, size_t len_max)
{
    uint8_t byte;

    for (size_t at = s->pos; take_byte(s, &byte); at = s->pos) {
        if (fr->len == len_max)
            fail_at(s, at, VS_ERR_RANGE, "more data bytes than a frame holds");
        else
            fr->data[fr->len++] = byte;
        (void)take(s, '.');
    }
    fr->dlc = can_frame_len_to_dlc(fr->len, (fr->flags & CAN_FRAME_FD) != 0);
}

static void take_remote(struct scan *s, struct can_frame *fr)
{
    fr->flags |= CAN_FRAME_RTR;
    if (!is_digit(peek(s)))
        return;
    if (peek(s) > '8')
        fail(s, "a remote request has a length of 0 to 8");
    fr->dlc = (uint8_t)(peek(s) - '0');
    s->pos++;
    take_raw_dlc(s, fr);
}

/* id "#" ..., see the header for the forms. */
static void take_log_frame(struct scan *s, struct can_frame *fr)
{
    take_id(s, fr);
    if (!take(s, '#'))
        fail(s, "expected # after the identifier");
    if (take(s, '#')) {
        int flags = hex_digit(peek(s));
        if (flags < 0)
            fail(s, "expected the flags digit of an FD frame");
        s->pos++;
        fr->flags |= CAN_FRAME_FD | (flags & 1 ? CAN_FRAME_BRS : 0) | (flags & 2 ? CAN_FRAME_ESI : 0);
        take_log_data(s, fr, CAN_FRAME_DATA_MAX);
    } else if (take(s, 'R') || take(s, 'r')) {
        take_remote(s, fr);
    } else {
        take_log_data(s, fr, 8);
        take_raw_dlc(s, fr);
    }
    take_spaces(s);
    if (take(s, 'T'))
        fr->flags |= CAN_FRAME_TX;
    else
        (void)take(s, 'R');
}

/* "[8]" is classic, "[08]" is FD, "{F}" a classic frame of eight bytes with a raw dlc. */
static unsigned take_screen_length(struct scan *s, struct can_frame *fr)
{
    unsigned len = 0;

    if (take(s, '{')) {
        int dlc = hex_digit(peek(s));
        if (dlc < 9)
            fail(s, "expected a dlc of 9 to F");
        s->pos++;
        fr->dlc = (uint8_t)dlc;
        if (!take(s, '}'))
            fail(s, "expected }");
        return 8;
    }
    if (!take(s, '['))
        fail(s, "expected [ and the length");
    size_t from = s->pos;
    len = (unsigned)take_number(s, "expected the length");
    bool fd = s->pos - from == 2;
    if (len > (fd ? CAN_FRAME_DATA_MAX : 8) || s->pos - from > 2)
        fail_at(s, from, VS_ERR_RANGE, "more data bytes than a frame holds");
    if (!take(s, ']'))
        fail(s, "expected ]");
    fr->flags |= fd ? CAN_FRAME_FD : 0;
    fr->dlc = can_frame_len_to_dlc((uint8_t)len, fd);
    return len;
}

/* "RX - -" or "TX B E": direction, bit rate switch, error state; only with -x. */
static void take_screen_direction(struct scan *s, struct can_frame *fr)
{
    bool sent = take_text(s, "TX ");

    if (!sent && !take_text(s, "RX "))
        return;
    fr->flags |= sent ? CAN_FRAME_TX : 0;
    take_spaces(s);
    if (take(s, 'B'))
        fr->flags |= CAN_FRAME_BRS;
    else if (!take(s, '-'))
        fail(s, "expected B or -");
    take_spaces(s);
    if (take(s, 'E'))
        fr->flags |= CAN_FRAME_ESI;
    else if (!take(s, '-'))
        fail(s, "expected E or -");
    take_spaces(s);
}

static void take_screen_frame(struct scan *s, struct can_frame *fr)
{
    take_screen_direction(s, fr);
    take_id(s, fr);
    if (take_spaces(s) == 0)
        fail(s, "expected a space after the identifier");
    unsigned len = take_screen_length(s, fr);
    take_spaces(s);
    if (take_text(s, "remote request")) {
        fr->flags |= CAN_FRAME_RTR;
        return;
    }
    for (unsigned i = 0; i < len && s->err == VS_OK; i++) {
        if (!take_byte(s, &fr->data[i]))
            fail(s, "expected a data byte");
        take_spaces(s);
    }
    fr->len = (uint8_t)len;
    if ((fr->flags & CAN_FRAME_ERR) != 0)
        (void)take_text(s, "ERRORFRAME");
    /* The bytes once more as characters, for the eye; the quotes may hold anything. */
    if (take(s, '\''))
        s->pos = s->line.len;
}

/* (time) bus frame */
static void take_frame(struct scan *s, struct can_frame *fr)
{
    fr->time_us = take_time(s);
    if (s->err == VS_OK && take_spaces(s) == 0)
        fail(s, "expected a space after the time");
    fr->bus = take_word(s);
    if (fr->bus.len == 0)
        fail(s, "expected the bus");
    if (s->err == VS_OK && take_spaces(s) == 0)
        fail(s, "expected a space after the bus");
    size_t from = s->pos;
    struct slice word = take_word(s);
    s->pos = s->err == VS_OK ? from : s->pos;
    if (word.len > 0 && memchr(word.ptr, '#', word.len) != NULL)
        take_log_frame(s, fr);
    else
        take_screen_frame(s, fr);
    take_spaces(s);
    if (s->err == VS_OK && s->pos < s->line.len)
        fail(s, "unexpected text after the frame");
}

/* "DROPCOUNT: dropped 5 CAN frames on 'can0' socket (total drops 12)" */
static void take_drops(struct scan *s, struct candump_item *item)
{
    item->kind = CANDUMP_DROPS;
    item->drops = take_number(s, "expected a number of dropped frames");
    if (!take_text(s, " CAN frame"))
        fail(s, "expected CAN frames");
    (void)take(s, 's');
    if (!take_text(s, " on '"))
        fail(s, "expected the bus");
    size_t from = s->pos;
    while (peek(s) != 0 && peek(s) != '\'')
        s->pos++;
    item->bus = slice_make(s->line.ptr + from, s->pos - from);
    if (!take_text(s, "' socket (total drops "))
        fail(s, "expected the total");
    item->drops_total = take_number(s, "expected the total");
}

static struct slice without_line_end(struct slice line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

enum vs_err candump_line(struct slice line, struct candump_item *ret_item, struct candump_fault *ret_fault)
{
    struct scan s = {without_line_end(line), 0, VS_OK, {0, NULL}};
    struct candump_item item = {.kind = CANDUMP_COMMENT};

    if (s.line.len > CANDUMP_LINE_MAX) {
        fail_at(&s, CANDUMP_LINE_MAX, VS_ERR_LIMIT, "line longer than any frame");
    } else {
        take_spaces(&s);
        if (peek(&s) == '(') {
            item.kind = CANDUMP_FRAME;
            take_frame(&s, &item.frame);
        } else if (take_text(&s, "DROPCOUNT: dropped ")) {
            take_drops(&s, &item);
        }
    }
    if (s.err != VS_OK) {
        *ret_fault = s.fault;
        return s.err;
    }
    *ret_item = item;
    return VS_OK;
}

void candump_init(struct candump *cd, struct slice text)
{
    memset(cd, 0, sizeof *cd);
    cd->text = text;
}

enum vs_err candump_next(struct candump *cd, struct candump_item *ret_item)
{
    while (cd->pos < cd->text.len) {
        struct slice rest = slice_from(cd->text, cd->pos);
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        struct slice line = slice_head(rest, end != NULL ? (size_t)(end - rest.ptr) + 1 : rest.len);
        struct candump_item item;

        cd->pos += line.len;
        cd->line++;
        enum vs_err err = candump_line(line, &item, &cd->fault);
        if (err != VS_OK)
            return err;
        if (item.kind != CANDUMP_COMMENT) {
            *ret_item = item;
            return VS_OK;
        }
    }
    return VS_ERR_END;
}
