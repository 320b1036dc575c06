/* engine_internal: the state that the parts of the engine share. Not for users of the engine.
 *
 *     node     one kept event, with its places
 *     group    one (correlation, group key): entries sorted by time, vehicle, epoch, seq, content; episodes by time
 *     entry    one event (or one of the two parts of an aggregated one) in one group
 *     large    what a group with many entries remembers between two settlings, so that it need not look at them again
 *     queue    groups of one correlation to recompute, each with the stretch of time that changed */
#ifndef DETECT_ENGINE_ENGINE_INTERNAL_H
#define DETECT_ENGINE_ENGINE_INTERNAL_H

#include "detect/engine/engine.h"
#include "detect/engine/names.h"
#include "detect/engine/window.h"

#define NODE_NONE   UINT32_MAX
#define GROUP_NONE  UINT32_MAX
#define GROUP_FIELD ((1u << 30) - 1) /* node_place.group of a place that was let go */

struct node_place {
    uint32_t group : 30;
    uint32_t parts : 2; /* bit 0, 1: there is an entry of the first, the second part */
    uint32_t value;     /* as in struct entry */
    uint64_t mask_chain;
};

/* Free nodes have no vehicle. */
struct node {
    int64_t first_us, last_us;
    uint64_t number; /* sequence number; without one the low half of the content's hash */
    uint64_t content_hi;
    uint64_t tag;
    uint32_t vehicle;
    uint32_t epoch;
    uint32_t count;
    uint16_t place_count;
    bool has_seq, late;
    union {
        struct node_place only;
        struct node_place *more; /* heap, when there are several */
    } place;
};

/* The places of an event. Valid until a place is added to it. */
static inline struct node_place *node_places(struct node *n)
{
    return n->place_count > 1 ? n->place.more : &n->place.only;
}

static inline uint64_t node_seq(const struct node *n)
{
    return n->has_seq ? n->number : 0;
}

struct episode {
    uint8_t id[ALERT_ID_SIZE];
    int64_t hit_us; /* time of the first hit */
    int64_t first_us, last_us;
    uint64_t count, vehicles;
    nano peak;
    struct hash128 start; /* the identity of the first member, the same in every process */
    uint32_t revision;
    bool late;
    bool closed;
};

struct large {
    struct window window;  /* when live: as it stands behind the last settled entry */
    struct tally vehicles; /* when live: those of the last episode's members */
    struct entry last;     /* when live: the last entry that the window has seen */
    size_t settled;        /* when live: entries that the window has seen, or that are too old for it */
    size_t member_end;     /* when live: behind the last entry that was looked at as a member of the last episode */
    uint32_t scan_cost;    /* entries that the last recomputation looked at */
    uint32_t scan_call;    /* number of the settling call that did it */
    bool live;
};

struct group {
    uint32_t refs;          /* places that name the group; see pages.h for free groups */
    uint32_t corr;          /* GROUP_NONE: free */
    const struct name *key; /* the encoded group-by values; refers to it */
    struct entry *entry;
    struct episode *episode;
    struct large *large; /* NULL: small */
    uint32_t count, room;
    uint32_t sorted; /* entries before this are in order, the rest is new */
    uint32_t episode_count;
    uint32_t queue_at : 31;   /* place in its correlation's queue + 1 */
    uint32_t holes : 1;       /* some entries are taken out */
    uint32_t closing_at : 31; /* place in engine.closing + 1; 0: no episode is open */
    uint32_t touched : 1;     /* entries that were settled have changed, or others stand before them */
};

_Static_assert(sizeof(struct group) <= 64, "a group is one cache line");
_Static_assert(sizeof(struct node) <= 72, "an event is 72 bytes");
_Static_assert(sizeof(struct entry) <= 32, "an entry is half a cache line");

/* A group to recompute. What came behind all that was settled needs no stretch when the group is live. */
struct queued {
    uint32_t group;
    uint32_t inserted;    /* entries added within the stretch */
    int64_t lo_us, hi_us; /* stretch that changed; lo > hi: none */
};

struct corr_state {
    struct queued *queue;
    uint32_t queue_count, queue_room;
    bool backfill;
    bool alerts_changed; /* the other plan said otherwise whether its hits are alerts; cleared at once */
    uint64_t refused_groups, refused_names; /* since engine_limits_take */
};

struct vehicle {
    uint32_t events;  /* kept */
    uint32_t value;   /* its encoded name in engine.names, which it refers to; NAME_NONE when not known yet */
    uint32_t stamp;   /* last episode that counted it */
    uint32_t refused; /* since engine_limits_take; when not 0, it is listed and its name referred to */
    uint32_t group;   /* the one by its name that it came to last; may be gone or another's by now */
};

/* An identity without a node: no rule looked at the event, a limit turned it away, or it is forgotten but copies of it
 * may come. */
struct ghost {
    struct hash128 key;
    uint64_t content_hi;
    uint32_t minute; /* last time, for expiry; 0 = free */
};

