#include "gateway/port_ram.h"

static enum vs_err device_read(void *ctx, uint64_t offset, uint8_t *buf, size_t len)
{
    const struct port_ram *r = (const struct port_ram *)ctx;

    if (offset > r->size || len > r->size - offset)
        return VS_ERR_IO;
    memcpy(buf, r->bytes + offset, len);
    return VS_OK;
}

static enum vs_err device_write(void *ctx, uint64_t offset, const uint8_t *buf, size_t len)
{
    struct port_ram *r = (struct port_ram *)ctx;

    if (offset > r->size || len > r->size - offset)
        return VS_ERR_IO;
    memcpy(r->bytes + offset, buf, len);
    return VS_OK;
}

static enum vs_err device_sync(void *ctx)
{
    (void)ctx;
    return VS_OK;
}

static enum vs_err anchor_read(void *ctx, struct port_anchor_value *ret)
{
    const struct port_ram *r = (const struct port_ram *)ctx;

    if (!r->anchored)
        return VS_ERR_NOT_FOUND;
    *ret = r->anchor;
    return VS_OK;
}

static enum vs_err anchor_write(void *ctx, const struct port_anchor_value *value)
{
    struct port_ram *r = (struct port_ram *)ctx;

    r->anchor = *value;
    r->anchored = true;
    return VS_OK;
}

void port_ram_init(struct port_ram *r, uint8_t *bytes, uint32_t block_size, uint32_t block_count)
{
    *r = (struct port_ram){
        .bytes = bytes,
        .size = (size_t)block_size * block_count,
        .device_port = {.block_size = block_size,
                        .block_count = block_count,
                        .read = device_read,
                        .write = device_write,
                        .sync = device_sync,
                        .ctx = r},
        .anchor_port = {.read = anchor_read, .write = anchor_write, .ctx = r},
    };
}
