/* intel_table: keys of bytes to entries, several entries a key. The hash table below intel_index.
 *
 * A key is a class, a number (the bits of an address prefix, or which kind of host name) and bytes. Memory: heap, 24
 * bytes plus the key's bytes a link. Cost: O(1) a lookup and a link. Bounds: 2^31 links, 2 GiB of keys. */
#ifndef DETECT_INTEL_INTEL_TABLE_H
#define DETECT_INTEL_INTEL_TABLE_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define INTEL_LINK_NONE UINT32_MAX

struct intel_table {
    struct intel_link_row *link;
    uint32_t *bucket;
    uint8_t *key;
    uint32_t count, room, bucket_count, key_len, key_room;
};

void intel_table_init(struct intel_table *t);
void intel_table_done(struct intel_table *t);
VS_MUST_USE enum vs_err intel_table_add(struct intel_table *t, uint8_t class, uint8_t number, struct slice key,
                                        uint32_t entry);
/* The first link of the key, INTEL_LINK_NONE when there is none; and the one after it. */
uint32_t intel_table_find(const struct intel_table *t, uint8_t class, uint8_t number, struct slice key);
uint32_t intel_table_next(const struct intel_table *t, uint32_t link);
uint32_t intel_table_entry(const struct intel_table *t, uint32_t link);

#endif