#define ITEM_GHOST 0x40000000u /* identity table: number of a ghost, else of a node */

/* When a group is to be looked at for episodes to close. */
struct closing {
    int64_t at_us;
    uint32_t group;
};

struct engine {
    const struct plan *plan;
    struct engine_limits limits;
    struct engine_counters counters;
    uint32_t *corr_of; /* by rule number: its place in plan.corr, GROUP_NONE */
    struct corr_state *corr;
    struct names vehicles;
    struct vehicle *vehicle; /* by number of the name */
    uint32_t vehicle_room;
    uint32_t vehicle_last; /* of the event before, which mostly is that of the next one; NAME_NONE */
    struct names names;    /* encoded group-by values and values of value_count */
    struct pages nodes, groups, points, ghosts;
    struct slab entries; /* arrays of entries of small groups */
    struct slots group_slots, identity_slots;
    struct closing *closing; /* binary heap */
    uint32_t closing_count, closing_room;
    uint32_t *refused_vehicle; /* listed by engine_limits_take */
    uint32_t refused_vehicle_count, refused_vehicle_room;
    uint64_t refused_events; /* since engine_limits_take */
    uint32_t expire_at;      /* group that the next call begins with */
    uint32_t expire_ghost;   /* ghost that the next call begins with */
    uint32_t calls;          /* settling calls so far */
    uint32_t stamp_now;
    bool backfill; /* some correlation needs one */
    struct window window;
    struct entry *merge; /* scratch of sorting */
    size_t merge_room;
    struct episode *fresh; /* scratch of recomputation */
    uint32_t fresh_count, fresh_room;
};

static inline const struct rule *engine_rule(const struct engine *e, uint32_t corr)
{
    return e->plan->rule[e->plan->corr[corr]];
}

static inline struct node *engine_node(const struct engine *e, uint32_t number)
{
    return pages_at(&e->nodes, number, sizeof(struct node));
}

static inline struct group *engine_group_at(const struct engine *e, uint32_t number)
{
    return pages_at(&e->groups, number, sizeof(struct group));
}

static inline struct slice engine_group_value(const struct engine *e, const struct group *g, unsigned n)
{
    (void)e;
    return group_value(name_text(g->key), n);
}

/* engine.c */
void engine_number_rules(struct engine *e);

/* engine_entries.c */
int engine_compare(const struct engine *e, const struct entry *a, const struct entry *b);
/* Queues a group because of a change at a time. `added`: an entry came there, nothing else changed. */
void engine_mark(struct engine *e, uint32_t group, int64_t time_us, bool added);
/* What the entry of a part says, 0 when there is none. */
uint64_t engine_mask_of(struct engine *e, uint32_t node, const struct node_place *p, bool second);
/* Gives one part of an event a new mask in a group; the entry comes into being and goes with it. */
void engine_mask(struct engine *e, uint32_t node, struct node_place *p, bool second, uint64_t mask);
/* The entry of a part, NULL when there is none. */
struct entry *engine_entry(struct engine *e, uint32_t node, const struct node_place *p, bool second);
/* An entry behind the others, without a mark. */
struct entry *engine_append(struct engine *e, struct group *g);
/* Makes the array of entries that long; at least as many as there are. */
void engine_entries_room(struct engine *e, struct group *g, uint32_t room);
/* What an entry of this part says, but for its mask. */
struct entry engine_like(const struct engine *e, uint32_t node, const struct node_place *p, bool second);
/* Closes holes and sorts what is new into place. */
void engine_tidy(struct engine *e, struct group *g);
/* First entry at or after a time. */
size_t engine_lower(const struct group *g, int64_t time_us);
/* Whether a recomputation can go on from where the last one stopped. */
static inline bool group_live(const struct group *g)
{
    return g->large != NULL && g->large->live && !g->touched;
}

/* engine_groups.c */
/* The group of a place, new if need be, with one more reference; GROUP_NONE when a limit turned it away. */
uint32_t engine_group(struct engine *e, uint32_t corr, struct slice key, uint32_t vehicle);
uint32_t engine_group_find(const struct engine *e, uint32_t corr, struct slice key);
/* What the table of groups is asked with. */
uint32_t engine_group_tag(const struct engine *e, uint32_t corr, struct slice key);
/* A new group with a key that has a name; GROUP_NONE when there is one already. */
uint32_t engine_group_load(struct engine *e, uint32_t corr, uint32_t name);
/* Takes one reference back; a group that nothing refers to and that shows nothing is freed. */
void engine_group_release(struct engine *e, uint32_t group);
void engine_group_check(struct engine *e, uint32_t group);
/* Enters all groups into a new table, after correlations were numbered anew. */
void engine_groups_rehash(struct engine *e);
void engine_large_free(struct group *g);
void engine_unqueue(struct engine *e, struct group *g);

