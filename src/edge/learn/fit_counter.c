/* fit_counter: finds the alive counter of an identifier, if it has one.
 *
 * Tried are all runs of 2 to 8 bits within one byte, longest first. A run is a counter when one step c, the same for
 * HOLD_PERMILLE of all frames, takes it from frame to frame and it went round at least twice through all its values. */
#include "edge/learn/learn.h"

#define FRAMES_MIN    300
#define HOLD_PERMILLE 970

static uint8_t field_of(const struct learner *l, const struct learn_frame *f, uint32_t bit, uint32_t len)
{
    return bit / 8 < f->len ? (uint8_t)(learn_data(l, f)[bit / 8] >> bit % 8 & ((1u << len) - 1)) : 0;
}

static bool is_counter(const struct learner *l, const struct learn_id *id, uint32_t bit, uint32_t len,
                       uint8_t *ret_step)
{
    uint32_t delta[256] = {0}, seen[256] = {0}, pairs = 0, mask = (1u << len) - 1, best = 1;

    for (uint32_t i = 1; i < id->count; i++) {
        const struct learn_frame *a = &l->frame[id->frame[i - 1]], *b = &l->frame[id->frame[i]];
        if (a->session != b->session)
            continue;
        uint8_t from = field_of(l, a, bit, len), to = field_of(l, b, bit, len);
        delta[(to - from) & mask]++;
        seen[to]++;
        pairs++;
        if (i == 64 && delta[0] > 32)
            return false; /* most fields: not worth the rest */
    }
    for (uint32_t d = 1; d <= mask; d++)
        if (delta[d] > delta[best])
            best = d;
    if (pairs < FRAMES_MIN || (uint64_t)delta[best] * 1000 < (uint64_t)pairs * HOLD_PERMILLE || best % 2 == 0)
        return false;
    for (uint32_t v = 0; v <= mask; v++)
        if (seen[v] < 2)
            return false;
    *ret_step = (uint8_t)best;
    return true;
}

void learn_fit_counter(struct learner *l, struct learn_id *id)
{
    uint32_t bytes = l->frame[id->frame[0]].len;

    if (id->count < FRAMES_MIN)
        return;
    for (uint32_t len = 8; len >= 2; len--)
        for (uint32_t byte = 0; byte < bytes; byte++)
            for (uint32_t at = 0; at + len <= 8; at++)
                if (is_counter(l, id, byte * 8 + at, len, &id->counter_step)) {
                    id->counter_bit = (uint16_t)(byte * 8 + at);
                    id->counter_len = (uint8_t)len;
                    id->flags |= ID_COUNTER;
                    return;
                }
}
