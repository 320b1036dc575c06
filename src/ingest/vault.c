#include "ingest/vault.h"

#include "ingest/vid_text.h"

#define SEALED_SIZE (AEAD_NONCE_SIZE + VIN_LEN + AEAD_TAG_SIZE)

enum vs_err vault_put(struct store *st, const uint8_t key[AEAD_KEY_SIZE], const uint8_t nonce[AEAD_NONCE_SIZE],
                      const uint8_t vid[EV_VID_SIZE], struct slice vin)
{
    uint8_t sealed[SEALED_SIZE];
    struct vid_text text = vid_text(vid);

    if (vin.len != VIN_LEN)
        return VS_ERR_MALFORMED;
    memcpy(sealed, nonce, AEAD_NONCE_SIZE);
    enum vs_err err = aead_seal(key, nonce, slice_make(vid, EV_VID_SIZE), vin, sealed + AEAD_NONCE_SIZE);
    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "INSERT INTO vehicle_vin (vid, sealed) VALUES (?, ?) "
                                             "ON CONFLICT (vid) DO UPDATE SET sealed = excluded.sealed");
    store_bind_text(q, 1, slice_str(text.hex));
    store_bind_blob(q, 2, slice_make(sealed, sizeof sealed));
    return store_run(q);
}

enum vs_err vault_reveal(struct store *st, const uint8_t key[AEAD_KEY_SIZE], const uint8_t vid[EV_VID_SIZE],
                         char ret_vin[VIN_LEN + 1])
{
    struct vid_text text = vid_text(vid);
    struct store_stmt *q = store_prepare(st, "SELECT sealed FROM vehicle_vin WHERE vid = ?");
    uint8_t vin[VIN_LEN];

    store_bind_text(q, 1, slice_str(text.hex));
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        struct slice sealed = store_blob(q, 0);

        err = sealed.len != SEALED_SIZE
                  ? VS_ERR_TAMPERED
                  : aead_open(key, sealed.ptr, slice_make(vid, EV_VID_SIZE), slice_from(sealed, AEAD_NONCE_SIZE), vin);
    } else if (err == VS_ERR_END) {
        err = VS_ERR_NOT_FOUND;
    }
    store_done(q);
    if (err != VS_OK)
        return err;
    memcpy(ret_vin, vin, VIN_LEN);
    ret_vin[VIN_LEN] = '\0';
    return VS_OK;
}

bool vault_has(struct store *st, const uint8_t vid[EV_VID_SIZE])
{
    struct vid_text text = vid_text(vid);
    struct store_stmt *q = store_prepare(st, "SELECT 1 FROM vehicle_vin WHERE vid = ?");

    store_bind_text(q, 1, slice_str(text.hex));
    bool has = store_step(q) == VS_OK;
    store_done(q);
    return has;
}

enum vs_err vault_erase(struct store *st, const uint8_t vid[EV_VID_SIZE])
{
    struct vid_text text = vid_text(vid);
    struct store_stmt *q = store_prepare(st, "DELETE FROM vehicle_vin WHERE vid = ?");

    store_bind_text(q, 1, slice_str(text.hex));
    return store_run(q);
}
