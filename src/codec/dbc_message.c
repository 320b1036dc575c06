/* Messages and their signals:
 *
 *     BO_ id name: bytes transmitter
 *      SG_ name [mark] : start|length@order sign (factor,offset) [min|max] "unit" receiver{,receiver}
 *
 * mark is M (a multiplexer), m<k> (there when the multiplexer is k) or m<k>M (both); order 1 is Intel, 0 Motorola;
 * sign - is two's complement. Bit 31 of the id says that it is a 29-bit identifier. */
#include "codec/dbc_mark.h"
#include "codec/dbc_read.h"

#include "codec/can_frame.h"

#include <math.h>

#define ID_EXTENDED    UINT32_C(0x80000000)
#define ID_INDEPENDENT UINT32_C(0xC0000000) /* VECTOR__INDEPENDENT_SIG_MSG: signals that are in no message */

bool dbc_read_is_independent(uint64_t number)
{
    return number == ID_INDEPENDENT;
}

bool dbc_read_split_id(const struct dbc_reader *rd, uint64_t number, uint32_t *ret_id, bool *ret_extended)
{
    bool extended = (number & ID_EXTENDED) != 0;
    uint64_t id = number & ~(uint64_t)ID_EXTENDED;

    if (id > CAN_FRAME_ID_EXT || (id > CAN_FRAME_ID_STD && !extended && !rd->lenient))
        return false;
    *ret_id = (uint32_t)id;
    *ret_extended = extended || id > CAN_FRAME_ID_STD;
    return true;
}

struct dbc_message *dbc_read_find(const struct dbc_reader *rd, uint64_t number)
{
    struct dbc *db = rd->db;
    uint32_t id;
    bool extended;

    if (!dbc_read_split_id(rd, number, &id, &extended))
        return NULL;
    const struct dbc_message *m = dbc_find(db, id, extended);
    return m != NULL ? &db->messages[m - db->messages] : NULL;
}

bool dbc_read_has_twin(const struct dbc_reader *rd, const struct dbc_message *m)
{
    return m > rd->db->messages && m[-1].id == m->id && m[-1].extended == m->extended;
}

struct dbc_signal *dbc_read_find_signal(struct dbc_reader *rd, const struct dbc_message *m, struct slice short_name)
{
    for (uint32_t i = 0; i < m->signal_count; i++) {
        uint32_t n = m->signal_first + (rd->signal_hint + i) % m->signal_count;
        if (slice_equal(rd->db->signals[n].short_name, short_name)) {
            rd->signal_hint = n - m->signal_first + 1;
            return &rd->db->signals[n];
        }
    }
    return NULL;
}

void dbc_read_unknown(struct dbc_reader *rd, const struct dbc_token *where)
{
    if (rd->err == VS_OK && rd->second && rd->db->unknown_count++ == 0)
        rd->db->unknown_line = where->line;
}

/* M, m<k> or m<k>M. */
static void read_mark(struct dbc_reader *rd, struct dbc_signal *s)
{
    if (rd->token.kind != DBC_TOKEN_WORD)
        return;
    struct dbc_token t = rd->token;
    struct slice text = t.text;

    dbc_read_advance(rd);
    if (text.len > 0 && text.ptr[text.len - 1] == 'M') {
        s->mux_mark |= DBC_MARK_SELECTS;
        text.len--;
    }
    if (text.len == 0)
        return;
    if (text.ptr[0] != 'm' || !dbc_lex_u64(slice_from(text, 1), &s->mux_id))
        dbc_read_fail(rd, VS_ERR_MALFORMED, &t, "expected : or a multiplexer mark M, m<number> or m<number>M");
    s->mux_mark |= DBC_MARK_SELECTED;
}

static void read_layout(struct dbc_reader *rd, struct dbc_signal *s)
{
    s->bits.start = (uint32_t)dbc_read_u64(rd, DBC_MESSAGE_BYTES_MAX * 8 - 1, "expected the start bit");
    dbc_read_mark(rd, '|', "expected | before the length in bits");
    struct dbc_token t = rd->token;
    s->bits.length = (uint16_t)dbc_read_u64(rd, DBC_SIGNAL_BITS_MAX, "expected a length of 1 to 4096 bits");
    if (rd->err == VS_OK && s->bits.length == 0)
        dbc_read_fail(rd, VS_ERR_RANGE, &t, "expected a length of 1 to 4096 bits");
    dbc_read_mark(rd, '@', "expected @ before the byte order");
    s->bits.big_endian = dbc_read_u64(rd, 1, "expected the byte order, 0 or 1") == 0;
    s->bits.is_signed = dbc_token_is_mark(&rd->token, '-');
    if (!dbc_read_mark_if(rd, '-'))
        dbc_read_mark(rd, '+', "expected + or - for the sign");
}

/* Integers keep their exact value beside the double; "2.0" and "1e3" are integers too. */
static double read_scale(struct dbc_reader *rd, int64_t *ret_int, bool *ret_exact, const char *reason)
{
    struct slice text = rd->token.text;
    double v = dbc_read_real(rd, reason);

    *ret_exact = dbc_lex_i64(text, ret_int);
    if (!*ret_exact && v >= -0x1p63 && v < 0x1p63 && (double)(int64_t)v == v) {
        *ret_int = (int64_t)v;
        *ret_exact = true;
    }
    return v;
}

