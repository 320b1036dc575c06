#include "detect/intel/intel_index.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/writer.h"
#include "detect/intel/intel_anchor.h"
#include "detect/intel/intel_table.h"
#include "detect/intel/observe.h"
#include "detect/intel/stix_eval.h"
#include "detect/intel/stix_literal.h"

#define NONE         UINT32_MAX
#define BITS_COUNT   129
#define CLASS_BIT(c) (UINT32_C(1) << (c))
/* Numbers of keys that are host names: the name itself, or what it ends in. */
enum { HOST_WHOLE, HOST_SUFFIX };

/* One observation of an indicator's pattern. */
struct entry {
    uint32_t number;
    uint32_t next;    /* entry of the same indicator */
    uint32_t pattern; /* kept tree, NONE when an anchor says all */
    uint32_t node;
    int64_t from_us, until_us;
    bool dead;
};

struct type_row {
    uint32_t classes; /* CLASS_BITs that its fields can show */
    bool signature;   /* some filed signature can be of this type */
    uint32_t *scan;   /* entries to test on every event of the type */
    uint32_t scan_count, scan_room;
};

struct intel_index {
    struct intel_check *check;
    struct intel_table table;
    struct entry *entry;
    uint32_t *first; /* by number */
    struct stix_pattern *pattern;
    uint32_t entry_count, entry_room, number_room, pattern_count, pattern_room;
    uint32_t present; /* CLASS_BITs of what is filed */
    uint32_t bits_filed[BITS_COUNT];
    uint8_t bits[BITS_COUNT]; /* the lengths that occur, longest first */
    unsigned bits_count;
    bool suffixes;
    uint8_t class_of[256];
    struct type_row type[EV_TYPE_COUNT];
    struct stix_tree tree;
    struct stix_observation seen;
    struct intel_stats stats;
};

struct intel_check {
    struct stix_pattern pattern;
    struct intel_anchors anchors;
};

enum vs_err intel_check_new(struct intel_check **ret)
{
    *ret = calloc(1, sizeof **ret);
    if (*ret == NULL)
        return VS_ERR_NO_MEMORY;
    stix_pattern_init(&(*ret)->pattern);
    return VS_OK;
}

void intel_check_free(struct intel_check *c)
{
    if (c != NULL)
        stix_pattern_done(&c->pattern);
    free(c);
}

enum vs_err intel_check_pattern(struct intel_check *c, struct slice pattern, struct stix_fault *ret_fault)
{
    enum vs_err err = stix_pattern_parse(&c->pattern, pattern, ret_fault);

    return err == VS_OK ? intel_anchor_prepare(&c->pattern, ret_fault) : err;
}

enum vs_err intel_index_new(struct intel_index **ret)
{
    struct intel_index *x = calloc(1, sizeof *x);

    if (x == NULL || intel_check_new(&x->check) != VS_OK) {
        free(x);
        return VS_ERR_NO_MEMORY;
    }
    intel_table_init(&x->table);
    stix_tree_init(&x->tree);
    for (unsigned i = 0; i < 256; i++) {
        enum observe_class class = observe_class_of((uint8_t)i);
        x->class_of[i] = (uint8_t) class;
    }
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
        const struct ev_type_info *type = ev_type_at(i);
        for (uint8_t k = 0; k < type->field_count; k++)
            x->type[i].classes |= CLASS_BIT(x->class_of[type->field[k]]);
        if ((x->type[i].classes & CLASS_BIT(OBSERVE_URL)) != 0)
            x->type[i].classes |= CLASS_BIT(OBSERVE_DOMAIN);
        x->type[i].classes &= ~CLASS_BIT(OBSERVE_NONE);
    }
    *ret = x;
    return VS_OK;
}

void intel_index_free(struct intel_index *x)
{
    if (x == NULL)
        return;
    for (uint32_t i = 0; i < x->pattern_count; i++)
        stix_pattern_done(&x->pattern[i]);
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        free(x->type[i].scan);
    intel_check_free(x->check);
    intel_table_done(&x->table);
    stix_tree_done(&x->tree);
    free(x->entry);
    free(x->first);
    free(x->pattern);
    free(x);
}

/* ---- filing */

