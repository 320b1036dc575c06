#include "core/utf8.h"

static bool is_tail(uint8_t c)
{
    return (c & 0xC0) == 0x80;
}

size_t utf8_length(struct slice s)
{
    if (s.len == 0)
        return 0;
    uint8_t a = s.ptr[0];
    if (a < 0x80)
        return 1;
    if (s.len < 2 || a < 0xC2 || a > 0xF4 || !is_tail(s.ptr[1]))
        return 0;
    uint8_t b = s.ptr[1];
    if (a < 0xE0)
        return 2;
    if (s.len < 3 || !is_tail(s.ptr[2]))
        return 0;
    if (a < 0xF0)
        return (a == 0xE0 && b < 0xA0) || (a == 0xED && b >= 0xA0) ? 0 : 3;
    if (s.len < 4 || !is_tail(s.ptr[3]))
        return 0;
    return (a == 0xF0 && b < 0x90) || (a == 0xF4 && b >= 0x90) ? 0 : 4;
}

static bool eight_are_ascii(const uint8_t *p)
{
    uint64_t eight;

    memcpy(&eight, p, sizeof eight);
    return (eight & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_valid(struct slice s)
{
    for (size_t i = 0; i < s.len;) {
        if (s.ptr[i] < 0x80) { /* most text is nothing but this */
            i += i + 8 <= s.len && eight_are_ascii(s.ptr + i) ? 8 : 1;
            continue;
        }
        size_t n = utf8_length(slice_from(s, i));

        if (n == 0)
            return false;
        i += n;
    }
    return true;
}
