/* can_trace: recordings of a CAN bus that never existed, for machines without real ones.
 *
 * A few dozen identifiers with cycle times from 10 ms to 1 s, each with its own jitter, alive counters, slow signals,
 * constants and a few event-driven ones; then an attack in the second half. Written as `candump -L` text. The same seed
 * gives the same bytes. */
#ifndef SIM_CAN_TRACE_H
#define SIM_CAN_TRACE_H

#include <stdio.h>

#include "rng.h"

enum can_trace_kind {
    CAN_TRACE_CLEAN,
    CAN_TRACE_DOS,     /* identifier 0 in bursts, so that nothing else gets through */
    CAN_TRACE_FUZZ,    /* identifiers and payloads drawn at random */
    CAN_TRACE_INJECT,  /* frames of a cyclic identifier between its own ones, with other contents */
    CAN_TRACE_SUSPEND, /* a cyclic identifier falls silent */
    CAN_TRACE_KIND_COUNT
};

/* "clean", "dos", ... ; CAN_TRACE_KIND_COUNT when the name is none. */
enum can_trace_kind can_trace_kind_find(const char *name);
/* Writes `seconds` of traffic. Returns the number of frames; the caller checks ferror. */
uint64_t can_trace_write(FILE *out, uint64_t seed, enum can_trace_kind kind, unsigned seconds);

#endif
