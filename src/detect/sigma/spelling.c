#include "detect/sigma/spelling.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Row i of the table holds the distances of a[0..i) from every b[0..k); three rows are enough. */
unsigned spelling_distance(struct slice a, struct slice b, unsigned max)
{
    unsigned row[3][SPELLING_MAX + 1];
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;

    if (a.len > SPELLING_MAX || b.len > SPELLING_MAX || gap > max)
        return max + 1;
    for (size_t k = 0; k <= b.len; k++)
        row[0][k] = (unsigned)k;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *now = row[i % 3];
        const unsigned *before = row[(i + 2) % 3];
        const unsigned *earlier = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t k = 1; k <= b.len; k++) {
            bool same = lower(a.ptr[i - 1]) == lower(b.ptr[k - 1]);
            now[k] = least(least(before[k] + 1, now[k - 1] + 1), before[k - 1] + !same);
            if (i > 1 && k > 1 && lower(a.ptr[i - 1]) == lower(b.ptr[k - 2]) &&
                lower(a.ptr[i - 2]) == lower(b.ptr[k - 1]))
                now[k] = least(now[k], earlier[k - 2] + 1);
        }
    }
    return least(row[a.len % 3][b.len], max + 1);
}

const char *spelling_near(struct slice word, const char *const *known, size_t count)
{
    unsigned max = word.len <= 5 ? 1 : 2;
    const char *best = NULL;
    unsigned best_distance = max + 1;

    for (size_t i = 0; i < count; i++) {
        unsigned d = spelling_distance(word, slice_str(known[i]), max);
        if (slice_equal_str(word, known[i]))
            return NULL;
        if (d < best_distance) {
            best_distance = d;
            best = known[i];
        }
    }
    return best;
}
