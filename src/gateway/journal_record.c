#include "gateway/journal_record.h"

#include "core/crc32c.h"
#include "core/cursor.h"

#define MAGIC    UINT32_C(0x314A5356) /* "VSJ1" read as a little endian number */
#define AAD_SIZE (JOURNAL_HEADER_SIZE - 4)

static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
    return p + bytes;
}

static void write_header(const struct journal_header *h, uint8_t out[JOURNAL_HEADER_SIZE])
{
    uint8_t *p = out;

    p = put(p, MAGIC, 4);
    p = put(p, h->len, 4);
    p = put(p, h->index, 8);
    p = put(p, h->generation, 4);
    p = put(p, h->epoch, 4);
    p = put(p, h->seq_next, 8);
    p = put(p, (uint64_t)h->epoch_started_us, 8);
    p = put(p, h->tail_index, 8);
    p = put(p, h->tail_block, 4);
    p = put(p, h->prev_block, 4);
    p = put(p, h->base_index, 8);
    memcpy(p, h->prev_tag, PORT_AEAD_TAG);
    p = put(p + PORT_AEAD_TAG, 0, 4);
    put(p, crc32c(0, slice_make(out, AAD_SIZE)), 4);
}

uint32_t journal_record_blocks(const struct port_device *device, size_t len)
{
    size_t bytes = JOURNAL_HEADER_SIZE + len + PORT_AEAD_TAG;

    return (uint32_t)((bytes + device->block_size - 1) / device->block_size);
}

bool journal_record_header(struct slice in, const struct port_device *device, struct journal_header *ret)
{
    struct journal_header h = {0};
    struct cursor c;

    cursor_init(&c, in);
    uint32_t magic = cursor_u32le(&c);
    h.len = cursor_u32le(&c);
    h.index = cursor_u64le(&c);
    h.generation = cursor_u32le(&c);
    h.epoch = cursor_u32le(&c);
    h.seq_next = cursor_u64le(&c);
    h.epoch_started_us = (int64_t)cursor_u64le(&c);
    h.tail_index = cursor_u64le(&c);
    h.tail_block = cursor_u32le(&c);
    h.prev_block = cursor_u32le(&c);
    h.base_index = cursor_u64le(&c);
    struct slice tag = cursor_bytes(&c, PORT_AEAD_TAG);
    (void)cursor_u32le(&c);
    uint32_t crc = cursor_u32le(&c);
    if (c.failed || magic != MAGIC || crc != crc32c(0, slice_head(in, AAD_SIZE)))
        return false;
    if (h.index == 0 || h.index > JOURNAL_INDEX_MAX || h.seq_next == 0 || h.seq_next > JOURNAL_INDEX_MAX)
        return false;
    if (h.tail_index == 0 || h.tail_index > h.index || h.base_index > h.index || h.tail_block >= device->block_count ||
        h.prev_block >= device->block_count)
        return false;
    memcpy(h.prev_tag, tag.ptr, PORT_AEAD_TAG);
    *ret = h;
    return true;
}

static void make_nonce(const struct journal_header *h, uint8_t nonce[PORT_AEAD_NONCE])
{
    put(put(nonce, h->generation, 4), h->index, 8);
}

enum vs_err journal_record_seal(const struct port_aead *aead, const struct port_device *device,
                                const struct journal_header *h, struct slice contents, uint8_t *out,
                                uint8_t ret_tag[PORT_AEAD_TAG])
{
    size_t size = (size_t)journal_record_blocks(device, contents.len) * device->block_size;
    size_t used = JOURNAL_HEADER_SIZE + contents.len + PORT_AEAD_TAG;
    uint8_t nonce[PORT_AEAD_NONCE];

    write_header(h, out);
    make_nonce(h, nonce);
    enum vs_err err = aead->seal(aead->ctx, nonce, slice_make(out, AAD_SIZE), contents, out + JOURNAL_HEADER_SIZE);
    if (err != VS_OK)
        return err;
    memset(out + used, 0, size - used);
    memcpy(ret_tag, out + used - PORT_AEAD_TAG, PORT_AEAD_TAG);
    return VS_OK;
}

enum vs_err journal_record_open(const struct port_device *device, const struct port_aead *aead, uint32_t block,
                                size_t contents_max, uint8_t *image, uint8_t *plain, struct journal_header *ret,
                                struct slice *ret_contents, uint8_t ret_tag[PORT_AEAD_TAG])
{
    uint64_t offset = (uint64_t)block * device->block_size;
    uint64_t left = (uint64_t)device->block_count * device->block_size - offset;
    uint8_t nonce[PORT_AEAD_NONCE];
    struct journal_header h;

    if (left < JOURNAL_HEADER_SIZE)
        return VS_ERR_NOT_FOUND;
    enum vs_err err = device->read(device->ctx, offset, image, JOURNAL_HEADER_SIZE);
    if (err != VS_OK)
        return err;
    if (!journal_record_header(slice_make(image, JOURNAL_HEADER_SIZE), device, &h))
        return VS_ERR_NOT_FOUND;
    if (h.len > contents_max || (uint64_t)JOURNAL_HEADER_SIZE + h.len + PORT_AEAD_TAG > left)
        return VS_ERR_NOT_FOUND;
    err = device->read(device->ctx, offset + JOURNAL_HEADER_SIZE, image + JOURNAL_HEADER_SIZE, h.len + PORT_AEAD_TAG);
    if (err != VS_OK)
        return err;
    make_nonce(&h, nonce);
    *ret = h;
    err = aead->open(aead->ctx, nonce, slice_make(image, AAD_SIZE),
                     slice_make(image + JOURNAL_HEADER_SIZE, h.len + PORT_AEAD_TAG), plain);
    if (err != VS_OK)
        return err;
    *ret_contents = slice_make(plain, h.len);
    memcpy(ret_tag, image + JOURNAL_HEADER_SIZE + h.len, PORT_AEAD_TAG);
    return VS_OK;
}
