#include "detect/intel/intel_anchor.h"

#include <stdio.h>

#include "detect/intel/stix_literal.h"

static enum vs_err refuse(struct stix_fault *f, uint32_t position, const char *text)
{
    f->position = position;
    snprintf(f->text, sizeof f->text, "%s", text);
    return VS_ERR_UNSUPPORTED;
}

static struct slice text_of(const struct stix_pattern *p, const struct stix_literal *l)
{
    return stix_text(p, l->value.s.at, l->value.s.len);
}

/* ---- one form of the literals */

/* file:hashes.'SHA-256' and a value of another length never meet. */
static enum vs_err check_digest(const struct stix_pattern *p, const struct stix_node *n, struct stix_fault *f)
{
    static const struct {
        const char *name;
        size_t digits;
    } DIGEST[] = {{"MD5", 32}, {"SHA-1", 40}, {"SHA-256", 64}, {"SHA-512", 128}};
    const struct stix_step *s = &p->step[n->step + 1];
    struct slice name = stix_text(p, s->at, s->len);

    for (size_t i = 0; i < sizeof DIGEST / sizeof DIGEST[0]; i++) {
        if (!slice_equal_str(name, DIGEST[i].name))
            continue;
        for (uint32_t k = 0; k < n->literal_count && n->op <= STIX_IN; k++)
            if (p->literal[n->literal + k].value.s.len != DIGEST[i].digits)
                return refuse(f, n->position, "a digest of the wrong length for its algorithm");
        return VS_OK;
    }
    return refuse(f, n->position, "no event carries digests of this algorithm (MD5, SHA-1, SHA-256, SHA-512)");
}

/* STIX 2.0 wrote md5, SHA1 or SHA256; the property of STIX 2.1 takes their place. */
static enum vs_err rename_digest(struct stix_pattern *p, const struct stix_node *n)
{
    static const char *const NAME[][2] = {{"md5", "MD5"},        {"sha1", "SHA-1"},      {"sha-1", "SHA-1"},
                                          {"sha256", "SHA-256"}, {"sha-256", "SHA-256"}, {"sha512", "SHA-512"},
                                          {"sha-512", "SHA-512"}};
    struct stix_step *s = &p->step[n->step + 1];
    char low[16] = "";

    for (uint32_t i = 0; i < s->len && s->len < sizeof low; i++)
        low[i] = (char)(p->text[s->at + i] | (p->text[s->at + i] >= 'A' && p->text[s->at + i] <= 'Z' ? 32 : 0));
    for (size_t i = 0; i < sizeof NAME / sizeof NAME[0]; i++)
        if (strcmp(low, NAME[i][0]) == 0)
            return stix_add_text(p, slice_str(NAME[i][1]), &s->at, &s->len);
    return VS_OK;
}

/* `= '10.0.0.0/8'` means the block, and an IPv6 address may be written in many ways. */
static void turn_to_block(struct stix_pattern *p, struct stix_node *n)
{
    struct address_block block;

    if ((n->op != STIX_EQ && n->op != STIX_NE) || p->literal[n->literal].kind != STIX_TEXT ||
        !address_block_read(text_of(p, &p->literal[n->literal]), &block))
        return;
    n->negated = n->negated != (n->op == STIX_NE);
    n->op = STIX_ISSUBSET;
}

static void one_form(struct stix_pattern *p, const struct observe_path *path, struct stix_node *n)
{
    if (path->kind == OBSERVE_ADDRESS)
        turn_to_block(p, n);
    for (uint32_t i = 0; path->kind == OBSERVE_ATM && i < n->literal_count; i++) {
        struct stix_literal *l = &p->literal[n->literal + i];
        uint32_t skip = l->kind == STIX_TEXT ? l->value.s.len - (uint32_t)observe_technique(text_of(p, l)).len : 0;
        l->value.s.at += skip;
        l->value.s.len -= skip;
    }
    if (path->kind != OBSERVE_DOMAIN && path->kind != OBSERVE_DIGEST && path->kind != OBSERVE_MAC)
        return;
    for (uint32_t i = 0; i < n->literal_count && n->op <= STIX_LIKE; i++) {
        struct stix_literal *l = &p->literal[n->literal + i];

        if (l->kind != STIX_TEXT)
            continue;
        for (uint32_t k = 0; k < l->value.s.len; k++) {
            uint8_t *c = &p->text[l->value.s.at + k];
            *c = (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c + 32 : path->kind == OBSERVE_MAC && *c == '-' ? ':' : *c);
        }
        if (path->kind == OBSERVE_DOMAIN && l->value.s.len > 1 && p->text[l->value.s.at + l->value.s.len - 1] == '.')
            l->value.s.len--;
    }
}

