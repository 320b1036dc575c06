/* Layout of the section, from the top:
 *
 *     table   = count:count vehicle* changed[count bits, in words of 64]
 *     vehicle = vid[16] epoch:u32 first_received_s:u32 produced:u64 seq_set last_received_us:i64 clock_offset_us:i64
 *               has_more:u8 [more]
 *     seq_set = low:u64 bits:u64 has_ahead:u8 [span_set closed_high:u64 closed_count:u64 closed_gaps:u64]
 *     span_set = count:count (first:u64 last:u64)*
 *     more    = epoch_more other_count:count epoch_more* any_closed:u8 closed_epoch:u32 closed_count:u32 ledger
 *     epoch_more = epoch:u32 produced:u64 seq_set span_set(merged) span_set(dead) duplicates:u64 clock_offset_us:i64
 *     ledger  = produced stored merged dead_lettered missing duplicates, u64 each */
#include "ingest/vehicle_snapshot.h"

#include <stdlib.h>

#define VEHICLE_BYTES_MIN 66
#define EPOCH_BYTES_MIN   61

/* ---- saving */

static void save_spans(const struct span_set *s, struct snapshot_writer *w)
{
    snapshot_put_u64(w, s->count);
    for (uint32_t i = 0; i < s->count; i++) {
        snapshot_put_u64(w, s->span[i].first);
        snapshot_put_u64(w, s->span[i].last);
    }
}

static void save_seqs(const struct seq_set *s, struct snapshot_writer *w)
{
    snapshot_put_u64(w, s->low);
    snapshot_put_u64(w, s->bits);
    snapshot_put_u8(w, s->ahead != NULL);
    if (s->ahead == NULL)
        return;
    save_spans(&s->ahead->set, w);
    snapshot_put_u64(w, s->ahead->closed_high);
    snapshot_put_u64(w, s->ahead->closed_count);
    snapshot_put_u64(w, s->ahead->closed_gaps);
}

static void save_epoch(const struct epoch_more *e, struct snapshot_writer *w)
{
    snapshot_put_u32(w, e->state.epoch);
    snapshot_put_u64(w, e->state.produced);
    save_seqs(&e->state.taken, w);
    save_spans(&e->merged, w);
    save_spans(&e->dead, w);
    snapshot_put_u64(w, e->duplicates);
    snapshot_put_i64(w, e->clock_offset_us);
}

static void save_more(const struct vehicle_more *m, struct snapshot_writer *w)
{
    const uint64_t closed[] = {m->closed.produced,      m->closed.stored,  m->closed.merged,
                               m->closed.dead_lettered, m->closed.missing, m->closed.duplicates};

    save_epoch(&m->present, w);
    snapshot_put_u64(w, m->other_count);
    for (uint32_t i = 0; i < m->other_count; i++)
        save_epoch(&m->other[i], w);
    snapshot_put_u8(w, m->any_closed);
    snapshot_put_u32(w, m->closed_epoch);
    snapshot_put_u32(w, m->closed_count);
    for (unsigned i = 0; i < sizeof closed / sizeof closed[0]; i++)
        snapshot_put_u64(w, closed[i]);
}

static void save_vehicle(const struct vehicle_state *v, struct snapshot_writer *w)
{
    snapshot_put_raw(w, v->vid, sizeof v->vid);
    snapshot_put_u32(w, v->epoch);
    snapshot_put_u32(w, v->first_received_s);
    snapshot_put_u64(w, v->produced);
    save_seqs(&v->taken, w);
    snapshot_put_i64(w, v->last_received_us);
    snapshot_put_i64(w, v->clock_offset_us);
    snapshot_put_u8(w, v->more != NULL);
    if (v->more != NULL)
        save_more(v->more, w);
}

void vehicle_table_save(const struct vehicle_table *t, struct snapshot_writer *w)
{
    snapshot_put_u64(w, t->count);
    for (uint32_t i = 0; i < t->count; i++)
        save_vehicle(vehicle_table_at(t, i), w);
    for (uint64_t word = 0; word * 64 < t->count; word++)
        snapshot_put_u64(w, t->changed[word]);
}

/* ---- loading */

/* Runs must rise and not touch, as those that are made do. */
static enum vs_err load_spans(struct span_set *s, struct snapshot_in *in)
{
    uint64_t count = snapshot_get_count(in, 16);

    if (count == 0)
        return VS_OK;
    if (count > UINT32_MAX)
        return VS_ERR_MALFORMED;
    s->span = calloc(count, sizeof s->span[0]);
    if (s->span == NULL)
        return VS_ERR_NO_MEMORY;
    s->size = (uint32_t)count;
    for (; s->count < s->size; s->count++) {
        struct span *now = &s->span[s->count];

        now->first = snapshot_get_u64(in);
        now->last = snapshot_get_u64(in);
        if (now->first < 1 || now->first > now->last || now->last == UINT64_MAX ||
            (s->count > 0 && now->first <= now[-1].last + 1))
            return VS_ERR_MALFORMED;
    }
    return VS_OK;
}

