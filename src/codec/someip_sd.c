#include "codec/someip_sd.h"

#include "core/cursor.h"

#define ENTRY_SIZE  16u
#define OPTION_HEAD 3u /* length and type */
#define IP4_LENGTH  9u
#define IP6_LENGTH  21u

static bool is_endpoint4(unsigned kind)
{
    return kind == SOMEIP_SD_IP4 || kind == SOMEIP_SD_IP4_MULTICAST || kind == SOMEIP_SD_IP4_SD;
}

static bool is_endpoint6(unsigned kind)
{
    return kind == SOMEIP_SD_IP6 || kind == SOMEIP_SD_IP6_MULTICAST || kind == SOMEIP_SD_IP6_SD;
}

/* Notes where each option begins. `base` is where the options begin in the payload. */
static enum vs_err index_options(struct someip_sd *sd, size_t base, struct byte_fault *fault)
{
    struct cursor c;

    cursor_init(&c, sd->options);
    while (cursor_left(&c) > 0) {
        size_t at = cursor_pos(&c);
        if (sd->option_count == SOMEIP_SD_OPTIONS_MAX)
            return byte_fault_set(fault, VS_ERR_LIMIT, base + at, "more options than are followed");
        unsigned length = cursor_u16be(&c), kind = cursor_u8(&c);
        if (c.failed || length == 0 || length > cursor_left(&c))
            return byte_fault_set(fault, VS_ERR_MALFORMED, base + at, "SD option beyond its array");
        if ((is_endpoint4(kind) && length != IP4_LENGTH) || (is_endpoint6(kind) && length != IP6_LENGTH))
            return byte_fault_set(fault, VS_ERR_MALFORMED, base + at, "SD endpoint of an odd length");
        (void)cursor_bytes(&c, length);
        sd->option_at[sd->option_count++] = (uint16_t)at;
    }
    return VS_OK;
}

static bool run_fits(const struct someip_sd *sd, unsigned first, unsigned count)
{
    return count == 0 || first + count <= sd->option_count;
}

static enum vs_err check_entries(const struct someip_sd *sd, size_t base, struct byte_fault *fault)
{
    for (unsigned i = 0; i < sd->entry_count; i++) {
        struct someip_sd_entry e;
        someip_sd_entry(sd, i, &e);
        if (!run_fits(sd, e.first, e.first_count))
            return byte_fault_set(fault, VS_ERR_MALFORMED, base + i * ENTRY_SIZE + 1,
                                  "SD entry points at an option that is not there");
        if (!run_fits(sd, e.second, e.second_count))
            return byte_fault_set(fault, VS_ERR_MALFORMED, base + i * ENTRY_SIZE + 2,
                                  "SD entry points at an option that is not there");
    }
    return VS_OK;
}

enum vs_err someip_sd_open(struct slice payload, struct someip_sd *ret, struct byte_fault *ret_fault)
{
    struct someip_sd sd = {0};
    struct cursor c;

    cursor_init(&c, payload);
    sd.flags = cursor_u8(&c);
    (void)cursor_bytes(&c, 3);
    uint32_t entries = cursor_u32be(&c);
    if (c.failed)
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, payload.len, "shorter than an SD header");
    if (entries % ENTRY_SIZE != 0 || entries / ENTRY_SIZE > SOMEIP_SD_ENTRIES_MAX || entries > cursor_left(&c))
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, 4, "length of the SD entries");
    size_t entries_at = cursor_pos(&c);
    sd.entries = cursor_bytes(&c, entries);
    sd.entry_count = entries / ENTRY_SIZE;
    size_t length_at = cursor_pos(&c);
    uint32_t options = cursor_u32be(&c);
    if (c.failed)
        return byte_fault_set(ret_fault, VS_ERR_TRUNCATED, payload.len, "ends before the SD options");
    if (options > cursor_left(&c) || options > UINT16_MAX)
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, length_at, "length of the SD options");
    size_t options_at = cursor_pos(&c);
    sd.options = cursor_bytes(&c, options);
    if (cursor_left(&c) > 0)
        return byte_fault_set(ret_fault, VS_ERR_MALFORMED, cursor_pos(&c), "bytes behind the SD options");
    enum vs_err err = index_options(&sd, options_at, ret_fault);
    if (err == VS_OK)
        err = check_entries(&sd, entries_at, ret_fault);
    if (err == VS_OK)
        *ret = sd;
    return err;
}

void someip_sd_entry(const struct someip_sd *sd, unsigned index, struct someip_sd_entry *ret)
{
    struct cursor c;

    memset(ret, 0, sizeof *ret);
    cursor_init(&c, slice_from(sd->entries, (size_t)index * ENTRY_SIZE));
    ret->kind = cursor_u8(&c);
    ret->first = cursor_u8(&c);
    ret->second = cursor_u8(&c);
    unsigned counts = cursor_u8(&c);
    ret->first_count = (uint8_t)(counts >> 4);
    ret->second_count = (uint8_t)(counts & 15u);
    ret->service = cursor_u16be(&c);
    ret->instance = cursor_u16be(&c);
    uint32_t life = cursor_u32be(&c), last = cursor_u32be(&c);
    ret->major = (uint8_t)(life >> 24);
    ret->ttl_s = life & 0xFFFFFFu;
    ret->stop = ret->ttl_s == 0;
    if (ret->kind == SOMEIP_SD_SUBSCRIBE || ret->kind == SOMEIP_SD_SUBSCRIBE_ACK) {
        ret->counter = (uint8_t)(last >> 16 & 15u);
        ret->eventgroup = (uint16_t)last;
    } else {
        ret->minor = last;
    }
}

void someip_sd_option(const struct someip_sd *sd, unsigned index, struct someip_sd_option *ret)
{
    struct cursor c;

    memset(ret, 0, sizeof *ret);
    cursor_init(&c, slice_from(sd->options, sd->option_at[index]));
    uint16_t length = cursor_u16be(&c);
    ret->kind = cursor_u8(&c);
    (void)cursor_u8(&c);
    ret->value = cursor_bytes(&c, length - 1u);
    size_t size = is_endpoint4(ret->kind) ? 4 : is_endpoint6(ret->kind) ? 16 : 0;
    if (size == 0)
        return;
    ret->addr.family = size == 4 ? 4 : 6;
    memcpy(ret->addr.byte, ret->value.ptr, size);
    cursor_init(&c, slice_from(ret->value, size + 1));
    ret->protocol = cursor_u8(&c);
    ret->port = cursor_u16be(&c);
}

int someip_sd_option_of(const struct someip_sd_entry *e, unsigned n)
{
    if (n < e->first_count)
        return (int)(e->first + n);
    n -= e->first_count;
    return n < e->second_count ? (int)(e->second + n) : -1;
}

const char *someip_sd_kind_name(uint8_t kind, bool stop)
{
    switch (kind) {
    case SOMEIP_SD_FIND:
        return "find";
    case SOMEIP_SD_OFFER:
        return stop ? "stop_offer" : "offer";
    case SOMEIP_SD_SUBSCRIBE:
        return stop ? "stop_subscribe" : "subscribe";
    case SOMEIP_SD_SUBSCRIBE_ACK:
        return stop ? "subscribe_nack" : "subscribe_ack";
    default:
        return NULL;
    }
}
