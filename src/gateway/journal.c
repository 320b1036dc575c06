/* The order write, sync, anchor and the rule that only the newest durable record says what is free are what makes a
 * torn write harmless; docs/formats/journal.md has the argument. */
#include "gateway/journal_record.h"

#include <assert.h>

uint32_t journal_blocks(const struct journal *j, size_t len)
{
    return journal_record_blocks(j->device, len);
}

bool journal_is_empty(const struct journal *j)
{
    return j->tail_index == j->index_next;
}

uint32_t journal_free_blocks(const struct journal *j)
{
    uint32_t count = j->device->block_count;
    uint32_t head = j->head_block, tail = j->durable_tail_block;

    if (j->newest_index == 0)
        return count;
    return head > tail ? count - head + tail : tail - head;
}

/* Where a record of n blocks goes: behind the newest one, or at the start of the device when it does not fit before its
 * end. Head and tail at one block mean that the ring is full. */
static bool find_place(const struct journal *j, uint32_t n, uint32_t *ret_block)
{
    uint32_t count = j->device->block_count;
    uint32_t head = j->head_block, tail = j->durable_tail_block;

    if (j->newest_index == 0) {
        *ret_block = 0;
        return n <= count;
    }
    if (head > tail && n <= count - head) {
        *ret_block = head;
        return true;
    }
    if (head > tail && n <= tail) {
        *ret_block = 0;
        return true;
    }
    *ret_block = head;
    return head < tail && n <= tail - head;
}

/* Before the first write of a start, and after a write that failed: the index may have been used under this generation,
 * so the next nonce must come from another one. */
static enum vs_err renew_generation(struct journal *j)
{
    struct port_anchor_value v = j->anchored;

    if (j->generation == UINT32_MAX)
        return VS_ERR_LIMIT;
    v.generation = j->generation + 1;
    enum vs_err err = j->anchor->write(j->anchor->ctx, &v);
    if (err != VS_OK)
        return err;
    j->generation++;
    j->anchored = v;
    j->generation_due = false;
    return VS_OK;
}

static enum vs_err write_anchor(struct journal *j)
{
    enum vs_err err = j->anchor->write(j->anchor->ctx, &j->anchored);

    j->anchor_stale = err != VS_OK;
    return err;
}

/* What a failed write left may be a whole record. When the next one goes elsewhere, it must not be found later. */
static enum vs_err clear_failed(struct journal *j, uint32_t block, uint8_t *scratch)
{
    if (j->failed_block == UINT32_MAX || j->failed_block == block)
        return VS_OK;
    memset(scratch, 0, j->device->block_size);
    uint64_t offset = (uint64_t)j->failed_block * j->device->block_size;
    enum vs_err err = j->device->write(j->device->ctx, offset, scratch, j->device->block_size);
    if (err == VS_OK)
        err = j->device->sync(j->device->ctx);
    if (err == VS_OK)
        j->failed_block = UINT32_MAX;
    return err;
}

static enum vs_err get_ready(struct journal *j, uint32_t block, uint8_t *scratch)
{
    enum vs_err err = VS_OK;

    if (j->anchor_stale)
        err = write_anchor(j);
    if (err == VS_OK && j->generation_due)
        err = renew_generation(j);
    if (err == VS_OK)
        err = clear_failed(j, block, scratch);
    return err;
}

static enum vs_err write_record(struct journal *j, uint32_t block, uint32_t blocks, const uint8_t *image)
{
    uint64_t offset = (uint64_t)block * j->device->block_size;
    size_t size = (size_t)blocks * j->device->block_size;
    enum vs_err err = j->device->write(j->device->ctx, offset, image, size);

    if (err == VS_OK)
        err = j->device->sync(j->device->ctx);
    if (err != VS_OK) {
        j->generation_due = true;
        j->failed_block = block;
        return err;
    }
    j->failed_block = UINT32_MAX;
    j->written_bytes += size;
    j->written_count++;
    return VS_OK;
}

