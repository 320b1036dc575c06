#include "plan_scene.h"

#define MINUTE_US INT64_C(60000000)

static struct event *add(struct scene *s, uint16_t type, int64_t at_us, const char *ecu, const char *sensor)
{
    struct event *ev = scene_add(s, type, at_us);

    ev->ecu = slice_str(ecu);
    ev->sensor = slice_str(sensor);
    return ev;
}

/* Ignition, and a position report on the road four minutes later. */
static void add_departure(int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_VEHICLE_IGNITION_ON, at_us, "TCU", "state");

    ev = add(s, EV_VEHICLE_CONTACT, at_us + 4 * MINUTE_US, "TCU", "state");
    event_set_int(ev, EV_F_SPEED, 1600);
    event_set_bool(ev, EV_F_IGNITION, true);
}

/* The look-alike: the owner carries the key. */
static void add_relay(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_ACCESS_UNLOCKED, at_us, "BCM", "keyless");

    event_set_text(ev, EV_F_KEY_FOB, scene_text(s, "fob-%s", a->detail));
    event_set_text(ev, EV_F_OPERATION, slice_str("keyless"));
    event_set_bool(ev, EV_F_MOTION, a->lookalike);
    add_departure(at_us + MINUTE_US, s);
}

/* The look-alike: a workshop of the brand, authorised by the backend, with a test drive. */
static void add_key_programming(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_ACCESS_KEY_LEARNED, at_us, "BCM", "immobiliser");

    event_set_text(ev, EV_F_KEY_FOB, scene_text(s, "fob-%s", a->detail));
    event_set_uint(ev, EV_F_CLIENT, 0x0E80);
    event_set_text(ev, EV_F_RESULT, slice_str("success"));
    event_set_bool(ev, EV_F_AUTHORISED, a->lookalike);
    add_departure(at_us + 3 * MINUTE_US, s);
}

/* The look-alike: rolled through the workshop at walking speed. */
static void add_diagnostics(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    for (unsigned i = 0; i < 3; i++) {
        struct event *ev = add(s, EV_UDS_ROUTINE_STARTED, at_us + i * 20 * US_PER_S, "GW", "uds");

        event_set_uint(ev, EV_F_ROUTINE, 0x0203 + i);
        event_set_uint(ev, EV_F_SESSION, 3);
        event_set_uint(ev, EV_F_CLIENT, 0x0E80);
        event_set_int(ev, EV_F_SPEED, a->lookalike ? 150 : 2200);
    }
}

/* The look-alike: an update, which has its rights first and its new program afterwards. */
static void add_host(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_HOST_PROCESS_ANOMALY, at_us + (a->lookalike ? 9 : 0) * MINUTE_US, "IVI", "hids");

    event_set_text(ev, EV_F_PROCESS, scene_text(s, "/tmp/.%s", a->detail));
    event_set_text(ev, EV_F_PARENT, slice_str("/usr/bin/browser"));
    ev = add(s, EV_HOST_PRIVILEGE, at_us + 5 * MINUTE_US, "IVI", "hids");
    event_set_text(ev, EV_F_PROCESS,
                   a->lookalike ? slice_str("/usr/lib/ota/agent") : scene_text(s, "/tmp/.%s", a->detail));
    event_set_uint(ev, EV_F_UID, 0);
}

/* The look-alike: a download that was cut twice. */
static void add_forged_update(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    for (unsigned i = 0; i < (a->lookalike ? 2 : 4); i++) {
        struct event *ev = add(s, EV_OTA_SIGNATURE_FAILED, at_us + i * 10 * MINUTE_US, "TCU", "ota");

        event_set_text(ev, EV_F_COMPONENT, slice_str("IVI"));
        event_set_text(ev, EV_F_REASON, scene_text(s, "hash %s", a->detail));
    }
}

/* The look-alike: reflections between houses, without a jump. */
static void add_gnss(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_GNSS_SPOOFING, at_us, "TCU", "gnss");

    event_set_text(ev, EV_F_REASON, scene_text(s, "carrier power %s", a->detail));
    if (a->lookalike)
        return;
    ev = add(s, EV_VEHICLE_POSITION_JUMP, at_us + 3 * MINUTE_US, "TCU", "gnss");
    event_set_text(ev, EV_F_REASON, slice_str("speed"));
    event_set_int(ev, EV_F_DISTANCE, 41000);
}

void plan_scene_add(const struct plan_attack *a, int64_t at_us, struct scene *s)
{
    static void (*const ADD[PLAN_SCENARIO_COUNT])(const struct plan_attack *, int64_t, struct scene *) = {
        [PLAN_RELAY_THEFT] = add_relay,           [PLAN_KEY_PROGRAMMING] = add_key_programming,
        [PLAN_DIAG_DRIVING] = add_diagnostics,    [PLAN_HOST_ROOT] = add_host,
        [PLAN_FORGED_UPDATE] = add_forged_update, [PLAN_GNSS_SPOOFING] = add_gnss,
    };

    if (ADD[a->scenario] != NULL)
        ADD[a->scenario](a, at_us, s);
}
