/* segment_format: the bytes of docs/formats/segment.md: heads, records, commit slots, index entries. Pure. */
#ifndef STREAM_SEGMENT_SEGMENT_FORMAT_H
#define STREAM_SEGMENT_SEGMENT_FORMAT_H

#include "core/writer.h"
#include "stream/stream.h"

#define SEGMENT_HEAD_SIZE      32
#define SEGMENT_RECORD_HEAD    36
#define SEGMENT_RECORD_MAX     (SEGMENT_RECORD_HEAD + STREAM_KEY_MAX + STREAM_RECORD_MAX)
#define SEGMENT_COMMIT_SLOT    64
#define SEGMENT_INDEX_HEAD     44
#define SEGMENT_INDEX_ENTRY    40
#define SEGMENT_INDEX_KEY_SIZE 16

void segment_head_write(uint8_t buf[SEGMENT_HEAD_SIZE], uint64_t base, uint32_t partition);
bool segment_head_valid(struct slice head, uint64_t base, uint32_t partition);

/* Writes head, key and value of a record. */
void segment_record_write(struct writer *w, uint64_t salt, const struct stream_record *rec, uint32_t durable);
/* Bytes of the record that begins the slice, from its first SEGMENT_RECORD_HEAD bytes; 0 when none can begin here. */
size_t segment_record_size(struct slice head);
/* Reads a whole record of exactly that size; false when its CRC does not match. Slices are borrowed. */
bool segment_record_read(struct slice bytes, uint64_t salt, struct stream_record *ret, uint32_t *ret_durable);

struct segment_commit {
    uint64_t generation;
    uint64_t end;    /* offset behind the last durable record */
    uint64_t base;   /* of the open segment */
    uint64_t length; /* durable bytes of it */
};

void segment_commit_write(uint8_t buf[SEGMENT_COMMIT_SLOT], const struct segment_commit *c);
/* The newer valid one of two slots; false when neither is valid. */
bool segment_commit_read(struct slice two_slots, struct segment_commit *ret);

struct segment_index_entry {
    uint8_t key[SEGMENT_INDEX_KEY_SIZE];
    uint64_t offset;
    int64_t received_us;
    uint64_t at; /* byte in the segment */
};

void segment_index_key(struct slice key, uint8_t ret[SEGMENT_INDEX_KEY_SIZE]);
void segment_index_entry_write(struct writer *w, const struct segment_index_entry *e);
void segment_index_entry_read(const uint8_t *bytes, struct segment_index_entry *ret);
int segment_index_compare(const void *a, const void *b); /* for qsort of entries */

#endif
