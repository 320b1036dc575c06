/* The route table: paths find their route, and nothing that changes anything is open to anybody. */
#include <string.h>

#include "api/route.h"
#include "check.h"

static const struct {
    const char *method, *path, *pattern; /* NULL = none */
    bool other;
    const char *part[2];
} ROWS[] = {
    {"GET", "/me", "/me", false, {NULL}},
    {"GET", "/incidents", "/incidents", false, {NULL}},
    {"GET", "/incidents/news", "/incidents/news", false, {NULL}}, /* the literal wins over {id} */
    {"POST", "/incidents/bulk", "/incidents/bulk", false, {NULL}},
    {"GET", "/incidents/bulk", "/incidents/{id}", false, {"bulk"}},
    {"GET", "/incidents/INC-7", "/incidents/{id}", false, {"INC-7"}},
    {"POST", "/incidents/INC-7/tasks/12", "/incidents/{id}/tasks/{task}", false, {"INC-7", "12"}},
    {"DELETE", "/incidents/INC-7", NULL, true, {NULL}},
    {"GET", "/incidents/", NULL, false, {NULL}},
    {"GET", "/incidents/INC-7/", NULL, false, {NULL}},
    {"GET", "/incidents//events", NULL, false, {NULL}},
    {"GET", "//me", NULL, false, {NULL}},
    {"GET", "/me/x", NULL, false, {NULL}},
    {"GET", "", NULL, false, {NULL}},
    {"GET", "/", NULL, false, {NULL}},
    {"get", "/me", NULL, true, {NULL}},
};

static void paths_find_their_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct slice part[CALL_PARTS_MAX] = {{NULL, 0}, {NULL, 0}};
        bool other = false;
        const struct route *r = route_find(ROWS[i].method, ROWS[i].path, part, &other);
        CHECK_ROW(i, (r == NULL) == (ROWS[i].pattern == NULL));
        CHECK_ROW(i, r == NULL || strcmp(r->pattern, ROWS[i].pattern) == 0);
        CHECK_ROW(i, r != NULL || other == ROWS[i].other);
        for (int p = 0; p < 2; p++)
            CHECK_ROW(i, ROWS[i].part[p] == NULL || slice_equal_str(part[p], ROWS[i].part[p]));
    }
}

static void only_login_and_health_are_open(void **state)
{
    (void)state;
    for (unsigned i = 0; i < route_count; i++) {
        bool open = routes[i].permission == ROUTE_PUBLIC;
        bool meant = strcmp(routes[i].pattern, "/login") == 0 || strcmp(routes[i].pattern, "/healthz") == 0;
        CHECK_ROW(i, open == meant);
        CHECK_ROW(i, strcmp(routes[i].method, "GET") == 0 || strcmp(routes[i].method, "POST") == 0);
        CHECK_ROW(i, strcmp(routes[i].method, "GET") != 0 || routes[i].body == NULL);
    }
}

static void tables_of_fields_are_within_their_bounds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < route_count; i++) {
        unsigned count = 0;
        for (const struct body_field *f = routes[i].body; f != NULL && f->name != NULL; f++, count++) {
            CHECK_ROW(i, f->type != BODY_TEXT || (f->max > 0 && f->min <= f->max));
            CHECK_ROW(i, f->type != BODY_ITEMS || f->item != NULL);
        }
        CHECK_ROW(i, count <= BODY_FIELDS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_route),
        cmocka_unit_test(only_login_and_health_are_open),
        cmocka_unit_test(tables_of_fields_are_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
