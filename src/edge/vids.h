/* vids: the CAN intrusion detector for other people's firmware. This header is the whole interface.
 *
 * The model in the reader's head: a model blob (docs/formats/vids-model.md) says what a vehicle's buses look like:
 * which identifiers, how long, how often, within which limits. Every received frame is one vids_step; it updates a few
 * words of state of that identifier and may give findings. vids_tick does what only the passing of time can tell:
 * silence, and the end of a bus-load window. The same blob and the same code run on a Cortex-M and in `vsoc-edge scan`.
 *
 *     static _Alignas(8) uint8_t memory[VIDS_STORAGE_SIZE(256, 1024)];
 *     struct vids ids;
 *     if (vids_init(&ids, memory, sizeof memory, model) != VS_OK) ...
 *     n = vids_step(&ids, &frame, now_us, found, VIDS_FINDINGS_MAX);
 *
 * Memory: the caller gives all of it; the context, the memory and the model blob must stay in place until the last
 * call. Findings borrow their texts from the model blob or from constants. No heap, no stdio, no floating point, no
 * recursion. Time: `now_us` is the caller's clock in microseconds, any origin; it should not run backwards (see below).
 * Per frame the work is bounded: one look-up of at most VIDS_PROBES_MAX probes, the detectors of one identifier, one
 * silence check. A step back of the clock or a leap of more than VIDS_LEAP_US makes all timing detectors lock on anew,
 * and is counted. Threads: one context belongs to one thread. Errors: only vids_init can fail. Every bound has a
 * counter below. */
#ifndef EDGE_VIDS_H
#define EDGE_VIDS_H

#include "codec/can_frame.h"
#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"
#include "event/event.h"

#define VIDS_BUSES_MAX    8
#define VIDS_IDS_MAX      4096
#define VIDS_PROBES_MAX   16
#define VIDS_STRANGERS    16 /* unknown identifiers told apart at a time */
#define VIDS_FIELDS_MAX   6
#define VIDS_FINDINGS_MAX 16 /* most that one frame or tick gives; more are counted as findings_dropped */
#define VIDS_LEAP_US      INT64_C(10000000)
#define VIDS_DIAG_MAX     6   /* diagnostic conversations followed at a time */
#define VIDS_DIAG_BYTES   128 /* longest diagnostic message put together; of longer ones the start is looked at */

/* Bytes of memory for a model with so many identifiers and signals. A compile-time expression; a static assertion in
 * can/state.h ties the parts to the real structs. Signals live in the blob and need none. */
#define VIDS_ID_STATE_SIZE              96
#define VIDS_FIXED_SIZE                 4096
#define VIDS_STORAGE_SIZE(ids, signals) (VIDS_FIXED_SIZE + (size_t)(ids)*VIDS_ID_STATE_SIZE + 0 * (size_t)(signals))

enum vids_detector {
    VIDS_UNKNOWN_ID,    /* identifier not in the model */
    VIDS_SEGMENT,       /* identifier of another bus */
    VIDS_DLC,           /* length never seen or not specified */
    VIDS_SLOT_RESIDUAL, /* a frame too many in the phase-locked slot grid of a cyclic identifier */
    VIDS_REPLAY,        /* such a frame whose payload was on the bus before */
    VIDS_RATE,          /* count of frames against the learned arrival curve */
    VIDS_SILENCE,       /* deadline of a cyclic identifier passed */
    VIDS_BUS_LOAD,
    VIDS_SIGNAL_RANGE,  /* outside the limits of the network description */
    VIDS_BYTE_RANGE,    /* outside the learned range of a byte; armed after long calibration only */
    VIDS_CONSTANT_BITS, /* bits that never changed have changed; armed after long calibration only */
    VIDS_COUNTER,       /* alive counter out of step while the old sequence goes on */
    VIDS_ERROR_FRAMES,  /* error frame pattern, bus-off, lost arbitration */
    VIDS_DIAGNOSTIC,    /* UDS over ISO-TP */
    VIDS_DETECTORS
};

