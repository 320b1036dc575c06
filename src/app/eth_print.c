#include "app/eth_print.h"

#include "codec/doip.h"
#include "codec/gptp.h"
#include "codec/someip.h"
#include "codec/someip_sd.h"
#include "core/timestamp.h"
#include "core/writer.h"

#define LINE_SIZE (256 * 1024)

/* A line in the making. A packet is at most 256 kB and each of its bytes is at most two digits and part of a few
 * numbers, so that what does not fit is the packet's payload only, which is not printed. */
struct line {
    struct writer w;
    const struct eth_packet *p;
    const char *layer; /* that broke; NULL while all is well */
    struct byte_fault fault;
};

/* A member of an object; all but the first have a comma before them. */
static void key(struct line *l, const char *name)
{
    bool first = l->w.len > 0 && l->w.buf[l->w.len - 1] == '{';

    writer_text(&l->w, first ? "\"" : ",\"");
    writer_text(&l->w, name);
    writer_text(&l->w, "\":");
}

static void put_number(struct line *l, const char *name, uint64_t value)
{
    key(l, name);
    writer_u64_text(&l->w, value);
}

static void put_text(struct line *l, const char *name, const char *value)
{
    key(l, name);
    writer_json_text(&l->w, slice_str(value));
}

static void put_bool(struct line *l, const char *name, bool value)
{
    key(l, name);
    writer_text(&l->w, value ? "true" : "false");
}

static void put_bytes(struct line *l, const char *name, struct slice bytes)
{
    key(l, name);
    writer_text(&l->w, "\"");
    writer_hex(&l->w, bytes, true);
    writer_text(&l->w, "\"");
}

static void put_hex(struct line *l, const char *name, uint64_t value, unsigned digits)
{
    key(l, name);
    writer_text(&l->w, "\"0x");
    for (unsigned i = digits; i-- > 0;)
        writer_u8(&l->w, (uint8_t) "0123456789ABCDEF"[value >> 4 * i & 15u]);
    writer_text(&l->w, "\"");
}

static void put_mac(struct line *l, const char *name, const uint8_t mac[ETH_MAC_SIZE])
{
    key(l, name);
    writer_text(&l->w, "\"");
    eth_mac_write(&l->w, mac);
    writer_text(&l->w, "\"");
}

static void put_addr(struct line *l, const char *name, const struct ip_addr *a)
{
    key(l, name);
    writer_text(&l->w, "\"");
    ip_addr_write(&l->w, a);
    writer_text(&l->w, "\"");
}

static void broken(struct line *l, const char *layer, const struct byte_fault *fault, size_t base)
{
    l->layer = layer;
    l->fault = (struct byte_fault){base + fault->byte, fault->reason};
}

/* ---- link and network */

static void put_link(struct line *l)
{
    static const uint8_t none[ETH_MAC_SIZE];
    const struct eth_packet *p = l->p;

    if (p->has_mac) {
        put_mac(l, "src_mac", p->src_mac);
        if (memcmp(p->dst_mac, none, sizeof none) != 0)
            put_mac(l, "dst_mac", p->dst_mac);
    }
    if (p->vlan != ETH_VLAN_NONE)
        put_number(l, "vlan", p->vlan);
    put_hex(l, "ethertype", p->type, 4);
}

static void put_network(struct line *l)
{
    const struct eth_packet *p = l->p;

    if (p->src.family == 0)
        return;
    put_addr(l, "src_ip", &p->src);
    put_addr(l, "dst_ip", &p->dst);
    if (p->protocol == IP_UDP || p->protocol == IP_TCP)
        put_text(l, "protocol", p->protocol == IP_UDP ? "udp" : "tcp");
    else
        put_number(l, "protocol", p->protocol);
    if (p->fragment)
        put_bool(l, "fragment", true);
    if (p->has_ports) {
        put_number(l, "src_port", p->src_port);
        put_number(l, "dst_port", p->dst_port);
    }
    if (p->has_ports && p->protocol == IP_TCP) {
        put_hex(l, "tcp_flags", p->tcp_flags, 2);
        put_number(l, "tcp_seq", p->tcp_seq);
    }
}

static void put_arp(struct line *l)
{
    const struct eth_arp *a = &l->p->arp;

    key(l, "arp");
    writer_text(&l->w, "{");
    put_number(l, "operation", a->operation);
    put_mac(l, "sender_mac", a->sender_mac);
    put_addr(l, "sender_ip", &a->sender);
    put_mac(l, "target_mac", a->target_mac);
    put_addr(l, "target_ip", &a->target);
    writer_text(&l->w, "}");
}

