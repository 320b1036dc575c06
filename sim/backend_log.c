#include "backend_log.h"

#include "base/crypto.h"
#include "core/timestamp.h"
#include "drive.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US   (60 * MINUTE_US)

static const char *const NAME[BACKEND_LOG_KIND_COUNT] = {"keycloak", "kong", "hawkbit"};

struct log {
    const struct backend_log_config *cfg;
    FILE *out, *truth;
    uint64_t lines;
    struct rng rng;
};

enum backend_log_kind backend_log_kind_find(const char *name)
{
    unsigned i = 0;

    while (i < BACKEND_LOG_KIND_COUNT && strcmp(NAME[i], name) != 0)
        i++;
    return (enum backend_log_kind)i;
}

struct time_text {
    char text[TIMESTAMP_TEXT_LEN + 1];
};

static struct time_text at(int64_t us)
{
    struct time_text t;
    struct writer w;

    writer_init(&w, t.text, TIMESTAMP_TEXT_LEN);
    timestamp_write(&w, us);
    t.text[w.len] = '\0';
    return t;
}

/* ---- ground truth */

static void put_hex(FILE *f, const uint8_t vid[EV_VID_SIZE])
{
    for (unsigned i = 0; i < EV_VID_SIZE; i++)
        fprintf(f, "%02x", vid[i]);
}

/* An attack on `count` vehicles from `first`; count 0: on the backend itself. */
static void put_truth(const struct log *l, enum backend_log_kind kind, const char *rules, bool lookalike,
                      int64_t first_us, int64_t last_us, uint32_t first, uint32_t count)
{
    char feed[32];
    uint8_t mac[SHA256_SIZE];

    if (l->truth == NULL)
        return;
    fprintf(l->truth, "{\"id\":\"%s-%s%u\",\"scenario\":\"%s\",\"lookalike\":%s,\"rules\":[%s],", NAME[kind],
            lookalike ? "lookalike-" : "", first, NAME[kind], lookalike ? "true" : "false", rules);
    fprintf(l->truth, "\"first\":\"%s\",\"last\":\"%s\",\"vehicles\":[", at(first_us).text, at(last_us).text);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\"" : "\"", l->truth);
        put_hex(l->truth, l->cfg->vehicle[first + i].vid);
        fputs("\"", l->truth);
    }
    if (count == 0) {
        snprintf(feed, sizeof feed, "feed:%s", NAME[kind]);
        hmac_sha256(l->cfg->pseudonym_key, slice_str(feed), mac);
        fputs("\"", l->truth);
        put_hex(l->truth, mac);
        fputs("\"", l->truth);
    }
    fputs("]}\n", l->truth);
}

/* ---- Keycloak: logins */

static void login(struct log *l, int64_t us, const char *user, const char *ip, bool ok)
{
    const char *type = ok ? "LOGIN" : "LOGIN_ERROR";

    fprintf(l->out,
            "{\"timestamp\":\"%s\",\"sequence\":%llu,\"loggerClassName\":\"org.jboss.logging.Logger\",\"loggerName\":"
            "\"org.keycloak.events\",\"level\":\"%s\",\"message\":\"type=\\\"%s\\\", realmId=\\\"owners\\\", "
            "clientId=\\\"owner-app\\\", ",
            at(us).text, (unsigned long long)++l->lines, ok ? "INFO" : "WARN", type);
    if (ok)
        fprintf(l->out, "userId=\\\"%s\\\", sessionId=\\\"%016llx\\\", ipAddress=\\\"%s\\\"", user,
                (unsigned long long)rng_next(&l->rng), ip);
    else
        fprintf(l->out, "ipAddress=\\\"%s\\\", error=\\\"invalid_user_credentials\\\", username=\\\"%s\\\"", ip, user);
    fprintf(l->out, "\",\"threadName\":\"executor-thread-%u\",\"mdc\":{},\"ndc\":\"\"}\n",
            (unsigned)rng_below(&l->rng, 16));
}

