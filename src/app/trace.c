#include "app/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/trace_source.h"

#define WHERE_SIZE 1024

enum trace_kind { TRACE_TEXT, TRACE_BLF, TRACE_PCAP };

struct trace {
    struct trace_input in;
    char *path;
    enum trace_kind kind;
    union {
        struct trace_text text;
        struct trace_blf blf;
        struct trace_pcap pcap;
    } source;
    uint64_t frame_count;
    uint64_t lost_count;
    bool failure_told;
    char where[WHERE_SIZE];
};

/* By the first bytes; whatever is neither a Vector log nor a capture is held to be text. */
static void choose_source(struct trace *tr)
{
    (void)trace_input_more(&tr->in);
    struct slice head = trace_input_window(&tr->in);

    if (blf_is_header(head)) {
        tr->kind = TRACE_BLF;
        trace_blf_init(&tr->source.blf, &tr->lost_count);
    } else if (pcap_is_header(head)) {
        tr->kind = TRACE_PCAP;
        trace_pcap_init(&tr->source.pcap, &tr->lost_count);
    } else {
        tr->kind = TRACE_TEXT;
        trace_text_init(&tr->source.text, &tr->lost_count);
    }
}

struct trace *trace_open(const char *path)
{
    struct trace *tr = calloc(1, sizeof *tr);

    if (tr == NULL)
        return NULL;
    tr->path = strdup(strcmp(path, "-") == 0 ? "(stdin)" : path);
    if (tr->path == NULL || !trace_input_open(&tr->in, path)) {
        int why = tr->path == NULL ? ENOMEM : errno;
        trace_close(tr);
        errno = why;
        return NULL;
    }
    choose_source(tr);
    return tr;
}

void trace_close(struct trace *tr)
{
    if (tr == NULL)
        return;
    if (tr->kind == TRACE_BLF)
        trace_blf_done(&tr->source.blf);
    trace_input_close(&tr->in);
    free(tr->path);
    free(tr);
}

static void say_where(struct trace *tr, const struct trace_fault *f)
{
    if (f->line > 0)
        snprintf(tr->where, sizeof tr->where, "%s:%llu:%u: %s", tr->path, (unsigned long long)f->line, f->column,
                 f->reason);
    else
        snprintf(tr->where, sizeof tr->where, "%s: byte %llu: %s", tr->path, (unsigned long long)f->byte, f->reason);
}

static enum vs_err next_frame(struct trace *tr, struct can_frame *ret, struct trace_fault *fault)
{
    switch (tr->kind) {
    case TRACE_BLF:
        return trace_blf_next(&tr->source.blf, &tr->in, ret, fault);
    case TRACE_PCAP:
        return trace_pcap_next(&tr->source.pcap, &tr->in, ret, fault);
    case TRACE_TEXT:
    default:
        return trace_text_next(&tr->source.text, &tr->in, ret, fault);
    }
}

enum vs_err trace_next(struct trace *tr, struct can_frame *ret_frame)
{
    struct trace_fault fault = {0};
    enum vs_err err = next_frame(tr, ret_frame, &fault);

    if (err == VS_OK) {
        tr->frame_count++;
        return VS_OK;
    }
    if (err == VS_ERR_END && tr->in.failed && !tr->failure_told) {
        tr->failure_told = true;
        fault.column = 1;
        fault.byte = tr->in.offset;
        fault.reason = "reading or unpacking failed behind this place";
        err = VS_ERR_IO;
    }
    if (err != VS_ERR_END)
        say_where(tr, &fault);
    return err;
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

uint64_t trace_foreign_count(const struct trace *tr)
{
    return tr->kind == TRACE_PCAP ? tr->source.pcap.foreign : 0;
}
