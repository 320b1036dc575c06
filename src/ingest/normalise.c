/* The path of a record, top to bottom: normalise_step branches, the functions above it each do one thing to one event.
 */
#include "ingest/normalise.h"

#include <assert.h>
#include <stdlib.h>

#include "core/timestamp.h"
#include "ingest/normalise_internal.h"

static const char *const REASON[NORMALISE_REASON_COUNT] = {[NORMALISE_DUPLICATE] = "duplicate",
                                                           [NORMALISE_UNKNOWN_FORMAT] = "unknown_format",
                                                           [NORMALISE_BAD_RECORD] = "bad_record",
                                                           [NORMALISE_VERSION] = "version",
                                                           [NORMALISE_OTHER_VEHICLE] = "other_vehicle",
                                                           [NORMALISE_BAD_EVENT] = "bad_event",
                                                           [NORMALISE_UNKNOWN_TYPE] = "unknown_type",
                                                           [NORMALISE_SCHEMA] = "schema",
                                                           [NORMALISE_FUTURE] = "future",
                                                           [NORMALISE_CLOSED] = "closed",
                                                           [NORMALISE_VEHICLES_FULL] = "vehicles_full"};

#define SPANS_MAX 4096 /* runs of merged, and of refused, numbers of one epoch; what exceeds them stays missing */

/* One record on its way. */
struct passage {
    const struct stream_record *rec;
    struct decoded_head head;
    uint32_t number;               /* of the vehicle */
    struct vehicle_state *vehicle; /* NULL with keep_duplicates */
    struct epoch_view epoch;
    struct clock_verdict clock;
    const struct vehicle_facts *facts;
    struct normalised no;
};

const char *normalise_reason_name(enum normalise_reason r)
{
    assert(r < NORMALISE_REASON_COUNT);
    return REASON[r];
}

/* ---- refusing */

static void bury(struct normalise *n, struct dead_letter *dl, const struct stream_record *rec)
{
    dl->record = rec;
    n->stats.refused[dl->reason]++;
    if (n->cfg.dead != NULL)
        n->cfg.dead(dl, n->cfg.ctx);
}

static void bury_record(struct normalise *n, const struct stream_record *rec, enum normalise_reason reason,
                        enum vs_err err, const struct batch_error *at)
{
    struct dead_letter dl = {.reason = reason,
                             .err = err,
                             .text = at->reason != NULL ? at->reason : vs_err_text(err),
                             .whole = true,
                             .vid_known = rec->key.len == EV_VID_SIZE,
                             .field = EV_F_NONE,
                             .byte = at->byte,
                             .sample = rec->value};

    if (dl.vid_known)
        memcpy(dl.vid, rec->key.ptr, EV_VID_SIZE);
    bury(n, &dl, rec);
}

/* The number of a refused event goes to the ledger once. False: it was refused before, so this is a repetition. */
static bool note_dead(struct normalise *n, struct passage *p, uint64_t seq)
{
    uint64_t fresh = 0;

    if (p->vehicle == NULL || seq == 0 || seq > NORMALISE_SEQ_MAX)
        return true;
    struct epoch_more *m = vehicle_epoch_more(p->vehicle, &p->epoch);
    if (m == NULL || span_set_add(&m->dead, seq, seq, SPANS_MAX, &fresh) != VS_OK)
        return true;
    if (fresh == 0) {
        m->duplicates++;
        n->stats.refused[NORMALISE_DUPLICATE]++;
    }
    return fresh > 0;
}

struct fault {
    enum normalise_reason reason;
    enum vs_err err;
    const char *text;
    uint8_t field;
    size_t byte;
    struct slice sample;
};

static void bury_event(struct normalise *n, struct passage *p, const struct event *ev, const struct fault *f)
{
    struct dead_letter dl = {.reason = f->reason,
                             .err = f->err,
                             .text = f->text,
                             .index = p->no.index,
                             .vid_known = true,
                             .epoch = ev->epoch,
                             .seq = ev->seq,
                             .type = ev->type,
                             .field = f->field,
                             .byte = f->byte,
                             .sample = f->sample};

    if (f->reason != NORMALISE_CLOSED && !note_dead(n, p, ev->seq))
        return;
    memcpy(dl.vid, p->head.vid, EV_VID_SIZE);
    bury(n, &dl, p->rec);
}

/* ---- checking one event */

