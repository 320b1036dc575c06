#include "app/intel_alerts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/alert_writer.h"
#include "base/crypto.h"
#include "core/hex.h"
#include "core/writer.h"
#include "detect/intel/intel_tally.h"
#include "detect/intel/stix_object.h"
#include "store/intel_match_store.h"
#include "store/intel_store.h"

#define EPISODES_MAX  1024 /* of one indicator and vehicle; more grow the last one */
#define PATTERN_SHOWN 400

struct episode {
    int64_t first_us, last_us;
    uint64_t count;
    bool late;
    char id[ALERT_ID_TEXT_SIZE];
};

struct update {
    struct store *st;
    int64_t indicator, now_us;
    struct slice vid;
    uint64_t *changes;
    char indicator_id[160], title[700], rationale[1400];
    uint8_t severity;
    struct episode *episode;
    uint32_t count;
    enum vs_err err;   /* of reading members, inside a callback */
    struct kept *kept; /* texts of the members handed out */
};

/* ---- what the alert says of its indicator */

static uint8_t severity_of(int64_t confidence)
{
    return confidence < 0 || (confidence >= 30 && confidence < 70) ? ALERT_MEDIUM
           : confidence >= 70                                      ? ALERT_HIGH
                                                                   : ALERT_LOW;
}

static enum vs_err describe(struct update *u)
{
    struct store_stmt *q =
        store_prepare(u->st, "SELECT " INTEL_INDICATOR_COLUMNS " FROM intel_indicator i WHERE i.number = ?");
    struct intel_indicator_row row;

    store_bind_i64(q, 1, u->indicator);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        intel_indicator_row_read(q, &row);
        bool red = row.tlp == TLP_RED;
        struct slice name = red ? slice_str("TLP:RED") : row.name.len > 0 ? row.name : row.id;

        snprintf(u->indicator_id, sizeof u->indicator_id, "%.*s", (int)row.id.len, (const char *)row.id.ptr);
        snprintf(u->title, sizeof u->title, "Threat intelligence match: %.*s", (int)name.len, (const char *)name.ptr);
        if (red)
            snprintf(u->rationale, sizeof u->rationale, "Indicator %s, TLP:RED: ask threat intelligence.",
                     u->indicator_id);
        else
            snprintf(u->rationale, sizeof u->rationale, "Indicator %s from %.*s, %s, pattern %.*s", u->indicator_id,
                     (int)row.source.len, (const char *)row.source.ptr,
                     row.tlp == TLP_UNMARKED ? "not marked" : stix_tlp_name((enum stix_tlp)row.tlp),
                     (int)(row.pattern.len < PATTERN_SHOWN ? row.pattern.len : PATTERN_SHOWN),
                     (const char *)row.pattern.ptr);
        u->severity = severity_of(row.confidence);
    }
    store_done(q);
    return err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
}

/* ---- episodes */

static void make_id(const struct update *u, struct episode *e)
{
    static const char DOMAIN[] = "openvsoc intel alert 1";
    uint8_t time[8], hash[SHA256_SIZE];
    struct writer w;

    writer_init(&w, time, sizeof time);
    writer_u64be(&w, (uint64_t)e->first_us);
    const struct slice part[] = {slice_make(DOMAIN, sizeof DOMAIN), slice_str(u->indicator_id), u->vid,
                                 slice_make(time, sizeof time)};
    sha256_parts(part, sizeof part / sizeof part[0], hash);
    alert_id_text(hash, e->id);
}

static enum vs_err find_episodes(struct update *u)
{
    struct store_stmt *q = store_prepare(u->st, "SELECT first_us, last_us, count, late FROM intel_match "
                                                "WHERE indicator = ? AND vid = ? ORDER BY hour");
    enum vs_err err;

    store_bind_i64(q, 1, u->indicator);
    store_bind_text(q, 2, u->vid);
    while ((err = store_step(q)) == VS_OK) {
        int64_t first = store_i64(q, 0), last = store_i64(q, 1);
        struct episode *e = u->count > 0 ? &u->episode[u->count - 1] : NULL;

        if (e == NULL || (first - e->last_us > INTEL_EPISODE_US && u->count < EPISODES_MAX)) {
            e = &u->episode[u->count++];
            *e = (struct episode){.first_us = first, .last_us = last};
            make_id(u, e);
        }
        e->last_us = last > e->last_us ? last : e->last_us;
        e->count += (uint64_t)store_i64(q, 2);
        e->late = e->late || store_i64(q, 3) != 0;
    }
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

/* ---- writing */

/* The writer borrows members until the alert is written, a row of the database only lasts until the next one. */
struct kept {
    struct kept *next;
    uint8_t text[];
};

struct members {
    struct update *u;
    alert_member_fn *each;
    void *each_ctx;
};

static bool keep_member(void *ctx, const struct alert_member *row)
{
    struct members *s = ctx;
    struct alert_member m = *row;
    struct slice *const text[] = {&m.type,  &m.signature, &m.ecu,        &m.bus,
                                  &m.model, &m.hardware,  &m.sw_version, &m.region};
    size_t size = sizeof(struct kept), at = 0;

    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        size += text[i]->len;
    struct kept *k = malloc(size);
    if (k == NULL)
        return false;
    k->next = s->u->kept;
    s->u->kept = k;
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        if (text[i]->len > 0)
            memcpy(k->text + at, text[i]->ptr, text[i]->len);
        *text[i] = slice_make(k->text + at, text[i]->len);
        at += text[i]->len;
    }
    return s->each(s->each_ctx, &m);
}

