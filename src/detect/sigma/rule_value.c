#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/sigma/rule_value.h"

#include <arpa/inet.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/sigma/rule_encode.h"
#include "detect/sigma/rule_expand.h"

#define VALUES_MAX    65536
#define MODIFIERS_MAX 8

enum modifier {
    MOD_CONTAINS,
    MOD_STARTSWITH,
    MOD_ENDSWITH,
    MOD_ALL,
    MOD_CASED,
    MOD_EXISTS,
    MOD_NEQ,
    MOD_WINDASH,
    MOD_RE,
    MOD_I,
    MOD_M,
    MOD_S,
    MOD_BASE64,
    MOD_BASE64OFFSET,
    MOD_UTF16,
    MOD_UTF16LE,
    MOD_UTF16BE,
    MOD_CIDR,
    MOD_LT,
    MOD_LTE,
    MOD_GT,
    MOD_GTE,
    MOD_FIELDREF,
    MOD_EXPAND,
    MOD_MINUTE,
    MOD_HOUR,
    MOD_DAY,
    MOD_WEEK,
    MOD_MONTH,
    MOD_YEAR
};

static const struct {
    const char *name;
    uint8_t modifier;
} MODIFIER[] = {{"contains", MOD_CONTAINS},
                {"startswith", MOD_STARTSWITH},
                {"endswith", MOD_ENDSWITH},
                {"all", MOD_ALL},
                {"cased", MOD_CASED},
                {"exists", MOD_EXISTS},
                {"neq", MOD_NEQ},
                {"windash", MOD_WINDASH},
                {"re", MOD_RE},
                {"i", MOD_I},
                {"ignorecase", MOD_I},
                {"m", MOD_M},
                {"multiline", MOD_M},
                {"s", MOD_S},
                {"dotall", MOD_S},
                {"base64", MOD_BASE64},
                {"base64offset", MOD_BASE64OFFSET},
                {"utf16", MOD_UTF16},
                {"utf16le", MOD_UTF16LE},
                {"wide", MOD_UTF16LE},
                {"utf16be", MOD_UTF16BE},
                {"cidr", MOD_CIDR},
                {"lt", MOD_LT},
                {"lte", MOD_LTE},
                {"gt", MOD_GT},
                {"gte", MOD_GTE},
                {"fieldref", MOD_FIELDREF},
                {"expand", MOD_EXPAND},
                {"minute", MOD_MINUTE},
                {"hour", MOD_HOUR},
                {"day", MOD_DAY},
                {"week", MOD_WEEK},
                {"month", MOD_MONTH},
                {"year", MOD_YEAR}};

struct build {
    const struct rule_source *src;
    const struct yaml_node *at; /* where to point when something is wrong */
    uint8_t mod[MODIFIERS_MAX];
    unsigned mod_count;
    uint32_t field;
};

static bool has(const struct build *b, enum modifier m)
{
    for (unsigned i = 0; i < b->mod_count; i++)
        if (b->mod[i] == m)
            return true;
    return false;
}

__attribute__((format(printf, 3, 4))) static void complain(const struct build *b, const struct yaml_node *at,
                                                           const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_add(b->src->diag, DIAG_ERROR, b->src->path, at->line, at->column, "%s", text);
}

