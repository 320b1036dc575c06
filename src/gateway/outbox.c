/* The contents of a journal record are entries, each with a head of 16 bytes; docs/formats/journal.md. The index has
 * one place per number; dead places are squeezed out when the index runs full, so that taking an entry out costs
 * nothing. */
#include "gateway/outbox_entry.h"

#include <assert.h>

#include "gateway/record.h"

/* Position of the first entry not below (epoch, seq). */
static uint32_t lower_bound(const struct outbox *o, uint32_t epoch, uint64_t seq)
{
    uint32_t from = 0, to = o->entry_count;

    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        const struct outbox_entry *e = &o->entry[mid];

        if (e->epoch < epoch || (e->epoch == epoch && e->seq < seq))
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

struct outbox_entry *outbox_find(struct outbox *o, uint32_t epoch, uint64_t seq)
{
    uint32_t at = lower_bound(o, epoch, seq);

    return at < o->entry_count && o->entry[at].epoch == epoch && o->entry[at].seq == seq ? &o->entry[at] : NULL;
}

static void squeeze(struct outbox *o)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < o->entry_count; i++)
        if (o->entry[i].state != OUTBOX_DEAD)
            o->entry[kept++] = o->entry[i];
    o->entry_count = kept;
    o->dead_count = 0;
    o->victim_from[0] = o->victim_from[1] = 0;
}

static uint64_t size_of(const struct outbox_entry *e)
{
    return OUTBOX_HEAD_SIZE + e->len;
}

void outbox_kill(struct outbox *o, struct outbox_entry *e)
{
    if (e->state == OUTBOX_DEAD)
        return;
    o->bytes_live -= size_of(e);
    e->state = OUTBOX_DEAD;
    o->dead_count++;
}

void outbox_kill_run(struct outbox *o, uint32_t epoch, uint64_t first, uint64_t count)
{
    for (uint32_t i = lower_bound(o, epoch, first); i < o->entry_count; i++) {
        if (o->entry[i].epoch != epoch || o->entry[i].seq - first >= count)
            return;
        outbox_kill(o, &o->entry[i]);
    }
}

/* The place of a number in the index, new or old, with its bytes taken off the account. NULL when the index is full. */
static struct outbox_entry *take_place(struct outbox *o, uint32_t epoch, uint64_t seq)
{
    struct outbox_entry *e = outbox_find(o, epoch, seq);

    if (e != NULL) {
        if (e->state == OUTBOX_DEAD) {
            o->dead_count--;
        } else {
            o->bytes_live -= size_of(e);
            o->counters.replaced++;
        }
        return e;
    }
    if (o->entry_count == o->entry_max)
        squeeze(o);
    if (o->entry_count == o->entry_max)
        return NULL;
    uint32_t at = lower_bound(o, epoch, seq);
    memmove(&o->entry[at + 1], &o->entry[at], (o->entry_count - at) * sizeof o->entry[0]);
    o->entry_count++;
    e = &o->entry[at];
    e->epoch = epoch;
    e->seq = seq;
    return e;
}

bool outbox_index(struct outbox *o, const struct outbox_entry *value)
{
    struct outbox_entry *e = take_place(o, value->epoch, value->seq);

    if (e == NULL)
        return false;
    *e = *value;
    o->bytes_live += size_of(e);
    for (unsigned p = 0; p < 2; p++)
        if ((uint32_t)(e - o->entry) < o->victim_from[p])
            o->victim_from[p] = (uint32_t)(e - o->entry);
    return true;
}

bool outbox_knows(struct outbox *o, uint64_t seq)
{
    const struct outbox_entry *e = outbox_find(o, o->epoch, seq);

    return e != NULL && e->state != OUTBOX_DEAD;
}

uint32_t outbox_staging_left(const struct outbox *o)
{
    return o->staging_size - o->staging_len;
}

uint32_t outbox_staged_size(size_t len)
{
    return OUTBOX_HEAD_SIZE + (uint32_t)len;
}

bool outbox_has_room(const struct outbox *o, size_t len, enum outbox_room room)
{
    uint64_t bytes_max = o->bytes_ordinary_max;
    uint32_t entries_max = o->entry_max - (2 - (uint32_t)room) * OUTBOX_ENTRIES_KEPT;

    if (room == OUTBOX_ROOM_CRITICAL)
        bytes_max = o->bytes_live_max / 16 * 15;
    else if (room == OUTBOX_ROOM_ACCOUNT)
        bytes_max = o->bytes_live_max;
    return o->bytes_live + OUTBOX_HEAD_SIZE + len <= bytes_max && o->entry_count - o->dead_count < entries_max;
}

struct outbox_entry *outbox_victim(struct outbox *o, uint8_t max_priority)
{
    for (uint8_t priority = EV_PRIORITY_LOW; priority <= max_priority && priority < EV_PRIORITY_CRITICAL; priority++) {
        uint32_t *from = &o->victim_from[priority];

        for (; *from < o->entry_count; (*from)++) {
            struct outbox_entry *e = &o->entry[*from];

            if (e->priority == priority && e->state == OUTBOX_WAITING)
                return e;
        }
    }
    return NULL;
}