static bool number_room(struct intel_index *x, uint32_t number)
{
    uint32_t room = x->number_room == 0 ? 1024 : x->number_room;

    while (room <= number)
        room *= 2;
    if (room == x->number_room)
        return true;
    uint32_t *grown = realloc(x->first, room * sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + x->number_room, 0xFF, (room - x->number_room) * sizeof *grown);
    x->first = grown;
    x->number_room = room;
    return true;
}

static void note_bits(struct intel_index *x, uint8_t bits)
{
    if (x->bits_filed[bits]++ > 0)
        return;
    x->bits_count = 0;
    for (unsigned i = BITS_COUNT; i-- > 0;)
        if (x->bits_filed[i] > 0)
            x->bits[x->bits_count++] = (uint8_t)i;
}

/* A signature begins with its type's label, so only that type's events are asked for theirs. */
static void note_signature(struct intel_index *x, struct slice key)
{
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
        struct slice label = slice_str(ev_type_at(i)->signature_label);
        if (slice_starts(key, label) && key.len > label.len && key.ptr[label.len] == '|')
            x->type[i].signature = true;
    }
}

static enum vs_err scan_type(struct intel_index *x, uint32_t type, uint32_t entry)
{
    struct type_row *t = &x->type[type];

    if (!stix_room((void **)&t->scan, t->scan_count, &t->scan_room, sizeof *t->scan))
        return VS_ERR_NO_MEMORY;
    t->scan[t->scan_count++] = entry;
    return VS_OK;
}

static enum vs_err file_anchor(struct intel_index *x, const struct intel_anchor *a, uint32_t entry)
{
    struct slice id = slice_make(&a->can_id, sizeof a->can_id);
    struct slice bytes = slice_make(a->block.byte, sizeof a->block.byte);
    enum vs_err err;

    x->stats.anchors++;
    if (a->kind == ANCHOR_TYPE)
        return scan_type(x, a->type, entry);
    if (a->kind == ANCHOR_BLOCK)
        err = intel_table_add(&x->table, a->class, a->block.bits, bytes, entry);
    else if (a->class == OBSERVE_CAN_ID)
        err = intel_table_add(&x->table, a->class, 0, id, entry);
    else
        err = intel_table_add(&x->table, a->class, a->kind == ANCHOR_SUFFIX ? HOST_SUFFIX : HOST_WHOLE, a->key, entry);
    if (err != VS_OK)
        return err;
    x->present |= CLASS_BIT(a->class);
    x->suffixes = x->suffixes || a->kind == ANCHOR_SUFFIX;
    if (a->kind == ANCHOR_BLOCK)
        note_bits(x, a->block.bits);
    if (a->class == OBSERVE_SIGNATURE)
        note_signature(x, a->key);
    return VS_OK;
}

static enum vs_err file_by_type(struct intel_index *x, const struct stix_pattern *p, uint32_t node, uint32_t entry)
{
    enum vs_err err = VS_OK;

    for (unsigned i = 0; err == VS_OK && i < EV_TYPE_COUNT; i++)
        if (intel_anchor_type(p, node, ev_type_at(i)))
            err = scan_type(x, i, entry);
    return err;
}

/* One [..] with the windows that START..STOP around it leave. */
struct filing {
    struct intel_index *x;
    const struct stix_pattern *p;
    struct stix_fault *fault;
    uint32_t number;
    uint32_t pattern; /* where the tree will be kept */
    bool keep;
};

static enum vs_err limit(struct filing *f, const char *text)
{
    f->fault->position = 0;
    snprintf(f->fault->text, sizeof f->fault->text, "%s", text);
    return VS_ERR_LIMIT;
}

static enum vs_err file_observation(struct filing *f, uint32_t node, int64_t from_us, int64_t until_us)
{
    struct intel_index *x = f->x;
    struct intel_anchors *a = &x->check->anchors;
    enum vs_err err = intel_anchor_find(f->p, node, a);
    bool types = a->found && a->count > 0 && a->anchor[0].kind == ANCHOR_TYPE;

