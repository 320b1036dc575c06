/* intake: the way of an event from the report to the outbox, the half of the gateway that numbers, filters, merges and
 * accounts. Internal to the gateway.
 *
 * Everything is made of small actions. An action starts with intake_ensure, which commits when the staging buffer could
 * run out; inside an action nothing is committed. So at every commit each number that was given stands in exactly one
 * place. */
#ifndef GATEWAY_INTAKE_H
#define GATEWAY_INTAKE_H

#include "gateway/gateway.h"

/* Bytes of the staging buffer that a commit needs for what is open and changed. */
uint32_t intake_open_bytes(const struct gateway *gw);
/* Room in the staging buffer for `bytes` more and for everything open that changed. Commits if need be; its code. */
VS_MUST_USE enum vs_err intake_ensure(struct gateway *gw, size_t bytes, int64_t now_us);
/* Stages everything open that changed and makes it durable. */
VS_MUST_USE enum vs_err intake_commit(struct gateway *gw, int64_t now_us);
/* Takes a valid event that fits. */
VS_MUST_USE enum vs_err intake_take(struct gateway *gw, struct event *ev, int64_t now_us);
/* An event of the gateway itself: past all filters. */
VS_MUST_USE enum vs_err intake_own(struct gateway *gw, struct event *ev, int64_t now_us);
/* Closes aggregates and accounting events whose window is over, or all. */
VS_MUST_USE enum vs_err intake_close(struct gateway *gw, bool all, int64_t now_us);

#endif
