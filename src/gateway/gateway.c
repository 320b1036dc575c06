#include "gateway/gateway.h"

#include "gateway/intake.h"
#include "gateway/record.h"

#define BATCH_EVENTS_DEFAULT 100u
#define ACCOUNT_MS_DEFAULT   60000u
#define SLOT_BYTES_MAX       (AGGREGATE_EVENT_MAX + 32u + 17u * EV_FOLDS_MAX + OUTBOX_HEAD_SIZE)

static void set_defaults(struct gateway *gw)
{
    struct gateway_config *c = &gw->cfg;

    if (c->batch_events_max == 0)
        c->batch_events_max = BATCH_EVENTS_DEFAULT;
    if (c->batch_bytes_max == 0)
        c->batch_bytes_max = GATEWAY_BATCH_BYTES;
    if (c->account_ms == 0)
        c->account_ms = ACCOUNT_MS_DEFAULT;
    memcpy(gw->batcher.vid, c->vid, sizeof gw->batcher.vid);
    gw->batcher.events_max = c->batch_events_max;
    gw->batcher.bytes_max = c->batch_bytes_max;
}

static enum vs_err open_outbox(struct gateway *gw, const struct gateway_memory *m, int64_t now_us,
                               struct journal_finding *ret_finding)
{
    struct outbox_config cfg = {.device = gw->ports.device,
                                .anchor = gw->ports.anchor,
                                .aead = gw->ports.aead,
                                .entry = m->entry,
                                .entry_max = m->entry_max,
                                .staging = m->staging,
                                .staging_size = m->staging_size,
                                .scratch = m->scratch,
                                .bytes_kept = m->slot_count * SLOT_BYTES_MAX,
                                .epoch_first = gw->cfg.epoch_first};

    return outbox_open(&gw->outbox, &cfg, now_us, ret_finding);
}

/* What was found in the journal is itself a security event, and the first thing that the new chain holds. */
static enum vs_err report_finding(struct gateway *gw, const struct journal_finding *f, int64_t now_us)
{
    struct event ev;

    if (f->fault == JOURNAL_SOUND || f->fault == JOURNAL_FRESH)
        return VS_OK;
    event_init(&ev, EV_GATEWAY_JOURNAL_TAMPERED, now_us);
    event_set_text(&ev, EV_F_REASON, slice_str(journal_fault_name(f->fault)));
    event_set_uint(&ev, EV_F_LOST, f->records_lost);
    enum vs_err err = intake_own(gw, &ev, now_us);
    return err == VS_OK ? intake_commit(gw, now_us) : err;
}

enum vs_err gateway_init(struct gateway *gw, const struct gateway_config *cfg, const struct gateway_ports *ports,
                         const struct gateway_memory *memory, int64_t now_us, struct journal_finding *ret_finding)
{
    struct journal_finding finding;

    memset(gw, 0, sizeof *gw);
    gw->cfg = *cfg;
    gw->ports = *ports;
    set_defaults(gw);
    if (gw->cfg.batch_bytes_max < memory->staging_size || now_us < 0 ||
        memory->scratch_size <
            GATEWAY_SCRATCH_SIZE(memory->staging_size, ports->device->block_size, gw->cfg.batch_bytes_max))
        return VS_ERR_CONFIG;
    gw->batch_scratch = memory->scratch + OUTBOX_SCRATCH_SIZE(memory->staging_size, ports->device->block_size);
    enum vs_err err = qualify_init(&gw->qualify, cfg->rule, memory->state, cfg->rule_count, &cfg->limits);
    if (err != VS_OK)
        return err;
    aggregate_init(&gw->aggregate, memory->slot, memory->slot_count);
    account_init(&gw->account);
    prioritise_init(&gw->prioritise, &cfg->prioritise);
    if ((err = open_outbox(gw, memory, now_us, &finding)) != VS_OK)
        return err;
    prioritise_tick(&gw->prioritise, gw->outbox.seq_next, now_us);
    if (ret_finding != NULL)
        *ret_finding = finding;
    return report_finding(gw, &finding, now_us);
}

enum vs_err gateway_report(struct gateway *gw, const struct event *ev, int64_t now_us)
{
    struct event own = *ev;
    enum vs_err err = event_validate(ev, NULL);

