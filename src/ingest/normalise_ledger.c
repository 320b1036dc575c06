/* What the state per vehicle says as a ledger: counted by walking, so that it is right by itself. */
#include "core/timestamp.h"
#include "ingest/normalise_internal.h"

void normalise_ledger(const struct normalise *n, struct ledger *ret)
{
    memset(ret, 0, sizeof *ret);
    for (uint32_t i = 0; i < n->vehicles.count; i++) {
        struct ledger one;

        vehicle_ledger(vehicle_table_at(&n->vehicles, i), &one);
        ledger_add(ret, &one);
    }
}

static void describe(const struct vehicle_state *v, struct normalise_vehicle *ret)
{
    memcpy(ret->vid, v->vid, sizeof ret->vid);
    ret->first_received_us = (int64_t)v->first_received_s * US_PER_S;
    ret->last_received_us = v->last_received_us;
    ret->clock_offset_us = v->clock_offset_us == CLOCK_UNKNOWN ? 0 : v->clock_offset_us;
    ret->epochs = vehicle_epoch_count(v);
    vehicle_ledger(v, &ret->sum);
}

bool normalise_vehicle(const struct normalise *n, const uint8_t vid[EV_VID_SIZE], struct normalise_vehicle *ret)
{
    uint32_t number = vehicle_table_find(&n->vehicles, vid);

    if (number == VEHICLE_NONE)
        return false;
    describe(vehicle_table_at(&n->vehicles, number), ret);
    return true;
}

/* The last `size` gaps win, because they are walked from the lowest on: a ring, turned round at the end. */
struct gap_list {
    struct ledger_gap *gap;
    size_t size, total;
    uint32_t epoch;
};

static void note_gap(uint64_t first, uint64_t last, void *ctx)
{
    struct gap_list *l = ctx;

    if (l->size > 0)
        l->gap[l->total % l->size] = (struct ledger_gap){l->epoch, first, last};
    l->total++;
}

static void note_epoch(uint32_t epoch, const struct ledger_sets *sets, uint64_t duplicates, void *ctx)
{
    struct gap_list *l = ctx;
    struct ledger sum = {.duplicates = duplicates};

    l->epoch = epoch;
    ledger_count(sets, &sum, note_gap, l);
}

static void reverse(struct ledger_gap *gap, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct ledger_gap other = gap[i];

        gap[i] = gap[count - 1 - i];
        gap[count - 1 - i] = other;
    }
}

size_t normalise_gaps(const struct normalise *n, const uint8_t vid[EV_VID_SIZE], struct ledger_gap *gap, size_t size)
{
    uint32_t number = vehicle_table_find(&n->vehicles, vid);
    struct gap_list l = {.gap = gap, .size = size};

    if (number == VEHICLE_NONE)
        return 0;
    vehicle_epochs(vehicle_table_at(&n->vehicles, number), note_epoch, &l);
    if (l.total <= size) {
        reverse(gap, l.total);
        return l.total;
    }
    /* Newest first: both parts of the ring turned round each bring the ring into falling order. */
    size_t turn = l.total % size;
    reverse(gap, turn);
    reverse(gap + turn, size - turn);
    return size;
}

void normalise_changed(struct normalise *n, void (*each)(const struct normalise_vehicle *v, void *ctx), void *ctx)
{
    for (uint32_t word = 0; (uint64_t)word * 64 < n->vehicles.count; word++) {
        uint64_t bits = n->vehicles.changed[word];

        n->vehicles.changed[word] = 0;
        for (; bits != 0; bits &= bits - 1) {
            struct normalise_vehicle v;

            describe(vehicle_table_at(&n->vehicles, word * 64 + (uint32_t)__builtin_ctzll(bits)), &v);
            each(&v, ctx);
        }
    }
}
