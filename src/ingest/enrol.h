/* enrol: takes vehicles into the registry and their VINs into the vault, one row of a list after the other.
 *
 * Works on the registry in memory (loaded before) and writes the same to the state database inside the caller's
 * transaction. A row adds or changes only what it says. Errors: of the store, and VS_ERR_LIMIT, VS_ERR_FULL. */
#ifndef INGEST_ENROL_H
#define INGEST_ENROL_H

#include "ingest/registry.h"
#include "ingest/vault.h"
#include "ingest/vehicle_list.h"

struct enrol {
    struct store *store;       /* borrowed */
    struct registry *registry; /* borrowed */
    uint8_t pseudonym_key[PSEUDONYM_KEY_SIZE];
    uint8_t vault_key[AEAD_KEY_SIZE];
    bool has_vault_key; /* without it no VIN is kept */
    int64_t now_us;
    bool (*random)(uint8_t *buf, size_t size); /* from the operating system; for the vault's nonces */
    uint64_t added, changed, unchanged;        /* counted by row */
};

VS_MUST_USE enum vs_err enrol_row(struct enrol *e, const struct vehicle_row *row);

#endif
