#include "app/intel_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/intel_alerts.h"
#include "app/intel_scan.h"
#include "detect/intel/intel_tally.h"
#include "ingest/registry_store.h"
#include "store/gauge.h"
#include "store/intel_match_store.h"
#include "store/intel_store.h"

#define CLOSE_EVERY_US INT64_C(3600000000)

/* A search back over the log for indicators that came after it began. */
struct hunt {
    struct intel_index *index;
    struct intel_tally tally;
    struct registry *registry;
    struct intel_scan *scan;
    int64_t version; /* searched for: everything not searched for yet, up to this version */
};

struct link_state {
    const struct pipeline_config *cfg;
    struct intel_index *index;
    struct intel_tally tally;
    uint64_t *counted; /* by partition: events before this offset stand in the database */
    uint64_t *seen;    /* by partition: offset behind the last event */
    uint32_t partition_count;
    int64_t version; /* of the table in `index` */
    struct hunt *hunt;
    bool unhunted; /* some indicator was not searched for yet */
    int64_t closed_us;
    uint64_t refused, left_out;
    enum vs_err err; /* of a callback */
};

/* ---- opening */

static enum vs_err load_positions(struct link_state *l)
{
    struct store_stmt *q = store_prepare(l->cfg->store, "SELECT log_partition, log_offset FROM intel_position");
    enum vs_err err;

