#include "plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "drive.h"
#include "plan_scene.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US   (60 * MINUTE_US)

struct plan {
    struct plan_attack attack[PLAN_ATTACKS_MAX];
    struct plan_hit hit[PLAN_HITS_MAX];
    uint32_t attack_count, hit_count;
    uint64_t seed;
};

/* One row per kind of attack: how often, on how many vehicles at once, over how long, and how far its look-alike goes.
 */
struct recipe {
    enum plan_scenario scenario;
    const char *name;
    const char *rule[PLAN_RULES_MAX];
    uint8_t attacks, lookalikes;
    uint16_t vehicles, lookalike_vehicles; /* hit by each */
    int64_t span_us;                       /* over which the vehicles are hit */
    bool one_model;
};

static const struct recipe RECIPE[] = {
    {PLAN_SECOC_STORM, "secoc_storm", {"secoc_storm"}, 4, 3, 1, 1, 0, false},
    {PLAN_KEY_GUESSING,
     "security_access_bruteforce",
     {"security_access_bruteforce", "security_access_bruteforce_lockout"},
     3,
     3,
     1,
     1,
     0,
     false},
    {PLAN_KEY_LOCKOUT,
     "security_access_bruteforce_lockout",
     {"security_access_bruteforce_lockout"},
     2,
     2,
     1,
     1,
     0,
     false},
    {PLAN_POSITION_JUMP, "geolocation_jump", {"geolocation_jump"}, 2, 2, 1, 1, 0, false},
    {PLAN_V2X_SPOOFING, "v2x_spoofing", {"v2x_spoofing"}, 1, 1, 14, 10, 50 * MINUTE_US, false},
    {PLAN_SECOC_KEY, "secoc_key_compromise", {"secoc_key_compromise"}, 1, 0, 60, 0, 20 * HOUR_US, true},
    {PLAN_FLEET_CAMPAIGN, "fleet_campaign", {"fleet_campaign"}, 1, 1, 120, 48, 40 * HOUR_US, false},
    {PLAN_RELAY_THEFT, "relay_theft", {"relay_theft"}, 2, 2, 1, 1, 0, false},
    {PLAN_KEY_PROGRAMMING, "key_programming_theft", {"key_programming_theft"}, 1, 2, 1, 1, 0, false},
    {PLAN_DIAG_DRIVING, "diagnostics_while_driving", {"diagnostics_while_driving"}, 2, 2, 1, 1, 0, false},
    {PLAN_HOST_ROOT, "host_compromise", {"host_compromise"}, 1, 2, 1, 1, 0, false},
    {PLAN_FORGED_UPDATE, "ota_tampering", {"ota_tampering"}, 1, 2, 1, 1, 0, false},
    {PLAN_GNSS_SPOOFING, "gnss_spoofing", {"gnss_spoofing"}, 1, 2, 1, 1, 0, false},
};
#define RECIPE_COUNT (sizeof RECIPE / sizeof RECIPE[0])

/* A vehicle that no other attack of the plan has, so that every finding has one cause. */
static bool is_free(const struct plan *p, uint32_t vehicle)
{
    for (uint32_t i = 0; i < p->hit_count; i++)
        if (p->hit[i].vehicle == vehicle)
            return false;
    return true;
}

/* Positions are only judged when the time is trusted, so a position jump is planted where the clock is right. */
static bool suits(const struct recipe *recipe, const struct fleet_vehicle *v)
{
    return (!recipe->one_model || v->model == fleet_model_at(0)) &&
           (recipe->scenario != PLAN_POSITION_JUMP || v->clock_offset_us == 0);
}

static bool draw_vehicle(const struct plan *p, const struct recipe *recipe, const struct fleet_vehicle *all,
                         uint32_t count, struct rng *r, uint32_t *ret)
{
    for (unsigned tries = 0; tries < 20000; tries++) {
        uint32_t at = (uint32_t)rng_below(r, count);

        if (suits(recipe, &all[at]) && is_free(p, at)) {
            *ret = at;
            return true;
        }
    }
    return false;
}

