#include "detect/intel/observe.h"

#include <arpa/inet.h>

#include "core/writer.h"
#include "detect/intel/address.h"

struct seen {
    const struct event *ev;
    struct stix_tree *t;
    struct stix_observation *o;
};

static struct slice text_field(const struct seen *s, enum ev_field_id id)
{
    const struct ev_field *f = event_get(s->ev, id);

    return f != NULL ? f->value.s : slice_make(NULL, 0);
}

static uint32_t add_object(const struct seen *s, const char *type)
{
    return stix_tree_object(s->t, s->o, slice_make(NULL, 0), slice_str(type));
}

static uint32_t add_map(const struct seen *s, uint32_t parent, const char *key)
{
    return stix_tree_add(s->t, parent, slice_str(key), STIX_VALUE_MAP);
}

/* The one form of a value, or the value itself when it has none. */
static struct slice canonical(const struct seen *s, enum observe_class kind, struct slice value)
{
    uint8_t *buf = stix_tree_copy(s->t, OBSERVE_KEY_MAX);
    struct slice key;

    return buf != NULL && observe_key(kind, value, buf, &key) ? key : value;
}

static void add_value(const struct seen *s, const char *type, struct slice value)
{
    if (value.len > 0)
        stix_tree_text(s->t, add_object(s, type), "value", value);
}

static const char *address_type(const struct seen *s, struct slice *text)
{
    struct address_block a;

    if (!address_read(*text, &a))
        return NULL;
    if (a.v4)
        return "ipv4-addr";
    char *buf = (char *)stix_tree_copy(s->t, INET6_ADDRSTRLEN);
    if (buf != NULL && inet_ntop(AF_INET6, a.byte, buf, INET6_ADDRSTRLEN) != NULL)
        *text = slice_str(buf);
    return "ipv6-addr";
}

static void add_address(const struct seen *s, struct slice text, uint32_t traffic, const char *ref)
{
    const char *type = text.len > 0 ? address_type(s, &text) : NULL;

    if (type == NULL)
        return;
    add_value(s, type, text);
    uint32_t referred = add_map(s, traffic, ref);
    stix_tree_text(s->t, referred, "type", slice_str(type));
    stix_tree_text(s->t, referred, "value", text);
}

static void add_uint(const struct seen *s, uint32_t parent, const char *key, enum ev_field_id id)
{
    const struct ev_field *f = event_get(s->ev, id);

    if (f != NULL && f->value.u <= INT64_MAX)
        stix_tree_int(s->t, parent, key, (int64_t)f->value.u);
}

static void add_text(const struct seen *s, uint32_t parent, const char *key, enum ev_field_id id)
{
    struct slice text = text_field(s, id);

    if (text.len > 0)
        stix_tree_text(s->t, parent, key, text);
}

static void see_network(const struct seen *s)
{
    static const enum ev_field_id MAC[] = {EV_F_SRC_MAC, EV_F_DST_MAC, EV_F_MAC_EXPECTED};
    uint32_t traffic = add_object(s, "network-traffic");
    struct slice agent = text_field(s, EV_F_USER_AGENT), url = text_field(s, EV_F_URL);
    struct slice domain = text_field(s, EV_F_DOMAIN), host = observe_host(url);

    add_address(s, text_field(s, EV_F_SRC_IP), traffic, "src_ref");
    add_address(s, text_field(s, EV_F_DST_IP), traffic, "dst_ref");
    add_uint(s, traffic, "src_port", EV_F_SRC_PORT);
    add_uint(s, traffic, "dst_port", EV_F_DST_PORT);
    if (text_field(s, EV_F_PROTOCOL).len > 0)
        add_text(s, stix_tree_add(s->t, traffic, slice_str("protocols"), STIX_VALUE_LIST), "", EV_F_PROTOCOL);
    if (agent.len > 0) {
        uint32_t request = add_map(s, add_map(s, traffic, "extensions"), "http-request-ext");
        stix_tree_text(s->t, add_map(s, request, "request_header"), "User-Agent", agent);
    }
    for (size_t i = 0; i < sizeof MAC / sizeof MAC[0]; i++)
        if (text_field(s, MAC[i]).len > 0)
            add_value(s, "mac-addr", canonical(s, OBSERVE_MAC, text_field(s, MAC[i])));
    add_value(s, "url", url);
    if (domain.len > 0)
        add_value(s, "domain-name", canonical(s, OBSERVE_DOMAIN, domain));
    if (host.len > 0)
        add_value(s, "domain-name", canonical(s, OBSERVE_DOMAIN, host));
}

