#include "app/member_facts.h"

#include <stdlib.h>

#include "detect/sigma/hash.h"

#define ROOM_FIRST     4096u
#define OFFSET_BITS    36
#define PARTITION_BITS 8
#define NO_COMBINATION (MEMBER_COMBINATIONS_MAX + 1) /* the place in the log alone is known */

_Static_assert(sizeof(struct member_combination) == 4 * MEMBER_FACT_TEXTS + 4, "its bytes are hashed and compared");

void member_facts_init(struct member_facts *m)
{
    memset(m, 0, sizeof *m);
    intern_init(&m->texts, 1);
    memset(m->last, 0xFF, sizeof m->last); /* INTERN_NONE */
}

void member_facts_done(struct member_facts *m)
{
    free(m->combination);
    free(m->slot);
    intern_done(&m->texts);
}

/* ---- combinations */

static uint32_t place_of(const struct member_facts *m, const struct member_combination *c)
{
    uint32_t mask = m->room * 2 - 1;
    uint32_t at = (uint32_t)hash_bytes(slice_make(c, sizeof *c), 7) & mask;

    while (m->slot[at] != 0 && memcmp(&m->combination[m->slot[at] - 1], c, sizeof *c) != 0)
        at = (at + 1) & mask;
    return at;
}

static bool grow(struct member_facts *m)
{
    uint32_t room = m->room == 0 ? ROOM_FIRST : m->room * 2;
    struct member_combination *more = realloc(m->combination, room * sizeof *more);

    if (more == NULL)
        return false;
    m->combination = more;
    uint32_t *slot = calloc((size_t)room * 2, sizeof *slot);
    if (slot == NULL)
        return false;
    free(m->slot);
    m->slot = slot;
    m->room = room;
    for (uint32_t i = 0; i < m->count; i++)
        m->slot[place_of(m, &m->combination[i])] = i + 1;
    return true;
}

/* The number of a combination, new if need be; NO_COMBINATION when there is no room. */
static uint32_t number_of_combination(struct member_facts *m, const struct member_combination *c)
{
    if (m->room == 0 && !grow(m))
        return NO_COMBINATION;
    uint32_t at = place_of(m, c);
    if (m->slot[at] != 0)
        return m->slot[at] - 1;
    if (m->count == MEMBER_COMBINATIONS_MAX || (m->count == m->room && !grow(m)))
        return NO_COMBINATION;
    m->combination[m->count] = *c;
    m->slot[place_of(m, c)] = ++m->count;
    return m->count - 1;
}

/* ---- the combination of an event */

/* A position report says whether the vehicle moves; other events do not know. */
static uint8_t motion_of(const struct event *ev)
{
    const struct ev_field *speed = event_get(ev, EV_F_SPEED);

    if (speed == NULL)
        return ALERT_MOTION_UNKNOWN;
    return speed->value.i > 0 ? ALERT_MOTION_MOVING : ALERT_MOTION_PARKED;
}

/* True when the text is another one than the type's event before had. */
static bool turn_to(struct member_facts *m, uint32_t *last, struct slice text)
{
    if (*last != INTERN_NONE && slice_equal(intern_text(&m->texts, *last), text))
        return false;
    *last = intern_add(&m->texts, text);
    return true;
}

/* The signature of a type without subject and detail is always the same. */
static bool turn_to_signature(struct member_facts *m, const struct ev_type_info *type, uint32_t *last,
                              const struct event *ev)
{
    char text[EV_SIGNATURE_MAX];
    struct writer w;

    if (*last != INTERN_NONE && type->signature_subject == EV_F_NONE && type->signature_detail == EV_F_NONE)
        return false;
    writer_init(&w, text, sizeof text);
    event_signature(ev, &w);
    return turn_to(m, last, writer_slice(&w));
}

