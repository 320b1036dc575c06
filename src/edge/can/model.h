/* model: where what stands in a model blob. docs/formats/vids-model.md is the text form of this file.
 *
 * All numbers are little endian and naturally aligned from the start of the blob, which itself must be aligned to 8
 * bytes, so that a controller can read the blob in flash in place, one load per number. */
#ifndef EDGE_CAN_MODEL_H
#define EDGE_CAN_MODEL_H

#include "edge/vids.h"

#define MODEL_VERSION     1
#define MODEL_HEADER_SIZE 80
#define MODEL_BUS_SIZE    48
#define MODEL_ID_SIZE     64
#define MODEL_SIGNAL_SIZE 40
#define MODEL_HASH_EMPTY  0xFFFFu
#define MODEL_BUS_NAME    24
#define MODEL_SIZE_MAX    (8u << 20)

enum model_header_at {
    MODEL_AT_MAGIC = 0,       /* "VIDS" */
    MODEL_AT_VERSION = 4,     /* u16 */
    MODEL_AT_HEADER_SIZE = 6, /* u16 */
    MODEL_AT_SIZE = 8,        /* u32, whole blob */
    MODEL_AT_CRC = 12,        /* u32, CRC-32C of everything after this field */
    MODEL_AT_ID_COUNT = 16,   /* u32 */
    MODEL_AT_SIGNAL_COUNT = 20,
    MODEL_AT_BUS_COUNT = 24,
    MODEL_AT_HASH_BITS = 28,
    MODEL_AT_IDS = 32, /* u32 offsets from here on */
    MODEL_AT_HASH = 36,
    MODEL_AT_BUSES = 40,
    MODEL_AT_SIGNALS = 44,
    MODEL_AT_PAYLOADS = 48,
    MODEL_AT_PAYLOADS_SIZE = 52,
    MODEL_AT_NAMES = 56,
    MODEL_AT_NAMES_SIZE = 60,
    MODEL_AT_FLAGS = 64,      /* u32, enum model_flag */
    MODEL_AT_TRAINED_MS = 68, /* u32 */
    MODEL_AT_FRESH_RUN = 72   /* u32: a run of this many repeated fresh frames is a replay; 0 = not armed */
};

enum model_flag {
    MODEL_CLOSED = 1 /* identifiers outside the model are unknown: set unless there is nothing to compare with */
};

enum model_bus_at {
    BUS_AT_NAME = 0,        /* 24 bytes, padded with zero; "*" = any segment */
    BUS_AT_BITRATE = 24,    /* u32, bit/s */
    BUS_AT_FRAMES_MAX = 28, /* u32, most frames in a window of 100 ms; 0 = load not armed */
    BUS_AT_BITS_MAX = 32,   /* u32, most bits in a window */
    BUS_AT_GAP_US = 36,     /* u32, pause of the bus that one in a thousand exceeds */
    BUS_AT_FRAMES_MEAN = 40 /* u32, mean frames in a window */
};

enum model_id_at {
    ID_AT_ID = 0,            /* u32, bit 31: extended */
    ID_AT_BUS = 4,           /* u8 */
    ID_AT_GAIN = 5,          /* u8, right shift of the phase correction */
    ID_AT_DLC_MASK = 6,      /* u16, bit n: length code n is allowed */
    ID_AT_FLAGS = 8,         /* u32, enum model_id_flag */
    ID_AT_CYCLE_US = 12,     /* u32 */
    ID_AT_TOLERANCE_US = 16, /* u32, phase residuals within it are ordinary */
    ID_AT_DEADLINE_US = 20,  /* u32, silence */
    ID_AT_RATE_US = 24,      /* u32, what one frame costs */
    ID_AT_BURST_US = 28,     /* u32, how far the account may be overdrawn */
    ID_AT_SUPPORT = 32,      /* u32, frames trained on */
    ID_AT_PAYLOAD = 36,      /* u32, offset in the payload section; 0 = none */
    ID_AT_SIGNAL_FIRST = 40, /* u32 */
    ID_AT_SIGNAL_COUNT = 44, /* u16 */
    ID_AT_COUNTER_BIT = 46,  /* u16, least significant bit of the alive counter, byte * 8 + bit */
    ID_AT_COUNTER_LEN = 48,  /* u8, bits, 2 to 8, within one byte */
    ID_AT_COUNTER_STEP = 49, /* u8 */
    ID_AT_NEED = 50,         /* u8, extra frames in 8 slots that make an alarm */
    ID_AT_PAGES = 51,        /* u8, frames that make up one slot, sent back to back; 0 and 1 = one */
    ID_AT_NAME = 52,         /* u32, offset in the name section; 0 = none */
    ID_AT_CHANGE = 56,       /* u16, permille of frames whose payload differs from the one before */
    ID_AT_WINDOW_US = 60     /* u32, pages of a slot come within this time of its first frame */
};

