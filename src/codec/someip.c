#include "codec/someip.h"

#include "core/cursor.h"

#define COOKIE_CLIENT  UINT32_C(0xFFFF0000)
#define COOKIE_SERVER  UINT32_C(0xFFFF8000)
#define COOKIE_REQUEST UINT32_C(0xDEADBEEF)
#define LENGTH_MIN     8u
#define LENGTH_BEFORE  8u /* service, method and the length itself */
#define MORE           1u
#define OFFSET_MASK    UINT32_C(0xFFFFFFF0)

static enum vs_err take_segment(struct someip *m, struct cursor *c, struct byte_fault *fault)
{
    uint32_t word = cursor_u32be(c);

    if (c->failed)
        return byte_fault_set(fault, VS_ERR_MALFORMED, SOMEIP_HEADER_SIZE, "segment without its offset");
    m->segment = true;
    m->more = (word & MORE) != 0;
    m->offset = word & OFFSET_MASK;
    return VS_OK;
}

static enum vs_err take_rest(struct someip *m, struct cursor *c, struct byte_fault *fault)
{
    m->client = cursor_u16be(c);
    m->session = cursor_u16be(c);
    m->protocol_version = cursor_u8(c);
    m->interface_version = cursor_u8(c);
    uint8_t type = cursor_u8(c);
    m->code = cursor_u8(c);
    uint32_t id = (uint32_t)m->service << 16 | m->method;
    m->cookie = (id == COOKIE_CLIENT || id == COOKIE_SERVER) && m->length == LENGTH_MIN &&
                ((uint32_t)m->client << 16 | m->session) == COOKIE_REQUEST;
    if (m->protocol_version != 1)
        return byte_fault_set(fault, VS_ERR_MALFORMED, 12, "SOME/IP protocol version is not 1");
    m->type = type & (uint8_t)~SOMEIP_TYPE_TP;
    if ((type & SOMEIP_TYPE_TP) != 0) {
        enum vs_err err = take_segment(m, c, fault);
        if (err != VS_OK)
            return err;
    }
    m->payload = cursor_bytes(c, cursor_left(c));
    return VS_OK;
}

enum vs_err someip_read(struct slice in, struct someip *ret, size_t *ret_used, struct byte_fault *ret_fault)
{
    struct someip m = {0};
    struct cursor c;

    *ret_used = 0;
    cursor_init(&c, in);
    m.service = cursor_u16be(&c);
    m.method = cursor_u16be(&c);
    m.length = cursor_u32be(&c);
    if (c.failed)
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, in.len, "shorter than a SOME/IP header");
    if (m.length < LENGTH_MIN)
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, 4, "SOME/IP length below 8");
    size_t whole = (size_t)m.length + LENGTH_BEFORE;
    *ret_used = whole;
    if (whole > in.len)
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, 4, "SOME/IP length beyond the datagram");
    c.in.len = whole;
    enum vs_err err = take_rest(&m, &c, ret_fault);
    if (err == VS_OK)
        *ret = m;
    return err;
}

const char *someip_type_name(uint8_t type)
{
    switch (type) {
    case SOMEIP_REQUEST:
        return "request";
    case SOMEIP_REQUEST_NO_RETURN:
        return "request_no_return";
    case SOMEIP_NOTIFICATION:
        return "notification";
    case SOMEIP_RESPONSE:
        return "response";
    case SOMEIP_ERROR:
        return "error";
    default:
        return NULL;
    }
}

const char *someip_code_name(uint8_t code)
{
    static const char *const NAME[] = {"ok",
                                       "not_ok",
                                       "unknown_service",
                                       "unknown_method",
                                       "not_ready",
                                       "not_reachable",
                                       "timeout",
                                       "wrong_protocol_version",
                                       "wrong_interface_version",
                                       "malformed_message",
                                       "wrong_message_type"};

    return code < sizeof NAME / sizeof NAME[0] ? NAME[code] : NULL;
}
