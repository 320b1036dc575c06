#include "codec/trc.h"

#include "core/hex.h"
#include "core/timestamp.h"

#define NS_PER_DAY     INT64_C(86400000000000)
#define DAYS_TO_1970   25569 /* from 1899-12-30 */
#define DAYS_MAX       200000
#define ID_IS_WARNING  UINT32_C(0xFFFFFFFF)
#define STD_DIGITS_MAX 4

void trc_init(struct trc *t)
{
    memset(t, 0, sizeof *t);
    memcpy(t->column, "NOILD", sizeof "NOILD");
    t->old = true;
    t->start_us = -1;
}

bool trc_is_header(struct slice line)
{
    return line.len > 0 && line.ptr[0] == ';';
}

/* ---- the lines that say how to read the others */

static const struct {
    const char *version, *column;
} LAYOUT[] = {{"1.0", "NOILD"}, {"1.1", "NOTILD"}, {"1.2", "NOBTILD"}, {"1.3", "NOBTIRLD"}, {"2.0", ""}, {"2.1", ""}};

static void take_version(struct trc *t, struct line_scan *s)
{
    size_t at = s->pos;
    struct slice version = line_scan_word(s);

    for (size_t i = 0; i < sizeof LAYOUT / sizeof LAYOUT[0]; i++) {
        if (!slice_equal_str(version, LAYOUT[i].version))
            continue;
        memcpy(t->column, LAYOUT[i].column, strlen(LAYOUT[i].column) + 1);
        t->old = LAYOUT[i].version[0] == '1';
        return;
    }
    line_scan_fail_at(s, at, VS_ERR_UNSUPPORTED, "versions 1.0 to 1.3, 2.0 and 2.1 are read");
}

/* Days with a fraction; digits below a nanosecond are cut. */
static void take_start(struct trc *t, struct line_scan *s)
{
    uint64_t days = line_scan_number(s, "expected days since 1899-12-30");
    int64_t unit_ns = NS_PER_DAY, part_ns = 0;

    if (days > DAYS_MAX)
        line_scan_fail(s, "start time out of range");
    if (line_scan_char(s, '.') || line_scan_char(s, ','))
        for (uint8_t c = line_scan_peek(s); c >= '0' && c <= '9'; c = line_scan_peek(s)) {
            unit_ns /= 10;
            part_ns += (c - '0') * unit_ns;
            s->pos++;
        }
    if (s->err == VS_OK)
        t->start_us = ((int64_t)days - DAYS_TO_1970) * (NS_PER_DAY / 1000) + part_ns / 1000;
}

static void take_columns(struct trc *t, struct line_scan *s)
{
    char column[TRC_COLUMNS_MAX + 1];
    size_t count = 0;

    do {
        uint8_t c = line_scan_peek(s);
        if (c <= ' ' || c > '~' || strchr("NOTBIdRLlD", c) == NULL || memchr(column, c, count) != NULL)
            line_scan_fail(s, "expected each of the columns N O T B I d R L l D at most once");
        else
            column[count++] = (char)c;
        s->pos++;
    } while (line_scan_char(s, ',') && count < TRC_COLUMNS_MAX);
    if (s->err == VS_OK && (count == 0 || column[count - 1] != 'D' || memchr(column, 'O', count) == NULL ||
                            memchr(column, 'I', count) == NULL || memchr(column, 'T', count) == NULL ||
                            (memchr(column, 'L', count) == NULL && memchr(column, 'l', count) == NULL)))
        line_scan_fail(s, "the columns O, T, I, one of L and l, and D as the last must be there");
    if (s->err != VS_OK)
        return;
    memcpy(t->column, column, count);
    t->column[count] = '\0';
}

static void take_header(struct trc *t, struct line_scan *s)
{
    if (line_scan_text(s, ";$FILEVERSION="))
        take_version(t, s);
    else if (line_scan_text(s, ";$STARTTIME="))
        take_start(t, s);
    else if (line_scan_text(s, ";$COLUMNS="))
        take_columns(t, s);
}

