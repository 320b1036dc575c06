#include <inttypes.h>
#include <stdio.h>

#include "api/call.h"
#include "api/event_log.h"
#include "api/fleet.h"
#include "api/health.h"
#include "ingest/dead_letter.h"
#include "ingest/ledger_store.h"
#include "store/gauge.h"

#define INGEST_LAG_MS_MAX INT64_C(3600000) /* an hour without a batch from anybody */
#define DETECT_LAG_MS_MAX INT64_C(60000)

static struct blind_spot *add_spot(struct health *h, const char *code, const char *link)
{
    struct blind_spot *s = &h->spot[h->spot_count];

    s->code = code;
    s->link = link;
    s->since_us = 0;
    if (h->spot_count + 1 < HEALTH_SPOTS_MAX)
        h->spot_count++;
    return s;
}

static int64_t lag_ms(int64_t now_us, int64_t then_us)
{
    return now_us > then_us ? (now_us - then_us) / 1000 : 0;
}

static void read_ingest(struct call *c, struct health *h)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT max(last_contact_us) FROM vehicle");

    if (store_step(q) == VS_OK && !store_is_null(q, 0)) {
        h->ingest_known = true;
        h->ingest_lag_ms = lag_ms(c->now_us, store_i64(q, 0));
    }
    store_done(q);
}

/* Detection is behind when the log has records that it has not read; how far is the age of the newest it has. */
static void read_detect(struct call *c, struct health *h)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT log_partition, log_offset, at_us FROM log_position");
    bool behind = false;
    int64_t read_us = 0;

    while (store_step(q) == VS_OK) {
        uint64_t end;
        int64_t partition = store_i64(q, 0);
        h->detect_known = true;
        if (store_i64(q, 2) > read_us)
            read_us = store_i64(q, 2);
        if (event_log_end(c->api->log, (uint32_t)partition, &end) == VS_OK && (int64_t)end > store_i64(q, 1))
            behind = true;
    }
    store_done(q);
    if (h->detect_known)
        h->detect_lag_ms = behind ? lag_ms(c->now_us, read_us) : 0;
}

static void read_counts(struct call *c, struct health *h)
{
    struct fleet_counts fleet;
    struct ledger sum;
    uint64_t dead = 0, vehicles = 0, with_gaps = 0;

    fleet_counts(c->st, c->now_us, &fleet);
    h->silent_vehicles = fleet.silent;
    if (dead_letter_count(c->st, c->now_us - FLEET_DAY_US, &dead) == VS_OK)
        h->dead_lettered_24h = (int64_t)dead;
    if (ledger_store_total(c->st, &sum, &vehicles, &with_gaps) == VS_OK)
        h->missing = (int64_t)sum.missing;
    /* Nobody wrote them: nothing is loaded that anybody knows of. */
    (void)gauge_get(c->st, "rules_loaded", &h->rules_loaded, NULL);
    (void)gauge_get(c->st, "rules_failed", &h->rules_failed, NULL);
    struct store_stmt *q = store_prepare(c->st, "SELECT count(*) FROM silence_alert WHERE ended_us IS NULL");
    h->silenced = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
}

static void find_spots(struct call *c, struct health *h)
{
    struct blind_spot *s;

    if (h->ingest_known && h->ingest_lag_ms > INGEST_LAG_MS_MAX) {
        s = add_spot(h, "ingest_lag", "/vehicles");
        s->since_us = c->now_us - h->ingest_lag_ms * 1000;
        snprintf(s->text, sizeof s->text, "no vehicle has sent anything for %" PRId64 " min", h->ingest_lag_ms / 60000);
    }
    if (h->detect_known && h->detect_lag_ms > DETECT_LAG_MS_MAX) {
        s = add_spot(h, "detect_lag", NULL);
        s->since_us = c->now_us - h->detect_lag_ms * 1000;
        snprintf(s->text, sizeof s->text, "detection is %" PRId64 " s behind the event log", h->detect_lag_ms / 1000);
    }
    if (h->silent_vehicles > 0) {
        s = add_spot(h, "silent_vehicles", "/vehicles");
        snprintf(s->text, sizeof s->text, "%" PRId64 " enrolled vehicles were silent for 7 days", h->silent_vehicles);
    }
    if (h->dead_lettered_24h > 0) {
        s = add_spot(h, "dead_letters", NULL);
        snprintf(s->text, sizeof s->text, "%" PRId64 " records were refused in 24 h", h->dead_lettered_24h);
    }
    if (h->missing > 0) {
        s = add_spot(h, "missing_events", "/vehicles");
        snprintf(s->text, sizeof s->text, "%" PRId64 " numbered events never arrived", h->missing);
    }
    if (h->rules_failed > 0) {
        s = add_spot(h, "rules_failed", NULL);
        snprintf(s->text, sizeof s->text, "%" PRId64 " rules do not load", h->rules_failed);
    }
    if (h->silenced > 0) {
        s = add_spot(h, "silenced", "/silences?tab=held");
        snprintf(s->text, sizeof s->text, "%" PRId64 " alert%s silenced", h->silenced,
                 h->silenced == 1 ? " is" : "s are");
    }
}

void health_read(struct call *c, struct health *ret)
{
    struct health *kept = c->api->health;

    if (kept->read_us == 0 || c->now_us - kept->read_us > HEALTH_KEEP_US || c->now_us < kept->read_us) {
        struct health h = {.read_us = c->now_us};
        read_ingest(c, &h);
        read_detect(c, &h);
        read_counts(c, &h);
        find_spots(c, &h);
        *kept = h;
    }
    *ret = *kept;
}

json_t *health_json(const struct health *h)
{
    json_t *spots = json_array();

    for (unsigned i = 0; i < h->spot_count; i++)
        json_array_append_new(spots, json_pack("{s:s, s:s, s:o, s:o}", "code", h->spot[i].code, "text", h->spot[i].text,
                                               "since", json_time_or_null(h->spot[i].since_us), "link",
                                               h->spot[i].link != NULL ? json_string(h->spot[i].link) : json_null()));
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "ingest_lag_ms",
                     h->ingest_known ? json_integer(h->ingest_lag_ms) : json_null(), "detect_lag_ms",
                     h->detect_known ? json_integer(h->detect_lag_ms) : json_null(), "silent_vehicles",
                     (json_int_t)h->silent_vehicles, "dead_lettered_24h", (json_int_t)h->dead_lettered_24h, "missing",
                     (json_int_t)h->missing, "rules_loaded", (json_int_t)h->rules_loaded, "rules_failed",
                     (json_int_t)h->rules_failed, "blind_spots", spots);
}
