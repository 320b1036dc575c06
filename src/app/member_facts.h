/* member_facts: what the case files show of an event that a rule looked at, until the alert is written.
 *
 * The engine keeps of an event what windows need. People want to see more of the members of an alert: its type,
 * signature, ECU, bus, and where it lies in the log. All of that goes into the event's tag, a number that the engine
 * keeps and hands back for each member:
 *
 *     combination:20  partition:8  offset:36      from the highest bit down
 *
 * A combination is what many events share: type, motion and seven texts; there are as many as a fleet has ways to say
 * something, not as it has events. So an event costs nothing here, and forgetting events needs no book-keeping.
 *
 * Memory: heap; 40 bytes a combination and each distinct text once. Bounds: MEMBER_COMBINATIONS_MAX combinations; of an
 * event whose combination finds no room only its place in the log is told, and `left_out_count` counts it. Records
 * beyond MEMBER_PARTITIONS_MAX or MEMBER_OFFSET_MAX have no place in the tag and are counted alike. Cost: O(1).
 * Threads: one owner. */
#ifndef APP_MEMBER_FACTS_H
#define APP_MEMBER_FACTS_H

#include "base/snapshot.h"
#include "detect/sigma/intern.h"
#include "ingest/normalise.h"
#include "store/alert_store.h"

#define MEMBER_COMBINATIONS_MAX ((1u << 20) - 2)
#define MEMBER_PARTITIONS_MAX   256u
#define MEMBER_OFFSET_MAX       (UINT64_C(1) << 36)
#define MEMBER_TAG_NONE         UINT64_MAX

enum member_fact_text {
    FACT_SIGNATURE,
    FACT_ECU,
    FACT_BUS,
    FACT_MODEL,
    FACT_HARDWARE,
    FACT_SW_VERSION,
    FACT_REGION,
    MEMBER_FACT_TEXTS
};

/* What many events share; texts are numbers in `texts`. */
struct member_combination {
    uint32_t text[MEMBER_FACT_TEXTS];
    uint16_t type;
    uint8_t motion;
    uint8_t spare; /* 0: the bytes are hashed */
};

struct member_facts {
    struct member_combination *combination;
    uint32_t count, room;
    uint32_t *slot; /* number of a combination plus one; 0 = free; at least twice as many as there is room */
    struct intern texts;
    /* Of the type's event before: mostly those of the next one, too. */
    struct member_combination last[EV_TYPE_COUNT];
    uint32_t last_number[EV_TYPE_COUNT]; /* plus one; 0 = none yet */
    uint64_t left_out_count;
};

void member_facts_init(struct member_facts *m);
void member_facts_done(struct member_facts *m);
/* The tag to give to the engine with this event. */
uint64_t member_facts_tag(struct member_facts *m, const struct event *ev, const struct normalised *no);
/* Fills in what the tag says: everything of an alert_member except its name (vid, epoch, seq), time and count. */
void member_facts_fill(const struct member_facts *m, uint64_t tag, struct alert_member *ret);

/* All combinations, into the writer's current section, and back into an empty one (VS_ERR_MALFORMED, VS_ERR_NO_MEMORY).
 */
void member_facts_save(const struct member_facts *m, struct snapshot_writer *w);
VS_MUST_USE enum vs_err member_facts_load(struct member_facts *m, struct snapshot_in *in);

#endif