/* ---- a line of the trace */

/* What the columns before the data have said so far. */
struct row {
    struct can_frame fr;
    uint32_t length;
    bool by_code; /* length is a data length code */
    bool other;   /* the line carries no frame */
};

static void take_offset(struct line_scan *s, struct can_frame *fr)
{
    size_t at = s->pos;
    uint64_t ms = line_scan_number(s, "expected milliseconds");
    int64_t unit_us = 1000, us = 0;

    if (line_scan_char(s, '.') || line_scan_char(s, ','))
        for (uint8_t c = line_scan_peek(s); c >= '0' && c <= '9'; c = line_scan_peek(s)) {
            unit_us /= 10;
            us += (c - '0') * unit_us;
            s->pos++;
        }
    if (ms > (uint64_t)(INT64_MAX / 2000))
        line_scan_fail_at(s, at, VS_ERR_RANGE, "time too big");
    else
        fr->time_us = (int64_t)ms * 1000 + us;
}

static void take_type(const struct trc *t, struct line_scan *s, struct row *r)
{
    static const struct {
        const char *name;
        bool old;
        uint8_t flags;
    } TYPE[] = {{"Rx", true, 0},
                {"Tx", true, CAN_FRAME_TX},
                {"Error", true, CAN_FRAME_ERR},
                {"DT", false, 0},
                {"RR", false, CAN_FRAME_RTR},
                {"FD", false, CAN_FRAME_FD},
                {"FB", false, CAN_FRAME_FD | CAN_FRAME_BRS},
                {"FE", false, CAN_FRAME_FD | CAN_FRAME_BRS | CAN_FRAME_ESI},
                {"BI", false, CAN_FRAME_FD | CAN_FRAME_ESI},
                {"ER", false, CAN_FRAME_ERR}};
    struct slice word = line_scan_word(s);

    for (size_t i = 0; i < sizeof TYPE / sizeof TYPE[0]; i++)
        if (TYPE[i].old == t->old && slice_equal_str(word, TYPE[i].name)) {
            r->fr.flags |= TYPE[i].flags;
            return;
        }
    r->other = true;
}

static void take_id(struct line_scan *s, struct row *r)
{
    size_t from = s->pos;
    uint32_t id = 0;

    for (; hex_digit(line_scan_peek(s)) >= 0 && s->pos - from < 9; s->pos++)
        id = id << 4 | (uint32_t)hex_digit(line_scan_peek(s));
    size_t digits = s->pos - from;
    if (digits == 0 || digits > 8 || line_scan_peek(s) > ' ')
        line_scan_fail(s, "expected an identifier of 4 or 8 hex digits");
    if (id == ID_IS_WARNING)
        r->other = true;
    else if (digits > STD_DIGITS_MAX)
        r->fr.flags |= CAN_FRAME_EXT;
    if (!r->other && id > (digits > STD_DIGITS_MAX ? CAN_FRAME_ID_EXT : CAN_FRAME_ID_STD))
        line_scan_fail_at(s, from, VS_ERR_RANGE, "identifier too big; 8 digits mark one of 29 bits");
    r->fr.id = id;
}

static void take_length(struct line_scan *s, struct row *r, bool by_code)
{
    size_t at = s->pos;
    uint64_t n = line_scan_number(s, by_code ? "expected a data length code" : "expected a number of bytes");

    if (n > (by_code ? 15u : CAN_FRAME_DATA_MAX))
        line_scan_fail_at(s, at, VS_ERR_RANGE, by_code ? "data length code above 15" : "more bytes than a frame holds");
    r->length = (uint32_t)n;
    r->by_code = by_code;
}

static void take_direction(struct line_scan *s, struct row *r)
{
    struct slice word = line_scan_word(s);

    if (slice_equal_str(word, "Tx"))
        r->fr.flags |= CAN_FRAME_TX;
    else if (!slice_equal_str(word, "Rx"))
        r->other = true; /* a request to send that was not carried out */
}

