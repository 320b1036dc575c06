/* backend_log: the raw logs that a manufacturer's backend writes over the same days in which the fleet drives, with
 * attacks in them and what only looks like one. They are text in the form of real products, so that they go the whole
 * way: mapping (content/mappings), feed, pseudonyms, rules.
 *
 *   keycloak  logins of owners. Attack: one address tries many accounts and gets into one. Look-alike: an office.
 *   kong      calls and commands of owners' apps and of a fleet manager. Attacks: one account walks through vehicles;
 * one opens many. Look-alikes: a small business, a household before a holiday. hawkbit   the release team's work at the
 * OTA server. Attack: a rollout started at night by somebody. Look-alike: a rollout paused at night.
 *
 * The same seed gives the same bytes. Writes to the file given, reads nothing; no memory of its own. */
#ifndef SIM_BACKEND_LOG_H
#define SIM_BACKEND_LOG_H

#include <stdio.h>

#include "fleet.h"

enum backend_log_kind { BACKEND_LOG_KEYCLOAK, BACKEND_LOG_KONG, BACKEND_LOG_HAWKBIT, BACKEND_LOG_KIND_COUNT };

struct backend_log_config {
    uint64_t seed;
    const struct fleet_vehicle *vehicle; /* borrowed */
    uint32_t vehicles;                   /* at least BACKEND_LOG_VEHICLES_MIN */
    unsigned days;                       /* at least 4 */
    int64_t start_us;                    /* a midnight */
    struct slice pseudonym_key;          /* for the truth: the feed's own pseudonym, feed:<kind> */
};

#define BACKEND_LOG_VEHICLES_MIN 60

/* BACKEND_LOG_KIND_COUNT when there is none of that name. */
enum backend_log_kind backend_log_kind_find(const char *name);
/* Returns the number of lines. `truth` (may be NULL) gets the planted attacks and look-alikes, as plan_write_truth. */
uint64_t backend_log_write(FILE *out, FILE *truth, enum backend_log_kind kind, const struct backend_log_config *cfg);

#endif
