/* health: how far behind the daemon is, and what it cannot see: the header of every screen. */
#ifndef API_HEALTH_H
#define API_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define HEALTH_SPOTS_MAX 8
#define HEALTH_KEEP_US   INT64_C(2000000) /* a reading serves all streams and screens for so long */

struct call;

struct blind_spot {
    const char *code, *link; /* link NULL = none */
    char text[160];
    int64_t since_us; /* 0 = not known */
};

struct health {
    int64_t read_us;
    bool ingest_known, detect_known;
    int64_t ingest_lag_ms, detect_lag_ms, silent_vehicles, dead_lettered_24h, missing, rules_loaded, rules_failed,
        silenced;
    unsigned spot_count;
    struct blind_spot spot[HEALTH_SPOTS_MAX];
};

/* The present reading of the call's api. */
void health_read(struct call *c, struct health *ret);
json_t *health_json(const struct health *h);

#endif