enum model_id_flag {
    ID_SPECIFIED = 1, /* from the network description */
    ID_OBSERVED = 2,  /* seen in training */
    ID_DLC = 4,       /* armed detectors */
    ID_SLOT = 8,
    ID_RATE = 16,
    ID_SILENCE = 32,
    ID_COUNTER = 64,
    ID_PAYLOAD = 128,
    ID_SPORADIC = 256, /* too few or too irregular for a cycle */
    ID_STICKY = 512,   /* payload mostly stays: may be sent at once on change */
    ID_FRESH = 1024,   /* payload hardly ever repeats */
    ID_LEARNED_CYCLE = 2048
};

enum model_signal_at {
    SIGNAL_AT_MIN = 0,         /* i64, raw */
    SIGNAL_AT_MAX = 8,         /* i64, raw */
    SIGNAL_AT_START = 16,      /* u16, DBC numbering */
    SIGNAL_AT_LENGTH = 18,     /* u8 */
    SIGNAL_AT_FLAGS = 19,      /* u8: 1 big endian, 2 signed, 4 armed, 8 multiplexed */
    SIGNAL_AT_NAME = 20,       /* u32 */
    SIGNAL_AT_MUX_START = 24,  /* u16, the multiplexer's bits */
    SIGNAL_AT_MUX_LENGTH = 26, /* u8 */
    SIGNAL_AT_MUX_FLAGS = 27,  /* u8 */
    SIGNAL_AT_MUX_LOW = 28,    /* u32 */
    SIGNAL_AT_MUX_HIGH = 32,   /* u32 */
    SIGNAL_AT_EXTRA = 36 /* u32: offset in the payload section of named values outside the range: count u32, i64s */
};

enum model_signal_flag { SIGNAL_BIG_ENDIAN = 1, SIGNAL_SIGNED = 2, SIGNAL_ARMED = 4, SIGNAL_MUXED = 8 };

/* A payload record: length n, flags, 2 bytes zero, then n bytes each of: mask of the constant bits, their value, least
 * and greatest value of each byte. */
#define MODEL_PAYLOAD_HEAD 4

static inline uint16_t model_u16(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint16_t v;
    memcpy(&v, __builtin_assume_aligned(p, 2), sizeof v);
    return v;
#else
    return (uint16_t)(p[0] | (uint32_t)p[1] << 8);
#endif
}

static inline uint32_t model_u32(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t v;
    memcpy(&v, __builtin_assume_aligned(p, 4), sizeof v);
    return v;
#else
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
#endif
}

static inline int64_t model_i64(const uint8_t *p)
{
    return (int64_t)((uint64_t)model_u32(p) | (uint64_t)model_u32(p + 4) << 32);
}

/* The key of an identifier on a bus, and its place in the hash table of 2^bits entries of u16. */
static inline uint32_t model_key(uint32_t id, bool extended)
{
    return id | (extended ? UINT32_C(0x80000000) : 0);
}

static inline uint32_t model_hash(uint32_t key, uint32_t bus)
{
    return (key ^ bus << 24 ^ bus << 11) * UINT32_C(0x9E3779B1);
}

/* Checks a blob and fills the views of v. v->fixed and v->id_state are left alone. */
VS_MUST_USE enum vs_err vids_model_open(struct vids *v, struct slice blob);
/* The identifier's index on that bus, -1 when there is none. */
int vids_model_find(const struct vids *v, uint32_t bus, uint32_t key);
/* A name of the name section: u8 length, bytes. Offset 0 gives an empty slice. */
struct slice vids_model_name(const struct vids *v, uint32_t offset);

static inline const uint8_t *vids_model_id(const struct vids *v, int index)
{
    return v->ids + (size_t)index * MODEL_ID_SIZE;
}

#endif
