#include "codec/can_frame.h"

static const uint8_t len_of_dlc[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};

uint8_t can_frame_dlc_to_len(uint8_t dlc, bool fd)
{
    uint8_t len = len_of_dlc[dlc < 16 ? dlc : 15];

    return fd || len < 8 ? len : 8;
}

uint8_t can_frame_len_to_dlc(uint8_t len, bool fd)
{
    uint8_t dlc = 0;
    uint8_t dlc_max = fd ? 15 : 8;

    while (dlc < dlc_max && len_of_dlc[dlc] < len)
        dlc++;
    return dlc;
}
