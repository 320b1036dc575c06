#include "world.h"

#include <assert.h>
#include <stdlib.h>

#include "base/compress.h"
#include "base/crypto.h"
#include "codec/cose.h"
#include "drive.h"
#include "gateway/gateway.h"
#include "gateway/port_ram.h"

#define BLOCK_SIZE   512u
#define STAGING_SIZE 4096u
#define SLOTS        16u
#define BATCH_BYTES  16384u
#define HOUR_US      INT64_C(3600000000)
#define UPLOADS_MAX  (1u << 22)
#define DOUBLE_PPM   30000 /* share of batches whose acknowledgement gets lost */
#define LATENCY_US   INT64_C(400000)

struct car {
    struct fleet_vehicle v;
    struct drive drive;
    struct key *key;
    struct gateway gw;
    struct port_ram ram;
    struct port_aead aead;
    struct port_sign sign;
    struct outbox_entry *entry;
    struct aggregate_slot *slot;
    uint8_t *staging, *device;
    uint8_t journal_key[AEAD_KEY_SIZE];
    bool was_absent;
};

/* An upload waiting for its hour; the bytes belong to it. */
struct parcel {
    struct world_upload up;
    uint8_t *bytes;
    uint64_t order; /* of creation, so that sorting is stable */
};

struct world {
    struct world_config cfg;
    struct fleet_vehicle *vehicle; /* the same as car[i].v, in one row for the plan */
    struct car *car;
    struct plan *plan;
    struct compressor *compressor;
    struct port_pack pack;
    uint8_t *scratch, *out;
    struct scene scene;
    struct parcel *parcel; /* waiting and handed out */
    uint32_t parcel_count, parcel_room, parcel_given;
    struct world_upload *view;
    uint64_t order;
    unsigned day;
    struct world_counters counters;
};

static enum vs_err ram_seal(void *ctx, const uint8_t nonce[PORT_AEAD_NONCE], struct slice aad, struct slice in,
                            uint8_t *out)
{
    return aead_seal(((struct car *)ctx)->journal_key, nonce, aad, in, out);
}

static enum vs_err ram_open(void *ctx, const uint8_t nonce[PORT_AEAD_NONCE], struct slice aad, struct slice in,
                            uint8_t *out)
{
    return aead_open(((struct car *)ctx)->journal_key, nonce, aad, in, out);
}

static enum vs_err car_sign(void *ctx, struct slice in, uint8_t ret[PORT_SIGNATURE])
{
    return key_sign(((struct car *)ctx)->key, in, ret);
}

static enum vs_err world_pack(void *ctx, struct slice in, uint8_t *out, size_t size, size_t *ret_len)
{
    return compressor_pack(ctx, in, out, size, ret_len);
}

/* A car that is off the air for weeks needs a journal for as long. */
static uint32_t car_entries(const struct car *c)
{
    return c->v.link == LINK_ABSENT ? 8192 : 2048;
}

static uint32_t car_blocks(const struct car *c)
{
    return c->v.link == LINK_ABSENT ? 2048 : 512;
}

static enum vs_err car_open(struct world *w, struct car *c)
{
    struct rng r = rng_split(w->cfg.seed, "key", c->v.number);
    uint8_t seed[32];
    struct gateway_config cfg = {.epoch_first = 1, .batch_events_max = 100, .batch_bytes_max = BATCH_BYTES};
    struct gateway_memory memory = {0};

    for (unsigned i = 0; i < 32; i++)
        seed[i] = (uint8_t)rng_below(&r, 256);
    memcpy(c->journal_key, seed, sizeof seed);
    seed[0] ^= 0xFF;
    if (key_from_seed(seed, &c->key) != VS_OK)
        return VS_ERR_IO;
    uint32_t blocks = car_blocks(c);
    c->entry = calloc(car_entries(c), sizeof *c->entry);
    c->slot = calloc(SLOTS, sizeof *c->slot);
    c->staging = malloc(STAGING_SIZE);
    c->device = calloc(blocks, BLOCK_SIZE);
    if (c->entry == NULL || c->slot == NULL || c->staging == NULL || c->device == NULL)
        return VS_ERR_NO_MEMORY;
    port_ram_init(&c->ram, c->device, BLOCK_SIZE, blocks);
    c->aead = (struct port_aead){ram_seal, ram_open, c};
    c->sign = (struct port_sign){COSE_ALG_EDDSA, car_sign, c};
    struct gateway_ports ports = {&c->ram.device_port, &c->ram.anchor_port, &c->aead, &c->sign, &w->pack};
    memcpy(cfg.vid, c->v.vid, sizeof cfg.vid);
    cfg.prioritise.window_period_s = 6 * 3600;
    memory.entry = c->entry;
    memory.entry_max = car_entries(c);
    memory.slot = c->slot;
    memory.slot_count = SLOTS;
    memory.staging = c->staging;
    memory.staging_size = STAGING_SIZE;
    memory.scratch = w->scratch;
    memory.scratch_size = GATEWAY_SCRATCH_SIZE(STAGING_SIZE, BLOCK_SIZE, BATCH_BYTES);
    drive_init(&c->drive, &c->v);
    return gateway_init(&c->gw, &cfg, &ports, &memory, w->cfg.start_us + c->v.clock_offset_us, NULL);
}

