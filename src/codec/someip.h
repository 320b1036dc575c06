/* someip: the header of a SOME/IP message, and the messages of one datagram or stream one after the other.
 *
 *     0  u16 service    2  u16 method (bit 15: event)    4  u32 length of what follows    8  u16 client    10  u16
 * session 12 u8 protocol version (1)    13 u8 interface version    14 u8 message type    15 u8 return code    16
 * payload
 *
 * A message type with bit 5 is a segment (SOME/IP-TP) and has u32 more: offset in units of 16 bytes in bits 4 to 31,
 * bit 0 more segments follow. FFFF0000 and FFFF8000 with DEADBEEF are magic cookies, which mark a place in a TCP
 * stream.
 *
 * Memory: nothing kept, payloads borrowed. Cost: constant a message. Threads: no state.
 * Source: AUTOSAR PRS_SOMEIPProtocol (R22-11), 4.1 and 4.2.1.4. */
#ifndef CODEC_SOMEIP_H
#define CODEC_SOMEIP_H

#include "codec/byte_fault.h"

#define SOMEIP_HEADER_SIZE 16u
#define SOMEIP_EVENT       0x8000u
#define SOMEIP_SD_SERVICE  0xFFFFu
#define SOMEIP_SD_METHOD   0x8100u
#define SOMEIP_SD_PORT     30490

enum someip_type {
    SOMEIP_REQUEST = 0x00,
    SOMEIP_REQUEST_NO_RETURN = 0x01,
    SOMEIP_NOTIFICATION = 0x02,
    SOMEIP_RESPONSE = 0x80,
    SOMEIP_ERROR = 0x81
};
#define SOMEIP_TYPE_TP 0x20u

enum someip_code {
    SOMEIP_OK = 0,
    SOMEIP_NOT_OK = 1,
    SOMEIP_UNKNOWN_SERVICE = 2,
    SOMEIP_UNKNOWN_METHOD = 3,
    SOMEIP_WRONG_INTERFACE_VERSION = 8,
    SOMEIP_MALFORMED = 9
};

struct someip {
    uint16_t service, method, client, session;
    uint32_t length; /* as in the header */
    uint8_t protocol_version, interface_version;
    uint8_t type; /* enum someip_type, without the segment bit */
    uint8_t code; /* enum someip_code */
    bool cookie;
    bool segment, more; /* SOME/IP-TP */
    uint32_t offset;    /* of the segment's payload in the whole, in bytes */
    struct slice payload;
};

/* The message at the start of `in`. *ret_used is how many bytes it takes. VS_ERR_TRUNCATED: `in` ends within it;
 * *ret_used is how long it says it is, 0 when not even that is there. VS_ERR_MALFORMED: length below 8, a segment
 * without its header, or protocol version not 1. */
VS_MUST_USE enum vs_err someip_read(struct slice in, struct someip *ret, size_t *ret_used,
                                    struct byte_fault *ret_fault);

static inline bool someip_is_sd(const struct someip *m)
{
    return m->service == SOMEIP_SD_SERVICE && m->method == SOMEIP_SD_METHOD;
}

/* Name of a message type or a return code; NULL when it has none. */
const char *someip_type_name(uint8_t type);
const char *someip_code_name(uint8_t code);

#endif
