/* stix_pattern: a STIX 2.1 pattern as a tree, from its text.
 *
 * Source: STIX 2.1 (OASIS, 10 June 2021) section 9, with the grammar of its Annex (STIXPattern.g4). A pattern is made
 * of observation expressions `[ .. ]`, joined by AND, OR and FOLLOWEDBY and qualified by START..STOP, WITHIN and
 * REPEATS; within the brackets stand comparisons of object paths with literals, joined by AND and OR.
 *
 *     [ipv4-addr:value ISSUBSET '10.0.0.0/8' AND ipv4-addr:value != '10.0.0.1'] REPEATS 5 TIMES WITHIN 60 SECONDS
 *
 * A tree is one array of nodes; children are named by index and precede their parent; the last node is the root.
 * What breaks the grammar is refused with the byte at which the reader stopped and what it expected there.
 *
 * Memory: stix_pattern owns all its texts (unescaped copies) and compiled expressions and may be reused for the next
 * text without an allocation. Threads: a parsed pattern may be read by many. Bounds: STIX_PATTERN_MAX bytes,
 * STIX_NODES_MAX nodes, STIX_DEPTH_MAX brackets within brackets (this also bounds recursion). Cost: linear. */
#ifndef DETECT_INTEL_STIX_PATTERN_H
#define DETECT_INTEL_STIX_PATTERN_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define STIX_PATTERN_MAX (64u << 10)
#define STIX_NODES_MAX   4096u
#define STIX_DEPTH_MAX   32u
#define STIX_NONE        UINT32_MAX

enum stix_node_kind {
    /* between observations */
    STIX_FOLLOWED_BY,
    STIX_OBSERVED_OR,
    STIX_OBSERVED_AND,
    STIX_START_STOP, /* of a: from_us, to_us */
    STIX_WITHIN,     /* of a: within_us */
    STIX_REPEATS,    /* of a: times */
    STIX_OBSERVATION,
    /* within an observation */
    STIX_OR,
    STIX_AND,
    STIX_COMPARE,
    STIX_EXISTS
};

enum stix_operator {
    STIX_EQ,
    STIX_NE,
    STIX_LT,
    STIX_LE,
    STIX_GT,
    STIX_GE,
    STIX_IN,
    STIX_LIKE,
    STIX_MATCHES,
    STIX_ISSUBSET,
    STIX_ISSUPERSET
};

enum stix_literal_kind { STIX_INT, STIX_FLOAT, STIX_BOOL, STIX_TEXT, STIX_BYTES, STIX_TIME };

struct stix_literal {
    uint8_t kind; /* enum stix_literal_kind */
    union {
        int64_t i; /* STIX_INT, STIX_TIME in microseconds */
        double d;
        bool b;
        struct {
            uint32_t at, len;
        } s; /* of STIX_TEXT, STIX_BYTES: place in the pattern's texts */
    } value;
};

enum stix_step_kind { STIX_STEP_KEY, STIX_STEP_INDEX, STIX_STEP_ANY };

struct stix_step {
    uint8_t kind;     /* enum stix_step_kind */
    uint32_t at, len; /* STIX_STEP_KEY: place in the texts */
    int64_t index;
};

struct stix_node {
    uint8_t kind;               /* enum stix_node_kind */
    uint8_t op;                 /* enum stix_operator, of STIX_COMPARE */
    bool negated;               /* NOT in front of the operator or of EXISTS */
    uint32_t position;          /* byte in the pattern at which it begins */
    uint32_t a, b;              /* children, STIX_NONE when none */
    uint32_t type_at, type_len; /* object type, place in the texts */
    uint32_t step, step_count;  /* of the object path */
    uint32_t literal, literal_count;
    int64_t from_us, to_us, within_us;
    uint32_t times;
    uint32_t regex; /* index of the compiled expression, STIX_NONE when none */
};

struct stix_pattern {
    struct stix_node *node;
    struct stix_step *step;
    struct stix_literal *literal;
    uint8_t *text;
    void **regex; /* pcre2_code */
    uint32_t node_count, step_count, literal_count, text_len, regex_count;
    uint32_t node_room, step_room, literal_room, text_room, regex_room; /* private */
    uint32_t root;
};

struct stix_fault {
    uint32_t position; /* byte in the pattern */
    char text[160];
};

void stix_pattern_init(struct stix_pattern *p);
void stix_pattern_done(struct stix_pattern *p);
/* Replaces what the pattern held. VS_ERR_MALFORMED, VS_ERR_LIMIT (both with *ret_fault), VS_ERR_NO_MEMORY. */
VS_MUST_USE enum vs_err stix_pattern_parse(struct stix_pattern *p, struct slice text, struct stix_fault *ret_fault);

static inline struct slice stix_text(const struct stix_pattern *p, uint32_t at, uint32_t len)
{
    return slice_make(p->text + at, len);
}
/* The object path of a comparison as it is written, e.g. `file:hashes.'SHA-256'`, cut to what fits. */
void stix_path_text(const struct stix_pattern *p, const struct stix_node *n, char *buf, size_t size);

#endif
