#include "ingest/seq_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void seq_set_done(struct seq_set *s)
{
    if (s->ahead != NULL)
        span_set_done(&s->ahead->set);
    free(s->ahead);
    memset(s, 0, sizeof *s);
}

enum seq_answer seq_set_look(const struct seq_set *s, uint64_t seq)
{
    if (seq <= s->low)
        return s->ahead != NULL && seq <= s->ahead->closed_high ? SEQ_CLOSED : SEQ_THERE;
    if (seq - s->low <= SEQ_WINDOW)
        return s->bits >> (seq - s->low - 1) & 1 ? SEQ_THERE : SEQ_NEW;
    return s->ahead != NULL && span_set_has(&s->ahead->set, seq) ? SEQ_THERE : SEQ_NEW;
}

/* Moves low forward by n numbers that are there or given up. */
static void slide(struct seq_set *s, uint64_t n)
{
    s->low += n;
    s->bits = n < SEQ_WINDOW ? s->bits >> n : 0;
}

/* Runs ahead that have come into the window go into the bits. */
static void absorb(struct seq_set *s)
{
    struct span_set *set = s->ahead != NULL ? &s->ahead->set : NULL;

    while (set != NULL && set->count > 0 && set->span[0].first <= s->low + SEQ_WINDOW) {
        struct span *run = &set->span[0];
        uint64_t last = run->last <= s->low + SEQ_WINDOW ? run->last : s->low + SEQ_WINDOW;

        for (uint64_t i = run->first; i <= last; i++)
            s->bits |= UINT64_C(1) << (i - s->low - 1);
        if (last == run->last)
            (void)span_set_shift(set);
        else
            run->first = last + 1;
    }
}

/* Low stands before the first number that is not there. */
static void settle(struct seq_set *s)
{
    for (;;) {
        absorb(s);
        if ((s->bits & 1) == 0)
            return;
        /* A run that fills the window goes on ahead as one run, so a long catch-up is not 64 at a time. */
        if (s->bits == UINT64_MAX && s->ahead != NULL && s->ahead->set.count > 0 &&
            s->ahead->set.span[0].first == s->low + SEQ_WINDOW + 1) {
            s->low = span_set_shift(&s->ahead->set).last;
            s->bits = 0;
            continue;
        }
        slide(s, s->bits == UINT64_MAX ? SEQ_WINDOW : (uint64_t)__builtin_ctzll(~s->bits));
    }
}

static void close_lowest_gap(struct seq_set *s)
{
    struct seq_ahead *a = s->ahead;
    uint64_t gap;

    if (s->bits != 0)
        gap = (uint64_t)__builtin_ctzll(s->bits);
    else
        gap = a->set.span[0].first - s->low - 1;
    a->closed_high = s->low + gap;
    a->closed_count += gap;
    a->closed_gaps++;
    slide(s, gap);
    settle(s);
}

static enum seq_answer add_ahead(struct seq_set *s, uint64_t seq)
{
    if (s->ahead == NULL) {
        s->ahead = calloc(1, sizeof *s->ahead);
        if (s->ahead == NULL)
            return SEQ_NO_MEMORY;
    }
    enum vs_err err = span_set_add(&s->ahead->set, seq, seq, SEQ_GAPS_MAX + 1, NULL);
    if (err != VS_OK)
        return SEQ_NO_MEMORY;
    while (s->ahead->set.count > SEQ_GAPS_MAX)
        close_lowest_gap(s);
    return SEQ_NEW;
}

enum seq_answer seq_set_add(struct seq_set *s, uint64_t seq)
{
    assert(seq >= 1);
    enum seq_answer answer = seq_set_look(s, seq);

    if (answer != SEQ_NEW)
        return answer;
    if (seq - s->low > SEQ_WINDOW)
        return add_ahead(s, seq);
    s->bits |= UINT64_C(1) << (seq - s->low - 1);
    if (s->bits & 1)
        settle(s);
    return SEQ_NEW;
}

uint64_t seq_set_count(const struct seq_set *s)
{
    uint64_t sum = s->low + (uint64_t)__builtin_popcountll(s->bits);

    if (s->ahead != NULL)
        sum += span_set_count(&s->ahead->set) - s->ahead->closed_count;
    return sum;
}

/* Within 1..low; the numbers of closed gaps are known only as a sum, and they are all at or below closed_high. They are
 * shown as one run at the front, which keeps every sum right although not every place. */
static bool run_below(const struct seq_set *s, uint64_t number, uint64_t *ret_until)
{
    uint64_t closed = s->ahead != NULL ? s->ahead->closed_count : 0;

    *ret_until = number <= closed ? closed : s->low;
    return number > closed;
}

bool seq_set_run(const struct seq_set *s, uint64_t number, uint64_t *ret_until)
{
    if (number <= s->low)
        return run_below(s, number, ret_until);
    uint64_t at = number - s->low - 1;
    if (at < SEQ_WINDOW) {
        bool there = s->bits >> at & 1;
        uint64_t rest = (there ? ~s->bits : s->bits) >> at;

        *ret_until = rest != 0 ? number + (uint64_t)__builtin_ctzll(rest) - 1 : s->low + SEQ_WINDOW;
        return there;
    }
    uint32_t i = s->ahead != NULL ? span_set_find(&s->ahead->set, number) : 0;
    if (s->ahead == NULL || i == s->ahead->set.count) {
        *ret_until = UINT64_MAX;
        return false;
    }
    bool there = s->ahead->set.span[i].first <= number;
    *ret_until = there ? s->ahead->set.span[i].last : s->ahead->set.span[i].first - 1;
    return there;
}
