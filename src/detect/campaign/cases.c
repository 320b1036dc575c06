/* Cases: reports of one vehicle and one signature, joined into runs; a run counts once, in the hour it begins.
 *
 * A run is a largest set of reports in which no pause is longer than CAMPAIGN_WINDOW_MAX_H hours. Adding a report may
 * begin a run, move the beginning of one, lengthen one, or join two; which runs there are in the end does not depend on
 * the order. */
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

static uint64_t track_key(uint32_t vehicle, uint32_t signature)
{
    return (uint64_t)signature << 32 | vehicle;
}

/* ---- the sorted cases of a signature */

static int case_order(const struct a_case *x, int32_t hour, uint32_t vehicle)
{
    if (x->hour != hour)
        return x->hour < hour ? -1 : 1;
    return x->vehicle < vehicle ? -1 : x->vehicle > vehicle;
}

static uint32_t lower_bound(const struct signature *s, int32_t hour, uint32_t vehicle)
{
    uint32_t low = 0, high = s->case_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (case_order(&s->cases[middle], hour, vehicle) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t cases_from(const struct signature *s, int32_t hour)
{
    return lower_bound(s, hour, 0);
}

static void touch(struct campaigns *c, struct signature *s, int32_t hour)
{
    if (hour < s->dirty_hour)
        s->dirty_hour = hour;
    c->day_shape_known[ring_of(day_of_hour(hour))] = false;
}

static bool case_put(struct campaigns *c, struct signature *s, int32_t hour, uint32_t vehicle, uint32_t cohort)
{
    if (!array_room((void **)&s->cases, s->case_count, &s->case_room, sizeof *s->cases))
        return false;
    uint32_t at = lower_bound(s, hour, vehicle);
    if (at < s->case_count)
        memmove(&s->cases[at + 1], &s->cases[at], (s->case_count - at) * sizeof *s->cases);
    s->cases[at] = (struct a_case){hour, vehicle, cohort};
    s->case_count++;
    c->stats.cases++;
    series_count(c, (uint32_t)(s - c->signature), cohort, hour, 1);
    touch(c, s, hour);
    return true;
}

static void case_take(struct campaigns *c, struct signature *s, int32_t hour, uint32_t vehicle)
{
    uint32_t at = lower_bound(s, hour, vehicle);

    if (at >= s->case_count || case_order(&s->cases[at], hour, vehicle) != 0)
        return;
    series_count(c, (uint32_t)(s - c->signature), s->cases[at].cohort, hour, -1);
    memmove(&s->cases[at], &s->cases[at + 1], (s->case_count - at - 1) * sizeof *s->cases);
    s->case_count--;
    c->stats.cases--;
    touch(c, s, hour);
}

/* ---- tracks and runs */

static uint32_t tracks_of(const struct campaigns *c, uint32_t vehicle)
{
    uint32_t n = 0;

    for (uint32_t t = c->vehicle_track[vehicle]; t != 0 && n < CAMPAIGN_OF_VEHICLE_MAX; n++)
        t = c->track[t - 1].next_of_vehicle;
    return n;
}

static enum vs_err track_get(struct campaigns *c, uint32_t vehicle, uint32_t signature, uint32_t *ret)
{
    uint32_t at = number_map_get(&c->track_of, track_key(vehicle, signature));

    *ret = at;
    if (at != CAMPAIGN_NONE)
        return VS_OK;
    if (vehicle >= c->vehicle_track_room &&
        !array_room((void **)&c->vehicle_track, vehicle, &c->vehicle_track_room, sizeof *c->vehicle_track))
        return VS_ERR_NO_MEMORY;
    if (c->track_count >= CAMPAIGN_TRACKS_MAX) {
        c->stats.tracks_full++;
        return VS_OK;
    }
    if (tracks_of(c, vehicle) >= CAMPAIGN_OF_VEHICLE_MAX) {
        c->stats.vehicle_full++;
        return VS_OK;
    }
    if (!array_room((void **)&c->track, c->track_count, &c->track_room, sizeof *c->track))
        return VS_ERR_NO_MEMORY;
    enum vs_err err = number_map_put(&c->track_of, track_key(vehicle, signature), c->track_count);
    if (err != VS_OK)
        return err;
    c->track[c->track_count] = (struct track){vehicle, signature, CAMPAIGN_NONE, c->vehicle_track[vehicle]};
    c->vehicle_track[vehicle] = ++c->track_count;
    *ret = c->track_count - 1;
    return VS_OK;
}

static uint32_t run_new(struct campaigns *c)
{
    if (c->run_free != 0) {
        uint32_t at = c->run_free - 1;

        c->run_free = c->run[at].next;
        return at;
    }
    if (!array_room((void **)&c->run, c->run_count, &c->run_room, sizeof *c->run))
        return CAMPAIGN_NONE;
    return c->run_count++;
}

static void run_give_back(struct campaigns *c, uint32_t at)
{
    c->run[at].next = c->run_free;
    c->run_free = at + 1;
}

static bool near(const struct run *r, int32_t hour)
{
    return hour_of(r->first_us) - hour <= CAMPAIGN_WINDOW_MAX_H && hour - r->last_hour <= CAMPAIGN_WINDOW_MAX_H;
}

/* Which of two first reports counts when they stand in one run: the earlier; of the same instant, by its name. */
static bool earlier(const struct campaigns *c, const struct run *a, const struct run *b)
{
    if (a->first_us != b->first_us)
        return a->first_us < b->first_us;
    if (a->origin.epoch != b->origin.epoch)
        return a->origin.epoch < b->origin.epoch;
    if (a->origin.seq != b->origin.seq)
        return a->origin.seq < b->origin.seq;
    return a->cohort != b->cohort && cohort_compare(c, a->cohort, b->cohort) < 0;
}

/* Takes every run near the report out of the track's list and makes one of them and the report. */
static enum vs_err join(struct campaigns *c, struct track *t, struct signature *s, struct run fresh)
{
    uint32_t *link = &t->run;

    while (*link != CAMPAIGN_NONE) {
        uint32_t at = *link;
        struct run *r = &c->run[at];

        if (!near(r, hour_of(fresh.first_us)) && !near(r, fresh.last_hour)) {
            link = &r->next;
            continue;
        }
        case_take(c, s, hour_of(r->first_us), t->vehicle);
        if (!earlier(c, &fresh, r)) {
            fresh.first_us = r->first_us;
            fresh.cohort = r->cohort;
            fresh.origin = r->origin;
        }
        if (r->last_hour > fresh.last_hour)
            fresh.last_hour = r->last_hour;
        *link = r->next;
        run_give_back(c, at);
    }
    uint32_t at = run_new(c);
    if (at == CAMPAIGN_NONE || !case_put(c, s, hour_of(fresh.first_us), t->vehicle, fresh.cohort))
        return VS_ERR_NO_MEMORY;
    fresh.next = t->run;
    c->run[at] = fresh;
    t->run = at;
    return VS_OK;
}

enum vs_err cases_add(struct campaigns *c, uint32_t vehicle, uint32_t signature, const struct run *report)
{
    struct signature *s = &c->signature[signature];
    int32_t hour = hour_of(report->first_us), near_count = 0;
    struct run *only = NULL;
    uint32_t at;

    enum vs_err err = track_get(c, vehicle, signature, &at);
    if (err != VS_OK || at == CAMPAIGN_NONE)
        return err;
    struct track *t = &c->track[at];
    for (uint32_t r = t->run; r != CAMPAIGN_NONE; r = c->run[r].next) {
        if (!near(&c->run[r], hour))
            continue;
        near_count++;
        only = &c->run[r];
    }
    /* Most reports repeat or lengthen the run they belong to, and no count changes. */
    if (near_count == 1 && only != NULL && !earlier(c, report, only)) {
        if (hour > only->last_hour)
            only->last_hour = hour;
        return VS_OK;
    }
    return join(c, t, s, *report);
}

const struct run *cases_run(const struct campaigns *c, uint32_t vehicle, uint32_t signature, int32_t hour)
{
    uint32_t at = number_map_get(&c->track_of, track_key(vehicle, signature));

    for (uint32_t r = at == CAMPAIGN_NONE ? CAMPAIGN_NONE : c->track[at].run; r != CAMPAIGN_NONE; r = c->run[r].next)
        if (hour_of(c->run[r].first_us) == hour)
            return &c->run[r];
    return NULL;
}

int64_t cases_time(const struct campaigns *c, uint32_t vehicle, uint32_t signature, int32_t hour)
{
    const struct run *r = cases_run(c, vehicle, signature, hour);

    return r != NULL ? r->first_us : hour * CAMPAIGN_HOUR_US;
}

uint32_t cases_others(const struct campaigns *c, uint32_t vehicle, uint32_t signature, int32_t hour, int32_t hours)
{
    uint32_t n = 0;

    if (vehicle >= c->vehicle_track_room)
        return 0;
    for (uint32_t t = c->vehicle_track[vehicle]; t != 0; t = c->track[t - 1].next_of_vehicle) {
        bool found = false;

        for (uint32_t r = c->track[t - 1].run; r != CAMPAIGN_NONE && !found; r = c->run[r].next) {
            int32_t away = hour_of(c->run[r].first_us) - hour;

            found = away <= hours && away >= -hours;
        }
        n += found && c->track[t - 1].signature != signature;
    }
    return n;
}

/* ---- forgetting */

static void expire_runs(struct campaigns *c, struct track *t, int32_t before_hour)
{
    uint32_t *link = &t->run;

    while (*link != CAMPAIGN_NONE) {
        uint32_t at = *link;

        if (c->run[at].last_hour >= before_hour) {
            link = &c->run[at].next;
            continue;
        }
        *link = c->run[at].next;
        run_give_back(c, at);
    }
}

/* Drops tracks without runs and numbers the others anew. */
static void compact_tracks(struct campaigns *c, int32_t before_hour)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < c->track_count; i++) {
        expire_runs(c, &c->track[i], before_hour);
        if (c->track[i].run != CAMPAIGN_NONE)
            c->track[kept++] = c->track[i];
    }
    c->track_count = kept;
    if (c->track_of.size > 0)
        memset(c->track_of.value, 0, c->track_of.size * sizeof *c->track_of.value);
    c->track_of.count = 0;
    if (c->vehicle_track_room > 0)
        memset(c->vehicle_track, 0, c->vehicle_track_room * sizeof *c->vehicle_track);
    for (uint32_t i = 0; i < kept; i++) {
        struct track *t = &c->track[i];

        /* The table is not smaller than it was, so this cannot fail. */
        if (number_map_put(&c->track_of, track_key(t->vehicle, t->signature), i) != VS_OK)
            return;
        t->next_of_vehicle = c->vehicle_track[t->vehicle];
        c->vehicle_track[t->vehicle] = i + 1;
    }
}

void cases_expire(struct campaigns *c, int32_t before_hour)
{
    for (uint32_t i = 0; i < c->signature_texts.count; i++) {
        struct signature *s = &c->signature[i];
        uint32_t gone = cases_from(s, before_hour);

        if (gone == 0)
            continue;
        memmove(s->cases, s->cases + gone, (s->case_count - gone) * sizeof *s->cases);
        s->case_count -= gone;
        c->stats.cases -= gone;
    }
    compact_tracks(c, before_hour);
}
