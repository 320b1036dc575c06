/* state: what libvids remembers while it runs. Private to src/edge/can.
 *
 * Times are the low 32 bits of microseconds since the first frame (they wrap after 71 minutes). Differences are taken
 * modulo 2^32 and are right as long as they stay below 35 minutes; the silence sweep marks an identifier that has been
 * away for VIDS_AWAY_US as never seen, so that no older time is ever compared. */
#ifndef EDGE_CAN_STATE_H
#define EDGE_CAN_STATE_H

#include "codec/isotp.h"
#include "edge/can/model.h"
#include "edge/vids.h"

#define VIDS_AWAY_US         UINT32_C(1500000000)
#define VIDS_WINDOW_US       100000
#define VIDS_DETECTOR_TOKENS 128 /* findings a detector may tell at once; see evidence.c */

/* One subject's alarms over time; see evidence.c. */
struct vids_episode {
    uint32_t hit_ms;  /* last hit */
    uint32_t said_ms; /* last finding */
    uint16_t active;  /* bit per detector that spoke in this episode */
    uint16_t withheld;
    uint8_t tokens;
    bool used;
};

enum vids_state_flag {
    STATE_SEEN = 1,         /* last_us is valid */
    STATE_HELD = 2,         /* slot detector waits for the next frame before it judges */
    STATE_SILENT = 4,       /* silence was told */
    STATE_RATED = 8,        /* tat_us is valid */
    STATE_COUNTED = 16,     /* counter_last is valid */
    STATE_REVERTED = 64,    /* the held frame brought the payload back: the frame before it is the odd one */
    STATE_COUNTER_HELD = 32 /* counter detector waits for the next frame */
};

struct vids_id_state {
    uint32_t next_us;     /* slot detector: when the next frame is due */
    uint32_t last_us;     /* the identifier's last frame */
    uint32_t tat_us;      /* rate detector: when the account is even */
    uint32_t last_hash;   /* payload of the last ordinary frame */
    uint32_t before_hash; /* payload before its last change */
    uint32_t held_hash;
    uint32_t extra_hash; /* payload of the last extra frame */
    uint32_t slot_frame; /* low bits of the index of the frame that filled the current slot */
    uint32_t slot_us;
    uint32_t slot_due_us; /* when the current slot's frame was due */
    uint32_t held_frame, held_us;
    int32_t slot_residual;
    uint32_t counter_frame, counter_us;
    struct vids_episode episode;
    uint8_t flags;        /* enum vids_state_flag */
    uint8_t lock;         /* frames in step since the grid was set, up to SLOT_LOCKED */
    uint8_t credit;       /* slots that stayed empty: their frames may still come late */
    uint8_t history;      /* bit per slot, newest lowest: had an extra frame */
    uint8_t since_change; /* frames since the payload changed, saturating */
    uint8_t off_count;    /* frames in a row outside the tolerance */
    uint8_t held_count;
    uint8_t page; /* frames in the current slot, where a slot has several */
    uint8_t counter_last, counter_held, counter_history;
};

struct vids_bus_state {
    uint32_t last_us;   /* last frame on this bus */
    uint32_t resume_us; /* first frame after its last long pause */
    uint32_t relock_us; /* the same for pauses so long that senders may have restarted */
    uint32_t window_us; /* start of the load window */
    uint32_t window_frames, window_bits;
    uint32_t error_us;
    uint16_t error_level, arbitration_level; /* leaky buckets */
    uint8_t over_count;                      /* windows in a row above the lower load limit */
    uint8_t tec_last, tec_rises;
    bool seen, off;
    struct vids_episode episode;
};

struct vids_stranger {
    uint32_t key;
    uint8_t bus;
    struct vids_episode episode;
};

struct vids_budget {
    uint32_t refill_ms;
    uint16_t tokens;
    uint16_t withheld;
};

/* One diagnostic conversation, named by the identifier that answers. */
struct vids_diag {
    struct isotp ask, answer;
    uint32_t response_id;
    uint32_t seen_us;
    uint32_t window_us;          /* start of the scan window */
    uint16_t misses;             /* refused requests for different targets in the window */
    uint16_t last_target;        /* service or identifier last refused, so that repeats do not count as a scan */
    uint16_t did;                /* of the last request */
    uint8_t bus, session, flags; /* enum diag_flag of diag.c */
    uint8_t sid, sub;            /* of the last request */
    bool extended, used, scan_said;
    uint8_t ask_buf[VIDS_DIAG_BYTES], answer_buf[VIDS_DIAG_BYTES];
};

