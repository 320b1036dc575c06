/* rig: what the gateway tests stand on. A flash that loses power at any operation and then shows its unsynced writes in
 * the worst ways; an AEAD and a signature that are toys but notice every changed bit; a backend that keeps what it got
 * and counts the numbers by itself; a small gateway put together from these. */
#ifndef GATEWAY_RIG_H
#define GATEWAY_RIG_H

#include "gateway/gateway.h"
#include "seed.h"

#define RIG_BLOCK      64u
#define RIG_BLOCKS     1024u
#define RIG_STAGING    2048u
#define RIG_BATCH      4096u
#define RIG_ENTRIES    512u
#define RIG_SLOTS      8u
#define RIG_RULES      8u
#define RIG_PENDING    64u
#define LEDGER_NUMBERS 200000u

enum tear { TEAR_NONE_APPLIED, TEAR_ALL_APPLIED, TEAR_PREFIX, TEAR_OUT_OF_ORDER, TEAR_GARBAGE, TEAR_COUNT_ };

struct flash {
    uint8_t *bytes;
    uint32_t blocks;
    bool off;          /* power is gone: every operation fails and changes nothing */
    uint64_t ops, cut; /* operations so far, and the one at which power goes (0 = never) */
    uint64_t io_fail;  /* the operation that fails once without power going (0 = never) */
    bool anchored;
    struct port_anchor_value anchor;
    struct {
        uint64_t offset;
        size_t len;
        uint8_t *data;
    } pending[RIG_PENDING]; /* writes since the last sync, newest state is in `view` */
    unsigned pending_count;
    uint8_t *view; /* what reads see: everything written */
    struct port_device device;
    struct port_anchor anchor_port;
};

void flash_init(struct flash *f, uint32_t block_size, uint32_t blocks);
void flash_done(struct flash *f);
/* Power comes back: unsynced writes are there as `tear` says. */
void flash_power_on(struct flash *f, enum tear tear, struct seed *seed);

const struct port_aead *rig_aead(void);
const struct port_sign *rig_sign(void);

/* The backend. A number is received, folded, or neither. */
struct ledger {
    uint32_t *received; /* crc of the event by number; 0 = not */
    uint32_t *folded;   /* number of the record that names it, and a bit for the full journal */
    uint32_t epoch;
    uint64_t seq_next;
    uint64_t count_total; /* occurrences told by records received */
    uint64_t by_filter[16];
    uint64_t duplicates;
    uint64_t events;
    uint64_t bytes, plain_bytes, batches;
    uint64_t of_type[0x1000];
};
void ledger_init(struct ledger *l);
void ledger_done(struct ledger *l);
/* Takes a batch; fails the test when it does not verify or contradicts what was received. */
void ledger_take(struct ledger *l, struct slice cose);
/* Fails the test unless each number below seq_next is received or folded, and none both, except for what was given up
 * after it had arrived. */
void ledger_check_complete(const struct ledger *l);
uint64_t ledger_missing(const struct ledger *l);

struct rig {
    struct flash flash;
    struct gateway gw;
    struct gateway_config cfg;
    struct gateway_ports ports;
    struct gateway_memory memory;
    struct qualify_rule rule[RIG_RULES];
    struct qualify_state state[RIG_RULES];
    struct journal_finding finding;
    uint8_t *out;
    size_t out_size;
    struct ledger ledger;
    int64_t now_us;
};

#define RIG_START_US INT64_C(1795000000000000)

void rig_init(struct rig *r, uint32_t blocks);
/* Starts, or restarts after a power loss, the gateway on the flash. */
enum vs_err rig_start(struct rig *r);
void rig_done(struct rig *r);
/* Sends and acknowledges everything that is due. */
void rig_deliver(struct rig *r);
/* Flushes and delivers everything on a free link. */
void rig_finish(struct rig *r);

/* A valid event of a type with little and much text in it; `id` varies the attack signature. */
void make_can_event(struct event *ev, int64_t time_us, uint32_t id); /* medium */
void make_critical_event(struct event *ev, int64_t time_us, const char *pdu);
void make_low_event(struct event *ev, int64_t time_us, const char *text);

#endif
