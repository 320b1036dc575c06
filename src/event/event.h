/* event: one security event, the same struct from the sensor in the vehicle to the rule engine in the backend.
 *
 * An event says what happened (type and fields of schema/events.yaml), where (vehicle, ECU, sensor, bus), when (first
 * and last time with their trust) and how often (count). `seq` numbers the events of one vehicle gateway within one
 * epoch, without gaps, from 1: that is what the loss ledger counts. Events that a gateway folded into another one keep
 * their numbers in that event's folds, so that a number missing at the backend is a loss and nothing else.
 *
 * Memory: a plain value; every slice and text in it is borrowed from the buffer it was decoded from, or from the sensor
 * that filled it, and is valid as long as that buffer. Bounds: EV_FIELDS_MAX fields, EV_FOLDS_MAX folds.
 * Threads: values. Cost: setters and getters are O(fields). No allocation, no clock. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"
#include "core/writer.h"
#include "event/types.gen.h"

#define EV_FIELDS_MAX    16
#define EV_FOLDS_MAX     8
#define EV_VID_SIZE      16 /* bytes of a vehicle pseudonym */
#define EV_VID_TEXT_LEN  32 /* its hex text */
#define EV_TEXT_LEN_MAX  256
#define EV_SIGNATURE_MAX 576 /* bytes of the longest attack signature: a label and two texts */
#define EV_COUNT_MAX     UINT32_MAX

_Static_assert(EV_FIELDS_MAX >= EV_TYPE_FIELDS_MAX, "an event must hold every field of its type");

enum ev_trust {
    EV_TRUST_TRUSTED,  /* the vehicle clock agrees with the backend's */
    EV_TRUST_REPAIRED, /* shifted by the offset measured at upload */
    EV_TRUST_SUSPECT   /* could not be repaired: jumped, or never set */
};

struct ev_field {
    uint8_t id; /* enum ev_field_id */
    union {
        uint64_t u;     /* EV_KIND_UINT, EV_KIND_BOOL */
        int64_t i;      /* EV_KIND_INT, scaled when the field is fixed */
        struct slice s; /* EV_KIND_TEXT, EV_KIND_BYTES; borrowed */
    } value;
};

/* A run of sequence numbers that stand for events which were merged into this one or withheld by a filter. */
struct ev_fold {
    uint64_t seq_first;
    uint32_t count;
    uint8_t filter; /* enum ev_filter */
};

/* The stages of the gateway that can withhold or merge (AUTOSAR IdsM order). */
enum ev_filter {
    EV_FILTER_REPORTING_MODE = 1,
    EV_FILTER_BLOCK_STATE = 2,
    EV_FILTER_SAMPLING = 3,
    EV_FILTER_AGGREGATION = 4,
    EV_FILTER_THRESHOLD = 5,
    EV_FILTER_RATE = 6,
    EV_FILTER_TRAFFIC = 7,
    EV_FILTER_JOURNAL_FULL = 8
};

struct event {
    uint8_t vid[EV_VID_SIZE]; /* vehicle pseudonym */
    uint32_t epoch;           /* of the numbering; a gateway that lost its counter starts a new, higher one */
    uint64_t seq;             /* from 1; 0 = not numbered yet */
    int64_t first_us;         /* event time, microseconds since 1970 UTC */
    int64_t last_us;          /* same as first_us unless aggregated */
    uint32_t count;           /* occurrences, at least 1 */
    uint16_t type;            /* enum ev_type_id */
    uint8_t priority;         /* enum ev_priority */
    uint8_t trust;            /* enum ev_trust of first_us and last_us */
    struct slice ecu;         /* text; empty when unknown */
    struct slice sensor;      /* text; empty when unknown */
    struct slice bus;         /* text; empty when none */
    uint8_t field_count;
    uint8_t fold_count;
    struct ev_field field[EV_FIELDS_MAX];
    struct ev_fold fold[EV_FOLDS_MAX];
};

/* An event of this type at this time, count 1, the type's default priority, no fields. The type must exist. */
void event_init(struct event *ev, uint16_t type, int64_t time_us);

/* Set a field, replacing an earlier value of it. The field must exist, be of that kind, and EV_FIELDS_MAX not be
 * exceeded by a new one: anything else is a bug of the caller. */
void event_set_uint(struct event *ev, enum ev_field_id id, uint64_t v);
void event_set_int(struct event *ev, enum ev_field_id id, int64_t v);
void event_set_bool(struct event *ev, enum ev_field_id id, bool v);
void event_set_text(struct event *ev, enum ev_field_id id, struct slice s); /* borrows; also for bytes */

/* The field, or NULL when the event does not carry it. Valid until the event changes. */
const struct ev_field *event_get(const struct event *ev, enum ev_field_id id);

/* Checks an event from outside against the schema: the type exists, each field belongs to it, is within its range, is
 * valid UTF-8 when text and not longer than EV_TEXT_LEN_MAX, required fields are there, first <= last, count >= 1.
 * On failure names the field in *ret_field (EV_F_NONE when it is none). ret_field may be NULL. */
VS_MUST_USE enum vs_err event_validate(const struct event *ev, uint8_t *ret_field);

/* Writes the attack signature `label|subject|detail`, e.g. `SecOC_fail|EngTorque|0xDEAD`. A field the event does not
 * carry gives an empty part; numbers with hex digits in the schema are written as 0x with at least that many digits;
 * "|" and control characters inside a text become "_". The type must exist. At most EV_SIGNATURE_MAX bytes are needed.
 */
void event_signature(const struct event *ev, struct writer *w);

#endif
