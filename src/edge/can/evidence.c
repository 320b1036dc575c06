/* evidence: from hits to findings.
 *
 * A hit is one detector saying "this is past my threshold". A finding is what leaves the vehicle. Between them:
 *  - Episode: hits of one subject (an identifier, a stranger, a bus) not more than EPISODE_GAP_MS apart are one
 * episode. Each detector speaks once when it joins the episode and then once in REPEAT_MS while it lasts, with the
 * count.
 *  - Budget of the subject: SUBJECT_TOKENS findings at once, one more per SUBJECT_REFILL_MS.
 *  - Budget of the detector, its share of the alarms: VIDS_DETECTOR_TOKENS at once, one more per DETECTOR_REFILL_MS; a
 * detector that a changed vehicle drives mad cannot bury the others. What is withheld is added to the `count` of the
 * next finding of the same subject, and counted in the counters. */
#include "edge/can/state.h"

#define EPISODE_GAP_MS     250
#define REPEAT_MS          1000
#define SUBJECT_TOKENS     16
#define SUBJECT_REFILL_MS  400
#define DETECTOR_REFILL_MS 20

static bool budget_take(struct vids *v, enum vids_detector d, uint32_t now_ms)
{
    struct vids_budget *b = &v->fixed->budget[d];
    uint32_t gained = (now_ms - b->refill_ms) / DETECTOR_REFILL_MS;

    if (gained > 0) {
        b->refill_ms += gained * DETECTOR_REFILL_MS;
        b->tokens = (uint16_t)(gained + b->tokens >= VIDS_DETECTOR_TOKENS ? VIDS_DETECTOR_TOKENS : b->tokens + gained);
    }
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

static void episode_refill(struct vids_episode *ep, uint32_t now_ms)
{
    uint32_t gained = (now_ms - ep->said_ms) / SUBJECT_REFILL_MS;

    if (!ep->used) {
        ep->used = true;
        ep->tokens = SUBJECT_TOKENS;
    } else if (gained > 0) {
        ep->tokens = (uint8_t)(gained + ep->tokens >= SUBJECT_TOKENS ? SUBJECT_TOKENS : ep->tokens + gained);
    }
}

/* True when the hit is to be told now. */
static bool episode_admits(struct vids *v, struct vids_episode *ep, enum vids_detector d)
{
    uint32_t now_ms = (uint32_t)((v->now_us - v->origin_us) / 1000);
    uint16_t bit = (uint16_t)(1u << d);

    if (now_ms - ep->hit_ms > EPISODE_GAP_MS)
        ep->active = 0;
    ep->hit_ms = now_ms;
    if ((ep->active & bit) != 0 && now_ms - ep->said_ms < REPEAT_MS)
        return false;
    episode_refill(ep, now_ms);
    if (ep->tokens == 0 || !budget_take(v, d, now_ms))
        return false;
    ep->tokens--;
    ep->active |= bit;
    ep->said_ms = now_ms;
    return true;
}

static struct vids_finding *finding_new(struct vids *v)
{
    if (v->found_count == v->found_max) {
        v->counters.findings_dropped++;
        return NULL;
    }
    v->counters.findings++;
    return &v->found[v->found_count++];
}

struct vids_finding *vids_raise(struct vids *v, struct vids_episode *ep, enum vids_detector d, uint16_t type,
                                uint32_t score_centi)
{
    v->counters.hits[d]++;
    if (!episode_admits(v, ep, d)) {
        v->counters.findings_withheld++;
        ep->withheld = (uint16_t)(ep->withheld + (ep->withheld < UINT16_MAX));
        return NULL;
    }
    struct vids_finding *f = finding_new(v);
    if (f == NULL)
        return NULL;
    memset(f, 0, offsetof(struct vids_finding, data));
    f->type = type;
    f->detector = (uint8_t)d;
    f->count = 1u + ep->withheld;
    f->score_centi = score_centi;
    f->frame = v->frame_index;
    f->raised_frame = v->frame_index;
    f->time_us = v->now_us;
    f->raised_us = v->now_us;
    ep->withheld = 0;
    return f;
}

struct vids_finding *vids_raise_id(struct vids *v, const struct vids_look *k, enum vids_detector d, uint16_t type,
                                   uint32_t score_centi)
{
    struct vids_finding *f = vids_raise(v, &k->st->episode, d, type, score_centi);

    if (f == NULL)
        return NULL;
    uint32_t key = model_u32(k->id + ID_AT_ID);
    f->has_id = true;
    f->can_id = key & CAN_FRAME_ID_EXT;
    f->extended = key >> 31 != 0;
    f->bus = vids_bus_name(v, k->bus);
    if (k->fr != NULL) {
        f->data_len = k->fr->len;
        memcpy(f->data, k->fr->data, k->fr->len);
    }
    return f;
}

/* Points a finding at an earlier frame, whose payload is no longer there. */
void vids_finding_frame(struct vids *v, struct vids_finding *f, uint32_t frame_low, uint32_t rel_us)
{
    uint32_t back = (uint32_t)v->frame_index - frame_low;

    if (back == 0)
        return;
    f->frame = v->frame_index - back;
    f->time_us = v->now_us - (int64_t)(vids_rel(v) - rel_us);
    f->data_len = 0;
}

static struct ev_field *field_new(struct vids_finding *f, enum ev_field_id id)
{
    struct ev_field *field = &f->field[f->field_count < VIDS_FIELDS_MAX ? f->field_count++ : VIDS_FIELDS_MAX - 1];

    field->id = (uint8_t)id;
    return field;
}

void vids_finding_uint(struct vids_finding *f, enum ev_field_id id, uint64_t value)
{
    field_new(f, id)->value.u = value;
}

void vids_finding_int(struct vids_finding *f, enum ev_field_id id, int64_t value)
{
    field_new(f, id)->value.i = value;
}

void vids_finding_text(struct vids_finding *f, enum ev_field_id id, struct slice text)
{
    field_new(f, id)->value.s = text;
}

struct slice vids_bus_name(const struct vids *v, uint32_t bus)
{
    const char *name;

    if (bus >= v->bus_count)
        return slice_make(NULL, 0);
    name = (const char *)(v->buses + (size_t)bus * MODEL_BUS_SIZE + BUS_AT_NAME);
    if (name[0] == '*' && name[1] == '\0')
        return v->frame_bus; /* a model without segments: as the frame says */
    size_t len = 0;
    while (len < MODEL_BUS_NAME && name[len] != '\0')
        len++;
    return slice_make(name, len);
}
