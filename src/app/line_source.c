#include "app/line_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum vs_err line_source_open(struct line_source *s, const char *path)
{
    struct stat st;

    s->fd = -1;
    s->endless = s->ended = s->skipping = false;
    s->start = s->end = 0;
    s->line = s->too_long = 0;
    if (strcmp(path, "-") == 0) {
        int flags = fcntl(STDIN_FILENO, F_GETFL);

        s->fd = STDIN_FILENO;
        return flags >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0 ? VS_OK : VS_ERR_IO;
    }
    if (stat(path, &st) != 0)
        return VS_ERR_IO;
    s->endless = S_ISFIFO(st.st_mode);
    /* Our own writing end keeps a FIFO from ending with its writer. */
    s->fd = open(path, (s->endless ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    return s->fd >= 0 ? VS_OK : VS_ERR_IO;
}

/* Reads more behind what is there. */
static enum vs_err fill(struct line_source *s)
{
    if (s->start > 0) {
        memmove(s->buf, s->buf + s->start, s->end - s->start);
        s->end -= s->start;
        s->start = 0;
    }
    if (s->end == LINE_SOURCE_SIZE) {
        s->too_long += !s->skipping;
        s->skipping = true;
        s->end = 0;
    }
    ssize_t n = read(s->fd, s->buf + s->end, LINE_SOURCE_SIZE - s->end);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? VS_ERR_BUSY : VS_ERR_IO;
    if (n == 0) {
        s->ended = !s->endless;
        return s->endless ? VS_ERR_BUSY : VS_OK;
    }
    s->end += (size_t)n;
    return VS_OK;
}

enum vs_err line_source_next(struct line_source *s, struct slice *ret)
{
    for (;;) {
        const uint8_t *from = s->buf + s->start;
        const uint8_t *lf = s->end > s->start ? memchr(from, '\n', s->end - s->start) : NULL;
        bool last = s->ended && lf == NULL;

        if (last && s->start == s->end)
            return VS_ERR_END;
        if (lf != NULL || last) {
            size_t len = lf != NULL ? (size_t)(lf - from) : s->end - s->start;
            bool skipped = s->skipping;

            s->start += len + (lf != NULL);
            s->skipping = false;
            s->line++;
            if (skipped)
                continue;
            *ret = slice_make(from, len);
            return VS_OK;
        }
        enum vs_err err = fill(s);
        if (err != VS_OK)
            return err;
    }
}

void line_source_close(struct line_source *s)
{
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    s->fd = -1;
}
