/* vsoc sim: a seeded fleet with planted attacks and ground truth. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/sim_options.h"
#include "app/wall_clock.h"
#include "backend_log.h"
#include "can_trace.h"
#include "core/hex.h"
#include "core/timestamp.h"
#include "drive.h"

#define SIM_VEHICLES_MAX 1000000u
#define SIM_DAYS_MAX     250u
#define SIM_PARALLEL_MAX 512u
#define SIM_SECONDS_MAX  86400u
#define SIM_EPOCH        "2026-01-05T00:00:00Z" /* a Monday; the default start keeps output the same from year to year */

static void usage(FILE *out)
{
    fprintf(
        out,
        "usage: vsoc sim events   [options] > events.jsonl      events as they reach the backend, doubled and late "
        "ones too\n"
        "       vsoc sim vehicles [options] > vehicles.jsonl    the fleet, for `vsoc import vehicles`\n"
        "       vsoc sim trace    --kind KIND --out FILE [--seed N] [--seconds N]   CAN traffic as candump -L text\n"
        "       vsoc sim logs     --kind KIND --out FILE [options]   raw backend logs of the same days, with attacks "
        "(docs/formats/mapping.md)\n"
        "       vsoc sim drive    [options] --pki DIR --url URL sends signed batches to a running vsocd, one JSON "
        "summary\n\n"
        "  --seed N         1        the same seed gives the same bytes\n"
        "  --vehicles N     200      1 to %u\n"
        "  --days N         30       4 to %u\n"
        "  --start TIME     %s, or `now`: such that the last day ends at the last midnight\n"
        "  --truth FILE     the planted attacks and look-alikes, one JSON object a line\n"
        "  --pki DIR        made by `vsoc pki init`: pseudonym key and vehicle CA; without it a fixed test key\n"
        "  --url URL        of the ingest door, e.g. https://localhost:8443\n"
        "  --parallel N     32       requests in flight\n"
        "  --kind KIND      clean    of traffic: clean, dos, fuzz, inject or suspend, attacks begin after two thirds;\n"
        "                            of logs: keycloak, kong or hawkbit\n"
        "  --seconds N      60       of CAN traffic\n",
        SIM_VEHICLES_MAX, SIM_DAYS_MAX, SIM_EPOCH);
}

static bool take_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    char *end = NULL;
    unsigned long long v = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || v < min || v > max) {
        fprintf(stderr, "vsoc sim: %s %s: give a whole number from %llu to %llu\n", name, text, (unsigned long long)min,
                (unsigned long long)max);
        return false;
    }
    *ret = v;
    return true;
}

static bool read_pseudonym_key(struct sim_options *opt)
{
    char path[1024], text[128] = {0};

    snprintf(path, sizeof path, "%s/pseudonym.key", opt->pki_dir);
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    if (n < 64 || !hex_read(slice_make(text, 64), opt->pseudonym_key, 32)) {
        fprintf(stderr, "%s:1: not 64 hex digits; make the folder with: vsoc pki init DIR\n", path);
        return false;
    }
    return true;
}

static bool set_start(struct sim_options *opt, const char *start)
{
    int64_t us;

    if (strcmp(start, "now") == 0)
        us = wall_clock_us() - (int64_t)opt->world.days * DAY_US;
    else if (!timestamp_parse(slice_str(start), &us)) {
        fprintf(stderr, "vsoc sim: --start %s: give a time like %s, or now\n", start, SIM_EPOCH);
        return false;
    }
    opt->world.start_us = us - us % DAY_US;
    return true;
}

static bool parse(int argc, char **argv, struct sim_options *opt)
{
    const char *start = SIM_EPOCH;
    uint64_t n = 0;

    for (int i = 2; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool ok = true;

        if (value == NULL) {
            fprintf(stderr, "vsoc sim: %s needs a value; see vsoc sim --help\n", name);
            return false;
        }
        if (strcmp(name, "--seed") == 0) {
            ok = take_number(name, value, 0, UINT64_MAX, &n);
            opt->world.seed = n;
        } else if (strcmp(name, "--vehicles") == 0) {
            ok = take_number(name, value, 1, SIM_VEHICLES_MAX, &n);
            opt->world.vehicles = (uint32_t)n;
        } else if (strcmp(name, "--days") == 0) {
            ok = take_number(name, value, 4, SIM_DAYS_MAX, &n);
            opt->world.days = (unsigned)n;
        } else if (strcmp(name, "--parallel") == 0) {
            ok = take_number(name, value, 1, SIM_PARALLEL_MAX, &n);
            opt->parallel = (unsigned)n;
        } else if (strcmp(name, "--seconds") == 0) {
            ok = take_number(name, value, 1, SIM_SECONDS_MAX, &n);
            opt->trace_seconds = (unsigned)n;
        } else if (strcmp(name, "--kind") == 0) {
            opt->trace_kind = value;
        } else if (strcmp(name, "--out") == 0) {
            opt->trace_path = value;
        } else if (strcmp(name, "--start") == 0) {
            start = value;
        } else if (strcmp(name, "--truth") == 0) {
            opt->truth_path = value;
        } else if (strcmp(name, "--pki") == 0) {
            opt->pki_dir = value;
        } else if (strcmp(name, "--url") == 0) {
            opt->url = value;
        } else {
            fprintf(stderr, "vsoc sim: unknown option %s; see vsoc sim --help\n", name);
            return false;
        }
        if (!ok)
            return false;
    }
    return set_start(opt, start) && (opt->pki_dir == NULL || read_pseudonym_key(opt));
}