static void car_close(struct car *c)
{
    key_free(c->key);
    free(c->entry);
    free(c->slot);
    free(c->staging);
    free(c->device);
}

enum vs_err world_new(const struct world_config *cfg, struct world **ret)
{
    struct world *w = calloc(1, sizeof *w);
    enum vs_err err = VS_OK;

    if (w == NULL)
        return VS_ERR_NO_MEMORY;
    w->cfg = *cfg;
    w->vehicle = calloc(cfg->vehicles, sizeof *w->vehicle);
    w->car = calloc(cfg->vehicles, sizeof *w->car);
    w->scratch = malloc(GATEWAY_SCRATCH_SIZE(STAGING_SIZE, BLOCK_SIZE, BATCH_BYTES));
    w->out = malloc(GATEWAY_OUT_SIZE(BATCH_BYTES));
    if (w->vehicle == NULL || w->car == NULL || w->scratch == NULL || w->out == NULL)
        err = VS_ERR_NO_MEMORY;
    if (err == VS_OK)
        err = scene_init(&w->scene);
    if (err == VS_OK)
        err = compressor_new(3, &w->compressor);
    w->pack = (struct port_pack){world_pack, w->compressor};
    for (uint32_t i = 0; err == VS_OK && i < cfg->vehicles; i++) {
        fleet_vehicle_init(&w->vehicle[i], cfg->seed, i, cfg->days, cfg->pseudonym_key);
        w->car[i].v = w->vehicle[i];
        err = car_open(w, &w->car[i]);
    }
    if (err == VS_OK)
        err = plan_new(cfg->seed, w->vehicle, cfg->vehicles, cfg->days, cfg->start_us, &w->plan);
    if (err != VS_OK) {
        world_free(w);
        return err;
    }
    *ret = w;
    return VS_OK;
}

void world_free(struct world *w)
{
    if (w == NULL)
        return;
    for (uint32_t i = 0; w->car != NULL && i < w->cfg.vehicles; i++)
        car_close(&w->car[i]);
    for (uint32_t i = 0; i < w->parcel_count; i++)
        free(w->parcel[i].bytes);
    plan_free(w->plan);
    compressor_free(w->compressor);
    scene_done(&w->scene);
    free(w->parcel);
    free(w->view);
    free(w->vehicle);
    free(w->car);
    free(w->scratch);
    free(w->out);
    free(w);
}

const struct fleet_vehicle *world_vehicle(const struct world *w, uint32_t number)
{
    assert(number < w->cfg.vehicles);
    return &w->vehicle[number];
}

const struct key *world_key(const struct world *w, uint32_t number)
{
    assert(number < w->cfg.vehicles);
    return w->car[number].key;
}

const struct plan *world_plan(const struct world *w)
{
    return w->plan;
}

void world_counters(const struct world *w, struct world_counters *ret)
{
    *ret = w->counters;
}

static enum vs_err parcel_add(struct world *w, const struct car *c, int64_t sent_us, struct slice body)
{
    if (w->parcel_count == w->parcel_room) {
        uint32_t room = w->parcel_room == 0 ? 1024 : w->parcel_room * 2;
        struct parcel *more = room <= UPLOADS_MAX ? realloc(w->parcel, room * sizeof *more) : NULL;

        if (more == NULL)
            return VS_ERR_NO_MEMORY;
        w->parcel = more;
        w->parcel_room = room;
    }
    struct parcel *p = &w->parcel[w->parcel_count];
    p->bytes = malloc(body.len);
    if (p->bytes == NULL)
        return VS_ERR_NO_MEMORY;
    memcpy(p->bytes, body.ptr, body.len);
    p->up = (struct world_upload){sent_us, c->v.number, slice_make(p->bytes, body.len)};
    p->order = w->order++;
    w->parcel_count++;
    return VS_OK;
}

/* Sends everything that may go over this bearer at this time. Now and then the backend's acknowledgement gets lost with
 * the link: the batch has arrived, and the vehicle, which cannot know, sends the same events again at the next chance.
 */
static enum vs_err car_send(struct world *w, struct car *c, enum bearer bearer, int64_t true_us)
{
    int64_t own_us = true_us + c->v.clock_offset_us;
    struct rng r = rng_split(w->cfg.seed ^ (uint64_t)true_us, "send", c->v.number);
    bool last = w->day + 1 == w->cfg.days && bearer == BEARER_MAINTENANCE, lost = false;
    size_t len;

    gateway_link(&c->gw, bearer);
    enum vs_err err = gateway_tick(&c->gw, own_us);
    while (err == VS_OK && !lost && gateway_due(&c->gw) > 0) {
        err = gateway_next_batch(&c->gw, own_us, w->out, GATEWAY_OUT_SIZE(BATCH_BYTES), &len);
        if (err != VS_OK)
            break;
        lost = !last && rng_chance(&r, DOUBLE_PPM);
        w->counters.batches++;
        w->counters.bytes += len;
        w->counters.late_batches += c->was_absent;
        err = parcel_add(w, c, true_us + LATENCY_US, slice_make(w->out, len));
        if (lost) {
            w->counters.doubled++;
            gateway_returned(&c->gw);
        } else {
            w->counters.records += gateway_under_way(&c->gw)->events;
            gateway_acked(&c->gw, own_us);
        }
    }
    return err == VS_ERR_END ? VS_OK : err;
}

