#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/sigma/match.h"

#include "core/timestamp.h"
#include "detect/sigma/version_range.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pcre2.h>
#include <time.h>

void matcher_init(struct matcher *m, const struct plan *plan)
{
    m->plan = plan;
    m->match_data = pcre2_match_data_create(1, NULL);
    m->match_context = pcre2_match_context_create(NULL);
    m->undecided_count = 0;
    scan_init(&m->scan, plan->dispatch);
    assert(m->match_data != NULL && m->match_context != NULL);
    pcre2_set_match_limit(m->match_context, REGEX_STEPS_MAX);
    pcre2_set_depth_limit(m->match_context, 10000);
}

void matcher_done(struct matcher *m)
{
    pcre2_match_data_free(m->match_data);
    pcre2_match_context_free(m->match_context);
    m->match_data = m->match_context = NULL;
    scan_done(&m->scan);
}

static bool match_regex(struct matcher *m, const struct test *t, struct slice text)
{
    int n = pcre2_match(t->regex, text.ptr, text.len, 0, 0, m->match_data, m->match_context);

    if (n < 0 && n != PCRE2_ERROR_NOMATCH)
        m->undecided_count++;
    return n >= 0;
}

static bool match_cidr(const struct test *t, struct slice text)
{
    char address[INET6_ADDRSTRLEN];
    uint8_t bytes[16];

    if (!slice_to_str(text, address, sizeof address) || inet_pton(t->cidr_family, address, bytes) != 1)
        return false;
    unsigned whole = t->cidr_bits / 8;
    unsigned rest = t->cidr_bits % 8;
    if (memcmp(bytes, t->cidr, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xFF00u >> rest);
    return rest == 0 || (bytes[whole] & mask) == (t->cidr[whole] & mask);
}

/* fieldref: the same value in another field of the event. */
static bool match_field(const struct test *t, struct val *v, struct record *r)
{
    for (struct val *o = record_get(r, t->field); o != NULL; o = record_more(r, o)) {
        if (o->kind == VAL_NULL || v->kind == VAL_NULL)
            continue;
        if (val_is_number(v) && val_is_number(o) && !t->field_start && !t->field_end) {
            if (val_compare(v, o) == 0)
                return true;
            continue;
        }
        struct slice a = t->cased ? val_text(v, &r->scratch) : val_fold(v, &r->scratch);
        struct slice b = t->cased ? val_text(o, &r->scratch) : val_fold(o, &r->scratch);
        bool hit = t->field_start && t->field_end ? memmem(a.ptr, a.len, b.ptr, b.len) != NULL
                   : t->field_start               ? slice_starts(a, b)
                   : t->field_end                 ? a.len >= b.len && slice_equal(slice_from(a, a.len - b.len), b)
                                                  : slice_equal(a, b);
        if (hit)
            return true;
    }
    return false;
}

static bool number_of(const struct val *v, struct val *ret)
{
    if (val_is_number(v)) {
        *ret = *v;
        return true;
    }
    return v->kind == VAL_TEXT && val_parse_number(v->text, ret);
}

static bool match_value(struct matcher *m, const struct test *t, struct val *v, struct record *r)
{
    struct val number;

    if (t->op == TEST_FIELD)
        return match_field(t, v, r);
    if (v->kind == VAL_NULL)
        return t->op == TEST_NULL;
    switch ((enum test_op)t->op) {
    case TEST_NUMBER:
        if (val_is_number(v))
            return val_compare(v, &t->number) == 0;
        return pattern_match(&t->pattern, t->cased ? val_text(v, &r->scratch) : val_fold(v, &r->scratch));
    case TEST_PATTERN:
        return pattern_match(&t->pattern, t->cased ? val_text(v, &r->scratch) : val_fold(v, &r->scratch));
    case TEST_REGEX:
        return match_regex(m, t, val_text(v, &r->scratch));
    case TEST_CIDR:
        return match_cidr(t, val_text(v, &r->scratch));
    case TEST_LT:
        return number_of(v, &number) && val_compare(&number, &t->number) < 0;
    case TEST_LTE:
        return number_of(v, &number) && val_compare(&number, &t->number) <= 0;
    case TEST_GT:
        return number_of(v, &number) && val_compare(&number, &t->number) > 0;
    case TEST_GTE:
        return number_of(v, &number) && val_compare(&number, &t->number) >= 0;
    case TEST_VERSION:
        return version_range_holds(t->range, val_text(v, &r->scratch));
    case TEST_NULL:
    case TEST_EXISTS:
    case TEST_FIELD:
        break;
    }
    return false;
}

/* Weeks of a year after ISO 8601: 53 when its 1 January is a Thursday, or a Wednesday in a leap year. `weekday` is that
 * of 1 January, Monday 0. */
static int weeks_of(int year, int weekday)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return weekday == 3 || (leap && weekday == 2) ? 53 : 52;
}