/* A digest says by its length which it is. */
static const char *digest_name(size_t len)
{
    return len == 32 ? "MD5" : len == 40 ? "SHA-1" : len == 64 ? "SHA-256" : len == 128 ? "SHA-512" : NULL;
}

static void see_file(const struct seen *s, struct slice path, struct slice digest)
{
    const char *name = digest_name(digest.len);
    struct slice file = observe_file_name(path);

    if (path.len == 0 && name == NULL)
        return;
    uint32_t at = add_object(s, "file");
    if (file.len > 0)
        stix_tree_text(s->t, at, "name", file);
    if (path.len > file.len) {
        size_t len = path.len - file.len;
        uint32_t folder = add_map(s, at, "parent_directory_ref");
        stix_tree_text(s->t, folder, "path", slice_head(path, len > 1 ? len - 1 : 1));
    }
    if (name != NULL)
        stix_tree_text(s->t, add_map(s, at, "hashes"), name, canonical(s, OBSERVE_DIGEST, digest));
}

static void see_host(const struct seen *s)
{
    struct slice process = text_field(s, EV_F_PROCESS), path = text_field(s, EV_F_PATH);
    struct slice after = text_field(s, EV_F_HASH_AFTER);

    /* The digest is that of the file that is named; of the program when no other file is. */
    see_file(s, path, path.len > 0 || process.len == 0 ? after : slice_make(NULL, 0));
    see_file(s, path, text_field(s, EV_F_HASH_BEFORE));
    if (process.len > 0) {
        uint32_t at = add_object(s, "process");
        add_uint(s, at, "pid", EV_F_PID);
        stix_tree_text(s->t, add_map(s, at, "image_ref"), "name", observe_file_name(process));
        see_file(s, process, path.len == 0 ? after : slice_make(NULL, 0));
    }
    if (text_field(s, EV_F_USER).len > 0) {
        uint32_t at = add_object(s, "user-account");
        add_text(s, at, "user_id", EV_F_USER);
        add_text(s, at, "account_login", EV_F_USER);
    }
    if (text_field(s, EV_F_SERIAL).len + text_field(s, EV_F_ISSUER).len + text_field(s, EV_F_SUBJECT).len > 0) {
        uint32_t at = add_object(s, "x509-certificate");
        add_text(s, at, "serial_number", EV_F_SERIAL);
        add_text(s, at, "issuer", EV_F_ISSUER);
        add_text(s, at, "subject", EV_F_SUBJECT);
    }
    if (text_field(s, EV_F_COMPONENT).len > 0) {
        uint32_t at = add_object(s, "software");
        add_text(s, at, "name", EV_F_COMPONENT);
        add_text(s, at, "version", EV_F_VERSION);
    }
}

static void see_can(const struct seen *s)
{
    const struct ev_field *extended = event_get(s->ev, EV_F_EXTENDED), *data = event_get(s->ev, EV_F_DATA);

    if (event_get(s->ev, EV_F_CAN_ID) == NULL)
        return;
    uint32_t at = add_object(s, "x-openvsoc-can");
    add_uint(s, at, "can_id", EV_F_CAN_ID);
    stix_tree_bool(s->t, at, "extended", extended != NULL && extended->value.u != 0);
    add_uint(s, at, "dlc", EV_F_DLC);
    if (s->ev->bus.len > 0)
        stix_tree_text(s->t, at, "bus", s->ev->bus);
    uint32_t bytes = data == NULL ? STIX_TREE_NONE : stix_tree_add(s->t, at, slice_str("data_hex"), STIX_VALUE_BYTES);
    if (bytes != STIX_TREE_NONE)
        s->t->value[bytes].value.s = data->value.s;
}

