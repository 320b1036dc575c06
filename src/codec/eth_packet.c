#include "codec/eth_packet.h"

#include "codec/pcap.h"
#include "core/cursor.h"

#define TYPE_QINQ_OLD  0x9100u
#define SLL_SIZE       16u
#define SLL2_SIZE      20u
#define ARP_SIZE       28u
#define IP4_MIN        20u
#define IP6_SIZE       40u
#define UDP_SIZE       8u
#define TCP_MIN        20u
#define NEIGHBOUR_SIZE 24u
#define OFFSET_MASK    0x1FFFu
#define MORE_FRAGMENTS 0x2000u

enum extension { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60, MOBILITY = 135 };

struct reader {
    struct cursor c;
    struct eth_packet *p;
    struct byte_fault *fault;
};

static enum vs_err fail(struct reader *r, size_t back, const char *reason)
{
    r->p->payload_at = cursor_pos(&r->c) - back;
    r->p->payload = slice_from(r->c.in, r->p->payload_at);
    return byte_fault_set(r->fault, VS_ERR_MALFORMED, r->p->payload_at, reason);
}

/* The rest of the packet is the payload. */
static enum vs_err finish(struct reader *r)
{
    r->p->payload_at = cursor_pos(&r->c);
    r->p->payload = slice_from(r->c.in, r->p->payload_at);
    return VS_OK;
}

/* A layer that the capture cut short: what is there is payload. */
static enum vs_err cut(struct reader *r)
{
    r->p->cut = true;
    return finish(r);
}

static void take_addr(struct cursor *c, unsigned family, struct ip_addr *ret)
{
    size_t size = family == 4 ? 4 : 16;
    struct slice bytes = cursor_bytes(c, size);

    memset(ret, 0, sizeof *ret);
    if (bytes.len != size)
        return;
    ret->family = (uint8_t)family;
    memcpy(ret->byte, bytes.ptr, size);
}

static void take_mac(struct cursor *c, uint8_t mac[ETH_MAC_SIZE])
{
    struct slice bytes = cursor_bytes(c, ETH_MAC_SIZE);

    if (bytes.len == ETH_MAC_SIZE)
        memcpy(mac, bytes.ptr, ETH_MAC_SIZE);
}

/* ---- link layer */

static enum vs_err take_ethernet(struct reader *r)
{
    if (cursor_left(&r->c) < 2 * ETH_MAC_SIZE + 2)
        return byte_fault_set(r->fault, VS_ERR_TRUNCATED, r->c.in.len, "shorter than an Ethernet header");
    r->p->has_mac = true;
    take_mac(&r->c, r->p->dst_mac);
    take_mac(&r->c, r->p->src_mac);
    r->p->type = cursor_u16be(&r->c);
    return VS_OK;
}

static enum vs_err take_cooked(struct reader *r, bool second)
{
    size_t at = second ? 12 : 6;
    struct cursor c;

    if (cursor_left(&r->c) < (second ? SLL2_SIZE : SLL_SIZE))
        return byte_fault_set(r->fault, VS_ERR_TRUNCATED, r->c.in.len, "shorter than the header of a cooked capture");
    cursor_init(&c, slice_from(r->c.in, at));
    take_mac(&c, r->p->src_mac);
    r->p->has_mac = true;
    cursor_init(&c, slice_from(r->c.in, second ? 0 : 14));
    r->p->type = cursor_u16be(&c);
    (void)cursor_bytes(&r->c, second ? SLL2_SIZE : SLL_SIZE);
    return VS_OK;
}

/* Raw IP says its version in its first half byte. */
static enum vs_err take_raw(struct reader *r)
{
    if (cursor_left(&r->c) == 0)
        return byte_fault_set(r->fault, VS_ERR_TRUNCATED, 0, "empty packet");
    r->p->type = r->c.in.ptr[0] >> 4 == 6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4;
    return VS_OK;
}

static enum vs_err take_link(struct reader *r, uint16_t link)
{
    switch (link) {
    case PCAP_LINK_ETHERNET:
        return take_ethernet(r);
    case PCAP_LINK_SLL:
    case PCAP_LINK_SLL2:
        return take_cooked(r, link == PCAP_LINK_SLL2);
    case PCAP_LINK_RAW_IP:
        return take_raw(r);
    default:
        return byte_fault_set(r->fault, VS_ERR_NOT_FOUND, 0, "not a link type that carries Ethernet or IP");
    }
}

static bool is_tag(uint16_t type)
{
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ || type == TYPE_QINQ_OLD;
}

