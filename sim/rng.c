#include "rng.h"

#include <assert.h>

struct rng rng_split(uint64_t seed, const char *purpose, uint64_t index)
{
    struct rng r = {seed ^ index * UINT64_C(0xD1342543DE82EF95)};

    for (; *purpose != '\0'; purpose++)
        r.state = (r.state ^ (uint8_t)*purpose) * UINT64_C(0x100000001B3);
    (void)rng_next(&r);
    return r;
}

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    return rng_next(r) % n;
}

int64_t rng_between(struct rng *r, int64_t low, int64_t high)
{
    assert(low <= high);
    return low + (int64_t)rng_below(r, (uint64_t)(high - low) + 1);
}

bool rng_chance(struct rng *r, uint32_t per_million)
{
    return rng_below(r, 1000000) < per_million;
}

/* exp(-mean) in units of 2^-32, by halving the mean until the series is short. */
static uint64_t exp_negative(uint32_t mean_milli)
{
    uint64_t one = UINT64_C(1) << 32, result = one;

    for (; mean_milli > 0; mean_milli -= mean_milli > 100 ? 100 : mean_milli) {
        uint64_t x = (mean_milli > 100 ? 100u : mean_milli) * one / 1000;
        uint64_t square = (x * x) >> 32, cube = (square * x) >> 32;

        result = (result * (one - x + square / 2 - cube / 6)) >> 32;
    }
    return result;
}

unsigned rng_poisson(struct rng *r, uint32_t mean_milli)
{
    uint64_t limit = exp_negative(mean_milli), product = UINT64_C(1) << 32;
    unsigned n = 0;

    /* Knuth: multiply uniform numbers until the product falls under exp(-mean). */
    for (;;) {
        product = (product * (rng_next(r) >> 32)) >> 32;
        if (product < limit || n == 64)
            return n;
        n++;
    }
}
