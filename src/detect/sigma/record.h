/* record: one event as rules see it: values by field number, whatever form the event came in.
 *
 * Field names are interned once, when rules are loaded (struct fields); a record is then an array of values indexed by
 * field number. It is made from a flat JSON object or, in the daemon, straight from a struct event and what enrichment
 * adds. The envelope (vehicle, times, numbering) is checked and kept beside the values. `content` is a hash of
 * everything the event says except when it was received: two copies of one event have the same, whatever the order of
 * their keys.
 *
 * Values derived when absent: trust "trusted", priority and signature from the event type, count 1.
 * A record made from a struct event holds the fields that are asked for, and nothing else.
 * Memory: a record is reused for many events and allocates nothing in steady state; values are borrowed from the JSON
 * object or the event until the next record_from_*. Threads: one record per thread. */
#ifndef DETECT_SIGMA_RECORD_H
#define DETECT_SIGMA_RECORD_H

#include "base/jsonl/json_reader.h"
#include "detect/sigma/name_cache.h"
#include "detect/sigma/value.h"
#include "event/event.h"

/* Envelope fields come first, then every field of the schema, then names that only rules know. */
enum field_id {
    FIELD_VIN,
    FIELD_TIME,
    FIELD_TYPE,
    FIELD_SEQ,
    FIELD_EPOCH,
    FIELD_COUNT,
    FIELD_LAST,
    FIELD_ECU,
    FIELD_BUS,
    FIELD_SENSOR,
    FIELD_SIGNATURE,
    FIELD_PRIORITY,
    FIELD_MODEL,
    FIELD_SW_VERSION,
    FIELD_HW,
    FIELD_REGION,
    FIELD_TRUST,
    FIELD_RECEIVED,
    FIELD_SCHEMA, /* field_id of schema field n is FIELD_SCHEMA + n */
    FIELD_KNOWN = FIELD_SCHEMA + EV_FIELD_ID_COUNT
};

#define FIELD_NONE UINT32_MAX
#define FIELDS_MAX 8192 /* names that one set of rules may use */
#define COUNT_MAX  UINT32_MAX

struct fields {
    struct intern names;
    struct intern types; /* names of the schema's event types, by their index */
    uint8_t *numeric;    /* by field: the schema types it as a number */
    uint64_t *hash;      /* by field: hash of the name */
    uint32_t room;
    bool signature_used; /* a rule asks for it */
    bool priority_used;
    bool keywords_used; /* some rule searches the whole event: keep values no rule names */
};

void fields_init(struct fields *f);
void fields_done(struct fields *f);
/* The number of a name, new if need be; FIELD_NONE when FIELDS_MAX is reached. */
uint32_t fields_add(struct fields *f, struct slice name);
uint32_t fields_find(const struct fields *f, struct slice name);

/* Some of the envelope's and the schema's fields. */
#define FIELD_SET_WORDS 4
_Static_assert(FIELD_KNOWN <= FIELD_SET_WORDS * 64, "a field set must have room for every field");

struct field_set {
    uint64_t bits[FIELD_SET_WORDS];
};

static inline bool field_set_has(const struct field_set *s, uint32_t field)
{
    return (s->bits[field / 64] >> field % 64 & 1) != 0;
}

/* What the backend knows about the vehicle as of event time. Empty slices when unknown. */
struct enrichment {
    struct slice model, hw, sw_version, region;
    int64_t received_us; /* 0 = unknown */
};

struct record {
    const struct fields *fields; /* borrowed */
    struct val *val;             /* by field number */
    uint32_t *set;               /* field numbers in use */
    uint32_t set_count;
    struct val *extra; /* further values of arrays, and values no rule names */
    uint32_t extra_count, extra_room;
    uint32_t loose; /* index + 1 of the first value no rule names; chained by more */
    struct arena scratch;
    struct name_cache *names; /* of JSON objects */

    struct slice vehicle;
    struct slice type;    /* name; may be unknown to the schema */
    struct slice service; /* the part of it before the dot */
    int64_t first_us, last_us;
    uint32_t count;
    uint32_t epoch;
    uint64_t seq;
    bool has_seq;
    bool has_received;
    bool time_trusted;
    int64_t received_us;
    struct hash128 content;

    const struct field_set *wanted; /* of a struct event: fields to keep */
    bool unique;              /* set by the caller: each event comes once, so one with a number needs no content */
    uint32_t kind;            /* of a struct event: its type and priority, see interest.h; RECORD_KIND_NONE otherwise */
    uint8_t vid[EV_VID_SIZE]; /* of the struct event before, and its text with two bytes of length before it */
    uint8_t vid_text[2 + EV_VID_TEXT_LEN];
};

#define RECORD_KIND_NONE  UINT32_MAX
#define RECORD_PRIORITIES 3u
#define RECORD_KINDS      (EV_TYPE_COUNT * RECORD_PRIORITIES) /* kind = index of the type * 3 + priority */

void record_init(struct record *r, const struct fields *fields);
void record_done(struct record *r);

/* With `envelope` the object must be an event (vin, time and type there and well formed); without, any object will do,
 * and content stays 0.
 * On failure *ret_reason says which key is wrong. */
VS_MUST_USE enum vs_err record_from_json(struct record *r, const struct json_object *o, bool envelope,
                                         const char **ret_reason);
/* The event must be valid. Borrows from it and from `add`. Only fields in `wanted` are kept, which is borrowed until
 * the next record_from_*. */
void record_from_event(struct record *r, const struct event *ev, const struct enrichment *add,
                       const struct field_set *wanted);

/* The value of a field; NULL when the event does not have it. Further values of an array by record_more. */
static inline struct val *record_get(struct record *r, uint32_t field)
{
    struct val *v = &r->val[field];
    return v->kind != VAL_NONE ? v : NULL;
}

/* The vehicle's name as a group of one value; only of a record made from a struct event. */
static inline struct slice record_vehicle_group(const struct record *r)
{
    return slice_make(r->vid_text, sizeof r->vid_text);
}

static inline struct val *record_more(struct record *r, const struct val *v)
{
    return v->more != 0 ? &r->extra[v->more - 1] : NULL;
}

#endif
