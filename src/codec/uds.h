/* uds: what a diagnostic message says (ISO 14229-1), the same over ISO-TP, DoIP or a log.
 *
 * A request is its service id and parameters, a positive response has 0x40 added to the service id, a negative response
 * is 7F, service id, negative response code. 0x34 to 0x37 are service ids and response codes alike: so nothing here is
 * a bare byte, rules see (is_response, sid, nrc). The suppress bit of a sub-function is masked and told apart.
 *
 * Memory: parameters are borrowed from the payload. Threads: no state. Cost: O(1). */
#ifndef CODEC_UDS_H
#define CODEC_UDS_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

enum uds_sid {
    UDS_SESSION_CONTROL = 0x10,
    UDS_ECU_RESET = 0x11,
    UDS_CLEAR_DTC = 0x14,
    UDS_READ_DTC = 0x19,
    UDS_READ_DID = 0x22,
    UDS_READ_MEMORY = 0x23,
    UDS_READ_SCALING = 0x24,
    UDS_SECURITY_ACCESS = 0x27,
    UDS_COMMUNICATION_CONTROL = 0x28,
    UDS_AUTHENTICATION = 0x29,
    UDS_READ_PERIODIC = 0x2A,
    UDS_DEFINE_DID = 0x2C,
    UDS_WRITE_DID = 0x2E,
    UDS_IO_CONTROL = 0x2F,
    UDS_ROUTINE_CONTROL = 0x31,
    UDS_REQUEST_DOWNLOAD = 0x34,
    UDS_REQUEST_UPLOAD = 0x35,
    UDS_TRANSFER_DATA = 0x36,
    UDS_TRANSFER_EXIT = 0x37,
    UDS_FILE_TRANSFER = 0x38,
    UDS_WRITE_MEMORY = 0x3D,
    UDS_TESTER_PRESENT = 0x3E,
    UDS_ACCESS_TIMING = 0x83,
    UDS_SECURED_DATA = 0x84,
    UDS_CONTROL_DTC_SETTING = 0x85,
    UDS_RESPONSE_ON_EVENT = 0x86,
    UDS_LINK_CONTROL = 0x87
};

enum uds_nrc {
    UDS_NRC_SERVICE_NOT_SUPPORTED = 0x11,
    UDS_NRC_SUBFUNCTION_NOT_SUPPORTED = 0x12,
    UDS_NRC_BAD_LENGTH = 0x13,
    UDS_NRC_CONDITIONS_NOT_CORRECT = 0x22,
    UDS_NRC_SEQUENCE = 0x24,
    UDS_NRC_OUT_OF_RANGE = 0x31,
    UDS_NRC_SECURITY_ACCESS_DENIED = 0x33,
    UDS_NRC_AUTHENTICATION_REQUIRED = 0x34,
    UDS_NRC_INVALID_KEY = 0x35,
    UDS_NRC_TOO_MANY_ATTEMPTS = 0x36,
    UDS_NRC_DELAY_NOT_EXPIRED = 0x37,
    UDS_NRC_RESPONSE_PENDING = 0x78
};

struct uds {
    uint8_t sid; /* of the request, in responses too */
    bool is_response;
    bool negative;
    uint8_t nrc; /* negative only */
    bool has_sub;
    uint8_t sub;   /* sub-function without its suppress bit */
    bool suppress; /* request: no positive response wanted */
    bool has_did;
    uint16_t did;       /* data identifier: first one of 22, 24, 2C; the one of 2E, 2F; routine id of 31 */
    struct slice param; /* what follows the parts above; borrowed */
};

/* False only for an empty payload or a negative response shorter than 3 bytes (VS_ERR_TRUNCATED); a known service with
 * too few bytes leaves has_sub or has_did false. */
VS_MUST_USE enum vs_err uds_parse(struct slice payload, struct uds *ret);

/* Names as in ISO 14229-1, e.g. "SecurityAccess", "invalidKey"; NULL when the byte names none. */
const char *uds_service_name(uint8_t sid);
const char *uds_nrc_name(uint8_t nrc);
/* True for services whose first parameter is a sub-function. */
bool uds_has_sub(uint8_t sid);

/* Who speaks on a CAN id by the usual assignment (ISO 15765-4): 7E0 to 7E7 and 18DAxxF1 ask, 7E8 to 7EF and 18DAF1xx
 * answer, 7DF and 18DB33F1 ask everybody. */
enum uds_role { UDS_ROLE_NONE, UDS_ROLE_REQUEST, UDS_ROLE_RESPONSE, UDS_ROLE_FUNCTIONAL };
enum uds_role uds_can_role(uint32_t id, bool extended);
/* The id that answers a physical request, or is answered by a response; 0 for others. */
uint32_t uds_can_peer(uint32_t id, bool extended);

#endif
