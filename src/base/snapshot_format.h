/* snapshot_format: the numbers of docs/formats/snapshot.md that writer and reader share. */
#ifndef BASE_SNAPSHOT_FORMAT_H
#define BASE_SNAPSHOT_FORMAT_H

#include "base/snapshot.h"

#define SNAPSHOT_MAGIC        "VSOCSNAP"
#define SNAPSHOT_MAGIC_SIZE   8
#define SNAPSHOT_HEAD_SIZE    16 /* magic, u32 version, u32 CRC of the 12 bytes before */
#define SNAPSHOT_SECTION_SIZE 48 /* name[32], u64 length, u32 CRC of the content, u32 CRC of the 44 bytes before */
#define SNAPSHOT_NAME_FIELD   32

static inline void snapshot_store_u32(uint8_t *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static inline void snapshot_store_u64(uint8_t *to, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

#endif
