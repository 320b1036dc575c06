/* pattern: a Sigma string value: plain text with wildcards (* any run, ? one character) and escapes.
 *
 * Escapes (Sigma specification, "Escape Character"): a backslash takes the special meaning from *, ? and \ when one of
 * these follows, and is itself otherwise. Modifiers work on the parsed pieces, so that an escaped star stays a star
 * through base64 or UTF-16. Compiled patterns know their shape (equal, prefix, suffix, contained) so that most matches
 * are one memcmp or memmem. Cost of a general match: O(text x pattern). */
#ifndef DETECT_SIGMA_PATTERN_H
#define DETECT_SIGMA_PATTERN_H

#include "detect/sigma/arena.h"

enum piece_kind {
    PIECE_TEXT,
    PIECE_STAR, /* any run of bytes, also none */
    PIECE_ANY,  /* one character */
    PIECE_DASH  /* one of - / and the dashes U+2013, U+2014, U+2015 */
};

struct piece {
    uint8_t kind; /* enum piece_kind */
    struct slice text;
};

enum pattern_shape { PATTERN_EQUAL, PATTERN_PREFIX, PATTERN_SUFFIX, PATTERN_CONTAINS, PATTERN_GLOB, PATTERN_ALL };

struct pattern {
    struct piece *piece;
    uint32_t count;
    uint8_t shape; /* enum pattern_shape */
    bool cased;
    struct slice literal; /* of the simple shapes; folded unless cased */
};

#define PATTERN_PIECES_MAX 1024

/* Parses a rule's value. Pieces are in the arena. */
void pattern_parse(struct pattern *p, struct arena *a, struct slice value);
/* A pattern that is this text and nothing special. */
void pattern_plain(struct pattern *p, struct arena *a, struct slice text);
/* Puts a star at the start and/or the end unless one is there. */
void pattern_open(struct pattern *p, struct arena *a, bool start, bool end);
bool pattern_has_wildcards(const struct pattern *p);
/* Turns dashes that begin a command line option into PIECE_DASH. */
void pattern_windash(struct pattern *p, struct arena *a);
/* Ends the building: folds unless cased, finds the shape. */
void pattern_finish(struct pattern *p, struct arena *a, bool cased);
/* `text` must be folded unless the pattern is cased. */
bool pattern_match(const struct pattern *p, struct slice text);

#endif