/* A fleet too small for a kind of attack goes without it, rather than with one that cannot be found. */
static void add_attack(struct plan *p, const struct recipe *recipe, bool lookalike, unsigned number,
                       const struct fleet_vehicle *all, uint32_t count, unsigned days, int64_t start_us)
{
    struct plan_attack *a = &p->attack[p->attack_count];
    unsigned vehicles = lookalike ? recipe->lookalike_vehicles : recipe->vehicles;
    struct rng r = rng_split(p->seed, recipe->name, number + (lookalike ? 1000 : 0));
    unsigned span_days = (unsigned)(recipe->span_us / DAY_US) + 1;

    if (p->attack_count == PLAN_ATTACKS_MAX || p->hit_count + vehicles > PLAN_HITS_MAX || days < span_days + 2 ||
        count < vehicles * (recipe->one_model ? 5u : 2u))
        return;
    memset(a, 0, sizeof *a);
    snprintf(a->id, sizeof a->id, "%s-%s%u", recipe->name, lookalike ? "lookalike-" : "", number + 1);
    snprintf(a->detail, sizeof a->detail, "%08x", (unsigned)rng_below(&r, UINT32_MAX));
    a->scenario = recipe->scenario;
    a->lookalike = lookalike;
    memcpy(a->rule, recipe->rule, sizeof a->rule);
    a->hit_first = p->hit_count;
    int64_t begin_us =
        start_us + rng_between(&r, 1, (int64_t)(days - span_days) - 1) * DAY_US + rng_between(&r, 6, 20) * HOUR_US;
    a->first_us = INT64_MAX;
    for (unsigned i = 0; i < vehicles; i++) {
        struct plan_hit *hit = &p->hit[p->hit_count];

        if (!draw_vehicle(p, recipe, all, count, &r, &hit->vehicle)) {
            p->hit_count = a->hit_first;
            return;
        }
        hit->attack = p->attack_count;
        hit->time_us = begin_us + (recipe->span_us > 0 ? rng_between(&r, 0, recipe->span_us) : 0);
        a->first_us = hit->time_us < a->first_us ? hit->time_us : a->first_us;
        a->last_us = hit->time_us > a->last_us ? hit->time_us : a->last_us;
        p->hit_count++;
        a->hit_count++;
    }
    p->attack_count++;
}

enum vs_err plan_new(uint64_t seed, const struct fleet_vehicle *vehicles, uint32_t vehicle_count, unsigned days,
                     int64_t start_us, struct plan **ret)
{
    struct plan *p = calloc(1, sizeof *p);

    if (p == NULL)
        return VS_ERR_NO_MEMORY;
    p->seed = seed;
    for (unsigned i = 0; i < RECIPE_COUNT; i++) {
        for (unsigned k = 0; k < RECIPE[i].attacks; k++)
            add_attack(p, &RECIPE[i], false, k, vehicles, vehicle_count, days, start_us);
        for (unsigned k = 0; k < RECIPE[i].lookalikes; k++)
            add_attack(p, &RECIPE[i], true, k, vehicles, vehicle_count, days, start_us);
    }
    *ret = p;
    return VS_OK;
}

void plan_free(struct plan *p)
{
    free(p);
}

uint32_t plan_count(const struct plan *p)
{
    return p->attack_count;
}

const struct plan_attack *plan_at(const struct plan *p, uint32_t index)
{
    assert(index < p->attack_count);
    return &p->attack[index];
}

const struct plan_hit *plan_hits(const struct plan *p, const struct plan_attack *a)
{
    return &p->hit[a->hit_first];
}

static struct event *add(struct scene *s, uint16_t type, int64_t time_us, const char *ecu, const char *sensor)
{
    struct event *ev = scene_add(s, type, time_us);

    ev->ecu = slice_str(ecu);
    ev->sensor = slice_str(sensor);
    return ev;
}

static void add_secoc_failures(const struct fleet_vehicle *v, int64_t at_us, unsigned count, int64_t gap_us,
                               struct rng *r, struct scene *s)
{
    const char *pdu = v->model->pdu[rng_below(r, 4)];

    for (unsigned i = 0; i < count; i++) {
        struct event *ev = add(s, EV_SECOC_VERIFICATION_FAILED, at_us + i * gap_us, "GW", "secoc");

        event_set_text(ev, EV_F_PDU, slice_str(pdu));
        event_set_int(ev, EV_F_VALUE, (int64_t)rng_below(r, 1u << 24));
    }
}

static void add_wrong_keys(int64_t at_us, const uint8_t *nrc, unsigned count, struct scene *s)
{
    for (unsigned i = 0; i < count; i++) {
        struct event *ev = add(s, EV_UDS_NEGATIVE_RESPONSE, at_us + i * 100 * US_PER_S, "BCM", "uds");

        event_set_uint(ev, EV_F_SERVICE, 0x27);
        event_set_uint(ev, EV_F_SUBFUNCTION, 0x02);
        event_set_uint(ev, EV_F_NRC, nrc[i]);
        event_set_uint(ev, EV_F_CLIENT, 0x0E80);
    }
}

/* Contact here and, twenty minutes later, one from `north` units further north. */
static void add_jump(int64_t at_us, int64_t lat, int64_t lon, int64_t north, struct scene *s)
{
    for (unsigned i = 0; i < 2; i++) {
        struct event *ev =
            add(s, i == 0 ? EV_VEHICLE_CONTACT : EV_VEHICLE_IGNITION_ON, at_us + i * 20 * MINUTE_US, "TCU", "state");

        event_set_int(ev, EV_F_LAT, lat + (int64_t)i * north);
        event_set_int(ev, EV_F_LON, lon);
    }
}

