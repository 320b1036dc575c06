/* taxii_client: fetches STIX objects from a TAXII 2.1 server.
 *
 * Source: TAXII 2.1 (OASIS, 10 June 2021). Discovery (/taxii2/) names API roots, a root its collections, a collection
 * its objects. Objects come in pages: an envelope with `more` and `next`, and the headers X-TAXII-Date-Added-First and
 * -Last. A pull asks for what was added after the last complete pull; each page is handed out with what is needed to go
 * on behind it, so that the caller stores page and place in one transaction and a broken pull resumes at its page. When
 * the server no longer knows the place, the pull starts over at the last complete one: objects that come twice change
 * nothing.
 *
 * Answers 429, 502, 503, 504 and a broken connection are tried again, after Retry-After or with doubled waits up to
 * TAXII_WAIT_MS_MAX, TAXII_TRIES times. An answer of another media type, one that is cut, or a page that leads back to
 * itself is an error. Redirects are not followed, so credentials go to the configured server only. Over plain http
 * credentials are refused unless the server is the loopback.
 *
 * Memory: heap, a page at a time, at most TAXII_PAGE_MAX bytes. Threads: one client, one thread. */
#ifndef APP_TAXII_CLIENT_H
#define APP_TAXII_CLIENT_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define TAXII_PAGE_MAX    (64u << 20)
#define TAXII_PAGES_MAX   100000u
#define TAXII_TRIES       5u
#define TAXII_WAIT_MS_MAX 60000u
#define TAXII_TEXT_MAX    512

struct taxii_config {
    const char *url; /* of a collection (".../collections/<id>/"), an API root, or the discovery (".../taxii2/") */
    const char *collection; /* id, title or alias; NULL or "" when the URL names the collection, or there is one only */
    const char *user, *password; /* basic; NULL = none */
    const char *token;           /* bearer; NULL = none */
    const char *ca;              /* PEM file; NULL = the system's */
    uint32_t page_size;          /* objects asked for at a time, 0 = the server's choice */
    uint32_t wait_ms;            /* before the second try */
    uint32_t timeout_s;          /* of one request */
};

struct taxii_page {
    struct slice body;    /* the envelope; JSON_PADDING bytes are readable behind it */
    char added_after[64]; /* where a later pull goes on, as the server wrote it; "" = at the beginning */
    bool last;
};

struct taxii_error {
    char text[512];
};

/* Takes a page; an error ends the pull. */
typedef enum vs_err taxii_page_fn(void *ctx, const struct taxii_page *page);

struct taxii_stats {
    uint32_t requests, retries, pages;
};

/* Pulls what was added after `added_after` ("" = everything). VS_ERR_NET, VS_ERR_AUTH, VS_ERR_NOT_FOUND,
 * VS_ERR_MALFORMED, VS_ERR_LIMIT, or that of `each`.
 */
VS_MUST_USE enum vs_err taxii_pull(const struct taxii_config *cfg, const char *added_after, taxii_page_fn *each,
                                   void *ctx, struct taxii_stats *ret_stats, struct taxii_error *ret_error);

/* What an envelope says about the next page; for tests and fuzzing. False when it is no envelope. */
VS_MUST_USE bool taxii_envelope(struct slice body, bool *ret_more, char next[TAXII_TEXT_MAX]);

#endif
