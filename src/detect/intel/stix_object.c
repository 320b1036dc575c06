#include "detect/intel/stix_object.h"

#include <stddef.h>
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
/* How a property is read: the form, its place in struct reading, and the greatest length or number. */
enum form {
    F_TEXT,
    F_ID,
    F_TIME,
    F_BOOL,
    F_INTEGER,
    F_CONFIDENCE,
    F_DESCRIPTION,
    F_MARKINGS,
    F_GRANULAR,
    F_REFERENCES
};
#define AT(member) offsetof(struct reading, member)
static const struct {
    const char *name;
    enum form form;
    size_t at;
    uint32_t max;
} PROPERTY[PROPERTY_COUNT] = {
    {"type", F_TEXT, AT(o.type_name), STIX_ID_MAX},
    {"id", F_ID, AT(o.id), 0},
    {"spec_version", F_TEXT, AT(version), 8},
    {"created", F_TIME, AT(o.created_us), 0},
    {"modified", F_TIME, AT(o.modified_us), 0},
    {"created_by_ref", F_ID, AT(o.created_by), 0},
    {"revoked", F_BOOL, AT(o.revoked), 0},
    {"confidence", F_CONFIDENCE, AT(o.confidence), 100},
    {"name", F_TEXT, AT(o.name), STIX_NAME_MAX},
    {"description", F_DESCRIPTION, AT(o.description), JSON_DOC_MAX},
    {"object_marking_refs", F_MARKINGS, AT(o.tlp), 0},
    {"granular_markings", F_GRANULAR, AT(o.tlp), 0},
    {"external_references", F_REFERENCES, AT(o.technique), 0},
    {"pattern", F_TEXT, AT(o.pattern), STIX_PATTERN_MAX},
    {"pattern_type", F_TEXT, AT(o.pattern_type), 64},
    {"valid_from", F_TIME, AT(o.valid_from_us), 0},
    {"valid_until", F_TIME, AT(o.valid_until_us), 0},
    {"relationship_type", F_TEXT, AT(o.relationship), 256},
    {"source_ref", F_ID, AT(o.source_ref), 0},
    {"target_ref", F_ID, AT(o.target_ref), 0},
    {"sighting_of_ref", F_ID, AT(o.sighting_of), 0},
    {"count", F_INTEGER, AT(o.count), 999999999},
    {"first_seen", F_TIME, AT(o.first_seen_us), 0},
    {"last_seen", F_TIME, AT(o.last_seen_us), 0},
};
#define BIT(p) (UINT32_C(1) << (p))

static void take(struct reading *r, enum property p, struct json_node n)
{
    const char *name = PROPERTY[p].name;
    uint32_t max = PROPERTY[p].max;
    void *place = (char *)r + PROPERTY[p].at;
    int64_t number = -1;

    switch (PROPERTY[p].form) {
    case F_TEXT:
        take_text(r, name, n, max, place);
        break;
    case F_ID:
        take_id(r, name, n, place);
        break;
    case F_TIME:
        take_time(r, name, n, place);
        break;
    case F_BOOL:
        take_bool(r, name, n, place);
        break;
    case F_INTEGER:
        take_integer(r, name, n, max, place);
        break;
    case F_CONFIDENCE:
        take_integer(r, name, n, max, &number);
        r->o.confidence = (int)number;
        break;
    case F_DESCRIPTION:
        take_text(r, name, n, max, place);
        r->o.description = cut(r->o.description);
        break;
    case F_MARKINGS:
    case F_GRANULAR:
        take_markings(r, name, n, PROPERTY[p].form == F_GRANULAR);
        break;
    case F_REFERENCES:
        take_references(r, n);
        break;
    }
}

static enum property property_named(struct slice key)
{
    unsigned p = 0;

    while (p < PROPERTY_COUNT && !slice_equal_str(key, PROPERTY[p].name))
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
            refuse(r, VS_ERR_MALFORMED, PROPERTY[p].name, "is missing");
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
            refuse(&r, VS_ERR_MALFORMED, PROPERTY[p].name, "stands twice");
        r.seen |= BIT(p);
        take(&r, p, value);
    }
    if (r.err == VS_OK)
        check(&r);
    if (r.err == VS_OK)
        *ret = r.o;
    return r.err;
}
