#include "ingest/log_fields.h"

void log_fields_reset(struct log_fields *f)
{
    f->count = 0;
    f->left_out_count = 0;
    f->scratch_len = 0;
}

void log_fields_add(struct log_fields *f, struct slice name, struct slice value)
{
    if (f->count == LOG_FIELDS_MAX) {
        f->left_out_count++;
        return;
    }
    f->field[f->count++] = (struct log_field){name, value};
}

const struct log_field *log_fields_find(const struct log_fields *f, struct slice name)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (slice_equal(f->field[i].name, name))
            return &f->field[i];
    return NULL;
}

uint8_t *log_fields_scratch(struct log_fields *f, size_t size)
{
    if (size > sizeof f->scratch - f->scratch_len)
        return NULL;
    uint8_t *at = f->scratch + f->scratch_len;
    f->scratch_len += size;
    return at;
}

static bool is_gap(uint8_t c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ';';
}

/* Reads a text in quotes; `at` stands on the opening one and ends behind the closing one. Without escapes the text is
 * borrowed as it stands. */
static bool read_quoted(struct log_fields *f, struct slice text, size_t *at, struct slice *ret)
{
    uint8_t quote = text.ptr[*at];
    size_t from = *at + 1, end = from;
    bool escaped = false;

    while (end < text.len && text.ptr[end] != quote) {
        escaped |= text.ptr[end] == '\\';
        end += text.ptr[end] == '\\' && end + 1 < text.len ? 2 : 1;
    }
    if (end >= text.len)
        return false;
    *ret = slice_make(text.ptr + from, end - from);
    *at = end + 1;
    if (!escaped)
        return true;
    uint8_t *plain = log_fields_scratch(f, ret->len);
    size_t len = 0;
    if (plain == NULL)
        return false;
    for (size_t i = 0; i < ret->len; i++) {
        if (ret->ptr[i] == '\\' && i + 1 < ret->len)
            i++;
        plain[len++] = ret->ptr[i];
    }
    *ret = slice_make(plain, len);
    return true;
}

/* One value that is not in quotes ends at a separator, or where the next pair can be seen to begin. */
static struct slice read_plain(struct slice text, size_t *at)
{
    size_t from = *at;

    while (*at < text.len && !is_gap(text.ptr[*at]))
        ++*at;
    return slice_make(text.ptr + from, *at - from);
}

enum vs_err log_read_pairs(struct log_fields *f, struct slice text, const char **ret_reason)
{
    uint32_t before = f->count;
    size_t at = 0;

    while (at < text.len) {
        while (at < text.len && is_gap(text.ptr[at]))
            at++;
        size_t from = at;
        while (at < text.len && !is_gap(text.ptr[at]) && text.ptr[at] != '=')
            at++;
        struct slice name = slice_make(text.ptr + from, at - from), value;
        if (at >= text.len || text.ptr[at] != '=' || name.len == 0) {
            at += at < text.len && text.ptr[at] == '='; /* a word without a value, or a value without a name */
            continue;
        }
        at++;
        if (at < text.len && (text.ptr[at] == '"' || text.ptr[at] == '\'')) {
            if (!read_quoted(f, text, &at, &value)) {
                *ret_reason = "a quote does not close";
                return VS_ERR_MALFORMED;
            }
        } else {
            value = read_plain(text, &at);
            if (slice_equal_str(value, "null"))
                continue;
        }
        log_fields_add(f, name, value);
    }
    *ret_reason = "there is no name=value in it";
    return f->count > before || f->left_out_count > 0 ? VS_OK : VS_ERR_MALFORMED;
}

/* ---- RFC 5424 */

static bool take_word(struct slice *rest, struct slice *ret)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->ptr, ' ', rest->len) : NULL;

    if (end == NULL || end == rest->ptr)
        return false;
    *ret = slice_head(*rest, (size_t)(end - rest->ptr));
    *rest = slice_from(*rest, ret->len + 1);
    return true;
}

/* [id name="value" name="value"][id ...]: each parameter as id.name. */
static bool take_element(struct log_fields *f, struct slice text, size_t *at)
{
    size_t from = ++*at;

    while (*at < text.len && text.ptr[*at] != ' ' && text.ptr[*at] != ']')
        ++*at;
    struct slice id = slice_make(text.ptr + from, *at - from), value;
    while (*at < text.len && text.ptr[*at] == ' ') {
        from = ++*at;
        while (*at < text.len && text.ptr[*at] != '=')
            ++*at;
        struct slice name = slice_make(text.ptr + from, *at - from);
        if (++*at >= text.len || text.ptr[*at] != '"' || !read_quoted(f, text, at, &value))
            return false;
        uint8_t *joined = log_fields_scratch(f, id.len + 1 + name.len);
        if (joined == NULL)
            return false;
        memcpy(joined, id.ptr, id.len);
        joined[id.len] = '.';
        if (name.len > 0)
            memcpy(joined + id.len + 1, name.ptr, name.len);
        log_fields_add(f, slice_make(joined, id.len + 1 + name.len), value);
    }
    return *at < text.len && text.ptr[(*at)++] == ']';
}

static bool take_structured_data(struct log_fields *f, struct slice *rest)
{
    size_t at = 0;

    if (rest->len > 0 && rest->ptr[0] == '-')
        at = 1;
    else
        while (at < rest->len && rest->ptr[at] == '[')
            if (!take_element(f, *rest, &at))
                return false;
    if (at == 0 || (at < rest->len && rest->ptr[at] != ' '))
        return false;
    *rest = slice_from(*rest, at + 1);
    return true;
}

enum vs_err log_read_syslog(struct log_fields *f, struct slice text, const char **ret_reason)
{
    static const char *const NAME[] = {"timestamp", "host", "app", "procid", "msgid"};
    struct slice rest = text, head, word;

    *ret_reason = "no syslog header of RFC 5424 (<PRI>1 TIME HOST APP PROCID MSGID)";
    if (!take_word(&rest, &head) || head.len < 4 || head.ptr[0] != '<' || head.ptr[head.len - 1] != '1' ||
        head.ptr[head.len - 2] != '>')
        return VS_ERR_MALFORMED;
    log_fields_add(f, slice_str("priority"), slice_make(head.ptr + 1, head.len - 3));
    for (size_t i = 0; i < sizeof NAME / sizeof NAME[0]; i++) {
        if (!take_word(&rest, &word))
            return VS_ERR_MALFORMED;
        if (!slice_equal_str(word, "-"))
            log_fields_add(f, slice_str(NAME[i]), word);
    }
    *ret_reason = "structured data of the syslog line is broken";
    if (!take_structured_data(f, &rest))
        return VS_ERR_MALFORMED;
    while (rest.len > 0 && rest.ptr[0] == ' ')
        rest = slice_from(rest, 1);
    if (rest.len >= 3 && memcmp(rest.ptr, "\xEF\xBB\xBF", 3) == 0)
        rest = slice_from(rest, 3);
    log_fields_add(f, slice_str("message"), rest);
    return VS_OK;
}
