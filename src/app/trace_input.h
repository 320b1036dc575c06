/* trace_input: the bytes of a recording, plain or gzip, as a window that moves forward.
 *
 * The window begins at the first byte that was not taken. trace_input_more brings more behind it; the buffer grows when
 * it is full, up to TRACE_INPUT_MAX, so that memory follows the longest record and not the file. Memory: heap. Threads:
 * one owner. */
#ifndef APP_TRACE_INPUT_H
#define APP_TRACE_INPUT_H

#include <zlib.h>

#include "core/slice.h"

#define TRACE_INPUT_STEP (256 * 1024)
#define TRACE_INPUT_MAX  (32 * 1024 * 1024)

struct trace_input {
    gzFile file; /* reads plain files as they are */
    uint8_t *buf;
    size_t room, pos, len;
    uint64_t offset; /* in the unpacked file, of the window's first byte */
    bool ended;
    bool failed; /* reading or unpacking went wrong */
};

/* "-" is standard input. False, with errno, when the file cannot be opened or memory is out. */
bool trace_input_open(struct trace_input *in, const char *path);
void trace_input_close(struct trace_input *in);
/* Reads on. False when nothing came: the end, a failure, or the ceiling. Moves the window. */
bool trace_input_more(struct trace_input *in);

static inline struct slice trace_input_window(const struct trace_input *in)
{
    return slice_make(in->buf + in->pos, in->len - in->pos);
}

/* Takes up to n bytes. */
static inline void trace_input_take(struct trace_input *in, size_t n)
{
    size_t left = in->len - in->pos;

    n = n < left ? n : left;
    in->pos += n;
    in->offset += n;
}

#endif
