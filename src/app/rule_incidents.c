#include "app/rule_incidents.h"

#include <stdlib.h>

#include "detect/sigma/arena.h"
#include "respond/lifecycle.h"

#define LISTED_MAX 200 /* numbers in each list; the counts say how many there are */

/* What an incident knows of one vehicle. */
struct span {
    struct slice vehicle;
    int64_t first_us, last_us;
    uint32_t incident; /* index */
};

struct known {
    int64_t number;
    bool false_alarm, hit;
};

struct rule_incidents {
    struct arena texts;
    struct known *known;
    uint32_t known_count, known_room;
    struct span *span; /* sorted by vehicle */
    uint32_t span_count, span_room;
};

static int compare_span(const void *x, const void *y)
{
    return slice_compare(((const struct span *)x)->vehicle, ((const struct span *)y)->vehicle);
}

/* Rows come by incident, so a new number is a new incident. */
static void add_row(struct rule_incidents *ri, struct store_stmt *q)
{
    int64_t number = store_i64(q, 0);

    if (ri->known_count == 0 || ri->known[ri->known_count - 1].number != number) {
        if (ri->known_count == ri->known_room) {
            ri->known_room = ri->known_room > 0 ? 2 * ri->known_room : 64;
            ri->known = mem_grow(ri->known, ri->known_room, sizeof *ri->known);
        }
        bool false_alarm = store_i64(q, 1) >= DISPOSITION_HARDWARE_FAULT; /* a fault, a defect, an anomaly */
        ri->known[ri->known_count++] = (struct known){number, false_alarm, false};
    }
    if (ri->span_count == RULE_INCIDENT_VEHICLES_MAX)
        return;
    if (ri->span_count == ri->span_room) {
        ri->span_room = ri->span_room > 0 ? 2 * ri->span_room : 256;
        ri->span = mem_grow(ri->span, ri->span_room, sizeof *ri->span);
    }
    ri->span[ri->span_count++] =
        (struct span){arena_copy(&ri->texts, store_text(q, 2)), store_i64(q, 3), store_i64(q, 4), ri->known_count - 1};
}

enum vs_err rule_incidents_load(struct store *st, int64_t first_us, int64_t last_us, struct rule_incidents **ret)
{
    struct rule_incidents *ri = mem_zalloc(1, sizeof *ri);
    struct store_stmt *q =
        store_prepare(st, "SELECT i.number, i.disposition, v.vid, min(v.first_us), max(v.last_us) FROM incident i "
                          "JOIN alert a ON a.incident = i.number JOIN alert_vehicle v ON v.alert = a.id "
                          "WHERE i.merged_into IS NULL AND i.last_us >= ? AND i.first_us <= ? "
                          "GROUP BY i.number, i.disposition, v.vid ORDER BY i.number, v.vid");
    enum vs_err err;

    arena_init(&ri->texts);
    store_bind_i64(q, 1, first_us);
    store_bind_i64(q, 2, last_us);
    while ((err = store_step(q)) == VS_OK)
        add_row(ri, q);
    store_done(q);
    if (err != VS_ERR_END) {
        rule_incidents_free(ri);
        return err;
    }
    if (ri->span_count > 0)
        qsort(ri->span, ri->span_count, sizeof *ri->span, compare_span);
    *ret = ri;
    return VS_OK;
}

void rule_incidents_free(struct rule_incidents *ri)
{
    if (ri == NULL)
        return;
    arena_done(&ri->texts);
    free(ri->known);
    free(ri->span);
    free(ri);
}

void rule_incidents_member(struct rule_incidents *ri, struct slice vehicle, int64_t time_us)
{
    uint32_t low = 0;
    uint32_t high = ri->span_count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (slice_compare(ri->span[mid].vehicle, vehicle) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < ri->span_count && slice_equal(ri->span[low].vehicle, vehicle); low++)
        if (time_us >= ri->span[low].first_us - RULE_INCIDENT_SLACK_US &&
            time_us <= ri->span[low].last_us + RULE_INCIDENT_SLACK_US)
            ri->known[ri->span[low].incident].hit = true;
}

static uint32_t write_list(const struct rule_incidents *ri, const char *key, bool false_alarm, bool hit,
                           struct writer *w)
{
    uint32_t count = 0;

    writer_text(w, key);
    for (uint32_t i = 0; i < ri->known_count; i++) {
        if (ri->known[i].false_alarm != false_alarm || ri->known[i].hit != hit)
            continue;
        if (count < LISTED_MAX) {
            if (count > 0)
                writer_u8(w, ',');
            writer_u64_text(w, (uint64_t)ri->known[i].number);
        }
        count++;
    }
    writer_u8(w, ']');
    return count;
}

void rule_incidents_write(const struct rule_incidents *ri, struct writer *w)
{
    writer_text(w, "{\"known\":");
    writer_u64_text(w, ri->known_count);
    uint32_t hit = write_list(ri, ",\"hit\":[", false, true, w);
    uint32_t missed = write_list(ri, ",\"missed\":[", false, false, w);
    uint32_t repeated = write_list(ri, ",\"false_alarms_repeated\":[", true, true, w);
    writer_text(w, ",\"hit_count\":");
    writer_u64_text(w, hit);
    writer_text(w, ",\"missed_count\":");
    writer_u64_text(w, missed);
    writer_text(w, ",\"false_alarms_repeated_count\":");
    writer_u64_text(w, repeated);
    writer_u8(w, '}');
}
