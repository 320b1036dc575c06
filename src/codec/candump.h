/* candump: reads the logs of can-utils, one line at a time.
 *
 * Both forms that candump writes are read. The log form (-L, -l; -x adds the direction):
 *
 *     (1436509052.249713) can0 123#11223344            classic, 11-bit id (3 hex digits)
 *     (1436509052.249713) can0 12345678#11.22 R        classic, 29-bit id (8 hex digits), received
 *     (1436509052.249713) can0 123#R8                  remote request; 123#1122334455667788_B has a raw dlc of 11
 *     (1436509052.249713) can0 123##311223344          FD; the digit after ## is flags: 1 BRS, 2 ESI, 4 FD
 *     (1436509052.249713) can0 20000080#0000000000000000   error frame (bit 29 of the id)
 *
 * and the screen form with a time stamp (-ta, -tz, -td; a date before the seconds is not read):
 *
 *     (1436509052.249713)  can0  123   [8]  11 22 33 44 55 66 77 88   '."3DUfw.'
 *     (1436509052.249713)  can0  123  [04]  11 22 33 44               FD has two digits in the brackets
 *     (1436509052.249713)  can0  123   [0]  remote request
 *     (1436509052.249713)  can0  20000080   [8]  00 ..                ERRORFRAME
 *
 * Unlike candump's own reader this one consumes the whole line: bytes that it does not understand are an error with
 * their column, never cut off. Empty lines and lines that do not start with "(" are comments, except that a DROPCOUNT
 * line tells of frames the kernel lost, which is a fact about the data and is handed on. CAN XL is refused.
 *
 * Memory: nothing kept; bus names are borrowed from the line. Cost: one pass. Threads: no state. */
#ifndef CODEC_CANDUMP_H
#define CODEC_CANDUMP_H

#include "codec/can_frame.h"
#include "codec/line_scan.h"
#include "core/err.gen.h"
#include "core/must_use.h"

/* The longest line candump writes is a CAN XL frame; longer ones are not candump's. */
#define CANDUMP_LINE_MAX 8192

enum candump_kind { CANDUMP_COMMENT, CANDUMP_FRAME, CANDUMP_DROPS };

struct candump_item {
    enum candump_kind kind;
    struct can_frame frame; /* CANDUMP_FRAME */
    struct slice bus;       /* CANDUMP_DROPS, borrowed */
    uint64_t drops;         /* CANDUMP_DROPS: frames lost since the last such line */
    uint64_t drops_total;   /* CANDUMP_DROPS: since the recording began */
};

/* Reads one line, with or without its LF or CR LF. On failure ret_item is unchanged and ret_fault says where and why:
 * VS_ERR_TRUNCATED (ends too early), VS_ERR_MALFORMED, VS_ERR_RANGE (too many bytes, identifier too big),
 * VS_ERR_UNSUPPORTED (CAN XL), VS_ERR_LIMIT (line too long). */
VS_MUST_USE enum vs_err candump_line(struct slice line, struct candump_item *ret_item, struct line_fault *ret_fault);

/* A whole log in memory, line by line. */
struct candump {
    struct slice text; /* borrowed */
    size_t pos;
    uint64_t line; /* 1-based number of the line last read */
    struct line_fault fault;
};

void candump_init(struct candump *cd, struct slice text);
/* The next frame or loss report; comments are passed over. VS_ERR_END after the last line. After any other error
 * cd->line and cd->fault name the place and the next call goes on with the line after it. */
VS_MUST_USE enum vs_err candump_next(struct candump *cd, struct candump_item *ret_item);

#endif
