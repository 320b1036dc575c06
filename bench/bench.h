/* bench: what all benchmarks share. Each prints one JSON line per figure: the median of BENCH_RUNS runs in CPU time of
 * this process, the lowest and the highest, so that a noisy machine shows itself. Optimised builds only. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_RUNS 5

static inline double bench_cpu_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Calls run(ctx) BENCH_RUNS times; it returns how many units it did. Prints units per CPU second next to the target. */
static inline void bench_rate(const char *name, const char *unit, double target, uint64_t (*run)(void *ctx), void *ctx)
{
    double rate[BENCH_RUNS];

    for (int i = 0; i < BENCH_RUNS; i++) {
        double from_s = bench_cpu_s();
        uint64_t done = run(ctx);

        rate[i] = (double)done / (bench_cpu_s() - from_s);
    }
    qsort(rate, BENCH_RUNS, sizeof rate[0], bench_by_value);
    printf("{\"bench\":\"%s\",\"unit\":\"%s\",\"median\":%.0f,\"lowest\":%.0f,\"highest\":%.0f,\"target\":%.0f,\"met\":"
           "%s}\n",
           name, unit, rate[BENCH_RUNS / 2], rate[0], rate[BENCH_RUNS - 1], target,
           rate[BENCH_RUNS / 2] >= target ? "true" : "false");
    fflush(stdout);
}

static inline int bench_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* Removes a folder that a benchmark made, with all that is in it. */
static inline int bench_remove_tree(const char *dir)
{
    return nftw(dir, bench_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
