/* silence: what people know to be benign for a while, and who said so.
 *
 * A silence says which alerts (matchers), why (cause and reason), from when and until when, and by whom. It never drops
 * an alert: what it holds is stored, listed with the silence's number, counted, and only kept out of the queue
 * (respond/settle.h). One mechanism serves what other systems split into silences, suppression rules and maintenance
 * windows: they differ in cause, start and author only.
 *
 * Matchers. Values of one field are joined by or, different fields by and. `rule`, `severity` and `group.<field>` look
 * at the alert; `vid`, `model`, `hardware`, `sw_version`, `region`, `signature` and `tag` look at its vehicles, and
 * hold only when every vehicle of the alert meets all of them together: an alert that also speaks of a vehicle nobody
 * meant is not held. `is` compares exactly, `glob` knows * and ?. Without a severity a silence holds everything below
 * critical.
 *
 * Guards. A silence must say more than a model or a region; it ends after silence_days_max at the latest. One that
 * names critical, or a rule with a safety impact of S2 or S3, lasts silence_critical_hours_max at most and holds
 * nothing until a second person with the permission approved it. A role that may only silence.create is bound to
 * SILENCE_JUNIOR_HOURS and severities up to medium. What a silence holds gets through when its severity rises or when
 * it is seen on more than spread_factor times the vehicles it had, and alerts of more vehicles than vehicles_max are
 * not held at all (respond/settle.h).
 *
 * Functions that write run inside the caller's transaction and write the audit record. Time is handed in. Errors:
 * VS_ERR_RANGE, VS_ERR_REFUSED, VS_ERR_FORBIDDEN, VS_ERR_LIMIT with the reason in the refusal, VS_ERR_NOT_FOUND, and
 * those of the store. */
#ifndef RESPOND_SILENCE_H
#define RESPOND_SILENCE_H

#include "respond/act.h"
#include "respond/silence_match.h"

#define SILENCE_ID_SIZE          32
#define SILENCE_REASON_MAX       2000 /* bytes */
#define SILENCE_TICKET_MAX       120
#define SILENCE_ACTIVE_MAX       1000 /* that have not ended */
#define SILENCE_JUNIOR_HOURS     24
#define SILENCE_SPREAD_FACTOR    3 /* when nothing is said */
#define SILENCE_SPREAD_MAX       100
#define SILENCE_VEHICLES_MAX     1000000
#define SILENCE_DAYS_MAX         30 /* defaults of the policy */
#define SILENCE_CRITICAL_HOURS   24
#define SILENCE_SEVERITIES_PLAIN ((1u << ALERT_CRITICAL) - 1) /* all below critical */

/* What an operator may change (vsocd.yaml, respond). */
struct silence_policy {
    uint32_t days_max, critical_hours_max;
};
extern const struct silence_policy SILENCE_POLICY_DEFAULT;

enum silence_state { SILENCE_PENDING, SILENCE_SCHEDULED, SILENCE_ACTIVE, SILENCE_ENDED };

/* What a person asks for. Slices are borrowed. */
struct silence_draft {
    struct slice cause; /* a code of silence_cause_title */
    struct slice reason, ticket;
    int64_t incident;              /* 0 = none */
    int64_t starts_us, expires_us; /* starts_us 0 = now */
    int64_t spread_factor;         /* 0 = SILENCE_SPREAD_FACTOR */
    int64_t vehicles_max;          /* 0 = any number */
    uint32_t severities;           /* 0 = SILENCE_SEVERITIES_PLAIN */
    unsigned matcher_count;
    const struct silence_matcher *matcher;
};

struct silence_refusal {
    enum vs_err err;
    const char *field; /* of the request; NULL = the whole */
    char why[ACT_WHY_SIZE];
};

/* "SIL-12", and back (0 when it is none). */
void silence_id_text(int64_t number, char ret[SILENCE_ID_SIZE]);
int64_t silence_number(struct slice id);
const char *silence_state_code(enum silence_state s);
/* What a person reads for a cause; NULL when the code is none. Causes: maintenance, workshop, test_fleet,
 * research_or_test, owner_modification, software_defect, hardware_fault, known_benign. */
const char *silence_cause_title(struct slice code);
/* The n-th code; NULL past the last. */
const char *silence_cause_code(unsigned n);

/* Whether the draft may be made by this person; fills in what was left open. `needs_second` says that it will wait for
 * an approval. Looks at the store for the safety impact of rules that it names. */
VS_MUST_USE enum vs_err silence_check(struct store *st, const struct silence_policy *policy, struct silence_draft *d,
                                      const struct actor *who, int64_t now_us, bool *ret_needs_second,
                                      struct silence_refusal *ret);
/* Makes it. Checks first. */
VS_MUST_USE enum vs_err silence_create(struct store *st, const struct silence_policy *policy, struct silence_draft *d,
                                       const struct actor *who, int64_t now_us, int64_t *ret_number,
                                       struct silence_refusal *ret);
/* The second person's yes or no. */
VS_MUST_USE enum vs_err silence_approve(struct store *st, int64_t number, bool yes, struct slice reason,
                                        const struct actor *who, int64_t now_us, struct silence_refusal *ret);
/* Ends it before its time. The author may, and whoever may silence.manage. */
VS_MUST_USE enum vs_err silence_revoke(struct store *st, int64_t number, struct slice reason, const struct actor *who,
                                       int64_t now_us, struct silence_refusal *ret);
/* Ends those whose time is over at `now_us`. Alerts that they held and that still stand open wait for respond_settle
 * afterwards; the same holds for silence_revoke. */
VS_MUST_USE enum vs_err silence_expire(struct store *st, int64_t now_us);

enum silence_state silence_state_of(bool needs_second, int64_t approved_us, int64_t starts_us, int64_t ended_us,
                                    int64_t now_us);

#endif
