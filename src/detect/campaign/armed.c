/* Armed versions: copies in numbers of this instance, sorted by the hour from which they decide; and learning one. */
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

static void armed_free(struct armed *a)
{
    number_map_done(&a->cases);
    number_map_done(&a->cell);
    number_map_done(&a->spread);
    free(a->vehicle_days);
    free(a->spread_of);
}

void armed_done(struct campaigns *c)
{
    for (uint32_t i = 0; i < c->armed_count; i++)
        armed_free(&c->armed[i]);
    free(c->armed);
}

const struct armed *armed_at(const struct campaigns *c, int32_t hour)
{
    const struct armed *found = NULL;

    for (uint32_t i = 0; i < c->armed_count && c->armed[i].from_hour <= hour; i++)
        found = &c->armed[i];
    return found != NULL && found->version != 0 ? found : NULL;
}

static uint32_t cell_of_text(struct campaigns *c, const struct campaign_cell *cell)
{
    const struct slice text[3] = {cell->model, cell->software, cell->region};
    uint32_t value[3] = {0, 0, 0};

    for (int i = 0; i < 3; i++) {
        if ((cell->mask >> i & 1) == 0)
            continue;
        value[i] = intern_add(&c->texts, slice_head(text[i], CAMPAIGN_TEXT_MAX));
        if (value[i] == INTERN_NONE)
            return CAMPAIGN_NONE;
    }
    return cell_get(c, cell->mask, value);
}

static enum vs_err copy_cells(struct campaigns *c, const struct baseline *b, struct armed *a)
{
    enum vs_err err = VS_OK;

    a->vehicle_days = calloc(b->cell_count + 1, sizeof *a->vehicle_days);
    if (a->vehicle_days == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < b->cell_count && err == VS_OK; i++) {
        uint32_t cell = cell_of_text(c, &b->cell[i].cell);

        a->vehicle_days[i] = b->cell[i].vehicle_days;
        if (cell != CAMPAIGN_NONE)
            err = number_map_put(&a->cell, cell, i);
    }
    return err;
}

static enum vs_err copy_rows(struct campaigns *c, const struct baseline *b, struct armed *a)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; i < b->row_count && err == VS_OK; i++) {
        uint32_t signature = campaign_signature(c, b->row[i].signature, 0);
        uint32_t cell = cell_of_text(c, &b->row[i].cell);

        if (signature != CAMPAIGN_NONE && cell != CAMPAIGN_NONE)
            err = number_map_put(&a->cases, (uint64_t)signature << 32 | cell, b->row[i].cases);
    }
    return err;
}

static enum vs_err copy_spreads(struct campaigns *c, const struct baseline *b, struct armed *a)
{
    enum vs_err err = VS_OK;

    a->spread_of = calloc(b->spread_count + 1, sizeof *a->spread_of);
    if (a->spread_of == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < b->spread_count && err == VS_OK; i++) {
        uint32_t signature = campaign_signature(c, b->spread[i].signature, 0);

        a->spread_of[i][0] = b->spread[i].fleet;
        a->spread_of[i][1] = b->spread[i].model;
        if (signature != CAMPAIGN_NONE)
            err = number_map_put(&a->spread, signature, i);
    }
    return err;
}

static enum vs_err copy(struct campaigns *c, const struct baseline *b, struct armed *a)
{
    a->version = b->version;
    a->days = b->days;
    a->threshold = b->threshold;
    a->profile = b->profile;
    enum vs_err err = copy_cells(c, b, a);
    if (err == VS_OK)
        err = copy_rows(c, b, a);
    return err == VS_OK ? copy_spreads(c, b, a) : err;
}

enum vs_err baseline_arm(struct campaigns *c, int64_t from_us, const struct baseline *b)
{
    struct armed fresh = {.from_hour = hour_of(from_us)};
    uint32_t at = c->armed_count;

    while (at > 0 && c->armed[at - 1].from_hour > fresh.from_hour)
        at--;
    bool same_hour = at > 0 && c->armed[at - 1].from_hour == fresh.from_hour;
    if (at > 0 && c->armed[at - 1].version == (b != NULL ? b->version : 0))
        return VS_OK;
    if (!array_room((void **)&c->armed, c->armed_count, &c->armed_room, sizeof *c->armed))
        return VS_ERR_NO_MEMORY;
    enum vs_err err = b != NULL ? copy(c, b, &fresh) : VS_OK;
    if (err != VS_OK) {
        armed_free(&fresh);
        return err;
    }
    c->rates.signature = CAMPAIGN_NONE;
    if (same_hour) {
        armed_free(&c->armed[at - 1]);
        c->armed[at - 1] = fresh;
        return VS_OK;
    }
    memmove(&c->armed[at + 1], &c->armed[at], (c->armed_count - at) * sizeof *c->armed);
    c->armed[at] = fresh;
    c->armed_count++;
    return VS_OK;
}

/* ---- learning */

static void tell_signature(struct campaigns *c, uint32_t signature, const struct baseline_visitor *visit)
{
    const struct rates *r = &c->rates;
    struct baseline_spread spread = {intern_text(&c->signature_texts, signature), r->spread_fleet, r->spread_model};

    visit->spread(visit->ctx, &spread);
    for (uint32_t i = 0; i < c->cell_count; i++) {
        if (r->stamp[i] != r->now || r->cases[i] == 0)
            continue;
        struct baseline_row row = {spread.signature, cell_view(c, i), r->cases[i]};
        visit->row(visit->ctx, &row);
    }
}

enum vs_err baseline_learn(struct campaigns *c, int64_t now_us, struct profile *ret_profile, uint32_t *ret_days,
                           const struct baseline_visitor *visit)
{
    int32_t hour = hour_of(now_us), day = day_of_hour(hour);
    uint32_t armed_count = c->armed_count;
    enum vs_err err = VS_OK;

    *ret_days = 0;
    /* What is armed must not hide what is there to learn. */
    c->armed_count = 0;
    for (uint32_t i = 0; i < c->signature_texts.count && err == VS_OK; i++) {
        c->rates.signature = CAMPAIGN_NONE;
        err = rates_for(c, i, hour);
        if (err != VS_OK)
            break;
        tell_signature(c, i, visit);
        if (c->rates.days > *ret_days)
            *ret_days = c->rates.days;
    }
    profile_learn(c, day, ret_profile);
    c->armed_count = armed_count;
    c->rates.signature = CAMPAIGN_NONE;
    for (uint32_t i = 0; i < c->cell_count && err == VS_OK; i++) {
        struct baseline_cell cell = {cell_view(c, i), 0};

        for (int32_t d = day - CAMPAIGN_GUARD_DAYS - CAMPAIGN_BASELINE_DAYS; d < day - CAMPAIGN_GUARD_DAYS; d++)
            cell.vehicle_days += exposure_active(c, i, d);
        if (cell.vehicle_days > 0)
            visit->cell(visit->ctx, &cell);
    }
    return err;
}
