/* port: what the gateway needs from the outside, as small contracts that an integrator, a test or the simulator fills
 * in.
 *
 * Each is a struct of functions with a ctx. All calls are synchronous and made from the thread that calls the gateway.
 * The structs are borrowed: they must outlive the gateway. port_ram.h fills device and anchor from memory, port_file.h
 * from files. */
#ifndef GATEWAY_PORT_H
#define GATEWAY_PORT_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define PORT_AEAD_NONCE 12
#define PORT_AEAD_TAG   16
#define PORT_SIGNATURE  64
#define PORT_BLOCK_MIN  32u
#define PORT_BLOCK_MAX  4096u

/* Storage that behaves as a block device. A write touches only the blocks it names; until sync returns, any of its
 * bytes may be old, new or torn after a power loss, in any order; after sync they stay. */
struct port_device {
    uint32_t block_size;  /* bytes, a multiple of 8 within PORT_BLOCK_MIN..PORT_BLOCK_MAX */
    uint32_t block_count; /* blocks */
    /* Offsets and lengths are in bytes; writes start at a block and are whole blocks. VS_ERR_IO on failure. */
    enum vs_err (*read)(void *ctx, uint64_t offset, uint8_t *buf, size_t len);
    enum vs_err (*write)(void *ctx, uint64_t offset, const uint8_t *buf, size_t len);
    enum vs_err (*sync)(void *ctx);
    void *ctx;
};

/* What a monotonic counter remembers apart from the journal, so that nobody can put an older journal in its place. */
struct port_anchor_value {
    uint32_t generation;        /* raised at each start, so that no nonce is used twice */
    uint32_t epoch;             /* of the sequence numbers */
    uint64_t head;              /* index of the newest durable journal record, 0 = none yet */
    uint64_t tail;              /* index of the oldest record that was needed then */
    uint64_t seq_next;          /* the next sequence number as of that record */
    uint8_t tag[PORT_AEAD_TAG]; /* of that record */
};

/* A replay-protected cell (RPMB, TPM NV, secure element; a file where there is none). A write is
 * atomic and durable when it returns. read gives VS_ERR_NOT_FOUND when nothing was ever written or the cell was lost.
 */
struct port_anchor {
    enum vs_err (*read)(void *ctx, struct port_anchor_value *ret);
    enum vs_err (*write)(void *ctx, const struct port_anchor_value *value);
    void *ctx;
};

/* AES-256-GCM or another AEAD with 12-byte nonces and 16-byte tags under the journal's key. seal writes in.len +
 * PORT_AEAD_TAG bytes, open in.len - PORT_AEAD_TAG; open gives VS_ERR_TAMPERED when the tag is wrong. in and out may
 * not overlap. */
struct port_aead {
    enum vs_err (*seal)(void *ctx, const uint8_t nonce[PORT_AEAD_NONCE], struct slice aad, struct slice in,
                        uint8_t *out);
    enum vs_err (*open)(void *ctx, const uint8_t nonce[PORT_AEAD_NONCE], struct slice aad, struct slice in,
                        uint8_t *out);
    void *ctx;
};

/* zstd. Fails with VS_ERR_LIMIT when out is too small; the batch is then sent plain. */
struct port_pack {
    enum vs_err (*pack)(void *ctx, struct slice in, uint8_t *out, size_t size, size_t *ret_len);
    void *ctx;
};

/* Signs with the vehicle's key; alg is COSE_ALG_EDDSA or COSE_ALG_ES256. */
struct port_sign {
    int alg;
    enum vs_err (*sign)(void *ctx, struct slice in, uint8_t ret[PORT_SIGNATURE]);
    void *ctx;
};

#endif
