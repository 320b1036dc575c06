/* A journal device that somebody else wrote. The AEAD takes every seal, so that the bytes behind it are reached:
 * headers, chains, entries, events. The gateway starts whatever is there, takes an event, sends what it has, and starts
 * again. */
#include <stdlib.h>
#include <string.h>

#include "codec/cose.h"
#include "core/crc32c.h"
#include "gateway/gateway.h"
#include "gateway/port_ram.h"

#define BLOCK   64u
#define BLOCKS  640u
#define STAGING 2048u
#define BATCH   4096u
#define ENTRIES 128u
#define SLOTS   4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum vs_err seal(void *ctx, const uint8_t *nonce, struct slice aad, struct slice in, uint8_t *out)
{
    (void)ctx;
    (void)nonce;
    memcpy(out, in.ptr, in.len);
    memset(out + in.len, (int)(crc32c(0, aad) & 255), PORT_AEAD_TAG);
    return VS_OK;
}

static enum vs_err open_any(void *ctx, const uint8_t *nonce, struct slice aad, struct slice in, uint8_t *out)
{
    (void)ctx;
    (void)nonce;
    (void)aad;
    memcpy(out, in.ptr, in.len - PORT_AEAD_TAG);
    return VS_OK;
}

static enum vs_err sign(void *ctx, struct slice in, uint8_t ret[PORT_SIGNATURE])
{
    (void)ctx;
    memset(ret, (int)in.len & 255, PORT_SIGNATURE);
    return VS_OK;
}

/* Input: index of a block, how many bytes, the bytes; over and over. Headers get the CRC that they lack. */
static void lay_out(uint8_t *device, const uint8_t *data, size_t size)
{
    while (size >= 3) {
        size_t at = (size_t)(data[0] | data[1] << 8) % BLOCKS * BLOCK, len = (size_t)data[2] * 4;

        data += 3;
        size -= 3;
        if (len > size)
            len = size;
        if (len > BLOCK * BLOCKS - at)
            len = BLOCK * BLOCKS - at;
        memcpy(device + at, data, len);
        data += len;
        size -= len;
        if (len < JOURNAL_HEADER_SIZE)
            continue;
        uint32_t crc = crc32c(0, slice_make(device + at, JOURNAL_HEADER_SIZE - 4));
        for (unsigned i = 0; i < 4; i++)
            device[at + JOURNAL_HEADER_SIZE - 4 + i] = (uint8_t)(crc >> 8 * i);
    }
}

static void run(struct gateway *gw, uint8_t *out)
{
    struct event ev;
    size_t len;
    int64_t now = INT64_C(1795000000000000);

    for (unsigned i = 0; i < 20; i++) {
        event_init(&ev, EV_SECOC_VERIFICATION_FAILED, now + i);
        event_set_text(&ev, EV_F_PDU, slice_str("P"));
        enum vs_err err = gateway_report(gw, &ev, now + i);
        if (err == VS_OK)
            err = gateway_tick(gw, now + i);
        (void)err;
    }
    gateway_link(gw, BEARER_FREE);
    while (gateway_next_batch(gw, now + 100, out, GATEWAY_OUT_SIZE(BATCH), &len) == VS_OK)
        gateway_acked(gw, now + 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t device[BLOCK * BLOCKS], staging[STAGING], scratch[GATEWAY_SCRATCH_SIZE(STAGING, BLOCK, BATCH)];
    static uint8_t out[GATEWAY_OUT_SIZE(BATCH)];
    static struct outbox_entry entry[ENTRIES];
    static struct aggregate_slot slot[SLOTS];
    static struct gateway gw;
    const struct port_aead aead = {seal, open_any, NULL};
    const struct port_sign signer = {COSE_ALG_EDDSA, sign, NULL};
    const struct gateway_config cfg = {.batch_bytes_max = BATCH};
    const struct gateway_memory memory = {entry, ENTRIES, slot, SLOTS, NULL, staging, STAGING, scratch, sizeof scratch};
    struct port_ram ram;

    if (size < 8)
        return 0;
    memset(device, 0, sizeof device);
    port_ram_init(&ram, device, BLOCK, BLOCKS);
    ram.anchored = (data[0] & 1) != 0;
    ram.anchor = (struct port_anchor_value){.epoch = 1, .head = data[1], .tail = data[2], .seq_next = data[3]};
    lay_out(device, data + 4, size - 4);
    const struct gateway_ports ports = {&ram.device_port, &ram.anchor_port, &aead, &signer, NULL};
    for (unsigned start = 0; start < 2; start++)
        if (gateway_init(&gw, &cfg, &ports, &memory, INT64_C(1795000000000000), NULL) == VS_OK)
            run(&gw, out);
    return 0;
}
