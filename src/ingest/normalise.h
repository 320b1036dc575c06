/* normalise: turns records of the event log into events that rules can work on.
 *
 * One step takes one record and does, for each event in it, in this order: decode (by the record's format), validate
 * against the schema, drop it when (vehicle, epoch, seq) was taken before, repair or distrust its time, enrich it from
 * the registry, hand it to `event`. What is refused goes to `dead` with a reason; nothing disappears without a counter.
 * The same code runs in the detect process, in the backtest of batches, in reading history and in the simulator.
 *
 * Clock. A batch says when it was sent by the vehicle's clock; received - sent is the offset of that clock. Within
 * clock_tolerance_us it is network delay and ignored. Beyond it all times of the batch are shifted by it and marked
 * EV_TRUST_REPAIRED; when it also differs from the offset of the epoch's batch before by more than clock_jump_us, they
 * are marked EV_TRUST_SUSPECT. An event from before NORMALISE_TIME_MIN_US comes from a clock that was not set: it gets
 * the (repaired) time of sending and is SUSPECT. After this, an event later than received + future_us is refused.
 *
 * Memory: event and what goes with it are borrowed and valid during the callback only. State per vehicle is one dense
 * record (NORMALISE_VEHICLE_BYTES) plus gaps when numbers are missing. Threads: one instance, one thread; a vehicle
 * belongs to one partition, so an instance per partition needs nothing from the others. No clock, no I/O, no SQL.
 * Errors: only VS_ERR_NO_MEMORY, and then the record counts as not seen. */
#ifndef INGEST_NORMALISE_H
#define INGEST_NORMALISE_H

#include "base/snapshot.h"
#include "event/event.h"
#include "ingest/ledger.h"
#include "ingest/registry.h"
#include "stream/stream.h"

#define NORMALISE_TIME_MIN_US        INT64_C(1262304000000000)     /* 2010-01-01: no gateway of ours is older */
#define NORMALISE_CLOCK_TOLERANCE_US (INT64_C(300) * 1000 * 1000)  /* 5 min */
#define NORMALISE_CLOCK_JUMP_US      (INT64_C(3600) * 1000 * 1000) /* 1 h */
#define NORMALISE_FUTURE_US          (INT64_C(300) * 1000 * 1000)  /* 5 min */
#define NORMALISE_VEHICLES_MAX       50000000u
#define NORMALISE_SEQ_MAX            (UINT64_C(1) << 40) /* a record that tells of higher numbers is refused */
#define NORMALISE_CONTENTS           65536 /* events without a number that are remembered, to know them again */
#define NORMALISE_FILTERS            16    /* filter ids counted apart; others under 0 */

/* Why something was not handed on. Names by normalise_reason_name; each has a counter. */
enum normalise_reason {
    NORMALISE_DUPLICATE = 0,  /* (vehicle, epoch, seq) or, without a seq, the same content was taken before */
    NORMALISE_UNKNOWN_FORMAT, /* no decoder for the record's format */
    NORMALISE_BAD_RECORD,     /* envelope, compression or structure broken: the whole record */
    NORMALISE_VERSION,        /* envelope version not known: the whole record */
    NORMALISE_OTHER_VEHICLE,  /* vid inside differs from the record's key */
    NORMALISE_BAD_EVENT,      /* one event breaks its format */
    NORMALISE_UNKNOWN_TYPE,   /* event type this build does not know */
    NORMALISE_SCHEMA,         /* event does not fit the schema */
    NORMALISE_FUTURE,         /* later than its reception after clock repair */
    NORMALISE_CLOSED,         /* number in a gap or epoch that was closed because of a bound above */
    NORMALISE_VEHICLES_FULL,  /* NORMALISE_VEHICLES_MAX reached */
    NORMALISE_REASON_COUNT
};
const char *normalise_reason_name(enum normalise_reason r); /* "duplicate", ... */

/* What goes with an event: what the backend knows of its vehicle, and where in the log it stands. Empty texts: not
 * known. */
