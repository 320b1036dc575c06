#include "ingest/enrol.h"

#include "ingest/registry_store.h"
#include "ingest/vid_text.h"

/* Takes over what the row says; true when that was news. */
static bool merge(struct slice *to, struct slice from)
{
    if (from.len == 0 || slice_equal(*to, from))
        return false;
    *to = from;
    return true;
}

static enum vs_err put_facts(struct enrol *e, const struct vehicle_row *row, const uint8_t vid[EV_VID_SIZE],
                             bool *ret_added, bool *ret_changed)
{
    const struct vehicle_facts *old = registry_find(e->registry, vid);
    struct vehicle_facts facts = {.enrolled_us = e->now_us};
    struct vid_text owner = {""};
    uint8_t owner_id[EV_VID_SIZE];

    if (old != NULL)
        facts = *old;
    memcpy(facts.vid, vid, EV_VID_SIZE);
    if (row->owner.len > 0) {
        pseudonym_of_owner(e->pseudonym_key, row->owner, owner_id);
        owner = vid_text(owner_id);
    }
    bool changed = merge(&facts.model, row->model);
    changed |= merge(&facts.hardware, row->hardware);
    changed |= merge(&facts.region, row->region);
    changed |= merge(&facts.owner, slice_str(owner.hex));
    *ret_added = old == NULL;
    *ret_changed = changed;
    if (old != NULL && !changed)
        return VS_OK;
    enum vs_err err = registry_put(e->registry, &facts);
    return err == VS_OK ? registry_store_put(e->store, &facts) : err;
}

static enum vs_err put_software(struct enrol *e, const struct vehicle_row *row, const uint8_t vid[EV_VID_SIZE],
                                bool *ret_changed)
{
    const struct vehicle_facts *facts = registry_find(e->registry, vid);
    struct software_period p = {row->component, row->sw_version, row->sw_since_us, e->now_us, SOFTWARE_IMPORT};

    if (row->sw_version.len == 0)
        return VS_OK;
    struct slice now = registry_software_at(facts, row->component,
                                            row->sw_since_us == VEHICLE_LIST_NOT_TOLD ? INT64_MAX : row->sw_since_us);
    if (slice_equal(now, row->sw_version))
        return VS_OK;
    if (row->sw_since_us == VEHICLE_LIST_NOT_TOLD)
        p.from_us = now.len == 0 ? 0 : e->now_us;
    *ret_changed = true;
    enum vs_err err = registry_software_put(e->registry, vid, &p);
    return err == VS_OK ? registry_store_software_put(e->store, vid, &p) : err;
}

static enum vs_err put_vin(struct enrol *e, const struct vehicle_row *row, const uint8_t vid[EV_VID_SIZE])
{
    uint8_t nonce[AEAD_NONCE_SIZE], vin[VIN_LEN];

    if (!e->has_vault_key || vault_has(e->store, vid))
        return VS_OK;
    for (size_t i = 0; i < VIN_LEN; i++)
        vin[i] =
            row->vin.ptr[i] >= 'a' && row->vin.ptr[i] <= 'z' ? (uint8_t)(row->vin.ptr[i] - 'a' + 'A') : row->vin.ptr[i];
    if (!e->random(nonce, sizeof nonce))
        return VS_ERR_IO;
    return vault_put(e->store, e->vault_key, nonce, vid, slice_make(vin, sizeof vin));
}

enum vs_err enrol_row(struct enrol *e, const struct vehicle_row *row)
{
    uint8_t vid[EV_VID_SIZE];
    bool added = false, changed = false;

    enum vs_err err = pseudonym_of_vin(e->pseudonym_key, row->vin, vid);
    if (err == VS_OK)
        err = put_facts(e, row, vid, &added, &changed);
    if (err == VS_OK)
        err = put_software(e, row, vid, &changed);
    if (err == VS_OK)
        err = put_vin(e, row, vid);
    if (err != VS_OK)
        return err;
    e->added += added;
    e->changed += changed && !added;
    e->unchanged += !changed && !added;
    return VS_OK;
}