/* Numbers that an event names in its folds must have been given out. */
static bool folds_fit(const struct passage *p, const struct event *ev)
{
    for (unsigned i = 0; i < ev->fold_count; i++) {
        const struct ev_fold *f = &ev->fold[i];

        if (f->seq_first < 1 || f->seq_first > NORMALISE_SEQ_MAX ||
            (p->head.numbered && f->seq_first + f->count > p->head.seq_next))
            return false;
    }
    return true;
}

static bool find_fault(const struct normalise *n, struct passage *p, struct event *ev, struct fault *f)
{
    uint8_t field = EV_F_NONE;

    enum vs_err err = event_validate(ev, &field);
    if (err != VS_OK || !folds_fit(p, ev)) {
        f->reason = err == VS_ERR_UNKNOWN_TYPE ? NORMALISE_UNKNOWN_TYPE : NORMALISE_SCHEMA;
        f->err = err != VS_OK ? err : VS_ERR_RANGE;
        f->text = err != VS_OK ? "event does not fit the schema" : "folds name numbers that were not given out";
        f->field = field;
        return true;
    }
    if (!clock_apply(&n->limits, &p->clock, p->rec->received_us, ev)) {
        f->reason = NORMALISE_FUTURE;
        f->err = VS_ERR_RANGE;
        f->text = "event is later than its reception, also after clock repair";
        return true;
    }
    return false;
}

/* ---- taking one event */

static void note_folds(struct normalise *n, struct passage *p, const struct event *ev)
{
    if (ev->fold_count == 0 || p->vehicle == NULL)
        return;
    struct epoch_more *m = vehicle_epoch_more(p->vehicle, &p->epoch);
    for (unsigned i = 0; i < ev->fold_count; i++) {
        const struct ev_fold *f = &ev->fold[i];

        n->stats.folded[f->filter < NORMALISE_FILTERS ? f->filter : 0] += f->count;
        if (m != NULL && span_set_add(&m->merged, f->seq_first, f->seq_first + f->count - 1, SPANS_MAX, NULL) != VS_OK)
            n->stats.spans_full++;
    }
}

static void enrich(struct passage *p, const struct event *ev)
{
    if (p->facts == NULL)
        return;
    p->no.sw_version = registry_software_at(p->facts, slice_make("", 0), ev->first_us);
    p->no.ecu_version = ev->ecu.len > 0 ? registry_software_at(p->facts, ev->ecu, ev->first_us) : slice_make("", 0);
}

static void hand_on(struct normalise *n, struct passage *p, const struct event *ev)
{
    enrich(p, ev);
    n->stats.events++;
    n->stats.repaired += ev->trust == EV_TRUST_REPAIRED;
    n->stats.suspect += ev->trust == EV_TRUST_SUSPECT;
    n->stats.unknown_vehicle += p->facts == NULL;
    n->cfg.event(ev, &p->no, n->cfg.ctx);
}

/* Has it come before? A number that is not numbered at all is known by its content. */
static enum vs_err look_before(struct normalise *n, struct passage *p, const struct event *ev, struct slice sample,
                               enum seq_answer *ret)
{
    bool seen = false;

    if (p->vehicle == NULL) {
        *ret = SEQ_NEW;
        return VS_OK;
    }
    if (ev->seq == 0) {
        enum vs_err err = normalise_content_seen(n, sample, &seen);
        *ret = seen ? SEQ_THERE : SEQ_NEW;
        return err;
    }
    *ret = seq_set_look(p->epoch.taken, ev->seq);
    return VS_OK;
}

static void note_duplicate(struct normalise *n, struct passage *p)
{
    struct epoch_more *m = vehicle_epoch_more(p->vehicle, &p->epoch);

    if (m != NULL)
        m->duplicates++;
    n->stats.refused[NORMALISE_DUPLICATE]++;
}

/* A JSON line names its own epoch. */
static enum vs_err turn_to_epoch(struct passage *p, const struct event *ev)
{
    if (p->vehicle == NULL || ev->epoch == p->epoch.epoch)
        return VS_OK;
    enum epoch_answer answer = vehicle_epoch(p->vehicle, ev->epoch, &p->epoch);
    return answer == EPOCH_OK ? VS_OK : answer == EPOCH_CLOSED ? VS_ERR_REFUSED : VS_ERR_NO_MEMORY;
}

