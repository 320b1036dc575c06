/* api: the HTTP interface of schema/openapi.yaml and the console's files, as one request handler.
 *
 * The shell in app/ opens the store, starts base/http with api_handle and api_refuse, and hands in the clock and the
 * randomness; everything else is here. Routes stand in one table (route.h) with the permission each needs; a handler
 * never checks who is asking. Every answer has the header X-Request-Id; every error is application/problem+json.
 *
 * Memory: the api borrows what the config names until api_free. Threads: one api belongs to one server with one worker
 * thread, because it holds one store handle. Bounds: API_BODY_MAX per body, API_STREAMS_MAX live streams,
 * static_files.h for the console. */
#ifndef API_API_H
#define API_API_H

#include "base/http/http_server.h"
#include "store/store.h"

#define API_BODY_MAX    (1u << 20)
#define API_STREAMS_MAX 200

struct api;

struct api_config {
    struct store *store;
    const char *console_dir;  /* folder of the built console; NULL or "" = none */
    const char *log_address;  /* of the event log, for reading vehicle events; NULL = none */
    const uint8_t *vault_key; /* 32 bytes; NULL = no VIN can be revealed */
    const char *version;
    uint32_t silence_days_max, silence_critical_hours_max; /* 0 = the defaults of respond/silence.h */
    bool tls;                                              /* cookies are marked Secure */
    int64_t (*now_us)(void *ctx);
    bool (*random)(uint8_t *buf, size_t size, void *ctx);
    void *ctx;
};

struct api_error {
    char text[256];
};

VS_MUST_USE enum vs_err api_new(const struct api_config *cfg, struct api **ret, struct api_error *ret_error);
void api_free(struct api *a);

/* For struct http_config: handler and refuse, with the api as ctx. */
http_handler api_handle;
http_refuse api_refuse;

#endif
