#include "detect/intel/stix_object.h"

#include <stdio.h>

#include "core/hex.h"
#include "core/timestamp.h"
#include "detect/intel/stix_pattern.h"

struct reading {
    struct stix_object o;
    struct stix_object_fault *fault;
    enum vs_err err;
    uint32_t seen; /* bits of PROPERTY */
    struct slice version;
};

static void refuse(struct reading *r, enum vs_err err, const char *property, const char *text)
{
    if (r->err != VS_OK)
        return;
    r->err = err;
    snprintf(r->fault->property, sizeof r->fault->property, "%s", property);
    snprintf(r->fault->text, sizeof r->fault->text, "%s", text);
}

/* ---- one property each */

static void take_text(struct reading *r, const char *name, struct json_node n, size_t max, struct slice *ret)
{
    if (json_node_kind(n) != JSON_NODE_TEXT)
        refuse(r, VS_ERR_MALFORMED, name, "not a text");
    else if (json_node_text(n).len > max)
        refuse(r, VS_ERR_LIMIT, name, "too long");
    else
        *ret = json_node_text(n);
}

static void take_time(struct reading *r, const char *name, struct json_node n, int64_t *ret)
{
    struct slice text = slice_make(NULL, 0);

    take_text(r, name, n, 64, &text);
    if (r->err == VS_OK && (text.len < 20 || text.ptr[text.len - 1] != 'Z' || !timestamp_parse(text, ret)))
        refuse(r, VS_ERR_MALFORMED, name, "not a time like 2026-03-01T12:00:00.000Z");
}

static void take_integer(struct reading *r, const char *name, struct json_node n, int64_t max, int64_t *ret)
{
    if (json_node_kind(n) != JSON_NODE_INT || json_node_i64(n) < 0 || json_node_i64(n) > max)
        refuse(r, VS_ERR_RANGE, name, "not a whole number within its bounds");
    else
        *ret = json_node_i64(n);
}

static void take_bool(struct reading *r, const char *name, struct json_node n, bool *ret)
{
    if (json_node_kind(n) != JSON_NODE_BOOL)
        refuse(r, VS_ERR_MALFORMED, name, "neither true nor false");
    else
        *ret = json_node_bool(n);
}

/* type--uuid */
static bool is_id(struct slice id)
{
    size_t dashes = 0;

    if (id.len < 39 || id.len > STIX_ID_MAX)
        return false;
    struct slice uuid = slice_from(id, id.len - 36), type = slice_head(id, id.len - 36);
    for (size_t i = 0; i < uuid.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? uuid.ptr[i] != '-' : hex_digit(uuid.ptr[i]) < 0)
            return false;
        dashes += dash;
    }
    for (size_t i = 0; i < type.len; i++)
        if (type.ptr[i] != '-' && (type.ptr[i] < 'a' || type.ptr[i] > 'z') && (type.ptr[i] < '0' || type.ptr[i] > '9'))
            return false;
    return dashes == 4 && type.ptr[type.len - 1] == '-' && type.ptr[type.len - 2] == '-';
}

static void take_id(struct reading *r, const char *name, struct json_node n, struct slice *ret)
{
    take_text(r, name, n, STIX_ID_MAX, ret);
    if (r->err == VS_OK && !is_id(*ret))
        refuse(r, VS_ERR_MALFORMED, name, "not an id of the form type--uuid");
}

static void mark(struct reading *r, struct slice id)
{
    int tlp = stix_tlp_from_id(id);

    if (tlp < 0)
        r->o.marked_further = true;
    else if (tlp > r->o.tlp)
        r->o.tlp = (uint8_t)tlp;
}

static void take_markings(struct reading *r, const char *name, struct json_node n, bool granular)
{
    struct json_walk w;
    struct json_node item;
    struct slice key;

    if (json_node_kind(n) != JSON_NODE_ARRAY) {
        refuse(r, VS_ERR_MALFORMED, name, "not a list");
        return;
    }
    json_walk_init(&w, n);
    while (r->err == VS_OK && json_walk_next(&w, &key, &item)) {
        if (granular && !json_node_find(item, "marking_ref", &item))
            continue; /* a language of a part */
        if (json_node_kind(item) != JSON_NODE_TEXT)
            refuse(r, VS_ERR_MALFORMED, name, "not a list of ids");
        else
            mark(r, json_node_text(item));
    }
}

