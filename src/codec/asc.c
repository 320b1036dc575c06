#include "codec/asc.h"

#include "codec/asc_date.h"
#include "core/hex.h"

#define FLAG_RTR 0x10u
#define FLAG_FDF 0x1000u

void asc_init(struct asc *a)
{
    memset(a, 0, sizeof *a);
    a->start_us = -1;
    a->block_us = -1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Keywords are in any case. */
static bool is_word(struct slice word, const char *text)
{
    size_t i = 0;

    while (i < word.len && text[i] != '\0' && lower(word.ptr[i]) == (uint8_t)text[i])
        i++;
    return i == word.len && text[i] == '\0';
}

static struct slice next_word(struct line_scan *s)
{
    line_scan_blanks(s);
    return line_scan_word(s);
}

/* A number of the given base that is the whole word. */
static bool word_number(struct slice word, unsigned base, uint32_t *ret)
{
    uint64_t v = 0;

    if (word.len == 0)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        int digit = hex_digit(word.ptr[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return false;
        v = v * base + (unsigned)digit;
        if (v > UINT32_MAX)
            return false;
    }
    *ret = (uint32_t)v;
    return true;
}

static uint32_t take_number(struct line_scan *s, unsigned base, uint32_t max, const char *reason)
{
    line_scan_blanks(s);
    size_t from = s->pos;
    struct slice word = line_scan_word(s);
    uint32_t v = 0;

    if (!word_number(word, base, &v))
        line_scan_fail_at(s, from, word.len == 0 ? VS_ERR_TRUNCATED : VS_ERR_MALFORMED, reason);
    else if (v > max)
        line_scan_fail_at(s, from, VS_ERR_RANGE, reason);
    return s->err == VS_OK ? v : 0;
}

static void take_id(struct line_scan *s, size_t at, struct slice word, unsigned base, struct can_frame *fr)
{
    if (word.len > 0 && lower(word.ptr[word.len - 1]) == 'x') {
        fr->flags |= CAN_FRAME_EXT;
        word.len--;
    }
    if (!word_number(word, base, &fr->id))
        line_scan_fail_at(s, at, VS_ERR_MALFORMED, "expected an identifier");
    else if (fr->id > ((fr->flags & CAN_FRAME_EXT) != 0 ? CAN_FRAME_ID_EXT : CAN_FRAME_ID_STD))
        line_scan_fail_at(s, at, VS_ERR_RANGE, "identifier too big; an x marks one of 29 bits");
}

static void take_data(struct line_scan *s, unsigned base, uint32_t len, struct can_frame *fr)
{
    for (uint32_t i = 0; i < len && s->err == VS_OK; i++)
        fr->data[i] = (uint8_t)take_number(s, base, 0xFF, "expected a data byte");
    fr->len = (uint8_t)len;
}

/* d <dlc> <bytes>. What follows the bytes says how long the frame took, which nobody needs. */
static void take_classic_data(struct line_scan *s, unsigned base, struct can_frame *fr)
{
    uint32_t dlc = take_number(s, base, CAN_FRAME_DATA_MAX, "expected a dlc");

    if (dlc > 15) {
        fr->flags |= CAN_FRAME_FD;
        fr->dlc = can_frame_len_to_dlc((uint8_t)dlc, true);
        take_data(s, base, dlc, fr);
    } else {
        fr->dlc = (uint8_t)dlc;
        take_data(s, base, can_frame_dlc_to_len((uint8_t)dlc, false), fr);
    }
}

/* r [<dlc>] */
static void take_classic_remote(struct line_scan *s, unsigned base, struct can_frame *fr)
{
    uint32_t dlc;

    fr->flags |= CAN_FRAME_RTR;
    if (word_number(next_word(s), base, &dlc) && dlc <= 15)
        fr->dlc = (uint8_t)dlc;
}

static void set_error(struct can_frame *fr)
{
    fr->flags |= CAN_FRAME_ERR;
    fr->id = CAN_ERROR_BUS;
    fr->dlc = 8;
    fr->len = 8;
}

/* True for Rx and Tx; others, TxRq for one, are no frames on the bus. */
static bool take_direction(struct slice word, struct can_frame *fr)
{
    if (is_word(word, "tx"))
        fr->flags |= CAN_FRAME_TX;
    else if (!is_word(word, "rx"))
        return false;
    return true;
}

/* Behind the channel. Lines of other kinds look alike for a while, so a line is only held to the format of a frame
 * when it has a direction and a d or r where a frame has them. */
static bool take_classic(const struct asc *a, struct line_scan *s, struct can_frame *fr)
{
    unsigned base = a->decimal ? 10 : 16;

    line_scan_blanks(s);
    size_t id_at = s->pos;
    struct slice id = line_scan_word(s);
    if (is_word(id, "errorframe")) {
        set_error(fr);
        return true;
    }
    if (!take_direction(next_word(s), fr))
        return false;
    struct slice type = next_word(s);
    if (!is_word(type, "d") && !is_word(type, "r"))
        return false;
    take_id(s, id_at, id, base, fr);
    if (is_word(type, "d"))
        take_classic_data(s, base, fr);
    else
        take_classic_remote(s, base, fr);
    return true;
}

/* <duration> <bits> <flags>; writers other than Vector's may leave them out, then the frame is what it says it is. */
static void take_fd_flags(struct line_scan *s, struct can_frame *fr)
{
    uint32_t flags;

    (void)next_word(s);
    (void)next_word(s);
    if (!word_number(next_word(s), 16, &flags))
        flags = FLAG_FDF | (fr->len == 0 && fr->dlc > 0 ? FLAG_RTR : 0);
    if ((flags & FLAG_RTR) != 0) {
        fr->flags |= CAN_FRAME_RTR;
        fr->len = 0;
    }
    if ((flags & FLAG_FDF) == 0 && fr->len <= 8)
        fr->flags &= (uint8_t) ~(CAN_FRAME_FD | CAN_FRAME_BRS | CAN_FRAME_ESI);
}

/* Behind CANFD. */
static bool take_fd(struct line_scan *s, struct can_frame *fr)
{
    uint32_t flag;

    fr->flags |= CAN_FRAME_FD;
    fr->bus = next_word(s);
    if (!take_direction(next_word(s), fr))
        return false;
    line_scan_blanks(s);
    size_t id_at = s->pos;
    struct slice id = line_scan_word(s);
    if (is_word(id, "errorframe")) {
        set_error(fr);
        return true;
    }
    take_id(s, id_at, id, 16, fr);
    line_scan_blanks(s);
    size_t name_at = s->pos;
    struct slice name = line_scan_word(s);
    if (word_number(name, 2, &flag))
        s->pos = name_at;
    if (take_number(s, 2, 1, "expected the bit rate switch, 0 or 1") != 0)
        fr->flags |= CAN_FRAME_BRS;
    if (take_number(s, 2, 1, "expected the error state, 0 or 1") != 0)
        fr->flags |= CAN_FRAME_ESI;
    fr->dlc = (uint8_t)take_number(s, 16, 15, "expected a dlc of 0 to f");
    take_data(s, 16, take_number(s, 10, CAN_FRAME_DATA_MAX, "expected a length of 0 to 64"), fr);
    take_fd_flags(s, fr);
    return true;
}

/* One time stamp on the scale of the whole file. */
static int64_t on_scale(struct asc *a, int64_t stamp_us)
{
    if (a->relative) {
        a->last_us += stamp_us;
        return a->last_us;
    }
    if (a->block_begins && stamp_us + a->zero_us < a->last_us) {
        bool dated = a->start_us >= 0 && a->block_us - a->start_us >= a->last_us;
        a->zero_us = dated ? a->block_us - a->start_us : a->last_us;
    }
    a->block_begins = false;
    /* Only the greatest time is kept: lines of different channels may be a little out of order. */
    int64_t time_us = stamp_us + a->zero_us;
    if (time_us > a->last_us)
        a->last_us = time_us;
    return time_us;
}

static void take_header(struct asc *a, struct line_scan *s)
{
    struct slice word = next_word(s);

    if (is_word(word, "date")) {
        a->start_us = asc_date_us(slice_from(s->line, s->pos));
    } else if (is_word(word, "base")) {
        a->decimal = is_word(next_word(s), "dec");
        if (is_word(next_word(s), "timestamps"))
            a->relative = is_word(next_word(s), "relative");
    } else if (is_word(word, "begin") && is_word(next_word(s), "triggerblock")) {
        a->block_us = asc_date_us(slice_from(s->line, s->pos));
        a->block_begins = true;
    }
}

bool asc_is_header(struct slice line)
{
    struct line_scan s;

    line_scan_init(&s, line);
    struct slice word = next_word(&s);
    return is_word(word, "date") || is_word(word, "base");
}

/* <t> CANFD .. or <t> <channel> .. */
static void take_event(struct asc *a, struct line_scan *s, struct asc_item *item)
{
    struct can_frame *fr = &item->frame;
    uint32_t channel;
    size_t from = s->pos;

    int64_t stamp_us = line_scan_seconds_us(s, ".,");
    if (s->err != VS_OK || line_scan_blanks(s) == 0) {
        s->err = s->err == VS_ERR_RANGE ? VS_ERR_RANGE : VS_OK;
        s->pos = from;
        return;
    }
    fr->time_us = on_scale(a, stamp_us);
    struct slice word = line_scan_word(s);
    bool is_frame = false;
    if (is_word(word, "canfd")) {
        is_frame = take_fd(s, fr);
    } else if (word_number(word, 10, &channel)) {
        fr->bus = word;
        is_frame = take_classic(a, s, fr);
    }
    item->kind = is_frame ? ASC_FRAME : ASC_OTHER;
}

enum vs_err asc_line(struct asc *a, struct slice line, struct asc_item *ret_item, struct line_fault *ret_fault)
{
    struct line_scan s;
    struct asc_item item = {.kind = ASC_OTHER};

    line_scan_init(&s, line);
    line_scan_blanks(&s);
    uint8_t c = line_scan_peek(&s);
    if (s.line.len > ASC_LINE_MAX)
        line_scan_fail_at(&s, ASC_LINE_MAX, VS_ERR_LIMIT, "line longer than any frame");
    else if (c >= '0' && c <= '9')
        take_event(a, &s, &item);
    else
        take_header(a, &s);
    if (s.err != VS_OK) {
        *ret_fault = s.fault;
        return s.err;
    }
    *ret_item = item;
    return VS_OK;
}