/* engine_nodes.c */
/* A node for the event, without places; NODE_NONE when a limit turned it away. */
uint32_t engine_node_new(struct engine *e, const struct sighting *s);
/* Keeps a new event if it has a place and limits allow, and its identity in any case. */
void engine_keep(struct engine *e, const struct sighting *s);
/* Enters a node into groups. */
void engine_node_enter(struct engine *e, uint32_t node, const struct place *place, uint32_t count);
/* Makes room for places that the caller fills in. */
struct node_place *engine_places_add(struct node *n, uint32_t count);
void engine_node_free(struct engine *e, uint32_t node);
/* Gives back what a place's value is kept in. */
void engine_value_release(struct engine *e, const struct node_place *p);
uint32_t engine_vehicle(struct engine *e, struct slice vehicle);
void engine_vehicle_release(struct engine *e, uint32_t vehicle);
void engine_vehicle_room(struct engine *e);

/* engine_identity.c */
/* The node of an event that is there, or a ghost (| ITEM_GHOST); NODE_NONE when it is new. */
uint32_t engine_identity_find(const struct engine *e, const struct sighting *s);
void engine_identity_add_node(struct engine *e, uint32_t node);
void engine_identity_add_ghost(struct engine *e, const struct ghost *gh);
void engine_identity_remove_node(struct engine *e, uint32_t node);
void engine_identity_remove_ghost(struct engine *e, uint32_t ghost);
struct ghost *engine_ghost(const struct engine *e, uint32_t number);
/* What the table of identities is asked with. */
uint32_t engine_identity_tag(const struct engine *e, struct hash128 key);
uint32_t engine_minute(int64_t time_us);
/* The identity of a node, as the sighter makes it. */
struct hash128 engine_identity_of(const struct engine *e, const struct node *n);

/* engine_episodes.c */
void engine_recompute(struct engine *e, struct queued q, engine_emit *emit, void *ctx);
/* Whether late entries are so old that what a live group carries on is out of their reach. */
bool engine_apart(const struct engine *e, const struct group *g, const struct queued *q);
/* A hit of a correlation is an entry in the correlations that refer to it. */
void engine_tell_parents(struct engine *e, uint32_t corr, uint32_t node, bool second, bool hit);
void engine_fresh_add(struct engine *e, const struct episode *ep);
/* Gives the fresh episodes, whose members are counted, ids and revisions by the old episodes [a, b); reports what
 * changed, and puts them in the place of those. */
void engine_take_over(struct engine *e, uint32_t group, uint32_t a, uint32_t b, engine_emit *emit, void *ctx);
/* The identity of the first member of an episode. */
struct hash128 engine_start_of(const struct engine *e, const struct entry *x);

/* Makes the fresh episodes those of the group. */
void engine_episodes_set(struct engine *e, uint32_t group);

/* engine_live.c */
/* Goes on from where the last recomputation stopped. */
void engine_live_append(struct engine *e, uint32_t group, engine_emit *emit, void *ctx);
/* Keeps the engine's window for the next time when it has just gone through entries [from, to) up to the group's end,
 * and the group is large. Empties it otherwise. */
void engine_live_keep(struct engine *e, struct group *g, size_t from, size_t to);
/* Entries have been inserted before, or (negative) taken from, what is carried on. */
void engine_live_shift(struct group *g, ptrdiff_t count);
/* What is carried on is of no use any more. */
void engine_live_drop(struct engine *e, struct group *g);

/* engine_alerts.c */
/* Hands out one episode as an alert. `gone` are ids that it supersedes. */
void engine_show(const struct engine *e, const struct group *g, const struct episode *ep, enum alert_state state,
                 const struct episode *const *gone, uint32_t gone_count, engine_emit *emit, void *ctx);

/* engine_closing.c */
/* Closes, and says so, every episode that nothing in time can extend any more. */
void engine_close(struct engine *e, int64_t now_us, engine_emit *emit, void *ctx);
/* Notes that an episode of the group may have to be closed after this time. */
void engine_closing_add(struct engine *e, uint32_t group, int64_t at_us);
/* When nothing can extend an episode any more. */
int64_t engine_closing_us(const struct engine *e, const struct group *g, const struct episode *ep);
/* Takes a group that is freed out of the list. */
void engine_closing_remove(struct engine *e, uint32_t group);

/* engine_limits.c */
void engine_refuse_vehicle(struct engine *e, uint32_t vehicle);

/* engine_rebind.c */
/* The rule of a plan with this label and meaning, as its place among those that are counted; GROUP_NONE. */
uint32_t engine_same_rule(const struct plan *p, struct slice label, const uint8_t meaning[RULE_HASH_SIZE]);
/* Brings groups in line of rules that alert now and did not, or the other way round. */
void engine_alerting_changed(struct engine *e, engine_emit *emit, void *ctx);
/* Forgets an event that no group holds any more; copies of it are still known. */
void engine_node_check(struct engine *e, uint32_t node);

/* engine_backfill.c */
/* Notes whether some rule needs one. */
void engine_backfill_note(struct engine *e);

#endif
