/* eth_packet: the layers of one captured packet up to UDP, TCP or ARP, without copying.
 *
 *     Ethernet   6 destination, 6 source, u16 type; 8100, 88A8, 9100: u16 tag (bits 0 to 11: VLAN), u16 type again
 *     cooked     SLL: u16 packet type, u16, u16 address length, 8 address, u16 type; SLL2: u16 type, .., 8 address at
 * 12 ARP        u16 hardware (1), u16 protocol (0800), u8 6, u8 4, u16 operation, 6 + 4 sender, 6 + 4 target IPv4 4
 * version, 4 header words, .., u16 length, .., flags and fragment offset, u8 ttl, u8 protocol, .., 4 + 4 IPv6       4
 * version, .., u16 length, u8 next, u8 hops, 16 + 16; hop-by-hop, routing, fragment, destination options UDP        u16
 * source, u16 destination, u16 length, u16 checksum TCP        u16 source, u16 destination, u32 sequence, u32
 * acknowledged, 4 header words, .., u8 flags, .. ICMPv6     u8 type; 135 and 136 are neighbour solicitation and
 * advertisement: 16 target at 8, options from 24
 *
 * A packet cut short by the capture (snap length) reads as far as it goes, with `cut` set. What contradicts itself is
 * refused with its byte. Checksums are not looked at: captures on the sending machine have none.
 *
 * Memory: a value; payload is borrowed from the packet. Cost: constant, at most ETH_TAGS_MAX tags and
 * ETH_EXTENSIONS_MAX IPv6 extension headers. Threads: no state.
 * Source: IEEE 802.3, 802.1Q; RFC 826, 791, 8200, 768, 9293, 4861; LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2. */
#ifndef CODEC_ETH_PACKET_H
#define CODEC_ETH_PACKET_H

#include "codec/byte_fault.h"

#define ETH_MAC_SIZE       6
#define ETH_TAGS_MAX       3
#define ETH_EXTENSIONS_MAX 8
#define ETH_VLAN_NONE      0xFFFFu

enum eth_type {
    ETH_TYPE_IP4 = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_VLAN = 0x8100,
    ETH_TYPE_IP6 = 0x86DD,
    ETH_TYPE_QINQ = 0x88A8,
    ETH_TYPE_PTP = 0x88F7,
    ETH_TYPE_AVTP = 0x22F0,
    ETH_TYPE_MACSEC = 0x88E5
};

enum ip_protocol { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMP6 = 58 };

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* An address of either family; IPv4 takes the first four bytes, the rest is zero. */
struct ip_addr {
    uint8_t family; /* 0 none, 4, 6 */
    uint8_t byte[16];
};

struct eth_arp {
    uint16_t operation; /* 1 request, 2 reply */
    uint8_t sender_mac[ETH_MAC_SIZE], target_mac[ETH_MAC_SIZE];
    struct ip_addr sender, target;
};

struct eth_packet {
    bool has_mac; /* cooked captures have a source only: dst_mac is zero then */
    uint8_t dst_mac[ETH_MAC_SIZE], src_mac[ETH_MAC_SIZE];
    uint16_t vlan; /* innermost tag; ETH_VLAN_NONE */
    uint8_t tag_count;
    uint16_t type; /* enum eth_type, after the tags; below 0x600 it is a length (802.3) */
    bool cut;
    bool is_arp;
    struct eth_arp arp;
    struct ip_addr src, dst; /* family 0: no IP packet */
    uint8_t protocol;        /* enum ip_protocol; valid when src.family is not 0 */
    uint8_t ttl;
    bool fragment;       /* part of a fragmented packet */
    bool fragment_later; /* and not its first part: there are no ports */
    bool has_ports;
    uint16_t src_port, dst_port;
    uint8_t tcp_flags;
    uint32_t tcp_seq, tcp_ack;
    bool is_neighbour; /* ICMPv6 135 or 136: the target, and the hardware address that is claimed for it */
    bool neighbour_advertised;
    struct ip_addr neighbour;
    uint8_t neighbour_mac[ETH_MAC_SIZE]; /* zero when there is no such option */
    struct slice payload;                /* behind the last layer that was read */
    size_t payload_at;                   /* where it begins in the packet */
};

/* `link` is enum pcap_link: Ethernet, raw IP, SLL or SLL2. VS_ERR_NOT_FOUND: of another link type. VS_ERR_TRUNCATED:
 * too short for the first layer. VS_ERR_MALFORMED: a layer contradicts itself; the layers before it are in *ret then,
 * and the payload begins with the broken one. */
VS_MUST_USE enum vs_err eth_packet_read(uint16_t link, struct slice data, struct eth_packet *ret,
                                        struct byte_fault *ret_fault);

/* Text of an address, without a NUL: at most ETH_MAC_TEXT and IP_TEXT bytes (RFC 5952 for IPv6). */
#define ETH_MAC_TEXT 17
#define IP_TEXT      39
struct writer;
void eth_mac_write(struct writer *w, const uint8_t mac[ETH_MAC_SIZE]);
void ip_addr_write(struct writer *w, const struct ip_addr *a);
static inline bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->family == b->family && memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

#endif