struct vids_fixed {
    struct vids_bus_state bus[VIDS_BUSES_MAX];
    struct vids_stranger stranger[VIDS_STRANGERS];
    struct vids_episode strangers_other;
    struct vids_budget budget[VIDS_DETECTORS];
    struct vids_diag diag[VIDS_DIAG_MAX];
    uint8_t stranger_next;
};

_Static_assert(sizeof(struct vids_id_state) <= VIDS_ID_STATE_SIZE, "VIDS_STORAGE_SIZE promises this");
_Static_assert(sizeof(struct vids_fixed) <= VIDS_FIXED_SIZE, "VIDS_STORAGE_SIZE promises this");

/* Microseconds since the first frame, low 32 bits. */
static inline uint32_t vids_rel(const struct vids *v)
{
    return v->now_rel;
}

static inline int32_t vids_abs(int32_t x)
{
    return x < 0 ? -x : x;
}

/* What a detector looks at: one frame of a known identifier. */
struct vids_look {
    const struct can_frame *fr;
    const uint8_t *id; /* model record */
    struct vids_id_state *st;
    uint32_t flags; /* enum model_id_flag */
    uint32_t hash;  /* of the payload */
    uint32_t now;   /* vids_rel */
    uint8_t bus;
};

/* evidence.c: asks for room to tell a hit. NULL when it belongs to a finding already told, is over a budget, or does
 * not fit; it is counted then. The finding has detector, type, score, count, frame and time set (this frame). */
struct vids_finding *vids_raise(struct vids *v, struct vids_episode *ep, enum vids_detector d, uint16_t type,
                                uint32_t score_centi);
/* The same for a known identifier: also id, bus, data. */
struct vids_finding *vids_raise_id(struct vids *v, const struct vids_look *k, enum vids_detector d, uint16_t type,
                                   uint32_t score_centi);
void vids_finding_frame(struct vids *v, struct vids_finding *f, uint32_t frame_low, uint32_t rel_us);
void vids_finding_uint(struct vids_finding *f, enum ev_field_id id, uint64_t value);
void vids_finding_int(struct vids_finding *f, enum ev_field_id id, int64_t value);
void vids_finding_text(struct vids_finding *f, enum ev_field_id id, struct slice text);
struct slice vids_bus_name(const struct vids *v, uint32_t bus);

/* Detectors, one file each. */
void vids_spec_unknown(struct vids *v, const struct can_frame *fr, uint32_t bus);
void vids_spec_dlc(struct vids *v, const struct vids_look *k);
void vids_slot_step(struct vids *v, const struct vids_look *k);
void vids_rate_step(struct vids *v, const struct vids_look *k);
void vids_silence_judge(struct vids *v, uint32_t index);
/* Nearly always the identifier has been seen within its deadline, or not at all, and that is that. */
static inline void vids_silence_check(struct vids *v, uint32_t index)
{
    const struct vids_id_state *st = &v->id_state[index];
    uint32_t deadline = model_u32(vids_model_id(v, (int)index) + ID_AT_DEADLINE_US), age = v->now_rel - st->last_us;

    if ((st->flags & (STATE_SEEN | STATE_SILENT)) == STATE_SEEN && (age > deadline || deadline == 0))
        vids_silence_judge(v, index);
}
void vids_load_step(struct vids *v, const struct can_frame *fr, uint32_t bus);
void vids_load_tick(struct vids *v, uint32_t bus);
/* Mean length on the wire in bits of the arbitration phase; see load.c. */
static inline uint32_t vids_frame_bits(const struct can_frame *fr)
{
    uint32_t head = (fr->flags & CAN_FRAME_EXT) != 0 ? 67 : 47, payload = 8u * fr->len;

    if ((fr->flags & CAN_FRAME_FD) != 0)
        return head + 10 + payload / 4;
    return head + payload + (head - 13 + payload) / 10;
}

void vids_signal_step(struct vids *v, const struct vids_look *k);
void vids_payload_step(struct vids *v, const struct vids_look *k);
void vids_counter_step(struct vids *v, const struct vids_look *k);
void vids_errors_step(struct vids *v, const struct can_frame *fr, uint32_t bus);
/* Whether an identifier can belong to a diagnosis at all: 7DF, 7E0 to 7EF, 18DAxxxx, 18DBxxxx. */
static inline bool vids_diag_candidate(const struct can_frame *fr)
{
    if ((fr->flags & CAN_FRAME_EXT) == 0)
        return fr->id >= 0x7DF;
    return fr->id >> 17 == 0x18DA >> 1;
}

/* True when the frame is a plausible part of a diagnostic conversation. */
bool vids_diag_step(struct vids *v, const struct can_frame *fr, uint32_t bus);

#endif
