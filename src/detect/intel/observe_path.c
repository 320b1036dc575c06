#include "detect/intel/observe.h"

#include <stdio.h>

#include "core/hex.h"

#define NONE4                                                                                                          \
    {                                                                                                                  \
        EV_F_NONE, EV_F_NONE, EV_F_NONE, EV_F_NONE                                                                     \
    }

static const struct observe_path PATH[] = {
    {"ipv4-addr", "value", OBSERVE_ADDRESS, true, false, {EV_F_SRC_IP, EV_F_DST_IP, EV_F_NONE, EV_F_NONE}},
    {"ipv6-addr", "value", OBSERVE_ADDRESS, true, false, {EV_F_SRC_IP, EV_F_DST_IP, EV_F_NONE, EV_F_NONE}},
    {"network-traffic", "src_ref.value", OBSERVE_ADDRESS, false, false, {EV_F_SRC_IP, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"network-traffic", "dst_ref.value", OBSERVE_ADDRESS, false, false, {EV_F_DST_IP, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"network-traffic", "src_port", OBSERVE_NONE, false, false, {EV_F_SRC_PORT, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"network-traffic", "dst_port", OBSERVE_NONE, false, false, {EV_F_DST_PORT, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"network-traffic", "protocols[*]", OBSERVE_NONE, false, false, {EV_F_PROTOCOL, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"network-traffic", "protocols[0]", OBSERVE_NONE, false, false, {EV_F_PROTOCOL, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"network-traffic",
     "extensions.http-request-ext.request_header.User-Agent",
     OBSERVE_USER_AGENT,
     true,
     false,
     {EV_F_USER_AGENT, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"mac-addr", "value", OBSERVE_MAC, true, false, {EV_F_SRC_MAC, EV_F_DST_MAC, EV_F_MAC_EXPECTED, EV_F_NONE}},
    {"domain-name", "value", OBSERVE_DOMAIN, true, false, {EV_F_DOMAIN, EV_F_URL, EV_F_NONE, EV_F_NONE}},
    {"url", "value", OBSERVE_URL, true, false, {EV_F_URL, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"file", "hashes.*", OBSERVE_DIGEST, true, false, {EV_F_HASH_BEFORE, EV_F_HASH_AFTER, EV_F_NONE, EV_F_NONE}},
    {"file", "name", OBSERVE_FILE_NAME, true, false, {EV_F_PATH, EV_F_PROCESS, EV_F_NONE, EV_F_NONE}},
    {"file", "parent_directory_ref.path", OBSERVE_NONE, false, false, {EV_F_PATH, EV_F_PROCESS, EV_F_NONE, EV_F_NONE}},
    {"process", "image_ref.name", OBSERVE_FILE_NAME, false, false, {EV_F_PROCESS, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"process", "pid", OBSERVE_NONE, false, false, {EV_F_PID, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"user-account", "user_id", OBSERVE_USER, true, false, {EV_F_USER, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"user-account", "account_login", OBSERVE_USER, true, false, {EV_F_USER, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x509-certificate", "serial_number", OBSERVE_SERIAL, true, false, {EV_F_SERIAL, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x509-certificate", "issuer", OBSERVE_ISSUER, true, false, {EV_F_ISSUER, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x509-certificate", "subject", OBSERVE_SUBJECT, true, false, {EV_F_SUBJECT, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"software", "name", OBSERVE_SOFTWARE, true, false, {EV_F_COMPONENT, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"software", "version", OBSERVE_NONE, false, false, {EV_F_VERSION, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x-openvsoc-can", "can_id", OBSERVE_CAN_ID, true, false, {EV_F_CAN_ID, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x-openvsoc-can", "extended", OBSERVE_NONE, false, false, {EV_F_CAN_ID, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x-openvsoc-can", "bus", OBSERVE_NONE, false, false, {EV_F_CAN_ID, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x-openvsoc-can", "dlc", OBSERVE_NONE, false, false, {EV_F_DLC, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x-openvsoc-can", "data_hex", OBSERVE_NONE, false, false, {EV_F_DATA, EV_F_NONE, EV_F_NONE, EV_F_NONE}},
    {"x-openvsoc-event", "signature", OBSERVE_SIGNATURE, true, true, NONE4},
    {"x-openvsoc-event", "event_type", OBSERVE_TYPE, true, true, NONE4},
    {"x-openvsoc-event", "atm[*]", OBSERVE_ATM, true, true, NONE4},
    {"x-openvsoc-event", "ecu", OBSERVE_NONE, false, true, NONE4},
    {"x-openvsoc-event", "bus", OBSERVE_NONE, false, true, NONE4},
    {"x-openvsoc-event", "sensor", OBSERVE_NONE, false, true, NONE4},
    {"x-openvsoc-event", "priority", OBSERVE_NONE, false, true, NONE4},
    {"x-openvsoc-event", "fields.*", OBSERVE_NONE, false, false, NONE4},
};
#define PATH_COUNT (sizeof PATH / sizeof PATH[0])

static uint8_t field_named(struct slice name)
{
    const struct ev_field_info *f;

    for (unsigned id = 0; id < EV_F_NONE && (f = ev_field_find((uint8_t)id)) != NULL; id++)
        if (slice_equal_str(name, f->name))
            return (uint8_t)id;
    return EV_F_NONE;
}

static struct slice second_key(const struct stix_pattern *p, const struct stix_node *n)
{
    const struct stix_step *s = &p->step[n->step + 1];

    return n->step_count == 2 && s->kind == STIX_STEP_KEY ? stix_text(p, s->at, s->len) : slice_make(NULL, 0);
}

const struct observe_path *observe_path_of(const struct stix_pattern *p, const struct stix_node *n)
{
    struct slice object = stix_text(p, n->type_at, n->type_len);
    char text[160];

    stix_path_text(p, n, text, sizeof text);
    if (object.len + 1 >= sizeof text)
        return NULL;
    const char *path = text + object.len + 1;
    for (size_t i = 0; i < PATH_COUNT; i++) {
        size_t len = strlen(PATH[i].path);
        bool any = PATH[i].path[len - 1] == '*' && PATH[i].path[len - 2] == '.';

        if (!slice_equal_str(object, PATH[i].object))
            continue;
        if (!any && strcmp(path, PATH[i].path) == 0)
            return &PATH[i];
        if (any && strncmp(path, PATH[i].path, len - 1) == 0 && second_key(p, n).len > 0)
            return PATH[i].kind != OBSERVE_NONE || field_named(second_key(p, n)) != EV_F_NONE ? &PATH[i] : NULL;
    }
    return NULL;
}

static bool type_has(const struct ev_type_info *type, uint8_t field)
{
    for (uint8_t i = 0; i < type->field_count; i++)
        if (type->field[i] == field)
            return true;
    return false;
}

bool observe_type_shows(const struct ev_type_info *type, const struct observe_path *path, const struct stix_pattern *p,
                        const struct stix_node *n)
{
    if (path->every_type)
        return true;
    if (path->field[0] == EV_F_NONE)
        return type_has(type, field_named(second_key(p, n)));
    for (unsigned i = 0; i < 4 && path->field[i] != EV_F_NONE; i++)
        if (type_has(type, path->field[i]))
            return true;
    return false;
}

enum observe_class observe_class_of(uint8_t field)
{
    switch (field) {
    case EV_F_SRC_IP:
    case EV_F_DST_IP:
        return OBSERVE_ADDRESS;
    case EV_F_SRC_MAC:
    case EV_F_DST_MAC:
    case EV_F_MAC_EXPECTED:
        return OBSERVE_MAC;
    case EV_F_DOMAIN:
        return OBSERVE_DOMAIN;
    case EV_F_URL:
        return OBSERVE_URL;
    case EV_F_HASH_BEFORE:
    case EV_F_HASH_AFTER:
        return OBSERVE_DIGEST;
    case EV_F_PATH:
    case EV_F_PROCESS:
        return OBSERVE_FILE_NAME;
    case EV_F_USER:
        return OBSERVE_USER;
    case EV_F_SERIAL:
        return OBSERVE_SERIAL;
    case EV_F_ISSUER:
        return OBSERVE_ISSUER;
    case EV_F_SUBJECT:
        return OBSERVE_SUBJECT;
    case EV_F_COMPONENT:
        return OBSERVE_SOFTWARE;
    case EV_F_USER_AGENT:
        return OBSERVE_USER_AGENT;
    case EV_F_CAN_ID:
        return OBSERVE_CAN_ID;
    default:
        return OBSERVE_NONE;
    }
}

static struct slice lower_case(struct slice in, uint8_t *buf)
{
    for (size_t i = 0; i < in.len; i++)
        buf[i] = in.ptr[i] >= 'A' && in.ptr[i] <= 'Z' ? (uint8_t)(in.ptr[i] + 32) : in.ptr[i];
    return slice_make(buf, in.len);
}

/* Six pairs of hex digits between colons or dashes. */
static bool mac_key(struct slice in, uint8_t *buf, struct slice *ret)
{
    if (in.len != 17)
        return false;
    *ret = lower_case(in, buf);
    for (size_t i = 0; i < in.len; i++) {
        if (i % 3 == 2 && (buf[i] == ':' || buf[i] == '-'))
            buf[i] = ':';
        else if (i % 3 == 2 || hex_digit(buf[i]) < 0)
            return false;
    }
    return true;
}

bool observe_key(enum observe_class kind, struct slice value, uint8_t *buf, struct slice *ret)
{
    if (value.len == 0 || value.len > OBSERVE_KEY_MAX)
        return false;
    switch (kind) {
    case OBSERVE_DOMAIN:
        if (value.ptr[value.len - 1] == '.') /* the root, which most leave out */
            value.len--;
        *ret = lower_case(value, buf);
        return value.len > 0;
    case OBSERVE_DIGEST:
        *ret = lower_case(value, buf);
        for (size_t i = 0; i < value.len; i++)
            if (hex_digit(buf[i]) < 0)
                return false;
        return true;
    case OBSERVE_MAC:
        return mac_key(value, buf, ret);
    case OBSERVE_NONE:
    case OBSERVE_ADDRESS:
    case OBSERVE_CAN_ID:
    case OBSERVE_CLASS_COUNT:
        return false;
    case OBSERVE_URL:
    case OBSERVE_FILE_NAME:
    case OBSERVE_USER:
    case OBSERVE_SERIAL:
    case OBSERVE_ISSUER:
    case OBSERVE_SUBJECT:
    case OBSERVE_SOFTWARE:
    case OBSERVE_USER_AGENT:
    case OBSERVE_SIGNATURE:
    case OBSERVE_TYPE:
    case OBSERVE_ATM:
        break;
    }
    memcpy(buf, value.ptr, value.len);
    *ret = slice_make(buf, value.len);
    return true;
}

struct slice observe_host(struct slice url)
{
    size_t start = 0, end;

    for (size_t i = 0; i + 2 < url.len && start == 0; i++)
        if (url.ptr[i] == ':' && url.ptr[i + 1] == '/' && url.ptr[i + 2] == '/')
            start = i + 3;
    if (start == 0)
        return slice_make(NULL, 0);
    for (end = start; end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?' && url.ptr[end] != '#'; end++)
        if (url.ptr[end] == '@') /* behind a name and password */
            start = end + 1;
    struct slice host = slice_make(url.ptr + start, end - start);
    const uint8_t *colon = host.len > 0 && host.ptr[0] != '[' ? memchr(host.ptr, ':', host.len) : NULL;
    return colon != NULL ? slice_head(host, (size_t)(colon - host.ptr)) : host;
}

struct slice observe_file_name(struct slice path)
{
    for (size_t i = path.len; i-- > 0;)
        if (path.ptr[i] == '/' || path.ptr[i] == '\\')
            return slice_from(path, i + 1);
    return path;
}

struct slice observe_technique(struct slice id)
{
    static const struct slice MATRIX = SLICE_LIT("ATM-");

    return slice_starts(id, MATRIX) ? slice_from(id, MATRIX.len) : id;
}
