#include "gateway/folds.h"

/* True when b stands right behind a and both can be one run. */
static bool joins(const struct ev_fold *a, const struct ev_fold *b)
{
    return a->filter == b->filter && a->seq_first + a->count == b->seq_first && a->count <= UINT32_MAX - b->count;
}

/* A run that was extended may now touch another one: makes one of the two. */
static void close_up(struct folds *f, unsigned at)
{
    for (unsigned i = 0; i < f->count; i++) {
        bool behind = joins(&f->run[at], &f->run[i]), before = joins(&f->run[i], &f->run[at]);

        if (i == at || (!behind && !before))
            continue;
        if (before)
            f->run[at].seq_first = f->run[i].seq_first;
        f->run[at].count += f->run[i].count;
        memmove(&f->run[i], &f->run[i + 1], (f->count - i - 1u) * sizeof f->run[0]);
        f->count--;
        return;
    }
}

bool folds_add(struct folds *f, struct ev_fold run)
{
    for (unsigned i = f->count; i-- > 0;) {
        bool behind = joins(&f->run[i], &run), before = joins(&run, &f->run[i]);

        if (!behind && !before)
            continue;
        if (before)
            f->run[i].seq_first = run.seq_first;
        f->run[i].count += run.count;
        close_up(f, i);
        return true;
    }
    if (f->count == EV_FOLDS_MAX)
        return false;
    f->run[f->count++] = run;
    return true;
}

uint64_t folds_total(const struct folds *f)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < f->count; i++)
        total += f->run[i].count;
    return total;
}
