#include "app/edge_key.h"

#include <errno.h>
#include <stdio.h>

#include "core/hex.h"

static enum vs_err seal(void *ctx, const uint8_t nonce[PORT_AEAD_NONCE], struct slice aad, struct slice in,
                        uint8_t *out)
{
    return aead_seal((const uint8_t *)ctx, nonce, aad, in, out);
}

static enum vs_err open_sealed(void *ctx, const uint8_t nonce[PORT_AEAD_NONCE], struct slice aad, struct slice in,
                               uint8_t *out)
{
    return aead_open((const uint8_t *)ctx, nonce, aad, in, out);
}

struct port_aead edge_aead(const uint8_t key[AEAD_KEY_SIZE])
{
    /* The port's ctx is not const because other ports write to theirs; this one is only read. */
    return (struct port_aead){.seal = seal, .open = open_sealed, .ctx = (void *)(uintptr_t)key};
}

bool edge_key_read(const char *path, uint8_t key[AEAD_KEY_SIZE])
{
    char text[AEAD_KEY_SIZE * 2 + 2] = {0};
    FILE *f = fopen(path, "rb");

    if (f == NULL) {
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
        return false;
    }
    size_t len = fread(text, 1, sizeof text - 1, f);
    bool end = fgetc(f) == EOF;
    fclose(f);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (end && hex_read(slice_make(text, len), key, AEAD_KEY_SIZE))
        return true;
    fprintf(stderr, "%s:1: not 64 hex digits\n", path);
    return false;
}