/* Splits "field|mod|mod". */
static bool read_key(struct build *b, struct slice key, struct slice *ret_field)
{
    const uint8_t *bar = key.len > 0 ? memchr(key.ptr, '|', key.len) : NULL;
    struct slice rest = bar != NULL ? slice_from(key, (size_t)(bar - key.ptr) + 1) : slice_make("", 0);

    *ret_field = bar != NULL ? slice_head(key, (size_t)(bar - key.ptr)) : key;
    while (bar != NULL) {
        bar = rest.len > 0 ? memchr(rest.ptr, '|', rest.len) : NULL;
        struct slice word = bar != NULL ? slice_head(rest, (size_t)(bar - rest.ptr)) : rest;
        if (bar != NULL)
            rest = slice_from(rest, word.len + 1);
        size_t i = 0;
        while (i < sizeof MODIFIER / sizeof MODIFIER[0] && !slice_equal_str(word, MODIFIER[i].name))
            i++;
        if (i == sizeof MODIFIER / sizeof MODIFIER[0]) {
            complain(b, b->at,
                     "unknown modifier '%.*s'; expected one of contains, startswith, endswith, all, re, cidr, "
                     "base64, base64offset, wide, windash, cased, exists, fieldref, lt, lte, gt, gte, neq, expand, "
                     "minute, hour, day, week, month, year",
                     (int)word.len, (const char *)word.ptr);
            return false;
        }
        if (b->mod_count == MODIFIERS_MAX) {
            complain(b, b->at, "more than %d modifiers", MODIFIERS_MAX);
            return false;
        }
        b->mod[b->mod_count++] = MODIFIER[i].modifier;
    }
    return true;
}

static struct test *new_test(const struct build *b, enum test_op op, struct slice source)
{
    struct test *t = arena_alloc(b->src->arena, sizeof *t);

    t->op = (uint8_t)op;
    t->source = source;
    t->cased = has(b, MOD_CASED);
    return t;
}

/* Encodes the plain pieces and leaves the wildcards. */
static void widen(const struct build *b, struct pattern *p, enum modifier m)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->piece[i].kind == PIECE_TEXT)
            p->piece[i].text =
                rule_encode_utf16(b->src->arena, p->piece[i].text, m == MOD_UTF16BE, m == MOD_UTF16 && i == 0);
}

static struct slice plain_of(const struct pattern *p)
{
    return p->count > 0 ? p->piece[0].text : slice_make("", 0);
}

/* Applies the transforming modifiers in order. A value may become several forms, chained by or_else. */
static struct test *build_pattern(const struct build *b, const struct yaml_node *at, struct slice text)
{
    struct arena *a = b->src->arena;
    struct test *t = new_test(b, TEST_PATTERN, text);
    bool keyword = b->field == ITEM_KEYWORDS;

    pattern_parse(&t->pattern, a, text);
    if (t->pattern.count > PATTERN_PIECES_MAX) {
        complain(b, at, "value has too many wildcards");
        return NULL;
    }
    for (unsigned i = 0; i < b->mod_count; i++) {
        enum modifier m = (enum modifier)b->mod[i];
        bool base = m == MOD_BASE64 || m == MOD_BASE64OFFSET;
        if (base && pattern_has_wildcards(&t->pattern)) {
            complain(b, at, "a value with wildcards cannot be encoded as base64; escape them with a backslash");
            return NULL;
        }
        if (m == MOD_BASE64OFFSET) {
            struct slice in = plain_of(&t->pattern);
            pattern_plain(&t->pattern, a, rule_encode_base64_inner(a, in, 0));
            for (size_t shift = 2; shift >= 1; shift--) {
                struct test *more = new_test(b, TEST_PATTERN, text);
                pattern_plain(&more->pattern, a, rule_encode_base64_inner(a, in, shift));
                more->or_else = t->or_else;
                t->or_else = more;
            }
        }
        for (struct test *form = t; form != NULL; form = form->or_else) {
            if (m == MOD_BASE64)
                pattern_plain(&form->pattern, a, rule_encode_base64(a, plain_of(&form->pattern)));
            else if (m == MOD_UTF16 || m == MOD_UTF16LE || m == MOD_UTF16BE)
                widen(b, &form->pattern, m);
            else if (m == MOD_WINDASH)
                pattern_windash(&form->pattern, a);
            else if (m == MOD_CONTAINS || m == MOD_STARTSWITH || m == MOD_ENDSWITH)
                pattern_open(&form->pattern, a, m != MOD_STARTSWITH, m != MOD_ENDSWITH);
        }
    }
    for (struct test *form = t; form != NULL; form = form->or_else) {
        if (keyword)
            pattern_open(&form->pattern, a, true, true);
        /* Base64 text depends on case: folding it would accept other bytes, yet Sigma says values ignore case unless
         * they are `cased`, and converters agree. */
        pattern_finish(&form->pattern, a, t->cased);
    }
    return t;
}

