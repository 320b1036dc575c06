/* trace: one reader for every kind of CAN recording the programs take, chosen by content, not by name.
 *
 * Reads candump logs, Vector ASC and BLF, PEAK TRC, pcap and pcapng, plain or gzip, record by record, so that memory
 * does not grow with the file. "-" is standard input. Frames are numbered from 0 over everything that carries a frame,
 * error and remote frames included. Packets of a capture that are no CAN frames are passed over and counted.
 *
 * Memory: heap, 256 kB and up to TRACE_INPUT_MAX for a file with records that long. A frame's bus name is valid until
 * the next call. Threads: one owner. */
#ifndef APP_TRACE_H
#define APP_TRACE_H

#include "codec/can_frame.h"
#include "core/err.gen.h"
#include "core/must_use.h"

struct trace;

/* NULL when the file cannot be opened or memory is out; errno says why. */
struct trace *trace_open(const char *path);
/* The next frame. VS_ERR_END after the last; VS_ERR_IO when reading or unpacking fails; VS_ERR_UNSUPPORTED, once, when
 * the file is of a kind that is not read. A line that breaks its format gives its code; trace_where then says
 * "file:line:column: reason" or "file: byte n: reason", and the next call goes on behind it. */
VS_MUST_USE enum vs_err trace_next(struct trace *tr, struct can_frame *ret_frame);
/* Index of the frame last returned. */
uint64_t trace_frame_index(const struct trace *tr);
/* How many frames have been returned. */
uint64_t trace_frame_count(const struct trace *tr);
/* Place and reason of the last error; valid until the next call. */
const char *trace_where(const struct trace *tr);
/* Frames that the recording itself says were lost before they were written. */
uint64_t trace_lost_count(const struct trace *tr);
/* Packets of a capture that are no CAN frames. */
uint64_t trace_foreign_count(const struct trace *tr);
void trace_close(struct trace *tr);

#endif
