/* learn: what the files of this folder share while a model is made. Private to src/edge/learn. */
#ifndef EDGE_LEARN_LEARN_H
#define EDGE_LEARN_LEARN_H

#include "edge/can/model.h"
#include "edge/learn/learner.h"

#define LEARN_LOOKUP_BITS 14

struct learn_frame {
    int64_t time_us;
    size_t data_at; /* in learner.data */
    uint16_t id;    /* index in learner.id */
    uint16_t session;
    uint8_t len, dlc, flags, bus;
};

struct learn_signal {
    uint8_t record[MODEL_SIGNAL_SIZE]; /* offsets of names and extras filled when the blob is written */
    struct slice name;
    int64_t *extra; /* named values outside the range */
    uint32_t extra_count;
    bool bad; /* contradicted by the recordings */
};

struct learn_id {
    uint32_t key;
    uint8_t bus;
    uint32_t *frame; /* indices in learner.frame, in order of time */
    uint32_t count, room;
    uint32_t flags; /* enum model_id_flag */
    uint16_t dlc_mask;
    uint8_t gain, need, pages;
    uint32_t window_us;
    uint32_t cycle_us, tolerance_us, deadline_us, rate_us, burst_us;
    uint16_t counter_bit, change_permille;
    uint8_t counter_len, counter_step;
    const struct dbc_message *message;
    struct learn_signal *signal;
    uint32_t signal_count;
    uint8_t payload_len;
    uint8_t mask[CAN_FRAME_DATA_MAX], value[CAN_FRAME_DATA_MAX], low[CAN_FRAME_DATA_MAX], high[CAN_FRAME_DATA_MAX];
};

struct learn_bus {
    char name[MODEL_BUS_NAME + 1];
    uint32_t frames_max, bits_max, gap_us, frames_mean;
};

struct learner {
    struct learn_frame *frame;
    uint32_t frame_count, frame_room;
    uint8_t *data;
    size_t data_len, data_room;
    struct learn_id *id;
    uint32_t id_count;
    uint16_t *lookup; /* 2^LEARN_LOOKUP_BITS places */
    struct learn_bus bus[VIDS_BUSES_MAX];
    uint32_t bus_count, bitrate;
    uint16_t session;
    const struct dbc *db;
    struct learn_report report;
};

static inline const uint8_t *learn_data(const struct learner *l, const struct learn_frame *f)
{
    return l->data + f->data_at;
}

/* The entry of this identifier, made when it is not there; NULL when there is no room. */
struct learn_id *learn_id_get(struct learner *l, uint32_t bus, uint32_t key);
/* -1 when there is no room for another bus. */
int learn_bus_get(struct learner *l, struct slice name);
uint32_t learn_hash(struct slice data);

VS_MUST_USE enum vs_err learn_fit_spec(struct learner *l);    /* fit_spec.c: the network description */
VS_MUST_USE enum vs_err learn_fit_timing(struct learner *l);  /* fit_timing.c: cycle, jitter, arrival curve, silence */
VS_MUST_USE enum vs_err learn_fit_content(struct learner *l); /* fit_content.c: lengths, change, payload */
void learn_fit_counter(struct learner *l, struct learn_id *id);                                     /* fit_counter.c */
void learn_fit_load(struct learner *l);                                                             /* fit_load.c */
VS_MUST_USE enum vs_err learn_write(const struct learner *l, uint8_t **ret_blob, size_t *ret_size); /* write.c */
/* calibrate.c: runs the detectors over the recordings; *ret_changed when a threshold was moved. */
VS_MUST_USE enum vs_err learn_calibrate(struct learner *l, bool *ret_changed, unsigned round);

#endif
