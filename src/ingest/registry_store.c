#include "ingest/registry_store.h"

#include "ingest/vid_text.h"
#include "store/change.h"

static const char VERSION_COUNTER[] = "registry";

static enum vs_err end_of_rows(enum vs_err err)
{
    return err == VS_ERR_END ? VS_OK : err;
}

static bool read_vid(struct store_stmt *q, int at, uint8_t vid[EV_VID_SIZE])
{
    return hex_read(store_text(q, at), vid, EV_VID_SIZE);
}

static enum vs_err refresh_vehicles(struct store *st, struct registry *g, int64_t since, int64_t *highest)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT vid, model, hardware, region, owner, enrolled_us, version FROM vehicle "
                          "WHERE version > ? ORDER BY version");
    enum vs_err err;

    store_bind_i64(q, 1, since);
    while ((err = store_step(q)) == VS_OK) {
        struct vehicle_facts f = {.model = store_text(q, 1),
                                  .hardware = store_text(q, 2),
                                  .region = store_text(q, 3),
                                  .owner = store_text(q, 4),
                                  .enrolled_us = store_i64(q, 5)};

        if (!read_vid(q, 0, f.vid))
            err = VS_ERR_MALFORMED;
        if (err == VS_OK)
            err = registry_put(g, &f);
        if (err != VS_OK)
            break;
        if (store_i64(q, 6) > *highest)
            *highest = store_i64(q, 6);
    }
    store_done(q);
    return end_of_rows(err);
}

static enum vs_err refresh_software(struct store *st, struct registry *g, int64_t since, int64_t *highest)
{
    struct store_stmt *q = store_prepare(st, "SELECT vid, component, software, from_us, recorded_us, source, version "
                                             "FROM vehicle_software WHERE version > ? ORDER BY version");
    uint8_t vid[EV_VID_SIZE];
    enum vs_err err;

    store_bind_i64(q, 1, since);
    while ((err = store_step(q)) == VS_OK) {
        struct software_period p = {.component = store_text(q, 1),
                                    .version = store_text(q, 2),
                                    .from_us = store_i64(q, 3),
                                    .recorded_us = store_i64(q, 4),
                                    .source = (uint8_t)store_i64(q, 5)};

        err = read_vid(q, 0, vid) ? registry_software_put(g, vid, &p) : VS_ERR_MALFORMED;
        if (err == VS_ERR_NOT_FOUND || err == VS_ERR_FULL)
            err = VS_OK; /* of a vehicle not enrolled; or more periods than one vehicle may have */
        if (err != VS_OK)
            break;
        if (store_i64(q, 6) > *highest)
            *highest = store_i64(q, 6);
    }
    store_done(q);
    return end_of_rows(err);
}

enum vs_err registry_store_refresh(struct store *st, struct registry *g, int64_t *version)
{
    int64_t highest = *version;

    enum vs_err err = refresh_vehicles(st, g, *version, &highest);
    if (err == VS_OK)
        err = refresh_software(st, g, *version, &highest);
    if (err == VS_OK)
        *version = highest;
    return err;
}

enum vs_err registry_store_load(struct store *st, struct registry *g)
{
    int64_t version = 0;

    return registry_store_refresh(st, g, &version);
}

static void bind_text_or_null(struct store_stmt *q, int at, struct slice s)
{
    if (s.len > 0)
        store_bind_text(q, at, s);
    else
        store_bind_null(q, at);
}

enum vs_err registry_store_put(struct store *st, const struct vehicle_facts *facts)
{
    struct vid_text text = vid_text(facts->vid);
    int64_t version;

    enum vs_err err = counter_next(st, VERSION_COUNTER, &version);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO vehicle (vid, model, hardware, region, owner, enrolled_us, version) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (vid) DO UPDATE SET model = excluded.model, "
            "hardware = excluded.hardware, region = excluded.region, owner = excluded.owner, "
            "enrolled_us = coalesce(vehicle.enrolled_us, excluded.enrolled_us), version = excluded.version");
    store_bind_text(q, 1, slice_str(text.hex));
    bind_text_or_null(q, 2, facts->model);
    bind_text_or_null(q, 3, facts->hardware);
    bind_text_or_null(q, 4, facts->region);
    bind_text_or_null(q, 5, facts->owner);
    store_bind_i64(q, 6, facts->enrolled_us);
    store_bind_i64(q, 7, version);
    return store_run(q);
}

enum vs_err registry_store_software_put(struct store *st, const uint8_t vid[EV_VID_SIZE],
                                        const struct software_period *p)
{
    struct vid_text text = vid_text(vid);
    int64_t version;

    enum vs_err err = counter_next(st, VERSION_COUNTER, &version);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO vehicle_software (vid, component, from_us, recorded_us, software, source, version) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (vid, component, from_us, recorded_us) DO UPDATE SET "
            "software = excluded.software, source = excluded.source, version = excluded.version");
    store_bind_text(q, 1, slice_str(text.hex));
    store_bind_text(q, 2, p->component);
    store_bind_i64(q, 3, p->from_us);
    store_bind_i64(q, 4, p->recorded_us);
    store_bind_text(q, 5, p->version);
    store_bind_i64(q, 6, p->source);
    store_bind_i64(q, 7, version);
    return store_run(q);
}

enum vs_err registry_store_observe(struct store *st, const uint8_t vid[EV_VID_SIZE], const struct software_period *p)
{
    struct vid_text text = vid_text(vid);

    enum vs_err err = registry_store_software_put(st, vid, p);
    return err == VS_OK ? change_add(st, "vehicle", slice_str(text.hex), 0, p->recorded_us, NULL) : err;
}
