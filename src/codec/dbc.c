#include "codec/dbc.h"

#include "codec/dbc_read.h"
#include "core/utf8.h"

#include <assert.h>

/* Each table's bound is a count of bytes that cannot be avoided when an entry is written: a message needs a BO_, a
 * signal a SG_, a text two quotes, a range a SG_ or a comma. Every token is pooled at most once, and one byte of cp1252
 * is at most three of UTF-8. */
void dbc_need(struct slice text, struct dbc_memory *ret)
{
    size_t messages = 0, signals = 0, quotes = 0, commas = 0, high = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        quotes += c == '"';
        commas += c == ',';
        high += c >= 0x80;
        if (c == '_' && i >= 2) {
            messages += text.ptr[i - 2] == 'B' && text.ptr[i - 1] == 'O';
            signals += text.ptr[i - 2] == 'S' && text.ptr[i - 1] == 'G';
        }
    }
    ret->messages_max = (uint32_t)messages;
    ret->signals_max = (uint32_t)signals;
    ret->texts_max = (uint32_t)(quotes / 2);
    ret->ranges_max = (uint32_t)(2 * signals + commas);
    ret->pool_size = text.len + 2 * high;
}

static void clear(struct dbc *db)
{
    struct dbc_memory memory = db->memory;

    memset(db, 0, sizeof *db);
    db->memory = memory;
    db->messages = memory.messages;
    db->signals = memory.signals;
    db->ranges = memory.ranges;
    db->texts = memory.texts;
}

void dbc_init(struct dbc *db, const struct dbc_memory *memory)
{
    assert(memory->messages != NULL || memory->messages_max == 0);
    assert(memory->signals != NULL || memory->signals_max == 0);
    assert(memory->ranges != NULL || memory->ranges_max == 0);
    assert(memory->texts != NULL || memory->texts_max == 0);
    assert(memory->pool != NULL || memory->pool_size == 0);
    db->memory = *memory;
    clear(db);
}

static int compare(const struct dbc_message *a, const struct dbc_message *b)
{
    if (a->extended != b->extended)
        return a->extended ? 1 : -1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->signal_first < b->signal_first ? -1 : a->signal_first > b->signal_first;
}

static void swap(struct dbc_message *a, struct dbc_message *b)
{
    struct dbc_message m = *a;

    *a = *b;
    *b = m;
}

static void sift_down(struct dbc_message *m, uint32_t root, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare(&m[child], &m[child + 1]) < 0)
            child++;
        if (compare(&m[root], &m[child]) >= 0)
            return;
        swap(&m[root], &m[child]);
        root = child;
    }
}

/* Heap sort: no heap memory, no recursion, and no input that makes it slow. */
static void sort_messages(struct dbc_message *m, uint32_t count)
{
    for (uint32_t i = count / 2; i > 0; i--)
        sift_down(m, i - 1, count);
    for (uint32_t i = count; i > 1; i--) {
        swap(&m[0], &m[i - 1]);
        sift_down(m, 0, i - 1);
    }
}

static void read_pass(struct dbc_reader *rd, struct slice text, bool second)
{
    rd->second = second;
    dbc_lex_init(&rd->lex, text, rd->lenient);
    dbc_read_advance(rd);
    while (rd->token.kind != DBC_TOKEN_END)
        dbc_read_statement(rd);
}

static struct slice without_mark(struct slice text, bool *utf8)
{
    static const struct slice mark = SLICE_LIT("\xEF\xBB\xBF");

    *utf8 = utf8_valid(text);
    return slice_starts(text, mark) ? slice_from(text, mark.len) : text;
}

enum vs_err dbc_parse(struct dbc *db, struct slice text, unsigned options, struct dbc_fault *ret_fault)
{
    struct dbc_reader rd = {.db = db, .lenient = (options & DBC_LENIENT) != 0};

    clear(db);
    text = without_mark(text, &rd.utf8);
    if (text.len > UINT32_MAX) {
        rd.err = VS_ERR_LIMIT;
        rd.fault.reason = "the file is longer than 4 GiB";
    }
    read_pass(&rd, text, false);
    if (rd.err == VS_OK) {
        sort_messages(db->messages, db->message_count);
        dbc_read_attribute_defaults(&rd);
        read_pass(&rd, text, true);
        dbc_read_mux_finish(&rd);
    }
    if (rd.err != VS_OK) {
        clear(db);
        *ret_fault = rd.fault;
    }
    return rd.err;
}

const struct dbc_message *dbc_find(const struct dbc *db, uint32_t id, bool extended)
{
    uint32_t low = 0, high = db->message_count;

    /* low ends behind the last message that is not above the key. */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct dbc_message *m = &db->messages[mid];
        if (m->extended == extended ? m->id <= id : extended)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return NULL;
    const struct dbc_message *m = &db->messages[low - 1];
    return m->id == id && m->extended == extended ? m : NULL;
}

const struct dbc_signal *dbc_signal_find(const struct dbc *db, const struct dbc_message *m, struct slice name)
{
    for (uint32_t i = m->signal_first; i < m->signal_first + m->signal_count; i++)
        if (slice_equal(db->signals[i].name, name))
            return &db->signals[i];
    return NULL;
}

/* Of two descriptions of one value the later one holds. */
bool dbc_text_find(const struct dbc *db, const struct dbc_signal *s, uint64_t value, bool negative,
                   struct slice *ret_text)
{
    for (uint32_t i = s->text_first + s->text_count; i > s->text_first; i--) {
        const struct dbc_text *t = &db->texts[i - 1];
        if (t->value == value && t->negative == negative) {
            *ret_text = t->text;
            return true;
        }
    }
    return false;
}
