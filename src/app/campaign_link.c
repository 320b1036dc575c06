#include "app/campaign_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/campaign_alerts.h"
#include "app/campaign_baseline.h"
#include "core/hex.h"
#include "detect/campaign/snapshot.h"
#include "store/gauge.h"

#define LINK_SETTLE_US    (INT64_C(900) * 1000000) /* of receive time between two looks while events come */
#define LINK_KNOWN        4096                     /* signatures remembered by their values; a power of two */
#define LINK_VEHICLES_MAX 50000000u

/* A signature by the values it is made of, so that its text is not written for every event. */
struct known {
    uint64_t key;
    uint32_t signature; /* + 1 */
};

struct link_state {
    struct campaigns *c;
    struct store *store;
    uint8_t *vid;       /* by vehicle number */
    uint32_t *odometer; /* the highest told, in km; 0 = none */
    uint32_t vehicles, vid_room, odometer_room;
    struct known known[LINK_KNOWN];
    /* Of the event before. */
    const uint8_t *model, *software, *region;
    uint64_t offset;
    uint32_t partition, vehicle, cohort;
    int64_t day;
    int64_t settled_us, learned_day, armed_seq;
    uint64_t unknown_count, vehicles_full_count;
    bool fresh; /* events came since everything was settled */
    enum vs_err err;
};

/* ---- events */

static bool grow(void **array, uint32_t need, uint32_t *room, size_t size)
{
    uint32_t more = *room == 0 ? 1024 : *room;

    if (need < *room)
        return true;
    while (more <= need)
        more += more / 2;
    uint8_t *grown = realloc(*array, more * size);
    if (grown == NULL)
        return false;
    memset(grown + *room * size, 0, (more - *room) * size);
    *array = grown;
    *room = more;
    return true;
}

static bool is_report(const struct event *ev)
{
    return ev->type == EV_VEHICLE_TROUBLE_CODE || ev_type_find(ev->type)->priority != EV_PRIORITY_LOW;
}

/* Found by what a document or a key says, not by a model that learned. */
static unsigned flags_of(const struct ev_type_info *type)
{
    static const char *const SPECIFIED[] = {
        "can.unknown_id",  "can.wrong_",    "can.signal_out", "can.counter",   "can.e2e",       "can.routing",
        "can.unknown_mux", "secoc.",        "uds.",           "someip.un",     "doip.un",       "eth.arp",
        "boot.",           "ota.signature", "ota.rollback",   "v2x.malformed", "v2x.signature", "charging.certificate",
        "debug.",          "log."};
    unsigned flags = 0;

    for (size_t i = 0; i < sizeof SPECIFIED / sizeof SPECIFIED[0]; i++)
        if (strncmp(type->name, SPECIFIED[i], strlen(SPECIFIED[i])) == 0)
            flags = CAMPAIGN_SPECIFIED;
    switch (type->signature_detail) {
    case EV_F_VALUE:
    case EV_F_DATA:
    case EV_F_PAYLOAD_SIGNATURE:
    case EV_F_HASH_AFTER:
        return flags | CAMPAIGN_PAYLOAD;
    default:
        return flags;
    }
}