static enum vs_err load_seqs(struct seq_set *s, struct snapshot_in *in)
{
    s->low = snapshot_get_u64(in);
    s->bits = snapshot_get_u64(in);
    if (s->low >= UINT64_MAX - SEQ_WINDOW || (s->bits & 1) != 0)
        return VS_ERR_MALFORMED;
    if (snapshot_get_u8(in) == 0)
        return VS_OK;
    s->ahead = calloc(1, sizeof *s->ahead);
    if (s->ahead == NULL)
        return VS_ERR_NO_MEMORY;
    enum vs_err err = load_spans(&s->ahead->set, in);
    if (err == VS_OK && s->ahead->set.count > 0 && s->ahead->set.span[0].first <= s->low + SEQ_WINDOW)
        err = VS_ERR_MALFORMED;
    s->ahead->closed_high = snapshot_get_u64(in);
    s->ahead->closed_count = snapshot_get_u64(in);
    s->ahead->closed_gaps = snapshot_get_u64(in);
    return err;
}

static enum vs_err load_epoch(struct epoch_more *e, struct snapshot_in *in)
{
    e->state.epoch = snapshot_get_u32(in);
    e->state.produced = snapshot_get_u64(in);
    enum vs_err err = load_seqs(&e->state.taken, in);
    if (err == VS_OK)
        err = load_spans(&e->merged, in);
    if (err == VS_OK)
        err = load_spans(&e->dead, in);
    e->duplicates = snapshot_get_u64(in);
    e->clock_offset_us = snapshot_get_i64(in);
    return err;
}

static enum vs_err load_others(struct vehicle_more *m, struct snapshot_in *in)
{
    uint64_t count = snapshot_get_count(in, EPOCH_BYTES_MIN);
    enum vs_err err = VS_OK;

    if (count > LEDGER_EPOCHS_MAX)
        return VS_ERR_MALFORMED;
    if (count == 0)
        return VS_OK;
    m->other = calloc(count, sizeof m->other[0]);
    if (m->other == NULL)
        return VS_ERR_NO_MEMORY;
    m->other_size = (uint32_t)count;
    while (err == VS_OK && m->other_count < count) {
        struct epoch_more *e = &m->other[m->other_count++];

        err = load_epoch(e, in);
        if (err == VS_OK && e != m->other && e->state.epoch <= e[-1].state.epoch)
            err = VS_ERR_MALFORMED;
    }
    return err;
}

static enum vs_err load_more(struct vehicle_state *v, struct snapshot_in *in)
{
    struct vehicle_more *m = calloc(1, sizeof *m);

    if (m == NULL)
        return VS_ERR_NO_MEMORY;
    v->more = m;
    enum vs_err err = load_epoch(&m->present, in);
    if (err == VS_OK)
        err = load_others(m, in);
    m->any_closed = snapshot_get_u8(in) != 0;
    m->closed_epoch = snapshot_get_u32(in);
    m->closed_count = snapshot_get_u32(in);
    m->closed.produced = snapshot_get_u64(in);
    m->closed.stored = snapshot_get_u64(in);
    m->closed.merged = snapshot_get_u64(in);
    m->closed.dead_lettered = snapshot_get_u64(in);
    m->closed.missing = snapshot_get_u64(in);
    m->closed.duplicates = snapshot_get_u64(in);
    return err;
}

static enum vs_err load_vehicle(struct vehicle_table *t, uint32_t wanted, struct snapshot_in *in)
{
    struct slice vid = snapshot_get_raw(in, EV_VID_SIZE);
    uint32_t number = VEHICLE_NONE;

    if (vid.len != EV_VID_SIZE)
        return VS_ERR_MALFORMED;
    enum vs_err err = vehicle_table_get(t, vid.ptr, &number);
    if (err != VS_OK)
        return err;
    if (number != wanted) /* it stands twice */
        return VS_ERR_MALFORMED;
    struct vehicle_state *v = vehicle_table_at(t, number);
    v->epoch = snapshot_get_u32(in);
    v->first_received_s = snapshot_get_u32(in);
    v->produced = snapshot_get_u64(in);
    err = load_seqs(&v->taken, in);
    v->last_received_us = snapshot_get_i64(in);
    v->clock_offset_us = snapshot_get_i64(in);
    if (err == VS_OK && snapshot_get_u8(in) != 0)
        err = load_more(v, in);
    return err == VS_OK && snapshot_in_failed(in) ? VS_ERR_MALFORMED : err;
}

enum vs_err vehicle_table_load(struct vehicle_table *t, struct snapshot_in *in)
{
    uint64_t count = snapshot_get_count(in, VEHICLE_BYTES_MIN);
    enum vs_err err = snapshot_in_failed(in) ? VS_ERR_MALFORMED : VS_OK;

    for (uint64_t i = 0; err == VS_OK && i < count; i++)
        err = load_vehicle(t, (uint32_t)i, in);
    for (uint64_t word = 0; err == VS_OK && word * 64 < count; word++)
        t->changed[word] = snapshot_get_u64(in);
    return err == VS_OK && snapshot_in_failed(in) ? VS_ERR_MALFORMED : err;
}
