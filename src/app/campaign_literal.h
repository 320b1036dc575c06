/* campaign_literal: the literal rule, 50 distinct vehicles with one signature in 48 consecutive hours, for comparison.
 *
 * Hours are event time; a report counts when it has come in. Memory: heap, 8 bytes a report of the last two weeks. */
#ifndef APP_CAMPAIGN_LITERAL_H
#define APP_CAMPAIGN_LITERAL_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include <stdbool.h>
#include <stdint.h>

#define LITERAL_VEHICLES 50
#define LITERAL_WINDOW_H 48

struct literal_report {
    int32_t hour;
    uint32_t vehicle;
};

struct literal {
    struct literal_report *report; /* sorted when looked at */
    uint32_t count, room;
    bool fresh;     /* something came since the last look */
    uint8_t *alarm; /* by hour from `first_hour`, 1 where the window that ends there held */
    int32_t first_hour, hours;
};

VS_MUST_USE enum vs_err literal_init(struct literal *l, int32_t first_hour, int32_t hours);
void literal_done(struct literal *l);
VS_MUST_USE enum vs_err literal_add(struct literal *l, int32_t hour, uint32_t vehicle);
/* Works out the hours from `from` to `to` again. */
void literal_look(struct literal *l, int32_t from, int32_t to);
bool literal_alarm(const struct literal *l, int32_t from, int32_t to);

#endif
