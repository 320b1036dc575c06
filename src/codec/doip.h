/* doip: one message of diagnostics over IP.
 *
 *     0  u8 version (1: 2010, 2: 2012, 3: 2019, 4: 2019 with amendment, FF: any, in identification requests)
 *     1  u8 version inverted    2  u16 payload type    4  u32 payload length    8  payload
 *
 *     0000 header refused: u8 code               0001, 0002, 0003 who is there: -, EID 6, VIN 17
 *     0004 announcement: VIN 17, u16 address, EID 6, GID 6, u8 action, [u8 sync]
 *     0005 activate routing: u16 tester, u8 type, 4, [4]     0006 answer: u16 tester, u16 entity, u8 code, 4, [4]
 *     0007 alive?    0008 alive: u16 tester      4001 entity status?    4002 u8 node, u8 most, u8 open, [u32 largest]
 *     4003 power mode?    4004 u8 mode           8001 diagnosis: u16 from, u16 to, UDS
 *     8002, 8003 taken, refused: u16 from, u16 to, u8 code, [start of the request]
 *
 * In version 1 the activation type has two bytes. Payload types and lengths that are not in this list are refused.
 *
 * Memory: nothing kept, slices borrowed. Cost: constant. Threads: no state. Source: ISO 13400-2:2019, tables 16 to 48.
 */
#ifndef CODEC_DOIP_H
#define CODEC_DOIP_H

#include "codec/byte_fault.h"

#define DOIP_HEADER_SIZE 8u
#define DOIP_PORT        13400
#define DOIP_TLS_PORT    3496
#define DOIP_VERSION_ANY 0xFFu

enum doip_type {
    DOIP_HEADER_NACK = 0x0000,
    DOIP_IDENTIFY = 0x0001,
    DOIP_IDENTIFY_EID = 0x0002,
    DOIP_IDENTIFY_VIN = 0x0003,
    DOIP_ANNOUNCEMENT = 0x0004,
    DOIP_ACTIVATION = 0x0005,
    DOIP_ACTIVATION_ANSWER = 0x0006,
    DOIP_ALIVE_CHECK = 0x0007,
    DOIP_ALIVE = 0x0008,
    DOIP_ENTITY_STATUS_CHECK = 0x4001,
    DOIP_ENTITY_STATUS = 0x4002,
    DOIP_POWER_MODE_CHECK = 0x4003,
    DOIP_POWER_MODE = 0x4004,
    DOIP_DIAGNOSTIC = 0x8001,
    DOIP_DIAGNOSTIC_ACK = 0x8002,
    DOIP_DIAGNOSTIC_NACK = 0x8003
};

#define DOIP_ACTIVATED 0x10 /* code of an activation answer */

struct doip {
    uint8_t version;
    uint16_t type;   /* enum doip_type */
    uint32_t length; /* as in the header */
    uint16_t source; /* tester of an activation and its answer, sender of a diagnosis; address of an announcement */
    uint16_t target;
    bool has_source, has_target;
    uint8_t code; /* of refusals and answers; node type, power mode, further action */
    bool has_code;
    uint8_t activation_type;
    uint8_t sockets_max, sockets_open; /* entity status */
    struct slice vin, eid, gid;        /* announcement and identification; empty otherwise */
    struct slice uds;                  /* diagnosis: the UDS message */
    struct slice payload;
};

/* The message at the start of `in`. *ret_used as for someip_read. VS_ERR_TRUNCATED: `in` ends within it.
 * VS_ERR_MALFORMED: the version's two bytes disagree, or the payload's length does not fit its type.
 * VS_ERR_UNSUPPORTED: version or payload type unknown. */
VS_MUST_USE enum vs_err doip_read(struct slice in, struct doip *ret, size_t *ret_used, struct byte_fault *ret_fault);
/* Name of a payload type; NULL when it has none. */
const char *doip_type_name(uint16_t type);

#endif
