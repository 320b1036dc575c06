#include "detect/engine/sighting.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Rule `rule` is referred rule `ref` of correlation `corr`. */
struct sighter_use {
    uint32_t corr;
    uint8_t ref;
};

/* Lists, for every rule, where it is referred to. */
static void list_uses(struct sighter *s, const struct plan *p)
{
    uint32_t total = 0;

    s->use_first = mem_zalloc((size_t)p->rule_count + 2, sizeof *s->use_first);
    for (uint32_t c = 0; c < p->corr_count; c++) {
        const struct correlation *corr = p->rule[p->corr[c]]->corr;
        for (uint8_t i = 0; i < corr->ref_count; i++)
            s->use_first[corr->ref[i] + 2]++;
        total += corr->ref_count;
    }
    for (uint32_t r = 2; r < p->rule_count + 2; r++)
        s->use_first[r] += s->use_first[r - 1];
    s->use = mem_zalloc(total, sizeof *s->use);
    for (uint32_t c = 0; c < p->corr_count; c++) {
        const struct correlation *corr = p->rule[p->corr[c]]->corr;
        for (uint8_t i = 0; i < corr->ref_count; i++) {
            struct sighter_use *u = &s->use[s->use_first[corr->ref[i] + 1]++];
            u->corr = c;
            u->ref = i;
        }
    }
}

void sighter_init(struct sighter *s, const struct plan *plan)
{
    memset(s, 0, sizeof *s);
    matcher_init(&s->matcher, plan);
    s->horizon_us = HORIZON_US_DEFAULT;
    list_uses(s, plan);
}

void sighter_done(struct sighter *s)
{
    matcher_done(&s->matcher);
    free(s->use);
    free(s->use_first);
}

struct slice group_value(struct slice group, unsigned n)
{
    while (group.len >= 2) {
        size_t len = (size_t)group.ptr[0] << 8 | group.ptr[1];
        if (n-- == 0)
            return slice_make(group.ptr + 2, len);
        group = slice_from(group, 2 + len);
    }
    return slice_make("", 0);
}

/* Encodes values one behind the other: two bytes length, then the text. False when one is missing or it does not fit.
 */
static bool encode(struct record *r, const uint32_t *field, unsigned count, struct slice *ret)
{
    struct slice text[ALERT_GROUP_MAX];
    size_t len = 0;

    for (unsigned i = 0; i < count; i++) {
        struct val *v = record_get(r, field[i]);
        if (v == NULL || v->kind == VAL_NULL)
            return false;
        text[i] = val_canonical(v, &r->scratch);
        len += 2 + text[i].len;
    }
    if (len > GROUP_KEY_MAX)
        return false;
    uint8_t *out = arena_alloc(&r->scratch, len + 1);
    size_t n = 0;
    for (unsigned i = 0; i < count; i++) {
        out[n++] = (uint8_t)(text[i].len >> 8);
        out[n++] = (uint8_t)text[i].len;
        if (text[i].len > 0)
            memcpy(out + n, text[i].ptr, text[i].len);
        n += text[i].len;
    }
    *ret = slice_make(out, n);
    return true;
}

static bool read_number(struct record *r, uint32_t field, nano *ret)
{
    struct val *v = record_get(r, field);
    struct val number;

    if (v == NULL)
        return false;
    if (v->kind == VAL_TEXT) {
        if (!val_parse_number(v->text, &number))
            return false;
        v = &number;
    }
    switch ((enum val_kind)v->kind) {
    case VAL_INT:
        *ret = (nano)v->num.i * NANO_ONE;
        return true;
    case VAL_UINT:
        *ret = (nano)v->num.u * NANO_ONE;
        return true;
    case VAL_DOUBLE:
        if (!isfinite(v->num.d) || fabs(v->num.d) > 1e18)
            return false;
        *ret = fabs(v->num.d) < 9e9 ? (nano)llround(v->num.d * 1e9) : (nano)llround(v->num.d) * NANO_ONE;
        return true;
    case VAL_BOOL:
    case VAL_TEXT:
    case VAL_NULL:
    case VAL_NONE:
        break;
    }
    return false;
}

static bool read_degrees(struct record *r, uint32_t field, double max, int32_t *ret)
{
    struct val *v = record_get(r, field);

    if (v == NULL || !val_is_number(v) || !(fabs(val_double(v)) <= max))
        return false;
    *ret = (int32_t)lround(val_double(v) * 1e7);
    return true;
}

/* A receiver without a fix often reports 0, 0, a place in the sea: no position. */
static bool read_position(struct sighter *s, struct record *r, struct place *p)
{
    if (!r->time_trusted) {
        s->geo_untrusted_count++;
        return false;
    }
    if (!read_degrees(r, FIELD_SCHEMA + EV_F_LAT, 90.0, &p->lat) ||
        !read_degrees(r, FIELD_SCHEMA + EV_F_LON, 180.0, &p->lon) || (p->lat == 0 && p->lon == 0)) {
        s->geo_no_position_count++;
        return false;
    }
    return true;
}

