/* seed: reproducible random numbers for tests. A test that draws them prints its seed; VSOC_SEED=n repeats a run. */
#ifndef SEED_H
#define SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct seed {
    uint64_t state;
};

/* Starts from VSOC_SEED, else from `fixed`, and says which under the name of the test. */
static inline struct seed seed_start(const char *test, uint64_t fixed)
{
    const char *named = getenv("VSOC_SEED");
    struct seed s = {named != NULL ? strtoull(named, NULL, 0) : fixed};

    printf("%s: VSOC_SEED=%llu\n", test, (unsigned long long)s.state);
    return s;
}

/* splitmix64: every state is a good one, 0 included. */
static inline uint64_t seed_next(struct seed *s)
{
    uint64_t z = s->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* 0 to n - 1; n > 0. The bias is below n / 2^64, which no test can see. */
static inline uint64_t seed_below(struct seed *s, uint64_t n)
{
    return seed_next(s) % n;
}

#endif
