/* Vehicles in an open-addressing table of pointers; texts in a shared pool, because a fleet has few models, regions and
 * versions. Owner pseudonyms differ per vehicle and are pooled as well: one entry each. */
#include "ingest/registry.h"

#include <assert.h>
#include <stdlib.h>

#define TABLE_FIRST 1024

struct vehicle {
    struct vehicle_facts facts; /* first, so that facts lead back to the vehicle */
    struct software_period *software;
    uint32_t software_count, software_size;
};

struct pooled {
    uint32_t hash;
    uint32_t len;
    uint8_t text[];
};

struct registry {
    struct vehicle **vehicle;
    uint32_t vehicle_count, vehicle_mask;
    struct pooled **text;
    uint32_t text_count, text_mask;
};

static uint32_t hash_bytes(struct slice s)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.ptr[i]) * UINT64_C(0x100000001B3);
    return (uint32_t)(h ^ h >> 32);
}

enum vs_err registry_new(struct registry **ret)
{
    struct registry *g = calloc(1, sizeof *g);

    if (g == NULL)
        return VS_ERR_NO_MEMORY;
    g->vehicle = calloc(TABLE_FIRST, sizeof g->vehicle[0]);
    g->text = calloc(TABLE_FIRST, sizeof g->text[0]);
    g->vehicle_mask = g->text_mask = TABLE_FIRST - 1;
    if (g->vehicle == NULL || g->text == NULL) {
        registry_free(g);
        return VS_ERR_NO_MEMORY;
    }
    *ret = g;
    return VS_OK;
}

void registry_free(struct registry *g)
{
    if (g == NULL)
        return;
    for (uint32_t i = 0; g->vehicle != NULL && i <= g->vehicle_mask; i++)
        if (g->vehicle[i] != NULL) {
            free(g->vehicle[i]->software);
            free(g->vehicle[i]);
        }
    for (uint32_t i = 0; g->text != NULL && i <= g->text_mask; i++)
        free(g->text[i]);
    free(g->vehicle);
    free(g->text);
    free(g);
}

/* ---- texts */

static struct pooled **text_place(const struct registry *g, struct slice s, uint32_t hash)
{
    uint32_t i = hash & g->text_mask;

    while (g->text[i] != NULL &&
           (g->text[i]->hash != hash || !slice_equal(slice_make(g->text[i]->text, g->text[i]->len), s)))
        i = (i + 1) & g->text_mask;
    return &g->text[i];
}

static bool grow_texts(struct registry *g)
{
    uint32_t size = (g->text_mask + 1) * 2;
    struct pooled **old = g->text, **text = calloc(size, sizeof text[0]);

    if (text == NULL)
        return false;
    for (uint32_t i = 0; i <= g->text_mask; i++) {
        if (old[i] == NULL)
            continue;
        uint32_t at = old[i]->hash & (size - 1);
        while (text[at] != NULL)
            at = (at + 1) & (size - 1);
        text[at] = old[i];
    }
    g->text = text;
    g->text_mask = size - 1;
    free(old);
    return true;
}

static enum vs_err pool(struct registry *g, struct slice s, struct slice *ret)
{
    uint32_t hash = hash_bytes(s);

    if (s.len > REGISTRY_TEXT_MAX)
        return VS_ERR_LIMIT;
    if (s.len == 0) {
        *ret = slice_make("", 0);
        return VS_OK;
    }
    if (g->text_count * 2 > g->text_mask && !grow_texts(g))
        return VS_ERR_NO_MEMORY;
    struct pooled **at = text_place(g, s, hash);
    if (*at == NULL) {
        *at = malloc(sizeof **at + s.len);
        if (*at == NULL)
            return VS_ERR_NO_MEMORY;
        (*at)->hash = hash;
        (*at)->len = (uint32_t)s.len;
        memcpy((*at)->text, s.ptr, s.len);
        g->text_count++;
    }
    *ret = slice_make((*at)->text, (*at)->len);
    return VS_OK;
}

/* ---- vehicles */

static struct vehicle **vehicle_place(const struct registry *g, const uint8_t vid[EV_VID_SIZE])
{
    uint32_t i = hash_bytes(slice_make(vid, EV_VID_SIZE)) & g->vehicle_mask;

    while (g->vehicle[i] != NULL && memcmp(g->vehicle[i]->facts.vid, vid, EV_VID_SIZE) != 0)
        i = (i + 1) & g->vehicle_mask;
    return &g->vehicle[i];
}

static bool grow_vehicles(struct registry *g)
{
    uint32_t size = (g->vehicle_mask + 1) * 2;
    struct vehicle **old = g->vehicle, **vehicle = calloc(size, sizeof vehicle[0]);

    if (vehicle == NULL)
        return false;
    uint32_t old_mask = g->vehicle_mask;
    g->vehicle = vehicle;
    g->vehicle_mask = size - 1;
    for (uint32_t i = 0; i <= old_mask; i++)
        if (old[i] != NULL)
            *vehicle_place(g, old[i]->facts.vid) = old[i];
    free(old);
    return true;
}

enum vs_err registry_put(struct registry *g, const struct vehicle_facts *facts)
{
    struct vehicle_facts copy = *facts;

