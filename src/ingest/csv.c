#include "ingest/csv.h"

void csv_init(struct csv *c, struct slice text)
{
    static const struct slice MARK = SLICE_LIT("\xEF\xBB\xBF");

    c->rest = slice_starts(text, MARK) ? slice_from(text, MARK.len) : text;
    c->line = 0;
    c->line_next = 1;
    c->count = 0;
}

static bool at_line_end(struct slice s)
{
    return s.len == 0 || s.ptr[0] == '\n' || (s.len > 1 && s.ptr[0] == '\r' && s.ptr[1] == '\n');
}

static void skip_line_end(struct csv *c)
{
    if (c->rest.len > 0 && c->rest.ptr[0] == '\r')
        c->rest = slice_from(c->rest, 1);
    if (c->rest.len > 0 && c->rest.ptr[0] == '\n') {
        c->rest = slice_from(c->rest, 1);
        c->line_next++;
    }
}

/* After an error: to the end of the line, so that the rest of the file can be looked at as well. */
static enum vs_err give_up_row(struct csv *c, enum vs_err err, const char *reason, const char **ret_reason)
{
    while (!at_line_end(c->rest))
        c->rest = slice_from(c->rest, 1);
    skip_line_end(c);
    *ret_reason = reason;
    return err;
}

static struct slice take_bare(struct csv *c)
{
    size_t len = 0;

    while (len < c->rest.len && c->rest.ptr[len] != ',' && !at_line_end(slice_from(c->rest, len)))
        len++;
    struct slice field = slice_head(c->rest, len);
    c->rest = slice_from(c->rest, len);
    return field;
}

/* The rest begins behind the opening quote. */
static bool take_quoted(struct csv *c, struct slice *ret)
{
    size_t start = c->scratch_len;

    while (c->rest.len > 0) {
        uint8_t byte = c->rest.ptr[0];

        c->rest = slice_from(c->rest, 1);
        if (byte == '"') {
            if (c->rest.len == 0 || c->rest.ptr[0] != '"') {
                *ret = slice_make(c->scratch + start, c->scratch_len - start);
                return true;
            }
            c->rest = slice_from(c->rest, 1);
        }
        c->line_next += byte == '\n';
        if (c->scratch_len == CSV_ROW_MAX)
            return false;
        c->scratch[c->scratch_len++] = byte;
    }
    return false;
}

enum vs_err csv_next(struct csv *c, const char **ret_reason)
{
    while (c->rest.len > 0 && at_line_end(c->rest))
        skip_line_end(c);
    if (c->rest.len == 0)
        return VS_ERR_END;
    c->line = c->line_next;
    c->count = 0;
    c->scratch_len = 0;
    for (;;) {
        struct slice field;

        if (c->count == CSV_FIELDS_MAX)
            return give_up_row(c, VS_ERR_LIMIT, "more than 64 fields", ret_reason);
        if (c->rest.len > 0 && c->rest.ptr[0] == '"') {
            c->rest = slice_from(c->rest, 1);
            if (!take_quoted(c, &field))
                return give_up_row(c, VS_ERR_MALFORMED, "a quote is not closed, or the row is too long", ret_reason);
            if (!at_line_end(c->rest) && c->rest.ptr[0] != ',')
                return give_up_row(c, VS_ERR_MALFORMED, "text stands behind a closing quote", ret_reason);
        } else {
            field = take_bare(c);
        }
        c->field[c->count++] = field;
        if (at_line_end(c->rest))
            break;
        c->rest = slice_from(c->rest, 1);
    }
    skip_line_end(c);
    return VS_OK;
}
