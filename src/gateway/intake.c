#include "gateway/intake.h"

#include <assert.h>

#include "gateway/record.h"

#define ACCOUNT_BYTES (96u + 17u * EV_FOLDS_MAX) /* an accounting event at most */

static void mark_changed(struct gateway *gw, int64_t now_us)
{
    if (gw->commit_from_us == 0)
        gw->commit_from_us = now_us > 0 ? now_us : 1;
}

uint32_t intake_open_bytes(const struct gateway *gw)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < gw->aggregate.slot_count; i++) {
        const struct aggregate_slot *s = &gw->aggregate.slot[i];

        if (s->used && s->dirty)
            bytes += outbox_staged_size(s->len + 32u + 17u * s->folds.count);
    }
    for (unsigned f = 1; f < ACCOUNT_FILTERS; f++)
        if (gw->account.slot[f].used && gw->account.slot[f].dirty)
            bytes += outbox_staged_size(ACCOUNT_BYTES);
    return bytes;
}

enum vs_err intake_ensure(struct gateway *gw, size_t bytes, int64_t now_us)
{
    if (outbox_staging_left(&gw->outbox) >= intake_open_bytes(gw) + bytes)
        return VS_OK;
    return intake_commit(gw, now_us);
}

/* An open record without a place in the index is not staged: a power loss would cost its numbers, which is counted. */
static void stage_open(struct gateway *gw)
{
    struct event ev;

    for (uint32_t i = 0; i < gw->aggregate.slot_count; i++) {
        struct aggregate_slot *s = &gw->aggregate.slot[i];

        if (!s->used || !s->dirty)
            continue;
        aggregate_slot_event(s, gw->outbox.epoch, &ev);
        gw->counters.open_not_kept += outbox_put(&gw->outbox, &ev, true) != VS_OK;
        s->dirty = false;
    }
    for (unsigned f = 1; f < ACCOUNT_FILTERS; f++) {
        struct account_slot *s = &gw->account.slot[f];

        if (!s->used || !s->dirty)
            continue;
        account_event(&gw->account, (uint8_t)f, &ev);
        gw->counters.open_not_kept += outbox_put(&gw->outbox, &ev, true) != VS_OK;
        s->dirty = false;
    }
}

enum vs_err intake_commit(struct gateway *gw, int64_t now_us)
{
    assert(outbox_staging_left(&gw->outbox) >= intake_open_bytes(gw));
    stage_open(gw);
    enum vs_err err = outbox_commit(&gw->outbox);
    if (err != VS_OK) {
        gw->counters.commit_failed++;
        mark_changed(gw, now_us);
        return err;
    }
    gw->commit_from_us = 0;
    return VS_OK;
}

/* Sends the accounting event of a filter on its way. */
static void close_account(struct gateway *gw, uint8_t filter)
{
    struct account_slot *s = &gw->account.slot[filter];
    struct event ev;

    account_event(&gw->account, filter, &ev);
    size_t len = record_size_max(&ev);
    bool known = outbox_knows(&gw->outbox, ev.seq);
    if ((known || outbox_has_room(&gw->outbox, len, OUTBOX_ROOM_ACCOUNT)) &&
        outbox_put(&gw->outbox, &ev, false) == VS_OK)
        gw->counters.passed++;
    else
        gw->counters.unaccounted += 1 + folds_total(&s->folds);
    s->used = false;
    s->dirty = false;
}

/* Makes the filter's accounting event ready to take a run. */
static void open_account(struct gateway *gw, struct ev_fold run, int64_t now_us)
{
    if (account_fits(&gw->account, run))
        return;
    if (gw->account.slot[run.filter].used)
        close_account(gw, run.filter);
    account_open(&gw->account, run.filter, gw->outbox.seq_next++, now_us);
}

/* Accounts for numbers that were given before. */
static void account_for(struct gateway *gw, struct ev_fold run, int64_t now_us)
{
    open_account(gw, run, now_us);
    account_add(&gw->account, run, now_us);
    mark_changed(gw, now_us);
}

/* Accounts for a record that was made and will not be sent: its own number and those that it stands for. */
static void account_record(struct gateway *gw, const struct event *ev, uint8_t filter, int64_t now_us)
{
    account_for(gw, (struct ev_fold){.seq_first = ev->seq, .count = 1, .filter = filter}, now_us);
    for (unsigned i = 0; i < ev->fold_count; i++) {
        struct ev_fold run = ev->fold[i];

        run.filter = filter;
        account_for(gw, run, now_us);
    }
}

