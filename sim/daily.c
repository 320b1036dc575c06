#include "daily.h"

#define MINUTE_US INT64_C(60000000)

static struct event *add(struct scene *s, uint16_t type, int64_t at_us, const char *ecu, const char *sensor)
{
    struct event *ev = scene_add(s, type, at_us);

    ev->ecu = slice_str(ecu);
    ev->sensor = slice_str(sensor);
    return ev;
}

typedef void daily_fn(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s);

static void unlock(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_ACCESS_UNLOCKED, at_us, "BCM", "keyless");
    bool button = rng_chance(r, 200000);

    /* Pressing a button in the pocket of a chair needs no motion; keyless entry of an owner does. */
    event_set_text(ev, EV_F_KEY_FOB, scene_text(s, "fob-%u", v->number));
    event_set_text(ev, EV_F_OPERATION, slice_str(button ? "button" : "keyless"));
    event_set_bool(ev, EV_F_MOTION, !button || rng_chance(r, 500000));
}

/* A tester reads, clears, writes a service date and goes. */
static void workshop(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev;

    (void)v;
    for (unsigned i = 0; i < 6; i++) {
        static const uint16_t STEP[] = {EV_UDS_SESSION_CHANGED, EV_UDS_DTC_CLEARED,     EV_UDS_SECURITY_UNLOCKED,
                                        EV_UDS_DATA_WRITTEN,    EV_UDS_ROUTINE_STARTED, EV_UDS_DTC_CLEARED};

        ev = add(s, STEP[i], at_us + i * 3 * MINUTE_US, "GW", "uds");
        event_set_uint(ev, EV_F_CLIENT, 0x0E80);
        if (STEP[i] == EV_UDS_DTC_CLEARED) {
            event_set_uint(ev, EV_F_SERVICE, 0x14);
            continue;
        }
        event_set_int(ev, EV_F_SPEED, rng_between(r, 0, 200));
        if (STEP[i] == EV_UDS_DATA_WRITTEN)
            event_set_uint(ev, EV_F_DID, 0xF199);
        else if (STEP[i] == EV_UDS_ROUTINE_STARTED)
            event_set_uint(ev, EV_F_ROUTINE, 0x0203);
        else
            event_set_uint(ev, EV_F_SESSION, 3);
    }
}

static void dongle(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    (void)v;
    for (uint64_t i = rng_below(r, 2); i < 2; i++) {
        struct event *ev = add(s, EV_DOIP_UNEXPECTED_TESTER, at_us + (int64_t)i * US_PER_S, "GW", "doip");
        event_set_text(ev, EV_F_SRC_IP,
                       scene_text(s, "169.254.%u.%u", (unsigned)rng_below(r, 256), (unsigned)rng_below(r, 256)));
        event_set_uint(ev, EV_F_LOGICAL_ADDRESS, 0x0E00);
    }
}

static void stick(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    static const char *const SOLD[] = {"0951:1666", "0781:5567", "090c:1000"};
    struct event *ev = add(s, EV_HOST_USB_DEVICE, at_us, "IVI", "usb");

    (void)v;
    event_set_text(ev, EV_F_HARDWARE, slice_str(SOLD[rng_below(r, 3)]));
}

static void app(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    static const char *const APP[] = {"org.example.radio", "org.example.parking", "org.example.charge"};
    struct event *ev = add(s, EV_HOST_APP_INSTALLED, at_us, "IVI", "store");

    (void)v;
    event_set_text(ev, EV_F_COMPONENT, slice_str(APP[rng_below(r, 3)]));
    event_set_text(ev, EV_F_RESULT, slice_str("success"));
}

/* A program of last week's update that is not on the list yet. */
static void odd_program(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_HOST_PROCESS_ANOMALY, at_us, "IVI", "hids");

    (void)v;
    event_set_text(ev, EV_F_PROCESS, scene_text(s, "/opt/vendor/tool%u", (unsigned)rng_below(r, 1000)));
}

static void update_failure(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    static const char *const WHY[] = {"power", "download", "user_abort"};
    struct event *ev = add(s, EV_OTA_FAILED, at_us, "TCU", "ota");

    (void)v;
    event_set_text(ev, EV_F_CAMPAIGN, scene_text(s, "rollout-%u", (unsigned)rng_below(r, 2) + 1));
    event_set_text(ev, EV_F_REASON, slice_str(WHY[rng_below(r, 3)]));
}

