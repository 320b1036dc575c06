/* States: before the top object; among its members; in the array `objects`; behind the top object. */
#include "detect/intel/stix_split.h"

#define DEPTH_MAX 64u

void stix_split_init(struct stix_split *s, struct slice text)
{
    memset(s, 0, sizeof *s);
    s->in = text;
    s->reason = "";
}

static enum vs_err refuse(struct stix_split *s, enum vs_err err, size_t byte, const char *reason)
{
    s->byte = byte;
    s->reason = reason;
    s->done = true;
    return err;
}

static int peek(struct stix_split *s)
{
    while (s->pos < s->in.len && (s->in.ptr[s->pos] == ' ' || (s->in.ptr[s->pos] >= '\t' && s->in.ptr[s->pos] <= '\r')))
        s->pos++;
    return s->pos < s->in.len ? s->in.ptr[s->pos] : -1;
}

/* Passes over a string whose opening quote is at `at`; the place behind it, 0 when it does not end. */
static size_t skip_string(struct slice in, size_t at)
{
    for (at++; at < in.len; at++) {
        const uint8_t *quote = memchr(in.ptr + at, '"', in.len - at);
        size_t back = 0;

        if (quote == NULL)
            return 0;
        at = (size_t)(quote - in.ptr);
        while (in.ptr[at - 1 - back] == '\\')
            back++;
        if (back % 2 == 0)
            return at + 1;
    }
    return 0;
}

/* Passes over one value from s->pos on. Brackets must pair by kind only as far as counting goes; the reader of the
 * value checks the rest. */
static enum vs_err skip_value(struct stix_split *s, struct slice *ret)
{
    size_t start = s->pos, at = s->pos;
    unsigned depth = 0;

    while (at < s->in.len) {
        uint8_t c = s->in.ptr[at];

        if (c == '"') {
            at = skip_string(s->in, at);
            if (at == 0)
                break;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return refuse(s, VS_ERR_LIMIT, at, "more than 64 levels");
            at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                goto end;
            depth--;
            at++;
        } else if (depth == 0 && (c == ',' || c == ' ' || (c >= '\t' && c <= '\r'))) {
            goto end;
        } else {
            at++;
            continue;
        }
        if (depth == 0)
            goto end;
    }
    return refuse(s, VS_ERR_TRUNCATED, start, "the text ends within this value");
end:
    if (at == start)
        return refuse(s, VS_ERR_MALFORMED, at, "a value is missing");
    s->pos = at;
    *ret = slice_make(s->in.ptr + start, at - start);
    return VS_OK;
}

static struct slice unquote(struct slice v)
{
    return v.len >= 2 && v.ptr[0] == '"' ? slice_make(v.ptr + 1, v.len - 2) : slice_make(NULL, 0);
}

static void keep_member(struct stix_split *s, struct slice key, struct slice value)
{
    if (slice_equal_str(key, "type"))
        s->type = unquote(value);
    else if (slice_equal_str(key, "id"))
        s->id = unquote(value);
    else if (slice_equal_str(key, "next"))
        s->next = unquote(value);
    else if (slice_equal_str(key, "more"))
        s->more = slice_equal_str(value, "true");
}

/* What stands between two members or objects: a comma, or the closing bracket. */
static enum vs_err separator(struct stix_split *s, int close, bool *ret_closed)
{
    int c = peek(s);

    if (c != ',' && c != close)
        return refuse(s, c < 0 ? VS_ERR_TRUNCATED : VS_ERR_MALFORMED, s->pos,
                      "a comma or a closing bracket is missing");
    s->pos++;
    *ret_closed = c == close;
    return VS_OK;
}

/* Members of the top object up to `objects` or its end. */
static enum vs_err next_member(struct stix_split *s)
{
    struct slice key, value;
    bool closed = false;

    if (peek(s) != '"')
        return refuse(s, peek(s) < 0 ? VS_ERR_TRUNCATED : VS_ERR_MALFORMED, s->pos, "a name is missing");
    enum vs_err err = skip_value(s, &key);
    if (err != VS_OK)
        return err;
    if (peek(s) != ':')
        return refuse(s, peek(s) < 0 ? VS_ERR_TRUNCATED : VS_ERR_MALFORMED, s->pos, "a colon is missing");
    s->pos++;
    if (slice_equal_str(unquote(key), "objects") && peek(s) == '[') {
        s->pos++;
        if (peek(s) == ']') {
            s->pos++;
            return separator(s, '}', &s->done);
        }
        s->in_objects = true;
        return VS_OK;
    }
    (void)peek(s);
    err = skip_value(s, &value);
    if (err == VS_OK) {
        keep_member(s, unquote(key), value);
        err = separator(s, '}', &closed);
    }
    s->done = s->done || closed;
    return err;
}

static enum vs_err next_object(struct stix_split *s, struct slice *ret)
{
    struct slice value;
    bool closed = false;

    if (peek(s) != '{')
        return refuse(s, peek(s) < 0 ? VS_ERR_TRUNCATED : VS_ERR_MALFORMED, s->pos, "an object is missing");
    size_t byte = s->pos;
    enum vs_err err = skip_value(s, &value);
    if (err == VS_OK && value.len > STIX_OBJECT_MAX)
        err = refuse(s, VS_ERR_LIMIT, byte, "an object longer than 4 MiB");
    if (err == VS_OK)
        err = separator(s, ']', &closed);
    if (err == VS_OK && closed) {
        s->in_objects = false;
        err = separator(s, '}', &s->done);
    }
    if (err != VS_OK)
        return err;
    s->byte = byte;
    s->index++;
    *ret = value;
    return VS_OK;
}

/* Behind the end nothing but white space may stand. */
static enum vs_err finish(struct stix_split *s)
{
    return peek(s) >= 0 ? refuse(s, VS_ERR_MALFORMED, s->pos, "more text behind the end") : VS_ERR_END;
}

/* A text that is neither bundle nor envelope but has a type: one object. */
static bool is_single(const struct stix_split *s)
{
    return s->index == 0 && s->type.len > 0 && !slice_equal_str(s->type, "bundle");
}

enum vs_err stix_split_next(struct stix_split *s, struct slice *ret)
{
    enum vs_err err = VS_OK;

    if (s->pos == 0) {
        if (peek(s) != '{')
            return refuse(s, VS_ERR_MALFORMED, s->pos, "not a JSON object");
        s->pos++;
        if (peek(s) == '}') {
            s->pos++;
            s->done = true;
        }
    } else if (*s->reason != '\0') {
        return VS_ERR_END;
    }
    while (err == VS_OK && !s->done && !s->in_objects)
        err = next_member(s);
    if (err != VS_OK)
        return err;
    if (s->in_objects)
        return next_object(s, ret);
    err = finish(s);
    if (err == VS_ERR_END && !s->single && is_single(s)) {
        s->single = true;
        s->index = 1;
        *ret = s->in;
        return VS_OK;
    }
    return err;
}
