#include "app/trace_input.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool trace_input_open(struct trace_input *in, const char *path)
{
    memset(in, 0, sizeof *in);
    in->buf = malloc(TRACE_INPUT_STEP);
    errno = in->buf == NULL ? ENOMEM : 0;
    if (in->buf == NULL)
        return false;
    in->room = TRACE_INPUT_STEP;
    in->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (in->file == NULL) {
        int why = errno != 0 ? errno : ENOMEM;
        trace_input_close(in);
        errno = why;
        return false;
    }
    (void)gzbuffer(in->file, TRACE_INPUT_STEP / 2);
    return true;
}

void trace_input_close(struct trace_input *in)
{
    if (in->file != NULL)
        (void)gzclose(in->file);
    free(in->buf);
    memset(in, 0, sizeof *in);
}

/* Room behind the window. */
static bool make_room(struct trace_input *in)
{
    memmove(in->buf, in->buf + in->pos, in->len - in->pos);
    in->len -= in->pos;
    in->pos = 0;
    if (in->len < in->room)
        return true;
    uint8_t *buf = in->room < TRACE_INPUT_MAX ? realloc(in->buf, in->room * 2) : NULL;
    if (buf == NULL)
        return false;
    in->buf = buf;
    in->room *= 2;
    return true;
}

bool trace_input_more(struct trace_input *in)
{
    if (in->ended || !make_room(in))
        return false;
    unsigned want = (unsigned)(in->room - in->len);
    int n = gzread(in->file, in->buf + in->len, want);
    /* gzread gives the end of a cut file as an end and keeps the error for whoever asks. */
    int code = Z_OK;
    if (n < (int)want)
        (void)gzerror(in->file, &code);
    in->failed = n < 0 || (code != Z_OK && code != Z_STREAM_END);
    in->ended = n <= 0 || in->failed;
    in->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}
