/* can_frame: one frame of a CAN bus as every reader in this tree hands it on, whatever file or socket it came from.
 *
 * Classic CAN and CAN FD; CAN XL is not represented. An error frame is a frame with CAN_FRAME_ERR whose id holds the
 * class bits of linux/can/error.h and whose data are its eight bytes of detail (all zero when the source knows no
 * more). A remote frame asks for `dlc` bytes and carries none: len is 0.
 *
 * Memory: a value; `bus` is borrowed from the line or table of the reader and valid as long as that is. Times are
 * microseconds on the source's own scale (candump -tz starts at 0), and may go backwards in real captures.
 *
 * linux/can.h has a struct of the same name: a file that needs both writes `#define can_frame linux_can_frame` before
 * that include and `#undef can_frame` after it. Source standard: ISO 11898-1, ISO 11898-2. */
#ifndef CODEC_CAN_FRAME_H
#define CODEC_CAN_FRAME_H

#include "core/slice.h"

#define CAN_FRAME_DATA_MAX 64
#define CAN_FRAME_ID_STD   UINT32_C(0x7FF)
#define CAN_FRAME_ID_EXT   UINT32_C(0x1FFFFFFF)

enum can_frame_flag {
    CAN_FRAME_EXT = 1,  /* 29-bit identifier */
    CAN_FRAME_RTR = 2,  /* remote request */
    CAN_FRAME_ERR = 4,  /* error frame */
    CAN_FRAME_FD = 8,   /* CAN FD frame format */
    CAN_FRAME_BRS = 16, /* FD: data phase at the higher bit rate */
    CAN_FRAME_ESI = 32, /* FD: the sender is error passive */
    CAN_FRAME_TX = 64   /* sent by the recording node itself */
};

/* Class bits in the id of an error frame, as linux/can/error.h has them. */
enum can_error_class {
    CAN_ERROR_TX_TIMEOUT = 0x1,
    CAN_ERROR_LOST_ARBITRATION = 0x2, /* data[0]: bit number */
    CAN_ERROR_CONTROLLER = 0x4,       /* data[1]: state bits */
    CAN_ERROR_PROTOCOL = 0x8,         /* data[2]: kind, data[3]: place in the frame */
    CAN_ERROR_TRANSCEIVER = 0x10,     /* data[4] */
    CAN_ERROR_NO_ACK = 0x20,
    CAN_ERROR_BUS_OFF = 0x40,
    CAN_ERROR_BUS = 0x80,
    CAN_ERROR_RESTARTED = 0x100,
    CAN_ERROR_COUNTERS = 0x200 /* data[6]: transmit, data[7]: receive error counter */
};

struct can_frame {
    int64_t time_us;
    struct slice bus; /* borrowed; name of the interface or number of the channel, as text */
    uint32_t id;      /* 11 or 29 bits, or class bits */
    uint8_t flags;    /* enum can_frame_flag */
    uint8_t dlc;      /* as on the wire, 0 to 15 */
    uint8_t len;      /* bytes in data */
    uint8_t data[CAN_FRAME_DATA_MAX];
};

/* Bytes that a data length code stands for; classic codes above 8 mean 8. dlc above 15 counts as 15. */
uint8_t can_frame_dlc_to_len(uint8_t dlc, bool fd);
/* The smallest code that holds len bytes; 15 above 48. For classic frames it is len itself, at most 8. */
uint8_t can_frame_len_to_dlc(uint8_t len, bool fd);

static inline struct slice can_frame_data(const struct can_frame *fr)
{
    return slice_make(fr->data, fr->len);
}

#endif