static void forget_members(struct update *u)
{
    while (u->kept != NULL) {
        struct kept *next = u->kept->next;
        free(u->kept);
        u->kept = next;
    }
}

static void give_members(void *ctx, const struct alert *al, alert_member_fn *each, void *each_ctx)
{
    struct members s = {ctx, each, each_ctx};

    s.u->err = intel_match_members(s.u->st, s.u->indicator, s.u->vid, al->first_us / INTEL_HOUR_US,
                                   al->last_us / INTEL_HOUR_US, keep_member, &s);
}

static void fill(struct update *u, const struct episode *e, uint8_t state, struct alert *al, char count[24])
{
    memset(al, 0, sizeof *al);
    if (!hex_read(slice_str(e->id), al->id, sizeof al->id))
        assert(!"ids are hex text");
    snprintf(count, 24, "%llu", (unsigned long long)e->count);
    al->rule = slice_str("threat_intelligence");
    al->title = slice_str(u->title);
    al->severity = u->severity;
    al->state = state;
    al->late = e->late;
    al->group_count = 2;
    al->group[0] = (struct alert_group){slice_str("vin"), u->vid};
    al->group[1] = (struct alert_group){slice_str("indicator"), slice_str(u->indicator_id)};
    al->first_us = e->first_us;
    al->last_us = e->last_us;
    al->count = e->count;
    al->vehicles = 1;
    al->peak = slice_str(count);
}

static enum vs_err write_alert(struct update *u, struct alert *al)
{
    const struct alert_source source = {give_members, u};
    const struct alert_context context = {.rationale = slice_str(u->rationale),
                                          .owner = slice_str("threat-intelligence"),
                                          .safety = -1,
                                          .hunt_only = al->severity == ALERT_LOW};
    bool changed = false;
    enum vs_err err = alert_writer_put(u->st, &source, &context, al, u->now_us, &changed);

    forget_members(u);

    *u->changes += changed;
    return err == VS_OK ? u->err : err;
}

static enum vs_err note_alert(struct update *u, const struct episode *e)
{
    struct store_stmt *q = store_prepare(
        u->st, "INSERT INTO intel_alert (alert, indicator, vid, first_us, last_us) VALUES (?, ?, ?, ?, ?) "
               "ON CONFLICT (alert) DO UPDATE SET first_us = excluded.first_us, last_us = excluded.last_us");

    store_bind_text(q, 1, slice_str(e->id));
    store_bind_i64(q, 2, u->indicator);
    store_bind_text(q, 3, u->vid);
    store_bind_i64(q, 4, e->first_us);
    store_bind_i64(q, 5, e->last_us);
    return store_run(q);
}

/* Old alerts that are none of the episodes: those that overlap this one are superseded by it. */
static enum vs_err find_superseded(struct update *u, const struct episode *e, struct alert *al)
{
    struct store_stmt *q = store_prepare(u->st, "SELECT alert FROM intel_alert WHERE indicator = ? AND vid = ? AND "
                                                "first_us <= ? AND last_us >= ? AND alert <> ? ORDER BY first_us");
    enum vs_err err;

