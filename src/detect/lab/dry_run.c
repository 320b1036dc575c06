#include "detect/lab/dry_run.h"

#include <stdlib.h>

#include "detect/sigma/intern.h"

#define DAY_US INT64_C(86400000000)

/* A vehicle that was a member of an alert on a day. */
struct touch {
    int64_t day;
    uint32_t vehicle;
};

struct dry_run {
    const struct rule *rule;
    struct intern vehicles;
    struct touch *touch;
    size_t touch_count, touch_room;
    int64_t *first_day; /* by alert */
    uint32_t alert_count, alert_room;
    struct dry_run_day *day;
    uint32_t day_count;
};

struct dry_run *dry_run_new(const struct rule *rule)
{
    struct dry_run *d = mem_zalloc(1, sizeof *d);

    d->rule = rule;
    intern_init(&d->vehicles, 0);
    return d;
}

void dry_run_free(struct dry_run *d)
{
    if (d == NULL)
        return;
    intern_done(&d->vehicles);
    free(d->touch);
    free(d->first_day);
    free(d->day);
    free(d);
}

const struct rule *dry_run_rule(const struct dry_run *d)
{
    return d->rule;
}

static int64_t day_of(int64_t us)
{
    return us >= 0 ? us / DAY_US : (us - DAY_US + 1) / DAY_US;
}

void dry_run_alert(struct dry_run *d, const struct alert *al)
{
    if (d->alert_count == d->alert_room) {
        d->alert_room = d->alert_room > 0 ? 2 * d->alert_room : 64;
        d->first_day = mem_grow(d->first_day, d->alert_room, sizeof *d->first_day);
    }
    d->first_day[d->alert_count++] = day_of(al->first_us);
}

void dry_run_member(struct dry_run *d, struct slice vehicle, int64_t time_us)
{
    struct touch t = {day_of(time_us), intern_add(&d->vehicles, vehicle)};
    const struct touch *last = d->touch_count > 0 ? &d->touch[d->touch_count - 1] : NULL;

    if (last != NULL && last->day == t.day && last->vehicle == t.vehicle)
        return; /* members come in time order, so most repeats are neighbours */
    if (d->touch_count == d->touch_room) {
        d->touch_room = d->touch_room > 0 ? 2 * d->touch_room : 256;
        d->touch = mem_grow(d->touch, d->touch_room, sizeof *d->touch);
    }
    d->touch[d->touch_count++] = t;
}

static int compare_touch(const void *x, const void *y)
{
    const struct touch *a = x;
    const struct touch *b = y;

    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return a->vehicle < b->vehicle ? -1 : a->vehicle > b->vehicle;
}

static int compare_day(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x;
    int64_t b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

static struct dry_run_day *day_entry(struct dry_run *d, int64_t day)
{
    if (d->day_count == 0 || d->day[d->day_count - 1].day != day)
        d->day[d->day_count++] = (struct dry_run_day){.day = day};
    return &d->day[d->day_count - 1];
}

/* Merges the sorted days of alerts and the sorted touches into one entry per day. */
static void count_days(struct dry_run *d)
{
    uint32_t a = 0;
    size_t t = 0;

    if (d->alert_count > 0)
        qsort(d->first_day, d->alert_count, sizeof *d->first_day, compare_day);
    if (d->touch_count > 0)
        qsort(d->touch, d->touch_count, sizeof *d->touch, compare_touch);
    free(d->day);
    d->day = mem_zalloc(d->alert_count + d->touch_count + 1, sizeof *d->day);
    d->day_count = 0;
    while (a < d->alert_count || t < d->touch_count) {
        bool alert = t == d->touch_count || (a < d->alert_count && d->first_day[a] <= d->touch[t].day);
        if (alert) {
            day_entry(d, d->first_day[a++])->alerts++;
            continue;
        }
        bool repeat = t > 0 && compare_touch(&d->touch[t - 1], &d->touch[t]) == 0;
        day_entry(d, d->touch[t].day)->vehicles += !repeat;
        t++;
    }
}

static int64_t limit_of(int64_t own, int64_t extra)
{
    return extra >= 0 ? extra : own;
}

static bool over(double average, uint32_t worst, int64_t limit)
{
    return limit >= 0 && (average > (double)limit || worst > (uint64_t)limit * DRY_RUN_PEAK_FACTOR);
}

void dry_run_report(struct dry_run *d, const struct dry_run_past *past, const struct rule_budget *extra,
                    struct dry_run_report *ret)
{
    const struct rule_budget *own = &d->rule->context.budget;
    uint64_t touched = 0;

    memset(ret, 0, sizeof *ret);
    count_days(d);
    ret->alerts = d->alert_count;
    ret->vehicles = d->vehicles.count;
    ret->days = past->last_us > past->first_us ? (double)(past->last_us - past->first_us) / (double)DAY_US : 0;
    if (ret->days < 1)
        ret->days = 1; /* an hour full of alerts must not be blown up to a day of them */
    for (uint32_t i = 0; i < d->day_count; i++) {
        const struct dry_run_day *day = &d->day[i];
        ret->days_with_alerts += day->alerts > 0;
        touched += day->vehicles;
        if (day->alerts > ret->worst_alerts.alerts)
            ret->worst_alerts = *day;
        if (day->vehicles > ret->worst_vehicles.vehicles)
            ret->worst_vehicles = *day;
    }
    ret->alerts_per_day = ret->alerts / ret->days;
    ret->vehicles_per_day = (double)touched / ret->days;
    ret->over_alerts =
        over(ret->alerts_per_day, ret->worst_alerts.alerts, limit_of(own->alerts_per_day, extra->alerts_per_day));
    ret->over_vehicles = over(ret->vehicles_per_day, ret->worst_vehicles.vehicles,
                              limit_of(own->vehicles_per_day, extra->vehicles_per_day));
    int64_t cost = limit_of(own->cost_ns, extra->cost_ns);
    ret->over_cost = cost >= 0 && past->cost_ns > cost;
}

const struct dry_run_day *dry_run_days(const struct dry_run *d, uint32_t *ret_count)
{
    *ret_count = d->day_count;
    return d->day;
}

bool dry_run_read_budget(struct slice text, struct rule_budget *ret)
{
    struct rule_budget b = {-1, -1, -1};

    while (text.len > 0) {
        const uint8_t *comma = memchr(text.ptr, ',', text.len);
        struct slice part = comma != NULL ? slice_head(text, (size_t)(comma - text.ptr)) : text;
        const uint8_t *equal = part.len > 0 ? memchr(part.ptr, '=', part.len) : NULL;
        struct val number;
        if (equal == NULL || !val_parse_number(slice_from(part, (size_t)(equal - part.ptr) + 1), &number) ||
            number.kind != VAL_INT || number.num.i < 0)
            return false;
        struct slice name = slice_head(part, (size_t)(equal - part.ptr));
        if (slice_equal_str(name, "alerts_per_day"))
            b.alerts_per_day = number.num.i;
        else if (slice_equal_str(name, "vehicles_per_day"))
            b.vehicles_per_day = number.num.i;
        else if (slice_equal_str(name, "cost_ns"))
            b.cost_ns = number.num.i;
        else
            return false;
        text = slice_from(text, part.len + (comma != NULL));
    }
    *ret = b;
    return true;
}
