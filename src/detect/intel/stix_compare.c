#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/intel/stix_compare.h"

#include <pcre2.h>

#include "core/timestamp.h"
#include "detect/intel/address.h"
#include "detect/intel/stix_eval.h"

enum order { ORDER_NONE = 2 }; /* no order between these; else -1, 0, 1 */

static struct slice literal_text(const struct stix_pattern *p, const struct stix_literal *l)
{
    return stix_text(p, l->value.s.at, l->value.s.len);
}

/* Bytes of one character of valid UTF-8. */
static size_t char_len(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* A text, read as one byte a character, against bytes. */
static int order_text_bytes(struct slice text, struct slice bytes)
{
    size_t i = 0, k = 0;
    int found = 0;

    while (i < text.len) {
        unsigned c = text.ptr[i];

        if (c >= 0x80 && (c > 0xC3 || i + 1 >= text.len))
            return ORDER_NONE;
        if (c >= 0x80)
            c = (c & 0x03) << 6 | (text.ptr[i + 1] & 0x3F);
        i += text.ptr[i] < 0x80 ? 1 : 2;
        if (found == 0)
            found = k >= bytes.len ? 1 : c < bytes.ptr[k] ? -1 : c > bytes.ptr[k];
        k++;
    }
    return found != 0 ? found : k < bytes.len ? -1 : 0;
}

static int order_f64(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int order_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int order_of(const struct stix_pattern *p, const struct stix_value *v, const struct stix_literal *l)
{
    int64_t us;

    switch ((enum stix_value_kind)v->kind) {
    case STIX_VALUE_INT:
        return l->kind == STIX_INT     ? order_i64(v->value.i, l->value.i)
               : l->kind == STIX_FLOAT ? order_f64((double)v->value.i, l->value.d)
                                       : ORDER_NONE;
    case STIX_VALUE_FLOAT:
        return l->kind == STIX_INT     ? order_f64(v->value.d, (double)l->value.i)
               : l->kind == STIX_FLOAT ? order_f64(v->value.d, l->value.d)
                                       : ORDER_NONE;
    case STIX_VALUE_TEXT:
        if (l->kind == STIX_TEXT)
            return slice_compare(v->value.s, literal_text(p, l)) < 0   ? -1
                   : slice_compare(v->value.s, literal_text(p, l)) > 0 ? 1
                                                                       : 0;
        if (l->kind == STIX_BYTES)
            return order_text_bytes(v->value.s, literal_text(p, l));
        if (l->kind == STIX_TIME && timestamp_parse(v->value.s, &us))
            return order_i64(us, l->value.i);
        return ORDER_NONE;
    case STIX_VALUE_BYTES:
        if (l->kind == STIX_BYTES)
            return slice_compare(v->value.s, literal_text(p, l));
        if (l->kind == STIX_TEXT) {
            int order = order_text_bytes(literal_text(p, l), v->value.s);
            return order == ORDER_NONE ? order : -order;
        }
        return ORDER_NONE;
    case STIX_VALUE_BOOL:
    case STIX_VALUE_NULL:
    case STIX_VALUE_LIST:
    case STIX_VALUE_MAP:
        break;
    }
    return ORDER_NONE;
}

static bool equal(const struct stix_pattern *p, const struct stix_value *v, const struct stix_literal *l)
{
    if (v->kind == STIX_VALUE_BOOL)
        return l->kind == STIX_BOOL && v->b == l->value.b;
    return order_of(p, v, l) == 0;
}

bool stix_like(struct slice text, struct slice like)
{
    size_t i = 0, k = 0, star = SIZE_MAX, retry = 0;

    while (i < text.len) {
        if (k < like.len && like.ptr[k] == '%') {
            star = k++;
            retry = i;
        } else if (k < like.len && like.ptr[k] == '_') {
            i += char_len(text.ptr[i]);
            k++;
        } else if (k < like.len && like.ptr[k] == text.ptr[i]) {
            i++;
            k++;
        } else if (star != SIZE_MAX) {
            k = star + 1;
            retry += char_len(text.ptr[retry]);
            i = retry;
        } else {
            return false;
        }
    }
    while (k < like.len && like.ptr[k] == '%')
        k++;
    return k == like.len && i == text.len;
}

static bool matches(const struct stix_pattern *p, const struct stix_node *n, struct slice text, bool *ret_undecided)
{
    const pcre2_code *re = p->regex[n->regex];
    pcre2_match_data *md = pcre2_match_data_create(1, NULL);
    pcre2_match_context *mc = pcre2_match_context_create(NULL);
    int code = PCRE2_ERROR_NOMEMORY;

    if (md != NULL && mc != NULL) {
        pcre2_set_match_limit(mc, STIX_REGEX_STEPS);
        code = pcre2_match(re, text.ptr != NULL ? text.ptr : (const uint8_t *)"", text.len, 0, 0, md, mc);
    }
    pcre2_match_context_free(mc);
    pcre2_match_data_free(md);
    /* No match, and bytes that are no text, are answers; a limit or missing memory is none. */
    if (code < PCRE2_ERROR_UTF8_ERR21)
        *ret_undecided = true;
    return code >= 0;
}

static bool contains_block(const struct stix_pattern *p, const struct stix_node *n, struct slice text)
{
    struct address_block value, literal;

    if (!address_block_read(text, &value) || !address_block_read(literal_text(p, &p->literal[n->literal]), &literal))
        return false;
    return n->op == STIX_ISSUBSET ? address_within(&value, &literal) : address_within(&literal, &value);
}

bool stix_compare(const struct stix_pattern *p, const struct stix_node *n, const struct stix_value *v,
                  bool *ret_undecided)
{
    const struct stix_literal *l = &p->literal[n->literal];
    bool text = v->kind == STIX_VALUE_TEXT, bytes = v->kind == STIX_VALUE_BYTES, result = false;
    int order;

    switch ((enum stix_operator)n->op) {
    case STIX_EQ:
        result = equal(p, v, l);
        break;
    case STIX_NE:
        result = !equal(p, v, l);
        break;
    case STIX_LT:
    case STIX_LE:
    case STIX_GT:
    case STIX_GE:
        order = order_of(p, v, l);
        if (order == ORDER_NONE)
            return false;
        result = n->op == STIX_LT   ? order < 0
                 : n->op == STIX_LE ? order <= 0
                 : n->op == STIX_GT ? order > 0
                                    : order >= 0;
        break;
    case STIX_IN:
        for (uint32_t i = 0; i < n->literal_count && !result; i++)
            result = equal(p, v, &l[i]);
        break;
    case STIX_LIKE:
        result = (text || bytes) && stix_like(v->value.s, literal_text(p, l));
        break;
    case STIX_MATCHES:
        result = (text || bytes) && matches(p, n, v->value.s, ret_undecided);
        break;
    case STIX_ISSUBSET:
    case STIX_ISSUPERSET:
        result = text && contains_block(p, n, v->value.s);
        break;
    }
    return result != n->negated;
}
