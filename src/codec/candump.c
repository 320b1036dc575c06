#include "codec/candump.h"

#include "core/hex.h"

#define ERROR_FRAME_BIT UINT32_C(0x20000000)

/* "(" seconds ")" */
static int64_t take_time(struct line_scan *s)
{
    if (!line_scan_char(s, '('))
        line_scan_fail(s, "expected (");
    int64_t time_us = line_scan_seconds_us(s, ".");
    if (!line_scan_char(s, ')'))
        line_scan_fail(s, "expected ) after the time");
    return time_us;
}

/* Three digits or fewer are an 11-bit identifier, eight a 29-bit one or, with bit 29 set, an error frame's class. */
static void take_id(struct line_scan *s, struct can_frame *fr)
{
    size_t from = s->pos;
    uint32_t id = 0;

    for (; hex_digit(line_scan_peek(s)) >= 0 && s->pos - from < 9; s->pos++)
        id = id << 4 | (uint32_t)hex_digit(line_scan_peek(s));
    size_t digits = s->pos - from;
    if (digits == 5 && line_scan_peek(s) == '#')
        line_scan_fail_at(s, from, VS_ERR_UNSUPPORTED, "CAN XL frames are not supported");
    else if (digits == 0)
        line_scan_fail(s, "expected an identifier");
    else if (digits > 3 && digits != 8)
        line_scan_fail_at(s, from, VS_ERR_MALFORMED, "an identifier has 3 or 8 hex digits");
    else if (digits <= 3 && id > CAN_FRAME_ID_STD)
        line_scan_fail_at(s, from, VS_ERR_RANGE, "11-bit identifier above 7FF");
    else if (digits == 8 && id > (CAN_FRAME_ID_EXT | ERROR_FRAME_BIT))
        line_scan_fail_at(s, from, VS_ERR_RANGE, "29-bit identifier above 1FFFFFFF");
    if (digits == 8)
        fr->flags |= (id & ERROR_FRAME_BIT) != 0 ? CAN_FRAME_ERR : CAN_FRAME_EXT;
    fr->id = id & CAN_FRAME_ID_EXT;
}

/* "_9" to "_F": the dlc as it was on the wire, for classic frames of eight bytes. */
static void take_raw_dlc(struct line_scan *s, struct can_frame *fr)
{
    if (!line_scan_char(s, '_'))
        return;
    int dlc = hex_digit(line_scan_peek(s));
    if (dlc < 9)
        line_scan_fail(s, "expected a dlc of 9 to F after _");
    else if (fr->dlc != 8)
        line_scan_fail(s, "a dlc above 8 needs 8 bytes");
    s->pos++;
    fr->dlc = (uint8_t)dlc;
}

static void take_log_data(struct line_scan *s, struct can_frame *fr, size_t len_max)
{
    uint8_t byte;

    for (size_t at = s->pos; line_scan_hex_byte(s, &byte); at = s->pos) {
        if (fr->len == len_max)
            line_scan_fail_at(s, at, VS_ERR_RANGE, "more data bytes than a frame holds");
        else
            fr->data[fr->len++] = byte;
        (void)line_scan_char(s, '.');
    }
    fr->dlc = can_frame_len_to_dlc(fr->len, (fr->flags & CAN_FRAME_FD) != 0);
}

static void take_remote(struct line_scan *s, struct can_frame *fr)
{
    fr->flags |= CAN_FRAME_RTR;
    if (line_scan_peek(s) < '0' || line_scan_peek(s) > '9')
        return;
    if (line_scan_peek(s) > '8')
        line_scan_fail(s, "a remote request has a length of 0 to 8");
    fr->dlc = (uint8_t)(line_scan_peek(s) - '0');
    s->pos++;
    take_raw_dlc(s, fr);
}

/* id "#" ..., see the header for the forms. */
static void take_log_frame(struct line_scan *s, struct can_frame *fr)
{
    take_id(s, fr);
    if (!line_scan_char(s, '#'))
        line_scan_fail(s, "expected # after the identifier");
    if (line_scan_char(s, '#')) {
        int flags = hex_digit(line_scan_peek(s));
        if (flags < 0)
            line_scan_fail(s, "expected the flags digit of an FD frame");
        s->pos++;
        fr->flags |= CAN_FRAME_FD | (flags & 1 ? CAN_FRAME_BRS : 0) | (flags & 2 ? CAN_FRAME_ESI : 0);
        take_log_data(s, fr, CAN_FRAME_DATA_MAX);
    } else if (line_scan_char(s, 'R') || line_scan_char(s, 'r')) {
        take_remote(s, fr);
    } else {
        take_log_data(s, fr, 8);
        take_raw_dlc(s, fr);
    }
    line_scan_blanks(s);
    if (line_scan_char(s, 'T'))
        fr->flags |= CAN_FRAME_TX;
    else
        (void)line_scan_char(s, 'R');
}