/* Numbers an event that is withheld. The accounting event is opened before, so that its number does not come between.
 */
static void withhold(struct gateway *gw, uint8_t filter, int64_t now_us)
{
    struct ev_fold run = {.seq_first = gw->outbox.seq_next, .count = 1, .filter = filter};

    open_account(gw, run, now_us);
    run.seq_first = gw->outbox.seq_next++;
    account_add(&gw->account, run, now_us);
    mark_changed(gw, now_us);
}

/* Gives up waiting records until there is room for `len` bytes of this priority; critical ones may use what is kept. */
static enum vs_err make_room(struct gateway *gw, size_t len, uint8_t priority, int64_t now_us)
{
    struct outbox *o = &gw->outbox;
    enum outbox_room room = priority == EV_PRIORITY_CRITICAL ? OUTBOX_ROOM_CRITICAL : OUTBOX_ROOM_ORDINARY;

    while (!outbox_has_room(o, len, room)) {
        struct outbox_cache cache = {.block = OUTBOX_STAGED};
        struct event ev;
        enum vs_err err = intake_ensure(gw, GATEWAY_ACTION_BYTES, now_us);

        if (err != VS_OK)
            return err;
        struct outbox_entry *victim = outbox_victim(o, priority);
        if (victim == NULL)
            return VS_ERR_FULL;
        err = outbox_read(o, victim, &cache, &ev);
        if (err == VS_OK)
            account_record(gw, &ev, EV_FILTER_JOURNAL_FULL, now_us);
        else if (err != VS_ERR_TAMPERED)
            return err;
        else
            o->counters.unreadable++;
        /* Accounting may have moved the index about: find the victim again. */
        outbox_give_up(o, outbox_victim(o, priority));
    }
    return VS_OK;
}

static enum vs_err store(struct gateway *gw, const struct event *ev, int64_t now_us)
{
    enum vs_err err = outbox_put(&gw->outbox, ev, false);

    if (err == VS_OK)
        gw->counters.passed++;
    mark_changed(gw, now_us);
    return err;
}

/* Closes an aggregate: its record goes through the filters behind aggregation and to the outbox. The slot is free then,
 * or goes on with its window. On failure it is as it was. */
static enum vs_err close_slot(struct gateway *gw, struct aggregate_slot *s, bool restart, int64_t now_us)
{
    struct event ev;

    aggregate_slot_event(s, gw->outbox.epoch, &ev);
    size_t len = record_size_max(&ev);
    bool known = outbox_knows(&gw->outbox, ev.seq);
    enum vs_err room = known ? VS_OK : make_room(gw, len, ev.priority, now_us);
    if (room != VS_OK && room != VS_ERR_FULL)
        return room;
    enum vs_err err = intake_ensure(gw, outbox_staged_size(len) + GATEWAY_ACTION_BYTES, now_us);
    if (err != VS_OK)
        return err;
    uint8_t filter = qualify_after(&gw->qualify, s->rule, &ev, len, now_us);
    bool stored = filter == 0 && room == VS_OK && store(gw, &ev, now_us) == VS_OK;
    if (!stored) {
        *(filter != 0 ? &gw->counters.withheld : &gw->counters.given_up) += 1;
        account_record(gw, &ev, filter != 0 ? filter : EV_FILTER_JOURNAL_FULL, now_us);
        outbox_forget(&gw->outbox, gw->outbox.epoch, ev.seq);
    }
    if (restart)
        aggregate_restart(s);
    else
        aggregate_free(s);
    return VS_OK;
}

/* Sends an event on its way under the next number, unless a filter behind aggregation or a full journal withholds it.
 */
static enum vs_err pass(struct gateway *gw, struct event *ev, uint32_t rule, bool room, int64_t now_us)
{
    uint8_t filter = qualify_after(&gw->qualify, rule, ev, record_size_max(ev), now_us);

    if (filter != 0) {
        gw->counters.withheld++;
        withhold(gw, filter, now_us);
        return VS_OK;
    }
    ev->seq = gw->outbox.seq_next;
    if (room && store(gw, ev, now_us) == VS_OK) {
        gw->outbox.seq_next++;
        return VS_OK;
    }
    gw->counters.given_up++;
    withhold(gw, EV_FILTER_JOURNAL_FULL, now_us);
    return VS_ERR_FULL;
}