static enum vs_err take_event(struct normalise *n, struct passage *p, struct event *ev, struct slice sample,
                              size_t byte)
{
    struct fault f = {.field = EV_F_NONE, .byte = byte, .sample = sample};
    enum seq_answer before;

    enum vs_err err = turn_to_epoch(p, ev);
    if (err == VS_OK)
        err = look_before(n, p, ev, sample, &before);
    if (err == VS_ERR_NO_MEMORY)
        return err;
    if (err != VS_OK || before == SEQ_CLOSED) {
        f.reason = NORMALISE_CLOSED;
        f.err = VS_ERR_REFUSED;
        f.text = "its number lies in a gap or epoch that was closed";
        bury_event(n, p, ev, &f);
        return VS_OK;
    }
    if (before == SEQ_THERE) {
        note_duplicate(n, p);
        return VS_OK;
    }
    if (p->vehicle != NULL && !p->head.numbered && ev->seq > *p->epoch.produced && ev->seq <= NORMALISE_SEQ_MAX)
        *p->epoch.produced = ev->seq;
    if (find_fault(n, p, ev, &f)) {
        bury_event(n, p, ev, &f);
        return VS_OK;
    }
    if (p->vehicle != NULL && ev->seq > 0 && seq_set_add(p->epoch.taken, ev->seq) == SEQ_NO_MEMORY)
        return VS_ERR_NO_MEMORY;
    note_folds(n, p, ev);
    hand_on(n, p, ev);
    return VS_OK;
}

static void refuse_undecoded(struct normalise *n, struct passage *p, const struct event *ev, enum vs_err err,
                             struct slice sample, const struct batch_error *at)
{
    struct fault f = {.err = err, .text = at->reason, .field = EV_F_NONE, .byte = at->byte, .sample = sample};
    enum seq_answer before = SEQ_NEW;

    f.reason = err == VS_ERR_UNKNOWN_TYPE ? NORMALISE_UNKNOWN_TYPE
               : err == VS_ERR_FORBIDDEN  ? NORMALISE_OTHER_VEHICLE
                                          : NORMALISE_BAD_EVENT;
    if (turn_to_epoch(p, ev) == VS_OK && p->vehicle != NULL && ev->seq > 0)
        before = seq_set_look(p->epoch.taken, ev->seq);
    if (before == SEQ_THERE)
        note_duplicate(n, p);
    else
        bury_event(n, p, ev, &f);
}

static enum vs_err take_events(struct normalise *n, struct passage *p, const struct decoder *dec)
{
    struct event ev;

    for (uint32_t index = 0;; index++) {
        struct slice sample = {NULL, 0};
        struct batch_error at = {0, ""};
        bool broken;
        enum vs_err err = dec->next(&n->decoding, &ev, &sample, &at, &broken);

        if (broken) {
            bury_record(n, p->rec, NORMALISE_BAD_RECORD, err, &at);
            return VS_OK;
        }
        if (err == VS_ERR_END)
            return VS_OK;
        p->no.index = index;
        if (err == VS_OK)
            err = take_event(n, p, &ev, sample, at.byte);
        else
            refuse_undecoded(n, p, &ev, err, sample, &at);
        if (err == VS_ERR_NO_MEMORY)
            return err;
    }
}

/* ---- one record */

static void note_contact(struct normalise *n, struct passage *p)
{
    struct vehicle_state *v = p->vehicle;
    int64_t received_s = p->rec->received_us / US_PER_S;

    if (v->first_received_s == 0 || received_s < (int64_t)v->first_received_s)
        v->first_received_s = received_s > 0 ? (uint32_t)received_s : 1;
    if (p->rec->received_us > v->last_received_us)
        v->last_received_us = p->rec->received_us;
    if (p->head.numbered && p->head.seq_next - 1 > *p->epoch.produced)
        *p->epoch.produced = p->head.seq_next - 1;
    vehicle_table_mark(&n->vehicles, p->number);
}

/* Finds the vehicle's state and judges its clock. VS_ERR_REFUSED: its epoch was closed. */
static enum vs_err meet_vehicle(struct normalise *n, struct passage *p)
{
    int64_t before_us = CLOCK_UNKNOWN;

    if (!n->cfg.keep_duplicates) {
        enum vs_err err = vehicle_table_get(&n->vehicles, p->head.vid, &p->number);
        if (err != VS_OK)
            return err;
        p->vehicle = vehicle_table_at(&n->vehicles, p->number);
        uint32_t epoch = p->head.numbered ? p->head.epoch : p->vehicle->epoch;
        enum epoch_answer answer = vehicle_epoch(p->vehicle, epoch, &p->epoch);
        if (answer != EPOCH_OK)
            return answer == EPOCH_CLOSED ? VS_ERR_REFUSED : VS_ERR_NO_MEMORY;
        before_us = *p->epoch.clock_offset_us;
    }
    p->clock = clock_judge(&n->limits, p->rec->received_us, p->head.sent_us, before_us);
    if (p->vehicle != NULL && p->clock.offset_us != CLOCK_UNKNOWN)
        *p->epoch.clock_offset_us = p->clock.offset_us;
    if (p->vehicle != NULL)
        note_contact(n, p);
    return VS_OK;
}

