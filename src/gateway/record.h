/* record: one event as the bytes that an aggregate slot and the journal keep: the body of docs/formats/batch.md with
 * one event, seq_base 1 and time_base 0. Bytes that were read borrow from the buffer. No allocation, linear cost. */
#ifndef GATEWAY_RECORD_H
#define GATEWAY_RECORD_H

#include "event/event.h"

/* Writes the event with its number; fullness is in the writer. */
void record_write(const struct event *ev, struct writer *w);
/* Reads it back; vid is zero, epoch as told. VS_ERR_MALFORMED when these are not such bytes. */
VS_MUST_USE enum vs_err record_read(struct slice bytes, uint32_t epoch, struct event *ret);
/* A bound on the bytes that record_write needs, without writing; close to it. */
size_t record_size_max(const struct event *ev);

#endif