static uint64_t fold(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

static uint64_t fold_field(uint64_t h, const struct event *ev, uint8_t id)
{
    const struct ev_field *f = id != EV_F_NONE ? event_get(ev, (enum ev_field_id)id) : NULL;

    if (f == NULL)
        return fold(h, 1);
    uint8_t kind = ev_field_find(id)->kind;
    if (kind != EV_KIND_TEXT && kind != EV_KIND_BYTES)
        return fold(fold(h, 2), f->value.u);
    h = fold(h, 3 + f->value.s.len);
    for (size_t i = 0; i < f->value.s.len; i++)
        h = fold(h, f->value.s.ptr[i]);
    return h;
}

static uint32_t signature_of(struct link_state *l, const struct event *ev)
{
    const struct ev_type_info *type = ev_type_find(ev->type);
    uint64_t key =
        fold_field(fold_field(fold(7, ev->type), ev, type->signature_subject), ev, type->signature_detail) | 1;
    struct known *k = &l->known[key >> 20 & (LINK_KNOWN - 1)];
    uint8_t buf[EV_SIGNATURE_MAX];
    struct writer w;

    if (k->key == key)
        return k->signature - 1;
    writer_init(&w, buf, sizeof buf);
    event_signature(ev, &w);
    uint32_t at = campaign_signature(l->c, slice_make(buf, w.len), flags_of(type));
    if (at != CAMPAIGN_NONE)
        *k = (struct known){key, at + 1};
    return at;
}

static bool know_vehicle(struct link_state *l, const struct event *ev, const struct normalised *no)
{
    if (no->vehicle >= LINK_VEHICLES_MAX) {
        l->vehicles_full_count++;
        return false;
    }
    if (!grow((void **)&l->vid, no->vehicle, &l->vid_room, EV_VID_SIZE) ||
        !grow((void **)&l->odometer, no->vehicle, &l->odometer_room, sizeof *l->odometer)) {
        l->err = VS_ERR_NO_MEMORY;
        return false;
    }
    memcpy(l->vid + (size_t)EV_VID_SIZE * no->vehicle, ev->vid, EV_VID_SIZE);
    if (no->vehicle >= l->vehicles)
        l->vehicles = no->vehicle + 1;
    return true;
}

/* What went before in the same record mostly answers for the next event: the same vehicle, cohort and day. */
static bool same_as_before(const struct link_state *l, const struct normalised *no)
{
    return no->vehicle == l->vehicle && no->offset == l->offset && no->partition == l->partition &&
           no->model.ptr == l->model && no->sw_version.ptr == l->software && no->region.ptr == l->region;
}

static void link_event(void *self, const struct event *ev, const struct normalised *no)
{
    struct link_state *l = self;
    int64_t day = ev->first_us / CAMPAIGN_DAY_US;

    /* Only enrolled vehicles count, so that made-up ones can neither raise nor bury a campaign. */
    if (!no->known || l->err != VS_OK) {
        l->unknown_count += !no->known;
        return;
    }
    bool same = same_as_before(l, no), report = is_report(ev);
    bool counts_km = ev->type == EV_VEHICLE_IGNITION_ON || ev->type == EV_VEHICLE_IGNITION_OFF;
    if (same && day == l->day && !report && !counts_km)
        return;
    if (!same) {
        if (!know_vehicle(l, ev, no))
            return;
        l->cohort = campaign_cohort(l->c, no->model, no->sw_version, no->region);
        l->model = no->model.ptr;
        l->software = no->sw_version.ptr;
        l->region = no->region.ptr;
        l->vehicle = no->vehicle;
        l->partition = no->partition;
        l->offset = no->offset;
    }
    l->day = day;
    l->fresh = true;
    const struct ev_field *km = event_get(ev, EV_F_ODOMETER);
    if (km != NULL && km->value.u < UINT32_MAX && (uint32_t)km->value.u > l->odometer[no->vehicle])
        l->odometer[no->vehicle] = (uint32_t)km->value.u;
    const struct campaign_origin origin = {
        .seq = ev->seq, .log_offset = no->offset, .epoch = ev->epoch, .log_partition = no->partition};
    l->err = report ? campaign_report(l->c, no->vehicle, l->cohort, signature_of(l, ev), ev->first_us, &origin)
                    : campaign_seen(l->c, no->vehicle, l->cohort, ev->first_us);
}

/* ---- facts for the reasoning */

static uint64_t vehicle_key(void *ctx, uint32_t vehicle)
{
    const struct link_state *l = ctx;
    uint64_t key;

    memcpy(&key, l->vid + (size_t)EV_VID_SIZE * vehicle, sizeof key);
    return key;
}

/* Hardware generations are few: their texts are kept by the instance, because rows are borrowed only until the next. */
static void vehicle_facts(void *ctx, uint32_t vehicle, int64_t time_us, struct campaign_vehicle *ret)
{
    static const char HARDWARE[] = "SELECT hardware FROM vehicle WHERE vid = ?";
    struct link_state *l = ctx;
    char vid[VID_TEXT_SIZE];

    alert_vid_text(l->vid + (size_t)EV_VID_SIZE * vehicle, vid);
    struct store_stmt *q = store_prepare(l->store, HARDWARE);
    store_bind_text(q, 1, slice_str(vid));
    if (store_step(q) == VS_OK && store_text(q, 0).len > 0)
        ret->hardware = campaign_text(l->c, store_text(q, 0));
    store_done(q);
    q = store_prepare(l->store,
                      "SELECT coalesce(max(from_us), 0) FROM vehicle_software WHERE vid = ? AND component = '' "
                      "AND from_us <= ?");
    store_bind_text(q, 1, slice_str(vid));
    store_bind_i64(q, 2, time_us);
    if (store_step(q) == VS_OK)
        ret->software_since_us = store_i64(q, 0);
    store_done(q);
    if (l->odometer[vehicle] > 0)
        ret->odometer_km = (int32_t)(l->odometer[vehicle] & INT32_MAX);
}

/* ---- part */

static void link_close(void *self)
{
    struct link_state *l = self;

    if (l == NULL)
        return;
    campaigns_free(l->c);
    free(l->vid);
    free(l->odometer);
    free(l);
}

static enum vs_err link_open(const struct pipeline_config *cfg, void **ret_self, struct pipeline_error *ret_error)
{
    struct link_state *l = calloc(1, sizeof *l);

    if (l == NULL)
        return VS_ERR_NO_MEMORY;
    const struct campaign_config campaign = {.facts = vehicle_facts, .key = vehicle_key, .ctx = l, .seed = 1};
    l->store = cfg->store;
    l->vehicle = UINT32_MAX;
    enum vs_err err = campaigns_new(&campaign, &l->c);
    if (err == VS_OK) {
        *ret_self = l;
        return VS_OK;
    }
    snprintf(ret_error->text, sizeof ret_error->text, "fleet statistics: %s", vs_err_text(err));
    link_close(l);
    return err;
}

static bool link_due(void *self, struct store *st)
{
    const struct link_state *l = self;

    return l->fresh || campaign_arming_last(st) != l->armed_seq;
}

struct writing {
    struct link_state *l;
    struct store *st;
    int64_t now_us;
    uint64_t changes;
    enum vs_err err;
};

static void on_change(void *ctx, const struct campaign *al)
{
    struct writing *w = ctx;
    bool changed = false;

    if (w->err == VS_OK)
        w->err = campaign_alert_put(w->st, w->l->c, w->l->vid, w->l->vehicles, al, w->now_us, &changed);
    w->changes += changed;
}

static enum vs_err put_gauges(const struct link_state *l, struct store *st, int64_t now_us)
{
    struct campaign_stats s;
    enum vs_err err;

    campaign_stats(l->c, &s);
    const struct {
        const char *name;
        uint64_t value;
    } GAUGE[] = {{"campaign_cases", s.cases},
                 {"campaign_cells", s.cells},
                 {"campaign_signatures", s.signatures},
                 {"campaign_left_out", s.too_old + s.signatures_full + s.cohorts_full + s.vehicle_full + s.tracks_full +
                                           s.slots_full + l->vehicles_full_count},
                 {"campaign_unknown_vehicle_events", l->unknown_count}};

    for (size_t i = 0; i < sizeof GAUGE / sizeof GAUGE[0]; i++)
        if ((err = gauge_put(st, GAUGE[i].name, (int64_t)GAUGE[i].value, now_us)) != VS_OK)
            return err;
    return VS_OK;
}

static enum vs_err link_commit(void *self, struct store *st, int64_t now_us, bool quiet, uint64_t *changes)
{
    struct link_state *l = self;
    struct writing w = {l, st, now_us, 0, VS_OK};
    bool armed = false;

    if (l->err == VS_OK && campaign_arming_last(st) != l->armed_seq)
        l->err = campaign_arm_from_store(l->c, st, &l->armed_seq, &armed);
    bool rest = quiet && l->fresh;
    if (l->err != VS_OK || (!armed && !rest && now_us - l->settled_us < LINK_SETTLE_US))
        return l->err;
    enum vs_err err = campaign_settle(l->c, now_us, rest || armed ? CAMPAIGN_ALL : CAMPAIGN_CHANGED);
    if (err == VS_OK)
        err = campaign_each(l->c, false, on_change, &w);
    if (err == VS_OK)
        err = w.err;
    if (err == VS_OK && now_us / CAMPAIGN_DAY_US != l->learned_day)
        err = campaign_candidate_write(l->c, st, now_us);
    if (err == VS_OK)
        err = put_gauges(l, st, now_us);
    l->learned_day = now_us / CAMPAIGN_DAY_US;
    l->settled_us = now_us;
    l->fresh = l->fresh && !rest;
    *changes += w.changes;
    return err;
}

static void link_save(const void *self, struct snapshot_writer *w)
{
    const struct link_state *l = self;

    snapshot_put_u64(w, l->vehicles);
    for (uint32_t i = 0; i < l->vehicles; i++) {
        snapshot_put_raw(w, l->vid + (size_t)EV_VID_SIZE * i, EV_VID_SIZE);
        snapshot_put_u32(w, l->odometer[i]);
    }
    snapshot_put_u64(w, l->unknown_count);
    snapshot_put_i64(w, l->settled_us);
    snapshot_put_u8(w, l->fresh);
    campaign_save(l->c, w);
}

static enum vs_err link_load(void *self, struct snapshot_in *in)
{
    struct link_state *l = self;

    for (uint64_t n = snapshot_get_count(in, EV_VID_SIZE + 4), i = 0; i < n; i++) {
        struct slice vid = snapshot_get_raw(in, EV_VID_SIZE);

        if (vid.len != EV_VID_SIZE || i >= LINK_VEHICLES_MAX)
            return VS_ERR_MALFORMED;
        if (!grow((void **)&l->vid, (uint32_t)i, &l->vid_room, EV_VID_SIZE) ||
            !grow((void **)&l->odometer, (uint32_t)i, &l->odometer_room, sizeof *l->odometer))
            return VS_ERR_NO_MEMORY;
        memcpy(l->vid + (size_t)EV_VID_SIZE * i, vid.ptr, EV_VID_SIZE);
        l->odometer[i] = snapshot_get_u32(in);
        l->vehicles = (uint32_t)i + 1;
    }
    l->unknown_count = snapshot_get_u64(in);
    l->settled_us = snapshot_get_i64(in);
    l->fresh = snapshot_get_u8(in) != 0;
    return campaign_load(l->c, in);
}

const struct pipeline_part campaign_link = {.name = "campaign",
                                            .open = link_open,
                                            .close = link_close,
                                            .event = link_event,
                                            .due = link_due,
                                            .commit = link_commit,
                                            .save = link_save,
                                            .load = link_load};