static enum vs_err take_tags(struct reader *r)
{
    while (is_tag(r->p->type)) {
        if (r->p->tag_count == ETH_TAGS_MAX)
            return fail(r, 0, "more VLAN tags than are followed");
        if (cursor_left(&r->c) < 4)
            return fail(r, 0, "cut within a VLAN tag");
        r->p->vlan = cursor_u16be(&r->c) & 0x0FFFu;
        r->p->type = cursor_u16be(&r->c);
        r->p->tag_count++;
    }
    return VS_OK;
}

/* ---- ARP */

static enum vs_err take_arp(struct reader *r)
{
    struct eth_arp *a = &r->p->arp;

    if (cursor_left(&r->c) < ARP_SIZE)
        return fail(r, 0, "ARP shorter than 28 bytes");
    if (cursor_u16be(&r->c) != 1)
        return fail(r, 2, "ARP of other hardware than Ethernet");
    if (cursor_u16be(&r->c) != ETH_TYPE_IP4)
        return fail(r, 2, "ARP for another protocol than IPv4");
    if (cursor_u8(&r->c) != ETH_MAC_SIZE || cursor_u8(&r->c) != 4)
        return fail(r, 2, "ARP with addresses of odd sizes");
    a->operation = cursor_u16be(&r->c);
    if (a->operation < 1 || a->operation > 4)
        return fail(r, 2, "ARP operation unknown");
    take_mac(&r->c, a->sender_mac);
    take_addr(&r->c, 4, &a->sender);
    take_mac(&r->c, a->target_mac);
    take_addr(&r->c, 4, &a->target);
    r->p->is_arp = true;
    return finish(r);
}

/* ---- above IP */

static enum vs_err take_udp(struct reader *r)
{
    if (cursor_left(&r->c) < UDP_SIZE)
        return r->p->cut ? finish(r) : fail(r, 0, "shorter than a UDP header");
    r->p->src_port = cursor_u16be(&r->c);
    r->p->dst_port = cursor_u16be(&r->c);
    r->p->has_ports = true;
    uint16_t len = cursor_u16be(&r->c);
    (void)cursor_u16be(&r->c);
    if (len < UDP_SIZE)
        return fail(r, 4, "UDP length below its header");
    if (len - UDP_SIZE > cursor_left(&r->c))
        return r->p->cut || r->p->fragment ? finish(r) : fail(r, 4, "UDP length beyond the packet");
    r->c.in.len = cursor_pos(&r->c) + len - UDP_SIZE;
    return finish(r);
}

static enum vs_err take_tcp(struct reader *r)
{
    if (cursor_left(&r->c) < TCP_MIN)
        return r->p->cut ? finish(r) : fail(r, 0, "shorter than a TCP header");
    r->p->src_port = cursor_u16be(&r->c);
    r->p->dst_port = cursor_u16be(&r->c);
    r->p->has_ports = true;
    r->p->tcp_seq = cursor_u32be(&r->c);
    r->p->tcp_ack = cursor_u32be(&r->c);
    size_t header = (size_t)(cursor_u8(&r->c) >> 4) * 4;
    r->p->tcp_flags = cursor_u8(&r->c);
    (void)cursor_bytes(&r->c, 6);
    if (header < TCP_MIN)
        return fail(r, 8, "TCP header length below 20");
    if (header - TCP_MIN > cursor_left(&r->c))
        return r->p->cut ? finish(r) : fail(r, 8, "TCP header longer than the packet");
    if (header > TCP_MIN)
        (void)cursor_bytes(&r->c, header - TCP_MIN);
    return finish(r);
}

/* Options: u8 type, u8 length in units of 8 bytes, value; 1 and 2 are the source's and the target's hardware address.
 */
static void take_neighbour_option(struct reader *r)
{
    struct cursor c = r->c;

    while (cursor_left(&c) >= 8) {
        unsigned type = cursor_u8(&c), size = cursor_u8(&c) * 8u;
        if (size < 8 || size - 2 > cursor_left(&c))
            return;
        if (type == (r->p->neighbour_advertised ? 2u : 1u))
            take_mac(&c, r->p->neighbour_mac);
        else
            (void)cursor_bytes(&c, ETH_MAC_SIZE);
        if (size > 8)
            (void)cursor_bytes(&c, size - 8);
    }
}

static enum vs_err take_icmp6(struct reader *r)
{
    struct cursor c = r->c;
    unsigned type = cursor_u8(&c);

    if ((type != 135 && type != 136) || cursor_left(&r->c) < NEIGHBOUR_SIZE)
        return finish(r);
    r->p->is_neighbour = true;
    r->p->neighbour_advertised = type == 136;
    (void)cursor_bytes(&r->c, 8);
    take_addr(&r->c, 6, &r->p->neighbour);
    take_neighbour_option(r);
    return finish(r);
}

