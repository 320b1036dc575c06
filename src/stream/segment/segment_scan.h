/* segment_scan: reads the records of one segment file one after the other, with one buffer and large reads.
 *
 * Memory: the buffer is the scanner's, grows to the largest record and is kept; a record is borrowed until the next
 * call. Threads: one scanner, one thread. */
#ifndef STREAM_SEGMENT_SEGMENT_SCAN_H
#define STREAM_SEGMENT_SEGMENT_SCAN_H

#include "stream/segment/segment_format.h"
#include "stream/segment/segment_io.h"

struct segment_scan {
    const struct segment_io *io;
    int fd;
    uint64_t salt;
    uint64_t pos;   /* of the next record */
    uint64_t limit; /* bytes of the file that may be read */
    uint8_t *buf;
    size_t size;      /* of buf */
    size_t len;       /* bytes in it */
    uint64_t buf_pos; /* where in the file it begins */
};

void segment_scan_init(struct segment_scan *sc, const struct segment_io *io, uint64_t salt);
void segment_scan_done(struct segment_scan *sc);
/* Turns to a file; pos is where a record begins. */
void segment_scan_start(struct segment_scan *sc, int fd, uint64_t pos, uint64_t limit);
/* VS_OK: a record, and pos is behind it. VS_ERR_END: pos has reached limit. VS_ERR_TAMPERED: what is at pos is not a
 * whole valid record; pos stays. VS_ERR_IO, VS_ERR_NO_MEMORY. */
VS_MUST_USE enum vs_err segment_scan_next(struct segment_scan *sc, struct stream_record *ret, uint32_t *ret_durable);
/* Moves pos to the next valid record behind it, or to limit when there is none. */
VS_MUST_USE enum vs_err segment_scan_resync(struct segment_scan *sc);

#endif