uint64_t member_facts_tag(struct member_facts *m, const struct event *ev, const struct normalised *no)
{
    const struct ev_type_info *type = ev_type_find(ev->type);
    size_t at = (size_t)(type - ev_type_at(0));
    struct member_combination *last = &m->last[at];
    uint8_t motion = motion_of(ev);
    bool other = m->last_number[at] == 0 || last->motion != motion;

    if (no->partition >= MEMBER_PARTITIONS_MAX || no->offset >= MEMBER_OFFSET_MAX) {
        m->left_out_count++;
        return MEMBER_TAG_NONE;
    }
    other |= turn_to_signature(m, type, &last->text[FACT_SIGNATURE], ev);
    other |= turn_to(m, &last->text[FACT_ECU], ev->ecu);
    other |= turn_to(m, &last->text[FACT_BUS], ev->bus);
    other |= turn_to(m, &last->text[FACT_MODEL], no->model);
    other |= turn_to(m, &last->text[FACT_HARDWARE], no->hardware);
    other |= turn_to(m, &last->text[FACT_SW_VERSION], no->sw_version);
    other |= turn_to(m, &last->text[FACT_REGION], no->region);
    if (other) {
        last->type = ev->type;
        last->motion = motion;
        last->spare = 0;
        m->last_number[at] = number_of_combination(m, last) + 1;
    }
    uint64_t number = m->last_number[at] - 1;
    m->left_out_count += number == NO_COMBINATION;
    return number << (PARTITION_BITS + OFFSET_BITS) | (uint64_t)no->partition << OFFSET_BITS | no->offset;
}

static struct slice text_of(const struct member_facts *m, uint32_t number)
{
    return number >= m->texts.count ? slice_make(NULL, 0) : intern_text(&m->texts, number);
}

void member_facts_fill(const struct member_facts *m, uint64_t tag, struct alert_member *ret)
{
    uint64_t number = tag >> (PARTITION_BITS + OFFSET_BITS);

    if (tag == MEMBER_TAG_NONE)
        return;
    ret->log_partition = (uint32_t)(tag >> OFFSET_BITS) & (MEMBER_PARTITIONS_MAX - 1);
    ret->log_offset = tag & (MEMBER_OFFSET_MAX - 1);
    if (number >= m->count)
        return;
    const struct member_combination *c = &m->combination[number];
    const struct ev_type_info *type = ev_type_find(c->type);
    ret->motion = c->motion;
    ret->type = slice_str(type != NULL ? type->name : "");
    ret->signature = text_of(m, c->text[FACT_SIGNATURE]);
    ret->ecu = text_of(m, c->text[FACT_ECU]);
    ret->bus = text_of(m, c->text[FACT_BUS]);
    ret->model = text_of(m, c->text[FACT_MODEL]);
    ret->hardware = text_of(m, c->text[FACT_HARDWARE]);
    ret->sw_version = text_of(m, c->text[FACT_SW_VERSION]);
    ret->region = text_of(m, c->text[FACT_REGION]);
}

/* ---- snapshot: count of texts, each text; count of combinations, each with its texts' numbers, type, motion */

void member_facts_save(const struct member_facts *m, struct snapshot_writer *w)
{
    snapshot_put_u64(w, m->texts.count);
    for (uint32_t i = 0; i < m->texts.count; i++)
        snapshot_put_bytes(w, intern_text(&m->texts, i));
    snapshot_put_u64(w, m->count);
    for (uint32_t i = 0; i < m->count; i++) {
        for (unsigned t = 0; t < MEMBER_FACT_TEXTS; t++)
            snapshot_put_u32(w, m->combination[i].text[t]);
        snapshot_put_u32(w, m->combination[i].type);
        snapshot_put_u8(w, m->combination[i].motion);
    }
    snapshot_put_u64(w, m->left_out_count);
}

/* Texts and combinations get the numbers that they had, or the file is not what was saved. */
enum vs_err member_facts_load(struct member_facts *m, struct snapshot_in *in)
{
    uint64_t texts = snapshot_get_count(in, 4);

    for (uint64_t i = 0; i < texts; i++)
        if (intern_add(&m->texts, snapshot_get_bytes(in)) != i)
            return VS_ERR_MALFORMED;
    uint64_t count = snapshot_get_count(in, 4 * MEMBER_FACT_TEXTS + 5);
    for (uint64_t i = 0; i < count; i++) {
        struct member_combination c = {.spare = 0};

        for (unsigned t = 0; t < MEMBER_FACT_TEXTS; t++)
            c.text[t] = snapshot_get_u32(in);
        c.type = (uint16_t)snapshot_get_u32(in);
        c.motion = snapshot_get_u8(in);
        if (snapshot_in_failed(in) || number_of_combination(m, &c) != i)
            return VS_ERR_MALFORMED;
    }
    m->left_out_count = snapshot_get_u64(in);
    return snapshot_in_failed(in) ? VS_ERR_MALFORMED : VS_OK;
}
