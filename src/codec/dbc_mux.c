/* Multiplexing. Two notations, which a file may mix:
 *
 * Simple: a message has exactly one M, and every marked signal belongs to it; m<k> names its one value. A SG_MUL_VAL_
 * of that multiplexer adds values to it.
 *
 * Extended: there are several multiplexers, or one is itself selected (m3M). Then marks do not say who belongs to whom,
 * only `SG_MUL_VAL_ id signal multiplexer low-high{, low-high};` does, and a marked signal without one is always there.
 *
 * Ranges are inclusive and stay ranges: 0-4294967295 costs as much as 0-1. */
#include "codec/dbc_mark.h"
#include "codec/dbc_read.h"

static struct dbc_range *add_range(struct dbc_reader *rd, const struct dbc_token *where, uint64_t low, uint64_t high)
{
    struct dbc *db = rd->db;

    if (rd->err == VS_OK && db->range_count == db->memory.ranges_max)
        dbc_read_fail(rd, VS_ERR_FULL, where, "the table of multiplexer ranges is full");
    if (rd->err != VS_OK)
        return NULL;
    struct dbc_range *r = &db->ranges[db->range_count++];
    r->low = low;
    r->high = high;
    return r;
}

/* low-high reaches us as two numbers, the second one with the dash as its sign; blanks may part the dash from it. */
static void read_range(struct dbc_reader *rd, bool keep)
{
    struct dbc_token t = rd->token;
    uint64_t low = dbc_read_u64(rd, UINT64_MAX, "expected a range of multiplexer values");
    uint64_t high = 0;

    (void)dbc_read_mark_if(rd, '-');
    struct dbc_token last = dbc_read_number(rd, "expected the end of the range");
    bool dashed = last.text.len > 0 && last.text.ptr[0] == '-';
    if (rd->err == VS_OK && !dbc_lex_u64(dashed ? slice_from(last.text, 1) : last.text, &high))
        dbc_read_fail(rd, VS_ERR_RANGE, &last, "expected the end of the range");
    if (keep)
        (void)add_range(rd, &t, low, high);
}

/* One range is kept free in front for the m<k> of the signal, which simple multiplexing adds. */
void dbc_read_mux_values(struct dbc_reader *rd)
{
    struct dbc *db = rd->db;
    struct dbc_token at = rd->token;
    uint64_t number = dbc_read_u64(rd, UINT64_MAX, "expected the identifier of a message");
    struct dbc_token name = dbc_read_word(rd, "expected the name of the signal");
    struct dbc_token mux_name = dbc_read_word(rd, "expected the name of the multiplexer");
    uint32_t first = db->range_count;

    if (rd->second)
        (void)add_range(rd, &at, 1, 0);
    do
        read_range(rd, rd->second);
    while (dbc_read_mark_if(rd, ','));
    dbc_read_end(rd);
    if (rd->err != VS_OK || !rd->second)
        return;

    struct dbc_message *m = dbc_read_find(rd, number);
    struct dbc_signal *s = m != NULL ? dbc_read_find_signal(rd, m, name.text) : NULL;
    if (s == NULL) {
        dbc_read_unknown(rd, &at);
        return;
    }
    const struct dbc_signal *mux = dbc_read_find_signal(rd, m, mux_name.text);
    s->mux = mux != NULL ? (uint32_t)(mux - db->signals) : DBC_NONE;
    s->range_first = first;
    s->range_count = db->range_count - first;
    s->mux_mark |= DBC_MARK_LISTED;
}

/* The message's only multiplexer, DBC_NONE when it has none or several. */
static uint32_t sole_mux(const struct dbc *db, const struct dbc_message *m)
{
    uint32_t sole = DBC_NONE;

    for (uint32_t i = m->signal_first; i < m->signal_first + m->signal_count; i++) {
        if ((db->signals[i].mux_mark & DBC_MARK_SELECTS) == 0)
            continue;
        if (sole != DBC_NONE)
            return DBC_NONE;
        sole = i;
    }
    return sole;
}

static void no_mux(struct dbc_signal *s)
{
    s->mux = DBC_NONE;
    s->range_first = 0;
    s->range_count = 0;
}

static void settle_simple(struct dbc_reader *rd, struct dbc_signal *s, uint32_t sole)
{
    const struct dbc_token nowhere = {.line = s->line, .column = 1};

    if ((s->mux_mark & DBC_MARK_LISTED) == 0 || s->mux != sole) {
        s->range_first = rd->db->range_count;
        s->range_count = 1;
        (void)add_range(rd, &nowhere, s->mux_id, s->mux_id);
    } else {
        rd->db->ranges[s->range_first].low = s->mux_id;
        rd->db->ranges[s->range_first].high = s->mux_id;
    }
    s->mux = sole;
    s->flags |= DBC_SIGNAL_MUXED;
}

static void settle_extended(struct dbc_signal *s)
{
    if ((s->mux_mark & DBC_MARK_LISTED) == 0) {
        no_mux(s);
        return;
    }
    s->range_first++; /* the place for m<k>, which does not count here */
    s->range_count--;
    s->flags |= DBC_SIGNAL_MUXED;
}

/* A signal whose way up does not end at one that is always there can never be selected. */
static bool reachable(const struct dbc *db, const struct dbc_signal *s)
{
    for (unsigned depth = 0; depth < DBC_MUX_DEPTH_MAX; depth++) {
        if ((s->flags & DBC_SIGNAL_MUXED) == 0)
            return true;
        if (s->mux == DBC_NONE || (db->signals[s->mux].flags & DBC_SIGNAL_MUX) == 0)
            return false;
        s = &db->signals[s->mux];
    }
    return false;
}

static void settle_message(struct dbc_reader *rd, const struct dbc_message *m)
{
    struct dbc *db = rd->db;
    uint32_t sole = sole_mux(db, m);

    for (uint32_t i = m->signal_first; i < m->signal_first + m->signal_count; i++) {
        struct dbc_signal *s = &db->signals[i];
        bool marked = (s->mux_mark & (DBC_MARK_SELECTS | DBC_MARK_SELECTED)) != 0;
        if (!marked || i == sole)
            no_mux(s);
        else if (sole != DBC_NONE)
            settle_simple(rd, s, sole);
        else
            settle_extended(s);
    }
    for (uint32_t i = m->signal_first; i < m->signal_first + m->signal_count; i++)
        if (!reachable(db, &db->signals[i]))
            db->signals[i].flags |= DBC_SIGNAL_UNREACHABLE;
}

void dbc_read_mux_finish(struct dbc_reader *rd)
{
    for (uint32_t i = 0; i < rd->db->message_count && rd->err == VS_OK; i++)
        settle_message(rd, &rd->db->messages[i]);
}
