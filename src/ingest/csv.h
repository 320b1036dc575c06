/* csv: rows of comma-separated values (RFC 4180), one after the other.
 *
 * Fields may be quoted, and then hold commas, quotes (doubled) and line ends. A line ends with LF or CRLF; empty lines
 * are passed over; a byte order mark at the start is, too. Memory: fields are borrowed from the text, or from the
 * reader's own scratch when quotes had to be taken out, until the next row. Bounds: CSV_FIELDS_MAX fields, CSV_ROW_MAX
 * bytes. */
#ifndef INGEST_CSV_H
#define INGEST_CSV_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define CSV_FIELDS_MAX 64
#define CSV_ROW_MAX    65536

struct csv {
    struct slice rest;
    uint32_t line; /* on which the row read last began, from 1 */
    uint32_t line_next;
    uint32_t count; /* fields of that row */
    struct slice field[CSV_FIELDS_MAX];
    size_t scratch_len;
    uint8_t scratch[CSV_ROW_MAX];
};

void csv_init(struct csv *c, struct slice text);
/* VS_OK, VS_ERR_END; VS_ERR_MALFORMED (a quote that does not close, text behind one) and VS_ERR_LIMIT, after which the
 * next row can be read. *ret_reason: a constant text. */
VS_MUST_USE enum vs_err csv_next(struct csv *c, const char **ret_reason);

#endif