bool sim_write_truth(const struct sim_options *opt, const struct world *w)
{
    char line[16 * 1024];

    if (opt->truth_path == NULL)
        return true;
    FILE *f = fopen(opt->truth_path, "wb");
    for (uint32_t i = 0; f != NULL && i < plan_count(world_plan(w)); i++) {
        struct writer out;

        writer_init(&out, line, sizeof line);
        plan_write_truth(world_plan(w), plan_at(world_plan(w), i), world_vehicle(w, 0), &out);
        fprintf(f, "%.*s\n", (int)out.len, line);
    }
    bool ok = f != NULL && ferror(f) == 0;
    if (f != NULL)
        ok = fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "%s: cannot write the ground truth\n", opt->truth_path);
    return ok;
}

void sim_put_counters(FILE *out, const struct world *w)
{
    struct world_counters c;

    world_counters(w, &c);
    fprintf(out,
            "\"sensor_events\":%llu,\"records\":%llu,\"batches\":%llu,\"doubled\":%llu,\"late_batches\":%llu,\"bytes\":"
            "%llu",
            (unsigned long long)c.events, (unsigned long long)c.records, (unsigned long long)c.batches,
            (unsigned long long)c.doubled, (unsigned long long)c.late_batches, (unsigned long long)c.bytes);
}

static int sim_trace(const struct sim_options *opt)
{
    enum can_trace_kind kind = can_trace_kind_find(opt->trace_kind);

    if (kind == CAN_TRACE_KIND_COUNT || opt->trace_path == NULL) {
        fprintf(stderr, "vsoc sim trace: give --out FILE and --kind clean, dos, fuzz, inject or suspend\n");
        return 2;
    }
    FILE *f = fopen(opt->trace_path, "wb");
    uint64_t frames = f != NULL ? can_trace_write(f, opt->world.seed, kind, opt->trace_seconds) : 0;
    bool ok = f != NULL && ferror(f) == 0;
    if (f != NULL)
        ok = fclose(f) == 0 && ok;
    if (!ok) {
        fprintf(stderr, "%s: cannot write: %s\n", opt->trace_path, strerror(errno));
        return 2;
    }
    printf("{\"file\":\"%s\",\"kind\":\"%s\",\"frames\":%llu}\n", opt->trace_path, opt->trace_kind,
           (unsigned long long)frames);
    return 0;
}

static bool close_all(FILE *a, FILE *b)
{
    bool ok = a != NULL && ferror(a) == 0;

    if (a != NULL)
        ok = fclose(a) == 0 && ok;
    if (b != NULL)
        ok = ferror(b) == 0 && fclose(b) == 0 && ok;
    return ok;
}

static int sim_logs(const struct sim_options *opt)
{
    enum backend_log_kind kind = backend_log_kind_find(opt->trace_kind);
    struct fleet_vehicle *fleet = calloc(opt->world.vehicles, sizeof *fleet);
    uint64_t lines = 0;

    if (fleet == NULL || kind == BACKEND_LOG_KIND_COUNT || opt->trace_path == NULL ||
        opt->world.vehicles < BACKEND_LOG_VEHICLES_MIN) {
        fprintf(stderr, "vsoc sim logs: give --out FILE, --kind keycloak, kong or hawkbit, and at least %d vehicles\n",
                BACKEND_LOG_VEHICLES_MIN);
        free(fleet);
        return 2;
    }
    for (uint32_t i = 0; i < opt->world.vehicles; i++)
        fleet_vehicle_init(&fleet[i], opt->world.seed, i, opt->world.days, opt->world.pseudonym_key);
    struct backend_log_config cfg = {
        opt->world.seed, fleet, opt->world.vehicles, opt->world.days, opt->world.start_us, opt->world.pseudonym_key};
    FILE *out = fopen(opt->trace_path, "wb"), *truth = NULL;
    if (opt->truth_path != NULL)
        truth = fopen(opt->truth_path, "wb");
    if (out != NULL && (truth != NULL || opt->truth_path == NULL))
        lines = backend_log_write(out, truth, kind, &cfg);
    free(fleet);
    if (!close_all(out, truth) || lines == 0) {
        fprintf(stderr, "%s: cannot write: %s\n", opt->trace_path, strerror(errno));
        return 2;
    }
    printf("{\"file\":\"%s\",\"kind\":\"%s\",\"lines\":%llu}\n", opt->trace_path, opt->trace_kind,
           (unsigned long long)lines);
    return 0;
}

int cmd_sim(int argc, char **argv)
{
    static const struct {
        const char *verb;
        int (*run)(const struct sim_options *opt);
    } VERB[] = {{"events", sim_print_events},
                {"vehicles", sim_print_vehicles},
                {"drive", sim_drive},
                {"trace", sim_trace},
                {"logs", sim_logs}};
    struct sim_options opt = {
        .world = {.seed = 1, .vehicles = 200, .days = 30}, .parallel = 32, .trace_kind = "clean", .trace_seconds = 60};

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (size_t i = 0; i < sizeof VERB / sizeof VERB[0]; i++) {
        if (strcmp(argv[1], VERB[i].verb) != 0)
            continue;
        if (!parse(argc, argv, &opt))
            return 2;
        opt.world.pseudonym_key = slice_make(opt.pseudonym_key, 32);
        return VERB[i].run(&opt);
    }
    fprintf(stderr, "vsoc sim: unknown verb %s; see vsoc sim --help\n", argv[1]);
    return 2;
}
