/* Registry, vault, ledger and dead letters in the state database.. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "batch_maker.h"
#include "ingest/dead_letter.h"
#include "ingest/enrol.h"
#include "ingest/ledger_store.h"
#include "ingest/registry_store.h"
#include "ingest/vault.h"
#include "ingest/vid_text.h"
#include "seed.h"

#define S   INT64_C(1000000)
#define NOW INT64_C(1780000000000000)

static struct store *open_store(void)
{
    struct store_error error = {""};
    struct store *st = NULL;

    if (store_open("memory:", &st, &error) != VS_OK)
        fail_msg("%s", error.text);
    return st;
}

static const uint8_t CAR[EV_VID_SIZE] = {[EV_VID_SIZE - 1] = 1};

static int64_t number(struct store *st, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);

    assert_int_equal(store_step(q), VS_OK);
    int64_t v = store_i64(q, 0);
    store_done(q);
    return v;
}

static void test_registry_there_and_back(void **state)
{
    struct store *st = open_store();
    struct registry *g, *again;
    struct vehicle_facts facts = {.model = slice_str("M"), .region = slice_str("EU"), .enrolled_us = 5};
    struct software_period p = {slice_str(""), slice_str("1.0"), 0, 5, SOFTWARE_IMPORT};
    int64_t version = 0;

    (void)state;
    memcpy(facts.vid, CAR, sizeof facts.vid);
    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(registry_store_put(st, &facts), VS_OK);
    assert_int_equal(registry_store_software_put(st, CAR, &p), VS_OK);
    assert_int_equal(store_commit(st), VS_OK);
    assert_int_equal(registry_new(&g), VS_OK);
    assert_int_equal(registry_store_refresh(st, g, &version), VS_OK);
    check_slice(registry_find(g, CAR)->model, "M");
    check_slice(registry_find(g, CAR)->hardware, "");
    check_slice(registry_software_at(registry_find(g, CAR), slice_str(""), 7), "1.0");
    /* Only what is new comes with the next refresh. */
    int64_t before = version;
    assert_int_equal(registry_store_refresh(st, g, &version), VS_OK);
    assert_int_equal(version, before);
    facts.model = slice_str("N");
    p.version = slice_str("2.0");
    p.from_us = 100;
    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(registry_store_put(st, &facts), VS_OK);
    assert_int_equal(registry_store_observe(st, CAR, &p), VS_OK);
    assert_int_equal(store_commit(st), VS_OK);
    assert_int_equal(registry_store_refresh(st, g, &version), VS_OK);
    assert_true(version > before);
    check_slice(registry_find(g, CAR)->model, "N");
    check_slice(registry_software_at(registry_find(g, CAR), slice_str(""), 100), "2.0");
    assert_int_equal(registry_new(&again), VS_OK);
    assert_int_equal(registry_store_load(st, again), VS_OK);
    check_slice(registry_software_at(registry_find(again, CAR), slice_str(""), 99), "1.0");
    registry_free(g);
    registry_free(again);
    store_close(st);
}

static void test_vault(void **state)
{
    struct store *st = open_store();
    uint8_t key[AEAD_KEY_SIZE] = {1}, other_key[AEAD_KEY_SIZE] = {2}, other[EV_VID_SIZE] = {9};
    const uint8_t nonce[AEAD_NONCE_SIZE] = {3};
    char vin[VIN_LEN + 1];

    (void)state;
    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(vault_put(st, key, nonce, CAR, slice_str("WVWZZZ1KZAW000001")), VS_OK);
    assert_int_equal(store_commit(st), VS_OK);
    assert_true(vault_has(st, CAR));
    assert_int_equal(vault_reveal(st, key, CAR, vin), VS_OK);
    assert_string_equal(vin, "WVWZZZ1KZAW000001");
    assert_int_equal(vault_reveal(st, other_key, CAR, vin), VS_ERR_TAMPERED);
    assert_int_equal(vault_reveal(st, key, other, vin), VS_ERR_NOT_FOUND);
    assert_int_equal(number(st, "SELECT count(*) FROM vehicle_vin WHERE hex(sealed) LIKE '%5756575A5A5A%'"), 0);
    /* A sealed VIN under another vehicle's name does not open. */
    struct store_stmt *q = store_prepare(st, "UPDATE vehicle_vin SET vid = ?");
    store_bind_text(q, 1, slice_str(vid_text(other).hex));
    assert_int_equal(store_run(q), VS_OK);
    assert_int_equal(vault_reveal(st, key, other, vin), VS_ERR_TAMPERED);
    assert_int_equal(store_begin(st), VS_OK);
    assert_int_equal(vault_erase(st, other), VS_OK);
    assert_int_equal(store_commit(st), VS_OK);
    assert_false(vault_has(st, other));
    store_close(st);
}

struct run {
    struct store *st;
    struct normalise *n;
    enum vs_err err;
};

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    (void)ev, (void)no, (void)ctx;
}

static void on_dead(const struct dead_letter *dl, void *ctx)
{
    assert_int_equal(dead_letter_put(((struct run *)ctx)->st, dl), VS_OK);
}

static void on_vehicle(const struct normalise_vehicle *v, void *ctx)
{
    struct run *r = ctx;

    assert_int_equal(ledger_store_put(r->st, r->n, v), VS_OK);
}

