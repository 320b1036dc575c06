#include "stream/segment/segment_format.h"

#include "base/crc32c_fast.h"
#include "core/cursor.h"

static const uint8_t SEGMENT_MAGIC[8] = {'V', 'S', 'O', 'C', 'S', 'E', 'G', '1'};
static const uint8_t RECORD_MAGIC[4] = {0xF5, 'V', 'R', '1'};

#define CRC_AT    4 /* of a record */
#define CRC_AFTER 8

static void put_crc(struct writer *w, size_t from)
{
    writer_u32be(w, crc32c_fast(0, slice_make(w->buf + from, w->len - from)));
}

static void put_zeros(struct writer *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        writer_u8(w, 0);
}

void segment_head_write(uint8_t buf[SEGMENT_HEAD_SIZE], uint64_t base, uint32_t partition)
{
    struct writer w;

    writer_init(&w, buf, SEGMENT_HEAD_SIZE);
    writer_bytes(&w, SEGMENT_MAGIC, sizeof SEGMENT_MAGIC);
    writer_u64be(&w, base);
    writer_u32be(&w, partition);
    put_zeros(&w, 8);
    put_crc(&w, 0);
}

bool segment_head_valid(struct slice head, uint64_t base, uint32_t partition)
{
    uint8_t want[SEGMENT_HEAD_SIZE];

    segment_head_write(want, base, partition);
    return slice_equal(head, slice_make(want, sizeof want));
}

static uint32_t salted_crc(uint64_t salt, struct slice body)
{
    uint8_t first[8];
    struct writer w;

    writer_init(&w, first, sizeof first);
    writer_u64be(&w, salt);
    return crc32c_fast(crc32c_fast(0, writer_slice(&w)), body);
}

void segment_record_write(struct writer *w, uint64_t salt, const struct stream_record *rec, uint32_t durable)
{
    size_t start = w->len;

    writer_bytes(w, RECORD_MAGIC, sizeof RECORD_MAGIC);
    writer_u32be(w, 0);
    writer_u32be(w, (uint32_t)rec->value.len);
    writer_u64be(w, rec->offset);
    writer_u64be(w, (uint64_t)rec->received_us);
    writer_u32be(w, durable);
    writer_u8(w, rec->door);
    writer_u8(w, rec->format);
    writer_u8(w, (uint8_t)rec->key.len);
    writer_u8(w, 0);
    writer_put(w, rec->key);
    writer_put(w, rec->value);
    if (w->full)
        return;
    uint32_t crc = salted_crc(salt, slice_make(w->buf + start + CRC_AFTER, w->len - start - CRC_AFTER));
    struct writer at_crc;
    writer_init(&at_crc, w->buf + start + CRC_AT, 4);
    writer_u32be(&at_crc, crc);
}

size_t segment_record_size(struct slice head)
{
    struct cursor c;

    if (head.len < SEGMENT_RECORD_HEAD || memcmp(head.ptr, RECORD_MAGIC, sizeof RECORD_MAGIC) != 0)
        return 0;
    cursor_init(&c, slice_from(head, CRC_AFTER));
    uint32_t value_len = cursor_u32be(&c);
    uint8_t key_len = head.ptr[34];
    if (value_len > STREAM_RECORD_MAX || key_len > STREAM_KEY_MAX)
        return 0;
    return SEGMENT_RECORD_HEAD + (size_t)key_len + value_len;
}

bool segment_record_read(struct slice bytes, uint64_t salt, struct stream_record *ret, uint32_t *ret_durable)
{
    struct cursor c;

    cursor_init(&c, slice_from(bytes, CRC_AT));
    if (cursor_u32be(&c) != salted_crc(salt, slice_from(bytes, CRC_AFTER)))
        return false;
    uint32_t value_len = cursor_u32be(&c);
    ret->offset = cursor_u64be(&c);
    ret->received_us = (int64_t)cursor_u64be(&c);
    *ret_durable = cursor_u32be(&c);
    ret->door = cursor_u8(&c);
    ret->format = cursor_u8(&c);
    uint8_t key_len = cursor_u8(&c);
    (void)cursor_u8(&c);
    ret->key = cursor_bytes(&c, key_len);
    ret->value = cursor_bytes(&c, value_len);
    return !c.failed && cursor_left(&c) == 0;
}

void segment_commit_write(uint8_t buf[SEGMENT_COMMIT_SLOT], const struct segment_commit *c)
{
    struct writer w;

    writer_init(&w, buf, SEGMENT_COMMIT_SLOT);
    writer_u64be(&w, c->generation);
    writer_u64be(&w, c->end);
    writer_u64be(&w, c->base);
    writer_u64be(&w, c->length);
    put_zeros(&w, 28);
    put_crc(&w, 0);
}

static bool read_slot(struct slice slot, struct segment_commit *ret)
{
    struct cursor c;

    if (slot.len != SEGMENT_COMMIT_SLOT)
        return false;
    cursor_init(&c, slice_from(slot, 60));
    if (cursor_u32be(&c) != crc32c_fast(0, slice_head(slot, 60)))
        return false;
    cursor_init(&c, slot);
    ret->generation = cursor_u64be(&c);
    ret->end = cursor_u64be(&c);
    ret->base = cursor_u64be(&c);
    ret->length = cursor_u64be(&c);
    return true;
}

bool segment_commit_read(struct slice two_slots, struct segment_commit *ret)
{
    struct segment_commit a, b;
    bool a_ok = read_slot(slice_head(two_slots, SEGMENT_COMMIT_SLOT), &a);
    bool b_ok = read_slot(slice_from(two_slots, SEGMENT_COMMIT_SLOT), &b);

    if (!a_ok && !b_ok)
        return false;
    *ret = !b_ok || (a_ok && a.generation > b.generation) ? a : b;
    return true;
}

void segment_index_key(struct slice key, uint8_t ret[SEGMENT_INDEX_KEY_SIZE])
{
    struct slice head = slice_head(key, SEGMENT_INDEX_KEY_SIZE);

    memset(ret, 0, SEGMENT_INDEX_KEY_SIZE);
    if (head.len > 0)
        memcpy(ret, head.ptr, head.len);
}

void segment_index_entry_write(struct writer *w, const struct segment_index_entry *e)
{
    writer_bytes(w, e->key, sizeof e->key);
    writer_u64be(w, e->offset);
    writer_u64be(w, (uint64_t)e->received_us);
    writer_u64be(w, e->at);
}

void segment_index_entry_read(const uint8_t *bytes, struct segment_index_entry *ret)
{
    struct cursor c;

    memcpy(ret->key, bytes, sizeof ret->key);
    cursor_init(&c, slice_make(bytes + sizeof ret->key, SEGMENT_INDEX_ENTRY - sizeof ret->key));
    ret->offset = cursor_u64be(&c);
    ret->received_us = (int64_t)cursor_u64be(&c);
    ret->at = cursor_u64be(&c);
}

int segment_index_compare(const void *a, const void *b)
{
    const struct segment_index_entry *x = a, *y = b;
    int c = memcmp(x->key, y->key, sizeof x->key);

    if (c != 0)
        return c;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}