static struct test *build_regex(const struct build *b, const struct yaml_node *at, struct slice text)
{
    struct test *t = new_test(b, TEST_REGEX, text);
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    int code;
    PCRE2_SIZE offset;

    options |= has(b, MOD_I) ? PCRE2_CASELESS : 0;
    options |= has(b, MOD_M) ? PCRE2_MULTILINE : 0;
    options |= has(b, MOD_S) ? PCRE2_DOTALL : 0;
    options |= has(b, MOD_STARTSWITH) ? PCRE2_ANCHORED : 0;
    options |= has(b, MOD_ENDSWITH) ? PCRE2_ENDANCHORED : 0;
    pcre2_code *re = pcre2_compile(text.ptr, text.len, options, &code, &offset, NULL);
    if (re == NULL) {
        uint8_t reason[160];
        pcre2_get_error_message(code, reason, sizeof reason);
        complain(b, at, "regular expression: %s at character %zu", (const char *)reason, (size_t)offset + 1);
        return NULL;
    }
    (void)pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* without it matching is slower, not different */
    struct regex_list *keep = arena_alloc(b->src->arena, sizeof *keep);
    keep->regex = re;
    keep->next = *b->src->regexes;
    *b->src->regexes = keep;
    t->regex = re;
    return t;
}

static struct test *build_cidr(const struct build *b, const struct yaml_node *at, struct slice text)
{
    struct test *t = new_test(b, TEST_CIDR, text);
    char address[INET6_ADDRSTRLEN + 4];
    const uint8_t *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    size_t len = slash != NULL ? (size_t)(slash - text.ptr) : text.len;
    struct val bits;

    if (slice_to_str(slice_head(text, len), address, sizeof address)) {
        t->cidr_family = inet_pton(AF_INET, address, t->cidr) == 1    ? AF_INET
                         : inet_pton(AF_INET6, address, t->cidr) == 1 ? AF_INET6
                                                                      : 0;
    }
    int64_t max = t->cidr_family == AF_INET ? 32 : 128;
    if (slash == NULL)
        bits.num.i = max;
    else if (!val_parse_number(slice_from(text, len + 1), &bits) || bits.kind != VAL_INT)
        bits.num.i = -1;
    if (t->cidr_family == 0 || bits.num.i < 0 || bits.num.i > max) {
        complain(b, at, "expected a network such as 10.0.0.0/8 or fd00::/8");
        return NULL;
    }
    t->cidr_bits = (uint8_t)bits.num.i;
    return t;
}

static struct test *build_compare(const struct build *b, const struct yaml_node *at, enum test_op op)
{
    struct test *t = new_test(b, op, at->text);

    if (!val_parse_number(at->text, &t->number)) {
        complain(b, at, "lt, lte, gt and gte need a number, not '%.*s'", (int)at->text.len, (const char *)at->text.ptr);
        return NULL;
    }
    return t;
}

static struct test *build_field(const struct build *b, const struct yaml_node *at)
{
    struct test *t = new_test(b, TEST_FIELD, at->text);

    t->field = fields_add(b->src->fields, pipeline_field(b->src->pipeline, b->src->rule->taxonomy, at->text));
    t->field_start = has(b, MOD_STARTSWITH) || has(b, MOD_CONTAINS);
    t->field_end = has(b, MOD_ENDSWITH) || has(b, MOD_CONTAINS);
    if (t->field == FIELD_NONE) {
        complain(b, at, "rules use more than %d field names", FIELDS_MAX);
        return NULL;
    }
    return t;
}

