#include "detect/intel/stix_tree.h"

#include <stdlib.h>

#define ROOM_FIRST 128u

void stix_tree_init(struct stix_tree *t)
{
    memset(t, 0, sizeof *t);
}

void stix_tree_done(struct stix_tree *t)
{
    free(t->value);
    free(t->text);
    stix_tree_init(t);
}

void stix_tree_reset(struct stix_tree *t)
{
    t->count = 0;
    t->text_len = 0;
    t->full = false;
}

static bool make_room(struct stix_tree *t)
{
    uint32_t room = t->room == 0 ? ROOM_FIRST : t->room * 2;

    if (t->count < t->room)
        return true;
    struct stix_value *grown = room <= STIX_TREE_MAX ? realloc(t->value, room * sizeof *grown) : NULL;
    if (grown == NULL)
        return false;
    t->value = grown;
    t->room = room;
    return true;
}

uint32_t stix_tree_add(struct stix_tree *t, uint32_t parent, struct slice key, enum stix_value_kind kind)
{
    if (!make_room(t)) {
        t->full = true;
        return STIX_TREE_NONE;
    }
    uint32_t at = t->count++;
    t->value[at] = (struct stix_value){
        .kind = (uint8_t)kind, .child = STIX_TREE_NONE, .last = STIX_TREE_NONE, .next = STIX_TREE_NONE, .key = key};
    if (parent != STIX_TREE_NONE) {
        struct stix_value *p = &t->value[parent];
        if (p->last == STIX_TREE_NONE)
            p->child = at;
        else
            t->value[p->last].next = at;
        p->last = at;
    }
    return at;
}

void stix_tree_int(struct stix_tree *t, uint32_t parent, const char *key, int64_t v)
{
    uint32_t at = stix_tree_add(t, parent, slice_str(key), STIX_VALUE_INT);

    if (at != STIX_TREE_NONE)
        t->value[at].value.i = v;
}

void stix_tree_bool(struct stix_tree *t, uint32_t parent, const char *key, bool v)
{
    uint32_t at = stix_tree_add(t, parent, slice_str(key), STIX_VALUE_BOOL);

    if (at != STIX_TREE_NONE)
        t->value[at].b = v;
}

void stix_tree_text(struct stix_tree *t, uint32_t parent, const char *key, struct slice v)
{
    uint32_t at = stix_tree_add(t, parent, slice_str(key), STIX_VALUE_TEXT);

    if (at != STIX_TREE_NONE)
        t->value[at].value.s = v;
}

uint8_t *stix_tree_copy(struct stix_tree *t, size_t len)
{
    if (t->text == NULL)
        t->text = malloc(STIX_TREE_TEXT_MAX); /* pages that nobody touches cost nothing */
    if (t->text == NULL || len > STIX_TREE_TEXT_MAX - t->text_len) {
        t->full = true;
        return NULL;
    }
    t->text_len += (uint32_t)len;
    return t->text + (t->text_len - len);
}

uint32_t stix_tree_object(struct stix_tree *t, struct stix_observation *o, struct slice id, struct slice type)
{
    if (o->object_count == STIX_OBJECTS_MAX) {
        t->full = true;
        return STIX_TREE_NONE;
    }
    uint32_t at = stix_tree_add(t, STIX_TREE_NONE, id, STIX_VALUE_MAP);
    if (at == STIX_TREE_NONE)
        return at;
    o->type[o->object_count] = type;
    o->object[o->object_count++] = at;
    stix_tree_text(t, at, "type", type);
    return at;
}
