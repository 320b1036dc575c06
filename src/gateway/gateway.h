/* gateway: layer 2 in one piece. Security events go in, signed batches come out, and until the backend has acknowledged
 * them everything is in a sealed journal.
 *
 *     gateway_report ─> number ─> qualify ─> aggregate ─> outbox (journal) ─> gateway_next_batch ─> gateway_acked
 *
 * Every event that is reported and valid gets a sequence number, without gaps. It leaves as its own record, or as a
 * fold of an aggregated record, or as a fold of an accounting event that says which filter withheld it; so a number
 * that never arrives is a loss and nothing else. Numbers that a batch declares are durable in the journal: after a
 * crash the numbering goes on behind the last durable record, so no number is left out and none names two events that
 * anyone has seen.
 *
 * Memory: the caller's, all of it (struct gateway_memory); GATEWAY_SCRATCH_SIZE says how much scratch, which gateways
 * of one thread may share. Threads: one owner per gateway. No allocation, no clock, no randomness, no stdio: `now_us`
 * is the vehicle's clock, and whoever sends the batches (a link, a simulator) stands outside.
 *
 * The life of one in a loop:
 *     gateway_init; gateway_link(BEARER_METERED)
 *     for ever: gateway_report(...)*; gateway_tick; if gateway_due: gateway_next_batch, send, then gateway_acked
 * (durable at the backend), gateway_returned (no answer: it will be built again) or gateway_refused (never to be taken)
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "gateway/account.h"
#include "gateway/aggregate.h"
#include "gateway/batcher.h"
#include "gateway/qualify.h"

struct gateway_config {
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch_first; /* when neither journal nor anchor remember one; 0 = 1. A program with a clock gives
                           * seconds since 1970, so that a wiped vehicle uses no epoch and no nonce twice */
    const struct qualify_rule *rule; /* borrowed; first match wins; NULL = the defaults of qualify.h */
    uint32_t rule_count;
    struct qualify_limits limits;
    struct prioritise_config prioritise;
    uint32_t batch_events_max; /* 0 = 100 */
    uint32_t batch_bytes_max;  /* of a plain body; 0 = 16384 */
    uint32_t commit_ms;        /* an event is in memory only for at most so long; critical never. 0 = at each tick */
    uint32_t account_ms;       /* window of accounting events; 0 = 60000 */
};

struct gateway_ports {
    const struct port_device *device;
    const struct port_anchor *anchor;
    const struct port_aead *aead;
    const struct port_sign *sign;
    const struct port_pack *pack; /* may be NULL: batches are sent plain */
};

/* A small gateway: 256 entries (6 kB), 8 slots (4 kB), staging of 2048, a device of 64 KiB with blocks of 64. A
 * vehicle's Linux gateway: 65,536 entries, 64 slots, staging of 16,384 and a file of 16 MiB with blocks of 512. */
struct gateway_memory {
    struct outbox_entry *entry; /* ceiling of records that can wait */
    uint32_t entry_max;
    struct aggregate_slot *slot; /* ceiling of aggregates that can be open; may be 0 */
    uint32_t slot_count;
    struct qualify_state *state; /* rule_count of them; may be NULL without rules */
    uint8_t *staging;
    uint32_t staging_size; /* OUTBOX_STAGING_MIN..MAX; events up to this less GATEWAY_ACTION_BYTES can be taken */
    uint8_t *scratch;      /* may be shared by gateways that are never called at the same time */
    size_t scratch_size;   /* at least GATEWAY_SCRATCH_SIZE */
};

#define GATEWAY_ACTION_BYTES 1400u /* of staging that one event can need besides its own bytes */
#define GATEWAY_BATCH_BYTES  16384u
#define GATEWAY_SCRATCH_SIZE(staging, block, batch_bytes)                                                              \
    (OUTBOX_SCRATCH_SIZE(staging, block) + 3u * ((batch_bytes) + BATCHER_OVERHEAD))
/* Bytes of an output buffer that holds any batch. */
#define GATEWAY_OUT_SIZE(batch_bytes) ((batch_bytes) + BATCHER_OVERHEAD)

