/* One sweep over 1..produced. At each place every set says whether it holds the number and how far that answer reaches;
 * the nearest of those ends is how far the whole state stays the same. */
#include "ingest/ledger.h"

static bool span_run(const struct span_set *s, uint64_t number, uint64_t *ret_until)
{
    uint32_t i = s != NULL ? span_set_find(s, number) : 0;

    if (s == NULL || i == s->count) {
        *ret_until = UINT64_MAX;
        return false;
    }
    bool there = s->span[i].first <= number;
    *ret_until = there ? s->span[i].last : s->span[i].first - 1;
    return there;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void ledger_count(const struct ledger_sets *sets, struct ledger *ret,
                  void (*gap)(uint64_t first, uint64_t last, void *ctx), void *ctx)
{
    struct ledger sum = {.produced = sets->produced};
    uint64_t gap_first = 0;
    uint64_t at = 1;

    while (at <= sets->produced) {
        uint64_t stored_until, merged_until, dead_until;
        bool stored = seq_set_run(sets->stored, at, &stored_until);
        bool merged = span_run(sets->merged, at, &merged_until);
        bool dead = span_run(sets->dead_lettered, at, &dead_until);
        uint64_t until = least(least(stored_until, sets->produced), least(merged_until, dead_until));
        uint64_t count = until - at + 1;

        if (stored)
            sum.stored += count;
        else if (merged)
            sum.merged += count;
        else if (dead)
            sum.dead_lettered += count;
        else
            sum.missing += count;
        bool missing = !stored && !merged && !dead;
        if (missing && gap_first == 0)
            gap_first = at;
        if (!missing && gap_first != 0) {
            if (gap != NULL)
                gap(gap_first, at - 1, ctx);
            gap_first = 0;
        }
        at = until + 1;
    }
    if (gap_first != 0 && gap != NULL)
        gap(gap_first, sets->produced, ctx);
    sum.duplicates = ret->duplicates;
    *ret = sum;
}
