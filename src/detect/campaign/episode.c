/* From cells in alarm to campaigns, and what changed since they were last handed out.
 *
 * The picks of a signature, in the order of their hours, are strung together: a pick belongs to the first campaign
 * whose cell it overlaps and whose last alarm is not more than CAMPAIGN_GAP_H before; else it begins one. A campaign
 * shows the cell of its highest score. Its id is a hash of signature, first hour of alarm and first cell. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "detect/campaign/campaign_internal.h"

#define EPISODES_MAX 256 /* of one signature that are held at once; the newest of more */

struct episode {
    struct pick first, best;
    int32_t first_hour, last_hour;
    uint32_t alarm_hours;
    int32_t counted_hour; /* last hour counted in alarm_hours */
    bool warm;
};

static void begin(struct episode *e, const struct pick *p)
{
    *e = (struct episode){.first = *p,
                          .best = *p,
                          .first_hour = p->hour - p->window_h + 1,
                          .last_hour = p->hour,
                          .alarm_hours = 1,
                          .counted_hour = p->hour,
                          .warm = p->warm};
}

static void extend(struct episode *e, const struct pick *p)
{
    e->last_hour = p->hour;
    e->warm |= p->warm;
    if (p->hour != e->counted_hour) {
        e->alarm_hours++;
        e->counted_hour = p->hour;
    }
    if (p->score > e->best.score)
        e->best = *p;
}

static uint32_t string_picks(const struct campaigns *c, const struct signature *s, struct episode *ep)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->pick_count; i++) {
        const struct pick *p = &s->pick[i];
        struct episode *home = NULL;

        for (uint32_t k = 0; k < count && home == NULL; k++)
            if (ep[k].last_hour >= p->hour - CAMPAIGN_GAP_H && !cells_disjoint(c, ep[k].best.cell, p->cell))
                home = &ep[k];
        if (home != NULL) {
            extend(home, p);
            continue;
        }
        if (count == EPISODES_MAX) {
            memmove(&ep[0], &ep[1], (EPISODES_MAX - 1) * sizeof *ep);
            count--;
        }
        begin(&ep[count++], p);
    }
    return count;
}

static void put_number(uint8_t *at, int64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)((uint64_t)v >> (8 * i));
}

static void id_of(const struct campaigns *c, uint32_t signature, const struct episode *e, uint8_t ret[CAMPAIGN_ID_SIZE])
{
    struct campaign_cell cell = cell_view(c, e->first.cell);
    uint8_t hash[SHA256_SIZE], length[6 * 8];
    const struct slice text[4] = {intern_text(&c->signature_texts, signature), cell.model, cell.software, cell.region};
    struct slice part[6] = {SLICE_LIT("campaign"), slice_make(length, sizeof length)};

    put_number(length, e->first.hour);
    put_number(length + 8, cell.mask);
    for (int i = 0; i < 4; i++) {
        put_number(length + 16 + 8 * i, (int64_t)text[i].len);
        part[2 + i] = text[i];
    }
    sha256_parts(part, 6, hash);
    memcpy(ret, hash, CAMPAIGN_ID_SIZE);
}

static uint32_t cases_between(const struct campaigns *c, uint32_t signature, uint32_t cell, int32_t from, int32_t to)
{
    const struct signature *s = &c->signature[signature];
    uint8_t mask = c->cell[cell].mask;
    uint32_t n = 0;

    for (uint32_t k = cases_from(s, from); k < s->case_count && s->cases[k].hour <= to; k++)
        n += c->cohort[s->cases[k].cohort].cell[mask] == cell;
    return n;
}

static void fill(struct campaigns *c, uint32_t signature, const struct episode *e, struct campaign *ret)
{
    memset(ret, 0, sizeof *ret);
    id_of(c, signature, e, ret->id);
    ret->signature = intern_text(&c->signature_texts, signature);
    ret->cell = cell_view(c, e->best.cell);
    ret->state = hour_of(c->now_us) > e->last_hour + CAMPAIGN_GAP_H ? CAMPAIGN_CLOSED : CAMPAIGN_OPEN;
    ret->first_us = e->first_hour * CAMPAIGN_HOUR_US;
    ret->detected_us = (e->first.hour + 1) * CAMPAIGN_HOUR_US;
    ret->last_us = (e->last_hour + 1) * CAMPAIGN_HOUR_US;
    ret->alarm_hours = e->alarm_hours;
    ret->vehicles = cases_between(c, signature, e->best.cell, e->first_hour, e->last_hour);
    ret->vehicles_detected = e->first.cases;
    ret->score = e->best.score;
    ret->threshold = e->first.threshold;
    ret->window_h = e->best.window_h;
    ret->explains = e->best.explains;
    ret->baseline = e->first.baseline;
    ret->cold = !e->warm;
    ret->page = ret->baseline != 0 && (e->warm || (c->signature[signature].flags & CAMPAIGN_SPECIFIED) != 0);
}

