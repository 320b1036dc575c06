#include "detect/sigma/pattern.h"

#include "core/utf8.h"
#include "detect/sigma/value.h"

static void put(struct pattern *p, struct arena *a, enum piece_kind kind, struct slice text)
{
    if (kind == PIECE_TEXT && text.len == 0)
        return;
    if ((p->count & (p->count - 1)) == 0) {
        struct piece *bigger = arena_alloc(a, sizeof *bigger * (p->count > 0 ? 2 * (size_t)p->count : 1));
        if (p->count > 0)
            memcpy(bigger, p->piece, p->count * sizeof *bigger);
        p->piece = bigger;
    }
    p->piece[p->count].kind = (uint8_t)kind;
    p->piece[p->count++].text = text;
}

void pattern_plain(struct pattern *p, struct arena *a, struct slice text)
{
    memset(p, 0, sizeof *p);
    put(p, a, PIECE_TEXT, arena_copy(a, text));
}

void pattern_parse(struct pattern *p, struct arena *a, struct slice value)
{
    uint8_t *plain = arena_alloc(a, value.len + 1);
    size_t start = 0;
    size_t len = 0;

    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (c == '\\' && i + 1 < value.len && memchr("*?\\", value.ptr[i + 1], 3) != NULL) {
            plain[len++] = value.ptr[++i];
        } else if (c == '*' || c == '?') {
            put(p, a, PIECE_TEXT, slice_make(plain + start, len - start));
            start = len;
            if (c == '?')
                put(p, a, PIECE_ANY, slice_make(NULL, 0));
            else if (p->count == 0 || p->piece[p->count - 1].kind != PIECE_STAR)
                put(p, a, PIECE_STAR, slice_make(NULL, 0));
        } else {
            plain[len++] = c;
        }
    }
    put(p, a, PIECE_TEXT, slice_make(plain + start, len - start));
}

void pattern_open(struct pattern *p, struct arena *a, bool start, bool end)
{
    if (start && (p->count == 0 || p->piece[0].kind != PIECE_STAR)) {
        struct pattern opened = {0};
        put(&opened, a, PIECE_STAR, slice_make(NULL, 0));
        for (uint32_t i = 0; i < p->count; i++)
            put(&opened, a, (enum piece_kind)p->piece[i].kind, p->piece[i].text);
        *p = opened;
    }
    if (end && (p->count == 0 || p->piece[p->count - 1].kind != PIECE_STAR))
        put(p, a, PIECE_STAR, slice_make(NULL, 0));
}

bool pattern_has_wildcards(const struct pattern *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->piece[i].kind != PIECE_TEXT)
            return true;
    return false;
}

/* Bytes of the dash or slash that starts the text, 0 when there is none. */
static size_t dash_length(struct slice s)
{
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '/'))
        return 1;
    return s.len >= 3 && s.ptr[0] == 0xE2 && s.ptr[1] == 0x80 && s.ptr[2] >= 0x93 && s.ptr[2] <= 0x95 ? 3 : 0;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0xC2;
}

/* An option dash stands before a word and not behind one, as in " -enc" but not in "well-known". */
void pattern_windash(struct pattern *p, struct arena *a)
{
    struct pattern out = {0};

    for (uint32_t n = 0; n < p->count; n++) {
        struct slice s = p->piece[n].text;
        size_t start = 0;
        if (p->piece[n].kind != PIECE_TEXT) {
            put(&out, a, (enum piece_kind)p->piece[n].kind, s);
            continue;
        }
        for (size_t i = 0; i < s.len; i++) {
            size_t len = dash_length(slice_from(s, i));
            if (len == 0 || (i > 0 && is_word(s.ptr[i - 1])) || i + len >= s.len || !is_word(s.ptr[i + len]))
                continue;
            put(&out, a, PIECE_TEXT, slice_make(s.ptr + start, i - start));
            put(&out, a, PIECE_DASH, slice_make(NULL, 0));
            start = i + len;
            i += len - 1;
        }
        put(&out, a, PIECE_TEXT, slice_from(s, start));
    }
    *p = out;
}

static enum pattern_shape shape_of(const struct pattern *p)
{
    const struct piece *q = p->piece;

