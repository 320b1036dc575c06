#include "core/writer.h"

#include <assert.h>

#include "core/utf8.h"

void writer_u64_text(struct writer *w, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;

    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    writer_bytes(w, digits + n, sizeof digits - n);
}

void writer_i64_text(struct writer *w, int64_t v)
{
    size_t start = w->len;

    if (v < 0)
        writer_u8(w, '-');
    writer_u64_text(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    writer_whole(w, start);
}

void writer_fixed_text(struct writer *w, int64_t v, unsigned decimals)
{
    uint64_t unit = 1;
    uint64_t whole = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    size_t start = w->len;

    assert(decimals <= 19);
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    if (v < 0)
        writer_u8(w, '-');
    writer_u64_text(w, whole / unit);
    uint64_t rest = whole % unit;
    if (rest != 0)
        writer_u8(w, '.');
    while (rest != 0) {
        unit /= 10;
        writer_u8(w, (uint8_t)('0' + rest / unit));
        rest %= unit;
    }
    writer_whole(w, start);
}

void writer_hex(struct writer *w, struct slice bytes, bool upper)
{
    const char *digit = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t start = w->len;

    for (size_t i = 0; i < bytes.len && !w->full; i++) {
        writer_u8(w, (uint8_t)digit[bytes.ptr[i] >> 4]);
        writer_u8(w, (uint8_t)digit[bytes.ptr[i] & 15]);
    }
    writer_whole(w, start);
}

static void put_escaped(struct writer *w, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"':
        writer_text(w, "\\\"");
        break;
    case '\\':
        writer_text(w, "\\\\");
        break;
    case '\n':
        writer_text(w, "\\n");
        break;
    case '\r':
        writer_text(w, "\\r");
        break;
    case '\t':
        writer_text(w, "\\t");
        break;
    default:
        writer_bytes(w, text, sizeof text);
    }
}

void writer_json_text(struct writer *w, struct slice text)
{
    size_t start = w->len;

    writer_u8(w, '"');
    for (size_t i = 0; i < text.len && !w->full;) {
        uint8_t c = text.ptr[i];
        size_t n = utf8_length(slice_from(text, i));

        if (n == 0) {
            writer_text(w, "\xef\xbf\xbd");
            i++;
        } else if (c < 0x20 || c == '"' || c == '\\') {
            put_escaped(w, c);
            i++;
        } else {
            writer_bytes(w, text.ptr + i, n);
            i += n;
        }
    }
    writer_u8(w, '"');
    writer_whole(w, start);
}
