/* Patterns of log_fields.h. Matching goes through pattern and text once: a literal must stand where the text is, or,
 * behind a placeholder, at its first place from there. There is no going back, so that no line costs more than its
 * length for each literal; what that cannot tell apart needs a longer literal. */
#include "ingest/log_fields.h"

struct piece {
    struct slice literal; /* before the placeholder */
    struct slice name;
    bool last; /* there is no placeholder: the literal ends the pattern */
};

/* The next literal and placeholder of a good pattern. */
static struct piece next_piece(struct slice *pattern)
{
    const uint8_t *open = pattern->len > 0 ? memchr(pattern->ptr, '{', pattern->len) : NULL;
    struct piece p = {.literal = *pattern, .last = true};

    if (open == NULL) {
        *pattern = slice_make(NULL, 0);
        return p;
    }
    p.last = false;
    p.literal = slice_head(*pattern, (size_t)(open - pattern->ptr));
    struct slice rest = slice_from(*pattern, p.literal.len + 1);
    const uint8_t *close = memchr(rest.ptr, '}', rest.len);
    p.name = slice_head(rest, (size_t)(close - rest.ptr));
    *pattern = slice_from(rest, p.name.len + 1);
    return p;
}

bool log_pattern_good(struct slice pattern, const char **ret_reason)
{
    bool placeholder = false, text_between = true;

    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '}') {
            *ret_reason = "a brace closes that was not opened";
            return false;
        }
        if (pattern.ptr[i] != '{') {
            text_between = true;
            continue;
        }
        if (!text_between) {
            *ret_reason = "two placeholders need text between them";
            return false;
        }
        while (i < pattern.len && pattern.ptr[i] != '}')
            i++;
        if (i == pattern.len) {
            *ret_reason = "a brace does not close";
            return false;
        }
        placeholder = true;
        text_between = false;
    }
    *ret_reason = "there is no {placeholder} in it";
    return placeholder;
}

/* How many bytes of the text the literal takes at this place; SIZE_MAX when it does not stand there. A blank of the
 * literal takes all blanks. */
static size_t literal_at(struct slice literal, struct slice text, size_t at)
{
    size_t from = at;

    for (size_t i = 0; i < literal.len; i++) {
        if (at >= text.len || text.ptr[at] != literal.ptr[i])
            return SIZE_MAX;
        at++;
        while (literal.ptr[i] == ' ' && at < text.len && text.ptr[at] == ' ')
            at++;
    }
    return at - from;
}

static bool find_literal(struct slice literal, struct slice text, size_t from, size_t *ret_at, size_t *ret_len)
{
    while (from + literal.len <= text.len) {
        const uint8_t *first = memchr(text.ptr + from, literal.ptr[0], text.len - from);
        if (first == NULL)
            return false;
        *ret_at = (size_t)(first - text.ptr);
        *ret_len = literal_at(literal, text, *ret_at);
        if (*ret_len != SIZE_MAX)
            return true;
        from = *ret_at + 1;
    }
    return false;
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && s.ptr[0] == ' ')
        s = slice_from(s, 1);
    while (s.len > 0 && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

static bool good_value(struct slice value, bool path)
{
    if (!path)
        return true;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '/' || value.ptr[i] == '?' || value.ptr[i] == '#')
            return false;
    return value.len > 0;
}

/* Goes on behind the literal of the piece before; its placeholder ends where the next literal begins, or the text. */
static bool match_pieces(struct log_fields *f, struct slice pattern, bool path, struct slice text)
{
    struct piece now = next_piece(&pattern);
    size_t at = literal_at(now.literal, text, 0);

    if (at == SIZE_MAX)
        return false;
    while (!now.last) {
        struct piece after = next_piece(&pattern);
        size_t end = text.len, len = 0;
        if (after.literal.len > 0 && !find_literal(after.literal, text, at, &end, &len))
            return false;
        struct slice value = trim(slice_make(text.ptr + at, end - at));
        if (!good_value(value, path))
            return false;
        if (now.name.len > 0)
            log_fields_add(f, now.name, value);
        at = end + len;
        now = after;
    }
    return at == text.len;
}

bool log_pattern_match(struct log_fields *f, struct slice pattern, bool path, struct slice text)
{
    uint32_t before = f->count, left_out = f->left_out_count;

    if (path && text.len > 0) {
        const uint8_t *query = memchr(text.ptr, '?', text.len);
        if (query != NULL)
            text = slice_head(text, (size_t)(query - text.ptr));
    }
    if (text.len > 0 && match_pieces(f, pattern, path, text))
        return true;
    f->count = before;
    f->left_out_count = left_out;
    return false;
}
