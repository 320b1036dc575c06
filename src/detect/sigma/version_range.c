#include "detect/sigma/version_range.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Takes the next part off the front; empty at the end. */
static struct slice next_part(struct slice *s)
{
    while (s->len > 0 && !is_digit(s->ptr[0]) && !is_letter(s->ptr[0]))
        *s = slice_from(*s, 1);
    size_t n = 0;
    while (n < s->len && (is_digit(s->ptr[0]) ? is_digit(s->ptr[n]) : is_letter(s->ptr[n])))
        n++;
    struct slice part = slice_head(*s, n);
    *s = slice_from(*s, n);
    return part;
}

static uint64_t number_of(struct slice s)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit = s.ptr[i] - (uint64_t)'0';
        if (v > (UINT64_MAX - digit) / 10)
            return UINT64_MAX;
        v = v * 10 + digit;
    }
    return v;
}

static int compare_words(struct slice a, struct slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        uint8_t x = a.ptr[i] | 32;
        uint8_t y = b.ptr[i] | 32;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

int version_compare(struct slice a, struct slice b)
{
    for (;;) {
        struct slice x = next_part(&a);
        struct slice y = next_part(&b);
        if (x.len == 0 || y.len == 0)
            return x.len == y.len ? 0 : x.len == 0 ? -1 : 1;
        bool number_x = is_digit(x.ptr[0]);
        bool number_y = is_digit(y.ptr[0]);
        if (number_x != number_y)
            return number_x ? 1 : -1;
        uint64_t u = number_x ? number_of(x) : 0;
        uint64_t v = number_x ? number_of(y) : 0;
        int order = number_x ? (u > v) - (u < v) : compare_words(x, y);
        if (order != 0)
            return order;
    }
}

bool version_range_is(struct slice text)
{
    return text.len > 0 && (text.ptr[0] == '<' || text.ptr[0] == '>');
}

bool version_range_read(struct slice text, struct version_range *ret)
{
    struct version_range r = {.count = 0};

    while (text.len > 0) {
        struct version_bound *b = &r.bound[r.count];
        if (r.count == VERSION_BOUNDS_MAX || !version_range_is(text))
            return false;
        bool less = text.ptr[0] == '<';
        bool equal = text.len > 1 && text.ptr[1] == '=';
        b->op = (uint8_t)(less ? (equal ? VERSION_LTE : VERSION_LT) : equal ? VERSION_GTE : VERSION_GT);
        text = slice_from(text, equal ? 2 : 1);
        while (text.len > 0 && text.ptr[0] == ' ')
            text = slice_from(text, 1);
        size_t n = 0;
        while (n < text.len && text.ptr[n] != ' ')
            n++;
        b->version = slice_head(text, n);
        struct slice rest = b->version;
        if (version_range_is(b->version) || next_part(&rest).len == 0)
            return false;
        r.count++;
        text = slice_from(text, n);
        while (text.len > 0 && text.ptr[0] == ' ')
            text = slice_from(text, 1);
    }
    if (r.count == 0)
        return false;
    *ret = r;
    return true;
}

bool version_range_holds(const struct version_range *r, struct slice version)
{
    struct slice rest = version;

    if (next_part(&rest).len == 0)
        return false;
    for (uint8_t i = 0; i < r->count; i++) {
        int order = version_compare(version, r->bound[i].version);
        bool ok = false;
        switch ((enum version_op)r->bound[i].op) {
        case VERSION_LT:
            ok = order < 0;
            break;
        case VERSION_LTE:
            ok = order <= 0;
            break;
        case VERSION_GT:
            ok = order > 0;
            break;
        case VERSION_GTE:
            ok = order >= 0;
            break;
        }
        if (!ok)
            return false;
    }
    return true;
}
