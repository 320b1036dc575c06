/* check: cmocka with the headers that it wants included before it, and a comparison of a slice with a text. */
#ifndef CHECK_H
#define CHECK_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "core/slice.h"

/* One row of a table-driven test went wrong: say which. */
#define CHECK_ROW(row, condition)                                                                                      \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("row %zu (%s): %s", (size_t)(row), __FILE__, #condition);                                         \
    } while (0)

static inline void check_slice(struct slice got, const char *want)
{
    if (!slice_equal_str(got, want))
        fail_msg("got \"%.*s\", want \"%s\"", (int)got.len, (const char *)got.ptr, want);
}

#endif
