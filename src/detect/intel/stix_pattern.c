/* Recursive descent over the grammar; brackets within brackets are counted, so that the recursion has a bound. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/intel/stix_pattern.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/intel/address.h"
#include "detect/intel/stix_lex.h"
#include "detect/intel/stix_literal.h"

struct reader {
    struct stix_pattern *p;
    struct stix_lex lex;
    struct stix_token t; /* the next token */
    struct stix_fault *fault;
    unsigned depth;
    enum vs_err err;
};

void stix_pattern_init(struct stix_pattern *p)
{
    memset(p, 0, sizeof *p);
    p->root = STIX_NONE;
}

static void forget(struct stix_pattern *p)
{
    for (uint32_t i = 0; i < p->regex_count; i++)
        pcre2_code_free(p->regex[i]);
    p->node_count = p->step_count = p->literal_count = p->text_len = p->regex_count = 0;
    p->root = STIX_NONE;
}

void stix_pattern_done(struct stix_pattern *p)
{
    forget(p);
    free(p->node);
    free(p->step);
    free(p->literal);
    free(p->text);
    free(p->regex);
    stix_pattern_init(p);
}

/* ---- faults: the first one counts */

static void refuse_at(struct reader *r, enum vs_err err, uint32_t position, const char *what)
{
    if (r->err != VS_OK)
        return;
    r->err = err;
    r->fault->position = position;
    snprintf(r->fault->text, sizeof r->fault->text, "%s", what);
}

static void expected(struct reader *r, const char *what)
{
    char text[160];

    if (r->t.kind == TOKEN_END)
        snprintf(text, sizeof text, "the pattern ends where %s is expected", what);
    else
        snprintf(text, sizeof text, "expected %s, found %.*s", what, (int)(r->t.text.len > 32 ? 32 : r->t.text.len),
                 (const char *)r->t.text.ptr);
    refuse_at(r, VS_ERR_MALFORMED, r->t.position, text);
}

static void advance(struct reader *r)
{
    stix_lex_next(&r->lex, &r->t);
}

static bool take_token(struct reader *r, enum stix_token_kind kind)
{
    if (r->err != VS_OK || r->t.kind != kind)
        return false;
    advance(r);
    return true;
}

static void expect(struct reader *r, enum stix_token_kind kind, const char *what)
{
    if (!take_token(r, kind))
        expected(r, what);
}

static uint32_t add_node(struct reader *r, enum stix_node_kind kind, uint32_t position, uint32_t a, uint32_t b)
{
    struct stix_pattern *p = r->p;

    if (r->err != VS_OK)
        return STIX_NONE;
    if (p->node_count == STIX_NODES_MAX) {
        refuse_at(r, VS_ERR_LIMIT, position, "more than 4096 parts");
        return STIX_NONE;
    }
    if (!stix_room((void **)&p->node, p->node_count, &p->node_room, sizeof *p->node)) {
        refuse_at(r, VS_ERR_NO_MEMORY, position, "out of memory");
        return STIX_NONE;
    }
    p->node[p->node_count] =
        (struct stix_node){.kind = (uint8_t)kind, .position = position, .a = a, .b = b, .regex = STIX_NONE};
    return p->node_count++;
}

static bool deeper(struct reader *r)
{
    if (r->err == VS_OK && r->depth == STIX_DEPTH_MAX)
        refuse_at(r, VS_ERR_LIMIT, r->t.position, "more than 32 brackets within brackets");
    r->depth++;
    return r->err == VS_OK;
}

/* ---- object paths */

static void read_key(struct reader *r, struct stix_step *s)
{
    s->kind = STIX_STEP_KEY;
    if (r->t.kind != TOKEN_TEXT && (r->t.kind != TOKEN_WORD || r->t.hyphen)) {
        expected(r, r->t.kind == TOKEN_WORD ? "a name without a hyphen (put it in quotes)" : "the name of a property");
        return;
    }
    if (stix_add_text(r->p, r->t.text, &s->at, &s->len) != VS_OK)
        refuse_at(r, VS_ERR_NO_MEMORY, r->t.position, "out of memory");
    advance(r);
}

static void read_index(struct reader *r, struct stix_step *s)
{
    s->kind = STIX_STEP_INDEX;
    if (take_token(r, TOKEN_ASTERISK)) {
        s->kind = STIX_STEP_ANY;
    } else if (r->t.kind == TOKEN_INT && r->t.text.len < 19) {
        char text[24] = "";
        (void)slice_to_str(r->t.text, text, sizeof text);
        s->index = strtoll(text, NULL, 10);
        advance(r);
    } else {
        expected(r, "an index or *");
    }
    expect(r, TOKEN_RBRACK, "]");
}

