/* gptp: the messages of generalized precision time by which a clock becomes everybody's clock.
 *
 *     0  u4 1 (gPTP), u4 message type    1  u4, u4 version (2)    2  u16 length    4  u8 domain    6  u16 flags
 *     8  i64 correction    20  10 source port identity    30  u16 sequence    33  i8 log interval    34  body
 *     announce (B): 10, i16, 1, u8 priority 1, u8 class, u8 accuracy, u16 variance, u8 priority 2, 8 grandmaster, u16
 * steps removed follow-up (8): 6 + 4 precise time of origin
 *
 * Memory: a value. Cost: constant. Threads: no state. Source: IEEE 802.1AS-2020, 10.6 and 11.4. */
#ifndef CODEC_GPTP_H
#define CODEC_GPTP_H

#include "codec/byte_fault.h"

#define GPTP_IDENTITY_SIZE 8

enum gptp_type { GPTP_SYNC = 0, GPTP_DELAY_REQUEST = 2, GPTP_DELAY_ANSWER = 3, GPTP_FOLLOW_UP = 8, GPTP_ANNOUNCE = 11 };

struct gptp {
    uint8_t type; /* enum gptp_type, or any other */
    uint8_t domain;
    uint16_t sequence;
    uint8_t source[GPTP_IDENTITY_SIZE];        /* clock identity of the port that sent it */
    uint8_t grandmaster[GPTP_IDENTITY_SIZE];   /* GPTP_ANNOUNCE */
    uint8_t priority1, clock_class, priority2; /* GPTP_ANNOUNCE */
    uint16_t steps_removed;                    /* GPTP_ANNOUNCE */
    uint64_t origin_us;                        /* GPTP_FOLLOW_UP: since the epoch of the time scale */
};

/* `in` is the payload of EtherType 88F7. */
VS_MUST_USE enum vs_err gptp_read(struct slice in, struct gptp *ret, struct byte_fault *ret_fault);

#endif
