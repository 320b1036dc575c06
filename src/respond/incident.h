/* incident: the row of an incident and what respond does to it. People's acts are in respond/act.h.
 *
 * An incident is shown as INC-<number>. Its row holds what the queue shows and is worked out again from the alerts that
 * are at home in it (incident_refresh). Numbers come from a counter and are never used twice. */
#ifndef RESPOND_INCIDENT_H
#define RESPOND_INCIDENT_H

#include "respond/lifecycle.h"
#include "respond/rank.h"
#include "respond/sla.h"
#include "store/alert_store.h"

#define INCIDENT_TEXT_SIZE 512
#define INCIDENT_ID_SIZE   32

/* INCIDENT_BUDGET gathers what came of one rule and day after its budget was used up (respond/budget.h). */
enum incident_kind { INCIDENT_VEHICLE, INCIDENT_CAMPAIGN, INCIDENT_BUDGET };

/* What deciding about an incident needs. */
struct incident_state {
    int64_t number, version, edit_version, merged_into;
    enum incident_kind kind;
    enum stage stage;
    enum disposition disposition;
    int severity;
    int64_t first_us, opened_us, ack_us, triaged_us, contained_us, remediated_us, closed_us; /* 0 = not yet */
    char assignee[INCIDENT_TEXT_SIZE];                                                       /* "" = nobody */
    uint32_t facts; /* FACT_BITs that are kept */
};

/* "INC-1042". */
void incident_id_text(int64_t number, char ret[INCIDENT_ID_SIZE]);
/* The number in "INC-1042", any case; 0 when it is none. */
int64_t incident_number(struct slice id);

/* Opens an empty incident in Triage. */
VS_MUST_USE enum vs_err incident_open(struct store *st, enum incident_kind kind, struct slice description,
                                      struct slice playbook, int safety, int64_t now_us, int64_t *ret_number);
/* VS_ERR_NOT_FOUND. */
VS_MUST_USE enum vs_err incident_load(struct store *st, int64_t number, struct incident_state *ret);
/* Works the row out from the alerts, raises the version and tells the change feed. */
VS_MUST_USE enum vs_err incident_refresh(struct store *st, int64_t number, int64_t now_us);
/* Enters a stage: ends the time in the one before. The caller has asked lifecycle_check. */
VS_MUST_USE enum vs_err incident_enter_stage(struct store *st, int64_t number, enum stage to, int64_t now_us);
/* Makes `from` part of `into`: alerts, facts that lack, open tasks, the assignee when there is none. */
VS_MUST_USE enum vs_err incident_merge(struct store *st, int64_t from, int64_t into, int64_t now_us);
/* Lists the alert in the incident and makes it its home. *ret_new: it was not listed before. */
VS_MUST_USE enum vs_err incident_take_alert(struct store *st, int64_t number, struct slice alert, int64_t now_us,
                                            bool *ret_new);
/* The inputs of the rank terms as they are now. */
VS_MUST_USE enum vs_err incident_rank_input(struct store *st, int64_t number, struct rank_input *ret);
void incident_sla_input(const struct incident_state *in, struct sla_input *ret);

#endif
