/* lifecycle: the one table by which an incident moves: Triage -> Contain -> Investigate -> Patch -> Recover -> Closed.
 *
 * Every move, of a person or of the system, asks lifecycle_rule whether the table has it and which facts it needs, and
 * lifecycle_check whether they are there. Pure functions over small values: no store, no clock.
 *
 * The table in words. Forward goes one stage at a time. Contain is for confirmed attacks (disposition malicious);
 * Investigate needs a containment act, or why none is needed; Patch needs root cause, component and TARA scenario;
 * Recover needs a fix reference. Closing needs a disposition. As malicious it goes from Recover, with the recurrence
 * check and the update decision, and either engineering assessment + fix reference + fleet proof or a signed risk
 * acceptance; from an earlier stage only with a signed risk acceptance. With any other disposition it may close from
 * any stage with a reason. Going back is always allowed with a reason; a closed incident reopens to Triage, and to
 * Investigate when it was malicious. */
#ifndef RESPOND_LIFECYCLE_H
#define RESPOND_LIFECYCLE_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

enum stage { STAGE_TRIAGE, STAGE_CONTAIN, STAGE_INVESTIGATE, STAGE_PATCH, STAGE_RECOVER, STAGE_CLOSED };
#define STAGE_COUNT (STAGE_CLOSED + 1)

enum disposition {
    DISPOSITION_NONE,
    DISPOSITION_MALICIOUS,
    DISPOSITION_RESEARCH_OR_TEST,
    DISPOSITION_OWNER_MODIFICATION,
    DISPOSITION_HARDWARE_FAULT,
    DISPOSITION_SOFTWARE_DEFECT,
    DISPOSITION_BENIGN_ANOMALY
};
#define DISPOSITION_COUNT (DISPOSITION_BENIGN_ANOMALY + 1)

/* A piece of knowledge that a move needs. */
enum fact {
    FACT_REASON, /* of this very move: given each time, never kept */
    FACT_CONTAINMENT,
    FACT_ROOT_CAUSE,
    FACT_COMPONENT,
    FACT_TARA_SCENARIO,
    FACT_FIX_REF,
    FACT_ENGINEERING_ASSESSMENT,
    FACT_FLEET_PROOF,
    FACT_RECURRENCE_CHECK,
    FACT_UPDATE_DECISION,
    FACT_RISK_ACCEPTANCE
};
#define FACT_COUNT     (FACT_RISK_ACCEPTANCE + 1)
#define FACT_BIT(fact) (1u << (fact))

enum move_kind { MOVE_FORWARD, MOVE_BACK, MOVE_CLOSE, MOVE_REOPEN, MOVE_SKIP };

#define MOVE_NEEDS_MAX 2

struct move_rule {
    bool exists; /* the table has the move for this disposition */
    enum move_kind kind;
    const char *why;      /* exists: what the stage is for; else why the move is refused and what to do. Literal. */
    unsigned needs_count; /* alternatives; 0 = nothing is needed */
    uint32_t needs[MOVE_NEEDS_MAX]; /* FACT_BITs, all of one alternative */
};

/* from and to must be stages, disposition a disposition; moving to the stage where it is, is refused like any other. */
void lifecycle_rule(enum stage from, enum stage to, enum disposition d, struct move_rule *ret);

/* Whether the move may be made with these facts (kept ones and those given now). VS_ERR_REFUSED: *ret_why says why, and
 * *ret_missing has the FACT_BITs that lack for the alternative with the fewest missing (0 when the table has no such
 * move). Both are written in every case. */
VS_MUST_USE enum vs_err lifecycle_check(enum stage from, enum stage to, enum disposition d, uint32_t facts,
                                        const char **ret_why, uint32_t *ret_missing);

/* Whether the disposition may be set in this stage. `has_reason`: a reason was given. VS_ERR_REFUSED with *ret_why. */
VS_MUST_USE enum vs_err lifecycle_disposition(enum stage at, enum disposition from, enum disposition to,
                                              bool has_reason, const char **ret_why);

/* Codes of the HTTP interface. disposition_code of NONE is NULL. *_from_code: -1 when there is none. */
const char *stage_code(enum stage s);
const char *disposition_code(enum disposition d);
const char *fact_code(enum fact f);
const char *move_kind_code(enum move_kind k);
int stage_from_code(struct slice code);
int disposition_from_code(struct slice code);
int fact_from_code(struct slice code);

#endif