/* The record is durable: from here on it is the newest, whether or not the anchor can be written at once. */
static void advance(struct journal *j, const struct journal_header *h, uint32_t block, uint32_t blocks,
                    const uint8_t tag[PORT_AEAD_TAG])
{
    j->newest_index = h->index;
    j->newest_block = block;
    memcpy(j->newest_tag, tag, PORT_AEAD_TAG);
    j->index_next = h->index + 1;
    j->head_block = block + blocks;
    j->tail_index = h->tail_index;
    j->tail_block = h->tail_block;
    j->durable_tail_block = h->tail_block;
    j->anchored.epoch = h->epoch;
    j->anchored.seq_next = h->seq_next;
    j->anchored.head = h->index;
    j->anchored.tail = h->tail_index;
    memcpy(j->anchored.tag, tag, PORT_AEAD_TAG);
}

enum vs_err journal_append(struct journal *j, uint32_t epoch, uint64_t seq_next, int64_t epoch_started_us,
                           struct slice contents, uint8_t *scratch, uint32_t *ret_block)
{
    uint32_t blocks = journal_blocks(j, contents.len);
    uint8_t tag[PORT_AEAD_TAG];
    uint32_t block;

    assert(blocks <= j->record_blocks_max);
    if (!find_place(j, blocks, &block))
        return VS_ERR_FULL;
    enum vs_err err = get_ready(j, block, scratch);
    if (err != VS_OK)
        return err;
    bool first = journal_is_empty(j);
    struct journal_header h = {.index = j->index_next,
                               .generation = j->generation,
                               .epoch = epoch,
                               .seq_next = seq_next,
                               .epoch_started_us = epoch_started_us,
                               .tail_index = first ? j->index_next : j->tail_index,
                               .tail_block = first ? block : j->tail_block,
                               .prev_block = j->newest_block,
                               .base_index = j->base_index,
                               .len = (uint32_t)contents.len};
    memcpy(h.prev_tag, j->newest_tag, PORT_AEAD_TAG);
    err = journal_record_seal(j->aead, j->device, &h, contents, scratch, tag);
    if (err != VS_OK)
        return err;
    if ((err = write_record(j, block, blocks, scratch)) != VS_OK)
        return err;
    advance(j, &h, block, blocks, tag);
    *ret_block = block;
    /* A failure here leaves a durable record that the anchor does not know yet; the next append writes the anchor
     * first. */
    write_anchor(j);
    return VS_OK;
}

enum vs_err journal_read(const struct journal *j, uint32_t block, uint8_t *scratch, struct journal_header *ret,
                         struct slice *ret_contents)
{
    size_t size = (size_t)j->record_blocks_max * j->device->block_size;
    uint8_t tag[PORT_AEAD_TAG];

    return journal_record_open(j->device, j->aead, block, size - JOURNAL_HEADER_SIZE - PORT_AEAD_TAG, scratch,
                               scratch + size, ret, ret_contents, tag);
}

/* The next record stands behind this one or at the start of the device. Behind a fault records may be missing: then the
 * next that opens is searched, once around. */
enum vs_err journal_drop_tail(struct journal *j, uint8_t *scratch)
{
    uint32_t count = j->device->block_count;
    struct journal_header h;
    struct slice contents;

    assert(!journal_is_empty(j));
    if (j->tail_index >= j->newest_index) {
        j->tail_index = j->index_next;
        return VS_OK;
    }
    for (uint32_t step = 1; step < count;) {
        uint32_t block = (j->tail_block + step) % count;
        enum vs_err err = journal_read(j, block, scratch, &h, &contents);

        if (err == VS_OK && h.index > j->tail_index && h.index <= j->newest_index) {
            j->tail_index = h.index;
            j->tail_block = block;
            return VS_OK;
        }
        if (err != VS_OK && err != VS_ERR_NOT_FOUND && err != VS_ERR_TAMPERED)
            return err;
        step++;
    }
    /* Unreadable up to the newest one: go there. */
    j->tail_index = j->newest_index;
    j->tail_block = j->newest_block;
    return VS_OK;
}
