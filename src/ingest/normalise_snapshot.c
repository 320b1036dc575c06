/* A normaliser in a snapshot: its vehicles, the contents that it remembers, its counters. */
#include <stdlib.h>

#include "ingest/normalise_internal.h"
#include "ingest/vehicle_snapshot.h"

/* The counters by what they are called in struct normalise_stats, in its order. */
static void save_stats(const struct normalise_stats *s, struct snapshot_writer *w)
{
    const uint64_t single[] = {s->records, s->events, s->repaired, s->suspect, s->unknown_vehicle, s->spans_full};

    for (unsigned i = 0; i < sizeof single / sizeof single[0]; i++)
        snapshot_put_u64(w, single[i]);
    for (unsigned i = 0; i < NORMALISE_REASON_COUNT; i++)
        snapshot_put_u64(w, s->refused[i]);
    for (unsigned i = 0; i < NORMALISE_FILTERS; i++)
        snapshot_put_u64(w, s->folded[i]);
}

static void load_stats(struct normalise_stats *s, struct snapshot_in *in)
{
    uint64_t *single[] = {&s->records, &s->events, &s->repaired, &s->suspect, &s->unknown_vehicle, &s->spans_full};

    for (unsigned i = 0; i < sizeof single / sizeof single[0]; i++)
        *single[i] = snapshot_get_u64(in);
    for (unsigned i = 0; i < NORMALISE_REASON_COUNT; i++)
        s->refused[i] = snapshot_get_u64(in);
    for (unsigned i = 0; i < NORMALISE_FILTERS; i++)
        s->folded[i] = snapshot_get_u64(in);
}

/* Contents from the oldest to the newest, so that loading them in this order forgets them in the same one. */
static void save_contents(const struct normalise *n, struct snapshot_writer *w)
{
    uint32_t first = n->content_count == NORMALISE_CONTENTS ? n->content_next : 0;

    snapshot_put_u64(w, n->content_count);
    for (uint32_t i = 0; i < n->content_count; i++)
        snapshot_put_raw(w, n->content[(first + i) % NORMALISE_CONTENTS].hash, CONTENT_SIZE);
}

static enum vs_err load_contents(struct normalise *n, struct snapshot_in *in)
{
    uint64_t count = snapshot_get_count(in, CONTENT_SIZE);
    enum vs_err err = count <= NORMALISE_CONTENTS ? VS_OK : VS_ERR_MALFORMED;

    for (uint64_t i = 0; err == VS_OK && i < count; i++) {
        struct slice hash = snapshot_get_raw(in, CONTENT_SIZE);
        struct content c;
        bool seen = false;

        if (hash.len != CONTENT_SIZE)
            return VS_ERR_MALFORMED;
        memcpy(c.hash, hash.ptr, sizeof c.hash);
        err = normalise_content_add(n, &c, &seen);
        if (seen)
            err = VS_ERR_MALFORMED;
    }
    return err;
}

void normalise_save(const struct normalise *n, struct snapshot_writer *w)
{
    save_stats(&n->stats, w);
    save_contents(n, w);
    vehicle_table_save(&n->vehicles, w);
}

enum vs_err normalise_load(struct normalise *n, struct snapshot_in *in)
{
    load_stats(&n->stats, in);
    enum vs_err err = load_contents(n, in);
    if (err == VS_OK)
        err = vehicle_table_load(&n->vehicles, in);
    return err == VS_OK ? snapshot_in_done(in) : err;
}