static void add_hit(const struct plan_attack *a, const struct plan_hit *hit, const struct fleet_vehicle *v, int64_t lat,
                    int64_t lon, struct rng *r, struct scene *s)
{
    static const uint8_t GUESSED[] = {0x35, 0x35, 0x35, 0x35, 0x35};
    static const uint8_t LOCKED[] = {0x35, 0x35, 0x36, 0x37, 0x37};
    struct event *ev;

    switch (a->scenario) {
    case PLAN_SECOC_STORM:
        add_secoc_failures(v, hit->time_us, a->lookalike ? 5 : 12, 3 * US_PER_S, r, s);
        break;
    case PLAN_KEY_GUESSING:
        add_wrong_keys(hit->time_us, GUESSED, a->lookalike ? 3 : 5, s);
        break;
    case PLAN_KEY_LOCKOUT:
        add_wrong_keys(hit->time_us, LOCKED, a->lookalike ? 3 : 5, s);
        break;
    case PLAN_POSITION_JUMP:
        /* 0.0899 degrees north are 10 km. */
        add_jump(hit->time_us, lat, lon, a->lookalike ? 17000000 : 30000000, s);
        break;
    case PLAN_V2X_SPOOFING:
        for (unsigned i = 0; i < 3; i++) {
            ev = add(s, EV_V2X_MALFORMED, hit->time_us + (int64_t)i * US_PER_S, "V2X", "cam");
            event_set_text(ev, EV_F_MESSAGE, slice_str("CAM"));
            event_set_text(ev, EV_F_PAYLOAD_SIGNATURE, slice_str(a->detail));
            event_set_int(ev, EV_F_LAT, lat);
            event_set_int(ev, EV_F_LON, lon);
        }
        break;
    case PLAN_SECOC_KEY:
        add_secoc_failures(v, hit->time_us, 3, 5 * MINUTE_US, r, s);
        break;
    case PLAN_FLEET_CAMPAIGN:
        ev = add(s, EV_OTA_SIGNATURE_FAILED, hit->time_us, "TCU", "ota");
        event_set_text(ev, EV_F_COMPONENT, slice_str("TCU"));
        event_set_text(ev, EV_F_REASON, scene_text(s, "unknown key %s", a->detail));
        break;
    case PLAN_RELAY_THEFT:
    case PLAN_KEY_PROGRAMMING:
    case PLAN_DIAG_DRIVING:
    case PLAN_HOST_ROOT:
    case PLAN_FORGED_UPDATE:
    case PLAN_GNSS_SPOOFING:
        plan_scene_add(a, hit->time_us, s);
        break;
    case PLAN_SCENARIO_COUNT:
        break;
    }
}

bool plan_parks(const struct plan *p, uint32_t vehicle, int64_t start_us)
{
    for (uint32_t i = 0; i < p->hit_count; i++) {
        const struct plan_hit *hit = &p->hit[i];

        if (hit->vehicle == vehicle && hit->time_us >= start_us && hit->time_us < start_us + DAY_US &&
            p->attack[hit->attack].scenario == PLAN_POSITION_JUMP)
            return true;
    }
    return false;
}

void plan_day(const struct plan *p, const struct fleet_vehicle *v, int64_t start_us, int64_t lat, int64_t lon,
              struct scene *s)
{
    for (uint32_t i = 0; i < p->hit_count; i++) {
        const struct plan_hit *hit = &p->hit[i];
        struct rng r = rng_split(p->seed, "hit", i);

        if (hit->vehicle == v->number && hit->time_us >= start_us && hit->time_us < start_us + DAY_US)
            add_hit(&p->attack[hit->attack], hit, v, lat, lon, &r, s);
    }
}

static void put_time(struct writer *w, const char *key, int64_t us)
{
    writer_text(w, key);
    timestamp_write(w, us);
    writer_u8(w, '"');
}

void plan_write_truth(const struct plan *p, const struct plan_attack *a, const struct fleet_vehicle *vehicles,
                      struct writer *w)
{
    writer_text(w, "{\"id\":\"");
    writer_text(w, a->id);
    writer_text(w, "\",\"scenario\":\"");
    writer_text(w, RECIPE[a->scenario].name);
    writer_text(w, a->lookalike ? "\",\"lookalike\":true,\"rules\":[" : "\",\"lookalike\":false,\"rules\":[");
    for (unsigned i = 0; i < PLAN_RULES_MAX && a->rule[i] != NULL; i++) {
        writer_text(w, i > 0 ? "," : "");
        writer_json_text(w, slice_str(a->rule[i]));
    }
    put_time(w, "],\"first\":\"", a->first_us);
    put_time(w, ",\"last\":\"", a->last_us);
    writer_text(w, ",\"vehicles\":[");
    for (uint32_t i = 0; i < a->hit_count; i++) {
        const struct fleet_vehicle *v = &vehicles[p->hit[a->hit_first + i].vehicle];

        writer_text(w, i > 0 ? ",\"" : "\"");
        writer_hex(w, slice_make(v->vid, sizeof v->vid), false);
        writer_u8(w, '"');
    }
    writer_text(w, "]}");
}