static void upload(struct run *r, struct batch_maker *m, uint64_t offset, int64_t received_us)
{
    struct stream_record rec = batch_maker_record(m, received_us);

    rec.offset = offset;
    assert_int_equal(store_begin(r->st), VS_OK);
    assert_int_equal(normalise_step(r->n, &rec), VS_OK);
    normalise_changed(r->n, on_vehicle, r);
    assert_int_equal(store_commit(r->st), VS_OK);
}

static void test_ledger_and_its_gaps(void **state)
{
    struct run r = {.st = open_store()};
    struct normalise_config cfg = {.event = on_event, .dead = on_dead, .ctx = &r};
    struct batch_maker *m = calloc(1, sizeof *m);
    struct ledger sum;
    struct ledger_gap_row row[10];
    uint64_t vehicles, with_gaps;
    uint32_t epochs;
    size_t count;

    (void)state;
    assert_int_equal(normalise_new(&cfg, &r.n), VS_OK);
    batch_maker_begin(m, 1, 1, NOW);
    batch_maker_add(m, 5, NOW);
    m->batch.seq_next = 11;
    upload(&r, m, 0, NOW);
    assert_int_equal(ledger_store_gaps(r.st, CAR, row, 10, &count), VS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(row[0].gap.seq_first, 6);
    assert_int_equal(row[0].noticed_us, NOW);
    batch_maker_begin(m, 1, 1, NOW + 60 * S);
    batch_maker_add(m, 8, NOW);
    batch_maker_add(m, 13, NOW);
    upload(&r, m, 1, NOW + 60 * S);
    /* 6..10 was split: its parts were noticed when it was; 11..12 is new. */
    assert_int_equal(ledger_store_gaps(r.st, CAR, row, 10, &count), VS_OK);
    assert_int_equal(count, 3);
    assert_int_equal(row[0].gap.seq_first, 9);
    assert_int_equal(row[0].gap.seq_last, 12);
    assert_int_equal(row[0].noticed_us, NOW);
    assert_int_equal(row[2].gap.seq_first, 1);
    assert_int_equal(ledger_store_total(r.st, &sum, &vehicles, &with_gaps), VS_OK);
    assert_true(ledger_balanced(&sum));
    assert_int_equal(sum.stored, 3);
    assert_int_equal(sum.missing, 10);
    assert_int_equal(vehicles, 1);
    assert_int_equal(with_gaps, 1);
    assert_int_equal(ledger_store_vehicle(r.st, CAR, &sum, &epochs), VS_OK);
    assert_int_equal(sum.produced, 13);
    assert_int_equal(epochs, 1);
    assert_int_equal(number(r.st, "SELECT last_contact_us FROM vehicle"), NOW + 60 * S);
    assert_int_equal(number(r.st, "SELECT first_contact_us FROM vehicle"), NOW);
    assert_int_equal(number(r.st, "SELECT count(*) FROM vehicle WHERE enrolled_us IS NULL"), 1);
    /* A vehicle that was seen before it was enrolled is not known to enrichment. */
    struct registry *g;
    assert_int_equal(registry_new(&g), VS_OK);
    assert_int_equal(registry_store_load(r.st, g), VS_OK);
    assert_null(registry_find(g, CAR));
    registry_free(g);
    normalise_free(r.n);
    store_close(r.st);
    free(m);
}

static void test_dead_letters_are_kept_once_and_bounded(void **state)
{
    struct run r = {.st = open_store()};
    struct normalise_config cfg = {.event = on_event, .dead = on_dead, .ctx = &r};
    struct batch_maker *m = calloc(1, sizeof *m);
    uint64_t count;

    (void)state;
    for (unsigned again = 0; again < 2; again++) {
        assert_int_equal(normalise_new(&cfg, &r.n), VS_OK);
        batch_maker_begin(m, 1, 1, NOW);
        batch_maker_add(m, 1, NOW + 3600 * S);
        batch_maker_add(m, 2, NOW)->field_count = 0;
        upload(&r, m, 40, NOW);
        normalise_free(r.n);
    }
    assert_int_equal(number(r.st, "SELECT count(*) FROM dead_letter"), 2);
    assert_int_equal(
        number(r.st, "SELECT count(*) FROM dead_letter WHERE reason = 'future' AND seq = 1 AND length(sample) > 5"), 1);
    assert_int_equal(dead_letter_count(r.st, NOW - 3600 * S, &count), VS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(dead_letter_count(r.st, NOW + 7200 * S, &count), VS_OK);
    assert_int_equal(count, 0);
    struct stream_record rec = {.received_us = NOW};
    struct dead_letter dl = {
        .reason = NORMALISE_BAD_EVENT, .err = VS_ERR_MALFORMED, .text = "x", .field = EV_F_NONE, .record = &rec};
    assert_int_equal(store_begin(r.st), VS_OK);
    for (rec.offset = 100; rec.offset < 100 + DEAD_LETTERS_KEPT + 1000; rec.offset++)
        assert_int_equal(dead_letter_put(r.st, &dl), VS_OK);
    assert_int_equal(store_commit(r.st), VS_OK);
    assert_in_range(number(r.st, "SELECT count(*) FROM dead_letter"), DEAD_LETTERS_KEPT, DEAD_LETTERS_KEPT + 300);
    assert_int_equal(dead_letter_count(r.st, 0, &count), VS_OK);
    assert_int_equal(count, DEAD_LETTERS_KEPT + 1002);
    store_close(r.st);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry_there_and_back),
        cmocka_unit_test(test_vault),
        cmocka_unit_test(test_ledger_and_its_gaps),
        cmocka_unit_test(test_dead_letters_are_kept_once_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
