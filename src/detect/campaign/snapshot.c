/* Format of the section, all counts u64 before what they count:
 *     version u32, now i64, newest day i64 (+ any u8), counters
 *     texts, signatures (text, flags, dirty hour), cells (mask, three texts, first day, weekly), cohorts (three texts)
 *     slots (vehicle, cohort), day bits (words) for each day of the ring
 *     tracks (vehicle, signature, run count, runs)
 *     per signature: picks, published
 * Numbers are those of the saved instance; texts, cells and cohorts are made again in the same order and so get them
 * again. */
#include "detect/campaign/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

#define VERSION 1

static void put_i32(struct snapshot_writer *w, int32_t v)
{
    snapshot_put_u32(w, (uint32_t)v);
}

static int32_t get_i32(struct snapshot_in *in)
{
    return (int32_t)snapshot_get_u32(in);
}

static void put_double(struct snapshot_writer *w, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    snapshot_put_u64(w, bits);
}

static double get_double(struct snapshot_in *in)
{
    uint64_t bits = snapshot_get_u64(in);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* ---- saving */

static void save_names(const struct campaigns *c, struct snapshot_writer *w)
{
    snapshot_put_u64(w, c->texts.count);
    for (uint32_t i = 0; i < c->texts.count; i++)
        snapshot_put_bytes(w, intern_text(&c->texts, i));
    snapshot_put_u64(w, c->signature_texts.count);
    for (uint32_t i = 0; i < c->signature_texts.count; i++) {
        snapshot_put_bytes(w, intern_text(&c->signature_texts, i));
        snapshot_put_u32(w, c->signature[i].flags);
        put_i32(w, c->signature[i].dirty_hour);
        snapshot_put_u8(w, c->signature[i].changed);
    }
    snapshot_put_u64(w, c->cell_count);
    for (uint32_t i = 0; i < c->cell_count; i++) {
        const struct cell *x = &c->cell[i];

        snapshot_put_u8(w, x->mask);
        for (int k = 0; k < 3; k++)
            snapshot_put_u32(w, x->value[k]);
        put_i32(w, x->first_day);
        for (int k = 0; x->weekly != NULL && k < WEEKS; k++)
            snapshot_put_u32(w, x->weekly[k]);
    }
    snapshot_put_u64(w, c->cohort_count);
    for (uint32_t i = 0; i < c->cohort_count; i++)
        for (int k = 0; k < 3; k++)
            snapshot_put_u32(w, c->cohort[i].value[k]);
}

static void save_exposure(const struct campaigns *c, struct snapshot_writer *w)
{
    snapshot_put_u64(w, c->slot_count);
    for (uint32_t i = 0; i < c->slot_count; i++) {
        snapshot_put_u32(w, c->slot[i].vehicle);
        snapshot_put_u32(w, c->slot[i].cohort);
    }
    for (uint32_t d = 0; d < RING_DAYS; d++) {
        snapshot_put_u64(w, c->day_words[d]);
        for (uint32_t i = 0; i < c->day_words[d]; i++)
            snapshot_put_u64(w, c->day_bits[d][i]);
    }
}

static void save_tracks(const struct campaigns *c, struct snapshot_writer *w)
{
    snapshot_put_u64(w, c->track_count);
    for (uint32_t i = 0; i < c->track_count; i++) {
        const struct track *t = &c->track[i];
        uint32_t count = 0;

        for (uint32_t r = t->run; r != CAMPAIGN_NONE; r = c->run[r].next)
            count++;
        snapshot_put_u32(w, t->vehicle);
        snapshot_put_u32(w, t->signature);
        snapshot_put_u32(w, count);
        for (uint32_t r = t->run; r != CAMPAIGN_NONE; r = c->run[r].next) {
            const struct run *run = &c->run[r];

            snapshot_put_i64(w, run->first_us);
            put_i32(w, run->last_hour);
            snapshot_put_u32(w, run->cohort);
            snapshot_put_u64(w, run->origin.seq);
            snapshot_put_u64(w, run->origin.log_offset);
            snapshot_put_u32(w, run->origin.epoch);
            snapshot_put_u32(w, run->origin.log_partition);
        }
    }
    snapshot_put_u64(w, c->series_count);
    for (uint32_t i = 0; i < c->series_count; i++) {
        snapshot_put_u32(w, c->series[i].signature);
        snapshot_put_u32(w, c->series[i].cell);
        for (int k = 0; k < WEEKS; k++)
            snapshot_put_u32(w, c->series[i].week[k]);
    }
}

static void save_found(const struct signature *s, struct snapshot_writer *w)
{
    snapshot_put_u64(w, s->pick_count);
    for (uint32_t i = 0; i < s->pick_count; i++) {
        const struct pick *p = &s->pick[i];

        put_i32(w, p->hour);
        snapshot_put_u32(w, p->cell);
        snapshot_put_u32(w, p->cases);
        snapshot_put_u32(w, p->window_h);
        snapshot_put_u32(w, p->baseline);
        snapshot_put_u8(w, p->warm);
        put_double(w, p->expected);
        put_double(w, p->score);
        put_double(w, p->threshold);
        put_double(w, p->explains);
    }
    snapshot_put_u64(w, s->published_count);
    for (uint32_t i = 0; i < s->published_count; i++) {
        const struct published *p = &s->published[i];

        snapshot_put_raw(w, p->id, sizeof p->id);
        snapshot_put_u64(w, p->content);
        put_i32(w, p->first_hour);
        put_i32(w, p->last_hour);
        snapshot_put_u32(w, p->cell);
        snapshot_put_u8(w, p->standing);
    }
}

void campaign_save(const struct campaigns *c, struct snapshot_writer *w)
{
    snapshot_put_u32(w, VERSION);
    snapshot_put_i64(w, c->now_us);
    put_i32(w, c->newest_day);
    snapshot_put_u8(w, c->any_day);
    snapshot_put_raw(w, &c->stats, sizeof c->stats);
    save_names(c, w);
    save_exposure(c, w);
    save_tracks(c, w);
    for (uint32_t i = 0; i < c->signature_texts.count; i++)
        save_found(&c->signature[i], w);
}

/* ---- loading */

static enum vs_err load_names(struct campaigns *c, struct snapshot_in *in)
{
    for (uint64_t n = snapshot_get_count(in, 4), i = 0; i < n; i++)
        if (intern_add(&c->texts, snapshot_get_bytes(in)) != i)
            return VS_ERR_MALFORMED;
    for (uint64_t n = snapshot_get_count(in, 13), i = 0; i < n; i++) {
        struct slice text = snapshot_get_bytes(in);

        if (campaign_signature(c, text, snapshot_get_u32(in)) != i)
            return VS_ERR_MALFORMED;
        c->signature[i].dirty_hour = get_i32(in);
        c->signature[i].changed = snapshot_get_u8(in) != 0;
    }
    for (uint64_t n = snapshot_get_count(in, 17), i = 0; i < n; i++) {
        uint8_t mask = snapshot_get_u8(in);
        uint32_t value[3];

        for (int k = 0; k < 3; k++) {
            value[k] = snapshot_get_u32(in);
            if (mask >= CAMPAIGN_MASKS || ((mask >> k & 1) != 0 && value[k] >= c->texts.count))
                return VS_ERR_MALFORMED;
        }
        if (cell_get(c, mask, value) != i)
            return VS_ERR_MALFORMED;
        c->cell[i].first_day = get_i32(in);
        for (int k = 0; c->cell[i].weekly != NULL && k < WEEKS; k++)
            c->cell[i].weekly[k] = snapshot_get_u32(in);
    }
    for (uint64_t n = snapshot_get_count(in, 12), i = 0; i < n; i++) {
        struct slice text[3];

        for (int k = 0; k < 3; k++) {
            uint32_t at = snapshot_get_u32(in);

            if (at >= c->texts.count)
                return VS_ERR_MALFORMED;
            text[k] = intern_text(&c->texts, at);
        }
        if (campaign_cohort(c, text[0], text[1], text[2]) != i)
            return VS_ERR_MALFORMED;
    }
    return VS_OK;
}

static enum vs_err load_bits(struct campaigns *c, struct snapshot_in *in, uint32_t d)
{
    uint64_t words = snapshot_get_count(in, 8);

    if (words == 0)
        return VS_OK;
    if (words > UINT32_MAX || (c->day_bits[d] = calloc(words, sizeof(uint64_t))) == NULL)
        return VS_ERR_NO_MEMORY;
    c->day_words[d] = (uint32_t)words;
    for (uint32_t i = 0; i < words; i++) {
        c->day_bits[d][i] = snapshot_get_u64(in);
        for (uint64_t left = c->day_bits[d][i]; left != 0; left &= left - 1) {
            uint32_t slot = 64 * i + (uint32_t)__builtin_ctzll(left);

            if (slot >= c->slot_count)
                return VS_ERR_MALFORMED;
            for (int mask = 0; mask < CAMPAIGN_MASKS; mask++)
                c->cell[c->cohort[c->slot[slot].cohort].cell[mask]].active[d]++;
        }
    }
    return VS_OK;
}

static enum vs_err load_exposure(struct campaigns *c, struct snapshot_in *in)
{
    enum vs_err err = VS_OK;

    for (uint64_t n = snapshot_get_count(in, 8), i = 0; i < n && err == VS_OK; i++) {
        uint32_t vehicle = snapshot_get_u32(in), cohort = snapshot_get_u32(in), at;

        if (cohort >= c->cohort_count || vehicle >= CAMPAIGN_SLOTS_MAX)
            return VS_ERR_MALFORMED;
        err = exposure_slot(c, vehicle, cohort, &at);
        if (err == VS_OK && at != i)
            return VS_ERR_MALFORMED;
    }
    for (uint32_t d = 0; d < RING_DAYS && err == VS_OK; d++)
        err = load_bits(c, in, d);
    return err;
}

static enum vs_err load_tracks(struct campaigns *c, struct snapshot_in *in)
{
    enum vs_err err = VS_OK;

    for (uint64_t n = snapshot_get_count(in, 12), i = 0; i < n; i++) {
        uint32_t vehicle = snapshot_get_u32(in), signature = snapshot_get_u32(in), runs = snapshot_get_u32(in);

        if (signature >= c->signature_texts.count || vehicle >= CAMPAIGN_SLOTS_MAX)
            return VS_ERR_MALFORMED;
        for (uint32_t k = 0; k < runs; k++) {
            struct run r = {.first_us = snapshot_get_i64(in), .last_hour = get_i32(in), .cohort = snapshot_get_u32(in)};

            r.origin.seq = snapshot_get_u64(in);
            r.origin.log_offset = snapshot_get_u64(in);
            r.origin.epoch = snapshot_get_u32(in);
            r.origin.log_partition = snapshot_get_u32(in);
            if (snapshot_in_failed(in) || r.cohort >= c->cohort_count)
                return VS_ERR_MALFORMED;
            err = cases_add(c, vehicle, signature, &r);
            if (err != VS_OK)
                return err;
        }
    }
    /* Adding the runs counted weeks; what stood in the file also has the weeks before. */
    for (uint64_t n = snapshot_get_count(in, 8 + 4 * WEEKS), i = 0; i < n; i++) {
        uint32_t signature = snapshot_get_u32(in), cell = snapshot_get_u32(in);
        uint32_t *week = cell < c->cell_count ? series_weeks(c, signature, cell) : NULL;

        if (week == NULL || signature >= c->signature_texts.count)
            return VS_ERR_MALFORMED;
        for (int k = 0; k < WEEKS; k++)
            week[k] = snapshot_get_u32(in);
    }
    return VS_OK;
}

static enum vs_err load_picks(struct campaigns *c, struct signature *s, struct snapshot_in *in)
{
    for (uint64_t n = snapshot_get_count(in, 53), i = 0; i < n; i++) {
        struct pick p = {.hour = get_i32(in), .cell = snapshot_get_u32(in), .cases = snapshot_get_u32(in)};

        p.window_h = (uint16_t)snapshot_get_u32(in);
        p.baseline = snapshot_get_u32(in);
        p.warm = snapshot_get_u8(in) != 0;
        p.expected = get_double(in);
        p.score = get_double(in);
        p.threshold = get_double(in);
        p.explains = get_double(in);
        if (snapshot_in_failed(in) || p.cell >= c->cell_count)
            return VS_ERR_MALFORMED;
        if (!array_room((void **)&s->pick, s->pick_count, &s->pick_room, sizeof *s->pick))
            return VS_ERR_NO_MEMORY;
        s->pick[s->pick_count++] = p;
    }
    return VS_OK;
}

static enum vs_err load_published(struct campaigns *c, struct signature *s, struct snapshot_in *in)
{
    for (uint64_t n = snapshot_get_count(in, 37), i = 0; i < n; i++) {
        struct published p = {.content = 0};
        struct slice id = snapshot_get_raw(in, sizeof p.id);

        p.content = snapshot_get_u64(in);
        p.first_hour = get_i32(in);
        p.last_hour = get_i32(in);
        p.cell = snapshot_get_u32(in);
        p.standing = snapshot_get_u8(in) != 0;
        if (snapshot_in_failed(in) || p.cell >= c->cell_count || id.len != sizeof p.id)
            return VS_ERR_MALFORMED;
        memcpy(p.id, id.ptr, sizeof p.id);
        if (!array_room((void **)&s->published, s->published_count, &s->published_room, sizeof *s->published))
            return VS_ERR_NO_MEMORY;
        s->published[s->published_count++] = p;
    }
    return VS_OK;
}

static enum vs_err load_found(struct campaigns *c, struct snapshot_in *in)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; i < c->signature_texts.count && err == VS_OK; i++) {
        err = load_picks(c, &c->signature[i], in);
        if (err == VS_OK)
            err = load_published(c, &c->signature[i], in);
    }
    return err;
}