static void read_conversion(struct dbc_reader *rd, struct dbc_signal *s)
{
    bool factor_exact, offset_exact;

    dbc_read_mark(rd, '(', "expected ( before the factor");
    if (dbc_lex_i64(rd->token.text, &s->factor_int))
        s->flags |= DBC_SIGNAL_WHOLE_FACTOR;
    s->factor = read_scale(rd, &s->factor_int, &factor_exact, "expected the factor");
    dbc_read_mark(rd, ',', "expected , between factor and offset");
    s->offset = read_scale(rd, &s->offset_int, &offset_exact, "expected the offset");
    dbc_read_mark(rd, ')', "expected ) after the offset");
    dbc_read_mark(rd, '[', "expected [ before the minimum");
    s->min = dbc_read_real(rd, "expected the minimum");
    dbc_read_mark(rd, '|', "expected | between minimum and maximum");
    s->max = dbc_read_real(rd, "expected the maximum");
    dbc_read_mark(rd, ']', "expected ] after the maximum");
    if (factor_exact && offset_exact)
        s->flags |= DBC_SIGNAL_EXACT;
    if (s->min != 0 || s->max != 0)
        s->flags |= DBC_SIGNAL_RANGE;
}

static void read_signal(struct dbc_reader *rd, struct dbc_signal *s, uint32_t message_length)
{
    memset(s, 0, sizeof *s);
    s->line = rd->token.line;
    s->mux = DBC_NONE;
    s->start_value = (double)NAN;
    struct dbc_token name = dbc_read_word(rd, "expected the name of the signal");
    read_mark(rd, s);
    dbc_read_mark(rd, ':', "expected : after the name of the signal");
    read_layout(rd, s);
    read_conversion(rd, s);
    struct dbc_token unit = dbc_read_string(rd, "expected the unit in quotes");
    if (!(rd->lenient && (rd->token.kind != DBC_TOKEN_WORD || dbc_read_is_keyword(rd->token.text))))
        dbc_read_words(rd, "expected a receiver");
    if ((s->mux_mark & DBC_MARK_SELECTS) != 0)
        s->flags |= DBC_SIGNAL_MUX;
    if (rd->err == VS_OK && !can_bits_fit(&s->bits, message_length))
        s->flags |= DBC_SIGNAL_OUTSIDE;
    if (rd->second)
        return;
    s->name = dbc_read_pool(rd, &name);
    s->short_name = s->name;
    s->unit = dbc_read_pool(rd, &unit);
}

/* The signals behind a BO_. They are kept in the first pass only, and not when no message owns them. */
static void read_signals(struct dbc_reader *rd, struct dbc_message *m, bool keep)
{
    struct dbc *db = rd->db;
    struct dbc_signal scratch;

    m->signal_first = db->signal_count;
    while (dbc_read_is_word(rd, "SG_")) {
        struct dbc_token t = rd->token;
        dbc_read_advance(rd);
        if (!keep) {
            read_signal(rd, &scratch, m->length);
        } else if (m->signal_count == DBC_MESSAGE_SIGNALS_MAX) {
            dbc_read_fail(rd, VS_ERR_LIMIT, &t, "more than 4096 signals in one message");
        } else if (db->signal_count == db->memory.signals_max) {
            dbc_read_fail(rd, VS_ERR_FULL, &t, "the table of signals is full");
        } else {
            read_signal(rd, &db->signals[db->signal_count], m->length);
            db->signal_count++;
            m->signal_count++;
        }
    }
}

void dbc_read_message(struct dbc_reader *rd)
{
    struct dbc *db = rd->db;
    struct dbc_message m = {.line = rd->token.line};
    struct dbc_token id = rd->token;
    uint64_t number = dbc_read_u64(rd, UINT32_MAX, "expected the identifier of the message");
    struct dbc_token name = dbc_read_word(rd, "expected the name of the message");

    dbc_read_mark(rd, ':', "expected : after the name of the message");
    m.length = (uint32_t)dbc_read_u64(rd, DBC_MESSAGE_BYTES_MAX, "expected the length in bytes, at most 65535");
    struct dbc_token sender = dbc_read_word(rd, "expected the transmitter");
    bool independent = slice_equal_str(name.text, "VECTOR__INDEPENDENT_SIG_MSG");
    if (rd->err == VS_OK && !independent && !dbc_read_split_id(rd, number, &m.id, &m.extended))
        dbc_read_fail(rd, VS_ERR_RANGE, &id,
                      number > CAN_FRAME_ID_EXT
                          ? "the identifier has more than 29 bits"
                          : "the identifier has more than 11 bits, and bit 31 does not mark it as extended");
    if (rd->second || independent) {
        read_signals(rd, &m, false);
        return;
    }
    if (rd->err == VS_OK && db->message_count == db->memory.messages_max)
        dbc_read_fail(rd, VS_ERR_FULL, &id, "the table of messages is full");
    m.name = dbc_read_pool(rd, &name);
    if (!slice_equal_str(sender.text, "Vector__XXX"))
        m.sender = dbc_read_pool(rd, &sender);
    read_signals(rd, &m, true);
    if (rd->err == VS_OK)
        db->messages[db->message_count++] = m;
}
