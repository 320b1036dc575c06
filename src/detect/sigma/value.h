/* value: one value of a record's field, as rules see it.
 *
 * Numbers are kept as what they are (signed, unsigned above INT64_MAX, or double) and compared by value; texts are
 * UTF-8. A value that came as text but stands in a field that the schema types as a number carries both: it compares as
 * a number and matches patterns by its text. The text form and the case-folded form are made on demand and kept. */
#ifndef DETECT_SIGMA_VALUE_H
#define DETECT_SIGMA_VALUE_H

#include "detect/sigma/arena.h"
#include "detect/sigma/hash.h"

enum val_kind { VAL_NONE, VAL_NULL, VAL_BOOL, VAL_INT, VAL_UINT, VAL_DOUBLE, VAL_TEXT };

struct val {
    uint8_t kind;  /* enum val_kind */
    bool has_text; /* text is valid; always for VAL_TEXT */
    bool has_fold; /* fold is valid */
    bool element;  /* came from an array: further values may follow */
    uint32_t more; /* index + 1 of the next value of the same field in record.extra; 0 = none */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
    } num;
    struct slice text;
    struct slice fold;
};

static inline bool val_is_number(const struct val *v)
{
    return v->kind == VAL_INT || v->kind == VAL_UINT || v->kind == VAL_DOUBLE;
}

/* -1, 0, 1. Both must be numbers. Integers compare exactly; a NaN is below everything. */
int val_compare(const struct val *a, const struct val *b);
/* The text that patterns see: the source's own text if it had one, else decimal. Made in the arena on first use. */
struct slice val_text(struct val *v, struct arena *a);
/* The same, case-folded. */
struct slice val_fold(struct val *v, struct arena *a);
/* One text per value, whatever spelling it came in: numbers in decimal. For grouping and for distinct counts. */
struct slice val_canonical(const struct val *v, struct arena *a);
/* Depends on the canonical value only. */
struct hash128 val_hash(const struct val *v, uint64_t seed);
double val_double(const struct val *v);

/* Reads a whole text as decimal or 0x integer or as a decimal fraction. */
bool val_parse_number(struct slice text, struct val *ret);

/* Lower-cases ASCII and the two-byte letters of Latin, Greek and Cyrillic; the length stays the same. */
void fold_text(struct slice text, uint8_t *out);

#endif
