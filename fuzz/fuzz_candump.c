/* candump and asc: any bytes as a log of either kind. A frame that comes out keeps the bounds of its type. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/asc.h"
#include "codec/candump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct can_frame *fr)
{
    if (fr->len > CAN_FRAME_DATA_MAX || fr->dlc > 15 || fr->id > CAN_FRAME_ID_EXT)
        abort();
    if ((fr->flags & (CAN_FRAME_EXT | CAN_FRAME_ERR)) == 0 && fr->id > CAN_FRAME_ID_STD)
        abort();
    if ((fr->flags & CAN_FRAME_FD) == 0 && fr->len > 8)
        abort();
}

static void as_candump(struct slice text)
{
    struct candump cd;
    struct candump_item item;
    enum vs_err err;

    candump_init(&cd, text);
    while ((err = candump_next(&cd, &item)) != VS_ERR_END) {
        if (err == VS_OK && item.kind == CANDUMP_FRAME)
            check(&item.frame);
        if (err != VS_OK && (cd.fault.column == 0 || cd.fault.reason == NULL))
            abort();
    }
}

static void as_asc(struct slice text)
{
    struct asc a;
    struct asc_item item;
    struct line_fault fault;

    asc_init(&a);
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        struct slice line = slice_head(text, end != NULL ? (size_t)(end - text.ptr) + 1 : text.len);
        text = slice_from(text, line.len);
        if (asc_line(&a, line, &item, &fault) == VS_OK && item.kind == ASC_FRAME)
            check(&item.frame);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_candump(slice_make(data, size));
    as_asc(slice_make(data, size));
    return 0;
}
