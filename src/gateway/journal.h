/* journal: a ring of sealed, chained records on a block device, under a monotonic counter. Layout and argument:
 * docs/formats/journal.md.
 *
 * A record is a run of opaque bytes, sealed with an AEAD; the tag of each record is authenticated by the next one, the
 * newest one's by the anchor. journal_append returns when the record is durable and anchored. Blocks of a durable
 * record are never written again before the ring has moved past it, so that a torn write can only hurt the record that
 * was being written. journal_open finds the newest durable record after any power loss, walks the chain, and names the
 * first record that is not what was written: nothing in between is called a loss of power.
 *
 * Memory: the struct, plus a scratch buffer of journal_record_size_max bytes per call. Threads: one owner. Cost: append
 * one seal and one write; open reads the device once. No allocation, no clock. */
#ifndef GATEWAY_JOURNAL_H
#define GATEWAY_JOURNAL_H

#include "gateway/port.h"

#define JOURNAL_HEADER_SIZE 88
#define JOURNAL_INDEX_MAX   (UINT64_C(1) << 62) /* of records and of numbers; what claims more is damaged */
#define JOURNAL_RECORDS_MIN 16                  /* largest records that must fit into the ring */

/* What a record says in clear, authenticated. */
struct journal_header {
    uint64_t index;      /* 1, 2, ... over the life of the journal */
    uint32_t generation; /* start of the gateway that wrote it */
    uint32_t epoch;
    uint64_t seq_next; /* every number below is accounted for in the journal up to this record, or was acknowledged */
    int64_t epoch_started_us;
    uint64_t tail_index; /* oldest record still needed when this one was written */
    uint32_t tail_block; /* where that one stands */
    uint32_t prev_block; /* where the record before this one stands */
    uint64_t base_index; /* the chain is followed from here on */
    uint32_t len;        /* bytes of contents */
    uint8_t prev_tag[PORT_AEAD_TAG];
};

enum journal_fault {
    JOURNAL_SOUND,
    JOURNAL_FRESH,     /* neither journal nor anchor: a new vehicle, or both were lost */
    JOURNAL_NO_ANCHOR, /* there are records but no anchor: nobody can say whether they are the newest */
    JOURNAL_EDITED,    /* a record's contents or header are not what was sealed */
    JOURNAL_MISSING,   /* a record is not where the chain says */
    JOURNAL_SPLICED,   /* a genuine record of another place or time */
    JOURNAL_CUT,       /* the newest records are gone: truncated or rolled back */
    JOURNAL_LOST       /* no record at all although the anchor knows of some */
};

struct journal_finding {
    uint8_t fault;         /* enum journal_fault */
    uint64_t index;        /* of the first record that was touched; 0 when there is none */
    uint32_t block;        /* where it should stand */
    uint64_t records_lost; /* records that cannot be read any more */
    uint64_t records;      /* records that were read */
    bool torn;             /* an interrupted write was passed over */
};

struct journal {
    const struct port_device *device; /* borrowed, all three */
    const struct port_anchor *anchor;
    const struct port_aead *aead;
    uint32_t record_blocks_max;
    uint32_t generation;
    bool generation_due;   /* at the start and after a write that failed: a new one before the next write */
    uint32_t failed_block; /* where a write failed half-way; UINT32_MAX = nowhere */
    bool anchor_stale;     /* a record is durable but not anchored yet */
    uint64_t index_next;
    uint64_t newest_index; /* 0: none */
    uint32_t newest_block;
    uint8_t newest_tag[PORT_AEAD_TAG];
    uint32_t head_block; /* where the next record goes, unless it has to start over at 0 */
    uint64_t base_index;
    uint64_t tail_index; /* oldest record needed, as the owner says; index_next when there is none */
    uint32_t tail_block;
    uint32_t durable_tail_block; /* as the newest durable record says: what may not be overwritten */
    struct port_anchor_value anchored;
    uint64_t written_bytes, written_count; /* since the start */
};

/* Called by journal_open for each readable record, oldest first. Contents are borrowed until it returns. */
typedef void journal_visit(void *ctx, const struct journal_header *h, uint32_t block, struct slice contents);

/* Largest record as it lies on the device, for contents of at most `len` bytes: the size of scratch buffers. */
size_t journal_record_size(const struct port_device *device, size_t len);

/* Looks without writing anything: the finding, and the newest record's header (index 0 when there is none). scratch
 * holds 2 * journal_record_size(contents_max). */
VS_MUST_USE enum vs_err journal_inspect(const struct port_device *device, const struct port_anchor *anchor,
                                        const struct port_aead *aead, size_t contents_max, uint8_t *scratch,
                                        journal_visit *visit, void *ctx, struct journal_header *ret_newest,
                                        struct journal_finding *ret_finding);
/* A word for a fault, as in docs/formats/journal.md. */
const char *journal_fault_name(uint8_t fault);

/* Recovers. scratch holds 2 * journal_record_size(contents_max). On VS_OK the journal can be appended to, whatever
 * *ret_finding says; *ret_newest is the header of the newest record (index 0 when there is none). VS_ERR_CONFIG when
 * the device is too small for contents_max, VS_ERR_IO when it or the anchor cannot be read. The generation of this
 * start is above generation_min as well as above all that is remembered: with seconds since 1970 no nonce comes twice
 * under one key even when journal and anchor were both lost. */
VS_MUST_USE enum vs_err journal_open(struct journal *j, const struct port_device *device,
                                     const struct port_anchor *anchor, const struct port_aead *aead,
                                     size_t contents_max, uint32_t generation_min, uint8_t *scratch,
                                     journal_visit *visit, void *ctx, struct journal_header *ret_newest,
                                     struct journal_finding *ret_finding);

/* Blocks that a record of `len` bytes needs, and blocks that are free in all. A record may not run over the end of the
 * device: what is left there is lost until the ring comes round. */
uint32_t journal_blocks(const struct journal *j, size_t len);
uint32_t journal_free_blocks(const struct journal *j);
/* Appends and makes durable. VS_ERR_FULL when there is no place for it; VS_ERR_IO and nothing changed for the owner
 * when the device failed. *ret_block says where it stands. scratch holds journal_record_size. */
VS_MUST_USE enum vs_err journal_append(struct journal *j, uint32_t epoch, uint64_t seq_next, int64_t epoch_started_us,
                                       struct slice contents, uint8_t *scratch, uint32_t *ret_block);
/* Reads and opens the record at a block. scratch as for journal_open; contents are borrowed from it. */
VS_MUST_USE enum vs_err journal_read(const struct journal *j, uint32_t block, uint8_t *scratch,
                                     struct journal_header *ret, struct slice *ret_contents);
/* The owner needs the oldest record no more. Its blocks become free with the next append. scratch as
 * for journal_open. VS_ERR_IO. */
VS_MUST_USE enum vs_err journal_drop_tail(struct journal *j, uint8_t *scratch);
/* True when there is no record that the owner needs. */
bool journal_is_empty(const struct journal *j);

#endif
