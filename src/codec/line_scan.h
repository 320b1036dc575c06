/* line_scan: walks one line of a text log from left to right, the same way for every trace format.
 *
 * The first thing that does not fit sets the code and the fault; every later step then takes nothing, so a reader is
 * written straight down and asked once at the end. Memory: borrows the line. */
#ifndef CODEC_LINE_SCAN_H
#define CODEC_LINE_SCAN_H

#include "core/err.gen.h"
#include "core/slice.h"

struct line_fault {
    unsigned column;    /* 1-based byte of the line */
    const char *reason; /* for a person; static text */
};

struct line_scan {
    struct slice line; /* without its line end */
    size_t pos;
    enum vs_err err;
    struct line_fault fault;
};

/* Takes a line with or without its LF or CR LF. */
void line_scan_init(struct line_scan *s, struct slice line);
/* Sets the code and place unless something went wrong before. */
void line_scan_fail_at(struct line_scan *s, size_t pos, enum vs_err err, const char *reason);
/* At the present place: VS_ERR_TRUNCATED at the end of the line, else VS_ERR_MALFORMED. */
void line_scan_fail(struct line_scan *s, const char *reason);

/* The next byte, 0 at the end or after a fault: no line of a log holds a NUL. */
static inline uint8_t line_scan_peek(const struct line_scan *s)
{
    return s->err == VS_OK && s->pos < s->line.len ? s->line.ptr[s->pos] : 0;
}

bool line_scan_char(struct line_scan *s, char c);
bool line_scan_text(struct line_scan *s, const char *text);
/* Blanks and tabs; how many. */
size_t line_scan_blanks(struct line_scan *s);
/* Everything up to the next blank; empty at the end. */
struct slice line_scan_word(struct line_scan *s);
/* Decimal digits; sets a fault when there are none or too many. */
uint64_t line_scan_number(struct line_scan *s, const char *reason);
/* Two hex digits; false, and nothing taken, when they are not there. */
bool line_scan_hex_byte(struct line_scan *s, uint8_t *ret);
/* Seconds with up to 9 digits of fraction after one of the separators; digits below a microsecond are cut. */
int64_t line_scan_seconds_us(struct line_scan *s, const char *separators);

#endif