struct normalised {
    bool known;       /* the vehicle is enrolled */
    uint32_t vehicle; /* dense number of the vehicle in this instance, from 0; stays the same */
    struct slice model;
    struct slice hardware;
    struct slice sw_version;  /* of the vehicle as a whole at event time */
    struct slice ecu_version; /* of the component named like ev->ecu at event time */
    struct slice region;
    struct slice owner; /* pseudonym */
    int64_t received_us;
    int64_t clock_offset_us; /* what was added to the event's times */
    uint32_t partition;      /* position in the log: names the event for good, together with index */
    uint64_t offset;
    uint32_t index; /* in its record */
    uint8_t door;   /* enum stream_door */
};

/* One refused event, or a whole record (whole = true: seq is 0). Slices are valid during the callback. */
struct dead_letter {
    enum normalise_reason reason;
    enum vs_err err;
    const char *text; /* what exactly, for a person */
    bool whole;
    uint32_t index; /* of the event in its record */
    bool vid_known;
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch;
    uint64_t seq;  /* 0 = not known */
    uint16_t type; /* 0 = not known */
    uint8_t field; /* enum ev_field_id at fault, EV_F_NONE when none */
    size_t byte;   /* in the decoded body, or in the record when whole */
    const struct stream_record *record;
    struct slice sample; /* the bytes at fault */
};

typedef void normalise_event_fn(const struct event *ev, const struct normalised *no, void *ctx);
typedef void normalise_dead_fn(const struct dead_letter *dl, void *ctx); /* duplicates are only counted */

struct normalise_config {
    const struct registry *registry; /* borrowed; NULL = every vehicle is unknown */
    uint32_t vehicles_max;           /* 0 = NORMALISE_VEHICLES_MAX, and so on */
    int64_t clock_tolerance_us;
    int64_t clock_jump_us;
    int64_t future_us;
    bool keep_duplicates; /* history and hunts: hand every event on, keep no sequence state and no ledger */
    normalise_event_fn *event;
    normalise_dead_fn *dead; /* may be NULL */
    void *ctx;               /* given to both */
};

struct normalise_stats {
    uint64_t records;
    uint64_t events; /* handed on */
    uint64_t repaired, suspect;
    uint64_t unknown_vehicle; /* events handed on of vehicles that are not enrolled */
    uint64_t refused[NORMALISE_REASON_COUNT];
    uint64_t folded[NORMALISE_FILTERS]; /* occurrences withheld or merged in the vehicle, by enum ev_filter */
    uint64_t spans_full;                /* folds not noted because of a bound; their numbers stay missing */
    uint32_t vehicles;
};

struct normalise;

VS_MUST_USE enum vs_err normalise_new(const struct normalise_config *cfg, struct normalise **ret);
void normalise_free(struct normalise *n);
VS_MUST_USE enum vs_err normalise_step(struct normalise *n, const struct stream_record *rec);
void normalise_stats(const struct normalise *n, struct normalise_stats *ret);

/* ---- the ledger of what went through */

struct normalise_vehicle {
    uint8_t vid[EV_VID_SIZE];
    int64_t first_received_us;
    int64_t last_received_us;
    int64_t clock_offset_us; /* received - sent of the last batch: vehicle clock minus backend clock, negated */
    uint32_t epochs;
    struct ledger sum; /* over all epochs */
};

void normalise_ledger(const struct normalise *n, struct ledger *ret);
/* False when nothing came from that vehicle yet. */
bool normalise_vehicle(const struct normalise *n, const uint8_t vid[EV_VID_SIZE], struct normalise_vehicle *ret);
/* The vehicle's missing runs, highest epoch and number first; returns how many were written (at most `size`). */
size_t normalise_gaps(const struct normalise *n, const uint8_t vid[EV_VID_SIZE], struct ledger_gap *gap, size_t size);
/* Calls `each` for every vehicle that changed since the last call, and forgets that they did. */
void normalise_changed(struct normalise *n, void (*each)(const struct normalise_vehicle *v, void *ctx), void *ctx);

/* ---- snapshot: everything above but the configuration and the registry */

void normalise_save(const struct normalise *n, struct snapshot_writer *w);
/* Into a new one, from the section that normalise_save wrote. After a failure (VS_ERR_MALFORMED, VS_ERR_NO_MEMORY,
 * VS_ERR_FULL) free it. */
VS_MUST_USE enum vs_err normalise_load(struct normalise *n, struct snapshot_in *in);

#endif