static enum vs_err prepare_test(struct stix_pattern *p, struct stix_node *n, bool *ret_shown, struct stix_fault *f)
{
    struct slice object = stix_text(p, n->type_at, n->type_len);
    struct stix_step *second = n->step_count == 2 ? &p->step[n->step + 1] : NULL;
    struct slice first = stix_text(p, p->step[n->step].at, p->step[n->step].len);
    bool digest = second != NULL && second->kind == STIX_STEP_KEY && slice_equal_str(object, "file") &&
                  slice_equal_str(first, "hashes");
    enum vs_err err = digest ? rename_digest(p, n) : VS_OK;
    const struct observe_path *path = observe_path_of(p, n);

    if (err != VS_OK || path == NULL)
        return err;
    *ret_shown = true;
    if (digest && n->kind == STIX_COMPARE)
        err = check_digest(p, n, f);
    if (err == VS_OK && n->kind == STIX_COMPARE)
        one_form(p, path, n);
    return err;
}

/* One observation a match: what joins several cannot be told from one event. A pattern of a single [..] repeats once
 * and lies within any time. */
static enum vs_err check_joins(const struct stix_pattern *p, const struct stix_node *n, struct stix_fault *f)
{
    if (n->kind == STIX_OBSERVED_AND || n->kind == STIX_FOLLOWED_BY)
        return refuse(f, n->position, "needs several events; write it as a Sigma correlation (docs/rules.md)");
    if (n->kind == STIX_REPEATS && n->times > 1)
        return refuse(f, n->position, "REPEATS needs several events; write it as a Sigma event_count (docs/rules.md)");
    if (n->kind == STIX_AND) {
        const struct stix_node *a = &p->node[n->a], *b = &p->node[n->b];
        if (a->kind == STIX_COMPARE && b->kind == STIX_COMPARE &&
            !slice_equal(stix_text(p, a->type_at, a->type_len), stix_text(p, b->type_at, b->type_len)))
            return refuse(f, n->position, "can never match: AND inside [ ] joins tests of one object, these are two");
    }
    return VS_OK;
}

enum vs_err intel_anchor_prepare(struct stix_pattern *p, struct stix_fault *ret_fault)
{
    uint32_t missing = STIX_NONE;
    bool shown = false;
    enum vs_err err = VS_OK;

    for (uint32_t i = 0; err == VS_OK && i < p->node_count; i++) {
        struct stix_node *n = &p->node[i];
        bool this_shown = false;

        err = check_joins(p, n, ret_fault);
        if (err != VS_OK || (n->kind != STIX_COMPARE && n->kind != STIX_EXISTS))
            continue;
        err = prepare_test(p, n, &this_shown, ret_fault);
        shown = shown || this_shown;
        if (!this_shown && missing == STIX_NONE)
            missing = i;
    }
    if (err == VS_OK && !shown) {
        char path[100];
        stix_path_text(p, &p->node[missing], path, sizeof path);
        err = refuse(ret_fault, p->node[missing].position, "");
        snprintf(ret_fault->text, sizeof ret_fault->text, "no event of a vehicle or backend shows %s", path);
    }
    return err;
}

/* ---- anchors */

struct part {
    uint32_t first, count; /* in the list; those of a part stand together at its end */
    bool found, exact;
};

static struct part none(const struct intel_anchors *a)
{
    return (struct part){a->count, 0, false, false};
}

static bool add_type_anchors(struct intel_anchors *a, enum observe_class kind, struct slice literal)
{
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++) {
        const struct ev_type_info *type = ev_type_at(i);
        const char *at = kind == OBSERVE_ATM ? type->atm : type->name;
        bool hit = false;

        for (size_t len; !hit && *at != '\0'; at += len + (at[len] == ',')) {
            len = strcspn(at, ",");
            hit = slice_equal(kind == OBSERVE_ATM ? observe_technique(slice_make(at, len)) : slice_make(at, len),
                              literal);
        }
        if (hit && a->count < INTEL_ANCHORS_MAX)
            a->anchor[a->count++] = (struct intel_anchor){.kind = ANCHOR_TYPE, .class = (uint8_t)kind, .type = i};
    }
    return a->count < INTEL_ANCHORS_MAX;
}

