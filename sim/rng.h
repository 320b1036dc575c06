/* rng: reproducible randomness. A generator is one number; generators for different purposes are split from a seed by
 * name, so that adding a draw in one place changes nothing in another. Integers only: the same seed gives the same
 * fleet on every machine. Not for secrets. Algorithm: SplitMix64 (Steele, Lea, Flood 2014). */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* A generator for one purpose: the same (seed, purpose, index) always gives the same one. */
struct rng rng_split(uint64_t seed, const char *purpose, uint64_t index);
uint64_t rng_next(struct rng *r);
/* 0 to n - 1, n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* low to high, both included. */
int64_t rng_between(struct rng *r, int64_t low, int64_t high);
/* True in `per_million` of a million draws. */
bool rng_chance(struct rng *r, uint32_t per_million);
/* Number of events in a unit of time with this mean (in thousandths), up to 64: a Poisson draw. */
unsigned rng_poisson(struct rng *r, uint32_t mean_milli);

#endif
