#include "drive.h"

#include "daily.h"

#define MINUTE_US      INT64_C(60000000)
#define CONTACT_GAP_US (10 * MINUTE_US)
/* 10^-7 degrees of latitude per metre, rounded down; longitude is treated alike, which makes trips at high latitudes
 * shorter than told and never longer. */
#define UNITS_PER_METRE 89

void drive_init(struct drive *d, const struct fleet_vehicle *v)
{
    d->lat = v->home_lat;
    d->lon = v->home_lon;
    d->odometer_km = 1000 + v->number * 37 % 90000;
}

static void set_place(struct event *ev, const struct drive *d)
{
    event_set_int(ev, EV_F_LAT, d->lat);
    event_set_int(ev, EV_F_LON, d->lon);
}

static void set_origin(struct event *ev, const char *ecu, const char *sensor)
{
    ev->ecu = slice_str(ecu);
    ev->sensor = slice_str(sensor);
}

/* Moves for one contact gap. A car far from home turns back, so that nobody wanders off over the years. */
static void move(struct drive *d, const struct fleet_vehicle *v, struct rng *r, int64_t speed_mps)
{
    int64_t reach = speed_mps * (CONTACT_GAP_US / US_PER_S) * UNITS_PER_METRE;
    int64_t north = rng_between(r, -reach / 2, reach / 2), east = rng_between(r, -reach / 2, reach / 2);
    int64_t far = 8000000;

    if (d->lat - v->home_lat > far)
        north = -reach / 2;
    else if (v->home_lat - d->lat > far)
        north = reach / 2;
    if (d->lon - v->home_lon > far)
        east = -reach / 2;
    else if (v->home_lon - d->lon > far)
        east = reach / 2;
    d->lat += north;
    d->lon += east;
    d->odometer_km += (uint32_t)(speed_mps * (CONTACT_GAP_US / US_PER_S) / 1000);
}

static int64_t trip(struct drive *d, const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    int64_t contacts = rng_between(r, 1, 5);
    struct event *ev = scene_add(s, EV_VEHICLE_IGNITION_ON, at_us);

    set_place(ev, d);
    set_origin(ev, "TCU", "state");
    event_set_uint(ev, EV_F_ODOMETER, d->odometer_km);
    ev = scene_add(s, EV_BOOT_VERIFIED, at_us + 2 * US_PER_S);
    set_origin(ev, "GW", "secure_boot");
    event_set_text(ev, EV_F_COMPONENT, slice_str("GW"));
    for (int64_t i = 0; i < contacts; i++) {
        int64_t speed_mps = rng_between(r, 6, 33);

        at_us += CONTACT_GAP_US;
        move(d, v, r, speed_mps);
        ev = scene_add(s, EV_VEHICLE_CONTACT, at_us);
        set_place(ev, d);
        set_origin(ev, "TCU", "state");
        event_set_int(ev, EV_F_SPEED, speed_mps * 100);
        event_set_bool(ev, EV_F_IGNITION, true);
    }
    at_us += MINUTE_US;
    ev = scene_add(s, EV_VEHICLE_IGNITION_OFF, at_us);
    set_place(ev, d);
    set_origin(ev, "TCU", "state");
    return at_us;
}

static void add_audit(struct rng *r, int64_t at_us, struct scene *s)
{
    static const char *const PROGRAM[] = {"/usr/bin/navd", "/usr/bin/mediad", "/usr/lib/ota/agent", "/usr/bin/diagd"};
    struct event *ev = scene_add(s, EV_HOST_AUDIT, at_us);

    set_origin(ev, "IVI", "auditd");
    event_set_text(ev, EV_F_PROCESS, slice_str(PROGRAM[rng_below(r, 4)]));
    event_set_text(ev, EV_F_TEXT, slice_str("service state changed"));
}

static void add_firewall(struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = scene_add(s, EV_FIREWALL_MATCH, at_us);

    set_origin(ev, "TCU", "firewall");
    event_set_text(ev, EV_F_RULE, scene_text(s, "fw-%u", (unsigned)rng_below(r, 20)));
    event_set_text(ev, EV_F_ACTION, slice_str("dropped"));
    event_set_text(ev, EV_F_SRC_IP,
                   scene_text(s, "198.51.%u.%u", (unsigned)rng_below(r, 256), (unsigned)rng_below(r, 256)));
    event_set_uint(ev, EV_F_DST_PORT, rng_below(r, 65536));
}