static void reflection(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_GNSS_SPOOFING, at_us, "TCU", "gnss");

    (void)v;
    event_set_text(ev, EV_F_REASON, scene_text(s, "multipath %u", (unsigned)rng_below(r, 100)));
}

static void tunnel(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_VEHICLE_POSITION_JUMP, at_us, "TCU", "gnss");

    (void)v;
    event_set_text(ev, EV_F_REASON, scene_text(s, "tunnel %u", (unsigned)rng_below(r, 100)));
}

static void charge(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    bool expired = rng_chance(r, 3000);
    struct event *ev =
        add(s, expired ? EV_CHARGING_CERTIFICATE_FAILED : EV_CHARGING_CONTRACT_USED, at_us, "OBC", "v2g");

    event_set_text(ev, EV_F_EVSE, scene_text(s, "DE*SIM*E%u", (unsigned)rng_below(r, 400)));
    if (expired) {
        event_set_text(ev, EV_F_REASON, slice_str("expired"));
    } else {
        event_set_text(ev, EV_F_CONTRACT, scene_text(s, "contract-%u", v->number));
        event_set_text(ev, EV_F_RESULT, slice_str("success"));
    }
}

/* Errors on the bus at a bump, or when the engine starts. */
static void bump(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_CAN_ERROR_FRAMES, at_us, "GW", "can");

    (void)v;
    ev->bus = slice_str("can0");
    event_set_uint(ev, EV_F_FRAMES, 1 + rng_below(r, 20));
    event_set_uint(ev, EV_F_ERROR_CLASS, 1 + rng_below(r, 500));
}

static void empty_slot(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_HSM_FAILURE, at_us, "GW", "hsm");

    (void)v;
    event_set_text(ev, EV_F_OPERATION, slice_str("mac"));
    event_set_text(ev, EV_F_KEY_ID, scene_text(s, "k%u", (unsigned)rng_below(r, 60)));
}

/* One failure, after which the other partition starts. */
static void worn_flash(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_BOOT_VERIFICATION_FAILED, at_us, "IVI", "secure_boot");

    (void)v;
    event_set_text(ev, EV_F_COMPONENT, slice_str("IVI"));
    event_set_text(ev, EV_F_HASH_AFTER, scene_text(s, "%016llx", (unsigned long long)rng_next(r)));
}

static void neighbours_key(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    unsigned presses = 1 + (unsigned)rng_below(r, 6);

    (void)v;
    for (unsigned i = 0; i < presses; i++) {
        struct event *ev = add(s, EV_ACCESS_DENIED, at_us + i * 2 * US_PER_S, "BCM", "keyless");
        event_set_text(ev, EV_F_REASON, slice_str("unknown_key"));
    }
}

static void odd_cell(const struct fleet_vehicle *v, struct rng *r, int64_t at_us, struct scene *s)
{
    struct event *ev = add(s, EV_RADIO_ROGUE_CELL, at_us, "TCU", "modem");

    (void)v;
    event_set_text(ev, EV_F_CELL, scene_text(s, "262-01-%u", (unsigned)rng_below(r, 60000)));
    event_set_text(ev, EV_F_REASON, slice_str("no_neighbours"));
}

static const struct {
    const char *name;
    uint32_t mean_milli; /* per vehicle and day */
    daily_fn *add;
} HABIT[] = {
    {"unlock", 1500, unlock},
    {"workshop", 4, workshop},
    {"dongle", 3, dongle},
    {"stick", 60, stick},
    {"app", 20, app},
    {"odd_program", 2, odd_program},
    {"update_failure", 2, update_failure},
    {"reflection", 3, reflection},
    {"tunnel", 20, tunnel},
    {"charge", 300, charge},
    {"bump", 15, bump},
    {"empty_slot", 10, empty_slot},
    {"worn_flash", 1, worn_flash},
    {"neighbours_key", 10, neighbours_key},
    {"odd_cell", 10, odd_cell},
};

void daily_add(const struct fleet_vehicle *v, uint64_t seed, unsigned day, int64_t from_us, int64_t to_us,
               struct scene *s)
{
    for (size_t i = 0; i < sizeof HABIT / sizeof HABIT[0]; i++) {
        struct rng r = rng_split(seed ^ (uint64_t)day << 40, HABIT[i].name, v->number);

        for (unsigned n = rng_poisson(&r, HABIT[i].mean_milli); n > 0; n--)
            HABIT[i].add(v, &r, rng_between(&r, from_us, to_us), s);
    }
}