    enum vs_err err = pool(g, facts->model, &copy.model);
    if (err == VS_OK)
        err = pool(g, facts->hardware, &copy.hardware);
    if (err == VS_OK)
        err = pool(g, facts->region, &copy.region);
    if (err == VS_OK)
        err = pool(g, facts->owner, &copy.owner);
    if (err != VS_OK)
        return err;
    if (g->vehicle_count * 2 > g->vehicle_mask && !grow_vehicles(g))
        return VS_ERR_NO_MEMORY;
    struct vehicle **at = vehicle_place(g, facts->vid);
    if (*at == NULL) {
        if (g->vehicle_count >= REGISTRY_VEHICLES_MAX)
            return VS_ERR_FULL;
        *at = calloc(1, sizeof **at);
        if (*at == NULL)
            return VS_ERR_NO_MEMORY;
        g->vehicle_count++;
    }
    (*at)->facts = copy;
    return VS_OK;
}

const struct vehicle_facts *registry_find(const struct registry *g, const uint8_t vid[EV_VID_SIZE])
{
    const struct vehicle *v = *vehicle_place(g, vid);

    return v != NULL ? &v->facts : NULL;
}

uint32_t registry_count(const struct registry *g)
{
    return g->vehicle_count;
}

/* ---- software */

static int compare_periods(const struct software_period *a, const struct software_period *b)
{
    int c = slice_compare(a->component, b->component);

    if (c != 0)
        return c;
    if (a->from_us != b->from_us)
        return a->from_us < b->from_us ? -1 : 1;
    return a->recorded_us < b->recorded_us ? -1 : a->recorded_us > b->recorded_us;
}

static bool make_room(struct vehicle *v)
{
    if (v->software_count < v->software_size)
        return true;
    uint32_t size = v->software_size > 0 ? v->software_size * 2 : 2;
    struct software_period *software = realloc(v->software, size * sizeof software[0]);
    if (software == NULL)
        return false;
    v->software = software;
    v->software_size = size;
    return true;
}

enum vs_err registry_software_put(struct registry *g, const uint8_t vid[EV_VID_SIZE], const struct software_period *p)
{
    struct vehicle *v = *vehicle_place(g, vid);
    struct software_period copy = *p;

    if (v == NULL)
        return VS_ERR_NOT_FOUND;
    enum vs_err err = pool(g, p->component, &copy.component);
    if (err == VS_OK)
        err = pool(g, p->version, &copy.version);
    if (err != VS_OK)
        return err;
    uint32_t at = v->software_count;
    while (at > 0 && compare_periods(&copy, &v->software[at - 1]) < 0)
        at--;
    if (at > 0 && compare_periods(&copy, &v->software[at - 1]) == 0 &&
        slice_equal(copy.version, v->software[at - 1].version))
        return VS_OK;
    if (v->software_count >= REGISTRY_SOFTWARE_MAX)
        return VS_ERR_FULL;
    if (!make_room(v))
        return VS_ERR_NO_MEMORY;
    memmove(v->software + at + 1, v->software + at, (v->software_count - at) * sizeof v->software[0]);
    v->software[at] = copy;
    v->software_count++;
    return VS_OK;
}

struct slice registry_software_at(const struct vehicle_facts *facts, struct slice component, int64_t time_us)
{
    const struct vehicle *v = (const struct vehicle *)facts;
    uint32_t low = 0, high = v->software_count;

    /* Behind the last period of the component that began by then; periods of one instant stand in recorded order. */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct software_period *p = &v->software[mid];
        int c = slice_compare(p->component, component);

        if (c < 0 || (c == 0 && p->from_us <= time_us))
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0 || !slice_equal(v->software[low - 1].component, component))
        return slice_make("", 0);
    return v->software[low - 1].version;
}

uint32_t registry_software(const struct vehicle_facts *facts, const struct software_period **ret)
{
    const struct vehicle *v = (const struct vehicle *)facts;

    *ret = v->software;
    return v->software_count;
}

static struct slice text_of(const struct event *ev, enum ev_field_id id)
{
    const struct ev_field *f = event_get(ev, id);

    return f != NULL ? f->value.s : slice_make("", 0);
}

bool registry_observe(struct registry *g, const struct event *ev, int64_t recorded_us,
                      struct software_period *ret_period)
{
    if (ev->type != EV_OTA_INSTALLED && ev->type != EV_VEHICLE_CONFIGURATION)
        return false;
    const struct vehicle_facts *facts = registry_find(g, ev->vid);
    struct software_period p = {.component = text_of(ev, EV_F_COMPONENT),
                                .version = text_of(ev, EV_F_VERSION),
                                .from_us = ev->first_us,
                                .recorded_us = recorded_us,
                                .source = ev->type == EV_OTA_INSTALLED ? SOFTWARE_OTA : SOFTWARE_EVENT};

    if (facts == NULL || p.version.len == 0 || ev->trust == EV_TRUST_SUSPECT ||
        slice_equal(registry_software_at(facts, p.component, p.from_us), p.version))
        return false;
    if (registry_software_put(g, ev->vid, &p) != VS_OK)
        return false;
    *ret_period = p;
    return true;
}
