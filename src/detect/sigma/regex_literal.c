#include "detect/sigma/regex_literal.h"

struct walk {
    struct slice rest;
    bool caseless;
    uint8_t run[REGEX_LITERAL_MAX];
    size_t len;
    bool open; /* the last thing was a character of the run */
    uint8_t *best;
    size_t best_len;
};

static void end_run(struct walk *w)
{
    if (w->len > w->best_len) {
        memcpy(w->best, w->run, w->len);
        w->best_len = w->len;
    }
    w->len = 0;
    w->open = false;
}

static void take_char(struct walk *w, uint8_t c)
{
    uint8_t folded = c >= 'A' && c <= 'Z' ? c | 0x20 : c;

    if (c >= 0x80 || (w->caseless && (folded == 'k' || folded == 's'))) {
        end_run(w);
        return;
    }
    if (w->len == REGEX_LITERAL_MAX)
        end_run(w);
    w->run[w->len++] = folded;
    w->open = true;
}

/* The character before may be absent. */
static void take_optional(struct walk *w)
{
    if (w->open)
        w->len--;
    end_run(w);
}

/* Bytes of `{2,5}`; 0 when it is no repetition and so a plain brace. */
static size_t repetition_length(struct slice s)
{
    size_t i = 1;

    while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == ',' || s.ptr[i] == ' '))
        i++;
    return i < s.len && s.ptr[i] == '}' ? i + 1 : 0;
}

/* Bytes of a class in square brackets; 0 when it does not end. A bracket right at its start is one of its members. */
static size_t class_length(struct slice s)
{
    size_t i = 1;

    i += i < s.len && s.ptr[i] == '^';
    i += i < s.len && s.ptr[i] == ']';
    for (; i < s.len; i++) {
        if (s.ptr[i] == ']')
            return i + 1;
        if (s.ptr[i] == '[' || (s.ptr[i] == '\\' && i + 1 < s.len && (s.ptr[i + 1] == 'Q' || s.ptr[i + 1] == 'E')))
            return 0; /* a named class or quoting: not worth knowing */
        i += s.ptr[i] == '\\';
    }
    return 0;
}

/* Bytes of a group in round brackets; 0 when it cannot be told. */
static size_t group_length(struct slice s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.len;) {
        struct slice at = slice_from(s, i);
        size_t n = 1;
        if (at.ptr[0] == '\\') {
            if (at.len < 2 || at.ptr[1] == 'Q')
                return 0;
            n = 2;
        } else if (at.ptr[0] == '[') {
            n = class_length(at);
        } else if (at.ptr[0] == '(') {
            depth++;
        } else if (at.ptr[0] == ')' && --depth == 0) {
            return i + 1;
        }
        if (n == 0)
            return 0;
        i += n;
    }
    return 0;
}

/* `(?im)`: bytes of it when it only sets flags and none that changes what characters mean; 0 otherwise. */
static size_t flags_length(struct slice s)
{
    size_t i = 2;

    while (i < s.len && (s.ptr[i] == 'i' || s.ptr[i] == 'm' || s.ptr[i] == 's' || s.ptr[i] == '-'))
        i++;
    return i < s.len && s.ptr[i] == ')' ? i + 1 : 0;
}

/* False when the rest cannot be understood for certain. */
static bool take_group(struct walk *w)
{
    struct slice s = w->rest;
    size_t n = 0;

    end_run(w);
    if (s.len > 1 && s.ptr[1] == '*')
        return false;
    if (s.len > 2 && s.ptr[1] == '?') {
        uint8_t c = s.ptr[2];
        n = flags_length(s);
        if (n == 0 && c != ':' && c != '=' && c != '!' && c != '<' && c != '>')
            return false;
    }
    if (n == 0)
        n = group_length(s);
    if (n == 0)
        return false;
    w->rest = slice_from(s, n);
    return true;
}

static bool take_escape(struct walk *w)
{
    static const char known[] = "dDwWsSbBAzZhHvVnrtfR";

    if (w->rest.len < 2)
        return false;
    uint8_t c = w->rest.ptr[1];
    bool plain = c < 0x80 && !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    if (!plain && (c >= 0x80 || memchr(known, c, sizeof known - 1) == NULL))
        return false;
    if (plain)
        take_char(w, c);
    else
        end_run(w);
    w->rest = slice_from(w->rest, 2);
    return true;
}

/* One thing at the top level; false when the expression cannot be understood for certain. */
static bool take(struct walk *w)
{
    size_t n = 1;

    switch (w->rest.ptr[0]) {
    case '\\':
        return take_escape(w);
    case '(':
        return take_group(w);
    case '|':
    case ')':
        return false;
    case '[':
        n = class_length(w->rest);
        end_run(w);
        break;
    case '{':
        n = repetition_length(w->rest);
        n = n > 0 ? n : 1;
        take_optional(w);
        break;
    case '*':
    case '?':
        take_optional(w);
        break;
    case '+':
    case '.':
    case '^':
    case '$':
        end_run(w);
        break;
    default:
        take_char(w, w->rest.ptr[0]);
        break;
    }
    w->rest = slice_from(w->rest, n);
    return n > 0;
}

static bool sets_flags(struct slice s)
{
    for (size_t i = 0; i + 1 < s.len; i++)
        if (s.ptr[i] == '(' && s.ptr[i + 1] == '?')
            return true;
    return false;
}

struct slice regex_literal(struct slice regex, bool caseless, uint8_t buf[REGEX_LITERAL_MAX])
{
    struct walk w = {.rest = regex, .caseless = caseless || sets_flags(regex), .best = buf};

    while (w.rest.len > 0)
        if (!take(&w))
            return slice_make(buf, 0);
    end_run(&w);
    return slice_make(buf, w.best_len);
}
