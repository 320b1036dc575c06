/* blf: reads the objects of a Vector BLF log (CANoe, CANalyzer, and what imitates them).
 *
 * All numbers are little endian. The file begins with a header:
 *
 *     0  "LOGG"                  4  u32 header size (144)    8  8 bytes of versions
 *     16 u64 file size           24 u64 size when unpacked   32 u32 objects, u32 objects read
 *     40 SYSTEMTIME start        56 SYSTEMTIME stop
 *
 * SYSTEMTIME is eight u16: year, month, day of week, day, hour, minute, second, millisecond, in the logger's local
 * time. Objects follow:
 *
 *     0  "LOBJ"    4  u16 header size    6  u16 header version    8  u32 object size    12  u32 type
 *     16 version 1: u32 flags, u16 client, u16 object version, u64 time
 *     16 version 2: u32 flags, u8 time status, u8 reserved, u16 object version, u64 time, u64 original time
 *
 * with the time in units of 10 us when flags is 1, else in ns. Up to 7 bytes of padding lie between objects. In the
 * file itself nearly all objects are containers (type 10), which hold a stretch of the stream of real objects, mostly
 * deflated; an object may begin in one container and end in a later one. So there are two levels, and both are read by
 * blf_object: whoever owns the file unpacks containers (blf_container) and offers the bytes again.
 *
 *     1, 86  CAN message        u16 channel, u8 flags (01 sent, 80 remote), u8 dlc, u32 id (bit 31: extended), 8 data
 *     100    CAN FD message     the same head, then u32, u8, u8 FD flags (1 FD, 2 BRS, 4 ESI), u8 valid bytes, 5 bytes,
 *                               64 data
 *     101    CAN FD message 64  u8 channel, u8 dlc, u8 valid bytes, u8, u32 id, u32, u32 flags (10 remote, 1000 FD,
 *                               2000 BRS, 4000 ESI), 16 bytes, u16, u8 direction (1 sent), u8 offset of more, u32, data
 *     2, 73  CAN error frame    u16 channel, ..
 *     104    CAN FD error frame u8 channel, ..
 *     126    data lost          u32, u64, u32 number of objects
 *
 * Every other type is BLF_OTHER. Error frames have id CAN_ERROR_BUS: what Vector says of the cause depends on the
 * controller. Times of frames are microseconds since the start of the measurement, whose date blf_header gives.
 *
 * Memory: nothing kept but the name of the channel, in struct blf; frames borrow it. Cost: one pass. Threads: one
 * owner. Source: Vector publishes no specification; the readers of python-can and Wireshark describe the same layout.
 */
#ifndef CODEC_BLF_H
#define CODEC_BLF_H

#include "codec/can_frame.h"
#include "core/err.gen.h"
#include "core/must_use.h"

#define BLF_HEADER_MIN    72u         /* bytes that blf_header needs to see */
#define BLF_HEADER_MAX    4096u       /* largest header size accepted */
#define BLF_OBJECT_HEAD   16u         /* bytes that say how long an object is */
#define BLF_OBJECT_MAX    (1u << 20)  /* longest object read, containers apart */
#define BLF_CONTAINER_MAX (16u << 20) /* longest container read, packed or unpacked */
#define BLF_CHANNEL_TEXT  6

enum blf_kind { BLF_OTHER, BLF_FRAME, BLF_CONTAINER, BLF_LOST };

enum blf_packing { BLF_PLAIN = 0, BLF_DEFLATE = 2 };

struct blf {
    char channel[BLF_CHANNEL_TEXT]; /* of the frame last returned */
};

struct blf_item {
    enum blf_kind kind;
    struct can_frame frame;   /* BLF_FRAME */
    enum blf_packing packing; /* BLF_CONTAINER */
    uint32_t unpacked_size;   /* BLF_CONTAINER: as it says; a claim, to be held against what comes out */
    struct slice packed;      /* BLF_CONTAINER, borrowed from the input */
    uint64_t lost;            /* BLF_LOST: objects */
};

struct blf_head {
    uint32_t size;    /* where the first object begins */
    int64_t start_us; /* as if local time were UTC; -1 when unknown */
};

/* True for what only a BLF file begins with. */
bool blf_is_header(struct slice in);
VS_MUST_USE enum vs_err blf_header(struct slice in, struct blf_head *ret, const char **ret_reason);

/* The object at the start of `in`, padding before it included. *ret_used is how many bytes it took. VS_ERR_TRUNCATED:
 * `in` ends within it; come back with more, at least *ret_used bytes if that is not 0. Any other error: *ret_used says
 * how far to go on to be behind the object (0: the place of the next one is not known), *ret_reason why. */
VS_MUST_USE enum vs_err blf_object(struct blf *b, struct slice in, struct blf_item *ret_item, size_t *ret_used,
                                   const char **ret_reason);

#endif
