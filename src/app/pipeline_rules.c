/* Rules: loaded, changed while running, and filled from the log when they are new.
 *
 * A backfill reads the log again with a normaliser of its own, from the first record received within the horizon to
 * where reading stood when the rules were changed; what comes later reaches the new rules by the usual way. So each
 * event of the horizon is handed to a new rule once, as a backtest does. */
#include "app/pipeline_internal.h"

#include <stdio.h>
#include <stdlib.h>

struct pipeline_backfill {
    struct log_pipeline *p;
    struct normalise *normalise;
    struct stream_reader **reader; /* by partition */
    uint64_t *until;               /* offset at which it ends */
    bool *ended;
    uint32_t partition_count, turn;
    int64_t from_us; /* records received earlier are passed over */
    uint64_t records, events;
};

/* ---- loading */

enum vs_err pipeline_rules_load(const struct pipeline_config *cfg, struct pipeline_rules **ret,
                                struct pipeline_error *e)
{
    struct pipeline_rules *r = calloc(1, sizeof *r);

    if (r == NULL)
        return VS_ERR_NO_MEMORY;
    diag_init(&r->diag);
    plan_init(&r->plan);
    enum vs_err err = plan_load(&r->plan, &cfg->rules_path, 1, &r->diag);
    if (err != VS_OK) {
        const struct diag_entry *d = r->diag.count > 0 ? &r->diag.entry[0] : NULL;

        if (d != NULL)
            snprintf(e->text, sizeof e->text, "%s:%u:%u: %s", d->path, d->line, d->column, d->text);
        else
            snprintf(e->text, sizeof e->text, "%s: %s", cfg->rules_path, vs_err_text(err));
        plan_done(&r->plan);
        diag_done(&r->diag);
        free(r);
        return err;
    }
    sighter_init(&r->sighter, &r->plan);
    r->sighter.horizon_us = (int64_t)cfg->lateness_days * DAY_US;
    record_init(&r->record, &r->plan.fields);
    r->record.unique = true; /* normalise hands every number on once */
    *ret = r;
    return VS_OK;
}

void pipeline_rules_free(struct pipeline_rules *r)
{
    if (r == NULL)
        return;
    record_done(&r->record);
    sighter_done(&r->sighter);
    plan_done(&r->plan);
    diag_done(&r->diag);
    free(r);
}

bool pipeline_rules_see(struct pipeline_rules *r, const struct event *ev, const struct normalised *no,
                        struct sighting *ret)
{
    const struct enrichment about = {.model = no->model,
                                     .hw = no->hardware,
                                     .sw_version = no->sw_version,
                                     .region = no->region,
                                     .received_us = no->received_us};
    const struct interest_kind *kind = interest_of(r->plan.interest, interest_kind(ev));

    if (kind->count == 0)
        return false;
    record_from_event(&r->record, ev, &about, &kind->fields);
    return sighter_step(&r->sighter, &r->record, ret) == SIGHT_OK && ret->place_count > 0;
}

/* ---- changing while running */

static enum vs_err take_over(struct log_pipeline *p, struct pipeline_rules *fresh)
{
    struct pipeline_writing w = {p, pipeline_begin(p)};

    if (w.err != VS_OK)
        return w.err;
    /* What the old rules still have to say is written while they are there. */
    engine_rebind(p->engine, &fresh->plan, pipeline_on_alert, &w);
    struct pipeline_rules *old = p->rules;
    p->rules = fresh;
    pipeline_rules_free(old);
    p->touched = true; /* the next commit writes it */
    if (w.err != VS_OK)
        return w.err;
    pipeline_backfill_free(p->backfill);
    p->backfill = NULL;
    return pipeline_backfill_begin(p);
}

enum vs_err pipeline_reload(struct log_pipeline *p, struct pipeline_error *ret_error)
{
    struct pipeline_rules *fresh = NULL;
    enum vs_err err = p->behind || p->backfill != NULL ? VS_ERR_BUSY : pipeline_commit(p);

    if (err != VS_OK)
        return pipeline_fail(ret_error, err, "rules", "still reading what was read before; ask again later");
    err = pipeline_rules_load(&p->cfg, &fresh, ret_error);
    if (err != VS_OK) {
        pipeline_watch_rules(p, ret_error->text);
        pipeline_say(p, "rules.refused", "%s; the rules from before go on", ret_error->text);
        return err;
    }
    pipeline_watch_rules(p, NULL);
    err = take_over(p, fresh);
    if (err != VS_OK)
        return pipeline_fail(ret_error, err, "rules", store_error_text(p->cfg.store));
    pipeline_say(p, "rules.loaded", "%u rules%s", p->rules->plan.rule_count,
                 p->backfill != NULL ? "; new ones are being filled from the log" : "");
    return VS_OK;
}