struct vids_finding {
    uint16_t type;    /* enum ev_type_id */
    uint8_t detector; /* enum vids_detector */
    bool learned;     /* rests on a learned model; otherwise on the specification */
    bool extended;
    bool has_id; /* false: concerns a bus */
    uint8_t data_len;
    uint8_t field_count;
    uint32_t can_id;
    uint32_t count;        /* hits it stands for: this one and those withheld since the one before */
    uint32_t score_centi;  /* evidence in hundredths of the alarm threshold; 100 or more */
    uint64_t frame;        /* 0-based index of the frame that the evidence points at */
    uint64_t raised_frame; /* index of the frame that completed the evidence */
    int64_t time_us;       /* time of `frame` */
    int64_t raised_us;
    struct slice bus;                       /* as the model names it, or as the frame named it */
    struct ev_field field[VIDS_FIELDS_MAX]; /* further fields of the event type; texts borrowed */
    uint8_t data[CAN_FRAME_DATA_MAX];       /* payload of `frame` when it is the raising one; else empty */
};

/* How often what happened; they only grow. */
struct vids_counters {
    uint64_t frames;
    uint64_t frames_unknown_bus; /* on a segment the model does not describe: not looked at */
    uint64_t time_steps;         /* clock went back or leapt */
    uint64_t strangers_merged;   /* unknown identifiers that shared an episode because VIDS_STRANGERS were under way */
    uint64_t findings;
    uint64_t findings_dropped;  /* no room in found[] */
    uint64_t findings_withheld; /* same episode, or over the budget; told later in `count` */
    uint64_t diag_evicted;      /* conversations given up for a newer one */
    uint64_t diag_malformed;
    uint64_t hits[VIDS_DETECTORS];   /* alarms before episodes and budgets */
    uint64_t shadow[VIDS_DETECTORS]; /* what disarmed detectors would have said */
};

struct vids_model; /* can/model.h */
struct vids_id_state;
struct vids_fixed;

struct vids {
    const uint8_t *model; /* borrowed, checked by vids_init */
    struct vids_fixed *fixed;
    struct vids_id_state *id_state;
    uint32_t id_count, hash_mask, hash_shift;
    const uint8_t *ids, *hash, *buses, *signals, *payloads, *names;
    uint32_t bus_count, signal_count, model_flags;
    uint8_t bus_name[24]; /* of the frame before, padded with zero */
    uint8_t bus_name_len, bus_last;
    struct slice frame_bus; /* of the frame at hand */
    uint32_t now_rel;       /* now_us - origin_us, low bits */
    uint64_t frame_index;   /* index of the next frame */
    int64_t now_us, origin_us;
    uint32_t sweep; /* next identifier to look at for silence */
    bool started;
    struct vids_finding *found; /* during a call */
    size_t found_count, found_max;
    struct vids_counters counters;
};

/* Checks the whole blob (its CRC and every offset) and lays the state out. VS_ERR_MALFORMED, VS_ERR_TRUNCATED,
 * VS_ERR_VERSION, VS_ERR_TAMPERED (CRC), VS_ERR_LIMIT; VS_ERR_FULL when size is below VIDS_STORAGE_SIZE of the model.
 * memory and the model's first byte must be aligned to 8 bytes; a model that is not is VS_ERR_UNSUPPORTED. */
VS_MUST_USE enum vs_err vids_init(struct vids *v, void *memory, size_t size, struct slice model);
/* Bytes of memory this blob needs; 0 when it is not a model. */
size_t vids_storage_size(struct slice model);

/* One received frame. Returns how many findings were written. fr->time_us is not used: now_us is. */
size_t vids_step(struct vids *v, const struct can_frame *fr, int64_t now_us, struct vids_finding *found, size_t max);
/* Time passed without a frame: call about every 10 ms on a vehicle. At most all identifiers are looked at. */
size_t vids_tick(struct vids *v, int64_t now_us, struct vids_finding *found, size_t max);
/* Sets the index that the next frame gets, for callers that do not hand in every frame. */
void vids_seek(struct vids *v, uint64_t frame_index);

/* The finding as an event of the schema; borrows texts and data from the finding. wall_us is added to its times. */
void vids_finding_event(const struct vids_finding *f, int64_t wall_us, struct event *ret_ev);
const char *vids_detector_name(enum vids_detector d);

#endif
