/* ingest_reply: how the door says no: {"error":code,"reason":text,"byte":n}, with Retry-After when trying again helps.
 *
 * The status tells a gateway what to do with the batch (gateway/uplink.h): 400, 413: never again; 401, 403: not let in;
 * 429, 503: later. */
#ifndef APP_INGEST_REPLY_H
#define APP_INGEST_REPLY_H

#include "base/http/http_server.h"

/* `reason` is a text without quotes. retry_s 0 = 1 second where a wait helps. */
void ingest_reply_refusal(struct http_request *rq, enum vs_err err, const char *reason, size_t byte, uint32_t retry_s);
static inline void ingest_reply_error(struct http_request *rq, enum vs_err err, const char *reason, size_t byte)
{
    ingest_reply_refusal(rq, err, reason, byte, 0);
}

#endif
