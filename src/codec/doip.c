#include "codec/doip.h"

#include "core/cursor.h"

#define VERSION_LAST 4u
#define VIN_SIZE     17u
#define ID_SIZE      6u

static const struct {
    uint16_t type;
    const char *name;
    uint32_t length_min, length_max;
} TYPE[] = {{DOIP_HEADER_NACK, "header_nack", 1, 1},
            {DOIP_IDENTIFY, "identification_request", 0, 0},
            {DOIP_IDENTIFY_EID, "identification_request_eid", 6, 6},
            {DOIP_IDENTIFY_VIN, "identification_request_vin", 17, 17},
            {DOIP_ANNOUNCEMENT, "announcement", 32, 33},
            {DOIP_ACTIVATION, "routing_activation", 7, 12},
            {DOIP_ACTIVATION_ANSWER, "routing_activation_response", 9, 13},
            {DOIP_ALIVE_CHECK, "alive_check", 0, 0},
            {DOIP_ALIVE, "alive_check_response", 2, 2},
            {DOIP_ENTITY_STATUS_CHECK, "entity_status_request", 0, 0},
            {DOIP_ENTITY_STATUS, "entity_status", 3, 7},
            {DOIP_POWER_MODE_CHECK, "power_mode_request", 0, 0},
            {DOIP_POWER_MODE, "power_mode", 1, 1},
            {DOIP_DIAGNOSTIC, "diagnostic_message", 5, UINT32_MAX},
            {DOIP_DIAGNOSTIC_ACK, "diagnostic_ack", 5, UINT32_MAX},
            {DOIP_DIAGNOSTIC_NACK, "diagnostic_nack", 5, UINT32_MAX}};
#define TYPE_COUNT (sizeof TYPE / sizeof TYPE[0])

const char *doip_type_name(uint16_t type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (TYPE[i].type == type)
            return TYPE[i].name;
    return NULL;
}

/* Optional parts come in one size: 7 or 11 bytes of an activation (one more in version 1), 9 or 13 of its answer, 3 or
 * 7 of an entity's status. */
static bool length_fits(const struct doip *m, size_t type)
{
    if (m->length < TYPE[type].length_min || m->length > TYPE[type].length_max)
        return false;
    switch (m->type) {
    case DOIP_ACTIVATION:
        return (m->length - (m->version == 1)) % 4 == 3;
    case DOIP_ACTIVATION_ANSWER:
        return m->length == 9 || m->length == 13;
    case DOIP_ENTITY_STATUS:
        return m->length == 3 || m->length == 7;
    default:
        return true;
    }
}

static void take_code(struct doip *m, struct cursor *c)
{
    m->code = cursor_u8(c);
    m->has_code = true;
}

static void take_source(struct doip *m, struct cursor *c)
{
    m->source = cursor_u16be(c);
    m->has_source = true;
}

static void take_target(struct doip *m, struct cursor *c)
{
    m->target = cursor_u16be(c);
    m->has_target = true;
}

static void take_announcement(struct doip *m, struct cursor *c)
{
    m->vin = cursor_bytes(c, VIN_SIZE);
    take_source(m, c);
    m->eid = cursor_bytes(c, ID_SIZE);
    m->gid = cursor_bytes(c, ID_SIZE);
    take_code(m, c);
}

/* Lengths have been checked, so nothing here can run short. */
static void take_payload(struct doip *m, struct cursor *c)
{
    switch ((enum doip_type)m->type) {
    case DOIP_IDENTIFY_EID:
        m->eid = cursor_bytes(c, ID_SIZE);
        break;
    case DOIP_IDENTIFY_VIN:
        m->vin = cursor_bytes(c, VIN_SIZE);
        break;
    case DOIP_ANNOUNCEMENT:
        take_announcement(m, c);
        break;
    case DOIP_ACTIVATION:
        take_source(m, c);
        m->activation_type = m->version == 1 ? (uint8_t)cursor_u16be(c) : cursor_u8(c);
        break;
    case DOIP_ACTIVATION_ANSWER:
    case DOIP_DIAGNOSTIC_ACK:
    case DOIP_DIAGNOSTIC_NACK:
        take_source(m, c);
        take_target(m, c);
        take_code(m, c);
        break;
    case DOIP_ALIVE:
        take_source(m, c);
        break;
    case DOIP_ENTITY_STATUS:
        take_code(m, c);
        m->sockets_max = cursor_u8(c);
        m->sockets_open = cursor_u8(c);
        break;
    case DOIP_HEADER_NACK:
    case DOIP_POWER_MODE:
        take_code(m, c);
        break;
    case DOIP_DIAGNOSTIC:
        take_source(m, c);
        take_target(m, c);
        m->uds = cursor_bytes(c, cursor_left(c));
        break;
    case DOIP_IDENTIFY:
    case DOIP_ALIVE_CHECK:
    case DOIP_ENTITY_STATUS_CHECK:
    case DOIP_POWER_MODE_CHECK:
        break;
    }
}

static enum vs_err check_version(const struct doip *m, uint8_t inverse, struct byte_fault *fault)
{
    if ((m->version ^ inverse) != 0xFF)
        return byte_fault_set(fault, VS_ERR_MALFORMED, 1, "DoIP version and its inverse disagree");
    if (m->version == DOIP_VERSION_ANY && m->type >= DOIP_IDENTIFY && m->type <= DOIP_IDENTIFY_VIN)
        return VS_OK;
    if (m->version < 1 || m->version > VERSION_LAST)
        return byte_fault_set(fault, VS_ERR_UNSUPPORTED, 0, "DoIP version unknown");
    return VS_OK;
}

enum vs_err doip_read(struct slice in, struct doip *ret, size_t *ret_used, struct byte_fault *ret_fault)
{
    struct doip m = {0};
    struct cursor c;
    size_t type = 0;

    *ret_used = 0;
    cursor_init(&c, in);
    m.version = cursor_u8(&c);
    uint8_t inverse = cursor_u8(&c);
    m.type = cursor_u16be(&c);
    m.length = cursor_u32be(&c);
    if (c.failed)
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, in.len, "shorter than a DoIP header");
    enum vs_err err = check_version(&m, inverse, ret_fault);
    if (err != VS_OK)
        return err;
    *ret_used = (size_t)m.length + DOIP_HEADER_SIZE;
    while (type < TYPE_COUNT && TYPE[type].type != m.type)
        type++;
    if (type == TYPE_COUNT)
        return byte_fault_set(ret_fault, VS_ERR_UNSUPPORTED, 2, "DoIP payload type unknown");
    if (!length_fits(&m, type))
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, 4, "DoIP length does not fit the payload type");
    if (m.length > cursor_left(&c))
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, 4, "DoIP length beyond what is there");
    m.payload = cursor_bytes(&c, m.length);
    cursor_init(&c, m.payload);
    take_payload(&m, &c);
    *ret = m;
    return VS_OK;
}
