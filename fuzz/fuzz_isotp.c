/* isotp and uds: a run of frames, each a length byte, a time step and its bytes; every message that comes out is
 * parsed. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/isotp.h"
#include "codec/uds.h"
#include "core/cursor.h"

#define BUFFER_SIZE 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct isotp_item *item)
{
    struct uds u;

    if (item->payload.len == 0 || item->payload.len > BUFFER_SIZE)
        abort();
    if (uds_parse(item->payload, &u) != VS_OK)
        return;
    if (u.param.len > item->payload.len || (u.sub & 0x80) != 0 || (u.negative && !u.is_response))
        abort();
    (void)uds_service_name(u.sid);
    (void)uds_nrc_name(u.nrc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *buf = malloc(BUFFER_SIZE);
    struct isotp tp;
    struct cursor c;
    int64_t now_us = 0;

    if (buf == NULL)
        abort();
    isotp_init(&tp, buf, BUFFER_SIZE);
    cursor_init(&c, slice_make(data, size));
    while (cursor_left(&c) > 1) {
        struct isotp_item item = {.kind = ISOTP_NOTHING};
        size_t len = cursor_u8(&c) % 65;
        now_us += (int8_t)cursor_u8(&c) * INT64_C(20000);
        struct slice frame = cursor_bytes(&c, len < cursor_left(&c) ? len : cursor_left(&c));
        if (isotp_step(&tp, frame, now_us, &item) == VS_OK && item.kind == ISOTP_MESSAGE)
            check(&item);
        if (tp.have > tp.want || tp.want > BUFFER_SIZE)
            abort();
    }
    free(buf);
    return 0;
}
