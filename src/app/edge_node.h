/* edge_node: the gateway of one vehicle on Linux: keys, journal files and memory put around gateway/gateway.h.
 *
 * Memory: heap, all of it at edge_node_open. Threads: one owner. Errors are told on stderr by the one who opens. */
#ifndef APP_EDGE_NODE_H
#define APP_EDGE_NODE_H

#include "app/edge_config.h"
#include "base/compress.h"
#include "base/crypto.h"
#include "gateway/gateway.h"
#include "gateway/port_file.h"

#define EDGE_STAGING     16384u
#define EDGE_SLOTS       64u
#define EDGE_BATCH_BYTES 65536u

struct edge_node {
    struct gateway gw;
    struct gateway_memory memory;
    struct gateway_ports ports;
    struct port_file files;
    struct port_aead aead;
    struct port_pack pack;
    struct port_sign sign;
    struct qualify_rule rule[2];
    struct qualify_state state[2];
    struct key *key;
    struct compressor *compressor;
    uint8_t journal_key[AEAD_KEY_SIZE];
    uint8_t vid[EV_VID_SIZE];
    char vid_text[EV_VID_TEXT_LEN + 1];
    uint8_t *out; /* GATEWAY_OUT_SIZE(EDGE_BATCH_BYTES) */
    size_t out_size;
};

/* False after saying what is wrong. *ret_finding says in which state the journal was. */
bool edge_node_open(struct edge_node *n, const struct edge_config *cfg, int64_t now_us,
                    struct journal_finding *ret_finding);
/* Also for a zeroed or half-opened node. */
void edge_node_close(struct edge_node *n);

#endif
