#include <string.h>

#include "api/filter.h"
#include "core/timestamp.h"

/* One item from *text on, without quotes; moves *text behind it and its comma. */
static enum vs_err next_item(const char **text, struct slice *ret, bool *ret_exclude)
{
    const char *s = *text;
    bool exclude = *s == '-';

    s += exclude;
    if (*s == '"') {
        const char *end = strchr(s + 1, '"');
        if (end == NULL || (end[1] != ',' && end[1] != '\0'))
            return VS_ERR_MALFORMED;
        *ret = slice_make(s + 1, (size_t)(end - s - 1));
        s = end + 1;
    } else {
        size_t len = strcspn(s, ",");
        *ret = slice_make(s, len);
        s += len;
    }
    if (ret->len == 0)
        return VS_ERR_MALFORMED;
    *ret_exclude = exclude;
    *text = *s == ',' ? s + 1 : s;
    return *s == ',' && s[1] == '\0' ? VS_ERR_MALFORMED : VS_OK;
}

enum vs_err filter_list_parse(const char *text, struct filter_list *ret)
{
    struct filter_list list = {.include_count = 0};

    while (text != NULL && *text != '\0') {
        struct slice item;
        bool exclude;
        enum vs_err err = next_item(&text, &item, &exclude);
        if (err != VS_OK)
            return err;
        unsigned *count = exclude ? &list.exclude_count : &list.include_count;
        if (*count == FILTER_ITEMS_MAX)
            return VS_ERR_LIMIT;
        (exclude ? list.exclude : list.include)[(*count)++] = item;
    }
    *ret = list;
    return VS_OK;
}

enum vs_err filter_mask(const char *text, int (*number)(struct slice code), int count, uint32_t *ret_mask)
{
    struct filter_list list;
    uint32_t all = (uint32_t)((UINT64_C(1) << count) - 1), include = 0, exclude = 0;
    enum vs_err err = filter_list_parse(text, &list);

    for (unsigned i = 0; i < (err == VS_OK ? list.include_count : 0); i++) {
        int n = number(list.include[i]);
        if (n < 0)
            return VS_ERR_RANGE;
        include |= 1u << n;
    }
    for (unsigned i = 0; i < (err == VS_OK ? list.exclude_count : 0); i++) {
        int n = number(list.exclude[i]);
        if (n < 0)
            return VS_ERR_RANGE;
        exclude |= 1u << n;
    }
    if (err == VS_OK)
        *ret_mask = (include != 0 ? include : all) & ~exclude;
    return err;
}

enum vs_err filter_number(const char *text, int64_t max, int64_t *ret)
{
    int64_t v = 0;

    if (*text == '\0')
        return VS_ERR_MALFORMED;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return VS_ERR_MALFORMED;
        if (v > (max - (*text - '0')) / 10)
            return VS_ERR_RANGE;
        v = v * 10 + (*text - '0');
    }
    *ret = v;
    return VS_OK;
}

static int64_t unit_us(char unit)
{
    switch (unit) {
    case 's':
        return US_PER_S;
    case 'm':
        return 60 * US_PER_S;
    case 'h':
        return 3600 * US_PER_S;
    case 'd':
        return 86400 * US_PER_S;
    case 'w':
        return 7 * 86400 * US_PER_S;
    default:
        return 0;
    }
}

enum vs_err filter_time(const char *text, int64_t now_us, int64_t *ret_us)
{
    char digits[16];
    int64_t n;
    size_t len = strlen(text);

    if (strncmp(text, "now", 3) != 0)
        return timestamp_parse(slice_str(text), ret_us) ? VS_OK : VS_ERR_MALFORMED;
    if (len == 3) {
        *ret_us = now_us;
        return VS_OK;
    }
    int64_t unit = unit_us(text[len - 1]);
    if (text[3] != '-' || unit == 0 || !slice_to_str(slice_make(text + 4, len - 5), digits, sizeof digits))
        return VS_ERR_MALFORMED;
    enum vs_err err = filter_number(digits, INT64_C(10000000), &n);
    if (err != VS_OK)
        return err;
    if (n > now_us / unit)
        return VS_ERR_RANGE;
    *ret_us = now_us - n * unit;
    return VS_OK;
}

enum vs_err filter_words(const char *text, char *buf, size_t size, struct slice word[FILTER_WORDS_MAX],
                         unsigned *ret_count)
{
    unsigned count = 0;
    size_t len = text != NULL ? strlen(text) : 0, at = 0;

    if (len >= size)
        return VS_ERR_LIMIT;
    for (size_t i = 0; i < len; i++)
        buf[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
    while (at < len) {
        size_t end = at;
        while (end < len && buf[end] != ' ')
            end++;
        if (end > at) {
            if (count == FILTER_WORDS_MAX)
                return VS_ERR_LIMIT;
            word[count++] = slice_make(buf + at, end - at);
        }
        at = end + 1;
    }
    *ret_count = count;
    return VS_OK;
}

void filter_like(struct slice word, bool inside, char ret[FILTER_PATTERN_SIZE])
{
    size_t len = 0;

    if (inside)
        ret[len++] = '%';
    for (size_t i = 0; i < word.len && i < FILTER_TEXT_SIZE; i++) {
        char ch = (char)word.ptr[i];
        if (ch == '%' || ch == '_' || ch == '\\')
            ret[len++] = '\\';
        ret[len++] = ch;
    }
    ret[len++] = '%';
    ret[len] = '\0';
}
