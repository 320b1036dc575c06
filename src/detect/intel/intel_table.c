#include "detect/intel/intel_table.h"

#include <stdlib.h>

#define LINKS_MAX (UINT32_C(1) << 31)
#define KEYS_MAX  (UINT32_C(1) << 31)

struct intel_link_row {
    uint32_t hash, next, entry, key;
    uint16_t key_len;
    uint8_t class, number;
};

void intel_table_init(struct intel_table *t)
{
    memset(t, 0, sizeof *t);
}

void intel_table_done(struct intel_table *t)
{
    free(t->link);
    free(t->bucket);
    free(t->key);
    intel_table_init(t);
}

static uint32_t hash_of(uint8_t class, uint8_t number, struct slice key)
{
    uint64_t h = (UINT64_C(0x9E3779B97F4A7C15) ^ ((uint64_t) class << 8 | number)) * UINT64_C(0xD6E8FEB86659FD93);
    size_t i = 0;

    for (; i + 8 <= key.len; i += 8) {
        uint64_t word;
        memcpy(&word, key.ptr + i, sizeof word);
        h = (h ^ word) * UINT64_C(0xD6E8FEB86659FD93);
        h ^= h >> 32;
    }
    for (; i < key.len; i++)
        h = (h ^ key.ptr[i]) * UINT64_C(0x100000001B3);
    h ^= key.len;
    h *= UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(h >> 32);
}

static enum vs_err grow(struct intel_table *t)
{
    uint32_t count = t->bucket_count == 0 ? 1024 : t->bucket_count * 2;
    struct intel_link_row *link = count <= LINKS_MAX ? realloc(t->link, count * sizeof *link) : NULL;

    if (link == NULL)
        return VS_ERR_NO_MEMORY;
    t->link = link;
    t->room = count;
    uint32_t *bucket = malloc(count * sizeof *bucket);
    if (bucket == NULL)
        return VS_ERR_NO_MEMORY;
    memset(bucket, 0xFF, count * sizeof *bucket);
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = link[i].hash & (count - 1);
        link[i].next = bucket[at];
        bucket[at] = i;
    }
    free(t->bucket);
    t->bucket = bucket;
    t->bucket_count = count;
    return VS_OK;
}

static enum vs_err key_room(struct intel_table *t, size_t len)
{
    uint32_t room = t->key_room == 0 ? 4096 : t->key_room;

    while (room - t->key_len < len && room < KEYS_MAX)
        room *= 2;
    if (room - t->key_len < len)
        return VS_ERR_LIMIT;
    uint8_t *grown = room == t->key_room ? t->key : realloc(t->key, room);
    if (grown == NULL)
        return VS_ERR_NO_MEMORY;
    t->key = grown;
    t->key_room = room;
    return VS_OK;
}

enum vs_err intel_table_add(struct intel_table *t, uint8_t class, uint8_t number, struct slice key, uint32_t entry)
{
    enum vs_err err = t->count >= t->bucket_count ? grow(t) : VS_OK;

    if (err == VS_OK)
        err = key.len <= UINT16_MAX ? key_room(t, key.len) : VS_ERR_LIMIT;
    if (err != VS_OK)
        return err;
    uint32_t hash = hash_of(class, number, key), at = hash & (t->bucket_count - 1);
    t->link[t->count] =
        (struct intel_link_row){hash, t->bucket[at], entry, t->key_len, (uint16_t)key.len, class, number};
    t->bucket[at] = t->count++;
    if (key.len > 0)
        memcpy(t->key + t->key_len, key.ptr, key.len);
    t->key_len += (uint32_t)key.len;
    return VS_OK;
}

static bool same(const struct intel_table *t, const struct intel_link_row *l, const struct intel_link_row *want,
                 struct slice key)
{
    return l->hash == want->hash && l->class == want->class && l->number == want->number &&
           slice_equal(slice_make(t->key + l->key, l->key_len), key);
}

static uint32_t walk(const struct intel_table *t, uint32_t at, const struct intel_link_row *want, struct slice key)
{
    while (at != INTEL_LINK_NONE && !same(t, &t->link[at], want, key))
        at = t->link[at].next;
    return at;
}

uint32_t intel_table_find(const struct intel_table *t, uint8_t class, uint8_t number, struct slice key)
{
    struct intel_link_row want = {.class = class, .number = number};

    if (t->bucket_count == 0)
        return INTEL_LINK_NONE;
    want.hash = hash_of(class, number, key);
    return walk(t, t->bucket[want.hash & (t->bucket_count - 1)], &want, key);
}

uint32_t intel_table_next(const struct intel_table *t, uint32_t link)
{
    const struct intel_link_row *l = &t->link[link];

    return walk(t, l->next, l, slice_make(t->key + l->key, l->key_len));
}

uint32_t intel_table_entry(const struct intel_table *t, uint32_t link)
{
    return t->link[link].entry;
}
