#include "app/campaign_literal.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_H (24 * 14)

enum vs_err literal_init(struct literal *l, int32_t first_hour, int32_t hours)
{
    memset(l, 0, sizeof *l);
    l->first_hour = first_hour;
    l->hours = hours;
    l->alarm = calloc((size_t)hours, 1);
    return l->alarm != NULL ? VS_OK : VS_ERR_NO_MEMORY;
}

void literal_done(struct literal *l)
{
    free(l->report);
    free(l->alarm);
}

enum vs_err literal_add(struct literal *l, int32_t hour, uint32_t vehicle)
{
    if (l->count == l->room) {
        uint32_t room = l->room == 0 ? 256 : 2 * l->room;
        struct literal_report *more = realloc(l->report, room * sizeof *more);

        if (more == NULL)
            return VS_ERR_NO_MEMORY;
        l->report = more;
        l->room = room;
    }
    l->report[l->count++] = (struct literal_report){hour, vehicle};
    l->fresh = true;
    return VS_OK;
}

static int order(const void *a, const void *b)
{
    const struct literal_report *x = a, *y = b;

    if (x->vehicle != y->vehicle)
        return x->vehicle < y->vehicle ? -1 : 1;
    return x->hour < y->hour ? -1 : x->hour > y->hour;
}

/* A vehicle counts in every window that holds one of its reports: hours h to h + 47. Runs of such hours are entered as
 * a step up and a step down. */
void literal_look(struct literal *l, int32_t from, int32_t to)
{
    int32_t *step = calloc((size_t)(to - from + 2), sizeof *step), level = 0, until = 0;
    uint32_t kept = 0;

    if (step == NULL)
        return;
    qsort(l->report, l->count, sizeof *l->report, order);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct literal_report r = l->report[i];
        int32_t low = r.hour, high = r.hour + LITERAL_WINDOW_H;

        if (r.hour >= to - KEEP_H)
            l->report[kept++] = r;
        if (i > 0 && r.vehicle == l->report[i - 1].vehicle && until > low)
            low = until;
        until = high;
        low = low < from ? from : low;
        high = high > to + 1 ? to + 1 : high;
        if (low < high) {
            step[low - from]++;
            step[high - from]--;
        }
    }
    l->count = kept;
    l->fresh = false;
    for (int32_t h = from; h <= to; h++) {
        level += step[h - from];
        if (h >= l->first_hour && h < l->first_hour + l->hours)
            l->alarm[h - l->first_hour] = level >= LITERAL_VEHICLES;
    }
    free(step);
}

bool literal_alarm(const struct literal *l, int32_t from, int32_t to)
{
    for (int32_t h = from; h <= to; h++)
        if (h >= l->first_hour && h < l->first_hour + l->hours && l->alarm[h - l->first_hour])
            return true;
    return false;
}