static bool add_literal(const struct stix_pattern *p, const struct observe_path *path, const struct stix_node *n,
                        const struct stix_literal *l, struct intel_anchors *a)
{
    struct intel_anchor x = {.kind = ANCHOR_EXACT, .class = path->kind};

    if (path->kind == OBSERVE_CAN_ID) {
        if (l->kind != STIX_INT || l->value.i < 0 || l->value.i > 0x1FFFFFFF)
            return l->kind == STIX_INT; /* no frame has it */
        x.can_id = (uint32_t)l->value.i;
    } else if (l->kind != STIX_TEXT) {
        return false;
    } else if (path->kind == OBSERVE_ADDRESS) {
        x.kind = ANCHOR_BLOCK;
        if (!address_block_read(text_of(p, l), &x.block))
            return false;
    } else if (path->kind == OBSERVE_TYPE || path->kind == OBSERVE_ATM) {
        return add_type_anchors(a, (enum observe_class)path->kind, text_of(p, l));
    } else if (n->op == STIX_LIKE) {
        x.kind = ANCHOR_SUFFIX;
        x.key = slice_from(text_of(p, l), 1);
    } else {
        x.key = text_of(p, l);
        if (x.key.len == 0 || x.key.len > OBSERVE_KEY_MAX)
            return false;
    }
    if (a->count == INTEL_ANCHORS_MAX)
        return false;
    a->anchor[a->count++] = x;
    return true;
}

/* LIKE '%.example.com' with no further wildcard. */
static bool is_suffix(const struct stix_pattern *p, const struct observe_path *path, const struct stix_node *n)
{
    struct slice like;

    if (n->op != STIX_LIKE || path->kind != OBSERVE_DOMAIN)
        return false;
    like = text_of(p, &p->literal[n->literal]);
    if (like.len < 4 || like.ptr[0] != '%' || like.ptr[1] != '.')
        return false;
    for (size_t i = 2; i < like.len; i++)
        if (like.ptr[i] == '%' || like.ptr[i] == '_')
            return false;
    return true;
}

static struct part find_test(const struct stix_pattern *p, const struct stix_node *n, struct intel_anchors *a)
{
    const struct observe_path *path = observe_path_of(p, n);
    struct part r = {a->count, 0, true, true};

    if (path == NULL && !n->negated && (n->kind == STIX_COMPARE || n->kind == STIX_EXISTS))
        return r; /* never true: no anchor is needed */
    if (path == NULL || path->kind == OBSERVE_NONE || n->kind != STIX_COMPARE || n->negated)
        return none(a);
    bool block = n->op == STIX_ISSUBSET && path->kind == OBSERVE_ADDRESS, suffix = is_suffix(p, path, n);
    if (n->op != STIX_EQ && n->op != STIX_IN && !block && !suffix)
        return none(a);
    for (uint32_t i = 0; i < n->literal_count; i++)
        if (!add_literal(p, path, n, &p->literal[n->literal + i], a)) {
            a->count = r.first;
            return none(a);
        }
    r.count = a->count - r.first;
    r.exact = path->exact;
    return r;
}

/* Fewer anchors are better, and event types, which many events share, are the worst. */
static uint64_t weight(const struct intel_anchors *a, struct part r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r.count; i++)
        sum += a->anchor[r.first + i].kind == ANCHOR_TYPE ? 100000 : 1;
    return r.found ? sum : UINT64_MAX;
}

static struct part join(const struct stix_node *n, struct intel_anchors *a, struct part l, struct part r)
{
    if (n->kind == STIX_OR) {
        l.found = l.found && r.found;
        l.exact = l.exact && r.exact;
        l.count += r.count;
        return l;
    }
    if (weight(a, r) < weight(a, l)) {
        memmove(&a->anchor[l.first], &a->anchor[r.first], r.count * sizeof a->anchor[0]);
        r.first = l.first;
        l = r;
    }
    a->count = l.first + l.count;
    l.exact = false;
    return l;
}

/* As deep as the brackets of the pattern, plus chains on the left that are short or taken apart here. */
static struct part find(const struct stix_pattern *p, uint32_t at, struct intel_anchors *a)
{
    const struct stix_node *n = &p->node[at];

    if (n->kind != STIX_AND && n->kind != STIX_OR)
        return find_test(p, n, a);
    struct part l = find(p, n->a, a);
    return join(n, a, l, find(p, n->b, a));
}

enum vs_err intel_anchor_find(const struct stix_pattern *p, uint32_t node, struct intel_anchors *ret)
{
    ret->count = 0;
    struct part r = find(p, p->node[node].a, ret);
    ret->found = r.found;
    ret->exact = r.found && r.exact;
    if (!r.found)
        ret->count = 0;
    return ret->count == INTEL_ANCHORS_MAX ? VS_ERR_LIMIT : VS_OK;
}

static bool shows(const struct stix_pattern *p, uint32_t at, const struct ev_type_info *type)
{
    const struct stix_node *n = &p->node[at];

    if (n->kind == STIX_AND || n->kind == STIX_OR)
        return shows(p, n->a, type) || shows(p, n->b, type);
    const struct observe_path *path = observe_path_of(p, n);
    return path != NULL ? observe_type_shows(type, path, p, n) : n->negated;
}

bool intel_anchor_type(const struct stix_pattern *p, uint32_t node, const struct ev_type_info *type)
{
    return shows(p, p->node[node].a, type);
}
