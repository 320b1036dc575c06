#include <assert.h>

#include "respond/lifecycle.h"

static const char *const STAGE_CODE[] = {"triage", "contain", "investigate", "patch", "recover", "closed"};
static const char *const DISPOSITION_CODE[] = {
    NULL, "malicious", "research_or_test", "owner_modification", "hardware_fault", "software_defect", "benign_anomaly"};
static const char *const FACT_CODE[] = {"reason",
                                        "containment",
                                        "root_cause",
                                        "component",
                                        "tara_scenario",
                                        "fix_ref",
                                        "engineering_assessment",
                                        "fleet_proof",
                                        "recurrence_check",
                                        "update_decision",
                                        "risk_acceptance"};
static const char *const KIND_CODE[] = {"forward", "back", "close", "reopen", "skip"};

_Static_assert(sizeof STAGE_CODE / sizeof STAGE_CODE[0] == STAGE_COUNT, "a code for each stage");
_Static_assert(sizeof DISPOSITION_CODE / sizeof DISPOSITION_CODE[0] == DISPOSITION_COUNT, "one for each disposition");
_Static_assert(sizeof FACT_CODE / sizeof FACT_CODE[0] == FACT_COUNT, "a code for each fact");

/* The way forward: what entering each stage from the one before needs, and what the stage is for. */
static const struct {
    uint32_t needs;
    const char *purpose;
} ENTRY[STAGE_COUNT] = {
    [STAGE_TRIAGE] = {0, "Decide what it is."},
    [STAGE_CONTAIN] = {0, "Keep the attack from spreading, backend measures first."},
    [STAGE_INVESTIGATE] = {FACT_BIT(FACT_CONTAINMENT),
                           "Find the root cause. Say how it was contained, or why nothing had to be."},
    [STAGE_PATCH] = {FACT_BIT(FACT_ROOT_CAUSE) | FACT_BIT(FACT_COMPONENT) | FACT_BIT(FACT_TARA_SCENARIO),
                     "Make and release the fix."},
    [STAGE_RECOVER] = {FACT_BIT(FACT_FIX_REF), "Bring the fix to the fleet and watch the signature go."},
    [STAGE_CLOSED] = {FACT_BIT(FACT_RECURRENCE_CHECK) | FACT_BIT(FACT_UPDATE_DECISION), "Done, with what was learned."},
};

#define PROOF (FACT_BIT(FACT_ENGINEERING_ASSESSMENT) | FACT_BIT(FACT_FIX_REF) | FACT_BIT(FACT_FLEET_PROOF))

static void refuse(struct move_rule *r, enum move_kind kind, const char *why)
{
    r->exists = false;
    r->kind = kind;
    r->why = why;
    r->needs_count = 0;
}

static void allow(struct move_rule *r, enum move_kind kind, const char *why, uint32_t needs)
{
    r->exists = true;
    r->kind = kind;
    r->why = why;
    r->needs_count = needs != 0;
    r->needs[0] = needs;
}

static void rule_close(enum stage from, enum disposition d, struct move_rule *r)
{
    if (d == DISPOSITION_NONE) {
        refuse(r, MOVE_CLOSE, "Closing needs a disposition: record what it was first.");
        return;
    }
    if (d != DISPOSITION_MALICIOUS) {
        allow(r, MOVE_CLOSE, "Close it with the reason for the disposition.", FACT_BIT(FACT_REASON));
        return;
    }
    if (from != STAGE_RECOVER) {
        allow(r, MOVE_CLOSE, "An attack closes from Recover; before that only with a signed risk acceptance.",
              FACT_BIT(FACT_RISK_ACCEPTANCE) | FACT_BIT(FACT_REASON));
        return;
    }
    allow(r, MOVE_CLOSE, ENTRY[STAGE_CLOSED].purpose, ENTRY[STAGE_CLOSED].needs | PROOF);
    r->needs[r->needs_count++] = ENTRY[STAGE_CLOSED].needs | FACT_BIT(FACT_RISK_ACCEPTANCE);
}

static void rule_reopen(enum stage to, enum disposition d, struct move_rule *r)
{
    if (to == STAGE_TRIAGE)
        allow(r, MOVE_REOPEN, "Open it again and decide anew.", FACT_BIT(FACT_REASON));
    else if (to == STAGE_INVESTIGATE && d == DISPOSITION_MALICIOUS)
        allow(r, MOVE_REOPEN, "Open it again: the fix did not hold, or more was found.", FACT_BIT(FACT_REASON));
    else if (to == STAGE_INVESTIGATE)
        refuse(r, MOVE_REOPEN, "Only an incident closed as malicious reopens to Investigate: reopen it to Triage.");
    else
        refuse(r, MOVE_REOPEN, "A closed incident reopens to Triage, or to Investigate when it was malicious.");
}

