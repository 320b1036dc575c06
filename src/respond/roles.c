#include "respond/roles.h"

#define READ (PERM_BIT(PERM_INCIDENT_READ) | PERM_BIT(PERM_VEHICLE_READ) | PERM_BIT(PERM_ALERT_READ))
#define WORK (READ | PERM_BIT(PERM_INCIDENT_ACT) | PERM_BIT(PERM_INCIDENT_COMMENT))
/* Tuning: what is benign, for how long, on which vehicles. */
#define TUNE (PERM_BIT(PERM_SILENCE_CREATE) | PERM_BIT(PERM_SILENCE_MANAGE) | PERM_BIT(PERM_VEHICLE_TAG))
#define LEAD                                                                                                           \
    (WORK | TUNE | PERM_BIT(PERM_INCIDENT_MOVE) | PERM_BIT(PERM_INCIDENT_CLOSE) | PERM_BIT(PERM_VIN_REVEAL) |          \
     PERM_BIT(PERM_POSITION_READ))

static const struct {
    const char *code, *name;
    uint32_t permissions;
} ROLES[ROLE_COUNT] = {
    [ROLE_T1] = {"t1", "Tier 1 analyst", WORK | PERM_BIT(PERM_SILENCE_CREATE)},
    [ROLE_T2] = {"t2", "Tier 2 analyst", LEAD},
    [ROLE_TI] = {"ti", "threat intelligence analyst", READ | PERM_BIT(PERM_INCIDENT_COMMENT)},
    [ROLE_IRL] = {"irl", "incident response lead", LEAD | PERM_BIT(PERM_SILENCE_APPROVE)},
    [ROLE_ENG] = {"eng", "VSOC engineer",
                  PERM_BIT(PERM_INCIDENT_READ) | PERM_BIT(PERM_INCIDENT_COMMENT) | PERM_BIT(PERM_INCIDENT_ASSESS) |
                      PERM_BIT(PERM_ALERT_READ) | TUNE},
    [ROLE_MGR] = {"mgr", "VSOC manager",
                  READ | PERM_BIT(PERM_INCIDENT_COMMENT) | PERM_BIT(PERM_INCIDENT_ACCEPT_RISK) |
                      PERM_BIT(PERM_AUDIT_READ) | PERM_BIT(PERM_SILENCE_APPROVE)},
    [ROLE_FUSA] = {"fusa", "functional safety engineer",
                   READ | PERM_BIT(PERM_INCIDENT_COMMENT) | PERM_BIT(PERM_INCIDENT_ASSESS) |
                       PERM_BIT(PERM_SILENCE_APPROVE)},
    [ROLE_MGMT] = {"mgmt", "management approver", PERM_BIT(PERM_INCIDENT_READ) | PERM_BIT(PERM_INCIDENT_ACCEPT_RISK)},
    [ROLE_AUDITOR] = {"auditor", "auditor", READ | PERM_BIT(PERM_AUDIT_READ)},
    [ROLE_ADMIN] = {"admin", "administrator", PERM_BIT(PERM_USER_MANAGE) | PERM_BIT(PERM_AUDIT_READ)},
};

static const char *const PERMISSION_CODE[PERM_COUNT] = {
    "incident.read",   "incident.act",         "incident.comment", "incident.move",  "incident.assess",
    "incident.close",  "incident.accept_risk", "vehicle.read",     "vin.reveal",     "position.read",
    "alert.read",      "audit.read",           "user.manage",      "silence.create", "silence.manage",
    "silence.approve", "vehicle.tag"};

const char *role_code(enum role r)
{
    return ROLES[r].code;
}

const char *role_name(enum role r)
{
    return ROLES[r].name;
}

int role_from_code(struct slice code)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        if (slice_equal_str(code, ROLES[r].code))
            return r;
    return -1;
}

const char *permission_code(enum permission p)
{
    return PERMISSION_CODE[p];
}

uint32_t roles_permissions(uint32_t roles)
{
    uint32_t permissions = 0;

    for (int r = 0; r < ROLE_COUNT; r++)
        if (roles & ROLE_BIT(r))
            permissions |= ROLES[r].permissions;
    return permissions;
}

uint32_t permission_roles(enum permission p)
{
    uint32_t roles = 0;

    for (int r = 0; r < ROLE_COUNT; r++)
        if (ROLES[r].permissions & PERM_BIT(p))
            roles |= ROLE_BIT(r);
    return roles;
}

bool roles_parse(struct slice text, uint32_t *ret_roles)
{
    uint32_t roles = 0;
    size_t at = 0;

    while (at <= text.len) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != ',')
            end++;
        int r = role_from_code(slice_make(text.ptr + at, end - at));
        if (r < 0)
            return false;
        roles |= ROLE_BIT(r);
        at = end + 1;
    }
    *ret_roles = roles;
    return true;
}
