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

/* All bytes of a text of up to 24 bytes in three words, without a loop: with its length they are the text. */
static inline void hash_words(struct slice s, uint64_t ret[3])
{
    const uint8_t *p = s.ptr;
    size_t n = s.len;

    ret[0] = ret[1] = ret[2] = 0;
    if (n >= 8) {
        ret[0] = hash_load(p, 8);
        ret[1] = n > 16 ? hash_load(p + 8, 8) : 0;
        ret[2] = hash_load(p + n - 8, 8);
    } else if (n >= 4) {
        ret[0] = hash_load(p, 4) | hash_load(p + n - 4, 4) << 32;
    } else if (n > 0) {
        ret[0] = p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
    }
}

/* Sixteen bytes a step; the state is as wide as the hash, so that one pass gives both halves. */
static inline struct hash128 hash128_bytes(struct slice s, uint64_t seed)
{
    __extension__ typedef unsigned __int128 u128;
    uint64_t a = seed ^ UINT64_C(0xA0761D6478BD642F);
    uint64_t b = s.len ^ UINT64_C(0xE7037ED1A0B428DB);
    uint64_t w[3];

    while (s.len >= 16) {
        w[0] = hash_load(s.ptr, 8);
        w[1] = hash_load(s.ptr + 8, 8);
        u128 p = (u128)(w[0] ^ a) * (w[1] ^ b);
        a = (uint64_t)p + w[1]; /* a factor of 0 must not swallow the other one */
        b = (uint64_t)(p >> 64) + w[0];
        s = slice_from(s, 16);
    }
    hash_words(s, w);
    u128 p = (u128)(w[0] ^ a) * (w[2] ^ b ^ UINT64_C(0x8EBC6AF09C88C6E3));
    a = (uint64_t)p + w[2];
    b = (uint64_t)(p >> 64) + w[0];
    struct hash128 h = {hash_mix(a, b), hash_mix(b, ~a)};
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
