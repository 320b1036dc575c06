#include "base/compress.h"

#include <stdlib.h>
#include <zstd.h>

struct compressor {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    int level;
};

enum vs_err compressor_new(int level, struct compressor **ret)
{
    struct compressor *c = calloc(1, sizeof *c);

    if (c == NULL)
        return VS_ERR_NO_MEMORY;
    c->pack = ZSTD_createCCtx();
    c->unpack = ZSTD_createDCtx();
    c->level = level;
    if (c->pack == NULL || c->unpack == NULL) {
        compressor_free(c);
        return VS_ERR_NO_MEMORY;
    }
    *ret = c;
    return VS_OK;
}

void compressor_free(struct compressor *c)
{
    if (c == NULL)
        return;
    ZSTD_freeCCtx(c->pack);
    ZSTD_freeDCtx(c->unpack);
    free(c);
}

size_t compressor_bound(size_t len)
{
    return ZSTD_compressBound(len);
}

enum vs_err compressor_pack(struct compressor *c, struct slice in, uint8_t *out, size_t size, size_t *ret_len)
{
    size_t n = ZSTD_compressCCtx(c->pack, out, size, in.ptr, in.len, c->level);

    if (ZSTD_isError(n))
        return VS_ERR_FULL;
    *ret_len = n;
    return VS_OK;
}

enum vs_err compressor_unpack(struct compressor *c, struct slice in, uint8_t *out, size_t len)
{
    size_t n = ZSTD_decompressDCtx(c->unpack, out, len, in.ptr, in.len);

    return !ZSTD_isError(n) && n == len ? VS_OK : VS_ERR_MALFORMED;
}