    if (p->count == 0 || (p->count == 1 && q[0].kind == PIECE_TEXT))
        return PATTERN_EQUAL;
    if (p->count == 1 && q[0].kind == PIECE_STAR)
        return PATTERN_ALL;
    if (p->count == 2 && q[0].kind == PIECE_TEXT && q[1].kind == PIECE_STAR)
        return PATTERN_PREFIX;
    if (p->count == 2 && q[0].kind == PIECE_STAR && q[1].kind == PIECE_TEXT)
        return PATTERN_SUFFIX;
    if (p->count == 3 && q[0].kind == PIECE_STAR && q[1].kind == PIECE_TEXT && q[2].kind == PIECE_STAR)
        return PATTERN_CONTAINS;
    return PATTERN_GLOB;
}

void pattern_finish(struct pattern *p, struct arena *a, bool cased)
{
    p->cased = cased;
    p->literal = slice_make("", 0);
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->piece[i].kind != PIECE_TEXT)
            continue;
        if (!cased) {
            uint8_t *folded = arena_alloc(a, p->piece[i].text.len + 1);
            fold_text(p->piece[i].text, folded);
            p->piece[i].text.ptr = folded;
        }
        if (p->literal.len == 0)
            p->literal = p->piece[i].text;
    }
    enum pattern_shape shape = shape_of(p);
    p->shape = (uint8_t)shape;
}

/* Bytes that a piece other than a star takes from the text; -1 when it does not fit. */
static ptrdiff_t piece_length(const struct piece *q, struct slice text)
{
    size_t n;

    switch ((enum piece_kind)q->kind) {
    case PIECE_TEXT:
        return slice_starts(text, q->text) ? (ptrdiff_t)q->text.len : -1;
    case PIECE_ANY:
        n = utf8_length(text);
        return text.len == 0 ? -1 : n > 0 ? (ptrdiff_t)n : 1;
    case PIECE_DASH:
        n = dash_length(text);
        return n > 0 ? (ptrdiff_t)n : -1;
    case PIECE_STAR:
        break;
    }
    return -1;
}

/* Goes back only to the last star: what an earlier star could take, the last one can take as well. */
static bool glob(const struct pattern *p, struct slice text)
{
    uint32_t at = 0;
    uint32_t star = UINT32_MAX;
    size_t pos = 0;
    size_t star_pos = 0;

    for (;;) {
        if (at < p->count && p->piece[at].kind == PIECE_STAR) {
            star = at++;
            star_pos = pos;
            if (at == p->count)
                return true;
            continue;
        }
        ptrdiff_t n = at < p->count ? piece_length(&p->piece[at], slice_from(text, pos)) : -1;
        if (n >= 0) {
            pos += (size_t)n;
            at++;
        } else if (at == p->count && pos == text.len) {
            return true;
        } else if (star == UINT32_MAX || star_pos >= text.len) {
            return false;
        } else {
            pos = ++star_pos;
            at = star + 1;
        }
    }
}

bool pattern_match(const struct pattern *p, struct slice text)
{
    struct slice s = p->literal;

    /* Most texts differ in a byte at the end that is compared, which saves calling for the rest. */
    if (s.len > 0 && text.len >= s.len) {
        size_t from = p->shape == PATTERN_SUFFIX ? text.len - s.len : 0;
        if ((p->shape == PATTERN_SUFFIX || p->shape == PATTERN_PREFIX || p->shape == PATTERN_EQUAL) &&
            (text.ptr[from] != s.ptr[0] || text.ptr[from + s.len - 1] != s.ptr[s.len - 1]))
            return false;
    }
    switch ((enum pattern_shape)p->shape) {
    case PATTERN_EQUAL:
        return slice_equal(text, s);
    case PATTERN_PREFIX:
        return slice_starts(text, s);
    case PATTERN_SUFFIX:
        return text.len >= s.len && memcmp(text.ptr + text.len - s.len, s.ptr, s.len) == 0;
    case PATTERN_CONTAINS:
        return text.len >= s.len && memmem(text.ptr, text.len, s.ptr, s.len) != NULL;
    case PATTERN_ALL:
        return true;
    case PATTERN_GLOB:
        break;
    }
    return glob(p, text);
}