/* ---- backfill */

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct pipeline_backfill *b = ctx;
    struct sighting seen;

    b->events++;
    if (!pipeline_rules_see(b->p->rules, ev, no, &seen))
        return;
    seen.tag = member_facts_tag(&b->p->facts, ev, no);
    engine_backfill(b->p->engine, &seen);
}

static bool any_needs(const struct log_pipeline *p)
{
    const struct plan *plan = &p->rules->plan;
    bool needs = false;

    for (uint32_t i = 0; i < plan->corr_count && !needs; i++)
        needs = engine_needs_backfill(p->engine, plan->rule[plan->corr[i]]);
    return needs;
}

static enum vs_err backfill_open(struct log_pipeline *p, struct pipeline_backfill *b)
{
    const struct normalise_config normal = {.registry = p->registry, .event = on_event, .ctx = b};
    enum vs_err err = normalise_new(&normal, &b->normalise);

    b->p = p;
    b->reader = calloc(p->partition_count, sizeof *b->reader);
    b->until = calloc(p->partition_count, sizeof *b->until);
    b->ended = calloc(p->partition_count, sizeof *b->ended);
    if (b->reader == NULL || b->until == NULL || b->ended == NULL)
        return VS_ERR_NO_MEMORY;
    b->partition_count = p->partition_count;
    b->from_us = p->progress.now_us - p->rules->sighter.horizon_us;
    for (uint32_t i = 0; err == VS_OK && i < p->partition_count; i++) {
        b->until[i] = p->partition[i].next;
        b->ended[i] = b->until[i] == 0;
        err = stream_reader_open(p->cfg.stream, i, 0, &b->reader[i]);
    }
    return err;
}

enum vs_err pipeline_backfill_begin(struct log_pipeline *p)
{
    if (!any_needs(p))
        return VS_OK;
    struct pipeline_backfill *b = calloc(1, sizeof *b);
    enum vs_err err = b != NULL ? backfill_open(p, b) : VS_ERR_NO_MEMORY;

    if (err != VS_OK) {
        pipeline_backfill_free(b);
        return err;
    }
    p->backfill = b;
    return VS_OK;
}

void pipeline_backfill_free(struct pipeline_backfill *b)
{
    if (b == NULL)
        return;
    for (uint32_t i = 0; b->reader != NULL && i < b->partition_count; i++)
        stream_reader_close(b->reader[i]);
    free(b->reader);
    free(b->until);
    free(b->ended);
    normalise_free(b->normalise);
    free(b);
}

static enum vs_err backfill_one(struct pipeline_backfill *b, uint32_t partition)
{
    struct stream_record rec;
    enum vs_err err = stream_reader_next(b->reader[partition], &rec);

    if (err == VS_ERR_TAMPERED)
        return VS_OK;
    if (err == VS_ERR_END || (err == VS_OK && rec.offset >= b->until[partition])) {
        b->ended[partition] = true;
        return VS_OK;
    }
    if (err != VS_OK || rec.received_us < b->from_us)
        return err;
    b->records++;
    return normalise_step(b->normalise, &rec);
}

enum vs_err pipeline_backfill_step(struct log_pipeline *p, uint32_t max)
{
    struct pipeline_backfill *b = p->backfill;
    enum vs_err err = VS_OK;
    uint32_t idle = 0;

    for (uint32_t done = 0; err == VS_OK && done < max && idle < b->partition_count;) {
        uint32_t at = b->turn;

        b->turn = (b->turn + 1) % b->partition_count;
        idle = b->ended[at] ? idle + 1 : 0;
        if (b->ended[at])
            continue;
        err = backfill_one(b, at);
        done++;
    }
    p->touched = true;
    if (err != VS_OK || idle < b->partition_count)
        return err;
    engine_backfill_end(p->engine);
    pipeline_say(p, "rules.filled", "%llu records, %llu events read again for new rules",
                 (unsigned long long)b->records, (unsigned long long)b->events);
    pipeline_backfill_free(b);
    p->backfill = NULL;
    return VS_OK;
}

bool pipeline_backfilling(const struct log_pipeline *p)
{
    return p->backfill != NULL;
}
