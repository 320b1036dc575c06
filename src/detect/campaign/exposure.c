/* Exposure: which vehicles were active in which cohort on which day, once each.
 *
 * A *slot* is a pair of vehicle and cohort; most vehicles have one at a time. A day is one bit per slot. A new bit adds
 * one to the eight cells of its cohort. A vehicle that changes its software on a day counts in both cohorts. */
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

static uint64_t slot_key(uint32_t vehicle, uint32_t cohort)
{
    return (uint64_t)vehicle << 32 | cohort;
}

static bool vehicle_room(uint32_t **array, uint32_t vehicle, uint32_t *room)
{
    return vehicle < *room || array_room((void **)array, vehicle, room, sizeof **array);
}

/* The first slot of a vehicle is remembered with the vehicle; those of other cohorts are looked up in a table. */
enum vs_err exposure_slot(struct campaigns *c, uint32_t vehicle, uint32_t cohort, uint32_t *ret)
{
    if (!vehicle_room(&c->vehicle_slot, vehicle, &c->vehicle_slot_room))
        return VS_ERR_NO_MEMORY;
    uint32_t last = c->vehicle_slot[vehicle];
    if (last != 0 && c->slot[last - 1].cohort == cohort) {
        *ret = last - 1;
        return VS_OK;
    }
    uint32_t at = number_map_get(&c->slot_of, slot_key(vehicle, cohort));
    if (at == CAMPAIGN_NONE) {
        if (c->slot_count >= CAMPAIGN_SLOTS_MAX)
            return VS_ERR_FULL;
        if (!array_room((void **)&c->slot, c->slot_count, &c->slot_room, sizeof *c->slot))
            return VS_ERR_NO_MEMORY;
        enum vs_err err = number_map_put(&c->slot_of, slot_key(vehicle, cohort), c->slot_count);
        if (err != VS_OK)
            return err;
        at = c->slot_count++;
        c->slot[at] = (struct slot){vehicle, cohort, last == 0 ? CAMPAIGN_NONE : last - 1};
    }
    c->vehicle_slot[vehicle] = at + 1;
    *ret = at;
    return VS_OK;
}

static void forget_day(struct campaigns *c, int32_t day)
{
    uint32_t at = ring_of(day);

    if (c->day_words[at] > 0)
        memset(c->day_bits[at], 0, c->day_words[at] * sizeof(uint64_t));
    c->day_shape_known[at] = false;
    for (uint32_t i = 0; i < c->cell_count; i++)
        c->cell[i].active[at] = 0;
    if (weekday_of(day) != 0)
        return;
    series_forget(c, week_of(day));
    for (uint32_t i = 0; i < c->cell_count; i++)
        if (c->cell[i].weekly != NULL)
            c->cell[i].weekly[(uint32_t)week_of(day) % WEEKS] = 0;
}

/* Hours about to be forgotten are judged first. Later than this nothing may change them any more (lateness). */
static enum vs_err judge_before(struct campaigns *c, int32_t day)
{
    enum vs_err err = VS_OK;

    if (c->now_us < day * CAMPAIGN_DAY_US)
        c->now_us = day * CAMPAIGN_DAY_US;
    for (uint32_t i = 0; i < c->signature_texts.count && err == VS_OK; i++) {
        struct signature *s = &c->signature[i];
        int32_t from = s->dirty_hour;

        if (from == NO_HOUR || from >= judged_from(c) + 24)
            continue;
        s->dirty_hour = NO_HOUR;
        c->profile_known = false;
        err = scan_signature(c, i, from);
    }
    return err;
}

static void advance(struct campaigns *c, int32_t day)
{
    int32_t from = c->any_day ? c->newest_day + 1 : day - RING_DAYS + 1;

    if (day - from >= 7 * WEEKS)
        from = day - 7 * WEEKS + 1;
    for (int32_t d = from; d <= day; d++)
        forget_day(c, d);
    c->newest_day = day;
    c->any_day = true;
    cases_expire(c, (day - CAMPAIGN_KEEP_DAYS) * 24);
}

bool exposure_keeps(const struct campaigns *c, int32_t day)
{
    return c->any_day && day > c->newest_day - CAMPAIGN_KEEP_DAYS && day <= c->newest_day;
}

static bool bit_set(struct campaigns *c, uint32_t slot, int32_t day, bool *ret_new)
{
    uint32_t at = ring_of(day), word = slot / 64;

    if (word >= c->day_words[at] && !array_room((void **)&c->day_bits[at], word, &c->day_words[at], sizeof(uint64_t)))
        return false;
    uint64_t bit = UINT64_C(1) << (slot % 64);
    *ret_new = (c->day_bits[at][word] & bit) == 0;
    c->day_bits[at][word] |= bit;
    return true;
}

enum vs_err exposure_add(struct campaigns *c, uint32_t vehicle, uint32_t cohort, int32_t day)
{
    uint32_t slot;
    bool fresh = false;

    if (!c->any_day || day > c->newest_day) {
        enum vs_err failed = c->any_day ? judge_before(c, day) : VS_OK;

        if (failed != VS_OK)
            return failed;
        advance(c, day);
    }
    if (!exposure_keeps(c, day)) {
        c->stats.too_old++;
        return VS_OK;
    }
    enum vs_err err = exposure_slot(c, vehicle, cohort, &slot);
    if (err == VS_ERR_FULL) {
        c->stats.slots_full++;
        return VS_OK;
    }
    if (err != VS_OK)
        return err;
    if (!bit_set(c, slot, day, &fresh))
        return VS_ERR_NO_MEMORY;
    for (int mask = 0; fresh && mask < CAMPAIGN_MASKS; mask++) {
        struct cell *x = &c->cell[c->cohort[cohort].cell[mask]];

        x->active[ring_of(day)]++;
        if (x->weekly != NULL)
            x->weekly[(uint32_t)week_of(day) % WEEKS]++;
        if (day < x->first_day)
            x->first_day = day;
    }
    return VS_OK;
}

uint32_t exposure_active(const struct campaigns *c, uint32_t cell, int32_t day)
{
    return exposure_keeps(c, day) ? c->cell[cell].active[ring_of(day)] : 0;
}

uint32_t exposure_expected(const struct campaigns *c, uint32_t cell, int32_t day)
{
    uint32_t before = 0, seen = exposure_active(c, cell, day);

    for (int32_t i = 1; i <= 7; i++)
        before += exposure_active(c, cell, day - i);
    return before / 7 > seen ? before / 7 : seen;
}

bool exposure_was_active(const struct campaigns *c, uint32_t slot, int32_t from, int32_t to)
{
    for (int32_t day = from; day <= to; day++) {
        uint32_t at = ring_of(day);

        if (exposure_keeps(c, day) && slot / 64 < c->day_words[at] &&
            (c->day_bits[at][slot / 64] >> (slot % 64) & 1) != 0)
            return true;
    }
    return false;
}

void exposure_done(struct campaigns *c)
{
    for (uint32_t i = 0; i < RING_DAYS; i++)
        free(c->day_bits[i]);
    for (uint32_t i = 0; i < c->cell_count; i++)
        free(c->cell[i].weekly);
    free(c->cell);
    free(c->slot);
    free(c->vehicle_slot);
    number_map_done(&c->slot_of);
}
