/* uplink_https: the link of gateway/uplink.h over HTTPS with client certificates (mTLS), through libcurl.
 *
 * POST <url> with the batch as application/cose. TLS 1.2 at least, the server checked against one CA file and its name,
 * no redirects, no plain HTTP: a URL that is not https:// is refused. The answer is read up to UPLINK_REPLY_MAX bytes.
 * A 200 counts only with a JSON body that echoes the vehicle's vid: anything else in the way (a captive portal, a
 * proxy) is no acknowledgement. Nothing blocks; uplink_https_wait waits for the network and for descriptors of the
 * caller. Memory: heap, one transfer at a time. Threads: one owner. */
#ifndef APP_UPLINK_HTTPS_H
#define APP_UPLINK_HTTPS_H

#include <poll.h>

#include "gateway/uplink.h"

#define UPLINK_REPLY_MAX 16384u

struct uplink_https_config {
    const char *url;
    const char *ca;          /* PEM file of the CA that signed the server */
    const char *cert;        /* PEM file of the vehicle's certificate */
    const char *key;         /* PEM file of its key */
    const char *vid;         /* hex text that a 200 has to echo */
    uint32_t connect_ms_max; /* 0 = 15000 */
};

struct uplink_https;

/* Strings of the config are copied. VS_ERR_CONFIG for a URL that is not https, VS_ERR_NO_MEMORY, VS_ERR_IO. */
VS_MUST_USE enum vs_err uplink_https_new(const struct uplink_https_config *cfg, struct uplink_https **ret);
void uplink_https_free(struct uplink_https *u);
/* The link; valid as long as u. */
const struct uplink_link *uplink_https_link(struct uplink_https *u);
/* Waits until something happens on the transfer or on the descriptors, at most so long. Fills revents. */
void uplink_https_wait(struct uplink_https *u, struct pollfd *fd, unsigned count, int timeout_ms);
/* What went wrong with the last transfer, for the log; "" when nothing did. */
const char *uplink_https_error(const struct uplink_https *u);

#endif
