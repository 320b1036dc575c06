/* The verbs of `vsoc sim` that print: events as they reach the backend, and the fleet itself. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/sim_options.h"
#include "core/timestamp.h"
#include "drive.h"
#include "event/event_json.h"
#include "ingest/normalise.h"

#define EXTRA_MAX 1024

static void put_member(struct writer *w, const char *key, struct slice value)
{
    if (value.len == 0)
        return;
    writer_text(w, ",\"");
    writer_text(w, key);
    writer_text(w, "\":");
    writer_json_text(w, value);
}

/* One event a line, with what the backend adds: when it was received, and what is known of the vehicle. */
static void print_event(const struct event *ev, const struct normalised *en, void *ctx)
{
    static const char KEY[] = ",\"received\":\"";
    char line[EVENT_JSON_SIZE], extra[EXTRA_MAX], vid[EV_VID_TEXT_LEN];
    struct writer w, more, name;

    (void)ctx;
    writer_init(&more, extra, sizeof extra);
    put_member(&more, "model", en->model);
    put_member(&more, "hardware", en->hardware);
    put_member(&more, "sw_version", en->sw_version);
    put_member(&more, "region", en->region);
    writer_text(&more, KEY);
    timestamp_write(&more, en->received_us);
    writer_u8(&more, '"');
    writer_init(&name, vid, sizeof vid);
    writer_hex(&name, slice_make(ev->vid, sizeof ev->vid), false);
    writer_init(&w, line, sizeof line);
    event_json_write(ev, writer_slice(&name), writer_slice(&more), &w);
    writer_u8(&w, '\n');
    fwrite(w.buf, 1, w.len, stdout);
}

static enum vs_err enrol(struct registry *g, const struct sim_options *opt, const struct fleet_vehicle *v)
{
    struct vehicle_facts facts = {.model = slice_str(v->model->name),
                                  .hardware = slice_str(v->model->hardware),
                                  .region = slice_str(v->region),
                                  .owner = slice_str(v->owner),
                                  .enrolled_us = opt->world.start_us};
    struct software_period first = {slice_str(""), slice_str(v->software[0]), 0, opt->world.start_us, SOFTWARE_IMPORT};

    memcpy(facts.vid, v->vid, sizeof facts.vid);
    enum vs_err err = registry_put(g, &facts);
    return err == VS_OK ? registry_software_put(g, v->vid, &first) : err;
}

static enum vs_err print_day(const struct world *w, struct normalise *n, const struct world_upload *up, uint32_t count)
{
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; err == VS_OK && i < count; i++) {
        const struct fleet_vehicle *v = world_vehicle(w, up[i].vehicle);
        struct stream_record rec = {.received_us = up[i].sent_us,
                                    .door = STREAM_DOOR_HTTPS,
                                    .format = STREAM_FORMAT_BATCH,
                                    .key = slice_make(v->vid, sizeof v->vid),
                                    .value = up[i].body};

        err = normalise_step(n, &rec);
    }
    return err;
}

static void end_of_run(const struct world *w, const struct normalise *n)
{
    struct normalise_stats stats;

    normalise_stats(n, &stats);
    fprintf(stderr, "{");
    sim_put_counters(stderr, w);
    fprintf(stderr, ",\"lines\":%" PRIu64 ",\"repaired\":%" PRIu64 ",\"suspect\":%" PRIu64 "}\n", stats.events,
            stats.repaired, stats.suspect);
}

int sim_print_events(const struct sim_options *opt)
{
    struct world *w = NULL;
    struct registry *g = NULL;
    struct normalise *n = NULL;
    const struct world_upload *up = NULL;
    uint32_t count = 0;
    enum vs_err err = world_new(&opt->world, &w);

    if (err == VS_OK)
        err = registry_new(&g);
    for (uint32_t i = 0; err == VS_OK && i < opt->world.vehicles; i++)
        err = enrol(g, opt, world_vehicle(w, i));
    struct normalise_config cfg = {.registry = g, .keep_duplicates = true, .event = print_event};
    if (err == VS_OK)
        err = normalise_new(&cfg, &n);
    bool ok = err == VS_OK && sim_write_truth(opt, w);
    while (ok && (err = world_step(w, &up, &count)) == VS_OK)
        ok = print_day(w, n, up, count) == VS_OK;
    if (err == VS_ERR_END && ok)
        end_of_run(w, n);
    else
        fprintf(stderr, "vsoc sim: %s\n", vs_err_text(err));
    normalise_free(n);
    registry_free(g);
    world_free(w);
    return err == VS_ERR_END && ok && fflush(stdout) == 0 ? 0 : 2;
}

int sim_print_vehicles(const struct sim_options *opt)
{
    for (uint32_t i = 0; i < opt->world.vehicles; i++) {
        struct fleet_vehicle v;

        fleet_vehicle_init(&v, opt->world.seed, i, opt->world.days, opt->world.pseudonym_key);
        printf("{\"vin\":\"%s\",\"model\":\"%s\",\"hardware\":\"%s\",\"sw_version\":\"%s\",\"region\":\"%s\",\"owner\":"
               "\"%s\"}\n",
               v.vin, v.model->name, v.model->hardware, v.software[0], v.region, v.owner);
    }
    return fflush(stdout) == 0 ? 0 : 2;
}