/* The costly part: what is expected over the whole time, and the reasons. */
static enum vs_err think(struct campaigns *c, uint32_t signature, const struct episode *e, struct campaign *ret)
{
    enum vs_err err = rates_for(c, signature, e->first.hour);

    if (err != VS_OK)
        return err;
    ret->expected = rates_expected(c, e->best.cell, rates_of(c, e->best.cell).per_day, e->first_hour, e->last_hour);
    reason_about(c, signature, e->best.cell, e->first_hour, e->last_hour, ret);
    return VS_OK;
}

/* ---- changes */

static uint64_t fold(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x100000001B3);
    return h ^ (h >> 29);
}

static uint64_t content_of(const struct episode *e, const struct campaign *al)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325), score = (uint64_t)(al->score * 1000);

    h = fold(h, (uint64_t)al->state);
    h = fold(h, (uint64_t)al->first_us);
    h = fold(h, (uint64_t)al->last_us);
    h = fold(h, al->vehicles);
    h = fold(h, al->alarm_hours);
    h = fold(h, score);
    h = fold(h, e->best.cell);
    h = fold(h, al->baseline);
    return fold(h, (uint64_t)al->page << 1 | al->cold);
}

static struct published *find_published(struct signature *s, const uint8_t id[CAMPAIGN_ID_SIZE])
{
    for (uint32_t i = 0; i < s->published_count; i++)
        if (memcmp(s->published[i].id, id, CAMPAIGN_ID_SIZE) == 0)
            return &s->published[i];
    return NULL;
}

/* Those that stood, are gone now, and overlap the new one, are what it was called before. */
static void take_over(const struct campaigns *c, struct signature *s, const struct episode *e, struct campaign *al)
{
    for (uint32_t i = 0; i < s->published_count && al->supersedes_count < 4; i++) {
        struct published *p = &s->published[i];

        if (!p->standing || p->found || p->first_hour > e->last_hour || p->last_hour < e->first_hour ||
            cells_disjoint(c, p->cell, e->best.cell))
            continue;
        memcpy(al->supersedes[al->supersedes_count++], p->id, CAMPAIGN_ID_SIZE);
        p->standing = false;
    }
}

static enum vs_err remember(struct signature *s, const struct episode *e, const struct campaign *al, uint64_t content)
{
    struct published *p = find_published(s, al->id);

    if (p == NULL) {
        if (!array_room((void **)&s->published, s->published_count, &s->published_room, sizeof *s->published))
            return VS_ERR_NO_MEMORY;
        p = &s->published[s->published_count++];
    }
    memcpy(p->id, al->id, CAMPAIGN_ID_SIZE);
    p->content = content;
    p->first_hour = e->first_hour;
    p->last_hour = e->last_hour;
    p->cell = e->best.cell;
    p->standing = p->found = true;
    return VS_OK;
}

/* Too old to be judged again: its cases are no longer all there, so it stays as it was told. */
static bool settled_for_good(const struct campaigns *c, int32_t last_hour)
{
    return last_hour < judged_from(c) + CAMPAIGN_GAP_H;
}

static void retract_gone(struct campaigns *c, uint32_t signature, campaign_fn *each, void *ctx)
{
    struct signature *s = &c->signature[signature];

    for (uint32_t i = 0; i < s->published_count; i++) {
        struct published *p = &s->published[i];

        if (!p->standing || p->found || settled_for_good(c, p->last_hour))
            continue;
        struct campaign al = {.signature = intern_text(&c->signature_texts, signature),
                              .cell = cell_view(c, p->cell),
                              .state = CAMPAIGN_RETRACTED,
                              .first_us = p->first_hour * CAMPAIGN_HOUR_US,
                              .detected_us = (p->first_hour + 1) * CAMPAIGN_HOUR_US,
                              .last_us = (p->last_hour + 1) * CAMPAIGN_HOUR_US,
                              .threshold = c->cfg.threshold};
        memcpy(al.id, p->id, CAMPAIGN_ID_SIZE);
        p->standing = false;
        each(ctx, &al);
    }
}

static enum vs_err tell(struct campaigns *c, uint32_t signature, const struct episode *e, bool all, campaign_fn *each,
                        void *ctx)
{
    struct signature *s = &c->signature[signature];
    struct campaign al;

    fill(c, signature, e, &al);
    struct published *p = find_published(s, al.id);
    uint64_t content = content_of(e, &al);
    bool same = p != NULL && p->standing && p->content == content;
    if (!all && (same || settled_for_good(c, e->last_hour)))
        return VS_OK;
    enum vs_err err = think(c, signature, e, &al);
    if (err != VS_OK)
        return err;
    if (!all) {
        if (p == NULL || !p->standing)
            take_over(c, s, e, &al);
        err = remember(s, e, &al, content);
    }
    if (err == VS_OK)
        each(ctx, &al);
    return err;
}