static enum vs_err take_transport(struct reader *r)
{
    if (r->p->fragment_later)
        return finish(r);
    switch (r->p->protocol) {
    case IP_UDP:
        return take_udp(r);
    case IP_TCP:
        return take_tcp(r);
    case IP_ICMP6:
        return take_icmp6(r);
    default:
        return finish(r);
    }
}

/* ---- IP */

/* `len` bytes belong to the packet; padding behind them does not, and fewer there are a capture that was cut. */
static void bound(struct reader *r, size_t len)
{
    if (len < cursor_left(&r->c))
        r->c.in.len = cursor_pos(&r->c) + len;
    else if (len > cursor_left(&r->c))
        r->p->cut = true;
}

static enum vs_err take_ip4(struct reader *r)
{
    if (cursor_left(&r->c) < IP4_MIN)
        return fail(r, 0, "shorter than an IPv4 header");
    unsigned first = cursor_u8(&r->c), header = (first & 15u) * 4;
    if (first >> 4 != 4 || header < IP4_MIN)
        return fail(r, 1, "not version 4, or a header length below 20");
    (void)cursor_u8(&r->c);
    uint16_t total = cursor_u16be(&r->c);
    (void)cursor_u16be(&r->c);
    uint16_t fragment = cursor_u16be(&r->c);
    r->p->ttl = cursor_u8(&r->c);
    r->p->protocol = cursor_u8(&r->c);
    (void)cursor_u16be(&r->c);
    take_addr(&r->c, 4, &r->p->src);
    take_addr(&r->c, 4, &r->p->dst);
    if (total < header)
        return fail(r, 18, "IPv4 length below its header");
    if (header - IP4_MIN > cursor_left(&r->c))
        return cut(r);
    if (header > IP4_MIN)
        (void)cursor_bytes(&r->c, header - IP4_MIN);
    r->p->fragment_later = (fragment & OFFSET_MASK) != 0;
    r->p->fragment = r->p->fragment_later || (fragment & MORE_FRAGMENTS) != 0;
    bound(r, total - header);
    return take_transport(r);
}

/* u8 next, u8 length in units of 8 bytes beyond the first 8; a fragment header is always 8. */
static enum vs_err take_extensions(struct reader *r)
{
    for (unsigned i = 0; i < ETH_EXTENSIONS_MAX; i++) {
        uint8_t kind = r->p->protocol;
        if (kind != HOP_BY_HOP && kind != ROUTING && kind != FRAGMENT && kind != DESTINATION && kind != MOBILITY)
            return take_transport(r);
        if (cursor_left(&r->c) < 8)
            return r->p->cut ? finish(r) : fail(r, 0, "cut within an IPv6 extension header");
        r->p->protocol = cursor_u8(&r->c);
        size_t more = cursor_u8(&r->c) * 8u;
        uint16_t fragment = cursor_u16be(&r->c);
        (void)cursor_u32be(&r->c);
        if (kind == FRAGMENT) {
            more = 0;
            r->p->fragment_later = r->p->fragment_later || (fragment & 0xFFF8u) != 0;
            r->p->fragment = true;
        }
        if (more > cursor_left(&r->c))
            return r->p->cut ? finish(r) : fail(r, 8, "IPv6 extension header longer than the packet");
        if (more > 0)
            (void)cursor_bytes(&r->c, more);
    }
    return fail(r, 0, "more IPv6 extension headers than are followed");
}

static enum vs_err take_ip6(struct reader *r)
{
    if (cursor_left(&r->c) < IP6_SIZE)
        return fail(r, 0, "shorter than an IPv6 header");
    if (cursor_u32be(&r->c) >> 28 != 6)
        return fail(r, 4, "not version 6");
    uint16_t len = cursor_u16be(&r->c);
    r->p->protocol = cursor_u8(&r->c);
    r->p->ttl = cursor_u8(&r->c);
    take_addr(&r->c, 6, &r->p->src);
    take_addr(&r->c, 6, &r->p->dst);
    bound(r, len);
    return take_extensions(r);
}

enum vs_err eth_packet_read(uint16_t link, struct slice data, struct eth_packet *ret, struct byte_fault *ret_fault)
{
    struct reader r = {.p = ret, .fault = ret_fault};

    memset(ret, 0, sizeof *ret);
    ret->vlan = ETH_VLAN_NONE;
    cursor_init(&r.c, data);
    enum vs_err err = take_link(&r, link);
    if (err == VS_OK)
        err = take_tags(&r);
    if (err != VS_OK)
        return err;
    switch (ret->type) {
    case ETH_TYPE_ARP:
        return take_arp(&r);
    case ETH_TYPE_IP4:
        return take_ip4(&r);
    case ETH_TYPE_IP6:
        return take_ip6(&r);
    default:
        return finish(&r);
    }
}