/* The week of a date after ISO 8601: weeks start on Monday, and a week belongs to the year that has its Thursday. */
static int iso_week(const struct tm *tm)
{
    int year = tm->tm_year + 1900;
    int weekday = (tm->tm_wday + 6) % 7;
    int week = (tm->tm_yday - weekday + 10) / 7;
    int first = (weekday - tm->tm_yday % 7 + 7) % 7; /* weekday of 1 January */

    if (week < 1) {
        bool leap_before = ((year - 1) % 4 == 0 && (year - 1) % 100 != 0) || (year - 1) % 400 == 0;
        return weeks_of(year - 1, (first + (leap_before ? 5 : 6)) % 7);
    }
    return week > weeks_of(year, first) ? 1 : week;
}

/* The part of a date that a time modifier asks for; false when the value is no time. */
static bool part_of(enum time_part part, const struct val *v, struct val *ret)
{
    int64_t us;
    struct tm tm;

    if (v->kind == VAL_INT && v->num.i >= 0)
        us = v->num.i;
    else if (v->kind != VAL_TEXT || !timestamp_parse(v->text, &us))
        return false;
    time_t s = (time_t)(us / US_PER_S);
    if (gmtime_r(&s, &tm) == NULL)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->kind = VAL_INT;
    switch (part) {
    case PART_MINUTE:
        ret->num.i = tm.tm_min;
        break;
    case PART_HOUR:
        ret->num.i = tm.tm_hour;
        break;
    case PART_DAY:
        ret->num.i = tm.tm_mday;
        break;
    case PART_WEEK:
        ret->num.i = iso_week(&tm);
        break;
    case PART_MONTH:
        ret->num.i = tm.tm_mon + 1;
        break;
    case PART_YEAR:
        ret->num.i = tm.tm_year + 1900;
        break;
    case PART_NONE:
        return false;
    }
    return true;
}

static bool match_forms(struct matcher *m, const struct test *t, struct val *v, struct record *r)
{
    for (; t != NULL; t = t->or_else)
        if (match_value(m, t, v, r))
            return true;
    return false;
}

/* One value of the rule against the values of the field. */
static bool match_test(struct matcher *m, const struct item *item, const struct test *t, struct record *r)
{
    struct val *v = record_get(r, item->field);

    if (t->op == TEST_EXISTS)
        return (v != NULL) == t->exists;
    if (v == NULL)
        return t->op == TEST_NULL;
    for (; v != NULL; v = record_more(r, v)) {
        struct val part;
        if (item->part != PART_NONE) {
            if (part_of((enum time_part)item->part, v, &part) && match_forms(m, t, &part, r))
                return true;
        } else if (match_forms(m, t, v, r)) {
            return true;
        }
    }
    return false;
}

static bool match_anywhere(struct matcher *m, const struct test *t, struct record *r)
{
    for (uint32_t i = 0; i < r->set_count; i++)
        for (struct val *v = &r->val[r->set[i]]; v != NULL; v = record_more(r, v))
            if (match_forms(m, t, v, r))
                return true;
    for (uint32_t i = r->loose; i != 0; i = r->extra[i - 1].more)
        if (match_forms(m, t, &r->extra[i - 1], r))
            return true;
    return false;
}

bool match_item(struct matcher *m, const struct item *item, struct record *r)
{
    bool hit = item->all;

    for (uint32_t i = 0; i < item->test_count && hit == item->all; i++)
        hit =
            item->field == ITEM_KEYWORDS ? match_anywhere(m, item->test[i], r) : match_test(m, item, item->test[i], r);
    return hit != item->neq;
}

bool match_expr(struct matcher *m, const struct expr *e, struct record *r)
{
    switch ((enum expr_kind)e->kind) {
    case EXPR_ITEM:
        return match_item(m, e->item, r);
    case EXPR_NOT:
        return !match_expr(m, e->child[0], r);
    case EXPR_AND:
        for (uint32_t i = 0; i < e->count; i++)
            if (!match_expr(m, e->child[i], r))
                return false;
        return true;
    case EXPR_OR:
        break;
    }
    for (uint32_t i = 0; i < e->count; i++)
        if (match_expr(m, e->child[i], r))
            return true;
    return false;
}

uint32_t match_candidates(struct matcher *m, struct record *r, const uint32_t **ret_rule)
{
    scan_record(&m->scan, r);
    *ret_rule = m->scan.candidate;
    return m->scan.candidate_count;
}

bool match_vehicle_source(const struct rule *rule, const struct record *r)
{
    if (!rule->has_logsource)
        return true;
    return (rule->product.len == 0 || slice_equal_str(rule->product, "vehicle")) && rule->category.len == 0 &&
           (rule->service.len == 0 || slice_equal(rule->service, r->service));
}

bool match_source(const struct rule *rule, struct record *r, const uint32_t key[6])
{
    const struct slice want[3] = {rule->product, rule->category, rule->service};

    if (rule->has_logsource && slice_equal_str(rule->product, "vehicle"))
        return match_vehicle_source(rule, r);
    for (unsigned i = 0; i < 3; i++) {
        struct val *v = record_get(r, key[i]);
        if (v == NULL)
            v = record_get(r, key[i + 3]);
        if (want[i].len > 0 && (v == NULL || v->kind != VAL_TEXT || !slice_equal(v->text, want[i])))
            return false;
    }
    return true;
}