static enum vs_err tell_signature(struct campaigns *c, uint32_t signature, bool all, campaign_fn *each, void *ctx)
{
    struct signature *s = &c->signature[signature];
    struct episode *ep = calloc(EPISODES_MAX, sizeof *ep);
    enum vs_err err = VS_OK;

    if (ep == NULL)
        return VS_ERR_NO_MEMORY;
    uint32_t count = string_picks(c, s, ep);
    for (uint32_t i = 0; i < s->published_count; i++)
        s->published[i].found = false;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t id[CAMPAIGN_ID_SIZE];
        id_of(c, signature, &ep[i], id);
        struct published *p = find_published(s, id);
        if (p != NULL)
            p->found = true;
    }
    for (uint32_t i = 0; i < count && err == VS_OK; i++)
        err = tell(c, signature, &ep[i], all, each, ctx);
    if (!all && err == VS_OK)
        retract_gone(c, signature, each, ctx);
    if (!all)
        s->changed = false;
    free(ep);
    return err;
}

static int signature_order(const void *a, const void *b, void *ctx)
{
    const struct campaigns *c = ctx;

    return slice_compare(intern_text(&c->signature_texts, *(const uint32_t *)a),
                         intern_text(&c->signature_texts, *(const uint32_t *)b));
}

enum vs_err campaign_each(struct campaigns *c, bool all, campaign_fn *each, void *ctx)
{
    uint32_t *order = calloc(c->signature_texts.count + 1, sizeof *order), count = 0;
    enum vs_err err = order == NULL ? VS_ERR_NO_MEMORY : VS_OK;

    for (uint32_t i = 0; i < c->signature_texts.count && err == VS_OK; i++) {
        const struct signature *s = &c->signature[i];

        if ((s->pick_count > 0 || s->published_count > 0) && (all || s->changed))
            order[count++] = i;
    }
    if (count > 1)
        qsort_r(order, count, sizeof *order, signature_order, c);
    c->rates.signature = CAMPAIGN_NONE;
    for (uint32_t i = 0; i < count && err == VS_OK; i++)
        err = tell_signature(c, order[i], all, each, ctx);
    c->rates.signature = CAMPAIGN_NONE;
    free(order);
    return err;
}

/* ---- what a campaign is made of */

void campaign_cases(const struct campaigns *c, const struct campaign *al,
                    void (*each)(void *ctx, const struct campaign_case *cs), void *ctx)
{
    uint32_t signature = intern_find(&c->signature_texts, al->signature), cell = cell_find(c, &al->cell);

    if (signature == INTERN_NONE || cell == CAMPAIGN_NONE)
        return;
    const struct signature *s = &c->signature[signature];
    for (uint32_t k = cases_from(s, hour_of(al->first_us)); k < s->case_count; k++) {
        const struct a_case *x = &s->cases[k];

        if (x->hour >= hour_of(al->last_us))
            break;
        if (c->cohort[x->cohort].cell[al->cell.mask] != cell)
            continue;
        struct campaign_cell of = cell_view(c, c->cohort[x->cohort].cell[CAMPAIGN_MASKS - 1]);
        const struct run *run = cases_run(c, x->vehicle, signature, x->hour);
        struct campaign_case cs = {.vehicle = x->vehicle,
                                   .time_us = run != NULL ? run->first_us : x->hour * CAMPAIGN_HOUR_US,
                                   .model = of.model,
                                   .software = of.software,
                                   .region = of.region};
        if (run != NULL)
            cs.origin = run->origin;
        each(ctx, &cs);
    }
}

uint32_t campaign_curve(struct campaigns *c, const struct campaign *al, struct campaign_hour *ret, uint32_t size)
{
    uint32_t signature = intern_find(&c->signature_texts, al->signature), cell = cell_find(c, &al->cell), n = 0;
    int32_t first = hour_of(al->first_us) - 24, last = hour_of(al->last_us) + 23;

    if (signature == INTERN_NONE || cell == CAMPAIGN_NONE)
        return 0;
    c->rates.signature = CAMPAIGN_NONE;
    if (rates_for(c, signature, hour_of(al->detected_us) - 1) != VS_OK)
        return 0;
    double per_day = rates_of(c, cell).per_day;
    if (last > hour_of(c->now_us))
        last = hour_of(c->now_us);
    for (int32_t h = first; h <= last && n < size; h++, n++)
        ret[n] = (struct campaign_hour){h * CAMPAIGN_HOUR_US, cases_between(c, signature, cell, h, h),
                                        rates_expected(c, cell, per_day, h, h)};
    return n;
}

const char *campaign_state_name(enum campaign_state s)
{
    static const char *const NAME[] = {"open", "closed", "retracted"};

    return NAME[s];
}