static void describe(const struct normalise *n, struct passage *p)
{
    struct normalised *no = &p->no;

    p->facts = n->cfg.registry != NULL ? registry_find(n->cfg.registry, p->head.vid) : NULL;
    if (p->facts != NULL) {
        no->known = true;
        no->model = p->facts->model;
        no->hardware = p->facts->hardware;
        no->region = p->facts->region;
        no->owner = p->facts->owner;
    }
    no->vehicle = p->number;
    no->received_us = p->rec->received_us;
    no->clock_offset_us = p->clock.shift_us;
    no->partition = p->rec->partition;
    no->offset = p->rec->offset;
    no->door = p->rec->door;
}

static void bury_unmet(struct normalise *n, const struct stream_record *rec, enum vs_err err)
{
    struct batch_error at = {0, "its epoch was closed"};

    if (err == VS_ERR_FULL)
        at.reason = "too many vehicles";
    bury_record(n, rec, err == VS_ERR_FULL ? NORMALISE_VEHICLES_FULL : NORMALISE_CLOSED, err, &at);
}

enum vs_err normalise_step(struct normalise *n, const struct stream_record *rec)
{
    const struct decoder *dec = decoder_find(rec->format);
    struct passage p = {.rec = rec};
    struct batch_error at = {0, NULL};

    n->stats.records++;
    if (dec == NULL) {
        at.reason = "no decoder for this format";
        bury_record(n, rec, NORMALISE_UNKNOWN_FORMAT, VS_ERR_UNSUPPORTED, &at);
        return VS_OK;
    }
    enum vs_err err = dec->begin(&n->decoding, rec, &p.head, &at);
    if (err == VS_ERR_NO_MEMORY)
        return err;
    if (err == VS_OK && p.head.numbered && p.head.seq_next > NORMALISE_SEQ_MAX) {
        err = VS_ERR_RANGE;
        at.reason = "seq_next is beyond any number a gateway can reach";
    }
    if (err != VS_OK) {
        bury_record(n, rec, err == VS_ERR_VERSION ? NORMALISE_VERSION : NORMALISE_BAD_RECORD, err, &at);
        return VS_OK;
    }
    if (!slice_equal(rec->key, slice_make(p.head.vid, EV_VID_SIZE))) {
        at.reason = "the vehicle inside is not the one that the record is filed under";
        bury_record(n, rec, NORMALISE_OTHER_VEHICLE, VS_ERR_FORBIDDEN, &at);
        return VS_OK;
    }
    err = meet_vehicle(n, &p);
    if (err == VS_ERR_NO_MEMORY)
        return err;
    if (err != VS_OK) {
        bury_unmet(n, rec, err);
        return VS_OK;
    }
    describe(n, &p);
    return take_events(n, &p, dec);
}

/* ---- life */

enum vs_err normalise_new(const struct normalise_config *cfg, struct normalise **ret)
{
    struct normalise *n = calloc(1, sizeof *n);

    assert(cfg->event != NULL);
    if (n == NULL)
        return VS_ERR_NO_MEMORY;
    n->cfg = *cfg;
    n->limits.tolerance_us = cfg->clock_tolerance_us > 0 ? cfg->clock_tolerance_us : NORMALISE_CLOCK_TOLERANCE_US;
    n->limits.jump_us = cfg->clock_jump_us > 0 ? cfg->clock_jump_us : NORMALISE_CLOCK_JUMP_US;
    n->limits.future_us = cfg->future_us > 0 ? cfg->future_us : NORMALISE_FUTURE_US;
    n->limits.time_min_us = NORMALISE_TIME_MIN_US;
    enum vs_err err = decoding_init(&n->decoding);
    if (err == VS_OK)
        err = vehicle_table_init(&n->vehicles, cfg->vehicles_max > 0 ? cfg->vehicles_max : NORMALISE_VEHICLES_MAX);
    if (err != VS_OK) {
        normalise_free(n);
        return err;
    }
    *ret = n;
    return VS_OK;
}

void normalise_free(struct normalise *n)
{
    if (n == NULL)
        return;
    decoding_done(&n->decoding);
    vehicle_table_done(&n->vehicles);
    free(n->content);
    free(n->content_slot);
    free(n);
}

void normalise_stats(const struct normalise *n, struct normalise_stats *ret)
{
    *ret = n->stats;
    ret->vehicles = n->vehicles.count;
}