static void put_gptp(struct line *l)
{
    struct gptp m;
    struct byte_fault fault;

    if (gptp_read(l->p->payload, &m, &fault) != VS_OK) {
        broken(l, "gptp", &fault, l->p->payload_at);
        return;
    }
    key(l, "gptp");
    writer_text(&l->w, "{");
    put_number(l, "type", m.type);
    put_bytes(l, "clock", slice_make(m.source, sizeof m.source));
    put_number(l, "sequence", m.sequence);
    if (m.type == GPTP_ANNOUNCE) {
        put_bytes(l, "grandmaster", slice_make(m.grandmaster, sizeof m.grandmaster));
        put_number(l, "priority1", m.priority1);
        put_number(l, "steps_removed", m.steps_removed);
    }
    writer_text(&l->w, "}");
}

/* ---- service discovery */

static void put_option(struct line *l, const struct someip_sd *sd, unsigned index)
{
    struct someip_sd_option o;

    someip_sd_option(sd, index, &o);
    writer_text(&l->w, "{");
    put_hex(l, "kind", o.kind, 2);
    if (o.addr.family != 0) {
        put_addr(l, "ip", &o.addr);
        put_text(l, "protocol", o.protocol == IP_TCP ? "tcp" : o.protocol == IP_UDP ? "udp" : "other");
        put_number(l, "port", o.port);
    }
    writer_text(&l->w, "}");
}

static void put_entry(struct line *l, const struct someip_sd *sd, unsigned index)
{
    struct someip_sd_entry e;

    someip_sd_entry(sd, index, &e);
    writer_text(&l->w, "{");
    const char *name = someip_sd_kind_name(e.kind, e.stop);
    if (name != NULL)
        put_text(l, "kind", name);
    else
        put_hex(l, "kind", e.kind, 2);
    put_hex(l, "service", e.service, 4);
    put_hex(l, "instance", e.instance, 4);
    put_number(l, "major", e.major);
    put_number(l, "ttl", e.ttl_s);
    if (e.kind == SOMEIP_SD_SUBSCRIBE || e.kind == SOMEIP_SD_SUBSCRIBE_ACK)
        put_hex(l, "eventgroup", e.eventgroup, 4);
    else
        put_number(l, "minor", e.minor);
    key(l, "options");
    writer_text(&l->w, "[");
    for (unsigned n = 0; someip_sd_option_of(&e, n) >= 0; n++) {
        if (n > 0)
            writer_text(&l->w, ",");
        put_option(l, sd, (unsigned)someip_sd_option_of(&e, n));
    }
    writer_text(&l->w, "]}");
}

static void put_sd(struct line *l, const struct someip *m, size_t base)
{
    struct someip_sd sd;
    struct byte_fault fault;

    if (someip_sd_open(m->payload, &sd, &fault) != VS_OK) {
        broken(l, "someip_sd", &fault, base + SOMEIP_HEADER_SIZE);
        return;
    }
    key(l, "sd");
    writer_text(&l->w, "{");
    put_bool(l, "reboot", (sd.flags & SOMEIP_SD_REBOOT) != 0);
    put_bool(l, "unicast", (sd.flags & SOMEIP_SD_UNICAST) != 0);
    key(l, "entries");
    writer_text(&l->w, "[");
    for (unsigned i = 0; i < sd.entry_count; i++) {
        if (i > 0)
            writer_text(&l->w, ",");
        put_entry(l, &sd, i);
    }
    writer_text(&l->w, "]}");
}

/* ---- SOME/IP and DoIP */

static void put_named(struct line *l, const char *name, const char *text, uint8_t value)
{
    if (text != NULL)
        put_text(l, name, text);
    else
        put_hex(l, name, value, 2);
}

static void put_message(struct line *l, const struct someip *m, size_t base)
{
    writer_text(&l->w, "{");
    put_hex(l, "service", m->service, 4);
    put_hex(l, (m->method & SOMEIP_EVENT) != 0 ? "event" : "method", m->method, 4);
    put_number(l, "length", m->length);
    put_hex(l, "client", m->client, 4);
    put_number(l, "session", m->session);
    put_number(l, "protocol_version", m->protocol_version);
    put_number(l, "interface_version", m->interface_version);
    put_named(l, "type", someip_type_name(m->type), m->type);
    put_named(l, "code", someip_code_name(m->code), m->code);
    if (m->cookie)
        put_bool(l, "cookie", true);
    if (m->segment) {
        put_number(l, "offset", m->offset);
        put_bool(l, "more", m->more);
    }
    if (someip_is_sd(m))
        put_sd(l, m, base);
    writer_text(&l->w, "}");
}

/* True when the payload is SOME/IP from end to end, of types that exist. */
static bool looks_like_someip(struct slice in)
{
    struct someip m;
    struct byte_fault fault;
    size_t used;

    while (in.len > 0) {
        if (someip_read(in, &m, &used, &fault) != VS_OK || someip_type_name(m.type) == NULL)
            return false;
        in = slice_from(in, used);
    }
    return true;
}