    while ((err = store_step(q)) == VS_OK) {
        int64_t at = store_i64(q, 0);
        if (at >= 0 && at < (int64_t)l->partition_count)
            l->counted[at] = l->seen[at] = (uint64_t)store_i64(q, 1);
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

/* Indicators of versions above `above`, or all that were not searched for yet. */
static enum vs_err load_table(struct store *st, struct intel_index *x, int64_t above, bool unhunted, uint64_t *refused)
{
    struct store_stmt *q = store_prepare(st, "SELECT " INTEL_INDICATOR_COLUMNS " FROM intel_indicator i "
                                             "WHERE i.version > ? AND (i.hunted = 0 OR ? = 0) ORDER BY i.version");
    struct intel_indicator_row row;
    struct stix_fault fault;
    enum vs_err err;

    store_bind_i64(q, 1, above);
    store_bind_i64(q, 2, unhunted);
    while ((err = store_step(q)) == VS_OK) {
        intel_indicator_row_read(q, &row);
        intel_index_remove(x, (uint32_t)row.number);
        if (row.refused.len > 0)
            continue;
        err = intel_index_add(x, (uint32_t)row.number, row.pattern, row.valid_from_us, row.valid_until_us, &fault);
        if (err == VS_ERR_NO_MEMORY)
            break;
        *refused += err != VS_OK; /* a bound of the table */
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static bool any_unhunted(struct store *st)
{
    struct store_stmt *q = store_prepare(st, "SELECT 1 FROM intel_indicator WHERE hunted = 0 LIMIT 1");
    bool any = store_step(q) == VS_OK;

    store_done(q);
    return any;
}

static void link_close(void *self);

static enum vs_err link_open(const struct pipeline_config *cfg, void **ret_self, struct pipeline_error *ret_error)
{
    struct link_state *l = calloc(1, sizeof *l);
    uint32_t count = stream_partition_count(cfg->stream);

    if (l == NULL)
        return VS_ERR_NO_MEMORY;
    l->cfg = cfg;
    l->partition_count = count;
    intel_tally_init(&l->tally);
    l->counted = calloc(count, sizeof *l->counted);
    l->seen = calloc(count, sizeof *l->seen);
    enum vs_err err = l->counted == NULL || l->seen == NULL ? VS_ERR_NO_MEMORY : intel_index_new(&l->index);
    if (err == VS_OK)
        err = load_positions(l);
    l->version = intel_store_version(cfg->store);
    l->unhunted = any_unhunted(cfg->store);
    if (err == VS_OK)
        err = load_table(cfg->store, l->index, 0, false, &l->refused);
    if (err != VS_OK) {
        snprintf(ret_error->text, sizeof ret_error->text, "threat intelligence: %s", vs_err_text(err));
        link_close(l);
        return err;
    }
    *ret_self = l;
    return VS_OK;
}

static void hunt_free(struct hunt *h)
{
    if (h == NULL)
        return;
    intel_scan_close(h->scan);
    registry_free(h->registry);
    intel_tally_done(&h->tally);
    intel_index_free(h->index);
    free(h);
}

static void link_close(void *self)
{
    struct link_state *l = self;

    if (l == NULL)
        return;
    hunt_free(l->hunt);
    intel_index_free(l->index);
    intel_tally_done(&l->tally);
    free(l->counted);
    free(l->seen);
    free(l);
}

/* ---- events */

static void on_match(void *ctx, uint32_t indicator, const struct alert_member *m, bool late)
{
    struct link_state *l = ctx;

    if (l->err == VS_OK)
        l->err = intel_tally_add(&l->tally, indicator, m, late);
}

static void link_event(void *self, const struct event *ev, const struct normalised *no)
{
    struct link_state *l = self;

    if (no->offset < l->counted[no->partition])
        return;
    l->seen[no->partition] = no->offset + 1;
    intel_scan_event(l->index, ev, no, on_match, l);
}

/* ---- searching back */

static void on_found(void *ctx, uint32_t indicator, const struct alert_member *m, bool late)
{
    struct hunt *h = ctx;

    if (intel_tally_add(&h->tally, indicator, m, late) != VS_OK)
        h->tally.left_out++;
}

static enum vs_err hunt_start(struct link_state *l, struct store *st)
{
    struct hunt *h = calloc(1, sizeof *h);
    uint64_t refused = 0;

    if (h == NULL)
        return VS_ERR_NO_MEMORY;
    hunt_free(l->hunt); /* the new search looks for what the old one looked for, too */
    l->hunt = h;
    h->version = l->version;
    intel_tally_init(&h->tally);
    enum vs_err err = intel_index_new(&h->index);
    if (err == VS_OK)
        err = load_table(st, h->index, 0, true, &refused);
    if (err == VS_OK)
        err = registry_new(&h->registry);
    if (err == VS_OK)
        err = registry_store_load(st, h->registry);
    return err == VS_OK ? intel_scan_open(l->cfg->stream, h->registry, h->index, on_found, h, &h->scan) : err;
}

/* ---- writing */

struct pair {
    int64_t indicator;
    char vid[VID_TEXT_SIZE];
};

static enum vs_err write_tally(struct link_state *l, struct store *st, struct intel_tally *t, int64_t now_us,
                               uint64_t *changes)
{
    char vid[VID_TEXT_SIZE];
    enum vs_err err = VS_OK;

    intel_tally_sort(t);
    for (uint32_t i = 0; err == VS_OK && i < t->count; i++) {
        const struct intel_tally_row *r = &t->row[i];
        struct intel_match_row row = {r->indicator, {0}, r->hour, r->first_us, r->last_us, r->count, r->late};

        memcpy(row.vid, r->vid, EV_VID_SIZE);
        err = intel_match_add(st, &row, r->member, r->member_count, INTEL_MEMBERS_MAX);
    }
    for (uint32_t i = 0; err == VS_OK && i < t->count; i++) {
        const struct intel_tally_row *r = &t->row[i], *next = i + 1 < t->count ? r + 1 : NULL;

        if (next != NULL && next->indicator == r->indicator && memcmp(next->vid, r->vid, EV_VID_SIZE) == 0)
            continue;
        alert_vid_text(r->vid, vid);
        err = intel_alerts_update(st, r->indicator, slice_str(vid), now_us, changes);
    }
    l->left_out += t->left_out;
    t->left_out = 0;
    intel_tally_reset(t);
    return err;
}

/* The next alert of a hunted indicator that no match stands behind. */
static bool next_orphan(struct store *st, const struct hunt *h, struct pair *ret)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT a.indicator, a.vid FROM intel_alert a JOIN intel_indicator i ON i.number = a.indicator "
            "WHERE i.hunted = 0 AND i.version <= ? AND NOT EXISTS (SELECT 1 FROM intel_match m "
            "WHERE m.indicator = a.indicator AND m.vid = a.vid) LIMIT 1");
    bool any;

    store_bind_i64(q, 1, h->version);
    any = store_step(q) == VS_OK;
    if (any) {
        ret->indicator = store_i64(q, 0);
        any = slice_to_str(store_text(q, 1), ret->vid, sizeof ret->vid);
    }
    store_done(q);
    return any;
}

static enum vs_err forget_matches(struct store *st, const struct hunt *h, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);

    store_bind_i64(q, 1, h->version);
    return store_run(q);
}

/* The search has come as far as live reading: its result replaces what was counted for these indicators. */
static enum vs_err hunt_finish(struct link_state *l, struct store *st, int64_t now_us, uint64_t *changes)
{
    struct hunt *h = l->hunt;
    struct pair orphan;
    enum vs_err err = forget_matches(st, h,
                                     "DELETE FROM intel_member WHERE indicator IN (SELECT number FROM "
                                     "intel_indicator WHERE hunted = 0 AND version <= ?)");

