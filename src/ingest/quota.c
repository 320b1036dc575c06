#include "ingest/quota.h"

#include <stdlib.h>

#include "core/timestamp.h"

#define ROW_BUCKETS 8
#define HOUR_S      3600

struct bucket {
    uint8_t vid[EV_VID_SIZE];
    uint64_t bytes; /* left in it at `at_us` */
    int64_t at_us;  /* 0 = free */
};

struct quota {
    uint64_t bytes_max;
    uint32_t row_mask;
    struct bucket *bucket;
};

enum vs_err quota_new(uint64_t bytes_per_hour, uint32_t vehicles, struct quota **ret)
{
    struct quota *q = calloc(1, sizeof *q);
    uint32_t rows = 1;

    if (q == NULL)
        return VS_ERR_NO_MEMORY;
    while (rows * ROW_BUCKETS < vehicles)
        rows *= 2;
    q->bytes_max = bytes_per_hour;
    q->row_mask = rows - 1;
    q->bucket = calloc((size_t)rows * ROW_BUCKETS, sizeof q->bucket[0]);
    if (q->bucket == NULL) {
        quota_free(q);
        return VS_ERR_NO_MEMORY;
    }
    *ret = q;
    return VS_OK;
}

void quota_free(struct quota *q)
{
    if (q == NULL)
        return;
    free(q->bucket);
    free(q);
}

static uint64_t held(const struct quota *q, const struct bucket *b, int64_t now_us)
{
    int64_t passed_s = (now_us - b->at_us) / US_PER_S;

    if (b->at_us == 0 || passed_s >= HOUR_S)
        return q->bytes_max;
    if (passed_s <= 0)
        return b->bytes;
    uint64_t more = b->bytes + q->bytes_max * (uint64_t)passed_s / HOUR_S;
    return more < q->bytes_max ? more : q->bytes_max;
}

static struct bucket *find(struct quota *q, const uint8_t vid[EV_VID_SIZE], int64_t now_us)
{
    uint32_t row;

    memcpy(&row, vid, sizeof row);
    struct bucket *first = &q->bucket[(size_t)(row & q->row_mask) * ROW_BUCKETS], *fullest = first;
    for (unsigned i = 0; i < ROW_BUCKETS; i++) {
        if (first[i].at_us != 0 && memcmp(first[i].vid, vid, EV_VID_SIZE) == 0)
            return &first[i];
        if (held(q, &first[i], now_us) > held(q, fullest, now_us) || first[i].at_us == 0)
            fullest = &first[i];
    }
    memcpy(fullest->vid, vid, EV_VID_SIZE);
    fullest->at_us = now_us > 0 ? now_us : 1;
    fullest->bytes = q->bytes_max;
    return fullest;
}

bool quota_take(struct quota *q, const uint8_t vid[EV_VID_SIZE], uint64_t bytes, int64_t now_us, uint32_t *ret_retry_s)
{
    struct bucket *b = find(q, vid, now_us);
    uint64_t left = held(q, b, now_us), need = bytes < q->bytes_max ? bytes : q->bytes_max;

    if (left < need) {
        uint64_t wait_s = ((need - left) * HOUR_S + q->bytes_max - 1) / q->bytes_max;

        *ret_retry_s = (uint32_t)(wait_s < 1 ? 1 : wait_s > HOUR_S ? HOUR_S : wait_s);
        return false;
    }
    /* Whole seconds only were credited, so the clock of the bucket moves by whole seconds as well. */
    if (now_us - b->at_us >= US_PER_S)
        b->at_us = now_us - (now_us - b->at_us) % US_PER_S;
    b->bytes = left - need;
    return true;
}
