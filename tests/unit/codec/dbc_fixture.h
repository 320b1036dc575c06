/* dbc_fixture: a network description in memory of exactly the size that dbc_need names, so that a sanitizer sees each
 * entry too many. */
#ifndef DBC_FIXTURE_H
#define DBC_FIXTURE_H

#include "check.h"

#include <stdlib.h>

#include "codec/dbc.h"

struct dbc_fixture {
    struct dbc dbc;
    struct dbc_memory memory;
    struct dbc_fault fault;
};

static inline void *dbc_fixture_table(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size);

    assert_non_null(p);
    return p;
}

static inline void dbc_fixture_alloc(struct dbc_fixture *f)
{
    f->memory.messages = dbc_fixture_table(f->memory.messages_max, sizeof *f->memory.messages);
    f->memory.signals = dbc_fixture_table(f->memory.signals_max, sizeof *f->memory.signals);
    f->memory.ranges = dbc_fixture_table(f->memory.ranges_max, sizeof *f->memory.ranges);
    f->memory.texts = dbc_fixture_table(f->memory.texts_max, sizeof *f->memory.texts);
    f->memory.pool = dbc_fixture_table(f->memory.pool_size, 1);
    dbc_init(&f->dbc, &f->memory);
}

static inline enum vs_err dbc_fixture_parse(struct dbc_fixture *f, struct slice text, unsigned options)
{
    memset(f, 0, sizeof *f);
    dbc_need(text, &f->memory);
    dbc_fixture_alloc(f);
    return dbc_parse(&f->dbc, text, options, &f->fault);
}

static inline void dbc_fixture_done(struct dbc_fixture *f)
{
    free(f->memory.messages);
    free(f->memory.signals);
    free(f->memory.ranges);
    free(f->memory.texts);
    free(f->memory.pool);
}

static inline void dbc_fixture_open(struct dbc_fixture *f, const char *text)
{
    enum vs_err err = dbc_fixture_parse(f, slice_str(text), 0);

    if (err != VS_OK)
        fail_msg("%u:%u: %s", f->fault.line, f->fault.column, f->fault.reason);
}

#endif