static bool add_step(struct reader *r, const struct stix_step *s)
{
    struct stix_pattern *p = r->p;

    if (r->err == VS_OK && !stix_room((void **)&p->step, p->step_count, &p->step_room, sizeof *p->step))
        refuse_at(r, VS_ERR_NO_MEMORY, r->t.position, "out of memory");
    if (r->err == VS_OK)
        p->step[p->step_count++] = *s;
    return r->err == VS_OK;
}

static void read_path(struct reader *r, uint32_t node)
{
    struct stix_step s = {0};
    struct stix_node n = r->p->node[node];

    n.step = r->p->step_count;
    if (r->t.kind != TOKEN_WORD) {
        expected(r, "an object type");
        return;
    }
    if (stix_add_text(r->p, r->t.text, &n.type_at, &n.type_len) != VS_OK)
        refuse_at(r, VS_ERR_NO_MEMORY, r->t.position, "out of memory");
    advance(r);
    expect(r, TOKEN_COLON, "a colon");
    if (r->err == VS_OK)
        read_key(r, &s);
    while (add_step(r, &s)) {
        s = (struct stix_step){0};
        if (take_token(r, TOKEN_DOT))
            read_key(r, &s);
        else if (take_token(r, TOKEN_LBRACK))
            read_index(r, &s);
        else
            break;
    }
    n.step_count = r->p->step_count - n.step;
    r->p->node[node] = n;
}

/* ---- comparisons */

static void read_literal(struct reader *r, bool text_only, bool bool_too)
{
    const char *reason = "a literal";

    if (r->err != VS_OK)
        return;
    if (text_only && r->t.kind != TOKEN_TEXT) {
        expected(r, "a text in quotes");
    } else if (r->t.kind == TOKEN_BOOL && !bool_too) {
        expected(r, "a literal that has an order");
    } else {
        enum vs_err err = stix_add_literal(r->p, &r->t, &reason);
        if (err == VS_ERR_MALFORMED)
            expected(r, reason);
        else if (err != VS_OK)
            refuse_at(r, err, r->t.position, "out of memory");
    }
    advance(r);
}

static bool same_type(const struct stix_literal *a, const struct stix_literal *b)
{
    return a->kind == b->kind || (a->kind <= STIX_FLOAT && b->kind <= STIX_FLOAT);
}

static void read_set(struct reader *r)
{
    uint32_t first = r->p->literal_count;

    expect(r, TOKEN_LPAREN, "( before a set");
    if (take_token(r, TOKEN_RPAREN))
        return;
    do {
        uint32_t position = r->t.position;

        read_literal(r, false, true);
        if (r->err == VS_OK && !same_type(&r->p->literal[first], &r->p->literal[r->p->literal_count - 1]))
            refuse_at(r, VS_ERR_MALFORMED, position, "the values of a set must be of one type");
    } while (take_token(r, TOKEN_COMMA));
    expect(r, TOKEN_RPAREN, ") after a set");
}

static void compile_regex(struct reader *r, struct stix_node *n, uint32_t position)
{
    struct stix_pattern *p = r->p;
    const struct stix_literal *l = &p->literal[n->literal];
    int code;
    size_t offset;
    char text[160], message[100];

    if (!stix_room((void **)&p->regex, p->regex_count, &p->regex_room, sizeof *p->regex)) {
        refuse_at(r, VS_ERR_NO_MEMORY, position, "out of memory");
        return;
    }
    pcre2_code *re = pcre2_compile(p->text + l->value.s.at, l->value.s.len, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code,
                                   &offset, NULL);
    if (re == NULL) {
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
        snprintf(text, sizeof text, "the expression is wrong at its byte %zu: %s", offset, message);
        refuse_at(r, VS_ERR_MALFORMED, position, text);
        return;
    }
    n->regex = p->regex_count;
    p->regex[p->regex_count++] = re;
}

static void check_block(struct reader *r, const struct stix_node *n, uint32_t position)
{
    const struct stix_literal *l = &r->p->literal[n->literal];
    struct address_block block;

    if (!address_block_read(stix_text(r->p, l->value.s.at, l->value.s.len), &block))
        refuse_at(r, VS_ERR_MALFORMED, position, "expected an address or a block like '10.0.0.0/8'");
}

