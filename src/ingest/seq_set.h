/* seq_set: which sequence numbers of one vehicle and epoch were taken, made for numbers that come almost in order.
 *
 * 1..low are all there; `bits` says which of the 64 behind are; only numbers further ahead, behind a real gap, need the
 * heap. So the usual vehicle costs 24 bytes and one step per event, and the set is exact whatever the order.
 * Bound: SEQ_GAPS_MAX gaps. When one more would come, the lowest is closed: its numbers count as missing for good, and
 * one that still arrives cannot be told from a repetition any more (SEQ_CLOSED). Closings are counted. */
#ifndef INGEST_SEQ_SET_H
#define INGEST_SEQ_SET_H

#include "ingest/span_set.h"

#define SEQ_GAPS_MAX 1024
#define SEQ_WINDOW   64

struct seq_ahead {
    struct span_set set;   /* all above low + SEQ_WINDOW */
    uint64_t closed_high;  /* highest number of a closed gap; 0 = none */
    uint64_t closed_count; /* numbers in closed gaps */
    uint64_t closed_gaps;
};

struct seq_set {
    uint64_t low;
    uint64_t bits;           /* bit i: low + 1 + i is there; bit 0 never is */
    struct seq_ahead *ahead; /* NULL: nothing further ahead, nothing closed */
};

enum seq_answer { SEQ_NEW, SEQ_THERE, SEQ_CLOSED, SEQ_NO_MEMORY };

void seq_set_done(struct seq_set *s);
/* Whether the number is there, without adding it. */
enum seq_answer seq_set_look(const struct seq_set *s, uint64_t seq);
/* Adds a number from 1. */
enum seq_answer seq_set_add(struct seq_set *s, uint64_t seq);
/* How many numbers are there. */
uint64_t seq_set_count(const struct seq_set *s);
/* Whether `number` is there, and in *ret_until the last number up to which the answer is the same (UINT64_MAX = for
 * ever). Numbers of closed gaps are not there. */
bool seq_set_run(const struct seq_set *s, uint64_t number, uint64_t *ret_until);

#endif
