/* The partition of a key is that of Kafka's default partitioner: MurmurHash2 (Austin Appleby, public domain) with the
 * seed 0x9747b28c, sign bit cleared, modulo the number of partitions. So a record has the same partition in files and
 * on a broker, whoever produces it. */
#include "stream/stream_backend.h"

static uint32_t murmur2(struct slice s)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)s.len;
    size_t i = 0;

    for (; i + 4 <= s.len; i += 4) {
        uint32_t k = (uint32_t)s.ptr[i] | (uint32_t)s.ptr[i + 1] << 8 | (uint32_t)s.ptr[i + 2] << 16 |
                     (uint32_t)s.ptr[i + 3] << 24;

        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (i < s.len) {
        uint32_t tail = 0;

        for (size_t j = s.len; j > i; j--)
            tail = tail << 8 | s.ptr[j - 1];
        h = (h ^ tail) * m;
    }
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

uint32_t stream_partition_hash(struct slice key, uint32_t n)
{
    return (murmur2(key) & 0x7FFFFFFF) % n;
}