static void read_operand(struct reader *r, uint32_t node)
{
    struct stix_node n = r->p->node[node];
    uint8_t token = r->t.kind;
    uint32_t position;

    n.literal = r->p->literal_count;
    if (token >= TOKEN_EQ && token <= TOKEN_GE)
        n.op = (uint8_t)(STIX_EQ + (token - TOKEN_EQ));
    else if (token == TOKEN_IN)
        n.op = STIX_IN;
    else if (token == TOKEN_LIKE || token == TOKEN_MATCHES)
        n.op = token == TOKEN_LIKE ? STIX_LIKE : STIX_MATCHES;
    else if (token == TOKEN_ISSUBSET || token == TOKEN_ISSUPERSET)
        n.op = token == TOKEN_ISSUBSET ? STIX_ISSUBSET : STIX_ISSUPERSET;
    else {
        expected(r, "a comparison (=, !=, <, IN, LIKE, MATCHES, ISSUBSET, ..)");
        return;
    }
    advance(r);
    position = r->t.position;
    if (n.op == STIX_IN)
        read_set(r);
    else
        read_literal(r, n.op > STIX_IN, n.op == STIX_EQ || n.op == STIX_NE);
    n.literal_count = r->p->literal_count - n.literal;
    if (r->err == VS_OK && n.op == STIX_MATCHES)
        compile_regex(r, &n, position);
    else if (r->err == VS_OK && n.op >= STIX_ISSUBSET)
        check_block(r, &n, position);
    r->p->node[node] = n;
}

static uint32_t read_comparison(struct reader *r);

static uint32_t read_test(struct reader *r)
{
    uint32_t position = r->t.position, node;

    if (take_token(r, TOKEN_LPAREN)) {
        node = deeper(r) ? read_comparison(r) : STIX_NONE;
        r->depth--;
        expect(r, TOKEN_RPAREN, ")");
        return node;
    }
    bool negated = take_token(r, TOKEN_NOT);
    if (negated || r->t.kind == TOKEN_EXISTS) {
        expect(r, TOKEN_EXISTS, "EXISTS");
        node = add_node(r, STIX_EXISTS, position, STIX_NONE, STIX_NONE);
        if (node != STIX_NONE) {
            r->p->node[node].negated = negated;
            read_path(r, node);
        }
        return node;
    }
    node = add_node(r, STIX_COMPARE, position, STIX_NONE, STIX_NONE);
    if (node == STIX_NONE)
        return node;
    read_path(r, node);
    r->p->node[node].negated = take_token(r, TOKEN_NOT);
    if (r->err == VS_OK)
        read_operand(r, node);
    return node;
}

static uint32_t read_comparison_and(struct reader *r)
{
    uint32_t left = read_test(r), position;

    while (position = r->t.position, take_token(r, TOKEN_AND)) {
        uint32_t right = read_test(r);
        left = add_node(r, STIX_AND, position, left, right);
    }
    return left;
}

static uint32_t read_comparison(struct reader *r)
{
    uint32_t left = read_comparison_and(r), position;

    while (position = r->t.position, take_token(r, TOKEN_OR)) {
        uint32_t right = read_comparison_and(r);
        left = add_node(r, STIX_OR, position, left, right);
    }
    return left;
}

/* ---- observations */

static uint32_t read_observations(struct reader *r);

static int64_t take_time(struct reader *r)
{
    uint32_t at = r->p->literal_count;

    if (r->t.kind != TOKEN_TIME) {
        expected(r, "a time like t'2026-03-01T12:00:00Z'");
        return 0;
    }
    read_literal(r, false, false);
    return r->err == VS_OK ? r->p->literal[at].value.i : 0;
}

static void read_start_stop(struct reader *r, struct stix_node *n)
{
    n->from_us = take_time(r);
    expect(r, TOKEN_STOP, "STOP");
    n->to_us = take_time(r);
}

static void read_within(struct reader *r, struct stix_node *n)
{
    uint32_t at = r->p->literal_count, position = r->t.position;

    if ((r->t.kind != TOKEN_INT && r->t.kind != TOKEN_FLOAT) || r->t.negative) {
        expected(r, "a number of seconds");
        return;
    }
    read_literal(r, false, false);
    expect(r, TOKEN_SECONDS, "SECONDS");
    if (r->err != VS_OK)
        return;
    const struct stix_literal *l = &r->p->literal[at];
    double seconds = l->kind == STIX_INT ? (double)l->value.i : l->value.d;
    if (seconds <= 0 || seconds > 1e11)
        refuse_at(r, VS_ERR_MALFORMED, position, "WITHIN needs a number of seconds above 0");
    else
        n->within_us = (int64_t)(seconds * 1e6);
}

static void read_repeats(struct reader *r, struct stix_node *n)
{
    uint32_t at = r->p->literal_count, position = r->t.position;

    if (r->t.kind != TOKEN_INT || r->t.negative) {
        expected(r, "how many times");
        return;
    }
    read_literal(r, false, false);
    expect(r, TOKEN_TIMES, "TIMES");
    if (r->err != VS_OK)
        return;
    int64_t times = r->p->literal[at].value.i;
    if (times < 1 || times > UINT32_MAX)
        refuse_at(r, VS_ERR_MALFORMED, position, "REPEATS needs a number of times of at least 1");
    else
        n->times = (uint32_t)times;
}