static enum vs_err ensure_for(struct gateway *gw, const struct event *ev, int64_t now_us)
{
    return intake_ensure(gw, outbox_staged_size(record_size_max(ev)) + GATEWAY_ACTION_BYTES, now_us);
}

/* Offers an event to aggregation, closing what is in its way. *ret_pass says whether it goes on by itself. */
static enum vs_err aggregate_event(struct gateway *gw, struct event *ev, uint32_t rule, int64_t now_us, bool *ret_pass)
{
    const struct qualify_rule *r = qualify_rule_at(&gw->qualify, rule);
    enum aggregate_result result;
    uint32_t at;

    for (;;) {
        ev->seq = gw->outbox.seq_next;
        result = aggregate_offer(&gw->aggregate, ev, rule, r->aggregate_ms, r->lead, now_us, &at);
        if (result != AGGREGATE_FULL && result != AGGREGATE_EVICT)
            break;
        enum vs_err err = close_slot(gw, &gw->aggregate.slot[at], result == AGGREGATE_FULL, now_us);
        if (err == VS_OK)
            err = ensure_for(gw, ev, now_us);
        if (err != VS_OK)
            return err;
    }
    *ret_pass = result == AGGREGATE_LEADS || result == AGGREGATE_LARGE;
    if (*ret_pass)
        return VS_OK;
    gw->outbox.seq_next++;
    gw->counters.merged += result == AGGREGATE_MERGED;
    mark_changed(gw, now_us);
    return VS_OK;
}

enum vs_err intake_take(struct gateway *gw, struct event *ev, int64_t now_us)
{
    enum vs_err err = ensure_for(gw, ev, now_us);
    bool goes_on = true;

    if (err != VS_OK)
        return err;
    ev->epoch = gw->outbox.epoch;
    uint32_t rule = qualify_rule_for(&gw->qualify, ev);
    uint8_t filter = qualify_before(&gw->qualify, rule, ev);
    if (filter != 0) {
        gw->counters.withheld++;
        withhold(gw, filter, now_us);
        return VS_OK;
    }
    enum vs_err room = make_room(gw, record_size_max(ev), ev->priority, now_us);
    if (room != VS_OK && room != VS_ERR_FULL)
        return room;
    if ((err = ensure_for(gw, ev, now_us)) != VS_OK)
        return err;
    const struct qualify_rule *r = qualify_rule_at(&gw->qualify, rule);
    if (r->aggregate_ms > 0 && !qualify_bypasses(r))
        err = aggregate_event(gw, ev, rule, now_us, &goes_on);
    return err == VS_OK && goes_on ? pass(gw, ev, rule, room == VS_OK, now_us) : err;
}

enum vs_err intake_own(struct gateway *gw, struct event *ev, int64_t now_us)
{
    enum vs_err err = ensure_for(gw, ev, now_us);

    if (err != VS_OK)
        return err;
    ev->epoch = gw->outbox.epoch;
    ev->seq = gw->outbox.seq_next;
    if (!outbox_has_room(&gw->outbox, record_size_max(ev), OUTBOX_ROOM_ACCOUNT) || store(gw, ev, now_us) != VS_OK)
        return VS_ERR_FULL;
    gw->outbox.seq_next++;
    return VS_OK;
}

static bool window_over(int64_t opened_us, uint32_t window_ms, int64_t now_us)
{
    return now_us < opened_us || now_us - opened_us >= (int64_t)window_ms * 1000;
}

enum vs_err intake_close(struct gateway *gw, bool all, int64_t now_us)
{
    for (uint32_t i = 0; i < gw->aggregate.slot_count; i++) {
        struct aggregate_slot *s = &gw->aggregate.slot[i];
        enum vs_err err = VS_OK;

        if (!s->used || (!all && !window_over(s->opened_us, s->window_ms, now_us)))
            continue;
        if (s->count == 0)
            aggregate_free(s);
        else
            err = close_slot(gw, s, false, now_us);
        if (err != VS_OK)
            return err;
    }
    for (unsigned f = 1; f < ACCOUNT_FILTERS; f++) {
        const struct account_slot *s = &gw->account.slot[f];

        if (!s->used || (!all && !window_over(s->opened_us, gw->cfg.account_ms, now_us)))
            continue;
        enum vs_err err = intake_ensure(gw, GATEWAY_ACTION_BYTES, now_us);
        if (err != VS_OK)
            return err;
        close_account(gw, (uint8_t)f);
        mark_changed(gw, now_us);
    }
    return VS_OK;
}
