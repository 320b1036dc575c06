/* member_facts: what the case files show of an event that a rule looked at, kept until the alert is written.
 *
 * The engine keeps of an event what windows need. People want to see more of the members of an alert: its type,
 * signature, ECU, bus, and where it lies in the log. Each event with a place in some rule gets a number here, its tag;
 * the engine hands the tag back for each member. Texts are interned, so that a hundred thousand failures of one PDU
 * cost one text. Memory: heap, 64 bytes an event, at most MEMBER_FACTS_MAX; beyond that members are written without
 * these texts and counted. Threads: one owner. */
#ifndef APP_MEMBER_FACTS_H
#define APP_MEMBER_FACTS_H

#include "detect/sigma/intern.h"
#include "ingest/normalise.h"
#include "store/alert_store.h"

#define MEMBER_FACTS_MAX 200000000u
#define MEMBER_TAG_NONE  UINT64_MAX

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

struct member_facts {
    struct member_fact *fact;
    uint32_t count, room;
    struct intern texts;
    uint32_t last[EV_TYPE_COUNT][MEMBER_FACT_TEXTS]; /* of the type's event before: mostly those of the next one, too */
    uint64_t left_out_count;
};

void member_facts_init(struct member_facts *m);
void member_facts_done(struct member_facts *m);
/* Notes an event; the tag to give to the engine. */
uint64_t member_facts_add(struct member_facts *m, const struct event *ev, const struct normalised *en);
/* Fills in what is known under the tag: everything of an alert_member except its name (vid, epoch, seq), time and
 * count. */
void member_facts_fill(const struct member_facts *m, uint64_t tag, struct alert_member *ret);

#endif