static void take_data(struct line_scan *s, struct row *r)
{
    bool fd = (r->fr.flags & CAN_FRAME_FD) != 0;

    if (r->by_code) {
        r->fr.dlc = (uint8_t)r->length;
        r->length = can_frame_dlc_to_len((uint8_t)r->length, fd);
    } else {
        r->fr.dlc = can_frame_len_to_dlc((uint8_t)r->length, fd);
    }
    if (!fd && r->length > 8)
        line_scan_fail(s, "more than 8 bytes in a classic frame");
    if (line_scan_text(s, "RTR"))
        r->fr.flags |= CAN_FRAME_RTR;
    if ((r->fr.flags & CAN_FRAME_RTR) != 0)
        return;
    for (uint32_t i = 0; i < r->length && s->err == VS_OK; i++) {
        line_scan_blanks(s);
        if (!line_scan_hex_byte(s, &r->fr.data[i]))
            line_scan_fail(s, "expected a data byte");
    }
    r->fr.len = (uint8_t)r->length;
    line_scan_blanks(s);
    if (s->pos < s->line.len)
        line_scan_fail(s, "more bytes than the length says");
}

static void take_column(const struct trc *t, char column, struct line_scan *s, struct row *r)
{
    switch (column) {
    case 'N':
        (void)line_scan_number(s, "expected the number of the line");
        if (t->old && !line_scan_char(s, ')'))
            line_scan_fail(s, "expected ) after the number of the line");
        break;
    case 'O':
        take_offset(s, &r->fr);
        break;
    case 'B':
        r->fr.bus = line_scan_word(s);
        break;
    case 'T':
        take_type(t, s, r);
        break;
    case 'I':
        take_id(s, r);
        break;
    case 'd':
        take_direction(s, r);
        break;
    case 'L':
    case 'l':
        take_length(s, r, column == 'L');
        break;
    case 'D':
        take_data(s, r);
        break;
    default:
        (void)line_scan_word(s);
    }
}

/* PEAK's converter copies such lines from the Vector logs that it reads. */
static bool is_left_over(struct slice line)
{
    static const struct slice TEXT = SLICE_LIT("Start of measurement");

    while (line.len > TEXT.len &&
           (line.ptr[0] == ' ' || line.ptr[0] == '.' || (line.ptr[0] >= '0' && line.ptr[0] <= '9')))
        line = slice_from(line, 1);
    return slice_starts(line, TEXT);
}

static void take_row(const struct trc *t, struct line_scan *s, struct row *r)
{
    for (const char *c = t->column; *c != '\0' && s->err == VS_OK && !r->other; c++) {
        line_scan_blanks(s);
        take_column(t, *c, s, r);
        if (s->err == VS_OK && (r->fr.flags & CAN_FRAME_ERR) != 0) {
            r->fr.id = CAN_ERROR_BUS;
            r->fr.dlc = r->fr.len = 8;
            return;
        }
    }
}

enum vs_err trc_line(struct trc *t, struct slice line, struct trc_item *ret_item, struct line_fault *ret_fault)
{
    struct line_scan s;
    struct row r = {.fr = {.bus = slice_str("1")}};

    line_scan_init(&s, line);
    bool too_long = s.line.len > TRC_LINE_MAX;
    if (too_long)
        line_scan_fail_at(&s, TRC_LINE_MAX, VS_ERR_LIMIT, "line longer than any frame");
    line_scan_blanks(&s);
    if (too_long || s.pos == s.line.len || trc_is_header(slice_from(s.line, s.pos)) || is_left_over(s.line)) {
        r.other = true;
        take_header(t, &s);
    } else if (t->column[0] == '\0') {
        line_scan_fail(&s, "no $COLUMNS line before the first frame");
    } else {
        take_row(t, &s, &r);
    }
    if (s.err != VS_OK) {
        *ret_fault = s.fault;
        return s.err;
    }
    ret_item->kind = r.other ? TRC_OTHER : TRC_FRAME;
    ret_item->frame = r.fr;
    return VS_OK;
}