struct gateway_counters {
    uint64_t reported;      /* valid events offered */
    uint64_t invalid;       /* refused because they break the schema: no number was given */
    uint64_t too_large;     /* refused because they do not fit the staging buffer: no number was given */
    uint64_t merged;        /* into an aggregate */
    uint64_t passed;        /* records put into the outbox */
    uint64_t given_up;      /* events without room for which nothing could be given up */
    uint64_t unaccounted;   /* numbers for which not even an accounting event had room: they show as missing */
    uint64_t open_not_kept; /* open records that the index had no place for at a commit */
    uint64_t withheld;      /* by a filter before or behind aggregation */
    uint64_t batches, batches_acked, batches_refused, batches_returned;
    uint64_t commit_failed;
};

struct gateway {
    struct gateway_config cfg;
    struct gateway_ports ports;
    struct qualify qualify;
    struct aggregate aggregate;
    struct account account;
    struct outbox outbox;
    struct prioritise prioritise;
    struct batcher_config batcher;
    struct batcher_summary under_way; /* events = 0: none */
    uint8_t *batch_scratch;
    int64_t commit_from_us; /* when the oldest change that is not yet durable came; 0 = none */
    struct gateway_counters counters;
};

/* Opens the journal, whatever state it is in, and goes on where it ended. Tampering becomes a critical event
 * (gateway.journal_tampered) and is told in *ret_finding (may be NULL). VS_ERR_CONFIG for sizes that cannot work,
 * VS_ERR_IO when the device cannot be read. */
VS_MUST_USE enum vs_err gateway_init(struct gateway *gw, const struct gateway_config *cfg,
                                     const struct gateway_ports *ports, const struct gateway_memory *memory,
                                     int64_t now_us, struct journal_finding *ret_finding);

/* Takes an event; vid, epoch, seq and folds of *ev are not looked at. Its texts are copied. VS_OK also when a filter
 * withheld it. VS_ERR_RANGE, VS_ERR_MALFORMED, ... of event_validate when it breaks the schema; VS_ERR_LIMIT when it is
 * too large; VS_ERR_FULL when there is no room for it and nothing may be given up for it (its number is accounted for);
 * VS_ERR_IO when memory is full because the journal cannot be written (no number was given: offer it again later). */
VS_MUST_USE enum vs_err gateway_report(struct gateway *gw, const struct event *ev, int64_t now_us);

/* Closes windows, commits what is due, opens transmission windows. Call at least once a second. */
VS_MUST_USE enum vs_err gateway_tick(struct gateway *gw, int64_t now_us);
/* Makes everything durable now, open aggregates included. */
VS_MUST_USE enum vs_err gateway_commit(struct gateway *gw, int64_t now_us);
/* Closes all open aggregates and accounting events, so that they can be sent: before a shutdown or at the end of a run.
 */
VS_MUST_USE enum vs_err gateway_flush(struct gateway *gw, int64_t now_us);

void gateway_link(struct gateway *gw, enum bearer bearer);
/* Bit s set: the vehicle is in state s (qualify_rule.blocked_states). */
void gateway_vehicle_state(struct gateway *gw, uint32_t states);

/* Records that may be sent now; 0 while a batch is under way. */
uint32_t gateway_due(const struct gateway *gw);
/* Builds the next batch into out (GATEWAY_OUT_SIZE bytes suffice). VS_ERR_END when nothing is due, VS_ERR_BUSY while
 * one is under way. */
VS_MUST_USE enum vs_err gateway_next_batch(struct gateway *gw, int64_t now_us, uint8_t *out, size_t size,
                                           size_t *ret_len);
/* The batch under way: what is in it. */
const struct batcher_summary *gateway_under_way(const struct gateway *gw);
/* How it ended. Each is a no-op when none is under way. */
void gateway_acked(struct gateway *gw, int64_t now_us);
void gateway_returned(struct gateway *gw);
void gateway_refused(struct gateway *gw, int64_t now_us);

/* The next number to be given, the epoch, records waiting. */
uint64_t gateway_seq_next(const struct gateway *gw);
uint32_t gateway_epoch(const struct gateway *gw);
uint32_t gateway_waiting(const struct gateway *gw);

#endif
