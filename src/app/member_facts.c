#include "app/member_facts.h"

#include <stdlib.h>

#define ROOM_FIRST 4096u

struct member_fact {
    uint64_t offset;
    uint32_t partition;
    uint32_t text[MEMBER_FACT_TEXTS]; /* numbers in texts */
    uint16_t type;
    uint8_t motion;
};

void member_facts_init(struct member_facts *m)
{
    memset(m, 0, sizeof *m);
    intern_init(&m->texts, 1);
    memset(m->last, 0xFF, sizeof m->last); /* INTERN_NONE */
}

void member_facts_done(struct member_facts *m)
{
    free(m->fact);
    intern_done(&m->texts);
}

/* A position report says whether the vehicle moves; other events do not know. */
static uint8_t motion_of(const struct event *ev)
{
    const struct ev_field *speed = event_get(ev, EV_F_SPEED);

    if (speed == NULL)
        return ALERT_MOTION_UNKNOWN;
    return speed->value.i > 0 ? ALERT_MOTION_MOVING : ALERT_MOTION_PARKED;
}

static uint32_t number_of(struct member_facts *m, uint32_t *last, struct slice text)
{
    if (*last == INTERN_NONE || !slice_equal(intern_text(&m->texts, *last), text))
        *last = intern_add(&m->texts, text);
    return *last;
}

/* The signature of a type without subject and detail is always the same. */
static uint32_t signature_of(struct member_facts *m, const struct ev_type_info *type, uint32_t *last,
                             const struct event *ev)
{
    char text[EV_SIGNATURE_MAX];
    struct writer w;

    if (*last != INTERN_NONE && type->signature_subject == EV_F_NONE && type->signature_detail == EV_F_NONE)
        return *last;
    writer_init(&w, text, sizeof text);
    event_signature(ev, &w);
    return number_of(m, last, writer_slice(&w));
}

uint64_t member_facts_add(struct member_facts *m, const struct event *ev, const struct normalised *en)
{
    if (m->count == m->room) {
        uint32_t room = m->room == 0 ? ROOM_FIRST : m->room * 2;
        struct member_fact *more = room <= MEMBER_FACTS_MAX ? realloc(m->fact, room * sizeof *more) : NULL;

        if (more == NULL) {
            m->left_out_count++;
            return MEMBER_TAG_NONE;
        }
        m->fact = more;
        m->room = room;
    }
    struct member_fact *f = &m->fact[m->count];
    const struct ev_type_info *type = ev_type_find(ev->type);
    uint32_t *last = m->last[type - ev_type_at(0)];
    f->offset = en->offset;
    f->partition = en->partition;
    f->text[FACT_SIGNATURE] = signature_of(m, type, &last[FACT_SIGNATURE], ev);
    f->text[FACT_ECU] = number_of(m, &last[FACT_ECU], ev->ecu);
    f->text[FACT_BUS] = number_of(m, &last[FACT_BUS], ev->bus);
    f->text[FACT_MODEL] = number_of(m, &last[FACT_MODEL], en->model);
    f->text[FACT_HARDWARE] = number_of(m, &last[FACT_HARDWARE], en->hardware);
    f->text[FACT_SW_VERSION] = number_of(m, &last[FACT_SW_VERSION], en->sw_version);
    f->text[FACT_REGION] = number_of(m, &last[FACT_REGION], en->region);
    f->type = ev->type;
    f->motion = motion_of(ev);
    return m->count++;
}

static struct slice text_of(const struct member_facts *m, uint32_t number)
{
    return number == INTERN_NONE ? slice_make(NULL, 0) : intern_text(&m->texts, number);
}

void member_facts_fill(const struct member_facts *m, uint64_t tag, struct alert_member *ret)
{
    if (tag >= m->count)
        return;
    const struct member_fact *f = &m->fact[tag];
    const struct ev_type_info *type = ev_type_find(f->type);
    ret->log_partition = f->partition;
    ret->log_offset = f->offset;
    ret->motion = f->motion;
    ret->type = slice_str(type != NULL ? type->name : "");
    ret->signature = text_of(m, f->text[FACT_SIGNATURE]);
    ret->ecu = text_of(m, f->text[FACT_ECU]);
    ret->bus = text_of(m, f->text[FACT_BUS]);
    ret->model = text_of(m, f->text[FACT_MODEL]);
    ret->hardware = text_of(m, f->text[FACT_HARDWARE]);
    ret->sw_version = text_of(m, f->text[FACT_SW_VERSION]);
    ret->region = text_of(m, f->text[FACT_REGION]);
}
