/* eth_policy: the Ethernet policy of a vehicle from its YAML file (docs/formats/eth-policy.md).
 *
 * The whole file is checked here; every complaint names file, line and what was expected. Memory: heap, owned by struct
 * eth_policy_file, of at most ETH_POLICY_ROWS_MAX rows a table. Threads: none while loading; then read-only. */
#ifndef APP_ETH_POLICY_H
#define APP_ETH_POLICY_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "edge/eth/policy.h"

#define ETH_POLICY_ROWS_MAX 4096
#define ETH_POLICY_FILE_MAX (4u << 20)

struct eth_policy_file {
    struct eth_policy policy;
    void *table[10]; /* what the policy points at */
};

struct eth_policy_error {
    char text[512]; /* "file:line: reason" */
};

VS_MUST_USE enum vs_err eth_policy_load(const char *path, struct eth_policy_file *ret,
                                        struct eth_policy_error *ret_error);
/* The same out of memory; `path` is only used in messages. */
VS_MUST_USE enum vs_err eth_policy_parse(const char *path, struct slice text, struct eth_policy_file *ret,
                                         struct eth_policy_error *ret_error);
void eth_policy_free(struct eth_policy_file *f);

#endif