static void see_field(const struct seen *s, uint32_t fields, const struct ev_field *f)
{
    const struct ev_field_info *info = ev_field_find(f->id);
    double scale = 1;

    if (info->kind == EV_KIND_TEXT)
        stix_tree_text(s->t, fields, info->name, f->value.s);
    else if (info->kind == EV_KIND_BOOL)
        stix_tree_bool(s->t, fields, info->name, f->value.u != 0);
    else if (info->kind == EV_KIND_UINT && f->value.u <= INT64_MAX)
        stix_tree_int(s->t, fields, info->name, (int64_t)f->value.u);
    else if (info->kind == EV_KIND_INT && info->decimals == 0)
        stix_tree_int(s->t, fields, info->name, f->value.i);
    else if (info->kind == EV_KIND_INT) {
        uint32_t at = stix_tree_add(s->t, fields, slice_str(info->name), STIX_VALUE_FLOAT);
        for (uint8_t i = 0; i < info->decimals; i++)
            scale *= 10;
        if (at != STIX_TREE_NONE)
            s->t->value[at].value.d = (double)f->value.i / scale;
    }
}

static void see_techniques(const struct seen *s, uint32_t parent, const char *atm)
{
    uint32_t list = stix_tree_add(s->t, parent, slice_str("atm"), STIX_VALUE_LIST);

    while (*atm != '\0') {
        size_t len = strcspn(atm, ",");
        uint32_t at = stix_tree_add(s->t, list, slice_make(NULL, 0), STIX_VALUE_TEXT);
        if (at != STIX_TREE_NONE)
            s->t->value[at].value.s = observe_technique(slice_make(atm, len));
        atm += len + (atm[len] == ',');
    }
}

static void see_event(const struct seen *s)
{
    static const char *const PRIORITY[] = {"low", "medium", "critical"};
    const struct ev_type_info *type = ev_type_find(s->ev->type);
    uint8_t *buf = stix_tree_copy(s->t, EV_SIGNATURE_MAX);
    uint32_t at = add_object(s, "x-openvsoc-event");
    struct writer w;

    if (at == STIX_TREE_NONE || buf == NULL)
        return;
    stix_tree_text(s->t, at, "event_type", slice_str(type->name));
    writer_init(&w, buf, EV_SIGNATURE_MAX);
    event_signature(s->ev, &w);
    stix_tree_text(s->t, at, "signature", writer_slice(&w));
    if (s->ev->ecu.len > 0)
        stix_tree_text(s->t, at, "ecu", s->ev->ecu);
    if (s->ev->bus.len > 0)
        stix_tree_text(s->t, at, "bus", s->ev->bus);
    if (s->ev->sensor.len > 0)
        stix_tree_text(s->t, at, "sensor", s->ev->sensor);
    stix_tree_text(s->t, at, "priority", slice_str(PRIORITY[s->ev->priority]));
    see_techniques(s, at, type->atm);
    uint32_t fields = add_map(s, at, "fields");
    for (uint8_t i = 0; i < s->ev->field_count; i++)
        see_field(s, fields, &s->ev->field[i]);
}

void observe_event(const struct event *ev, struct stix_tree *t, struct stix_observation *ret)
{
    struct seen s = {ev, t, ret};

    stix_tree_reset(t);
    ret->object_count = 0;
    ret->first_us = ev->first_us;
    ret->last_us = ev->last_us;
    ret->number = 1;
    see_network(&s);
    see_host(&s);
    see_can(&s);
    see_event(&s);
}