static void take_references(struct reading *r, struct json_node n)
{
    struct json_walk w;
    struct json_node item, id;
    struct slice key;

    if (json_node_kind(n) != JSON_NODE_ARRAY) {
        refuse(r, VS_ERR_MALFORMED, "external_references", "not a list");
        return;
    }
    json_walk_init(&w, n);
    while (json_walk_next(&w, &key, &item))
        if (json_node_find(item, "external_id", &id) && json_node_kind(id) == JSON_NODE_TEXT &&
            json_node_text(id).len <= STIX_ID_MAX && r->o.technique_count < STIX_TECHNIQUES_MAX)
            r->o.technique[r->o.technique_count++] = json_node_text(id);
}

/* A description may be long; nobody reads beyond a few pages. Cut between characters. */
static struct slice cut(struct slice s)
{
    size_t len = STIX_DESCRIPTION_MAX;

    if (s.len <= len)
        return s;
    while (len > 0 && (s.ptr[len] & 0xC0) == 0x80)
        len--;
    return slice_head(s, len);
}

/* ---- the table of properties */

enum property {
    P_TYPE,
    P_ID,
    P_SPEC_VERSION,
    P_CREATED,
    P_MODIFIED,
    P_CREATED_BY,
    P_REVOKED,
    P_CONFIDENCE,
    P_NAME,
    P_DESCRIPTION,
    P_MARKINGS,
    P_GRANULAR,
    P_REFERENCES,
    P_PATTERN,
    P_PATTERN_TYPE,
    P_VALID_FROM,
    P_VALID_UNTIL,
    P_RELATIONSHIP,
    P_SOURCE,
    P_TARGET,
    P_SIGHTING_OF,
    P_COUNT,
    P_FIRST_SEEN,
    P_LAST_SEEN,
    PROPERTY_COUNT
};
static const char *const PROPERTY[PROPERTY_COUNT] = {
    "type",
    "id",
    "spec_version",
    "created",
    "modified",
    "created_by_ref",
    "revoked",
    "confidence",
    "name",
    "description",
    "object_marking_refs",
    "granular_markings",
    "external_references",
    "pattern",
    "pattern_type",
    "valid_from",
    "valid_until",
    "relationship_type",
    "source_ref",
    "target_ref",
    "sighting_of_ref",
    "count",
    "first_seen",
    "last_seen",
};
#define BIT(p) (UINT32_C(1) << (p))

static void take(struct reading *r, enum property p, struct json_node n)
{
    struct stix_object *o = &r->o;
    const char *name = PROPERTY[p];
    int64_t number = -1;

    switch (p) {
    case P_TYPE:
        take_text(r, name, n, STIX_ID_MAX, &o->type_name);
        break;
    case P_ID:
        take_id(r, name, n, &o->id);
        break;
    case P_SPEC_VERSION:
        take_text(r, name, n, 8, &r->version);
        break;
    case P_CREATED:
        take_time(r, name, n, &o->created_us);
        break;
    case P_MODIFIED:
        take_time(r, name, n, &o->modified_us);
        break;
    case P_CREATED_BY:
        take_id(r, name, n, &o->created_by);
        break;
    case P_REVOKED:
        take_bool(r, name, n, &o->revoked);
        break;
    case P_CONFIDENCE:
        take_integer(r, name, n, 100, &number);
        o->confidence = (int)number;
        break;
    case P_NAME:
        take_text(r, name, n, STIX_NAME_MAX, &o->name);
        break;
    case P_DESCRIPTION:
        take_text(r, name, n, JSON_DOC_MAX, &o->description);
        o->description = cut(o->description);
        break;
    case P_MARKINGS:
    case P_GRANULAR:
        take_markings(r, name, n, p == P_GRANULAR);
        break;
    case P_REFERENCES:
        take_references(r, n);
        break;
    case P_PATTERN:
        take_text(r, name, n, STIX_PATTERN_MAX, &o->pattern);
        break;
    case P_PATTERN_TYPE:
        take_text(r, name, n, 64, &o->pattern_type);
        break;
    case P_VALID_FROM:
        take_time(r, name, n, &o->valid_from_us);
        break;
    case P_VALID_UNTIL:
        take_time(r, name, n, &o->valid_until_us);
        break;
    case P_RELATIONSHIP:
        take_text(r, name, n, 256, &o->relationship);
        break;
    case P_SOURCE:
        take_id(r, name, n, &o->source_ref);
        break;
    case P_TARGET:
        take_id(r, name, n, &o->target_ref);
        break;
    case P_SIGHTING_OF:
        take_id(r, name, n, &o->sighting_of);
        break;
    case P_COUNT:
        take_integer(r, name, n, 999999999, &o->count);
        break;
    case P_FIRST_SEEN:
        take_time(r, name, n, &o->first_seen_us);
        break;
    case P_LAST_SEEN:
        take_time(r, name, n, &o->last_seen_us);
        break;
    case PROPERTY_COUNT:
        break;
    }
}