static bool is_text_modifier(enum modifier m)
{
    return m == MOD_CONTAINS || m == MOD_STARTSWITH || m == MOD_ENDSWITH || m == MOD_WINDASH || m == MOD_BASE64 ||
           m == MOD_BASE64OFFSET || m == MOD_UTF16 || m == MOD_UTF16LE || m == MOD_UTF16BE;
}

/* A value without a modifier that changes its kind. */
static struct test *build_plain(const struct build *b, const struct yaml_node *at)
{
    bool text_only = b->field == ITEM_KEYWORDS;
    struct val number;

    for (unsigned i = 0; i < b->mod_count; i++)
        text_only |= is_text_modifier((enum modifier)b->mod[i]);
    if (yaml_is_null(at))
        return new_test(b, TEST_NULL, slice_str("null"));
    struct test *t = build_pattern(b, at, at->text);
    if (t == NULL || text_only ||
        (at->quoted && !(b->field < b->src->fields->names.count && b->src->fields->numeric[b->field])))
        return t;
    if (!val_parse_number(at->text, &number))
        return t;
    t->op = TEST_NUMBER; /* keeps the pattern for events that carry the same text */
    t->number = number;
    return t;
}

static struct test *build_exists(const struct build *b, const struct yaml_node *at)
{
    struct test *t = new_test(b, TEST_EXISTS, at->text);

    if (!yaml_read_bool(at, &t->exists)) {
        complain(b, at, "exists needs true or false");
        return NULL;
    }
    return t;
}

static struct test *build_test(const struct build *b, const struct yaml_node *at)
{
    if (at->kind != YAML_SCALAR) {
        complain(b, at, "expected a text, a number or null here");
        return NULL;
    }
    if (has(b, MOD_EXISTS))
        return build_exists(b, at);
    if (has(b, MOD_RE))
        return build_regex(b, at, at->text);
    if (has(b, MOD_CIDR))
        return build_cidr(b, at, at->text);
    if (has(b, MOD_FIELDREF))
        return build_field(b, at);
    static const uint8_t COMPARE[][2] = {
        {MOD_LT, TEST_LT}, {MOD_LTE, TEST_LTE}, {MOD_GT, TEST_GT}, {MOD_GTE, TEST_GTE}};
    for (size_t i = 0; i < 4; i++)
        if (has(b, (enum modifier)COMPARE[i][0]))
            return build_compare(b, at, (enum test_op)COMPARE[i][1]);
    return build_plain(b, at);
}

static bool check_modifiers(const struct build *b)
{
    static const uint8_t KIND[] = {MOD_EXISTS, MOD_RE, MOD_CIDR, MOD_FIELDREF, MOD_LT, MOD_LTE, MOD_GT, MOD_GTE};
    unsigned kinds = 0;

    for (size_t i = 0; i < sizeof KIND; i++)
        kinds += has(b, (enum modifier)KIND[i]);
    if (kinds > 1) {
        complain(b, b->at, "only one of exists, re, cidr, fieldref, lt, lte, gt and gte can stand in one key");
        return false;
    }
    if ((has(b, MOD_I) || has(b, MOD_M) || has(b, MOD_S)) && !has(b, MOD_RE)) {
        complain(b, b->at, "i, m and s are flags of re and need it before them");
        return false;
    }
    if (b->field == ITEM_KEYWORDS && (has(b, MOD_EXISTS) || has(b, MOD_FIELDREF))) {
        complain(b, b->at, "exists and fieldref need a field name");
        return false;
    }
    return true;
}

static enum time_part part_of(const struct build *b)
{
    static const uint8_t PART[] = {MOD_MINUTE, MOD_HOUR, MOD_DAY, MOD_WEEK, MOD_MONTH, MOD_YEAR};

    for (size_t i = 0; i < sizeof PART; i++)
        if (has(b, (enum modifier)PART[i]))
            return (enum time_part)(PART_MINUTE + i);
    return PART_NONE;
}

struct test_list {
    const struct yaml_node *at;
    struct test **test;
    uint32_t count;
};

