#include "detect/intel/intel_tally.h"

#include <stdlib.h>

#define NONE UINT32_MAX

void intel_tally_init(struct intel_tally *t)
{
    memset(t, 0, sizeof *t);
}

static void forget(struct intel_tally *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        for (unsigned k = 0; k < t->row[i].member_count; k++)
            free(t->row[i].member[k]);
    t->count = 0;
}

void intel_tally_done(struct intel_tally *t)
{
    forget(t);
    free(t->row);
    free(t->bucket);
    intel_tally_init(t);
}

void intel_tally_reset(struct intel_tally *t)
{
    forget(t);
    if (t->bucket != NULL)
        memset(t->bucket, 0xFF, t->bucket_count * sizeof *t->bucket);
}

/* ---- rows */

static uint32_t hash_of(uint32_t indicator, const uint8_t vid[EV_VID_SIZE], int64_t hour)
{
    uint64_t a, b, h = ((uint64_t)indicator << 32) ^ (uint64_t)hour;

    memcpy(&a, vid, sizeof a);
    memcpy(&b, vid + 8, sizeof b);
    h = (h ^ a) * UINT64_C(0xD6E8FEB86659FD93);
    h = ((h ^ h >> 32) ^ b) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(h >> 32);
}

static bool is_row(const struct intel_tally_row *r, uint32_t indicator, const uint8_t vid[EV_VID_SIZE], int64_t hour)
{
    return r->indicator == indicator && r->hour == hour && memcmp(r->vid, vid, EV_VID_SIZE) == 0;
}

/* Open addressing, at most half full. */
static uint32_t *find(const struct intel_tally *t, uint32_t indicator, const uint8_t vid[EV_VID_SIZE], int64_t hour)
{
    uint32_t at = hash_of(indicator, vid, hour) & (t->bucket_count - 1);

    while (t->bucket[at] != NONE && !is_row(&t->row[t->bucket[at]], indicator, vid, hour))
        at = (at + 1) & (t->bucket_count - 1);
    return &t->bucket[at];
}

static bool grow(struct intel_tally *t)
{
    uint32_t room = t->room == 0 ? 256 : t->room * 2;
    struct intel_tally_row *row = realloc(t->row, room * sizeof *row);

    if (row == NULL)
        return false;
    t->row = row;
    uint32_t *bucket = malloc(2 * (size_t)room * sizeof *bucket);
    if (bucket == NULL)
        return false;
    memset(bucket, 0xFF, 2 * (size_t)room * sizeof *bucket);
    free(t->bucket);
    t->bucket = bucket;
    t->bucket_count = 2 * room;
    t->room = room;
    for (uint32_t i = 0; i < t->count; i++)
        *find(t, row[i].indicator, row[i].vid, row[i].hour) = i;
    return true;
}

/* ---- members */

static int compare_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_members(const struct alert_member *a, const struct alert_member *b)
{
    int c = compare_i64(a->time_us, b->time_us);

    c = c != 0 ? c : compare_u64(a->epoch, b->epoch);
    c = c != 0 ? c : compare_u64(a->seq, b->seq);
    c = c != 0 ? c : compare_u64(a->log_partition, b->log_partition);
    return c != 0 ? c : compare_u64(a->log_offset, b->log_offset);
}

static struct alert_member *copy_member(const struct alert_member *m)
{
    const struct slice text[] = {m->type,  m->signature, m->ecu,        m->bus,
                                 m->model, m->hardware,  m->sw_version, m->region};
    size_t size = sizeof *m;

    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        size += text[i].len;
    struct alert_member *copy = malloc(size);
    if (copy == NULL)
        return NULL;
    *copy = *m;
    struct slice *to[] = {&copy->type,  &copy->signature, &copy->ecu,        &copy->bus,
                          &copy->model, &copy->hardware,  &copy->sw_version, &copy->region};
    uint8_t *at = (uint8_t *)(copy + 1);
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        if (text[i].len > 0)
            memcpy(at, text[i].ptr, text[i].len);
        *to[i] = slice_make(at, text[i].len);
        at += text[i].len;
    }
    return copy;
}

static enum vs_err keep_member(struct intel_tally_row *r, const struct alert_member *m)
{
    unsigned at = r->member_count;

    while (at > 0 && compare_members(m, r->member[at - 1]) < 0)
        at--;
    if (at == INTEL_MEMBERS_MAX)
        return VS_OK;
    struct alert_member *copy = copy_member(m);
    if (copy == NULL)
        return VS_ERR_NO_MEMORY;
    if (r->member_count == INTEL_MEMBERS_MAX)
        free(r->member[--r->member_count]);
    memmove(&r->member[at + 1], &r->member[at], (r->member_count - at) * sizeof r->member[0]);
    r->member[at] = copy;
    r->member_count++;
    return VS_OK;
}

enum vs_err intel_tally_add(struct intel_tally *t, uint32_t indicator, const struct alert_member *m, bool late)
{
    int64_t hour = m->time_us / INTEL_HOUR_US;

    if (t->count == t->room && t->count < INTEL_TALLY_MAX && !grow(t))
        return VS_ERR_NO_MEMORY;
    uint32_t *at = find(t, indicator, m->vid, hour);
    if (*at == NONE && t->count == INTEL_TALLY_MAX) {
        t->left_out++;
        return VS_OK;
    }
    if (*at == NONE) {
        *at = t->count;
        struct intel_tally_row *fresh = &t->row[t->count++];
        *fresh = (struct intel_tally_row){
            .indicator = indicator, .hour = hour, .first_us = m->time_us, .last_us = m->time_us};
        memcpy(fresh->vid, m->vid, EV_VID_SIZE);
    }
    struct intel_tally_row *r = &t->row[*at];
    r->first_us = m->time_us < r->first_us ? m->time_us : r->first_us;
    r->last_us = m->time_us > r->last_us ? m->time_us : r->last_us;
    r->count += m->count;
    r->late = r->late || late;
    return keep_member(r, m);
}

static int compare_rows(const void *a, const void *b)
{
    const struct intel_tally_row *x = a, *y = b;
    int c = compare_u64(x->indicator, y->indicator);

    c = c != 0 ? c : memcmp(x->vid, y->vid, EV_VID_SIZE);
    return c != 0 ? c : compare_i64(x->hour, y->hour);
}

void intel_tally_sort(struct intel_tally *t)
{
    if (t->count > 0)
        qsort(t->row, t->count, sizeof *t->row, compare_rows);
}