    if (err != VS_OK) {
        gw->counters.invalid++;
        return err;
    }
    own.fold_count = 0;
    if (record_size_max(&own) + OUTBOX_HEAD_SIZE + GATEWAY_ACTION_BYTES > gw->outbox.staging_size) {
        gw->counters.too_large++;
        return VS_ERR_LIMIT;
    }
    err = intake_take(gw, &own, now_us);
    if (err != VS_OK && err != VS_ERR_FULL)
        return err;
    gw->counters.reported++;
    if (ev->priority != EV_PRIORITY_CRITICAL)
        return err;
    /* Critical events do not wait in memory. A failure is counted and tried again with the next tick: the event is
     * taken. */
    enum vs_err durable = intake_commit(gw, now_us);
    (void)durable;
    return err;
}

enum vs_err gateway_tick(struct gateway *gw, int64_t now_us)
{
    enum vs_err err = intake_close(gw, false, now_us);

    prioritise_tick(&gw->prioritise, gw->outbox.seq_next, now_us);
    int64_t since_us = now_us - gw->commit_from_us;
    bool due = since_us < 0 || since_us >= (int64_t)gw->cfg.commit_ms * 1000;
    if (err == VS_OK && gw->commit_from_us != 0 && due)
        err = intake_commit(gw, now_us);
    return err;
}

enum vs_err gateway_commit(struct gateway *gw, int64_t now_us)
{
    return intake_commit(gw, now_us);
}

enum vs_err gateway_flush(struct gateway *gw, int64_t now_us)
{
    enum vs_err err = intake_close(gw, true, now_us);

    return err == VS_OK ? intake_commit(gw, now_us) : err;
}

void gateway_link(struct gateway *gw, enum bearer bearer)
{
    gw->prioritise.bearer = (uint8_t)bearer;
}

void gateway_vehicle_state(struct gateway *gw, uint32_t states)
{
    gw->qualify.vehicle_state = states;
}

uint32_t gateway_due(const struct gateway *gw)
{
    return gw->under_way.events > 0 ? 0 : batcher_due(&gw->outbox, &gw->prioritise);
}

enum vs_err gateway_next_batch(struct gateway *gw, int64_t now_us, uint8_t *out, size_t size, size_t *ret_len)
{
    struct batcher_summary sum;

    if (gw->under_way.events > 0)
        return VS_ERR_BUSY;
    if (gateway_due(gw) == 0)
        return VS_ERR_END;
    /* Only what is durable may be sent, and with it the numbers it declares. */
    enum vs_err err = gw->commit_from_us != 0 ? intake_commit(gw, now_us) : VS_OK;
    if (err == VS_OK)
        err = batcher_make(&gw->outbox, &gw->prioritise, &gw->batcher, gw->ports.pack, gw->ports.sign,
                           gw->batch_scratch, now_us, out, size, &sum);
    if (err != VS_OK)
        return err;
    gw->under_way = sum;
    gw->counters.batches++;
    prioritise_spent(&gw->prioritise, sum.bytes);
    *ret_len = sum.bytes;
    return VS_OK;
}

const struct batcher_summary *gateway_under_way(const struct gateway *gw)
{
    return &gw->under_way;
}

static void end_batch(struct gateway *gw, uint64_t *counter, bool refused, int64_t now_us)
{
    if (gw->under_way.events == 0)
        return;
    outbox_sent_gone(&gw->outbox, refused, intake_open_bytes(gw));
    gw->under_way = (struct batcher_summary){0};
    *counter += 1;
    if (gw->commit_from_us == 0)
        gw->commit_from_us = now_us > 0 ? now_us : 1;
}

void gateway_acked(struct gateway *gw, int64_t now_us)
{
    end_batch(gw, &gw->counters.batches_acked, false, now_us);
}

void gateway_refused(struct gateway *gw, int64_t now_us)
{
    end_batch(gw, &gw->counters.batches_refused, true, now_us);
}

void gateway_returned(struct gateway *gw)
{
    if (gw->under_way.events == 0)
        return;
    outbox_sent_returned(&gw->outbox);
    gw->under_way = (struct batcher_summary){0};
    gw->counters.batches_returned++;
}

uint64_t gateway_seq_next(const struct gateway *gw)
{
    return gw->outbox.seq_next;
}

uint32_t gateway_epoch(const struct gateway *gw)
{
    return gw->outbox.epoch;
}

uint32_t gateway_waiting(const struct gateway *gw)
{
    return outbox_waiting(&gw->outbox);
}
