/* learner: makes a model blob out of clean recordings and, optionally, a network description.
 *
 * Feed it recordings (learner_session before each, learner_frame for each frame), then learner_finish. What is learned
 * per identifier and bus: allowed lengths, cycle with phase jitter, arrival curve, silence deadline, alive counter,
 * and, after long calibration only, constant bits and byte ranges. Then the detectors themselves run over the
 * recordings, and every threshold that they pass there is widened or disarmed: what is armed was silent on everything
 * it was trained on.
 *
 * Memory: heap; keeps all frames (24 bytes and the payload each) up to LEARN_FRAMES_MAX. Runs on Linux, uses doubles.
 * Threads: one owner. Cost: O(frames log frames). Errors: codes; counters in struct learn_report. */
#ifndef EDGE_LEARN_LEARNER_H
#define EDGE_LEARN_LEARNER_H

#include "codec/can_frame.h"
#include "codec/dbc.h"
#include "core/err.gen.h"
#include "core/must_use.h"

#define LEARN_FRAMES_MAX UINT32_C(50000000)
#define LEARN_BITRATE    500000

/* Payload models are armed from this much calibration on, and only when its second half brought nothing new. */
#define LEARN_PAYLOAD_MS UINT32_C(1200000)

struct learner;

struct learn_report {
    uint32_t ids, ids_cyclic, ids_sporadic, ids_counter, ids_payload, ids_specified, buses;
    uint32_t signals, signals_disarmed;             /* ranges of the description that the recordings contradict */
    uint32_t detectors_widened, detectors_disarmed; /* by calibration */
    uint32_t trained_ms;
    uint64_t frames, frames_left_out; /* error and remote frames; too many buses or identifiers */
};

/* NULL when memory is out. */
struct learner *learner_new(uint32_t bitrate);
void learner_free(struct learner *l); /* NULL is fine */
/* A new recording starts: times before and after are not compared. */
void learner_session(struct learner *l);
/* VS_ERR_NO_MEMORY, VS_ERR_LIMIT (too many frames). Error and remote frames, and those beyond VIDS_BUSES_MAX buses or
 * VIDS_IDS_MAX identifiers, are counted and left out. */
VS_MUST_USE enum vs_err learner_frame(struct learner *l, const struct can_frame *fr);
/* Borrows db until learner_finish. Its messages apply to every bus: to those seen in recordings by identifier, and to a
 * bus called "*" when there is no recording. */
void learner_dbc(struct learner *l, const struct dbc *db);
/* The blob is the caller's, to be released with free. */
VS_MUST_USE enum vs_err learner_finish(struct learner *l, uint8_t **ret_blob, size_t *ret_size,
                                       struct learn_report *ret_report);

#endif
