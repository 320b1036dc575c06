/* Tags of a vehicle: what people know of it that no event tells. */
#include "api/economy.h"
#include "api/filter.h"
#include "api/route.h"
#include "api/vehicle_json.h"
#include "respond/vehicle_tag.h"

static json_t *tags_json(struct store *st, struct slice vid)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT tag, reason, who, at_us, until_us FROM vehicle_tag WHERE vid = ? ORDER BY tag");
    json_t *list = json_array();

    store_bind_text(q, 1, vid);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "tag", json_column(q, 0), "reason",
                                              json_column(q, 1), "who", json_column(q, 2), "since",
                                              json_time_column(q, 3), "until", json_time_column(q, 4)));
    store_done(q);
    return json_pack("{s:o}", "tags", list);
}

void vehicle_tags(struct call *c)
{
    struct vehicle_name name;

    if (call_vehicle(c, &name))
        reply_json(c, 200, tags_json(c->st, slice_str(name.text)));
}

static void finish(struct call *c, enum vs_err err, const struct vehicle_name *name)
{
    if (err == VS_OK)
        err = store_commit(c->st);
    if (err == VS_OK) {
        reply_json(c, 200, tags_json(c->st, slice_str(name->text)));
        return;
    }
    store_rollback(c->st);
    if (err == VS_ERR_NOT_FOUND)
        reply_fault(c, err, "tag", "the vehicle has no such tag");
    else if (err == VS_ERR_LIMIT)
        reply_fault(c, err, "tag", "a vehicle has at most 16 tags");
    else
        reply_store_failure(c, err);
}

void vehicle_tag_add(struct call *c)
{
    struct vehicle_name name;
    char text[64];
    int64_t now_us = economy_now(c), until_us = 0;
    struct actor who = call_actor(c);
    const char *fault = vehicle_tag_fault(body_text(c->body, "tag"));

    if (fault != NULL) {
        reply_fault(c, VS_ERR_RANGE, "tag", fault);
        return;
    }
    if (body_has(c->body, "until") && (!slice_to_str(body_text(c->body, "until"), text, sizeof text) ||
                                       filter_time(text, now_us, &until_us) != VS_OK || until_us <= now_us)) {
        reply_fault(c, VS_ERR_RANGE, "until", "a time ahead, RFC 3339");
        return;
    }
    if (!call_vehicle(c, &name))
        return;
    enum vs_err err = store_begin(c->st);
    if (err == VS_OK)
        err = vehicle_tag_put(c->st, slice_str(name.text), body_text(c->body, "tag"), body_text(c->body, "reason"),
                              until_us, &who, now_us);
    finish(c, err, &name);
}

void vehicle_tag_remove(struct call *c)
{
    struct vehicle_name name;
    struct actor who = call_actor(c);

    if (!call_vehicle(c, &name))
        return;
    enum vs_err err = store_begin(c->st);
    if (err == VS_OK)
        err = vehicle_tag_take(c->st, slice_str(name.text), body_text(c->body, "tag"), body_text(c->body, "reason"),
                               &who, economy_now(c));
    finish(c, err, &name);
}
