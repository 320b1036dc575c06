/* Recordings: Vector BLF objects, captures and the CAN frames in them, PEAK trace lines. The first byte chooses. */
#include <assert.h>
#include <stddef.h>

#include "codec/blf.h"
#include "codec/can_packet.h"
#include "codec/trc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct can_frame *fr)
{
    assert(fr->len <= CAN_FRAME_DATA_MAX && fr->dlc <= 15 && fr->id <= CAN_FRAME_ID_EXT);
}

static void run_blf(struct slice in)
{
    struct blf b = {0};
    struct blf_head head;
    const char *reason;
    size_t used;

    if (blf_header(in, &head, &reason) == VS_OK)
        in = slice_from(in, head.size);
    while (in.len > 0) {
        struct blf_item item;
        enum vs_err err = blf_object(&b, in, &item, &used, &reason);
        if (err == VS_OK && item.kind == BLF_FRAME)
            check(&item.frame);
        if (err == VS_ERR_TRUNCATED || used == 0)
            break;
        in = slice_from(in, used);
    }
}

static void run_pcap(struct slice in)
{
    struct pcap p;
    struct pcap_packet packet;
    struct can_frame fr;
    const char *reason;
    size_t used;
    bool is_packet;

    pcap_init(&p);
    while (in.len > 0) {
        enum vs_err err = pcap_record(&p, in, &packet, &is_packet, &used, &reason);
        if (err == VS_OK && is_packet && can_packet_read(&packet, &fr, &reason) == VS_OK)
            check(&fr);
        if (err == VS_ERR_TRUNCATED || used == 0)
            break;
        in = slice_from(in, used);
    }
}

static void run_trc(struct slice in)
{
    struct trc t;
    struct trc_item item;
    struct line_fault fault;

    trc_init(&t);
    while (in.len > 0) {
        const uint8_t *end = memchr(in.ptr, '\n', in.len);
        size_t len = end != NULL ? (size_t)(end - in.ptr) + 1 : in.len;
        if (trc_line(&t, slice_head(in, len), &item, &fault) == VS_OK && item.kind == TRC_FRAME)
            check(&item.frame);
        in = slice_from(in, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);

    if (size == 0)
        return 0;
    switch (data[0] % 3) {
    case 0:
        run_blf(slice_from(in, 1));
        break;
    case 1:
        run_pcap(slice_from(in, 1));
        break;
    default:
        run_trc(slice_from(in, 1));
    }
    return 0;
}
