#include "app/campaign_baseline.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing */

struct learner {
    json_t *cells, *signatures, *rows; /* rows: of the signature before, borrowed */
    json_t *place;                     /* "mask|model|software|region" -> place in cells */
};

static json_t *text_json(struct slice s)
{
    json_t *v = json_stringn(s.len > 0 ? (const char *)s.ptr : "", s.len);

    return v != NULL ? v : json_string("?"); /* not UTF-8 */
}

static json_int_t place_of(struct learner *l, const struct campaign_cell *cell)
{
    char key[4 * CAMPAIGN_TEXT_MAX + 16];
    const struct slice text[3] = {cell->model, cell->software, cell->region};
    size_t len = 1;

    key[0] = (char)('0' + cell->mask);
    for (int i = 0; i < 3; i++) {
        key[len++] = '\x1f';
        if (text[i].len > 0)
            memcpy(key + len, text[i].ptr, text[i].len);
        len += text[i].len;
    }
    key[len] = '\0';
    json_t *at = json_object_get(l->place, key);
    if (at != NULL)
        return json_integer_value(at);
    json_int_t fresh = (json_int_t)json_array_size(l->cells);
    json_array_append_new(l->cells, json_pack("[i, o, o, o, i]", (int)cell->mask, text_json(cell->model),
                                              text_json(cell->software), text_json(cell->region), 0));
    json_object_set_new(l->place, key, json_integer(fresh));
    return fresh;
}

static void on_spread(void *ctx, const struct baseline_spread *spread)
{
    struct learner *l = ctx;

    l->rows = json_array();
    json_array_append_new(
        l->signatures, json_pack("[o, f, f, o]", text_json(spread->signature), spread->fleet, spread->model, l->rows));
}

static void on_row(void *ctx, const struct baseline_row *row)
{
    struct learner *l = ctx;

    json_array_append_new(l->rows, json_pack("[I, i]", place_of(l, &row->cell), (int)row->cases));
}

static void on_cell(void *ctx, const struct baseline_cell *cell)
{
    struct learner *l = ctx;
    json_t *at = json_array_get(l->cells, (size_t)place_of(l, &cell->cell));

    json_array_set_new(at, 4, json_integer((json_int_t)cell->vehicle_days));
}

static json_t *profile_json(const struct profile *p)
{
    json_t *all = json_array();

    for (int w = 0; w < 7; w++) {
        json_t *day = json_array();

        for (int h = 0; h < 25; h++)
            json_array_append_new(day, json_real(p->cum[w][h]));
        json_array_append_new(all, day);
    }
    return all;
}

static enum vs_err put_candidate(struct store *st, int64_t now_us, uint32_t days, const char *body)
{
    struct store_stmt *q = store_prepare(
        st,
        "INSERT INTO campaign_baseline (version, state, learned_us, days, who, reason, body) VALUES (0, 'candidate', "
        "?, ?, 'system', '', ?) ON CONFLICT (version) DO UPDATE SET learned_us = excluded.learned_us, "
        "days = excluded.days, body = excluded.body");

    store_bind_i64(q, 1, now_us);
    store_bind_i64(q, 2, days);
    store_bind_text(q, 3, slice_str(body));
    return store_run(q);
}

enum vs_err campaign_candidate_write(struct campaigns *c, struct store *st, int64_t now_us)
{
    struct learner l = {json_array(), json_array(), NULL, json_object()};
    const struct baseline_visitor visit = {&l, on_row, on_cell, on_spread};
    struct profile profile;
    uint32_t days = 0;
    enum vs_err err = baseline_learn(c, now_us, &profile, &days, &visit);
    json_t *all = json_pack("{s:i, s:f, s:o, s:o, s:o}", "days", (int)days, "threshold", CAMPAIGN_THRESHOLD, "profile",
                            profile_json(&profile), "cells", l.cells, "signatures", l.signatures);
    char *body = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17));

    if (err == VS_OK)
        err = body != NULL ? put_candidate(st, now_us, days, body) : VS_ERR_NO_MEMORY;
    free(body);
    json_decref(all);
    json_decref(l.place);
    return err;
}

/* ---- reading */

struct reader {
    struct baseline b;
    struct baseline_cell *cell;
    struct baseline_row *row;
    struct baseline_spread *spread;
    uint32_t row_room;
};

static struct slice text_of(const json_t *list, size_t at)
{
    const json_t *v = json_array_get(list, at);

    return slice_make(json_string_value(v), json_string_length(v));
}

