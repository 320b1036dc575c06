/* slice: a borrowed run of bytes.
 *
 * Everything that reads a format takes its input as a slice and hands out parts of it as slices, so no copy is made and
 * no NUL is needed. A slice owns nothing: it is valid as long as the memory that it was cut from, and each function
 * that returns one says until when. An empty slice may have any ptr, NULL included.
 *
 * Bounds: len is a size_t; functions here never read outside [ptr, ptr + len). Threads: values, share freely. */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *ptr;
    size_t len;
};

/* A slice over a string literal, usable in initialisers. */
#define SLICE_LIT(text)                                                                                                \
    {                                                                                                                  \
        (const uint8_t *)(text), sizeof(text) - 1                                                                      \
    }

static inline struct slice slice_make(const void *ptr, size_t len)
{
    struct slice s = {(const uint8_t *)ptr, len};
    return s;
}

/* Borrows a NUL-terminated string without its NUL; text may be NULL, which gives an empty slice. */
static inline struct slice slice_str(const char *text)
{
    return slice_make(text, text != NULL ? strlen(text) : 0);
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_equal_str(struct slice a, const char *text)
{
    return slice_equal(a, slice_str(text));
}

/* Byte order first, then the shorter one: a total order, the same on every machine. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

    if (c != 0)
        return c;
    return a.len < b.len ? -1 : a.len > b.len;
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* The part from `from` to the end; empty when from is past the end. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    size_t skip = from < s.len ? from : s.len;

    /* An empty slice may have a NULL ptr, to which not even 0 may be added. */
    return skip == 0 ? s : slice_make(s.ptr + skip, s.len - skip);
}

/* The first `len` bytes; all of it when it is shorter. */
static inline struct slice slice_head(struct slice s, size_t len)
{
    return slice_make(s.ptr, len < s.len ? len : s.len);
}

/* Copies a slice into a char array as a C string. Returns false, and writes nothing, when it does not fit with its NUL
 * or holds a NUL itself. */
static inline bool slice_to_str(struct slice s, char *text, size_t size)
{
    if (s.len >= size || (s.len > 0 && memchr(s.ptr, 0, s.len) != NULL))
        return false;
    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return true;
}

#endif
