/* outbox: the records that wait for the backend, kept in the journal and found through a small index in memory.
 *
 * An entry is one encoded event (the map of docs/formats/batch.md with seq_base 1 and time_base 0). Entries are staged in
 * memory and become durable together, in one journal record, with outbox_commit; a later entry with the same number
 * replaces an earlier one, which is how an open aggregate is written again and again and closed in the end. What was
 * acknowledged or given up is noted in the journal as well, so that it does not come back after a restart.
 *
 * When room is short, low entries are given up before medium ones, the oldest first, and critical ones never. When the ring
 * comes round to a record with entries still waiting, they are copied forward.
 *
 * Memory: the caller's index (entry_max entries), staging buffer and scratch. Bounds: entry_max entries, staging_size
 * bytes per commit. Cost: put O(1) amortised, acknowledge O(entries). No allocation, no clock. */
#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include "event/event.h"
#include "gateway/journal.h"

#define OUTBOX_STAGING_MIN 1024u
#define OUTBOX_STAGING_MAX 60000u

enum outbox_state {
    OUTBOX_OPEN,    /* an aggregate or accounting event that may still grow: kept, not sent */
    OUTBOX_WAITING, /* may be sent once it is durable */
    OUTBOX_SENT     /* in the batch under way */
};

struct outbox_entry {
    uint64_t seq;
    uint32_t epoch;
    uint32_t block;   /* of its journal record; OUTBOX_STAGED while it is only in memory */
    uint16_t offset;  /* of its bytes within the record's contents, or within the staging buffer */
    uint16_t len;
    uint8_t priority; /* enum ev_priority */
    uint8_t state;    /* enum outbox_state */
};

#define OUTBOX_STAGED UINT32_MAX

struct outbox_counters {
    uint64_t put, acked, refused;
    uint64_t given_up[3];      /* per priority; the one of critical counts what was refused at the door */
    uint64_t relocated;        /* entries copied forward */
    uint64_t replaced;         /* entries overtaken by a newer version of themselves */
    uint64_t io_failed;
    uint64_t index_full;       /* times the index was the limit */
    uint64_t space_full;       /* times the device was the limit */
    uint64_t bytes_live;       /* bytes of waiting entries */
};

struct outbox {
    struct journal journal;
    struct outbox_entry *entry; /* borrowed; sorted by (epoch, seq) */
    uint32_t entry_count, entry_max;
    uint8_t *staging;           /* borrowed */
    uint32_t staging_size, staging_len;
    uint8_t *scratch;           /* borrowed; OUTBOX_SCRATCH_SIZE bytes */
    uint64_t bytes_live_max;
    uint32_t epoch;
    int64_t epoch_started_us;
    uint64_t seq_next;          /* the next number to give */
    uint64_t seq_durable;       /* seq_next as of the newest durable record: what a batch may declare */
    bool dirty;                 /* something is staged */
    struct outbox_counters counters;
};

/* Bytes of scratch for a staging buffer of this size on a device with this block size. */
#define OUTBOX_SCRATCH_SIZE(staging, block) (4u * ((staging) + JOURNAL_HEADER_SIZE + PORT_AEAD_TAG + (block)))

/* Opens the journal and rebuilds the index. Entries that were open become waiting. epoch_first is used when nothing
 * remembers an epoch; the epoch rises when the anchor was lost. */
VS_MUST_USE enum vs_err outbox_open(struct outbox *o, uint32_t epoch_first, int64_t now_us,
                                    struct journal_finding *ret_finding);

/* Bytes that can still be staged before a commit is due. */
uint32_t outbox_staging_left(const struct outbox *o);
/* Bytes that staging an event of `len` encoded bytes takes. */
uint32_t outbox_staged_size(size_t len);

/* Called for each entry that is given up, before it goes. */
typedef void outbox_gave_up(void *ctx, const struct event *ev);

/* Stages an event under its number and epoch, replacing an earlier version. `open` marks one that may still grow. The
 * caller made sure of staging room. VS_ERR_FULL when no entry may be given up for it (nothing was staged then). */
VS_MUST_USE enum vs_err outbox_put(struct outbox *o, const struct event *ev, bool open, outbox_gave_up *gave_up, void *ctx);
/* Takes an entry out that is not to be sent after all. */
void outbox_forget(struct outbox *o, uint32_t epoch, uint64_t seq);
/* Makes everything staged durable, with every number below o->seq_next accounted for. Does nothing when there is
 * nothing. VS_ERR_IO when the device failed: all stays staged; VS_ERR_FULL when even copying forward makes no room. */
VS_MUST_USE enum vs_err outbox_commit(struct outbox *o);

/* Reads an entry as an event, borrowed from the scratch until the next call on this scratch. Neighbours in one record are
 * opened once: `cache` remembers which record the scratch holds; start with block OUTBOX_STAGED. */
struct outbox_cache {
    uint32_t block;
    struct slice contents;
};
VS_MUST_USE enum vs_err outbox_read(struct outbox *o, const struct outbox_entry *e, struct outbox_cache *cache,
                                    struct event *ret);

/* The entries marked OUTBOX_SENT: acknowledged (free), refused by the backend for good (free), or to be sent again. */
void outbox_acked(struct outbox *o, bool refused);
void outbox_returned(struct outbox *o);

#endif
