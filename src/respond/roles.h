/* roles: who may do what, in one table. Roles and permissions are those of schema/openapi.yaml.
 *
 * t1, t2 analysts; ti threat intelligence; irl incident response lead; eng VSOC engineer; mgr VSOC manager; fusa
 * functional safety; mgmt management approver; auditor; admin. A user may hold several; permissions add up. Duties are
 * kept apart: whoever manages users does not work on incidents, whoever accepts a risk does not move the incident, an
 * auditor changes nothing. */
#ifndef RESPOND_ROLES_H
#define RESPOND_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

enum role { ROLE_T1, ROLE_T2, ROLE_TI, ROLE_IRL, ROLE_ENG, ROLE_MGR, ROLE_FUSA, ROLE_MGMT, ROLE_AUDITOR, ROLE_ADMIN };
#define ROLE_COUNT (ROLE_ADMIN + 1)

enum permission {
    PERM_INCIDENT_READ,
    PERM_INCIDENT_ACT,
    PERM_INCIDENT_COMMENT,
    PERM_INCIDENT_MOVE,
    PERM_INCIDENT_ASSESS,
    PERM_INCIDENT_CLOSE,
    PERM_INCIDENT_ACCEPT_RISK,
    PERM_VEHICLE_READ,
    PERM_VIN_REVEAL,
    PERM_POSITION_READ,
    PERM_ALERT_READ,
    PERM_AUDIT_READ,
    PERM_USER_MANAGE,
    PERM_SILENCE_CREATE,
    PERM_SILENCE_MANAGE,
    PERM_SILENCE_APPROVE,
    PERM_VEHICLE_TAG
};
#define PERM_COUNT  (PERM_VEHICLE_TAG + 1)
#define PERM_BIT(p) (1u << (p))
#define ROLE_BIT(r) (1u << (r))

const char *role_code(enum role r);
const char *role_name(enum role r);    /* "Tier 1 analyst" */
int role_from_code(struct slice code); /* -1 when there is none */
const char *permission_code(enum permission p);

/* PERM_BITs of a set of ROLE_BITs. */
uint32_t roles_permissions(uint32_t roles);
/* ROLE_BITs of the roles that hold the permission: what a denial tells. */
uint32_t permission_roles(enum permission p);
/* "t2,irl" to ROLE_BITs; false at the first word that is no role. */
bool roles_parse(struct slice text, uint32_t *ret_roles);

#endif