/* `count` accounts from `first` on fail at one address, and one of them gets in. */
static void try_accounts(struct log *l, int64_t us, const char *ip, uint32_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        login(l, us + i * 6 * US_PER_S, l->cfg->vehicle[(first + i) % l->cfg->vehicles].owner, ip, false);
    login(l, us + count * 6 * US_PER_S, l->cfg->vehicle[first].owner, ip, true);
}

static void keycloak_day(struct log *l, unsigned day, int64_t start_us)
{
    for (uint32_t i = 0; i < l->cfg->vehicles; i++) {
        const struct fleet_vehicle *v = &l->cfg->vehicle[i];
        int64_t us = start_us + rng_between(&l->rng, 6, 21) * HOUR_US + rng_between(&l->rng, 0, 59) * MINUTE_US;
        char ip[24];

        if (!rng_chance(&l->rng, 100000))
            continue;
        snprintf(ip, sizeof ip, "198.18.%u.%u", i >> 8 & 255, i & 255);
        for (uint64_t wrong = rng_chance(&l->rng, 100000) ? 1 + rng_below(&l->rng, 3) : 0; wrong > 0; wrong--)
            login(l, us - (int64_t)wrong * 20 * US_PER_S, v->owner, ip, false);
        login(l, us, v->owner, ip, true);
    }
    if (day == 1) {
        try_accounts(l, start_us + 9 * HOUR_US, "198.19.0.1", 0, 14);
        put_truth(l, BACKEND_LOG_KEYCLOAK, "\"credential_stuffing\"", true, start_us + 9 * HOUR_US,
                  start_us + 10 * HOUR_US, 0, 0);
    }
    if (day == l->cfg->days / 2) {
        try_accounts(l, start_us + 14 * HOUR_US, "203.0.113.77", 3, 45);
        put_truth(l, BACKEND_LOG_KEYCLOAK, "\"credential_stuffing\",\"credential_stuffing_success\"", false,
                  start_us + 14 * HOUR_US, start_us + 15 * HOUR_US, 0, 0);
    }
}

/* ---- Kong: calls and commands */

static void call(struct log *l, int64_t us, const char *user, const char *group, uint32_t vehicle, const char *command,
                 const char *ip)
{
    fprintf(l->out,
            "{\"request\":{\"method\":\"%s\",\"uri\":\"/v1/vehicles/%s/%s%s\",\"size\":220,\"querystring\":{},"
            "\"headers\":{\"user-agent\":\"OwnerApp/7.1\"}},\"response\":{\"status\":%u,\"size\":180},",
            command != NULL ? "POST" : "GET", l->cfg->vehicle[vehicle].vin, command != NULL ? "commands/" : "",
            command != NULL ? command : "status", command != NULL ? 202u : 200u);
    fprintf(l->out, "\"client_ip\":\"%s\",\"started_at\":%lld,\"consumer\":{\"id\":\"c-%s\",\"username\":\"%s\"},", ip,
            (long long)(us / 1000), user, user);
    if (group != NULL)
        fprintf(l->out, "\"consumer_group\":\"%s\",", group);
    fprintf(l->out, "\"authenticated_entity\":{\"id\":\"k-%s\"},\"service\":{\"name\":\"owner-api\"}}\n", user);
    l->lines++;
}

static void walk(struct log *l, int64_t us, const char *user, uint32_t first, unsigned count, const char *command)
{
    for (unsigned i = 0; i < count; i++)
        call(l, us + i * 8 * US_PER_S, user, NULL, first + i, command, "203.0.113.80");
}

static void kong_plants(struct log *l, unsigned day, int64_t start_us)
{
    int64_t us = start_us + 11 * HOUR_US;

    if (day == 1) {
        walk(l, us, "bakery", 0, 8, NULL);
        walk(l, us + HOUR_US, "family", 8, 4, "unlock");
        put_truth(l, BACKEND_LOG_KONG, "\"vehicle_enumeration\"", true, us, us + HOUR_US, 0, 8);
        put_truth(l, BACKEND_LOG_KONG, "\"mass_unlock\"", true, us + HOUR_US, us + 2 * HOUR_US, 8, 4);
    }
    if (day == l->cfg->days / 2) {
        walk(l, us, "walker", 20, 30, NULL);
        walk(l, us + 3 * HOUR_US, "opener", 50, 8, "unlock");
        put_truth(l, BACKEND_LOG_KONG, "\"vehicle_enumeration\"", false, us, us + HOUR_US, 20, 30);
        put_truth(l, BACKEND_LOG_KONG, "\"mass_unlock\"", false, us + 3 * HOUR_US, us + 4 * HOUR_US, 50, 8);
    }
}

