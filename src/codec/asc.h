/* asc: reads Vector ASC logs (CANoe, CANalyzer and what imitates them), one line at a time.
 *
 *     date Sam Sep 30 15:06:13.191 2017            local time of the recording machine; names of months in its language
 *     base hex timestamps absolute                 base of classic ids and bytes; relative = time since the line before
 *     Begin Triggerblock <date> .. End TriggerBlock
 *     <t> <channel> <id>[x] Rx|Tx d <dlc> <bytes> [more]        classic; x marks a 29-bit identifier
 *     <t> <channel> <id>[x] Rx|Tx r [<dlc>] [more]              remote request
 *     <t> <channel> ErrorFrame [more]
 *     <t> CANFD <channel> Rx|Tx <id>[x] [<name>] <brs> <esi> <dlc> <length> <bytes> <duration> <bits> <flags> [more]
 *     <t> CANFD <channel> Rx|Tx ErrorFrame [more]
 *
 * CANFD lines are always hexadecimal except their length; a CANFD line whose flags lack 1000 is a classic frame. Some
 * writers put FD frames in the classic form with the number of bytes as dlc: a dlc above 15 is read as that. A TxRq
 * line is a request, not a frame, and every other kind of line (statistics, chip status, J1939TP, LIN, Ethernet, CANXL,
 * comments) is ASC_OTHER. An error frame has id CAN_ERROR_BUS: the format does not say more in a fixed place.
 *
 * Times are microseconds since the start of the measurement; asc.start_us tells when that was, as if local time were
 * UTC, -1 when unknown. When a later trigger block starts again at zero, its date against the first one carries on the
 * time.
 *
 * Memory: the state below; bus names are borrowed from the line. Cost: one pass. Threads: one owner.
 * Source: the readers of python-can and can-utils; Vector publishes no specification. */
#ifndef CODEC_ASC_H
#define CODEC_ASC_H

#include "codec/can_frame.h"
#include "codec/line_scan.h"
#include "core/must_use.h"

#define ASC_LINE_MAX 8192

enum asc_kind { ASC_OTHER, ASC_FRAME };

struct asc_item {
    enum asc_kind kind;
    struct can_frame frame; /* ASC_FRAME */
};

struct asc {
    bool decimal;      /* base dec */
    bool relative;     /* time stamps are relative to the line before */
    bool block_begins; /* a trigger block has begun, no time stamp seen since */
    int64_t start_us;
    int64_t block_us; /* date of the present block, -1 when unknown */
    int64_t zero_us;  /* added to each time stamp of the present block */
    int64_t last_us;
};

void asc_init(struct asc *a);
/* True for a line that only an ASC file begins with: date, base, or a comment before either. */
bool asc_is_header(struct slice line);
/* Reads one line, with or without its line end. On failure ret_item is unchanged, ret_fault says where and why, and
 * the state is as after a line of another kind. */
VS_MUST_USE enum vs_err asc_line(struct asc *a, struct slice line, struct asc_item *ret_item,
                                 struct line_fault *ret_fault);

#endif