    if (err != VS_OK)
        return limit(f, "too many values in one observation (4096)");
    if (!a->found && x->stats.scanned == INTEL_SCANNED_MAX)
        return limit(f, "names no exact value to be looked up by, and the table has 256 such patterns already");
    if (!stix_room((void **)&x->entry, x->entry_count, &x->entry_room, sizeof *x->entry))
        return VS_ERR_NO_MEMORY;
    uint32_t entry = x->entry_count++;
    bool whole = a->exact && !types;
    x->entry[entry] = (struct entry){.number = f->number,
                                     .next = x->first[f->number],
                                     .pattern = whole ? NONE : f->pattern,
                                     .node = node,
                                     .from_us = from_us,
                                     .until_us = until_us};
    x->first[f->number] = entry;
    f->keep = f->keep || !whole;
    if (!a->found) {
        x->stats.scanned++;
        return file_by_type(x, f->p, node, entry);
    }
    for (uint32_t i = 0; err == VS_OK && i < a->count; i++)
        err = file_anchor(x, &a->anchor[i], entry);
    return err;
}

/* As deep as the tree; the qualifiers that one event can meet only narrow the time. */
static enum vs_err file_node(struct filing *f, uint32_t at, int64_t from_us, int64_t until_us)
{
    const struct stix_node *n = &f->p->node[at];

    if (n->kind == STIX_OBSERVATION)
        return file_observation(f, at, from_us, until_us);
    if (n->kind == STIX_START_STOP) {
        from_us = n->from_us > from_us ? n->from_us : from_us;
        until_us = n->to_us < until_us ? n->to_us : until_us;
    }
    enum vs_err err = file_node(f, n->a, from_us, until_us);
    return err == VS_OK && n->kind == STIX_OBSERVED_OR ? file_node(f, n->b, from_us, until_us) : err;
}

enum vs_err intel_index_add(struct intel_index *x, uint32_t number, struct slice pattern, int64_t from_us,
                            int64_t until_us, struct stix_fault *ret_fault)
{
    struct filing f = {
        .x = x, .p = &x->check->pattern, .fault = ret_fault, .number = number, .pattern = x->pattern_count};
    enum vs_err err = intel_check_pattern(x->check, pattern, ret_fault);

    if (err != VS_OK)
        return err;
    if (number >= INTEL_INDICATORS_MAX)
        return limit(&f, "more than 10,000,000 indicators");
    if (!number_room(x, number) ||
        !stix_room((void **)&x->pattern, x->pattern_count, &x->pattern_room, sizeof *x->pattern))
        return VS_ERR_NO_MEMORY;
    err = file_node(&f, f.p->root, from_us, until_us);
    if (f.keep) { /* the tree moves out of the parser, which starts over with an empty one */
        x->pattern[x->pattern_count++] = x->check->pattern;
        stix_pattern_init(&x->check->pattern);
    }
    if (err != VS_OK)
        intel_index_remove(x, number);
    else
        x->stats.indicators++;
    return err;
}

void intel_index_remove(struct intel_index *x, uint32_t number)
{
    bool any = false;

    if (number >= x->number_room)
        return;
    for (uint32_t i = x->first[number]; i != NONE; i = x->entry[i].next) {
        x->entry[i].dead = true;
        any = true;
    }
    x->first[number] = NONE;
    if (any && x->stats.indicators > 0)
        x->stats.indicators--;
}

/* ---- matching */

struct matching {
    struct intel_index *x;
    const struct event *ev;
    struct intel_hit *hit;
    unsigned count;
    bool observed;
};

static void add_hit(struct matching *m, const struct entry *e, bool first, bool last)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->hit[i].number == e->number) {
            m->hit[i].first = m->hit[i].first || first;
            m->hit[i].last = m->hit[i].last || last;
            return;
        }
    if (m->count == INTEL_HITS_MAX) {
        m->x->stats.hits_left_out++;
        return;
    }
    m->hit[m->count++] = (struct intel_hit){e->number, first, last};
}

static bool holds(struct matching *m, const struct entry *e)
{
    uint32_t work = STIX_WORK_MAX / 16;

    if (e->pattern == NONE)
        return true;
    if (!m->observed)
        observe_event(m->ev, &m->x->tree, &m->x->seen);
    m->observed = true;
    m->x->stats.tested++;
    enum stix_answer answer =
        stix_eval_observation(&m->x->pattern[e->pattern], e->node, &m->x->tree, &m->x->seen, &work);
    m->x->stats.undecided += answer == STIX_UNDECIDED;
    return answer == STIX_YES;
}

