/* pcap: reads packet captures, libpcap's own format and pcapng, one record at a time.
 *
 * libpcap: a header of 24 bytes, then records, all in the byte order that the magic number shows:
 *
 *     header: u32 magic (A1B2C3D4 times in us, A1B23C4D times in ns), u16 major (2), u16 minor, u32, u32,
 *             u32 snap length, u32 link type
 *     record: u32 seconds, u32 fraction, u32 bytes kept, u32 bytes on the wire, then the bytes kept
 *
 * pcapng: blocks of u32 type, u32 total length, body, u32 total length again; padded to 4 bytes.
 *
 *     0A0D0D0A  section header: u32 magic 1A2B3C4D (shows the byte order until the next section), u16 major (1), ..
 *     1  interface description: u16 link type, u16, u32 snap length,
 *        options: 2 name, 9 resolution of times, 14 offset in s
 *     6  enhanced packet: u32 interface, u64 time (high half first), u32 bytes kept, u32 bytes on the wire, bytes,
 *        options: 2 flags (bits 0 and 1: 1 received, 2 sent), 4 u64 packets dropped before
 *     2  packet (obsolete): u16 interface, u16 drops, then as in 6
 *     3  simple packet: u32 bytes on the wire, bytes; no time
 *
 * Other blocks are passed over. The upper half of the link type (frame check sequences) is ignored.
 *
 * Memory: the state below, with up to PCAP_INTERFACES_MAX interfaces; packets are borrowed from the input, names of
 * interfaces are kept as up to PCAP_NAME_MAX bytes. Cost: one pass. Threads: one owner.
 * Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. */
#ifndef CODEC_PCAP_H
#define CODEC_PCAP_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define PCAP_HEADER_SIZE    24u
#define PCAP_PACKET_MAX     (256u * 1024)
#define PCAP_INTERFACES_MAX 64u
#define PCAP_NAME_MAX       24u

enum pcap_link {
    PCAP_LINK_ETHERNET = 1,
    PCAP_LINK_RAW_IP = 101,
    PCAP_LINK_SLL = 113,
    PCAP_LINK_CAN20B = 190,
    PCAP_LINK_FLEXRAY = 210,
    PCAP_LINK_LIN = 212,
    PCAP_LINK_CAN = 227,
    PCAP_LINK_SLL2 = 276
};

struct pcap_interface {
    uint16_t link; /* enum pcap_link, or any other link type */
    uint8_t name_len;
    uint8_t name[PCAP_NAME_MAX]; /* "" when the capture does not say */
    bool binary;                 /* a tick is 2^-power s, else 10^-power s */
    uint8_t power;
    int64_t offset_s;
};

struct pcap {
    bool ng, swapped; /* swapped: big endian */
    bool begun;       /* the file's first header has been read */
    uint32_t interface_count;
    struct pcap_interface interface[PCAP_INTERFACES_MAX];
};

struct pcap_packet {
    int64_t time_us;                        /* since 1970; 0 when the block carries none */
    const struct pcap_interface *interface; /* borrowed from struct pcap */
    struct slice data;                      /* what was kept of it, borrowed from the input */
    uint32_t wire_len;
    bool sent;        /* the capture says that this machine sent it */
    uint64_t dropped; /* packets lost before this one, as the capture says */
};

void pcap_init(struct pcap *p);
/* True for what only a capture begins with. */
bool pcap_is_header(struct slice in);
/* The record at the start of `in`, the file's header at first. *ret_is_packet is false for headers and blocks that
 * carry none. *ret_used is how many bytes it took. VS_ERR_TRUNCATED: `in` ends within it; come back with more. Any
 * other error: *ret_used says how far to go on to be behind it (0: the rest cannot be read), *ret_reason why. */
VS_MUST_USE enum vs_err pcap_record(struct pcap *p, struct slice in, struct pcap_packet *ret_packet,
                                    bool *ret_is_packet, size_t *ret_used, const char **ret_reason);

#endif
