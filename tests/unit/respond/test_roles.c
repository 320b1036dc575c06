/* Who may do what, as a matrix that a person can check against. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "respond/roles.h"

/* Columns: incident read act comment move assess close accept_risk, vehicle.read, vin.reveal, position.read,
 * alert.read, audit.read, user.manage, silence.create, silence.manage, silence.approve, vehicle.tag. */
static const struct {
    const char *role, *may;
} MATRIX[ROLE_COUNT] = {
    {"t1", "YYY----Y--Y--Y---"},    {"t2", "YYYY-Y-YYYY--YY-Y"},   {"ti", "Y-Y----Y--Y------"},
    {"irl", "YYYY-Y-YYYY--YYYY"},   {"eng", "Y-Y-Y-----Y--YY-Y"},  {"mgr", "Y-Y---YY--YY---Y-"},
    {"fusa", "Y-Y-Y--Y--Y----Y-"},  {"mgmt", "Y-----Y----------"}, {"auditor", "Y------Y--YY-----"},
    {"admin", "-----------YY----"},
};

static void each_role_may_what_the_matrix_says(void **state)
{
    (void)state;
    for (int r = 0; r < ROLE_COUNT; r++) {
        assert_string_equal(role_code((enum role)r), MATRIX[r].role);
        assert_int_equal(strlen(MATRIX[r].may), PERM_COUNT);
        uint32_t bits = roles_permissions(ROLE_BIT(r));
        for (int p = 0; p < PERM_COUNT; p++) {
            bool want = MATRIX[r].may[p] == 'Y';
            if (((bits & PERM_BIT(p)) != 0) != want)
                fail_msg("%s %s %s", MATRIX[r].role, want ? "lacks" : "has", permission_code((enum permission)p));
            assert_int_equal((permission_roles((enum permission)p) & ROLE_BIT(r)) != 0, want);
        }
        assert_int_equal(bits >> PERM_COUNT, 0);
    }
}

/* Duties that no single role joins. */
static void duties_are_kept_apart(void **state)
{
    static const enum permission APART[][2] = {
        {PERM_USER_MANAGE, PERM_INCIDENT_ACT},           {PERM_USER_MANAGE, PERM_VIN_REVEAL},
        {PERM_INCIDENT_ACCEPT_RISK, PERM_INCIDENT_MOVE}, {PERM_INCIDENT_ACCEPT_RISK, PERM_INCIDENT_ASSESS},
        {PERM_AUDIT_READ, PERM_INCIDENT_MOVE},           {PERM_AUDIT_READ, PERM_VIN_REVEAL}};

    (void)state;
    for (size_t i = 0; i < sizeof APART / sizeof APART[0]; i++)
        CHECK_ROW(i, (permission_roles(APART[i][0]) & permission_roles(APART[i][1])) == 0);
}

static void lists_of_roles_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        uint32_t roles; /* 0 = refused */
    } ROWS[] = {{"t1", ROLE_BIT(ROLE_T1)},
                {"t2,irl", ROLE_BIT(ROLE_T2) | ROLE_BIT(ROLE_IRL)},
                {"", 0},
                {"t1,", 0},
                {",t1", 0},
                {"t1, t2", 0},
                {"T1", 0},
                {"t", 0},
                {"t12", 0},
                {"admin,admin", ROLE_BIT(ROLE_ADMIN)}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        uint32_t roles = 0;
        bool ok = roles_parse(slice_str(ROWS[i].text), &roles);
        CHECK_ROW(i, ok == (ROWS[i].roles != 0) && roles == ROWS[i].roles);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_may_what_the_matrix_says),
        cmocka_unit_test(duties_are_kept_apart),
        cmocka_unit_test(lists_of_roles_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
