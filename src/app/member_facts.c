#include "app/member_facts.h"

#include <stdlib.h>

#define ROOM_FIRST 4096u

struct member_fact {
    uint64_t offset;
    uint32_t partition;
    uint32_t signature, ecu, bus, model, hardware, sw_version, region; /* numbers in texts */
    uint16_t type;
    uint8_t motion;
};

void member_facts_init(struct member_facts *m)
{
    memset(m, 0, sizeof *m);
    intern_init(&m->texts, 1);
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

uint64_t member_facts_add(struct member_facts *m, const struct event *ev, const struct normalised *en, struct slice signature)
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
    f->offset = en->offset;
    f->partition = en->partition;
    f->signature = intern_add(&m->texts, signature);
    f->ecu = intern_add(&m->texts, ev->ecu);
    f->bus = intern_add(&m->texts, ev->bus);
    f->model = intern_add(&m->texts, en->model);
    f->hardware = intern_add(&m->texts, en->hardware);
    f->sw_version = intern_add(&m->texts, en->sw_version);
    f->region = intern_add(&m->texts, en->region);
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
    ret->signature = text_of(m, f->signature);
    ret->ecu = text_of(m, f->ecu);
    ret->bus = text_of(m, f->bus);
    ret->model = text_of(m, f->model);
    ret->hardware = text_of(m, f->hardware);
    ret->sw_version = text_of(m, f->sw_version);
    ret->region = text_of(m, f->region);
}