static void consider(struct matching *m, uint32_t at)
{
    const struct entry *e = &m->x->entry[at];
    bool first = m->ev->first_us >= e->from_us && m->ev->first_us < e->until_us;
    bool last = m->ev->last_us >= e->from_us && m->ev->last_us < e->until_us;

    if (!e->dead && (first || last) && holds(m, e))
        add_hit(m, e, first, last);
}

static void look_up(struct matching *m, uint8_t class, uint8_t number, struct slice key)
{
    const struct intel_table *t = &m->x->table;

    m->x->stats.looked_up++;
    for (uint32_t l = intel_table_find(t, class, number, key); l != INTEL_LINK_NONE; l = intel_table_next(t, l))
        consider(m, intel_table_entry(t, l));
}

static void look_up_address(struct matching *m, struct slice text)
{
    struct address_block a;

    if (!address_read(text, &a))
        return;
    for (unsigned i = 0; i < m->x->bits_count; i++) { /* longest first, so the mask only ever shortens */
        if (a.v4 && m->x->bits[i] < 96)
            break; /* a block of IPv6 holds no IPv4 address */
        address_mask(a.byte, m->x->bits[i]);
        look_up(m, OBSERVE_ADDRESS, m->x->bits[i], slice_make(a.byte, sizeof a.byte));
    }
}

static void look_up_host(struct matching *m, struct slice name)
{
    uint8_t buf[OBSERVE_KEY_MAX];
    struct slice key;

    if (!observe_key(OBSERVE_DOMAIN, name, buf, &key))
        return;
    look_up(m, OBSERVE_DOMAIN, HOST_WHOLE, key);
    for (size_t i = 0; m->x->suffixes && i < key.len; i++)
        if (key.ptr[i] == '.')
            look_up(m, OBSERVE_DOMAIN, HOST_SUFFIX, slice_from(key, i));
}

static void look_up_field(struct matching *m, const struct ev_field *f, enum observe_class class, uint32_t want)
{
    uint8_t buf[OBSERVE_KEY_MAX];
    struct slice key = f->value.s;

    if (class == OBSERVE_CAN_ID) {
        uint32_t id = (uint32_t)f->value.u;
        look_up(m, OBSERVE_CAN_ID, 0, slice_make(&id, sizeof id));
        return;
    }
    if (class == OBSERVE_ADDRESS) {
        look_up_address(m, key);
        return;
    }
    if (class == OBSERVE_DOMAIN) {
        look_up_host(m, key);
        return;
    }
    if (class == OBSERVE_URL && (want & CLASS_BIT(OBSERVE_DOMAIN)) != 0)
        look_up_host(m, observe_host(key));
    if (class == OBSERVE_FILE_NAME)
        key = observe_file_name(key);
    if (observe_key(class, key, buf, &key))
        look_up(m, (uint8_t) class, HOST_WHOLE, key);
}

static void look_up_signature(struct matching *m)
{
    char text[EV_SIGNATURE_MAX];
    struct writer w;

    writer_init(&w, text, sizeof text);
    event_signature(m->ev, &w);
    look_up(m, OBSERVE_SIGNATURE, HOST_WHOLE, writer_slice(&w));
}

unsigned intel_index_match(struct intel_index *x, const struct event *ev, struct intel_hit *hit)
{
    const struct ev_type_info *info = ev_type_find(ev->type);
    const struct type_row *type = &x->type[info - ev_type_at(0)];
    uint32_t want = type->classes & x->present;

    if (want == 0 && !type->signature && type->scan_count == 0)
        return 0;
    struct matching m = {.x = x, .ev = ev, .hit = hit};
    for (uint8_t i = 0; want != 0 && i < ev->field_count; i++) {
        enum observe_class class = (enum observe_class)x->class_of[ev->field[i].id];
        bool host = class == OBSERVE_URL && (want & CLASS_BIT(OBSERVE_DOMAIN)) != 0;
        if ((want & CLASS_BIT(class)) != 0 || host)
            look_up_field(&m, &ev->field[i], class, want);
    }
    if (type->signature)
        look_up_signature(&m);
    for (uint32_t i = 0; i < type->scan_count; i++)
        consider(&m, type->scan[i]);
    return m.count;
}

void intel_index_stats(const struct intel_index *x, struct intel_stats *ret)
{
    *ret = x->stats;
}
