/* Vehicles: what is known of them, their loss ledger, and the audited way to a VIN. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/filter.h"
#include "api/fleet.h"
#include "api/incident_json.h"
#include "api/page.h"
#include "api/route.h"
#include "api/vehicle_json.h"
#include "core/hex.h"
#include "ingest/vault.h"
#include "respond/audit.h"
#include "store/alert_store.h"

#define HIDE_AFTER_S 60

/* The vehicle in the path, as bytes and text; answers and returns false when it is none that is known. */
bool call_vehicle(struct call *c, struct vehicle_name *ret)
{
    if (!hex_read(c->part[0], ret->vid, sizeof ret->vid)) {
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "a vehicle is named by its pseudonym, 32 hex digits");
        return false;
    }
    alert_vid_text(ret->vid, ret->text);
    struct store_stmt *q = store_prepare(c->st, "SELECT 1 FROM vehicle WHERE vid = ?1 UNION ALL "
                                                "SELECT 1 FROM alert_vehicle WHERE vid = ?1 LIMIT 1");
    store_bind_text(q, 1, slice_str(ret->text));
    bool known = store_step(q) == VS_OK;
    store_done(q);
    if (!known)
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "no vehicle with this pseudonym is enrolled or was ever heard of");
    return known;
}

#define VEHICLE_WHERE                                                                                                  \
    "(?1 = 0 OR coalesce(v.model, 'none') IN (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)) AND coalesce(v.model, 'none') NOT IN "  \
    "(?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) AND (v.vid LIKE ?18 ESCAPE '\\' OR lower(coalesce(v.model, '') || ' ' "  \
    "|| "                                                                                                              \
    "coalesce(v.hardware, '') || ' ' || coalesce(v.region, '')) LIKE ?19 ESCAPE '\\')"
#define MODELS_MAX 8

/* Binds VEHICLE_WHERE. False: answered. */
static bool bind_query(struct call *c, struct store_stmt *q)
{
    struct filter_list model;
    const char *text = http_query(c->rq, "q");
    char lower[FILTER_TEXT_SIZE], pattern[FILTER_PATTERN_SIZE];
    struct slice word[FILTER_WORDS_MAX], nothing = slice_str("\x01");
    unsigned words;

    if (filter_list_parse(http_query(c->rq, "model"), &model) != VS_OK || model.include_count > MODELS_MAX ||
        model.exclude_count > MODELS_MAX) {
        reply_fault(c, VS_ERR_RANGE, "model", "not a list of at most 8 names");
        return false;
    }
    if (filter_words(text, lower, sizeof lower, word, &words) != VS_OK) {
        reply_fault(c, VS_ERR_LIMIT, "q", "at most 8 words and 200 characters");
        return false;
    }
    store_bind_i64(q, 1, model.include_count);
    for (unsigned i = 0; i < MODELS_MAX; i++) {
        store_bind_text(q, 2 + (int)i, i < model.include_count ? model.include[i] : nothing);
        store_bind_text(q, 10 + (int)i, i < model.exclude_count ? model.exclude[i] : nothing);
    }
    struct slice wanted = text != NULL ? slice_make(lower, strlen(text)) : slice_str("");
    filter_like(wanted, false, pattern);
    store_bind_text(q, 18, slice_str(pattern));
    filter_like(wanted, true, pattern);
    store_bind_text(q, 19, slice_str(pattern));
    return true;
}

static json_t *page_rows(struct call *c, struct page *page)
{
    struct store_stmt *q =
        store_prepare(c->st, "SELECT " VEHICLE_ROW_COLUMNS " FROM vehicle v WHERE " VEHICLE_WHERE
                             " ORDER BY coalesce(v.last_contact_us, 0) DESC, v.vid LIMIT ?20 OFFSET ?21");
    json_t *rows = json_array();
    int64_t from = page->has_cursor && page->key >= 0 ? page->key : 0;

    if (!bind_query(c, q)) {
        store_done(q);
        json_decref(rows);
        return NULL;
    }
    store_bind_i64(q, 20, page->limit + 1);
    store_bind_i64(q, 21, from);
    while (store_step(q) == VS_OK) {
        if ((int64_t)json_array_size(rows) == page->limit) {
            page_next(page, from + page->limit, 0);
            break;
        }
        json_array_append_new(rows, vehicle_row_json(q, c->now_us));
    }
    store_done(q);
    return rows;
}

void vehicle_list(struct call *c)
{
    struct page page;

    if (!page_read(c, "contact", &page))
        return;
    json_t *rows = page_rows(c, &page);
    if (rows == NULL)
        return;
    struct store_stmt *q = store_prepare(c->st, "SELECT count(*) FROM vehicle v WHERE " VEHICLE_WHERE);
    int64_t total = bind_query(c, q) && store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o}", "total", json_total(total), "rows", rows, "next", page_next_json(&page)));
}

void vehicle_get(struct call *c)
{
    struct vehicle_name name;
    const char *text = http_query(c->rq, "as_of");
    int64_t as_of_us = c->now_us;

    if (!call_vehicle(c, &name))
        return;
    if (text != NULL && filter_time(text, c->now_us, &as_of_us) != VS_OK) {
        reply_fault(c, VS_ERR_MALFORMED, "as_of", "not an RFC 3339 time");
        return;
    }
    reply_json(c, 200, vehicle_json(c, &name, as_of_us));
}

/* ---- the VIN */

static enum vs_err audit_reveal(struct call *c, const struct vehicle_name *name, int64_t *ret_seq)
{
    struct audit_record rec = {.who = slice_str(c->session.user.name),
                               .act = SLICE_LIT("vin.reveal"),
                               .object = slice_str(name->text),
                               .after =
                                   body_has(c->body, "incident") ? body_text(c->body, "incident") : slice_make(NULL, 0),
                               .reason = body_text(c->body, "purpose"),
                               .source = slice_str(http_client_address(c->rq))};
    enum vs_err err = store_begin(c->st);

    if (err == VS_OK)
        err = audit_add(c->st, &rec, c->now_us, ret_seq);
    if (err == VS_OK)
        err = store_commit(c->st);
    if (err != VS_OK)
        store_rollback(c->st);
    return err;
}

void vehicle_reveal(struct call *c)
{
    struct vehicle_name name;
    char vin[VIN_LEN + 1];
    int64_t seq = 0;

    if (!call_vehicle(c, &name))
        return;
    if (c->api->cfg.vault_key == NULL || !vault_has(c->st, name.vid)) {
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "the vault holds no VIN for this vehicle");
        return;
    }
    /* The record first: no VIN is read that nobody answers for. */
    enum vs_err err = audit_reveal(c, &name, &seq);
    if (err == VS_OK)
        err = vault_reveal(c->st, c->api->cfg.vault_key, name.vid, vin);
    if (err != VS_OK) {
        reply_fault(c, err, NULL, err == VS_ERR_TAMPERED ? "the sealed VIN does not open with this vault key" : NULL);
        return;
    }
    json_t *o = json_pack("{s:s, s:s, s:I, s:i}", "vid", name.text, "vin", vin, "audit_seq", (json_int_t)seq,
                          "hide_after_s", HIDE_AFTER_S);
    explicit_bzero(vin, sizeof vin);
    reply_json(c, 200, o);
}
