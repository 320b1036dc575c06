#include "detect/engine/engine_internal.h"

#define US_PER_MINUTE (60 * US_PER_S)

/* One table knows all identities. An event that is kept is known by its node; of one that is not, a ghost remembers
 * identity and content. */

uint32_t engine_minute(int64_t time_us)
{
    int64_t minute = time_us / US_PER_MINUTE + 1;

    return minute < 1 ? 1 : minute > UINT32_MAX ? UINT32_MAX : (uint32_t)minute;
}

uint32_t engine_identity_tag(const struct engine *e, struct hash128 key)
{
    return (uint32_t)hash_mix(key.lo, e->limits.seed);
}

struct ghost *engine_ghost(const struct engine *e, uint32_t number)
{
    return pages_at(&e->ghosts, number & ~ITEM_GHOST, sizeof(struct ghost));
}

struct hash128 engine_identity_of(const struct engine *e, const struct node *n)
{
    struct slice vehicle = names_text(&e->vehicles, n->vehicle);
    struct hash128 content = {n->content_hi, n->number};

    return n->has_seq ? sighting_identity(vehicle, n->epoch, n->number) : content;
}

static bool is_node(const struct engine *e, const struct node *n, const struct sighting *s)
{
    if (n->has_seq != s->has_seq)
        return false;
    if (!n->has_seq)
        return n->number == s->content.lo && n->content_hi == s->content.hi;
    return n->number == s->seq && n->epoch == s->epoch && slice_equal(names_text(&e->vehicles, n->vehicle), s->vehicle);
}

uint32_t engine_identity_find(const struct engine *e, const struct sighting *s)
{
    const struct slots *t = &e->identity_slots;
    uint32_t tag = engine_identity_tag(e, s->identity);

    for (uint32_t i = slots_first(t, tag); t->slot[i].item != 0; i = slots_next(t, i)) {
        uint32_t item = t->slot[i].item - 1;
        if (t->slot[i].tag != tag)
            continue;
        bool same = (item & ITEM_GHOST) != 0 ? hash128_equal(engine_ghost(e, item)->key, s->identity)
                                             : is_node(e, engine_node(e, item), s);
        if (same)
            return item;
    }
    return NODE_NONE;
}

void engine_identity_add_node(struct engine *e, uint32_t node)
{
    slots_add(&e->identity_slots, engine_identity_tag(e, engine_identity_of(e, engine_node(e, node))), node);
}

void engine_identity_add_ghost(struct engine *e, const struct ghost *gh)
{
    uint32_t number = pages_take(&e->ghosts);

    *engine_ghost(e, number) = *gh;
    slots_add(&e->identity_slots, engine_identity_tag(e, gh->key), number | ITEM_GHOST);
}

static void remove_item(struct engine *e, struct hash128 key, uint32_t item)
{
    struct slots *t = &e->identity_slots;
    uint32_t i = slots_first(t, engine_identity_tag(e, key));

    while (t->slot[i].item != 0 && t->slot[i].item != item + 1)
        i = slots_next(t, i);
    if (t->slot[i].item != 0)
        slots_remove(t, i);
}

void engine_identity_remove_node(struct engine *e, uint32_t node)
{
    remove_item(e, engine_identity_of(e, engine_node(e, node)), node);
}

void engine_identity_remove_ghost(struct engine *e, uint32_t ghost)
{
    struct ghost *gh = engine_ghost(e, ghost);

    remove_item(e, gh->key, ghost | ITEM_GHOST);
    gh->minute = 0;
    pages_give(&e->ghosts, ghost);
}
