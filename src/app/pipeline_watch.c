/* Alerts about the pipeline itself. Unlike those of rules they are about this process and its day, not a function of
 * the set of events: one per day (of the log's time), rule and name, which counts on over restarts because the database
 * holds the count. They open no incident; they are listed with all other alerts. */
#include "app/pipeline_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "core/timestamp.h"
#include "core/writer.h"
#include "ingest/pseudonym.h"
#include "store/gauge.h"

#define UNKNOWN_MEMBERS_MAX 256 /* events of vehicles that are not enrolled, kept between two commits */

static const char RULE_LIMIT[] = "vsoc_limit_reached", RULE_UNKNOWN[] = "vsoc_vehicle_not_enrolled",
                  RULE_RULES[] = "vsoc_rules_refused";

struct pipeline_watch {
    /* Vehicles that are not enrolled: seen on the day, by their dense number; and what was not written yet. */
    uint64_t *seen;
    uint32_t seen_words;
    int64_t day_us;
    uint64_t unknown_events;
    int64_t first_us, last_us;
    struct alert_member member[UNKNOWN_MEMBERS_MAX];
    uint32_t member_count;
    /* Rules that were refused. */
    bool rules_changed, rules_refused;
    char rules_text[512];
};

enum vs_err pipeline_watch_new(struct pipeline_watch **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret != NULL ? VS_OK : VS_ERR_NO_MEMORY;
}

void pipeline_watch_free(struct pipeline_watch *w)
{
    if (w == NULL)
        return;
    free(w->seen);
    free(w);
}

bool pipeline_watch_due(const struct pipeline_watch *w)
{
    return w->rules_changed;
}

/* ---- one alert */

/* What is new of an alert since it was written last. */
struct finding {
    const char *rule, *title;
    struct alert_group group[2];
    uint8_t group_count;
    uint8_t state;
    int64_t day_us;
    int64_t first_us, last_us;
    uint64_t count;
    const struct alert_member *member; /* one per vehicle that was not in it before */
    uint32_t member_count;
};

/* The first 16 bytes of SHA-256 over rule, group and day, each with a zero byte behind it. */
static void name_alert(const struct finding *f, uint8_t ret[ALERT_ID_SIZE])
{
    uint8_t text[1024], digest[SHA256_SIZE];
    struct writer w;

    writer_init(&w, text, sizeof text);
    writer_bytes(&w, f->rule, strlen(f->rule) + 1);
    for (uint8_t i = 0; i < f->group_count; i++) {
        writer_put(&w, slice_head(f->group[i].value, 256));
        writer_u8(&w, 0);
    }
    writer_i64_text(&w, f->day_us);
    sha256(writer_slice(&w), digest);
    memcpy(ret, digest, ALERT_ID_SIZE);
}

/* Adds what is stored of the alert to what is new. */
static enum vs_err add_stored(struct store *st, struct alert *al)
{
    char id[ALERT_ID_TEXT_SIZE];
    struct store_stmt *q = NULL;
    struct alert_row row;

    alert_id_text(al->id, id);
    enum vs_err err = alert_store_find(st, slice_str(id), &q, &row);
    if (err != VS_OK)
        return err == VS_ERR_NOT_FOUND ? VS_OK : err;
    al->revision = (uint32_t)row.revision + 1;
    al->count += (uint64_t)row.count;
    al->vehicles += (uint64_t)row.vehicles;
    al->first_us = row.first_us < al->first_us ? row.first_us : al->first_us;
    al->last_us = row.last_us > al->last_us ? row.last_us : al->last_us;
    store_done(q);
    return VS_OK;
}

static enum vs_err write_finding(struct log_pipeline *p, const struct finding *f)
{
    const struct alert_context context = {.rationale = slice_str("The security monitoring watches itself."),
                                          .owner = slice_str("vsoc-operations"),
                                          .safety = -1,
                                          .hunt_only = true};
    struct alert al = {.rule = slice_str(f->rule),
                       .title = slice_str(f->title),
                       .severity = ALERT_LOW,
                       .state = f->state,
                       .group_count = f->group_count,
                       .first_us = f->first_us,
                       .last_us = f->last_us,
                       .count = f->count,
                       .vehicles = f->member_count,
                       .revision = 1};
    char peak[24];
    struct writer w;

    memcpy(al.group, f->group, sizeof f->group);
    name_alert(f, al.id);
    enum vs_err err = add_stored(p->cfg.store, &al);
    writer_init(&w, peak, sizeof peak);
    writer_u64_text(&w, al.count);
    al.peak = writer_slice(&w);
    if (err == VS_OK)
        err = alert_store_put(p->cfg.store, &al, al.revision == 1 ? "opened" : "extended", p->progress.now_us, NULL);
    if (err == VS_OK && f->member_count > 0)
        err = alert_store_add_members(p->cfg.store, al.id, f->member, f->member_count, false);
    if (err == VS_OK)
        err = respond_on_alert(p->cfg.store, &al, &context, p->progress.now_us);
    p->progress.alert_changes += err == VS_OK;
    return err;
}

/* ---- limits */

