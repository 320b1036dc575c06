#include "app/dbc_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The whole file on the heap; NULL with errno set when that cannot be. */
static uint8_t *read_file(const char *path, size_t *ret_len)
{
    FILE *in = fopen(path, "rb");
    uint8_t *text = NULL;
    size_t len = 0, size = 64 * 1024;

    if (in == NULL)
        return NULL;
    for (;;) {
        uint8_t *more = size <= DBC_FILE_SIZE_MAX ? realloc(text, size) : NULL;
        if (more == NULL) {
            errno = size > DBC_FILE_SIZE_MAX ? EFBIG : ENOMEM;
            break;
        }
        text = more;
        errno = 0;
        len += fread(text + len, 1, size - len, in);
        if (ferror(in) != 0)
            break;
        if (len < size) {
            fclose(in);
            *ret_len = len;
            return text;
        }
        size *= 2;
    }
    int why = errno != 0 ? errno : EIO;
    fclose(in);
    free(text);
    errno = why;
    return NULL;
}

/* One block for all tables, cut in order of falling alignment. */
static bool take_memory(struct dbc_memory *m, void **ret_block)
{
    size_t messages = m->messages_max * sizeof *m->messages;
    size_t signals = m->signals_max * sizeof *m->signals;
    size_t ranges = m->ranges_max * sizeof *m->ranges;
    size_t texts = m->texts_max * sizeof *m->texts;
    uint8_t *block = malloc(messages + signals + ranges + texts + m->pool_size + 1);

    if (block == NULL)
        return false;
    *ret_block = block;
    m->messages = (void *)block;
    m->signals = (void *)(block + messages);
    m->ranges = (void *)(block + messages + signals);
    m->texts = (void *)(block + messages + signals + ranges);
    m->pool = (char *)(block + messages + signals + ranges + texts);
    return true;
}

enum vs_err dbc_file_open(struct dbc_file *f, const char *path, unsigned options)
{
    struct dbc_memory memory;
    struct dbc_fault fault;
    size_t len;
    uint8_t *text = read_file(path, &len);

    f->memory = NULL;
    if (text == NULL) {
        snprintf(f->error, sizeof f->error, "%s: cannot read: %s", path, strerror(errno));
        return VS_ERR_IO;
    }
    dbc_need(slice_make(text, len), &memory);
    if (!take_memory(&memory, &f->memory)) {
        snprintf(f->error, sizeof f->error, "%s: out of memory", path);
        free(text);
        return VS_ERR_NO_MEMORY;
    }
    dbc_init(&f->dbc, &memory);
    enum vs_err err = dbc_parse(&f->dbc, slice_make(text, len), options, &fault);
    if (err != VS_OK) {
        int shown = (int)(fault.near.len < 40 ? fault.near.len : 40);
        snprintf(f->error, sizeof f->error, "%s:%u:%u: %s%s%.*s", path, fault.line, fault.column, fault.reason,
                 shown > 0 ? ", got " : "", shown, shown > 0 ? (const char *)fault.near.ptr : "");
        dbc_file_close(f);
    }
    free(text);
    return err;
}

void dbc_file_close(struct dbc_file *f)
{
    free(f->memory);
    f->memory = NULL;
}