static bool fill_place(struct sighter *s, struct record *r, const struct correlation *c, struct place *p)
{
    switch ((enum correlation_type)c->type) {
    case CORR_VALUE_COUNT:
        p->has_value = encode(r, c->field, c->field_count, &p->value);
        return true;
    case CORR_VALUE_SUM:
    case CORR_VALUE_AVG:
    case CORR_VALUE_PERCENTILE:
        p->has_value = read_number(r, c->field[0], &p->number);
        return true;
    case CORR_GEO_VELOCITY:
        p->has_value = read_position(s, r, p);
        return p->has_value;
    case CORR_EVENT_COUNT:
    case CORR_TEMPORAL:
    case CORR_TEMPORAL_ORDERED:
        break;
    }
    return true;
}

/* The place of this correlation and group, new if need be; NULL when the event has none. */
static struct place *find_place(struct sighter *s, struct record *r, struct sighting *ret, const struct sighter_use *u)
{
    const struct plan *plan = s->matcher.plan;
    const struct correlation *c = plan->rule[plan->corr[u->corr]]->corr;
    struct slice group;

    if (r->kind != RECORD_KIND_NONE && c->group_count == 1 && c->group_field[u->ref][0] == FIELD_VIN)
        group = record_vehicle_group(r);
    else if (!encode(r, c->group_field[u->ref], c->group_count, &group))
        return NULL;
    for (uint32_t i = ret->place_count; i-- > 0;)
        if (s->place[i].corr == u->corr && slice_equal(s->place[i].group, group))
            return &s->place[i];
    if (ret->place_count == PLACES_MAX) {
        s->places_dropped_count++;
        return NULL;
    }
    struct place *p = &s->place[ret->place_count];
    memset(p, 0, sizeof *p);
    p->corr = u->corr;
    p->group = group;
    if (!fill_place(s, r, c, p))
        return NULL;
    ret->place_count++;
    return p;
}

/* Enters the event wherever the rule is referred to, and wherever those correlations are referred to in turn. Chains
 * are free of circles and bounded in length, and with them this recursion. */
static void enter(struct sighter *s, struct record *r, struct sighting *ret, uint32_t rule, bool chain)
{
    const struct plan *plan = s->matcher.plan;

    for (uint32_t i = s->use_first[rule]; i < s->use_first[rule + 1]; i++) {
        const struct sighter_use *u = &s->use[i];
        struct place *p = find_place(s, r, ret, u);
        if (p != NULL && chain)
            p->mask_chain |= UINT64_C(1) << u->ref;
        else if (p != NULL)
            p->mask |= UINT64_C(1) << u->ref;
        if (p != NULL && plan->corr[u->corr] != rule) /* a plain rule's episode refers to the rule itself */
            enter(s, r, ret, plan->corr[u->corr], true);
    }
}

struct hash128 sighting_identity(struct slice vehicle, uint32_t epoch, uint64_t seq)
{
    struct hash128 h = hash128_bytes(vehicle, 1);

    h.hi = hash_mix(hash_mix(h.hi, epoch), seq);
    h.lo = hash_mix(hash_mix(h.lo, ~(uint64_t)epoch), ~seq);
    return h;
}

static struct hash128 identity_of(const struct record *r)
{
    return r->has_seq ? sighting_identity(r->vehicle, r->epoch, r->seq) : r->content;
}

/* A record made from a struct event is of a kind for which the rules are listed. */
static bool ask_listed(struct sighter *s, struct record *r, struct sighting *ret)
{
    if (r->kind == RECORD_KIND_NONE)
        return false;
    const struct interest_kind *k = interest_of(s->matcher.plan->interest, r->kind);
    if (k->count > INTEREST_RULES_MAX)
        return false;
    for (uint32_t i = 0; i < k->count; i++)
        if (k->rule[i].expr == NULL || match_expr(&s->matcher, k->rule[i].expr, r))
            enter(s, r, ret, k->rule[i].rule->number, false);
    return true;
}

static void ask_candidates(struct sighter *s, struct record *r, struct sighting *ret)
{
    const struct plan *plan = s->matcher.plan;
    const uint32_t *candidate;
    uint32_t count = match_candidates(&s->matcher, r, &candidate);

    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = plan->rule[candidate[i]];
        if (match_vehicle_source(rule, r) && match_expr(&s->matcher, rule->expr, r))
            enter(s, r, ret, rule->number, false);
    }
}

enum sight sighter_step(struct sighter *s, struct record *r, struct sighting *ret)
{
    if (r->has_received && r->last_us - r->received_us > FUTURE_US_MAX)
        return SIGHT_FUTURE;
    if (r->has_received && s->horizon_us > 0 && r->received_us - r->first_us > s->horizon_us)
        return SIGHT_BEYOND_HORIZON;
    ret->vehicle = r->vehicle;
    ret->first_us = r->first_us;
    ret->last_us = r->last_us;
    ret->count = r->count;
    ret->epoch = r->epoch;
    ret->seq = r->seq;
    ret->has_seq = r->has_seq;
    ret->late = r->has_received && r->received_us - r->last_us > LATE_US_MIN;
    ret->identity = r->unique ? r->content : identity_of(r);
    ret->content = r->content;
    ret->place = s->place;
    ret->place_count = 0;
    if (!ask_listed(s, r, ret))
        ask_candidates(s, r, ret);
    return SIGHT_OK;
}
