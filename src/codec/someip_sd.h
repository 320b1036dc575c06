/* someip_sd: SOME/IP service discovery: who offers, finds and subscribes to what, and where.
 *
 *     0  u8 flags: 80 reboot, 40 unicast, 20 explicit initial data    4  u32 length of the entries, entries of 16 bytes
 *     then u32 length of the options, options
 *
 *     entry   u8 type, u8 first index, u8 second index, u4 + u4 how many options of each run, u16 service, u16
 * instance, u8 major, u24 seconds to live; services: u32 minor; eventgroups: u12, u4 counter, u16 eventgroup option u16
 * length (behind the type), u8 type, u8 reserved, value 04, 14, 24 IPv4: 4 address, u8, u8 protocol, u16 port; 06, 16,
 * 26 the same with 16 bytes of address (endpoint, multicast, endpoint of the SD itself); 01 configuration, 02 load
 * balancing (u16 priority, u16 weight)
 *
 * A time to live of 0 makes an offer a stop, a subscription a stop, an acknowledgement a refusal.
 * someip_sd_open checks every length and every index once, so that the getters cannot fail.
 *
 * Memory: offsets of up to SOMEIP_SD_OPTIONS_MAX options; all else is borrowed. Cost: one pass. Threads: no state.
 * Source: AUTOSAR PRS_SOMEIPServiceDiscovery (R22-11), 4.1. */
#ifndef CODEC_SOMEIP_SD_H
#define CODEC_SOMEIP_SD_H

#include "codec/eth_packet.h"

#define SOMEIP_SD_OPTIONS_MAX 64
#define SOMEIP_SD_ENTRIES_MAX 256

enum someip_sd_flag { SOMEIP_SD_REBOOT = 0x80, SOMEIP_SD_UNICAST = 0x40 };

enum someip_sd_kind { SOMEIP_SD_FIND = 0, SOMEIP_SD_OFFER = 1, SOMEIP_SD_SUBSCRIBE = 6, SOMEIP_SD_SUBSCRIBE_ACK = 7 };

enum someip_sd_option_kind {
    SOMEIP_SD_CONFIGURATION = 0x01,
    SOMEIP_SD_LOAD = 0x02,
    SOMEIP_SD_IP4 = 0x04,
    SOMEIP_SD_IP6 = 0x06,
    SOMEIP_SD_IP4_MULTICAST = 0x14,
    SOMEIP_SD_IP6_MULTICAST = 0x16,
    SOMEIP_SD_IP4_SD = 0x24,
    SOMEIP_SD_IP6_SD = 0x26
};

struct someip_sd {
    uint8_t flags;
    unsigned entry_count, option_count;
    struct slice entries;
    struct slice options;
    uint16_t option_at[SOMEIP_SD_OPTIONS_MAX]; /* in `options` */
};

struct someip_sd_entry {
    uint8_t kind; /* enum someip_sd_kind, or any other */
    bool stop;    /* time to live is 0 */
    uint8_t major;
    uint16_t service, instance, eventgroup; /* eventgroup: of subscriptions and their answers */
    uint8_t counter;
    uint32_t minor; /* of offers and finds */
    uint32_t ttl_s;
    uint8_t first, first_count, second, second_count; /* the two runs of options */
};

struct someip_sd_option {
    uint8_t kind;        /* enum someip_sd_option_kind, or any other */
    struct ip_addr addr; /* of the endpoints; family 0 otherwise */
    uint8_t protocol;    /* enum ip_protocol */
    uint16_t port;
    struct slice value; /* behind the reserved byte */
};

/* `payload` is that of a message for which someip_is_sd holds. */
VS_MUST_USE enum vs_err someip_sd_open(struct slice payload, struct someip_sd *ret, struct byte_fault *ret_fault);
/* Below entry_count and option_count. */
void someip_sd_entry(const struct someip_sd *sd, unsigned index, struct someip_sd_entry *ret);
void someip_sd_option(const struct someip_sd *sd, unsigned index, struct someip_sd_option *ret);
/* The index of the entry's n-th option, over both runs; -1 behind the last. */
int someip_sd_option_of(const struct someip_sd_entry *e, unsigned n);
/* Name of an entry's kind, its stop form included; NULL when it has none. */
const char *someip_sd_kind_name(uint8_t kind, bool stop);

#endif
