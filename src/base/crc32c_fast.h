/* crc32c_fast: core/crc32c with the processor's own instruction where there is one (SSE 4.2), for the log and for
 * snapshots, which check hundreds of megabytes. Same result everywhere. */
#ifndef BASE_CRC32C_FAST_H
#define BASE_CRC32C_FAST_H

#include "core/crc32c.h"

/* Continues a CRC over more bytes; start with crc = 0. */
uint32_t crc32c_fast(uint32_t crc, struct slice bytes);

#endif
