/* line_source: lines from a file, a FIFO or standard input that may have nothing to say for hours.
 *
 * A FIFO stays open when its writer goes, so that the next writer is heard; a file and standard input end. Reads never
 * block: wait on the descriptor with poll. Lines longer than the buffer are passed over and counted.
 * Memory: the struct holds the buffer; a line is borrowed until the next call and has LINE_SOURCE_PADDING readable
 * bytes behind it. Threads: one owner. */
#ifndef APP_LINE_SOURCE_H
#define APP_LINE_SOURCE_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define LINE_SOURCE_SIZE    65536u
#define LINE_SOURCE_PADDING 64u

struct line_source {
    int fd;       /* -1 = not open */
    bool endless; /* a FIFO */
    bool ended;
    bool skipping;     /* the rest of a line that is too long */
    size_t start, end; /* what was read and not handed out */
    uint64_t line;     /* number of the line last handed out */
    uint64_t too_long;
    uint8_t buf[LINE_SOURCE_SIZE + LINE_SOURCE_PADDING];
};

/* "-" is standard input. VS_ERR_IO with errno set. */
VS_MUST_USE enum vs_err line_source_open(struct line_source *s, const char *path);
/* VS_ERR_BUSY when there is no whole line now, VS_ERR_END, VS_ERR_IO with errno set. */
VS_MUST_USE enum vs_err line_source_next(struct line_source *s, struct slice *ret);
void line_source_close(struct line_source *s);

#endif