static bool test_list_add(const struct build *b, struct test_list *l, struct test *t)
{
    if (l->count == VALUES_MAX) {
        complain(b, l->at, "more than %d values", VALUES_MAX);
        return false;
    }
    if ((l->count & (l->count - 1)) == 0) {
        struct test **bigger = arena_alloc(b->src->arena, sizeof(*bigger) * (l->count > 0 ? 2 * (size_t)l->count : 1));
        if (l->count > 0)
            memcpy(bigger, l->test, l->count * sizeof(*bigger));
        l->test = bigger;
    }
    l->test[l->count++] = t;
    return true;
}

/* Values of a placeholder are alternatives, also under `all`: they become forms of one test there. */
static bool add_expanded(const struct build *b, const struct yaml_node *at, bool forms, struct test_list *list)
{
    const struct yaml_node *n = rule_expand(b->src, at);
    struct test *first = NULL;

    if (n == NULL)
        return false;
    for (; n != NULL; n = n->next) {
        struct test *t = build_test(b, n);
        if (t == NULL)
            return false;
        if (!forms || first == NULL) {
            first = t;
            if (!test_list_add(b, list, t))
                return false;
            continue;
        }
        struct test **tail = &first->or_else;
        while (*tail != NULL)
            tail = &(*tail)->or_else;
        *tail = t;
    }
    return true;
}

static bool add_tests(const struct build *b, struct item *item, const struct yaml_node *value)
{
    bool list = value->kind == YAML_LIST;
    struct test_list tests = {.at = value};

    if (list && value->child == NULL) {
        complain(b, value, "empty list: it would never match; expected at least one value");
        return false;
    }
    for (const struct yaml_node *n = list ? value->child : value; n != NULL; n = list ? n->next : NULL) {
        const struct yaml_node *one = yaml_deref(n);
        if (has(b, MOD_EXPAND) && one->kind == YAML_SCALAR) {
            if (!add_expanded(b, one, item->all, &tests))
                return false;
            continue;
        }
        if (list && yaml_is_null(one)) {
            complain(b, one,
                     "null cannot be one of several values: it is of another type than any value; give it a "
                     "selection of its own");
            return false;
        }
        struct test *t = build_test(b, one);
        if (t == NULL || !test_list_add(b, &tests, t))
            return false;
    }
    item->test = tests.test;
    item->test_count = tests.count;
    return true;
}

struct item *rule_value_item(const struct rule_source *src, struct slice key, const struct yaml_node *at,
                             const struct yaml_node *value)
{
    struct build b = {.src = src, .at = at};
    struct item *item = arena_alloc(src->arena, sizeof *item);
    struct slice field;

    if (!read_key(&b, key, &field))
        return NULL;
    field = pipeline_field(src->pipeline, src->rule->taxonomy, field);
    b.field = field.len == 0 ? ITEM_KEYWORDS : fields_add(src->fields, field);
    if (b.field == FIELD_NONE && field.len > 0) {
        complain(&b, at, "rules use more than %d field names", FIELDS_MAX);
        return NULL;
    }
    if (!check_modifiers(&b))
        return NULL;
    src->fields->keywords_used |= b.field == ITEM_KEYWORDS;
    src->fields->signature_used |= b.field == FIELD_SIGNATURE;
    src->fields->priority_used |= b.field == FIELD_PRIORITY;
    item->field = b.field;
    item->all = has(&b, MOD_ALL);
    item->neq = has(&b, MOD_NEQ);
    enum time_part part = part_of(&b);
    item->part = (uint8_t)part;
    item->source = key;
    item->line = at->line;
    item->column = at->column;
    if (!add_tests(&b, item, value))
        return NULL;
    for (uint32_t i = 0; i < item->test_count; i++)
        if (item->test[i]->op == TEST_FIELD) {
            src->fields->signature_used |= item->test[i]->field == FIELD_SIGNATURE;
            src->fields->priority_used |= item->test[i]->field == FIELD_PRIORITY;
        }
    return item;
}
