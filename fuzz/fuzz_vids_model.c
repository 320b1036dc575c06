/* A model blob from outside, then frames through whatever it opened as. The first 16 bytes of the input choose the
 * frames; the CRC is made right, because a fuzzer that stops at the CRC tests the CRC. */
#include <stdlib.h>

#include "core/crc32c.h"
#include "edge/can/model.h"
#include "edge/vids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frames_run(struct vids *v, const uint8_t *choice)
{
    struct vids_finding found[VIDS_FINDINGS_MAX];
    struct event ev;
    int64_t now = 0;

    for (unsigned i = 0; i < 64; i++) {
        struct can_frame fr = {.id = i % 4 == 0 ? choice[i % 16] : 0x100, .bus = slice_str(i % 5 ? "can0" : "can1")};
        if (v->id_count > 0 && i % 4 != 0)
            fr.id = model_u32(vids_model_id(v, (int)(i % v->id_count))) & CAN_FRAME_ID_EXT;
        fr.flags = i % 16 == 15 ? CAN_FRAME_ERR : i % 7 == 6 ? CAN_FRAME_FD : 0;
        fr.len = (uint8_t)(choice[i % 16] % (fr.flags == CAN_FRAME_FD ? 65 : 9));
        fr.dlc = can_frame_len_to_dlc(fr.len, fr.flags == CAN_FRAME_FD);
        memset(fr.data, choice[(i + 3) % 16], fr.len);
        now += (int64_t)choice[(i + 5) % 16] << (i % 20);
        size_t n = vids_step(v, &fr, now, found, VIDS_FINDINGS_MAX);
        for (size_t k = 0; k < n; k++)
            vids_finding_event(&found[k], 0, &ev);
        n = i % 8 == 7 ? vids_tick(v, now + 1000, found, VIDS_FINDINGS_MAX) : 0;
        for (size_t k = 0; k < n; k++)
            vids_finding_event(&found[k], 0, &ev);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 16 + MODEL_HEADER_SIZE)
        return 0;
    size_t len = size - 16;
    uint8_t *blob = malloc(len);
    memcpy(blob, data + 16, len);
    memcpy(blob, "VIDS\1\0", 6);
    blob[MODEL_AT_HEADER_SIZE] = MODEL_HEADER_SIZE;
    blob[MODEL_AT_HEADER_SIZE + 1] = 0;
    for (unsigned i = 0; i < 4; i++)
        blob[MODEL_AT_SIZE + i] = (uint8_t)(len >> 8 * i);
    uint32_t crc = crc32c(0, slice_make(blob + MODEL_AT_CRC + 4, len - MODEL_AT_CRC - 4));
    for (unsigned i = 0; i < 4; i++)
        blob[MODEL_AT_CRC + i] = (uint8_t)(crc >> 8 * i);
    size_t need = vids_storage_size(slice_make(blob, len));
    if (need <= VIDS_STORAGE_SIZE(VIDS_IDS_MAX, 0)) {
        void *memory = malloc(need);
        struct vids v;
        if (vids_init(&v, memory, need, slice_make(blob, len)) == VS_OK)
            frames_run(&v, data);
        free(memory);
    }
    free(blob);
    return 0;
}
