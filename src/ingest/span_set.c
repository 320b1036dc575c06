#include "ingest/span_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void span_set_done(struct span_set *s)
{
    free(s->span);
    memset(s, 0, sizeof *s);
}

uint32_t span_set_find(const struct span_set *s, uint64_t number)
{
    uint32_t low = 0, high = s->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (s->span[mid].last < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool span_set_has(const struct span_set *s, uint64_t number)
{
    uint32_t i = span_set_find(s, number);

    return i < s->count && s->span[i].first <= number;
}

static enum vs_err insert(struct span_set *s, uint32_t at, struct span run, uint32_t runs_max)
{
    if (s->count >= runs_max)
        return VS_ERR_LIMIT;
    if (s->count == s->size) {
        uint32_t size = s->size > 0 ? s->size * 2 : 4;
        struct span *span = realloc(s->span, size * sizeof span[0]);
        if (span == NULL)
            return VS_ERR_NO_MEMORY;
        s->span = span;
        s->size = size;
    }
    memmove(s->span + at + 1, s->span + at, (s->count - at) * sizeof s->span[0]);
    s->span[at] = run;
    s->count++;
    return VS_OK;
}

enum vs_err span_set_add(struct span_set *s, uint64_t first, uint64_t last, uint32_t runs_max, uint64_t *ret_new)
{
    assert(first >= 1 && first <= last && last < UINT64_MAX);
    /* All runs that overlap or touch first..last become one with it. */
    uint32_t at = span_set_find(s, first - 1), end = at;
    struct span run = {first, last};
    uint64_t there = 0;

    while (end < s->count && s->span[end].first <= last + 1) {
        uint64_t from = s->span[end].first > first ? s->span[end].first : first;
        uint64_t to = s->span[end].last < last ? s->span[end].last : last;

        if (from <= to)
            there += to - from + 1;
        if (s->span[end].first < run.first)
            run.first = s->span[end].first;
        if (s->span[end].last > run.last)
            run.last = s->span[end].last;
        end++;
    }
    if (end == at) {
        enum vs_err err = insert(s, at, run, runs_max);
        if (err != VS_OK)
            return err;
    } else {
        s->span[at] = run;
        memmove(s->span + at + 1, s->span + end, (s->count - end) * sizeof s->span[0]);
        s->count -= end - at - 1;
    }
    if (ret_new != NULL)
        *ret_new = last - first + 1 - there;
    return VS_OK;
}

struct span span_set_shift(struct span_set *s)
{
    assert(s->count > 0);
    struct span first = s->span[0];

    s->count--;
    memmove(s->span, s->span + 1, s->count * sizeof s->span[0]);
    return first;
}

uint64_t span_set_count(const struct span_set *s)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->count; i++)
        sum += s->span[i].last - s->span[i].first + 1;
    return sum;
}