/* A qualifier of each kind may stand once directly behind a [..]; behind brackets any number may. */
static uint32_t read_qualifiers(struct reader *r, uint32_t inner, bool once)
{
    unsigned seen = 0;

    while (r->err == VS_OK && (r->t.kind == TOKEN_START || r->t.kind == TOKEN_WITHIN || r->t.kind == TOKEN_REPEATS)) {
        struct stix_node n = {.position = r->t.position, .a = inner, .b = STIX_NONE, .regex = STIX_NONE};

        n.kind = r->t.kind == TOKEN_START ? STIX_START_STOP : r->t.kind == TOKEN_WITHIN ? STIX_WITHIN : STIX_REPEATS;
        if (once && (seen & 1u << n.kind) != 0)
            refuse_at(r, VS_ERR_MALFORMED, r->t.position, "the same qualifier twice");
        seen |= 1u << n.kind;
        advance(r);
        if (n.kind == STIX_START_STOP)
            read_start_stop(r, &n);
        else if (n.kind == STIX_WITHIN)
            read_within(r, &n);
        else
            read_repeats(r, &n);
        inner = add_node(r, n.kind, n.position, inner, STIX_NONE);
        if (inner != STIX_NONE)
            r->p->node[inner] = n;
    }
    return inner;
}

static uint32_t read_observation(struct reader *r)
{
    uint32_t position = r->t.position, node = STIX_NONE;
    bool simple = r->t.kind == TOKEN_LBRACK;

    if (take_token(r, TOKEN_LBRACK)) {
        uint32_t inner = read_comparison(r);
        expect(r, TOKEN_RBRACK, "]");
        node = add_node(r, STIX_OBSERVATION, position, inner, STIX_NONE);
    } else if (take_token(r, TOKEN_LPAREN)) {
        node = deeper(r) ? read_observations(r) : STIX_NONE;
        r->depth--;
        expect(r, TOKEN_RPAREN, ")");
    } else {
        expected(r, "[ or (");
    }
    return read_qualifiers(r, node, simple);
}

static uint32_t read_observed_and(struct reader *r)
{
    uint32_t left = read_observation(r), position;

    while (position = r->t.position, take_token(r, TOKEN_AND)) {
        uint32_t right = read_observation(r);
        left = add_node(r, STIX_OBSERVED_AND, position, left, right);
    }
    return left;
}

static uint32_t read_observed_or(struct reader *r)
{
    uint32_t left = read_observed_and(r), position;

    while (position = r->t.position, take_token(r, TOKEN_OR)) {
        uint32_t right = read_observed_and(r);
        left = add_node(r, STIX_OBSERVED_OR, position, left, right);
    }
    return left;
}

static uint32_t read_observations(struct reader *r)
{
    uint32_t left = read_observed_or(r), position;

    while (position = r->t.position, take_token(r, TOKEN_FOLLOWEDBY)) {
        uint32_t right = read_observed_or(r);
        left = add_node(r, STIX_FOLLOWED_BY, position, left, right);
    }
    return left;
}

enum vs_err stix_pattern_parse(struct stix_pattern *p, struct slice text, struct stix_fault *ret_fault)
{
    struct stix_fault fault = {0, ""};
    struct reader r = {.p = p, .fault = &fault, .err = VS_OK};

    forget(p);
    if (text.len > STIX_PATTERN_MAX) {
        refuse_at(&r, VS_ERR_LIMIT, 0, "longer than 64 KiB");
    } else {
        stix_lex_init(&r.lex, text);
        advance(&r);
        p->root = read_observations(&r);
        if (r.err == VS_OK && r.t.kind != TOKEN_END)
            expected(&r, "the end, AND, OR or FOLLOWEDBY");
    }
    if (r.err != VS_OK) {
        forget(p);
        *ret_fault = fault;
    }
    return r.err;
}

void stix_path_text(const struct stix_pattern *p, const struct stix_node *n, char *buf, size_t size)
{
    int len = snprintf(buf, size, "%.*s:", (int)n->type_len, (const char *)p->text + n->type_at);

    for (uint32_t i = 0; i < n->step_count && len > 0 && (size_t)len < size; i++) {
        const struct stix_step *s = &p->step[n->step + i];
        char *at = buf + len;
        size_t room = size - (size_t)len;

        if (s->kind == STIX_STEP_KEY)
            len += snprintf(at, room, "%s%.*s", i > 0 ? "." : "", (int)s->len, (const char *)p->text + s->at);
        else if (s->kind == STIX_STEP_ANY)
            len += snprintf(at, room, "[*]");
        else
            len += snprintf(at, room, "[%lld]", (long long)s->index);
    }
}
