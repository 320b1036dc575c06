/* outbox: the records that wait for the backend, kept in the journal and found through a small index in memory.
 *
 * An entry is one encoded event (record.h). Entries are staged in memory and become durable together, in one journal
 * record, with outbox_commit; a later entry with the same number replaces an earlier one, which is how an open
 * aggregate is written again and again and closed in the end. What was acknowledged or given up is noted in the journal
 * as well, so that it does not come back after a restart.
 *
 * Room is shared by all priorities. When it is short, the owner asks for a victim: low entries before medium ones, the
 * oldest first, critical ones never. When the ring comes round to a record with entries still waiting, they are copied
 * forward, packed.
 *
 * Memory: the caller's index (entry_max entries), staging buffer and scratch. Bounds: entry_max entries, staging_size
 * bytes per commit, bytes_live_max bytes waiting. Cost: put, find and drop O(log entries) amortised, acknowledge
 * O(entries). No allocation, no clock. */
#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include "event/event.h"
#include "gateway/journal.h"

#define OUTBOX_STAGING_MIN  2048u
#define OUTBOX_STAGING_MAX  60000u
#define OUTBOX_HEAD_SIZE    16u /* bytes before each entry's own */
#define OUTBOX_GONE_RUNS    64u /* runs of numbers in one note of what is gone */
#define OUTBOX_GONE_RUN     12u /* bytes of one run */
#define OUTBOX_ENTRIES_KEPT 8u  /* places of the index kept for critical events, and as many for accounting events */
#define OUTBOX_STAGED       UINT32_MAX

enum outbox_state {
    OUTBOX_OPEN,    /* an aggregate or accounting event that may still grow: kept, not sent */
    OUTBOX_WAITING, /* may be sent once it is durable */
    OUTBOX_SENT,    /* in the batch under way */
    OUTBOX_DEAD     /* acknowledged or given up; its place in the index is reused */
};

struct outbox_entry {
    uint64_t seq;
    uint32_t epoch;
    uint32_t block;  /* of its journal record; OUTBOX_STAGED while it is only in memory */
    uint16_t offset; /* of its bytes within the record's contents, or within the staging buffer */
    uint16_t len;
    uint8_t priority; /* enum ev_priority */
    uint8_t state;    /* enum outbox_state */
};

struct outbox_counters {
    uint64_t put, acked, refused, given_up[3];
    uint64_t replaced;   /* entries overtaken by a newer version of themselves */
    uint64_t relocated;  /* entries copied forward */
    uint64_t unreadable; /* entries whose record does not open any more */
    uint64_t index_full; /* entries found in the journal for which the index had no place */
    uint64_t commits, commit_failed, copy_failed;
};

struct outbox {
    struct journal journal;
    struct outbox_entry *entry; /* borrowed; sorted by (epoch, seq) */
    uint32_t entry_count, entry_max, dead_count;
    uint32_t victim_from[2]; /* position from which to look for a low, a medium victim */
    uint8_t *staging;        /* borrowed */
    uint32_t staging_size, staging_len;
    uint8_t *scratch;            /* borrowed; OUTBOX_SCRATCH_SIZE bytes */
    uint64_t bytes_live;         /* of entries that are not dead, heads included */
    uint64_t bytes_live_max;     /* for everything */
    uint64_t bytes_ordinary_max; /* for ordinary entries */
    uint32_t epoch;
    int64_t epoch_started_us;
    uint64_t seq_next;    /* the next number to give */
    uint64_t seq_durable; /* seq_next as of the newest durable record: what a batch may declare */
    struct outbox_counters counters;
};

/* Bytes of scratch for a staging buffer of this size on a device with this block size: one record to write, two halves
 * to read one, and a buffer to copy forward. */
#define OUTBOX_SCRATCH_SIZE(staging, block) (4u * ((staging) + JOURNAL_HEADER_SIZE + PORT_AEAD_TAG + (block)))

struct outbox_config {
    const struct port_device *device;
    const struct port_anchor *anchor;
    const struct port_aead *aead;
    struct outbox_entry *entry;
    uint32_t entry_max;
    uint8_t *staging;
    uint32_t staging_size;
    uint8_t *scratch;
    uint32_t bytes_kept;  /* for open entries: ordinary ones may not use them */
    uint32_t epoch_first; /* used when nothing remembers an epoch */
};

/* Opens the journal and rebuilds the index. Entries that were open become waiting: nobody adds to them any more. The
 * epoch rises when the anchor was lost. */
VS_MUST_USE enum vs_err outbox_open(struct outbox *o, const struct outbox_config *cfg, int64_t now_us,
                                    struct journal_finding *ret_finding);

/* Bytes that can still be staged before a commit is due, and bytes that an encoded event of `len` takes of them. */
uint32_t outbox_staging_left(const struct outbox *o);
uint32_t outbox_staged_size(size_t len);

/* Is there room for an entry of `len` encoded bytes? Each kind may use a part that the one before may not. */
enum outbox_room { OUTBOX_ROOM_ORDINARY, OUTBOX_ROOM_CRITICAL, OUTBOX_ROOM_ACCOUNT };
bool outbox_has_room(const struct outbox *o, size_t len, enum outbox_room room);
/* The oldest waiting low entry, or medium entry if max_priority allows and there is no low one; NULL when there is
 * none. Valid until the outbox changes. */
struct outbox_entry *outbox_victim(struct outbox *o, uint8_t max_priority);
/* Gives a waiting entry up. The owner read it before, to account for its numbers. */
void outbox_give_up(struct outbox *o, struct outbox_entry *e);

/* Stages an event under its number and epoch, replacing an earlier version. `open` marks one that may still grow. The
 * caller made sure of staging room. VS_ERR_FULL, nothing changed, when the index has no place at all. */
VS_MUST_USE enum vs_err outbox_put(struct outbox *o, const struct event *ev, bool open);
/* True when a number of this epoch has a place, open or waiting. */
bool outbox_knows(struct outbox *o, uint64_t seq);
/* Takes an entry out that is not to be sent after all; nothing when there is none. */
void outbox_forget(struct outbox *o, uint32_t epoch, uint64_t seq);
/* Makes everything staged durable, with every number below o->seq_next accounted for. Does nothing when there is
 * nothing but keep room in the ring. VS_ERR_IO when the device failed: all stays staged. */
VS_MUST_USE enum vs_err outbox_commit(struct outbox *o);

/* Reads an entry as an event, borrowed from the scratch until the outbox is called again without this cache. Neighbours
 * in one record are opened once; start with block OUTBOX_STAGED. VS_ERR_TAMPERED when it is not what was written. */
struct outbox_cache {
    uint32_t block;
    struct slice contents;
};
VS_MUST_USE enum vs_err outbox_read(struct outbox *o, const struct outbox_entry *e, struct outbox_cache *cache,
                                    struct event *ret);

/* The entries marked OUTBOX_SENT: acknowledged or refused by the backend for good (both free them), or to be sent
 * again. The note of what is gone leaves `keep` bytes of the staging buffer free. */
void outbox_sent_gone(struct outbox *o, bool refused, uint32_t keep);
void outbox_sent_returned(struct outbox *o);
/* Entries that wait or are under way. */
uint32_t outbox_waiting(const struct outbox *o);

#endif