static void add_diagnostics(struct rng *r, int64_t at_us, struct scene *s)
{
    static const uint8_t NRC[] = {0x31, 0x22, 0x78, 0x12, 0x35};
    static const uint8_t SERVICE[] = {0x22, 0x2E, 0x31, 0x22, 0x27};
    /* A wrong key now and then is a workshop's tool with an old one. */
    uint64_t which = rng_chance(r, 25000) ? 4 : rng_below(r, 4);
    struct event *ev = scene_add(s, EV_UDS_NEGATIVE_RESPONSE, at_us);

    set_origin(ev, "GW", "uds");
    event_set_uint(ev, EV_F_SERVICE, SERVICE[which]);
    event_set_uint(ev, EV_F_NRC, NRC[which]);
    event_set_uint(ev, EV_F_CLIENT, 0x0E00 + rng_below(r, 16));
}

static void add_secoc(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    bool freshness = rng_chance(r, 700000);
    struct event *ev = scene_add(s, freshness ? EV_SECOC_FRESHNESS_FAILED : EV_SECOC_VERIFICATION_FAILED, at_us);

    set_origin(ev, "GW", "secoc");
    event_set_text(ev, EV_F_PDU, slice_str(v->model->pdu[rng_below(r, 4)]));
    if (!freshness)
        event_set_int(ev, EV_F_VALUE, (int64_t)rng_below(r, 1u << 24));
}

static void add_v2x(struct rng *r, int64_t at_us, const struct drive *d, struct scene *s)
{
    struct event *ev = scene_add(s, EV_V2X_MALFORMED, at_us);

    set_origin(ev, "V2X", "cam");
    event_set_text(ev, EV_F_MESSAGE, slice_str("CAM"));
    event_set_text(ev, EV_F_PAYLOAD_SIGNATURE, scene_text(s, "%08x", (unsigned)rng_below(r, UINT32_MAX)));
    set_place(ev, d);
}

static void add_update(const struct fleet_vehicle *v, unsigned day, int64_t at_us, struct scene *s)
{
    for (unsigned i = 0; i < FLEET_OTA_STEPS; i++) {
        if (v->ota_day[i] != day)
            continue;
        struct event *ev = scene_add(s, EV_OTA_INSTALLED, at_us);

        set_origin(ev, "TCU", "ota");
        event_set_text(ev, EV_F_CAMPAIGN, scene_text(s, "rollout-%u", i + 1));
        event_set_text(ev, EV_F_COMPONENT, slice_str("vehicle"));
        event_set_text(ev, EV_F_VERSION_BEFORE, slice_str(v->software[i]));
        event_set_text(ev, EV_F_VERSION, slice_str(v->software[i + 1]));
    }
}

/* What a healthy vehicle reports in the course of a day; means are per day. */
static void add_noise(const struct drive *d, const struct fleet_vehicle *v, struct rng *r, int64_t from_us,
                      int64_t to_us, struct scene *s)
{
    unsigned audits = rng_poisson(r, 3000), walls = rng_poisson(r, 400), diagnostics = rng_poisson(r, 60);
    unsigned secoc = rng_poisson(r, 12), v2x = rng_poisson(r, 8);

    for (; audits > 0; audits--)
        add_audit(r, rng_between(r, from_us, to_us), s);
    for (; walls > 0; walls--)
        add_firewall(r, rng_between(r, from_us, to_us), s);
    for (; diagnostics > 0; diagnostics--)
        add_diagnostics(r, rng_between(r, from_us, to_us), s);
    for (; secoc > 0; secoc--)
        add_secoc(v, r, rng_between(r, from_us, to_us), s);
    for (; v2x > 0; v2x--)
        add_v2x(r, rng_between(r, from_us, to_us), d, s);
}

void drive_day(struct drive *d, const struct fleet_vehicle *v, uint64_t seed, unsigned day, int64_t start_us,
               struct scene *s)
{
    struct rng r = rng_split(seed ^ (uint64_t)day << 40, "drive", v->number);
    unsigned trips = rng_poisson(&r, v->trips_per_day * 1000u);
    int64_t at_us = start_us + rng_between(&r, 5 * 60, 9 * 60) * MINUTE_US;
    int64_t first_us = at_us, end_us = at_us;

    /* The last trip ends before 23 h, when vehicles send what is left of the day. */
    for (; trips > 0 && at_us < start_us + 21 * 60 * MINUTE_US; trips--) {
        end_us = trip(d, v, &r, at_us, s);
        at_us = end_us + rng_between(&r, 20, 240) * MINUTE_US;
    }
    if (end_us == first_us)
        return;
    add_noise(d, v, &r, first_us, end_us, s);
    add_update(v, day, first_us + 5 * MINUTE_US, s);
    daily_add(v, seed, day, first_us, end_us, s);
}