    store_bind_i64(q, 1, u->indicator);
    store_bind_text(q, 2, u->vid);
    store_bind_i64(q, 3, e->last_us);
    store_bind_i64(q, 4, e->first_us);
    store_bind_text(q, 5, slice_str(e->id));
    while ((err = store_step(q)) == VS_OK)
        if (al->supersedes_count < ALERT_SUPERSEDES_MAX &&
            hex_read(store_text(q, 0), al->supersedes[al->supersedes_count], ALERT_ID_SIZE))
            al->supersedes_count++;
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err write_episode(struct update *u, const struct episode *e)
{
    bool over = e->last_us + INTEL_EPISODE_US < u->now_us;
    struct alert al;
    char count[24];

    fill(u, e, over ? ALERT_CLOSED : ALERT_OPEN, &al, count);
    enum vs_err err = find_superseded(u, e, &al);
    for (uint32_t i = 0; err == VS_OK && i < al.supersedes_count; i++) {
        char id[ALERT_ID_TEXT_SIZE];
        struct store_stmt *q = store_prepare(u->st, "DELETE FROM intel_alert WHERE alert = ?");
        alert_id_text(al.supersedes[i], id);
        store_bind_text(q, 1, slice_str(id));
        err = store_run(q);
    }
    if (err == VS_OK)
        err = write_alert(u, &al);
    return err == VS_OK ? note_alert(u, e) : err;
}

static bool is_episode(const struct update *u, struct slice id)
{
    for (uint32_t i = 0; i < u->count; i++)
        if (slice_equal_str(id, u->episode[i].id))
            return true;
    return false;
}

/* One alert that no episode stands behind any more; VS_ERR_END when there is none. */
static enum vs_err next_orphan(struct update *u, struct episode *ret)
{
    struct store_stmt *q = store_prepare(u->st, "SELECT alert, first_us, last_us FROM intel_alert "
                                                "WHERE indicator = ? AND vid = ? ORDER BY first_us");
    enum vs_err err;

    store_bind_i64(q, 1, u->indicator);
    store_bind_text(q, 2, u->vid);
    while ((err = store_step(q)) == VS_OK) {
        if (is_episode(u, store_text(q, 0)))
            continue;
        *ret = (struct episode){.first_us = store_i64(q, 1), .last_us = store_i64(q, 2), .count = 0};
        (void)slice_to_str(store_text(q, 0), ret->id, sizeof ret->id);
        break;
    }
    store_done(q);
    return err;
}

static enum vs_err retract_orphans(struct update *u)
{
    struct episode e;
    struct alert al;
    char count[24];
    enum vs_err err;

    while ((err = next_orphan(u, &e)) == VS_OK) {
        fill(u, &e, ALERT_RETRACTED, &al, count);
        err = write_alert(u, &al);
        if (err != VS_OK)
            return err;
        struct store_stmt *q = store_prepare(u->st, "DELETE FROM intel_alert WHERE alert = ?");
        store_bind_text(q, 1, slice_str(e.id));
        err = store_run(q);
        if (err != VS_OK)
            return err;
    }
    return err == VS_ERR_END ? VS_OK : err;
}

enum vs_err intel_alerts_update(struct store *st, int64_t indicator, struct slice vid, int64_t now_us,
                                uint64_t *changes)
{
    struct update *u = calloc(1, sizeof *u);

    if (u == NULL)
        return VS_ERR_NO_MEMORY;
    u->st = st;
    u->indicator = indicator;
    u->vid = vid;
    u->now_us = now_us;
    u->changes = changes;
    u->episode = calloc(EPISODES_MAX, sizeof *u->episode);
    enum vs_err err = u->episode == NULL ? VS_ERR_NO_MEMORY : describe(u);
    if (err == VS_OK)
        err = find_episodes(u);
    for (uint32_t i = 0; err == VS_OK && i < u->count; i++)
        err = write_episode(u, &u->episode[i]);
    if (err == VS_OK)
        err = retract_orphans(u);
    free(u->episode);
    free(u);
    return err;
}

/* The next pair whose alert is open though its episode is over. */
static enum vs_err next_over(struct store *st, int64_t now_us, int64_t *ret_indicator, char vid[VID_TEXT_SIZE])
{
    struct store_stmt *q =
        store_prepare(st, "SELECT i.indicator, i.vid FROM intel_alert i JOIN alert a ON a.id = i.alert "
                          "WHERE a.state = 0 AND i.last_us < ? LIMIT 1");

    store_bind_i64(q, 1, now_us - INTEL_EPISODE_US);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        *ret_indicator = store_i64(q, 0);
        (void)slice_to_str(store_text(q, 1), vid, VID_TEXT_SIZE);
    }
    store_done(q);
    return err;
}

enum vs_err intel_alerts_close(struct store *st, int64_t now_us, uint64_t *changes)
{
    int64_t indicator = 0;
    char vid[VID_TEXT_SIZE] = "";
    enum vs_err err = VS_OK;

    for (unsigned i = 0; i < 1000 && (err = next_over(st, now_us, &indicator, vid)) == VS_OK; i++) {
        err = intel_alerts_update(st, indicator, slice_str(vid), now_us, changes);
        if (err != VS_OK)
            return err;
    }
    return err == VS_ERR_END ? VS_OK : err;
}