static void rule_forward(enum stage to, enum disposition d, struct move_rule *r)
{
    if (d == DISPOSITION_NONE)
        refuse(r, MOVE_FORWARD,
               "Going on needs a verdict: record the disposition malicious, or close it as something "
               "else.");
    else if (d != DISPOSITION_MALICIOUS)
        refuse(r, MOVE_FORWARD,
               "The stages after Triage are for attacks: close it with its disposition, or record "
               "malicious.");
    else
        allow(r, MOVE_FORWARD, ENTRY[to].purpose, ENTRY[to].needs);
}

void lifecycle_rule(enum stage from, enum stage to, enum disposition d, struct move_rule *ret)
{
    assert((unsigned)from < STAGE_COUNT);
    assert((unsigned)to < STAGE_COUNT);
    assert((unsigned)d < DISPOSITION_COUNT);
    struct move_rule r = {0};

    if (from == to)
        refuse(&r, MOVE_SKIP, "It is in this stage already.");
    else if (from == STAGE_CLOSED)
        rule_reopen(to, d, &r);
    else if (to == STAGE_CLOSED)
        rule_close(from, d, &r);
    else if (to < from)
        allow(&r, MOVE_BACK, "Go back with a reason.", FACT_BIT(FACT_REASON));
    else if (to == from + 1)
        rule_forward(to, d, &r);
    else
        refuse(&r, MOVE_SKIP,
               "Stages are taken one after the other; a stage with nothing to do is passed by saying so.");
    *ret = r;
}

enum vs_err lifecycle_check(enum stage from, enum stage to, enum disposition d, uint32_t facts, const char **ret_why,
                            uint32_t *ret_missing)
{
    struct move_rule r;

    lifecycle_rule(from, to, d, &r);
    *ret_why = r.why;
    *ret_missing = 0;
    if (!r.exists)
        return VS_ERR_REFUSED;
    if (r.needs_count == 0)
        return VS_OK;
    uint32_t best = r.needs[0] & ~facts;
    for (unsigned i = 1; i < r.needs_count; i++) {
        uint32_t missing = r.needs[i] & ~facts;
        if (__builtin_popcount(missing) < __builtin_popcount(best))
            best = missing;
    }
    if (best == 0)
        return VS_OK;
    *ret_missing = best;
    return VS_ERR_REFUSED;
}

enum vs_err lifecycle_disposition(enum stage at, enum disposition from, enum disposition to, bool has_reason,
                                  const char **ret_why)
{
    *ret_why = "";
    if (at == STAGE_CLOSED) {
        *ret_why = "It is closed: reopen it to Triage first.";
        return VS_ERR_REFUSED;
    }
    if (to == DISPOSITION_NONE && at != STAGE_TRIAGE) {
        *ret_why = "A disposition can be taken away in Triage only: go back to Triage, or record another one.";
        return VS_ERR_REFUSED;
    }
    if (at != STAGE_TRIAGE && from != to && !has_reason) {
        *ret_why = "Changing the disposition after Triage needs a reason.";
        return VS_ERR_REFUSED;
    }
    return VS_OK;
}

const char *stage_code(enum stage s)
{
    return STAGE_CODE[s];
}

const char *disposition_code(enum disposition d)
{
    return DISPOSITION_CODE[d];
}

const char *fact_code(enum fact f)
{
    return FACT_CODE[f];
}

const char *move_kind_code(enum move_kind k)
{
    return KIND_CODE[k];
}

static int find_code(const char *const *code, int first, int count, struct slice wanted)
{
    for (int i = first; i < count; i++)
        if (slice_equal_str(wanted, code[i]))
            return i;
    return -1;
}

int stage_from_code(struct slice code)
{
    return find_code(STAGE_CODE, 0, STAGE_COUNT, code);
}

int disposition_from_code(struct slice code)
{
    return find_code(DISPOSITION_CODE, 1, DISPOSITION_COUNT, code);
}

int fact_from_code(struct slice code)
{
    return find_code(FACT_CODE, 0, FACT_COUNT, code);
}
