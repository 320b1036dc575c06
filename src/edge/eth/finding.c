/* finding: a finding as an event of the schema. */
#include "core/writer.h"
#include "edge/eids.h"

static const char *const detector_names[EIDS_DETECTORS] = {
    [EIDS_MALFORMED] = "malformed",
    [EIDS_BINDING] = "binding",
    [EIDS_ETHERTYPE] = "ethertype",
    [EIDS_FLOW] = "flow",
    [EIDS_VOLUME] = "volume",
    [EIDS_SCAN] = "port_scan",
    [EIDS_SOMEIP] = "service_matrix",
    [EIDS_SESSION] = "session",
    [EIDS_DISCOVERY] = "service_discovery",
    [EIDS_DOIP] = "doip",
    [EIDS_CLOCK] = "grandmaster",
};

const char *eids_detector_name(enum eids_detector d)
{
    return (unsigned)d < EIDS_DETECTORS ? detector_names[d] : "none";
}

struct builder {
    struct event *ev;
    const struct ev_type_info *type;
    struct writer w;
};

static bool carries(const struct builder *b, enum ev_field_id id)
{
    for (unsigned i = 0; i < b->type->field_count; i++)
        if (b->type->field[i] == id)
            return true;
    return false;
}

static void put_uint(struct builder *b, bool there, enum ev_field_id id, uint64_t value)
{
    if (there && carries(b, id))
        event_set_uint(b->ev, id, value);
}

static void put_text(struct builder *b, bool there, enum ev_field_id id, struct slice text)
{
    if (there && carries(b, id))
        event_set_text(b->ev, id, text);
}

static void put_addr(struct builder *b, const struct ip_addr *a, enum ev_field_id id)
{
    size_t from = b->w.len;

    if (a->family == 0 || !carries(b, id))
        return;
    ip_addr_write(&b->w, a);
    event_set_text(b->ev, id, slice_from(writer_slice(&b->w), from));
}

static void put_mac(struct builder *b, bool there, const uint8_t *mac, enum ev_field_id id)
{
    size_t from = b->w.len;

    if (!there || !carries(b, id))
        return;
    eth_mac_write(&b->w, mac);
    event_set_text(b->ev, id, slice_from(writer_slice(&b->w), from));
}

static struct slice protocol_name(uint8_t protocol)
{
    switch (protocol) {
    case IP_TCP:
        return slice_str("tcp");
    case IP_UDP:
        return slice_str("udp");
    case IP_ICMP:
    case IP_ICMP6:
        return slice_str("icmp");
    default:
        return slice_str("ip");
    }
}

static void put_network(struct builder *b, const struct eids_finding *f)
{
    put_mac(b, (f->has & EIDS_HAS_SRC_MAC) != 0, f->src_mac, EV_F_SRC_MAC);
    put_mac(b, (f->has & EIDS_HAS_DST_MAC) != 0, f->dst_mac, EV_F_DST_MAC);
    put_mac(b, (f->has & EIDS_HAS_MAC_EXPECTED) != 0, f->mac_expected, EV_F_MAC_EXPECTED);
    put_uint(b, (f->has & EIDS_HAS_VLAN) != 0, EV_F_VLAN, f->vlan);
    put_uint(b, (f->has & EIDS_HAS_ETHERTYPE) != 0, EV_F_ETHERTYPE, f->ethertype);
    put_addr(b, &f->src, EV_F_SRC_IP);
    put_addr(b, &f->dst, EV_F_DST_IP);
    put_uint(b, (f->has & EIDS_HAS_PORTS) != 0, EV_F_SRC_PORT, f->src_port);
    put_uint(b, (f->has & EIDS_HAS_PORTS) != 0, EV_F_DST_PORT, f->dst_port);
    put_text(b, (f->has & EIDS_HAS_PROTOCOL) != 0, EV_F_PROTOCOL, protocol_name(f->protocol));
}

static void put_application(struct builder *b, const struct eids_finding *f)
{
    put_uint(b, (f->has & EIDS_HAS_SERVICE) != 0, EV_F_SOMEIP_SERVICE, f->service);
    put_uint(b, (f->has & EIDS_HAS_INSTANCE) != 0, EV_F_SOMEIP_INSTANCE, f->instance);
    put_uint(b, (f->has & EIDS_HAS_METHOD) != 0, EV_F_SOMEIP_METHOD, f->method);
    put_uint(b, (f->has & EIDS_HAS_CODE) != 0, EV_F_RETURN_CODE, f->code);
    put_uint(b, (f->has & EIDS_HAS_COUNTER) != 0, EV_F_COUNTER, f->counter);
    put_uint(b, (f->has & EIDS_HAS_COUNTER) != 0, EV_F_COUNTER_EXPECTED, f->counter_expected);
    put_uint(b, (f->has & EIDS_HAS_ADDRESS) != 0, EV_F_LOGICAL_ADDRESS, f->address);
    put_uint(b, (f->has & EIDS_HAS_ACTIVATION) != 0, EV_F_ACTIVATION_TYPE, f->activation_type);
    put_uint(b, (f->has & EIDS_HAS_BYTES) != 0, EV_F_BYTES, f->bytes);
    put_uint(b, (f->has & EIDS_HAS_BYTES) != 0 && f->bytes_expected > 0, EV_F_BYTES_EXPECTED, f->bytes_expected);
    put_uint(b, (f->has & EIDS_HAS_FRAMES) != 0, EV_F_FRAMES, f->frames);
    if ((f->has & EIDS_HAS_SPEED) != 0 && carries(b, EV_F_SPEED))
        event_set_int(b->ev, EV_F_SPEED, f->speed_centi);
}

void eids_finding_event(const struct eids_finding *f, int64_t wall_us, uint8_t text[EIDS_TEXT_SIZE],
                        struct event *ret_ev)
{
    struct builder b = {ret_ev, ev_type_find(f->type), {0}};

    event_init(ret_ev, f->type, f->time_us + wall_us);
    writer_init(&b.w, text, EIDS_TEXT_SIZE);
    ret_ev->sensor = slice_str("eth_ids");
    ret_ev->count = f->count;
    put_network(&b, f);
    put_application(&b, f);
    put_text(&b, f->reason != NULL, EV_F_REASON, slice_str(f->reason));
    put_text(&b, true, EV_F_DETECTOR, slice_str(eids_detector_name((enum eids_detector)f->detector)));
}