static void on_limit(void *ctx, const struct engine_limit_hit *hit)
{
    struct pipeline_writing *w = ctx;
    int64_t now_us = w->p->progress.now_us;
    const struct finding f = {
        .rule = RULE_LIMIT,
        .title = "A limit of the detection turned events away",
        .group = {{SLICE_LIT("limit"), slice_str(engine_limit_name(hit->limit))}, {SLICE_LIT("name"), hit->name}},
        .group_count = 2,
        .day_us = now_us - now_us % DAY_US,
        .first_us = now_us,
        .last_us = now_us,
        .count = hit->count};

    if (w->err == VS_OK)
        w->err = write_finding(w->p, &f);
}

/* ---- vehicles that are not enrolled */

/* True when the vehicle was not seen on this day before. */
static bool first_today(struct pipeline_watch *w, uint32_t vehicle)
{
    uint32_t word = vehicle / 64;

    if (word >= w->seen_words) {
        uint32_t words = word + 1 + word / 2;
        uint64_t *seen = realloc(w->seen, words * sizeof *seen);
        if (seen == NULL)
            return false;
        memset(seen + w->seen_words, 0, (words - w->seen_words) * sizeof *seen);
        w->seen = seen;
        w->seen_words = words;
    }
    bool first = (w->seen[word] >> vehicle % 64 & 1) == 0;
    w->seen[word] |= UINT64_C(1) << vehicle % 64;
    return first;
}

void pipeline_watch_unknown(struct log_pipeline *p, const struct event *ev, const struct normalised *no)
{
    struct pipeline_watch *w = p->watch;
    int64_t day_us = no->received_us - no->received_us % DAY_US;

    /* What a backend says of a vehicle, or of nobody, is no report by a vehicle. */
    if (ev->epoch >= PSEUDONYM_FEED_EPOCH_MIN)
        return;
    if (day_us > w->day_us) {
        if (w->seen != NULL)
            memset(w->seen, 0, w->seen_words * sizeof *w->seen);
        w->day_us = day_us;
    }
    bool first = first_today(w, no->vehicle);
    if (p->behind) /* what was said then stands */
        return;
    w->first_us = w->unknown_events == 0 || no->received_us < w->first_us ? no->received_us : w->first_us;
    w->last_us = no->received_us > w->last_us ? no->received_us : w->last_us;
    w->unknown_events++;
    if (!first || w->member_count == UNKNOWN_MEMBERS_MAX)
        return;
    /* Its texts would be gone at the commit; the place in the log is enough to find it. */
    struct alert_member *m = &w->member[w->member_count++];
    *m = (struct alert_member){.epoch = ev->epoch,
                               .seq = ev->seq,
                               .time_us = ev->first_us,
                               .count = ev->count,
                               .log_partition = no->partition,
                               .log_offset = no->offset,
                               .type = slice_str(ev_type_find(ev->type)->name)};
    memcpy(m->vid, ev->vid, sizeof m->vid);
}

static enum vs_err write_unknown(struct log_pipeline *p)
{
    struct pipeline_watch *w = p->watch;
    const struct finding f = {.rule = RULE_UNKNOWN,
                              .title =
                                  "Vehicles report that are not enrolled: nothing is known of their model, software "
                                  "and region",
                              .group = {{SLICE_LIT("coverage"), SLICE_LIT("not enrolled")}},
                              .group_count = 1,
                              .day_us = w->day_us,
                              .first_us = w->first_us,
                              .last_us = w->last_us,
                              .count = w->unknown_events,
                              .member = w->member,
                              .member_count = w->member_count};

    if (w->unknown_events == 0)
        return VS_OK;
    enum vs_err err = write_finding(p, &f);
    w->unknown_events = 0;
    w->member_count = 0;
    w->last_us = 0;
    return err;
}

/* ---- rules */

void pipeline_watch_rules(struct log_pipeline *p, const char *text)
{
    struct pipeline_watch *w = p->watch;

    w->rules_changed = text != NULL || w->rules_refused;
    w->rules_refused = text != NULL;
    if (text != NULL)
        snprintf(w->rules_text, sizeof w->rules_text, "Rules refused, the ones from before go on: %.400s", text);
}

static enum vs_err write_rules(struct log_pipeline *p)
{
    struct pipeline_watch *w = p->watch;
    const struct finding f = {.rule = RULE_RULES,
                              .title = w->rules_text,
                              .group = {{SLICE_LIT("rules"), slice_str(p->cfg.rules_path)}},
                              .group_count = 1,
                              .state = w->rules_refused ? ALERT_OPEN : ALERT_CLOSED,
                              .first_us = p->progress.now_us,
                              .last_us = p->progress.now_us,
                              .count = w->rules_refused};

    if (!w->rules_changed)
        return VS_OK;
    enum vs_err err = write_finding(p, &f);
    if (err == VS_OK)
        err = gauge_put(p->cfg.store, "rules_refused", w->rules_refused, p->progress.now_us);
    w->rules_changed = false;
    return err;
}

enum vs_err pipeline_watch_commit(struct log_pipeline *p)
{
    struct pipeline_writing w = {p, VS_OK};

    engine_limits_take(p->engine, on_limit, &w);
    if (w.err == VS_OK)
        w.err = write_unknown(p);
    return w.err == VS_OK ? write_rules(p) : w.err;
}
