#include "app/trace_source.h"

#define LINE_MAX_BYTES (256u * 1024)

void trace_text_init(struct trace_text *t, uint64_t *lost)
{
    memset(t, 0, sizeof *t);
    asc_init(&t->asc);
    trc_init(&t->trc);
    t->lost = lost;
}

/* The next line with its line end; the last one may lack it. False at the end. Of a line that is longer than any the
 * beginning is handed out and the rest passed over. */
static bool next_line(struct trace_text *t, struct trace_input *in, struct slice *ret)
{
    bool rest_of_cut;

    do {
        struct slice window = trace_input_window(in);
        const uint8_t *end = memchr(window.ptr, '\n', window.len);
        while (end == NULL && window.len < LINE_MAX_BYTES && trace_input_more(in)) {
            window = trace_input_window(in);
            end = memchr(window.ptr, '\n', window.len);
        }
        if (window.len == 0)
            return false;
        *ret = slice_head(window, end != NULL ? (size_t)(end - window.ptr) + 1 : window.len);
        trace_input_take(in, ret->len);
        rest_of_cut = t->cut;
        t->cut = end == NULL && !in->ended;
    } while (rest_of_cut);
    t->line++;
    return true;
}

/* A text log shows what it is with its first line that is not a comment. */
static enum trace_text_kind kind_of(struct slice line)
{
    size_t at = 0;

    if (memchr(line.ptr, 0, line.len) != NULL)
        return TRACE_TEXT_BINARY;
    if (asc_is_header(line))
        return TRACE_TEXT_ASC;
    if (trc_is_header(line))
        return TRACE_TEXT_TRC;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
        at++;
    return at < line.len && line.ptr[at] == '(' ? TRACE_TEXT_CANDUMP : TRACE_TEXT_UNKNOWN;
}

static enum vs_err read_candump(struct trace_text *t, struct slice line, struct can_frame *fr, bool *ret_is_frame,
                                struct line_fault *fault)
{
    struct candump_item item;
    enum vs_err err = candump_line(line, &item, fault);

    *ret_is_frame = err == VS_OK && item.kind == CANDUMP_FRAME;
    if (*ret_is_frame)
        *fr = item.frame;
    if (err == VS_OK && item.kind == CANDUMP_DROPS)
        *t->lost += item.drops;
    return err;
}

static enum vs_err read_line(struct trace_text *t, struct slice line, struct can_frame *fr, bool *ret_is_frame,
                             struct line_fault *fault)
{
    struct asc_item logged;
    struct trc_item traced;
    enum vs_err err;

    *ret_is_frame = false;
    if (t->kind == TRACE_TEXT_UNKNOWN)
        t->kind = kind_of(line);
    switch (t->kind) {
    case TRACE_TEXT_ASC:
        err = asc_line(&t->asc, line, &logged, fault);
        *ret_is_frame = err == VS_OK && logged.kind == ASC_FRAME;
        if (*ret_is_frame)
            *fr = logged.frame;
        return err;
    case TRACE_TEXT_TRC:
        err = trc_line(&t->trc, line, &traced, fault);
        *ret_is_frame = err == VS_OK && traced.kind == TRC_FRAME;
        if (*ret_is_frame)
            *fr = traced.frame;
        return err;
    case TRACE_TEXT_BINARY:
        *fault = (struct line_fault){1, "binary file; read are candump, ASC, BLF, TRC, pcap and pcapng, plain or gzip"};
        return VS_ERR_UNSUPPORTED;
    case TRACE_TEXT_UNKNOWN:
    case TRACE_TEXT_CANDUMP:
    default:
        return read_candump(t, line, fr, ret_is_frame, fault);
    }
}

enum vs_err trace_text_next(struct trace_text *t, struct trace_input *in, struct can_frame *ret,
                            struct trace_fault *fault)
{
    struct slice line;

    while (t->kind != TRACE_TEXT_BINARY && next_line(t, in, &line)) {
        struct line_fault where = {1, ""};
        bool is_frame;
        enum vs_err err = read_line(t, line, ret, &is_frame, &where);
        fault->line = t->line;
        fault->column = where.column;
        fault->reason = where.reason;
        if (err != VS_OK || is_frame)
            return err;
    }
    fault->line = t->line;
    return VS_ERR_END;
}