static enum property property_named(struct slice key)
{
    unsigned p = 0;

    while (p < PROPERTY_COUNT && !slice_equal_str(key, PROPERTY[p]))
        p++;
    return (enum property)p;
}

/* ---- what each type must have */

static const struct {
    const char *name;
    uint8_t type;
    uint32_t required;
} TYPE[] = {
    {"indicator", STIX_TYPE_INDICATOR, BIT(P_PATTERN) | BIT(P_VALID_FROM)},
    {"attack-pattern", STIX_TYPE_ATTACK_PATTERN, BIT(P_NAME)},
    {"malware", STIX_TYPE_MALWARE, 0},
    {"relationship", STIX_TYPE_RELATIONSHIP, BIT(P_RELATIONSHIP) | BIT(P_SOURCE) | BIT(P_TARGET)},
    {"sighting", STIX_TYPE_SIGHTING, BIT(P_SIGHTING_OF)},
    {"marking-definition", STIX_TYPE_MARKING, 0},
    {"identity", STIX_TYPE_IDENTITY, BIT(P_NAME)},
};

static void check(struct reading *r)
{
    struct stix_object *o = &r->o;
    uint32_t required = BIT(P_TYPE) | BIT(P_ID);
    struct slice prefix = slice_head(o->id, o->id.len > 38 ? o->id.len - 38 : 0);

    for (size_t i = 0; i < sizeof TYPE / sizeof TYPE[0]; i++)
        if (slice_equal_str(o->type_name, TYPE[i].name)) {
            o->type = TYPE[i].type;
            required |= TYPE[i].required | BIT(P_CREATED);
            /* Of two versions the later one counts; a marking has none. */
            required |= o->type != STIX_TYPE_MARKING ? BIT(P_MODIFIED) : 0;
        }
    for (unsigned p = 0; p < PROPERTY_COUNT; p++)
        if ((required & BIT(p) & ~r->seen) != 0)
            refuse(r, VS_ERR_MALFORMED, PROPERTY[p], "is missing");
    if (!slice_equal(prefix, o->type_name))
        refuse(r, VS_ERR_MALFORMED, "id", "does not begin with the object's type");
    if (o->modified_us == 0)
        o->modified_us = o->created_us;
    if ((r->seen & BIT(P_CREATED)) != 0 && o->modified_us < o->created_us)
        refuse(r, VS_ERR_RANGE, "modified", "before created");
    if (o->valid_until_us <= o->valid_from_us)
        refuse(r, VS_ERR_RANGE, "valid_until", "not after valid_from");
    if (o->type == STIX_TYPE_INDICATOR && o->pattern_type.len == 0) {
        o->pattern_type = slice_str("stix");
        if (r->version.len > 0 && !slice_equal_str(r->version, "2.0"))
            refuse(r, VS_ERR_MALFORMED, "pattern_type", "is missing");
    }
    if (r->version.len > 0 && !slice_equal_str(r->version, "2.1") && !slice_equal_str(r->version, "2.0"))
        refuse(r, VS_ERR_VERSION, "spec_version", "neither 2.1 nor 2.0");
}

enum vs_err stix_object_read(struct json_node n, struct stix_object *ret, struct stix_object_fault *ret_fault)
{
    struct reading r = {.fault = ret_fault, .o = {.confidence = -1, .count = 1, .valid_until_us = INT64_MAX}};
    struct json_walk w;
    struct json_node value;
    struct slice key;

    if (json_node_kind(n) != JSON_NODE_OBJECT) {
        refuse(&r, VS_ERR_MALFORMED, "", "not an object");
        return r.err;
    }
    json_walk_init(&w, n);
    while (r.err == VS_OK && json_walk_next(&w, &key, &value)) {
        enum property p = property_named(key);
        if (p == PROPERTY_COUNT)
            continue;
        if ((r.seen & BIT(p)) != 0)
            refuse(&r, VS_ERR_MALFORMED, PROPERTY[p], "stands twice");
        r.seen |= BIT(p);
        take(&r, p, value);
    }
    if (r.err == VS_OK)
        check(&r);
    if (r.err == VS_OK)
        *ret = r.o;
    return r.err;
}
