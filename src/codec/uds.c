#include "codec/uds.h"

#define NEGATIVE        0x7F
#define RESPONSE_OFFSET 0x40
#define SUPPRESS_BIT    0x80

bool uds_has_sub(uint8_t sid)
{
    switch (sid) {
    case UDS_SESSION_CONTROL:
    case UDS_ECU_RESET:
    case UDS_READ_DTC:
    case UDS_SECURITY_ACCESS:
    case UDS_COMMUNICATION_CONTROL:
    case UDS_AUTHENTICATION:
    case UDS_DEFINE_DID:
    case UDS_ROUTINE_CONTROL:
    case UDS_TESTER_PRESENT:
    case UDS_ACCESS_TIMING:
    case UDS_CONTROL_DTC_SETTING:
    case UDS_RESPONSE_ON_EVENT:
    case UDS_LINK_CONTROL:
        return true;
    default:
        return false;
    }
}

/* Services whose next two bytes name a data identifier or a routine. */
static bool has_did(uint8_t sid)
{
    switch (sid) {
    case UDS_READ_DID:
    case UDS_READ_SCALING:
    case UDS_DEFINE_DID:
    case UDS_WRITE_DID:
    case UDS_IO_CONTROL:
    case UDS_ROUTINE_CONTROL:
        return true;
    default:
        return false;
    }
}

/* A response never has 0x40 clear and a request never has it set (ISO 14229-1 table 2), except that 0x7F is negative.
 */
static void take_parameters(struct uds *u, struct slice rest)
{
    if (uds_has_sub(u->sid) && rest.len >= 1) {
        u->has_sub = true;
        u->sub = rest.ptr[0] & (uint8_t)~SUPPRESS_BIT;
        u->suppress = !u->is_response && (rest.ptr[0] & SUPPRESS_BIT) != 0;
        rest = slice_from(rest, 1);
    }
    if (has_did(u->sid) && rest.len >= 2) {
        u->has_did = true;
        u->did = (uint16_t)(rest.ptr[0] << 8 | rest.ptr[1]);
        rest = slice_from(rest, 2);
    }
    u->param = rest;
}

enum vs_err uds_parse(struct slice payload, struct uds *ret)
{
    struct uds u = {0};

    if (payload.len == 0)
        return VS_ERR_TRUNCATED;
    if (payload.ptr[0] == NEGATIVE) {
        if (payload.len < 3)
            return VS_ERR_TRUNCATED;
        u.is_response = true;
        u.negative = true;
        u.sid = payload.ptr[1];
        u.nrc = payload.ptr[2];
        u.param = slice_from(payload, 3);
    } else {
        u.is_response = (payload.ptr[0] & RESPONSE_OFFSET) != 0;
        u.sid = payload.ptr[0] & (uint8_t)~RESPONSE_OFFSET;
        take_parameters(&u, slice_from(payload, 1));
    }
    *ret = u;
    return VS_OK;
}

#define ID_FUNCTIONAL_STD 0x7DFu
#define ID_FUNCTIONAL_EXT 0x18DB33F1u
#define TESTER_ADDRESS    0xF1u

enum uds_role uds_can_role(uint32_t id, bool extended)
{
    if (!extended) {
        if (id == ID_FUNCTIONAL_STD)
            return UDS_ROLE_FUNCTIONAL;
        if (id >= 0x7E0 && id <= 0x7E7)
            return UDS_ROLE_REQUEST;
        return id >= 0x7E8 && id <= 0x7EF ? UDS_ROLE_RESPONSE : UDS_ROLE_NONE;
    }
    if (id == ID_FUNCTIONAL_EXT)
        return UDS_ROLE_FUNCTIONAL;
    if (id >> 16 != 0x18DA)
        return UDS_ROLE_NONE;
    /* 18DA, then the address spoken to, then the one that speaks; testers have F1. */
    if ((id & 0xFF) == TESTER_ADDRESS)
        return UDS_ROLE_REQUEST;
    return (id >> 8 & 0xFF) == TESTER_ADDRESS ? UDS_ROLE_RESPONSE : UDS_ROLE_NONE;
}

uint32_t uds_can_peer(uint32_t id, bool extended)
{
    enum uds_role role = uds_can_role(id, extended);

    if (role != UDS_ROLE_REQUEST && role != UDS_ROLE_RESPONSE)
        return 0;
    if (!extended)
        return id ^ 0x8;
    return (id & 0xFFFF0000u) | (id & 0xFF) << 8 | (id >> 8 & 0xFF);
}
