/* compress: zstd (RFC 8878) with a ceiling on what may come out.
 *
 * A context is reused from call to call so that nothing is allocated per batch. Threads: one context per thread. */
#ifndef BASE_COMPRESS_H
#define BASE_COMPRESS_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

struct compressor;

VS_MUST_USE enum vs_err compressor_new(int level, struct compressor **ret);
void compressor_free(struct compressor *c);
/* Largest output for an input of that size. */
size_t compressor_bound(size_t len);
VS_MUST_USE enum vs_err compressor_pack(struct compressor *c, struct slice in, uint8_t *out, size_t size,
                                        size_t *ret_len);
/* Unpacks exactly `len` bytes into out. VS_ERR_MALFORMED when the input is broken or gives another number of bytes. */
VS_MUST_USE enum vs_err compressor_unpack(struct compressor *c, struct slice in, uint8_t *out, size_t len);

#endif