    if (err == VS_OK)
        err = forget_matches(st, h,
                             "DELETE FROM intel_match WHERE indicator IN (SELECT number FROM intel_indicator "
                             "WHERE hunted = 0 AND version <= ?)");
    if (err == VS_OK)
        err = write_tally(l, st, &h->tally, now_us, changes);
    while (err == VS_OK && next_orphan(st, h, &orphan))
        err = intel_alerts_update(st, orphan.indicator, slice_str(orphan.vid), now_us, changes);
    if (err == VS_OK)
        err = forget_matches(st, h, "UPDATE intel_indicator SET hunted = 1 WHERE hunted = 0 AND version <= ?");
    hunt_free(h);
    l->hunt = NULL;
    l->unhunted = any_unhunted(st);
    return err;
}

static enum vs_err hunt_step(struct link_state *l, struct store *st, int64_t now_us, uint64_t *changes)
{
    bool done = false;

    if (l->hunt == NULL)
        return VS_OK;
    enum vs_err err = intel_scan_step(l->hunt->scan, l->seen, INTEL_HUNT_RECORDS, &done);
    return err == VS_OK && done ? hunt_finish(l, st, now_us, changes) : err;
}

static enum vs_err write_positions(struct link_state *l, struct store *st)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; err == VS_OK && i < l->partition_count; i++) {
        if (l->seen[i] == l->counted[i])
            continue;
        struct store_stmt *q = store_prepare(st, "INSERT INTO intel_position (log_partition, log_offset) VALUES (?, ?) "
                                                 "ON CONFLICT (log_partition) DO UPDATE SET "
                                                 "log_offset = excluded.log_offset");
        store_bind_i64(q, 1, i);
        store_bind_i64(q, 2, (int64_t)l->seen[i]);
        err = store_run(q);
        l->counted[i] = l->seen[i];
    }
    return err;
}

static enum vs_err refresh(struct link_state *l, struct store *st, int64_t now_us)
{
    int64_t version = intel_store_version(st), above = l->version;
    struct intel_stats stats;
    enum vs_err err;

    if (version == above && (l->hunt != NULL || !l->unhunted))
        return VS_OK;
    l->version = version;
    err = load_table(st, l->index, above, false, &l->refused);
    l->unhunted = l->unhunted || version != above;
    if (err == VS_OK && l->unhunted)
        err = hunt_start(l, st);
    intel_index_stats(l->index, &stats);
    if (err == VS_OK)
        err = gauge_put(st, "intel_indicators", stats.indicators, now_us);
    return err == VS_OK ? gauge_put(st, "intel_left_out", (int64_t)(l->left_out + l->refused), now_us) : err;
}

static enum vs_err link_commit(void *self, struct store *st, int64_t now_us, bool quiet, uint64_t *changes)
{
    struct link_state *l = self;
    enum vs_err err = l->err;

    (void)quiet;
    if (err == VS_OK)
        err = write_tally(l, st, &l->tally, now_us, changes);
    if (err == VS_OK)
        err = write_positions(l, st);
    if (err == VS_OK)
        err = refresh(l, st, now_us);
    if (err == VS_OK)
        err = hunt_step(l, st, now_us, changes);
    if (err == VS_OK && now_us - l->closed_us >= CLOSE_EVERY_US) {
        l->closed_us = now_us;
        err = intel_alerts_close(st, now_us, changes);
    }
    return err;
}

static bool link_due(void *self, struct store *st)
{
    const struct link_state *l = self;

    return l->hunt != NULL || l->unhunted || intel_store_version(st) != l->version;
}

const struct pipeline_part intel_link = {
    .name = "intel",
    .open = link_open,
    .close = link_close,
    .event = link_event,
    .due = link_due,
    .commit = link_commit,
};
