/* uplink: when to send, how long to wait, what an answer means. A pure state machine: time and random numbers come in.
 *
 *     IDLE --started--> WAITING --answer--> IDLE | BACKOFF | PAUSED          BACKOFF, PAUSED --due--> IDLE
 *
 * Answers (HTTP, POST /v1/batches with the COSE bytes as application/cose):
 *     200          durable at the backend: free the records
 *     429, 503     busy: wait as long as Retry-After says
 *     400, 409, 413, 422   this batch will never be taken: set it aside and go on with the next
 *     401, 403     not let in: wait long, nothing is lost
 *     others, no answer    wait with exponential backoff and full jitter, then send again
 * Everything that is not a 200 or a refusal leaves the records in the journal. Values, constant time. */
#ifndef GATEWAY_UPLINK_H
#define GATEWAY_UPLINK_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

enum uplink_state { UPLINK_IDLE, UPLINK_WAITING, UPLINK_BACKOFF, UPLINK_PAUSED };

/* What to do with the records of the batch that was under way. */
enum uplink_verdict { UPLINK_ACKED, UPLINK_AGAIN, UPLINK_REFUSED };

struct uplink_config {
    uint32_t backoff_ms_min;    /* 0 = 1000 */
    uint32_t backoff_ms_max;    /* 0 = 900000 */
    uint32_t answer_ms_max;     /* longest wait for an answer; 0 = 60000 */
    uint32_t refused_ms;        /* wait after 401 and 403; 0 = 900000 */
    uint32_t retry_after_s_max; /* longest Retry-After that is believed; 0 = 86400 */
};

struct uplink_reply {
    int status;             /* HTTP status; 0 = the connection failed or broke */
    uint32_t retry_after_s; /* 0 = not told */
    uint64_t seq_next;      /* as the backend echoes it; 0 = not told */
    uint32_t epoch;
    uint64_t stored;  /* events the backend took */
    char reason[128]; /* of a refusal, for the log */
};

/* A link that carries one batch at a time. start takes a batch (borrowed until poll says that it is over); poll gives
 * VS_ERR_BUSY while there is no answer, VS_OK with one. cancel drops what is under way. */
struct uplink_link {
    enum vs_err (*start)(void *ctx, struct slice body);
    enum vs_err (*poll)(void *ctx, struct uplink_reply *ret);
    void (*cancel)(void *ctx);
    void *ctx;
};

struct uplink_counters {
    uint64_t started, acked, refused, busy, unauthorised, failed, timed_out;
};

struct uplink {
    struct uplink_config cfg;
    uint8_t state; /* enum uplink_state */
    uint8_t tries; /* failures in a row, saturating */
    int64_t started_us;
    int64_t wait_from_us;
    int64_t wait_until_us;
    struct uplink_counters counters;
};

void uplink_init(struct uplink *u, const struct uplink_config *cfg);
/* Ends a wait that is over. True when a batch may be started. */
bool uplink_ready(struct uplink *u, int64_t now_us);
void uplink_started(struct uplink *u, int64_t now_us);
/* True when the answer is overdue: cancel the link and call uplink_answered with status 0. */
bool uplink_overdue(const struct uplink *u, int64_t now_us);
/* random is any 32 random bits. */
enum uplink_verdict uplink_answered(struct uplink *u, const struct uplink_reply *reply, uint32_t random,
                                    int64_t now_us);
/* A new bearer, or a critical record: a wait for the network's sake is over; one the backend asked for is not. */
void uplink_hurry(struct uplink *u);
/* Milliseconds until something is due; at most cap. */
uint32_t uplink_wait_ms(const struct uplink *u, int64_t now_us, uint32_t cap);

#endif
