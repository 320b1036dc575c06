/* crc32c: the Castagnoli CRC (RFC 3720 appendix B.4, polynomial 0x1EDC6F41 reflected) that frames records in the
 * journal and in log segments. It finds torn and decayed writes; it does not protect against an attacker, signatures
 * do. */
#ifndef CORE_CRC32C_H
#define CORE_CRC32C_H

#include "core/slice.h"

/* Continues a CRC over more bytes; start with crc = 0. */
uint32_t crc32c(uint32_t crc, struct slice bytes);

#endif
