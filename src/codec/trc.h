/* trc: reads PEAK trace files (PCAN-View, PCAN-Explorer, PEAK-Converter), one line at a time.
 *
 * Lines that begin with ";" are comments, except three that say how to read the rest:
 *
 *     ;$FILEVERSION=2.1            absent: version 1.0
 *     ;$STARTTIME=44548.6028       days since 1899-12-30, in local time
 *     ;$COLUMNS=N,O,T,B,I,d,R,L,D  from version 2.0 on
 *
 * A line has one word per column, and the data bytes last. Before 2.0 the columns follow from the version:
 *
 *     1.0   N) O I L D             1.1   N) O T I L D
 *     1.2   N) O B T I L D         1.3   N) O B T I R L D
 *
 *     N  number of the line
 *     O  milliseconds since the start, up to three digits of fraction (1.0: none)
 *     B  bus
 *     T  1.x: Rx, Tx, Warng, Error
 *        2.x: DT data, FD FB FE BI FD frames (B: rate switched, E: error state), RR remote request, ER error frame
 *     I  identifier in hex: 4 digits for 11 bits, 8 for 29
 *     d  Rx, Tx
 *     R  reserved, or the J1939 destination
 *     L  data length code; l  number of bytes
 *     D  bytes in hex, or RTR
 *
 * Lines that carry no frame are TRC_OTHER: warnings (identifier FFFFFFFF), bus state, error counters, events, and the
 * lines of a Vector log that PEAK's converter leaves in. An error frame has id CAN_ERROR_BUS; what PEAK says of its
 * cause is not read. Times are microseconds since the start of the measurement; trc.start_us tells when that was, as if
 * local time were UTC, -1 when unknown. The bus of the versions that name none is "1".
 *
 * Memory: the state below; bus names are borrowed from the line or static. Cost: one pass. Threads: one owner.
 * Source: PEAK CAN TRC File Format, versions 1.0 to 2.1; the reader of python-can. */
#ifndef CODEC_TRC_H
#define CODEC_TRC_H

#include "codec/can_frame.h"
#include "codec/line_scan.h"
#include "core/must_use.h"

#define TRC_LINE_MAX    8192
#define TRC_COLUMNS_MAX 16

enum trc_kind { TRC_OTHER, TRC_FRAME };

struct trc_item {
    enum trc_kind kind;
    struct can_frame frame; /* TRC_FRAME */
};

struct trc {
    char column[TRC_COLUMNS_MAX + 1]; /* letters as above, NUL-terminated */
    bool old;                         /* 1.x: the number ends with a bracket, and T is the direction */
    int64_t start_us;
};

void trc_init(struct trc *t);
/* True for a line that only a TRC file begins with. */
bool trc_is_header(struct slice line);
/* Reads one line, with or without its line end. On failure ret_item is unchanged and ret_fault says where and why. */
VS_MUST_USE enum vs_err trc_line(struct trc *t, struct slice line, struct trc_item *ret_item,
                                 struct line_fault *ret_fault);

#endif
