/* engine_internal: the state that the parts of the engine share. Not for users of the engine.
 *
 *     node    one kept event, with its places
 *     group   one (correlation, group key): entries sorted by time, vehicle, epoch, seq, content; episodes sorted by
 * time entry   one event (or one of the two parts of an aggregated one) in one group */
#ifndef DETECT_ENGINE_ENGINE_INTERNAL_H
#define DETECT_ENGINE_ENGINE_INTERNAL_H

#include "detect/engine/engine.h"
#include "detect/engine/window.h"

#define NODE_NONE UINT32_MAX

struct node_place {
    uint32_t group;
    uint32_t value; /* as in struct entry */
    uint64_t mask_chain;
    uint64_t mask[2]; /* of the entry of each part, as it stands now; 0 = there is no entry */
};

struct node {
    int64_t first_us, last_us;
    uint64_t seq;
    uint64_t tag;
    struct hash128 content;
    uint32_t vehicle; /* number in engine.vehicles; NODE_NONE when the slot is free */
    uint32_t epoch;
    uint32_t count;
    uint16_t place_count;
    bool has_seq, late;
    struct node_place *more; /* heap; NULL when there is but one place, which is `only` */
    struct node_place only;
};

/* The places of an event. Valid until nodes move, which adding one can make them. */
static inline struct node_place *node_places(struct node *n)
{
    return n->more != NULL ? n->more : &n->only;
}

struct episode {
    uint8_t id[ALERT_ID_SIZE];
    int64_t hit_us; /* time of the first hit */
    int64_t first_us, last_us;
    uint64_t count, vehicles;
    nano peak;
    uint32_t member;      /* node of the first member */
    bool member_second;   /* it is the part that stands at the record's last time */
    struct hash128 start; /* the identity of the first member: a node's number may be given to another event */
    uint32_t revision;
    bool late;
    bool closed;
};

struct group {
    uint32_t corr;
    uint32_t key[ALERT_GROUP_MAX]; /* numbers of the group-by values in engine.values */
    struct entry *entry;
    size_t count, room;
    size_t sorted; /* entries before this are in order, the rest is new */
    struct episode *episode;
    uint32_t episode_count, episode_room;
    int64_t dirty_lo_us, dirty_hi_us; /* stretch to recompute; lo > hi: none */
    size_t scan_cost;                 /* entries that the last recomputation looked at */
    uint32_t scan_call;               /* number of the settling call that did it */
    bool queued;
    bool open;  /* listed in engine.open */
    bool holes; /* some entries are taken out */
};

struct corr_state {
    uint32_t *queue; /* groups to recompute */
    uint32_t queue_count, queue_room;
};

struct identity_slot {
    struct hash128 key;
    uint64_t content; /* high half of the content's hash */
    uint32_t node;    /* + 1; 0 = the event has no place anywhere */
    uint32_t minute;  /* last time, for expiry; 0 = free slot */
};

struct engine {
    const struct plan *plan;
    struct engine_limits limits;
    struct engine_counters counters;
    struct intern vehicles;
    uint32_t vehicle_last;    /* of the event before, which mostly is that of the next one */
    struct intern values;     /* of group-by fields and of value_count */
    uint32_t *vehicle_events; /* by vehicle: kept events */
    uint32_t *vehicle_value;  /* by vehicle: its number in values, INTERN_NONE when not known yet */
    uint32_t vehicle_room;
    struct node *node;
    uint32_t node_count, node_room;
    uint32_t *free_node;
    uint32_t free_count, free_room;
    struct group *group;
    uint32_t group_count, group_room;
    uint32_t *group_slot; /* hash table of group numbers + 1 */
    uint32_t group_slots;
    struct corr_state *corr;
    struct point *point;
    uint32_t point_count, point_room;
    uint32_t *free_point;
    uint32_t free_point_count, free_point_room;
    struct identity_slot *slot;
    uint64_t slot_count, slot_used;
    uint32_t *open; /* groups with an episode that is not closed */
    uint32_t open_count, open_room;
    uint32_t calls; /* settling calls so far */
    struct window window;
    uint32_t *stamp; /* by vehicle: last episode that counted it */
    uint32_t stamp_room, stamp_now;
    struct entry *merge; /* scratch of sorting */
    size_t merge_room;
    struct episode *fresh; /* scratch of recomputation */
    uint32_t fresh_count, fresh_room;
};

static inline const struct rule *engine_rule(const struct engine *e, uint32_t corr)
{
    return e->plan->rule[e->plan->corr[corr]];
}

/* engine_entries.c */
int engine_compare(const struct engine *e, const struct entry *a, const struct entry *b);
void engine_mark(struct engine *e, uint32_t group, int64_t time_us);
/* Gives one part of an event a new mask in a group; the entry comes into being and goes with it. */
void engine_mask(struct engine *e, uint32_t node, struct node_place *p, bool second, uint64_t mask);
/* Takes one part of an event out without marking anything for recomputation: it is too old to matter. */
void engine_forget_part(struct engine *e, uint32_t node, struct node_place *p, bool second);
/* Sorts what is new into place and closes holes. */
void engine_tidy(struct engine *e, struct group *g);
/* First entry at or after a time. */
size_t engine_lower(const struct group *g, int64_t time_us);

static inline struct slice engine_group_value(const struct engine *e, const struct group *g, unsigned n)
{
    return intern_text(&e->values, g->key[n]);
}

/* engine_groups.c */
/* The group of a place, new if need be; INTERN_NONE when a limit turned it away. `vehicle` is the event's. */
uint32_t engine_group(struct engine *e, const struct place *p, uint32_t vehicle);
/* The group with these values, unused ones 0; INTERN_NONE when there is none. */
uint32_t engine_group_find(const struct engine *e, uint32_t corr, const uint32_t key[ALERT_GROUP_MAX]);

/* engine_episodes.c */
void engine_recompute(struct engine *e, uint32_t group, engine_emit *emit, void *ctx);

/* engine_alerts.c */
/* Hands out one episode as an alert. `gone` are ids that it supersedes. */
void engine_show(const struct engine *e, const struct group *g, const struct episode *ep, enum alert_state state,
                 const struct episode *const *gone, uint32_t gone_count, engine_emit *emit, void *ctx);

#endif
