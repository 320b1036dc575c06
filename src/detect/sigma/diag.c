#include "detect/sigma/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void diag_init(struct diag *d)
{
    memset(d, 0, sizeof *d);
    arena_init(&d->texts);
}

void diag_done(struct diag *d)
{
    arena_done(&d->texts);
    free(d->entry);
    memset(d, 0, sizeof *d);
}

void diag_add(struct diag *d, enum diag_level level, const char *path, unsigned line, unsigned column,
              const char *format, ...)
{
    char text[512];
    va_list args;

    if (level == DIAG_ERROR)
        d->error_count++;
    else
        d->warning_count++;
    if (d->count == DIAG_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if ((d->count & (d->count - 1)) == 0)
        d->entry = mem_grow(d->entry, d->count > 0 ? 2 * (size_t)d->count : 1, sizeof *d->entry);
    struct diag_entry *e = &d->entry[d->count++];
    e->level = (uint8_t)level;
    e->path = arena_str(&d->texts, path);
    e->line = line;
    e->column = column;
    e->text = arena_str(&d->texts, text);
}