enum vs_err campaign_load(struct campaigns *c, struct snapshot_in *in)
{
    struct campaign_stats stats;
    int32_t *dirty = NULL;

    if (snapshot_get_u32(in) != VERSION)
        return VS_ERR_MALFORMED;
    c->now_us = snapshot_get_i64(in);
    c->newest_day = get_i32(in);
    c->any_day = snapshot_get_u8(in) != 0;
    struct slice counters = snapshot_get_raw(in, sizeof stats);
    if (counters.len != sizeof stats)
        return VS_ERR_MALFORMED;
    memcpy(&stats, counters.ptr, sizeof stats);
    enum vs_err err = load_names(c, in);
    if (err == VS_OK)
        err = load_exposure(c, in);
    uint32_t count = c->signature_texts.count;
    if (err == VS_OK && (dirty = calloc(count + 1, sizeof *dirty)) == NULL)
        err = VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count && err == VS_OK; i++)
        dirty[i] = c->signature[i].dirty_hour;
    if (err == VS_OK)
        err = load_tracks(c, in);
    /* Adding the runs made everything look new. */
    for (uint32_t i = 0; i < count && err == VS_OK; i++)
        c->signature[i].dirty_hour = dirty[i];
    free(dirty);
    if (err == VS_OK)
        err = load_found(c, in);
    stats.cases = c->stats.cases;
    c->stats = stats;
    return err == VS_OK && snapshot_in_failed(in) ? VS_ERR_MALFORMED : err;
}