static bool is_absent(const struct car *c, unsigned day)
{
    return c->v.link == LINK_ABSENT && day >= c->v.absent_from_day && day < c->v.absent_to_day;
}

static enum vs_err car_report(struct world *w, struct car *c, const struct event *seen, bool online)
{
    struct event ev = *seen;

    ev.first_us += c->v.clock_offset_us;
    ev.last_us = ev.first_us;
    enum vs_err err = gateway_tick(&c->gw, ev.first_us);
    if (err == VS_OK)
        err = gateway_report(&c->gw, &ev, ev.first_us);
    if (err == VS_ERR_FULL)
        err = VS_OK; /* given up, and accounted for by the gateway itself */
    w->counters.events++;
    if (err == VS_OK && online)
        err = car_send(w, c, BEARER_METERED, seen->first_us + 2 * US_PER_S);
    return err;
}

/* Nights are for what costs nothing: Wi-Fi at home, or once a week a charging point or workshop. */
static enum vs_err car_night(struct world *w, struct car *c, int64_t start_us)
{
    struct rng r = rng_split(w->cfg.seed, "night", (uint64_t)c->v.number << 16 | w->day);
    int64_t at_us = start_us + 23 * HOUR_US + rng_between(&r, 0, 3500) * US_PER_S;

    if (w->day + 1 == w->cfg.days) {
        enum vs_err err = gateway_flush(&c->gw, at_us + c->v.clock_offset_us);
        return err == VS_OK ? car_send(w, c, BEARER_MAINTENANCE, at_us) : err;
    }
    if (is_absent(c, w->day))
        return VS_OK;
    if (c->v.wifi || (w->day + c->v.number) % 7 == 0)
        return car_send(w, c, BEARER_FREE, at_us);
    return c->v.link == LINK_DAILY ? car_send(w, c, BEARER_METERED, at_us) : VS_OK;
}

static enum vs_err car_day(struct world *w, struct car *c)
{
    int64_t start_us = w->cfg.start_us + (int64_t)w->day * DAY_US;
    bool absent = is_absent(c, w->day);
    bool online = !absent && c->v.link != LINK_DAILY;
    enum vs_err err = VS_OK;

    c->was_absent = c->v.link == LINK_ABSENT && (absent || w->day == c->v.absent_to_day);
    scene_reset(&w->scene);
    if (!plan_parks(w->plan, c->v.number, start_us))
        drive_day(&c->drive, &c->v, w->cfg.seed, w->day, start_us, &w->scene);
    plan_day(w->plan, &c->v, start_us, c->drive.lat, c->drive.lon, &w->scene);
    scene_sort(&w->scene);
    for (uint32_t i = 0; err == VS_OK && i < w->scene.count; i++)
        err = car_report(w, c, &w->scene.ev[i], online);
    return err == VS_OK ? car_night(w, c, start_us) : err;
}

static int by_sending(const void *a, const void *b)
{
    const struct parcel *x = a, *y = b;

    if (x->up.sent_us != y->up.sent_us)
        return x->up.sent_us < y->up.sent_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Frees what was handed out at the step before and moves the rest to the front. */
static void parcels_forget(struct world *w)
{
    for (uint32_t i = 0; i < w->parcel_given; i++)
        free(w->parcel[i].bytes);
    if (w->parcel_given > 0)
        memmove(w->parcel, w->parcel + w->parcel_given, (w->parcel_count - w->parcel_given) * sizeof *w->parcel);
    w->parcel_count -= w->parcel_given;
    w->parcel_given = 0;
}

enum vs_err world_step(struct world *w, const struct world_upload **ret, uint32_t *ret_count)
{
    enum vs_err err = VS_OK;

    parcels_forget(w);
    if (w->day == w->cfg.days)
        return VS_ERR_END;
    for (uint32_t i = 0; err == VS_OK && i < w->cfg.vehicles; i++)
        err = car_day(w, &w->car[i]);
    if (err != VS_OK)
        return err;
    w->day++;
    if (w->parcel_count > 0)
        qsort(w->parcel, w->parcel_count, sizeof *w->parcel, by_sending);
    /* A night's upload may fall into the next day; after the last one nothing waits any longer. */
    int64_t until_us = w->cfg.start_us + (int64_t)w->day * DAY_US;
    while (w->parcel_given < w->parcel_count &&
           (w->day == w->cfg.days || w->parcel[w->parcel_given].up.sent_us < until_us))
        w->parcel_given++;
    free(w->view);
    w->view = calloc(w->parcel_given + 1, sizeof *w->view);
    if (w->view == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < w->parcel_given; i++)
        w->view[i] = w->parcel[i].up;
    *ret = w->view;
    *ret_count = w->parcel_given;
    return VS_OK;
}