/* "[8]" is classic, "[08]" is FD, "{F}" a classic frame of eight bytes with a raw dlc. */
static unsigned take_screen_length(struct line_scan *s, struct can_frame *fr)
{
    unsigned len = 0;

    if (line_scan_char(s, '{')) {
        int dlc = hex_digit(line_scan_peek(s));
        if (dlc < 9)
            line_scan_fail(s, "expected a dlc of 9 to F");
        s->pos++;
        fr->dlc = (uint8_t)dlc;
        if (!line_scan_char(s, '}'))
            line_scan_fail(s, "expected }");
        return 8;
    }
    if (!line_scan_char(s, '['))
        line_scan_fail(s, "expected [ and the length");
    size_t from = s->pos;
    len = (unsigned)line_scan_number(s, "expected the length");
    bool fd = s->pos - from == 2;
    if (len > (fd ? CAN_FRAME_DATA_MAX : 8) || s->pos - from > 2)
        line_scan_fail_at(s, from, VS_ERR_RANGE, "more data bytes than a frame holds");
    if (!line_scan_char(s, ']'))
        line_scan_fail(s, "expected ]");
    fr->flags |= fd ? CAN_FRAME_FD : 0;
    fr->dlc = can_frame_len_to_dlc((uint8_t)len, fd);
    return len;
}

/* "RX - -" or "TX B E": direction, bit rate switch, error state; only with -x. */
static void take_screen_direction(struct line_scan *s, struct can_frame *fr)
{
    bool sent = line_scan_text(s, "TX ");

    if (!sent && !line_scan_text(s, "RX "))
        return;
    fr->flags |= sent ? CAN_FRAME_TX : 0;
    line_scan_blanks(s);
    if (line_scan_char(s, 'B'))
        fr->flags |= CAN_FRAME_BRS;
    else if (!line_scan_char(s, '-'))
        line_scan_fail(s, "expected B or -");
    line_scan_blanks(s);
    if (line_scan_char(s, 'E'))
        fr->flags |= CAN_FRAME_ESI;
    else if (!line_scan_char(s, '-'))
        line_scan_fail(s, "expected E or -");
    line_scan_blanks(s);
}

static void take_screen_frame(struct line_scan *s, struct can_frame *fr)
{
    take_screen_direction(s, fr);
    take_id(s, fr);
    if (line_scan_blanks(s) == 0)
        line_scan_fail(s, "expected a space after the identifier");
    unsigned len = take_screen_length(s, fr);
    line_scan_blanks(s);
    if (line_scan_text(s, "remote request")) {
        fr->flags |= CAN_FRAME_RTR;
        return;
    }
    for (unsigned i = 0; i < len && s->err == VS_OK; i++) {
        if (!line_scan_hex_byte(s, &fr->data[i]))
            line_scan_fail(s, "expected a data byte");
        line_scan_blanks(s);
    }
    fr->len = (uint8_t)len;
    if ((fr->flags & CAN_FRAME_ERR) != 0)
        (void)line_scan_text(s, "ERRORFRAME");
    /* The bytes once more as characters, for the eye; the quotes may hold anything. */
    if (line_scan_char(s, '\''))
        s->pos = s->line.len;
}

/* (time) bus frame */
static void take_frame(struct line_scan *s, struct can_frame *fr)
{
    fr->time_us = take_time(s);
    if (s->err == VS_OK && line_scan_blanks(s) == 0)
        line_scan_fail(s, "expected a space after the time");
    fr->bus = line_scan_word(s);
    if (fr->bus.len == 0)
        line_scan_fail(s, "expected the bus");
    if (s->err == VS_OK && line_scan_blanks(s) == 0)
        line_scan_fail(s, "expected a space after the bus");
    size_t from = s->pos;
    struct slice word = line_scan_word(s);
    s->pos = s->err == VS_OK ? from : s->pos;
    if (word.len > 0 && memchr(word.ptr, '#', word.len) != NULL)
        take_log_frame(s, fr);
    else
        take_screen_frame(s, fr);
    line_scan_blanks(s);
    if (s->err == VS_OK && s->pos < s->line.len)
        line_scan_fail(s, "unexpected text after the frame");
}

/* "DROPCOUNT: dropped 5 CAN frames on 'can0' socket (total drops 12)" */
static void take_drops(struct line_scan *s, struct candump_item *item)
{
    item->kind = CANDUMP_DROPS;
    item->drops = line_scan_number(s, "expected a number of dropped frames");
    if (!line_scan_text(s, " CAN frame"))
        line_scan_fail(s, "expected CAN frames");
    (void)line_scan_char(s, 's');
    if (!line_scan_text(s, " on '"))
        line_scan_fail(s, "expected the bus");
    size_t from = s->pos;
    while (line_scan_peek(s) != 0 && line_scan_peek(s) != '\'')
        s->pos++;
    item->bus = slice_make(s->line.ptr + from, s->pos - from);
    if (!line_scan_text(s, "' socket (total drops "))
        line_scan_fail(s, "expected the total");
    item->drops_total = line_scan_number(s, "expected the total");
}

enum vs_err candump_line(struct slice line, struct candump_item *ret_item, struct line_fault *ret_fault)
{
    struct line_scan s;
    struct candump_item item = {.kind = CANDUMP_COMMENT};

    line_scan_init(&s, line);
    if (s.line.len > CANDUMP_LINE_MAX) {
        line_scan_fail_at(&s, CANDUMP_LINE_MAX, VS_ERR_LIMIT, "line longer than any frame");
    } else {
        line_scan_blanks(&s);
        if (line_scan_peek(&s) == '(') {
            item.kind = CANDUMP_FRAME;
            take_frame(&s, &item.frame);
        } else if (line_scan_text(&s, "DROPCOUNT: dropped ")) {
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
