/* fit_content: lengths, how often payloads change, and what their bits and bytes never did. */
#include <stdlib.h>

#include "edge/can/state.h"
#include "edge/learn/learn.h"

#define DLC_FRAMES_ONE  10  /* frames after which a single length is a rule */
#define DLC_FRAMES_MANY 200 /* frames after which a set of lengths is */
#define FRESH_FRAMES    100
#define PAYLOAD_FRAMES  1000

static int hash_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void dlc_fit(const struct learner *l, struct learn_id *id)
{
    uint16_t specified = id->dlc_mask;

    for (uint32_t i = 0; i < id->count; i++)
        id->dlc_mask |= (uint16_t)(1u << (l->frame[id->frame[i]].dlc & 15));
    uint32_t need = __builtin_popcount(id->dlc_mask) == 1 ? DLC_FRAMES_ONE : DLC_FRAMES_MANY;
    if (specified != 0 || id->count >= need)
        id->flags |= ID_DLC;
}

static enum vs_err change_fit(const struct learner *l, struct learn_id *id)
{
    uint32_t *hash = malloc(id->count * sizeof *hash), changes = 0, distinct = 0;

    if (hash == NULL)
        return VS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < id->count; i++) {
        const struct learn_frame *f = &l->frame[id->frame[i]];
        hash[i] = learn_hash(slice_make(learn_data(l, f), f->len));
        changes += i > 0 && hash[i] != hash[i - 1];
    }
    qsort(hash, id->count, sizeof *hash, hash_compare);
    for (uint32_t i = 0; i < id->count; i++)
        distinct += i == 0 || hash[i] != hash[i - 1];
    free(hash);
    id->change_permille = (uint16_t)(id->count > 1 ? (uint64_t)changes * 1000 / (id->count - 1) : 0);
    if (id->change_permille < 500)
        id->flags |= ID_STICKY;
    if (id->count >= FRESH_FRAMES && id->change_permille >= 950 && distinct >= id->count / 4)
        id->flags |= ID_FRESH;
    return VS_OK;
}

/* Widens the payload record by a frame; true when that brought something new. */
static bool payload_widen(struct learn_id *id, const uint8_t *data, uint32_t len)
{
    bool news = false;

    for (uint32_t i = 0; i < len && i < id->payload_len; i++) {
        uint8_t flipped = (uint8_t)((data[i] ^ id->value[i]) & id->mask[i]);
        if (flipped != 0 || data[i] < id->low[i] || data[i] > id->high[i])
            news = true;
        id->mask[i] &= (uint8_t)~flipped;
        if (data[i] < id->low[i])
            id->low[i] = data[i];
        if (data[i] > id->high[i])
            id->high[i] = data[i];
    }
    return news;
}

static void payload_fit(const struct learner *l, struct learn_id *id)
{
    const struct learn_frame *first = &l->frame[id->frame[0]];
    bool news_late = false;

    if (l->report.trained_ms < LEARN_PAYLOAD_MS || id->count < PAYLOAD_FRAMES || __builtin_popcount(id->dlc_mask) != 1)
        return;
    id->payload_len = first->len;
    memset(id->mask, 0xFF, sizeof id->mask);
    memcpy(id->value, learn_data(l, first), first->len);
    memcpy(id->low, id->value, sizeof id->low);
    memcpy(id->high, id->value, sizeof id->high);
    for (uint32_t i = 0; i < id->count; i++) {
        const struct learn_frame *f = &l->frame[id->frame[i]];
        if (payload_widen(id, learn_data(l, f), f->len) && i >= id->count / 2)
            news_late = true;
    }
    for (uint32_t i = 0; i < id->payload_len; i++)
        id->value[i] &= id->mask[i];
    if (!news_late)
        id->flags |= ID_PAYLOAD;
}

enum vs_err learn_fit_content(struct learner *l)
{
    for (uint32_t i = 0; i < l->id_count; i++) {
        struct learn_id *id = &l->id[i];
        if (id->count == 0) {
            id->flags |= id->dlc_mask != 0 ? ID_DLC : 0;
            continue;
        }
        dlc_fit(l, id);
        enum vs_err err = change_fit(l, id);
        if (err != VS_OK)
            return err;
        payload_fit(l, id);
        learn_fit_counter(l, id);
    }
    return VS_OK;
}
