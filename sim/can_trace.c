#include "can_trace.h"

#include <stdlib.h>
#include <string.h>

#define IDS          36
#define ATTACK_S     3 /* length of one burst */
#define ATTACK_GAP_S 8 /* from the start of one burst to the start of the next */
#define S_US         INT64_C(1000000)

struct sender {
    uint32_t id;
    int64_t period_us, jitter_us, next_us;
    uint8_t dlc, counter;
    uint16_t slow; /* a signal that drifts */
    uint8_t fixed[8];
};

static const char *const KIND[CAN_TRACE_KIND_COUNT] = {"clean", "dos", "fuzz", "inject", "suspend"};

enum can_trace_kind can_trace_kind_find(const char *name)
{
    unsigned i = 0;

    while (i < CAN_TRACE_KIND_COUNT && strcmp(KIND[i], name) != 0)
        i++;
    return (enum can_trace_kind)i;
}

static void sender_init(struct sender *s, unsigned number, struct rng *r)
{
    static const int64_t PERIOD_MS[] = {10, 20, 20, 40, 100, 100, 500, 1000};

    s->id = 0x060 + number * 0x2B;
    s->period_us = PERIOD_MS[number % 8] * 1000;
    s->jitter_us = s->period_us / 40 + 20;
    s->next_us = (int64_t)rng_below(r, (uint64_t)s->period_us);
    s->dlc = (uint8_t)(number % 5 == 4 ? 6 : 8);
    s->slow = (uint16_t)rng_below(r, 60000);
    for (unsigned i = 0; i < 8; i++)
        s->fixed[i] = (uint8_t)rng_below(r, 256);
}

static void write_frame(FILE *out, int64_t at_us, uint32_t id, const uint8_t *data, unsigned dlc)
{
    fprintf(out, "(%010lld.%06lld) can0 %03X#", (long long)(at_us / S_US), (long long)(at_us % S_US), id);
    for (unsigned i = 0; i < dlc; i++)
        fprintf(out, "%02X", data[i]);
    fputc('\n', out);
}

static void sender_step(struct sender *s, FILE *out, struct rng *r)
{
    uint8_t data[8];

    memcpy(data, s->fixed, sizeof data);
    s->counter = (uint8_t)((s->counter + 1) & 15);
    s->slow = (uint16_t)(s->slow + rng_between(r, -20, 20));
    data[0] = (uint8_t)(s->slow >> 8);
    data[1] = (uint8_t)s->slow;
    data[5] = (uint8_t)((data[5] & 0xF0) | s->counter);
    write_frame(out, s->next_us, s->id, data, s->dlc);
    s->next_us += s->period_us + rng_between(r, -s->jitter_us, s->jitter_us);
}

struct attacker {
    enum can_trace_kind kind;
    int64_t next_us, burst_end_us;
    const struct sender *target;
};

static void attacker_step(struct attacker *a, FILE *out, struct rng *r)
{
    uint8_t data[8] = {0};
    uint32_t id = 0;
    int64_t gap_us = 600;

    if (a->kind != CAN_TRACE_DOS)
        for (unsigned i = 0; i < 8; i++)
            data[i] = (uint8_t)rng_below(r, 256);
    if (a->kind == CAN_TRACE_FUZZ) {
        id = (uint32_t)rng_below(r, 0x800);
        gap_us = 3000;
    } else if (a->kind == CAN_TRACE_INJECT) {
        id = a->target->id;
        gap_us = a->target->period_us / 2;
    }
    write_frame(out, a->next_us, id, data, 8);
    a->next_us += gap_us;
    if (a->next_us > a->burst_end_us) {
        a->next_us += (ATTACK_GAP_S - ATTACK_S) * S_US;
        a->burst_end_us += ATTACK_GAP_S * S_US;
    }
}

static struct sender *first_due(struct sender *s)
{
    struct sender *first = &s[0];

    for (unsigned i = 1; i < IDS; i++)
        if (s[i].next_us < first->next_us)
            first = &s[i];
    return first;
}

uint64_t can_trace_write(FILE *out, uint64_t seed, enum can_trace_kind kind, unsigned seconds)
{
    struct sender sender[IDS];
    struct rng r = rng_split(seed, "can", 0), attack_rng = rng_split(seed, "can-attack", kind);
    int64_t end_us = seconds * S_US, attack_us = end_us * 2 / 3;
    uint64_t frames = 0;

    memset(sender, 0, sizeof sender);
    for (unsigned i = 0; i < IDS; i++)
        sender_init(&sender[i], i, &r);
    struct attacker a = {kind, attack_us, attack_us + ATTACK_S * S_US, &sender[1]};
    bool injects = kind == CAN_TRACE_DOS || kind == CAN_TRACE_FUZZ || kind == CAN_TRACE_INJECT;
    for (;;) {
        struct sender *s = first_due(sender);

        if (injects && a.next_us < s->next_us && a.next_us < end_us) {
            attacker_step(&a, out, &attack_rng);
            frames++;
            continue;
        }
        if (s->next_us >= end_us)
            return frames;
        if (kind == CAN_TRACE_SUSPEND && s == &sender[1] && s->next_us >= attack_us) {
            s->next_us = end_us;
            continue;
        }
        sender_step(s, out, &r);
        frames++;
    }
}
