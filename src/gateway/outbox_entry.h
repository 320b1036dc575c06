/* outbox_entry: what the two halves of the outbox share, the entries within a record and the index. Internal. */
#ifndef GATEWAY_OUTBOX_ENTRY_H
#define GATEWAY_OUTBOX_ENTRY_H

#include "gateway/outbox.h"

enum outbox_kind { OUTBOX_KIND_EVENT = 1, OUTBOX_KIND_OPEN = 2, OUTBOX_KIND_GONE = 3 };

void outbox_head_write(uint8_t *p, enum outbox_kind kind, const struct outbox_entry *e);
void outbox_run_write(uint8_t *p, const struct ev_fold *run);

/* Entries of a record's contents, one after the other. */
struct outbox_reader {
    struct slice contents;
    size_t pos;
};
/* False at the end or when the contents are broken. The entry's block is not set. */
bool outbox_reader_next(struct outbox_reader *r, enum outbox_kind *ret_kind, struct outbox_entry *ret,
                        struct slice *ret_bytes);

struct outbox_entry *outbox_find(struct outbox *o, uint32_t epoch, uint64_t seq);
/* Puts an entry into the index, over an earlier version. False when the index is full. */
bool outbox_index(struct outbox *o, const struct outbox_entry *value);
void outbox_kill(struct outbox *o, struct outbox_entry *e);
void outbox_kill_run(struct outbox *o, uint32_t epoch, uint64_t first, uint64_t count);

/* The parts of the scratch. */
uint8_t *outbox_write_scratch(const struct outbox *o);
uint8_t *outbox_read_scratch(const struct outbox *o);
uint8_t *outbox_copy_scratch(const struct outbox *o);

#endif
