/* Making, feeding and settling. */
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

#define DEFAULT_VEHICLES_MIN 4

enum vs_err campaigns_new(const struct campaign_config *cfg, struct campaigns **ret)
{
    struct campaigns *c = calloc(1, sizeof *c);

    if (c == NULL)
        return VS_ERR_NO_MEMORY;
    c->cfg = *cfg;
    if (c->cfg.threshold <= 0)
        c->cfg.threshold = CAMPAIGN_THRESHOLD;
    if (c->cfg.vehicles_min == 0)
        c->cfg.vehicles_min = DEFAULT_VEHICLES_MIN;
    intern_init(&c->texts, cfg->seed);
    intern_init(&c->signature_texts, cfg->seed);
    c->rates.signature = CAMPAIGN_NONE;
    *ret = c;
    return VS_OK;
}

void campaigns_free(struct campaigns *c)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->signature_texts.count; i++) {
        free(c->signature[i].cases);
        free(c->signature[i].pick);
        free(c->signature[i].published);
    }
    exposure_done(c);
    armed_done(c);
    free(c->signature);
    free(c->cohort);
    free(c->vehicle_track);
    free(c->run);
    free(c->track);
    free(c->rates.cases);
    free(c->rates.stamp);
    free(c->tally);
    free(c->touched);
    free(c->alarm);
    free(c->series);
    number_map_done(&c->series_of);
    number_map_done(&c->cohort_of);
    number_map_done(&c->cell_of);
    number_map_done(&c->track_of);
    intern_done(&c->texts);
    intern_done(&c->signature_texts);
    free(c);
}

void campaign_ask(struct campaigns *c, campaign_vehicle_fn *facts, campaign_key_fn *key, void *ctx)
{
    c->cfg.facts = facts;
    c->cfg.key = key;
    c->cfg.ctx = ctx;
}

enum vs_err campaign_seen(struct campaigns *c, uint32_t vehicle, uint32_t cohort, int64_t time_us)
{
    c->stats.seen++;
    if (cohort == CAMPAIGN_NONE) {
        c->stats.cohorts_full++;
        return VS_OK;
    }
    return exposure_add(c, vehicle, cohort, day_of_hour(hour_of(time_us)));
}

enum vs_err campaign_report(struct campaigns *c, uint32_t vehicle, uint32_t cohort, uint32_t signature, int64_t time_us,
                            const struct campaign_origin *origin)
{
    const struct run report = {
        .first_us = time_us, .last_hour = hour_of(time_us), .cohort = cohort, .origin = *origin, .next = CAMPAIGN_NONE};
    enum vs_err err = campaign_seen(c, vehicle, cohort, time_us);

    c->stats.reports++;
    if (err != VS_OK || cohort == CAMPAIGN_NONE || !exposure_keeps(c, day_of_hour(hour_of(time_us))))
        return err;
    if (signature == CAMPAIGN_NONE) {
        c->stats.signatures_full++;
        return VS_OK;
    }
    return cases_add(c, vehicle, signature, &report);
}

enum vs_err campaign_settle(struct campaigns *c, int64_t now_us, enum campaign_depth depth)
{
    enum vs_err err = VS_OK;

    if (now_us > c->now_us)
        c->now_us = now_us;
    c->profile_known = false;
    for (uint32_t i = 0; i < c->signature_texts.count && err == VS_OK; i++) {
        struct signature *s = &c->signature[i];
        int32_t from = s->dirty_hour;

        /* An alarm that stands may have ended since, without any news. */
        bool alarm = s->pick_count > 0 && s->pick[s->pick_count - 1].hour >= hour_of(c->now_us) - 2 * CAMPAIGN_GAP_H;

        if (depth == CAMPAIGN_ALL)
            from = from < judged_from(c) ? from : judged_from(c);
        else if (from == NO_HOUR && alarm)
            from = s->pick[s->pick_count - 1].hour;
        s->dirty_hour = NO_HOUR;
        if (from != NO_HOUR && (s->case_count > 0 || s->pick_count > 0))
            err = scan_signature(c, i, from);
    }
    c->rates.signature = CAMPAIGN_NONE;
    return err;
}

void campaign_stats(const struct campaigns *c, struct campaign_stats *ret)
{
    *ret = c->stats;
    ret->signatures = c->signature_texts.count;
    ret->cohorts = c->cohort_count;
    ret->cells = c->cell_count;
    ret->tracks = c->track_count;
    ret->slots = c->slot_count;
}