static void put_someip(struct line *l)
{
    struct slice in = l->p->payload;
    size_t base = l->p->payload_at;
    bool first = true;

    key(l, "someip");
    writer_text(&l->w, "[");
    while (in.len > 0) {
        struct someip m;
        struct byte_fault fault;
        size_t used;
        if (someip_read(in, &m, &used, &fault) != VS_OK) {
            broken(l, "someip", &fault, base);
            break;
        }
        if (!first)
            writer_text(&l->w, ",");
        first = false;
        put_message(l, &m, base);
        in = slice_from(in, used);
        base += used;
    }
    writer_text(&l->w, "]");
}

static void put_doip_message(struct line *l, const struct doip *m)
{
    writer_text(&l->w, "{");
    put_text(l, "type", doip_type_name(m->type));
    put_number(l, "version", m->version);
    put_number(l, "length", m->length);
    if (m->has_source)
        put_hex(l, "source", m->source, 4);
    if (m->has_target)
        put_hex(l, "target", m->target, 4);
    if (m->has_code)
        put_hex(l, "code", m->code, 2);
    if (m->type == DOIP_ACTIVATION)
        put_hex(l, "activation_type", m->activation_type, 2);
    if (m->type == DOIP_ENTITY_STATUS) {
        put_number(l, "sockets_max", m->sockets_max);
        put_number(l, "sockets_open", m->sockets_open);
    }
    if (m->vin.len > 0) {
        key(l, "vin");
        writer_json_text(&l->w, m->vin);
    }
    if (m->eid.len > 0)
        put_bytes(l, "eid", m->eid);
    if (m->gid.len > 0)
        put_bytes(l, "gid", m->gid);
    if (m->uds.len > 0)
        put_bytes(l, "uds", m->uds);
    writer_text(&l->w, "}");
}

/* A TCP segment may begin or end within a message: what does not begin one is not looked at. */
static void put_doip(struct line *l)
{
    struct slice in = l->p->payload;
    size_t base = l->p->payload_at;
    bool first = true;

    key(l, "doip");
    writer_text(&l->w, "[");
    while (in.len > 0) {
        struct doip m;
        struct byte_fault fault;
        size_t used;
        if (doip_read(in, &m, &used, &fault) != VS_OK) {
            broken(l, "doip", &fault, base);
            break;
        }
        if (!first)
            writer_text(&l->w, ",");
        first = false;
        put_doip_message(l, &m);
        in = slice_from(in, used);
        base += used;
    }
    writer_text(&l->w, "]");
}

static bool port_is(const struct eth_packet *p, uint16_t port)
{
    return p->has_ports && (p->src_port == port || p->dst_port == port);
}

static void put_application(struct line *l)
{
    const struct eth_packet *p = l->p;

    if (p->is_arp)
        put_arp(l);
    else if (p->type == ETH_TYPE_PTP)
        put_gptp(l);
    else if (!p->has_ports || p->payload.len == 0 || p->cut || p->fragment)
        return;
    else if (port_is(p, DOIP_PORT))
        put_doip(l);
    else if ((p->protocol == IP_UDP && port_is(p, SOMEIP_SD_PORT)) || looks_like_someip(p->payload))
        put_someip(l);
}

static void put_error(struct line *l)
{
    key(l, "error");
    writer_text(&l->w, "{");
    put_text(l, "layer", l->layer);
    put_number(l, "byte", l->fault.byte);
    put_text(l, "reason", l->fault.reason);
    writer_text(&l->w, "}");
}

bool eth_print_packet(FILE *out, uint64_t index, const struct pcap_packet *p)
{
    static uint8_t buf[LINE_SIZE];
    struct eth_packet packet;
    struct line l = {.p = &packet};

    writer_init(&l.w, buf, sizeof buf);
    writer_text(&l.w, "{\"frame\":");
    writer_u64_text(&l.w, index);
    key(&l, "time");
    writer_fixed_text(&l.w, p->time_us, 6);
    key(&l, "bus");
    writer_json_text(&l.w, slice_make(p->interface->name, p->interface->name_len));
    if (eth_packet_read(p->interface->link, p->data, &packet, &l.fault) != VS_OK)
        l.layer = "packet";
    put_link(&l);
    put_network(&l);
    if (l.layer == NULL)
        put_application(&l);
    put_number(&l, "payload", packet.payload.len);
    if (packet.cut)
        put_bool(&l, "cut", true);
    if (l.layer != NULL)
        put_error(&l);
    writer_text(&l.w, "}\n");
    fwrite(buf, 1, l.w.len, out);
    return l.layer == NULL;
}