static void kong_day(struct log *l, unsigned day, int64_t start_us)
{
    static const char *const COMMAND[] = {"climate", "unlock", "locate", "charge"};

    for (uint32_t i = 0; i < l->cfg->vehicles; i++) {
        char ip[24];

        snprintf(ip, sizeof ip, "198.18.%u.%u", i >> 8 & 255, i & 255);
        for (unsigned n = rng_poisson(&l->rng, 400); n > 0; n--) {
            int64_t us = start_us + rng_between(&l->rng, 5 * 60, 23 * 60) * MINUTE_US;
            const char *command = rng_chance(&l->rng, 300000) ? COMMAND[rng_below(&l->rng, 4)] : NULL;

            call(l, us, l->cfg->vehicle[i].owner, NULL, i, command, ip);
        }
        /* The fleet manager's night run asks for every tenth vehicle within minutes. */
        if (i % 10 == 9)
            call(l, start_us + 2 * HOUR_US + i * US_PER_S, "fleet-one", "fleet_manager", i, NULL, "198.19.0.2");
    }
    kong_plants(l, day, start_us);
}

/* ---- hawkBit: the OTA server's audit lines */

static void audit(struct log *l, int64_t us, const char *user, const char *act, unsigned rollout)
{
    fprintf(l->out,
            "%s  INFO 1 --- [nio-8080-exec-%u] AUDIT.ROLLOUT                            : [Rollout] User: %s, "
            "AccessContext: DEFAULT - %s rollout-%u\n",
            at(us).text, (unsigned)rng_below(&l->rng, 9), user, act, rollout);
    l->lines++;
}

static void hawkbit_day(struct log *l, unsigned day, int64_t start_us)
{
    if (day % 7 == 2) {
        audit(l, start_us + 8 * HOUR_US, "alice", "Create", day);
        audit(l, start_us + 9 * HOUR_US, "bob", "Approve", day);
        audit(l, start_us + 9 * HOUR_US + 5 * MINUTE_US, "alice", "Start", day);
        audit(l, start_us + 26 * HOUR_US, "system", "Start", day);
    }
    if (day == 2) {
        audit(l, start_us + 23 * HOUR_US, "carol", "Pause", day);
        put_truth(l, BACKEND_LOG_HAWKBIT, "\"ota_campaign_off_hours\"", true, start_us + 23 * HOUR_US,
                  start_us + 24 * HOUR_US, 0, 0);
    }
    if (day == l->cfg->days / 2) {
        audit(l, start_us + 23 * HOUR_US, "dave", "Start", 99);
        put_truth(l, BACKEND_LOG_HAWKBIT, "\"ota_campaign_off_hours\"", false, start_us + 23 * HOUR_US,
                  start_us + 23 * HOUR_US, 0, 0);
    }
}

uint64_t backend_log_write(FILE *out, FILE *truth, enum backend_log_kind kind, const struct backend_log_config *cfg)
{
    static void (*const DAY[BACKEND_LOG_KIND_COUNT])(struct log *, unsigned, int64_t) = {keycloak_day, kong_day,
                                                                                         hawkbit_day};
    struct log l = {.cfg = cfg, .out = out, .truth = truth};

    for (unsigned day = 0; day < cfg->days; day++) {
        l.rng = rng_split(cfg->seed ^ (uint64_t)day << 40, NAME[kind], 0);
        DAY[kind](&l, day, cfg->start_us + (int64_t)day * DAY_US);
    }
    return l.lines;
}