static void read_cells(const json_t *cells, struct reader *r)
{
    for (size_t i = 0; r->cell != NULL && i < json_array_size(cells); i++) {
        const json_t *x = json_array_get(cells, i);

        r->cell[i] =
            (struct baseline_cell){.cell = {(uint8_t)(json_integer_value(json_array_get(x, 0)) & (CAMPAIGN_MASKS - 1)),
                                            text_of(x, 1), text_of(x, 2), text_of(x, 3)},
                                   .vehicle_days = (uint64_t)json_integer_value(json_array_get(x, 4))};
        r->b.cell_count++;
    }
}

static void read_signature(const json_t *x, struct reader *r)
{
    const json_t *rows = json_array_get(x, 3);

    r->spread[r->b.spread_count++] = (struct baseline_spread){text_of(x, 0), json_number_value(json_array_get(x, 1)),
                                                              json_number_value(json_array_get(x, 2))};
    for (size_t k = 0; k < json_array_size(rows); k++) {
        const json_t *row = json_array_get(rows, k);
        json_int_t at = json_integer_value(json_array_get(row, 0));

        if (at < 0 || at >= (json_int_t)r->b.cell_count)
            continue;
        r->row[r->b.row_count++] = (struct baseline_row){text_of(x, 0), r->cell[at].cell,
                                                         (uint32_t)json_integer_value(json_array_get(row, 1))};
    }
}

static enum vs_err read_body(const json_t *all, struct reader *r)
{
    const json_t *cells = json_object_get(all, "cells"), *signatures = json_object_get(all, "signatures");
    const json_t *profile = json_object_get(all, "profile");
    size_t rows = 0;

    for (size_t i = 0; i < json_array_size(signatures); i++)
        rows += json_array_size(json_array_get(json_array_get(signatures, i), 3));
    r->cell = calloc(json_array_size(cells) + 1, sizeof *r->cell);
    r->spread = calloc(json_array_size(signatures) + 1, sizeof *r->spread);
    r->row = calloc(rows + 1, sizeof *r->row);
    if (r->cell == NULL || r->spread == NULL || r->row == NULL)
        return VS_ERR_NO_MEMORY;
    if (json_array_size(profile) != 7)
        return VS_ERR_MALFORMED;
    for (size_t w = 0; w < 7; w++)
        for (size_t h = 0; h < 25; h++)
            r->b.profile.cum[w][h] = json_number_value(json_array_get(json_array_get(profile, w), h));
    r->b.days = (uint32_t)json_integer_value(json_object_get(all, "days"));
    r->b.threshold = json_number_value(json_object_get(all, "threshold"));
    read_cells(cells, r);
    for (size_t i = 0; i < json_array_size(signatures); i++)
        read_signature(json_array_get(signatures, i), r);
    r->b.cell = r->cell;
    r->b.row = r->row;
    r->b.spread = r->spread;
    return VS_OK;
}

static enum vs_err arm(struct campaigns *c, int64_t from_us, int64_t version, struct slice body)
{
    struct reader r = {.row_room = 0};
    json_t *all = json_loadb(body.len > 0 ? (const char *)body.ptr : "", body.len, 0, NULL);
    enum vs_err err = all == NULL ? VS_ERR_MALFORMED : read_body(all, &r);

    r.b.version = (uint32_t)version;
    if (err == VS_OK)
        err = baseline_arm(c, from_us, &r.b);
    free(r.cell);
    free(r.row);
    free(r.spread);
    json_decref(all);
    return err;
}

int64_t campaign_arming_last(struct store *st)
{
    struct store_stmt *q = store_prepare(st, "SELECT coalesce(max(seq), 0) FROM campaign_arming");
    int64_t seq = store_step(q) == VS_OK ? store_i64(q, 0) : 0;

    store_done(q);
    return seq;
}

enum vs_err campaign_arm_from_store(struct campaigns *c, struct store *st, int64_t *seq, bool *ret_any)
{
    struct store_stmt *q = store_prepare(st, "SELECT a.seq, a.from_us, a.version, b.body FROM campaign_arming a "
                                             "LEFT JOIN campaign_baseline b ON b.version = a.version AND a.version > 0 "
                                             "WHERE a.seq > ? ORDER BY a.seq");
    enum vs_err err;

    *ret_any = false;
    store_bind_i64(q, 1, *seq);
    while ((err = store_step(q)) == VS_OK) {
        int64_t version = store_i64(q, 2);

        err =
            version == 0 ? baseline_arm(c, store_i64(q, 1), NULL) : arm(c, store_i64(q, 1), version, store_text(q, 3));
        if (err != VS_OK)
            break;
        *seq = store_i64(q, 0);
        *ret_any = true;
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}
