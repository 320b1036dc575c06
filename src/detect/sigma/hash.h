/* hash: 64 and 128 bit hashes of bytes for tables and for telling two events apart. Not cryptographic: names that leave
 * the process (alert ids) are made with SHA-256.
 *
 * Each eight bytes are mixed by one 64 x 64 -> 128 bit multiplication whose halves are folded together. The same bytes
 * give the same hash on every machine. */
#ifndef DETECT_SIGMA_HASH_H
#define DETECT_SIGMA_HASH_H

#include "core/slice.h"

struct hash128 {
    uint64_t hi, lo;
};

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 p = (u128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xD6E8FEB86659FD93));
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash_load(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline uint64_t hash_bytes(struct slice s, uint64_t seed)
{
    uint64_t h = hash_mix(seed ^ UINT64_C(0xA0761D6478BD642F), s.len + UINT64_C(0xE7037ED1A0B428DB));
    const uint8_t *p = s.ptr;
    size_t n = s.len;

    for (; n >= 8; p += 8, n -= 8)
        h = hash_mix(h, hash_load(p, 8));
    if (n > 0)
        h = hash_mix(h, hash_load(p, n) ^ UINT64_C(0x8EBC6AF09C88C6E3));
    return hash_mix(h, UINT64_C(0x589965CC75374CC3));
}

static inline struct hash128 hash128_bytes(struct slice s, uint64_t seed)
{
    struct hash128 h = {hash_bytes(s, seed), hash_bytes(s, ~seed)};
    return h;
}

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

/* -1, 0, 1: an arbitrary but fixed order. */
static inline int hash128_compare(struct hash128 a, struct hash128 b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

#endif
