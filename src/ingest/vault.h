/* vault: VINs under seal, the only place where one stands.
 *
 * A VIN is sealed with AES-256-GCM under the vault key, with the vid as associated data, so that rows cannot be
 * swapped. Revealing is for one function of the API, which checks role and purpose and writes the audit record first.
 * Erasing a vehicle's VIN makes its pseudonym final. Errors: VS_ERR_NOT_FOUND; VS_ERR_TAMPERED (another key, or a
 * changed row); those of the store. */
#ifndef INGEST_VAULT_H
#define INGEST_VAULT_H

#include "base/crypto.h"
#include "ingest/pseudonym.h"
#include "store/store.h"

/* Inside a transaction. `nonce` is fresh from the operating system's generator (crypto_random). */
VS_MUST_USE enum vs_err vault_put(struct store *st, const uint8_t key[AEAD_KEY_SIZE],
                                  const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t vid[EV_VID_SIZE],
                                  struct slice vin);
VS_MUST_USE enum vs_err vault_reveal(struct store *st, const uint8_t key[AEAD_KEY_SIZE], const uint8_t vid[EV_VID_SIZE],
                                     char ret_vin[VIN_LEN + 1]);
/* Whether the vault holds a VIN for it. */
bool vault_has(struct store *st, const uint8_t vid[EV_VID_SIZE]);
/* Inside a transaction. */
VS_MUST_USE enum vs_err vault_erase(struct store *st, const uint8_t vid[EV_VID_SIZE]);

#endif
