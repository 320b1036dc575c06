/* byte_fault: where a binary format broke, and why, said for a person. */
#ifndef CODEC_BYTE_FAULT_H
#define CODEC_BYTE_FAULT_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

struct byte_fault {
    size_t byte;        /* 0-based, in the slice that was given */
    const char *reason; /* static text */
};

static inline enum vs_err byte_fault_set(struct byte_fault *f, enum vs_err err, size_t byte, const char *reason)
{
    f->byte = byte;
    f->reason = reason;
    return err;
}

#endif