void outbox_give_up(struct outbox *o, struct outbox_entry *e)
{
    assert(e->priority < EV_PRIORITY_CRITICAL && e->state == OUTBOX_WAITING);
    o->counters.given_up[e->priority]++;
    outbox_forget(o, e->epoch, e->seq);
}

enum vs_err outbox_put(struct outbox *o, const struct event *ev, bool open)
{
    struct writer w;
    uint32_t at = o->staging_len;

    writer_init(&w, o->staging + at + OUTBOX_HEAD_SIZE, o->staging_size - at - OUTBOX_HEAD_SIZE);
    record_write(ev, &w);
    assert(!w.full);
    struct outbox_entry e = {.seq = ev->seq,
                             .epoch = o->epoch,
                             .block = OUTBOX_STAGED,
                             .offset = (uint16_t)(at + OUTBOX_HEAD_SIZE),
                             .len = (uint16_t)w.len,
                             .priority = ev->priority,
                             .state = open ? OUTBOX_OPEN : OUTBOX_WAITING};
    if (!outbox_index(o, &e))
        return VS_ERR_FULL;
    outbox_head_write(o->staging + at, open ? OUTBOX_KIND_OPEN : OUTBOX_KIND_EVENT, &e);
    o->staging_len += OUTBOX_HEAD_SIZE + e.len;
    if (!open)
        o->counters.put++;
    return VS_OK;
}

/* A note of numbers that are gone, staged without waiting for a commit: when there is no room for it, the worst that
 * happens after a restart is that the backend gets something twice. */
static void note_gone(struct outbox *o, uint32_t epoch, const struct ev_fold *run, unsigned count, uint32_t keep)
{
    uint32_t len = count * OUTBOX_GONE_RUN;
    struct outbox_entry e = {.epoch = epoch, .len = (uint16_t)len};

    if (count == 0 || outbox_staging_left(o) < OUTBOX_HEAD_SIZE + len + keep)
        return;
    uint8_t *p = o->staging + o->staging_len;
    outbox_head_write(p, OUTBOX_KIND_GONE, &e);
    p += OUTBOX_HEAD_SIZE;
    for (unsigned i = 0; i < count; i++, p += OUTBOX_GONE_RUN)
        outbox_run_write(p, &run[i]);
    o->staging_len += OUTBOX_HEAD_SIZE + len;
}

void outbox_forget(struct outbox *o, uint32_t epoch, uint64_t seq)
{
    struct outbox_entry *e = outbox_find(o, epoch, seq);

    if (e == NULL || e->state == OUTBOX_DEAD)
        return;
    outbox_kill(o, e);
    note_gone(o, epoch, &(struct ev_fold){.seq_first = seq, .count = 1}, 1, 0);
}

void outbox_sent_gone(struct outbox *o, bool refused, uint32_t keep)
{
    struct ev_fold run[OUTBOX_GONE_RUNS];
    unsigned runs = 0;
    uint32_t epoch = 0;

    for (uint32_t i = 0; i < o->entry_count; i++) {
        struct outbox_entry *e = &o->entry[i];

        if (e->state != OUTBOX_SENT)
            continue;
        *(refused ? &o->counters.refused : &o->counters.acked) += 1;
        outbox_kill(o, e);
        if (runs > 0 && epoch == e->epoch && run[runs - 1].seq_first + run[runs - 1].count == e->seq) {
            run[runs - 1].count++;
            continue;
        }
        if (runs == OUTBOX_GONE_RUNS || (runs > 0 && epoch != e->epoch)) {
            note_gone(o, epoch, run, runs, keep);
            runs = 0;
        }
        epoch = e->epoch;
        run[runs++] = (struct ev_fold){.seq_first = e->seq, .count = 1};
    }
    note_gone(o, epoch, run, runs, keep);
}

void outbox_sent_returned(struct outbox *o)
{
    for (uint32_t i = 0; i < o->entry_count; i++)
        if (o->entry[i].state == OUTBOX_SENT)
            o->entry[i].state = OUTBOX_WAITING;
    o->victim_from[0] = o->victim_from[1] = 0;
}

uint32_t outbox_waiting(const struct outbox *o)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < o->entry_count; i++)
        count += o->entry[i].state == OUTBOX_WAITING || o->entry[i].state == OUTBOX_SENT;
    return count;
}

enum vs_err outbox_read(struct outbox *o, const struct outbox_entry *e, struct outbox_cache *cache, struct event *ret)
{
    if (e->block == OUTBOX_STAGED)
        return record_read(slice_make(o->staging + e->offset, e->len), e->epoch, ret);
    if (cache->block != e->block) {
        struct journal_header h;

        cache->block = OUTBOX_STAGED;
        enum vs_err err = journal_read(&o->journal, e->block, outbox_read_scratch(o), &h, &cache->contents);
        if (err != VS_OK)
            return err == VS_ERR_NOT_FOUND ? VS_ERR_TAMPERED : err;
        cache->block = e->block;
    }
    if ((size_t)e->offset + e->len > cache->contents.len)
        return VS_ERR_TAMPERED;
    enum vs_err err = record_read(slice_make(cache->contents.ptr + e->offset, e->len), e->epoch, ret);
    return err == VS_OK && ret->seq == e->seq ? VS_OK : VS_ERR_TAMPERED;
}
