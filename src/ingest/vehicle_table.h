/* vehicle_table: the state per vehicle that normalising keeps: a hash table of small slots over dense records.
 *
 * A slot is a tag and a number (8 bytes); a record is VEHICLE_STATE_SIZE bytes and never moves, so its number names the
 * vehicle for the life of the table. What few vehicles need (gaps ahead, other epochs, folds, refusals) hangs off it.
 * Bounds: `vehicles_max`; LEDGER_EPOCHS_MAX epochs. Cost: O(1), two cache misses for a vehicle not seen lately. */
#ifndef INGEST_VEHICLE_TABLE_H
#define INGEST_VEHICLE_TABLE_H

#include "ingest/ledger.h"
#include "ingest/seq_set.h"

#define VEHICLE_STATE_SIZE 80
#define VEHICLE_NONE       UINT32_MAX

/* One numbering of a gateway. */
struct epoch_state {
    uint32_t epoch;
    uint64_t produced; /* highest number it gave out, as far as we were told */
    struct seq_set taken;
};

/* An epoch that is not the vehicle's present one, or the parts of the present one that are rare. */
struct epoch_more {
    struct epoch_state state; /* of another epoch; unused for the present one */
    struct span_set merged;
    struct span_set dead;
    uint64_t duplicates;
    int64_t clock_offset_us;
};

struct vehicle_more {
    struct epoch_more present;
    struct epoch_more *other; /* sorted by epoch */
    uint32_t other_count, other_size;
    bool any_closed;
    uint32_t closed_epoch; /* this and all below were closed, when any_closed */
    uint32_t closed_count;
    struct ledger closed; /* their sums */
};

struct vehicle_state {
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch;
    uint32_t first_received_s; /* seconds since 1970 */
    uint64_t produced;
    struct seq_set taken;
    struct vehicle_more *more; /* NULL: nothing rare happened */
    int64_t last_received_us;
    int64_t clock_offset_us; /* CLOCK_UNKNOWN: not told in this epoch */
};

struct vehicle_table {
    struct vehicle_slot *slot;
    uint32_t slot_mask;
    uint32_t count;
    uint32_t vehicles_max;
    struct vehicle_state *record; /* room for vehicles_max; the kernel gives pages as they are touched */
    uint64_t *changed;            /* one bit per vehicle */
    uint32_t changed_size;        /* words */
};

VS_MUST_USE enum vs_err vehicle_table_init(struct vehicle_table *t, uint32_t vehicles_max);
void vehicle_table_done(struct vehicle_table *t);
/* Number of a vehicle, VEHICLE_NONE when it is not there. */
uint32_t vehicle_table_find(const struct vehicle_table *t, const uint8_t vid[EV_VID_SIZE]);
/* The same, making a new record. VS_ERR_FULL, VS_ERR_NO_MEMORY. */
VS_MUST_USE enum vs_err vehicle_table_get(struct vehicle_table *t, const uint8_t vid[EV_VID_SIZE], uint32_t *ret);
struct vehicle_state *vehicle_table_at(const struct vehicle_table *t, uint32_t number);
void vehicle_table_mark(struct vehicle_table *t, uint32_t number);

/* ---- epochs of one vehicle */

/* Where the parts of one epoch are. `more` is NULL until vehicle_epoch_more made it. */
struct epoch_view {
    uint64_t *produced;
    struct seq_set *taken;
    int64_t *clock_offset_us;
    bool present;
    uint32_t epoch;
};

enum epoch_answer { EPOCH_OK, EPOCH_CLOSED, EPOCH_NO_MEMORY };
/* Finds or begins an epoch. The highest one becomes the present one. A view is valid until the next call. */
enum epoch_answer vehicle_epoch(struct vehicle_state *v, uint32_t epoch, struct epoch_view *ret);
/* Rare parts of an epoch; NULL without memory. */
struct epoch_more *vehicle_epoch_more(struct vehicle_state *v, const struct epoch_view *view);
/* The same when it is there, else NULL. */
struct epoch_more *vehicle_epoch_peek(const struct vehicle_state *v, uint32_t epoch);
/* Calls `each` for every epoch, lowest first. */
void vehicle_epochs(const struct vehicle_state *v,
                    void (*each)(uint32_t epoch, const struct ledger_sets *sets, uint64_t duplicates, void *ctx),
                    void *ctx);
/* Sum over all epochs, closed ones included. */
void vehicle_ledger(const struct vehicle_state *v, struct ledger *ret);
uint32_t vehicle_epoch_count(const struct vehicle_state *v);

#endif
