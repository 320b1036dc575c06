#include "app/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "codec/asc.h"
#include "codec/candump.h"

#define WHERE_SIZE 1024

enum trace_kind { KIND_UNKNOWN, KIND_CANDUMP, KIND_ASC, KIND_BINARY };

struct trace {
    gzFile file; /* reads plain files as they are */
    char *path;
    enum trace_kind kind;
    struct asc asc;
    uint64_t line; /* 1-based number of the line last taken */
    uint64_t frame_count;
    uint64_t lost_count;
    bool ended, failed, cut; /* cut: the rest of a line that was too long is still to be passed over */
    size_t pos, len;         /* what is left in buf */
    char where[WHERE_SIZE];
    uint8_t buf[TRACE_BUFFER_SIZE];
};

struct trace *trace_open(const char *path)
{
    struct trace *tr = calloc(1, sizeof *tr);

    if (tr == NULL)
        return NULL;
    asc_init(&tr->asc);
    tr->path = strdup(strcmp(path, "-") == 0 ? "(stdin)" : path);
    errno = 0;
    tr->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (tr->path == NULL || tr->file == NULL) {
        int why = errno != 0 ? errno : ENOMEM;
        trace_close(tr);
        errno = why;
        return NULL;
    }
    (void)gzbuffer(tr->file, TRACE_BUFFER_SIZE / 2);
    return tr;
}

void trace_close(struct trace *tr)
{
    if (tr == NULL)
        return;
    if (tr->file != NULL)
        (void)gzclose(tr->file);
    free(tr->path);
    free(tr);
}

/* Moves what is left to the front and reads on. False when nothing more came. */
static bool fill(struct trace *tr)
{
    memmove(tr->buf, tr->buf + tr->pos, tr->len - tr->pos);
    tr->len -= tr->pos;
    tr->pos = 0;
    if (tr->ended || tr->len == sizeof tr->buf)
        return false;
    int n = gzread(tr->file, tr->buf + tr->len, (unsigned)(sizeof tr->buf - tr->len));
    /* gzread gives the end of a cut file as an end and keeps the error for whoever asks. */
    int code = Z_OK;
    if (n < (int)(sizeof tr->buf - tr->len))
        (void)gzerror(tr->file, &code);
    tr->failed = n < 0 || (code != Z_OK && code != Z_STREAM_END);
    tr->ended = n <= 0 || tr->failed;
    tr->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* The next line with its line end; the last one may lack it. False at the end. A line that does not fit is handed out
 * as far as it does. */
static bool next_line(struct trace *tr, struct slice *ret)
{
    bool rest_of_cut;

    do {
        const uint8_t *end;
        do {
            end = memchr(tr->buf + tr->pos, '\n', tr->len - tr->pos);
        } while (end == NULL && fill(tr));
        if (tr->pos == tr->len)
            return false;
        size_t len = end != NULL ? (size_t)(end - tr->buf) + 1 - tr->pos : tr->len - tr->pos;
        *ret = slice_make(tr->buf + tr->pos, len);
        tr->pos += len;
        rest_of_cut = tr->cut;
        tr->cut = end == NULL && !tr->ended;
    } while (rest_of_cut);
    tr->line++;
    return true;
}

/* A text log shows what it is with its first line that is not a comment. */
static enum trace_kind kind_of(struct slice line)
{
    if (memchr(line.ptr, 0, line.len) != NULL)
        return KIND_BINARY;
    if (asc_is_header(line))
        return KIND_ASC;
    size_t at = 0;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
        at++;
    return at < line.len && line.ptr[at] == '(' ? KIND_CANDUMP : KIND_UNKNOWN;
}

static enum vs_err read_line(struct trace *tr, struct slice line, struct can_frame *fr, bool *ret_is_frame)
{
    struct candump_item dumped;
    struct asc_item logged;
    struct line_fault fault = {1, "binary file; candump logs and Vector ASC are read, plain or gzip"};
    enum vs_err err = VS_ERR_UNSUPPORTED;

    *ret_is_frame = false;
    if (tr->kind == KIND_UNKNOWN)
        tr->kind = kind_of(line);
    if (tr->kind == KIND_ASC) {
        err = asc_line(&tr->asc, line, &logged, &fault);
        *ret_is_frame = err == VS_OK && logged.kind == ASC_FRAME;
        if (*ret_is_frame)
            *fr = logged.frame;
    } else if (tr->kind != KIND_BINARY) {
        err = candump_line(line, &dumped, &fault);
        *ret_is_frame = err == VS_OK && dumped.kind == CANDUMP_FRAME;
        if (*ret_is_frame)
            *fr = dumped.frame;
        if (err == VS_OK && dumped.kind == CANDUMP_DROPS)
            tr->lost_count += dumped.drops;
    }
    if (err != VS_OK)
        snprintf(tr->where, sizeof tr->where, "%s:%llu:%u: %s", tr->path, (unsigned long long)tr->line, fault.column,
                 fault.reason);
    return err;
}

enum vs_err trace_next(struct trace *tr, struct can_frame *ret_frame)
{
    struct slice line;

    while (tr->kind != KIND_BINARY && next_line(tr, &line)) {
        bool is_frame;
        enum vs_err err = read_line(tr, line, ret_frame, &is_frame);
        if (err != VS_OK)
            return err;
        if (is_frame) {
            tr->frame_count++;
            return VS_OK;
        }
    }
    if (!tr->failed)
        return VS_ERR_END;
    tr->failed = false;
    snprintf(tr->where, sizeof tr->where, "%s:%llu: reading or unpacking failed behind this line", tr->path,
             (unsigned long long)tr->line);
    return VS_ERR_IO;
}

uint64_t trace_frame_index(const struct trace *tr)
{
    return tr->frame_count - 1;
}

uint64_t trace_frame_count(const struct trace *tr)
{
    return tr->frame_count;
}

const char *trace_where(const struct trace *tr)
{
    return tr->where;
}

uint64_t trace_lost_count(const struct trace *tr)
{
    return tr->lost_count;
}
