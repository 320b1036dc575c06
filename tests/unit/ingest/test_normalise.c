/* From records to events: what is handed on, what is refused and why, and a ledger that balances by independent count.
 * */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "batch_maker.h"
#include "ingest/normalise.h"
#include "seed.h"

#define S   INT64_C(1000000)
#define NOW INT64_C(1780000000000000)

/* Keeps what came out. */
struct seen {
    uint64_t events, dead;
    uint64_t dead_by_reason[NORMALISE_REASON_COUNT];
    struct event last;
    struct normalised last_no;
    struct dead_letter last_dead;
    char sw_version[32], ecu_version[32], model[32];
};

static void on_event(const struct event *ev, const struct normalised *no, void *ctx)
{
    struct seen *s = ctx;

    s->events++;
    s->last = *ev;
    s->last_no = *no;
    assert_true(slice_to_str(no->sw_version, s->sw_version, sizeof s->sw_version));
    assert_true(slice_to_str(no->ecu_version, s->ecu_version, sizeof s->ecu_version));
    assert_true(slice_to_str(no->model, s->model, sizeof s->model));
}

static void on_dead(const struct dead_letter *dl, void *ctx)
{
    struct seen *s = ctx;

    s->dead++;
    s->dead_by_reason[dl->reason]++;
    s->last_dead = *dl;
    assert_true(dl->text[0] != '\0');
    assert_true(dl->reason != NORMALISE_DUPLICATE);
}

struct fixture {
    struct normalise *n;
    struct seen seen;
    struct batch_maker *maker;
    uint64_t offset;
};

static void begin_with(struct fixture *f, struct normalise_config cfg)
{
    memset(f, 0, sizeof *f);
    cfg.event = on_event;
    cfg.dead = on_dead;
    cfg.ctx = &f->seen;
    f->maker = calloc(1, sizeof *f->maker);
    assert_int_equal(normalise_new(&cfg, &f->n), VS_OK);
}

static void begin(struct fixture *f)
{
    begin_with(f, (struct normalise_config){0});
}

static void end(struct fixture *f)
{
    normalise_free(f->n);
    free(f->maker);
}

static void step(struct fixture *f, int64_t received_us)
{
    struct stream_record rec = batch_maker_record(f->maker, received_us);

    rec.offset = f->offset++;
    assert_int_equal(normalise_step(f->n, &rec), VS_OK);
}

static struct normalise_stats stats(const struct fixture *f)
{
    struct normalise_stats s;

    normalise_stats(f->n, &s);
    return s;
}

static struct ledger ledger(const struct fixture *f)
{
    struct ledger l;

    normalise_ledger(f->n, &l);
    assert_true(ledger_balanced(&l));
    return l;
}

static void test_hands_on_what_is_good(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 7, 3, NOW);
    struct event *ev = batch_maker_add(f.maker, 1, NOW - 5 * S);
    ev->ecu = slice_str("ECU1");
    ev->count = 4;
    ev->last_us = NOW - 2 * S;
    step(&f, NOW + S);
    assert_int_equal(f.seen.events, 1);
    assert_int_equal(f.seen.last.vid[15], 7);
    assert_int_equal(f.seen.last.epoch, 3);
    assert_int_equal(f.seen.last.seq, 1);
    assert_int_equal(f.seen.last.count, 4);
    assert_int_equal(f.seen.last.first_us, NOW - 5 * S);
    assert_int_equal(f.seen.last.last_us, NOW - 2 * S);
    assert_int_equal(f.seen.last.trust, EV_TRUST_TRUSTED);
    assert_int_equal(f.seen.last_no.received_us, NOW + S);
    assert_int_equal(f.seen.last_no.offset, 0);
    assert_false(f.seen.last_no.known);
    assert_int_equal(stats(&f).unknown_vehicle, 1);
    end(&f);
}

/* three times the same is once; an aggregated record keeps its count. */
static void test_the_same_three_times_is_once(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (unsigned i = 0; i < 3; i++) {
        batch_maker_begin(f.maker, 1, 1, NOW);
        batch_maker_add(f.maker, 1, NOW)->count = 50;
        batch_maker_add(f.maker, 2, NOW);
        step(&f, NOW + i);
    }
    assert_int_equal(f.seen.events, 2);
    assert_int_equal(stats(&f).refused[NORMALISE_DUPLICATE], 4);
    struct ledger l = ledger(&f);
    assert_int_equal(l.stored, 2);
    assert_int_equal(l.duplicates, 4);
    assert_int_equal(f.seen.dead, 0);
    end(&f);
}

static void test_loss_is_seen(void **state)
{
    struct fixture f;
    struct ledger_gap gap[10];
    struct normalise_vehicle v;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 3, NOW);
    batch_maker_add(f.maker, 8, NOW);
    f.maker->batch.seq_next = 11;
    step(&f, NOW);
    struct ledger l = ledger(&f);
    assert_int_equal(l.produced, 10);
    assert_int_equal(l.stored, 2);
    assert_int_equal(l.missing, 8);
    assert_int_equal(normalise_gaps(f.n, f.maker->batch.vid, gap, 10), 3);
    assert_int_equal(gap[0].seq_first, 9);
    assert_int_equal(gap[0].seq_last, 10);
    assert_int_equal(gap[2].seq_first, 1);
    assert_int_equal(gap[2].seq_last, 2);
    assert_int_equal(normalise_gaps(f.n, f.maker->batch.vid, gap, 2), 2);
    assert_int_equal(gap[0].seq_first, 9);
    assert_int_equal(gap[1].seq_first, 4);
    assert_true(normalise_vehicle(f.n, f.maker->batch.vid, &v));
    assert_int_equal(v.sum.missing, 8);
    /* An empty batch says how many there are; late ones fill the gaps. */
    batch_maker_begin(f.maker, 1, 1, NOW + S);
    f.maker->batch.seq_next = 12;
    step(&f, NOW + S);
    assert_int_equal(ledger(&f).missing, 9);
    batch_maker_begin(f.maker, 1, 1, NOW + 2 * S);
    for (uint64_t seq = 1; seq <= 11; seq++)
        batch_maker_add(f.maker, seq, NOW);
    step(&f, NOW + 2 * S);
    assert_int_equal(ledger(&f).missing, 0);
    assert_int_equal(ledger(&f).stored, 11);
    assert_int_equal(f.seen.events, 11);
    end(&f);
}

/* three weeks late is placed by event time. */
static void test_three_weeks_late(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 1, NOW - 21 * 86400 * S);
    step(&f, NOW);
    assert_int_equal(f.seen.events, 1);
    assert_int_equal(f.seen.last.first_us, NOW - 21 * 86400 * S);
    assert_int_equal(f.seen.last.trust, EV_TRUST_TRUSTED);
    end(&f);
}

static void test_a_wrong_clock_is_repaired(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW - 7200 * S);
    batch_maker_add(f.maker, 1, NOW - 7210 * S);
    step(&f, NOW);
    assert_int_equal(f.seen.last.first_us, NOW - 10 * S);
    assert_int_equal(f.seen.last.trust, EV_TRUST_REPAIRED);
    assert_int_equal(f.seen.last_no.clock_offset_us, 7200 * S);
    batch_maker_begin(f.maker, 1, 1, NOW - 86400 * S);
    batch_maker_add(f.maker, 2, NOW - 86410 * S);
    step(&f, NOW);
    assert_int_equal(f.seen.last.trust, EV_TRUST_SUSPECT);
    /* A new epoch is a new clock. */
    batch_maker_begin(f.maker, 1, 2, NOW - 7200 * S);
    batch_maker_add(f.maker, 1, NOW - 7210 * S);
    step(&f, NOW);
    assert_int_equal(f.seen.last.trust, EV_TRUST_REPAIRED);
    struct normalise_stats s = stats(&f);
    assert_int_equal(s.repaired, 2);
    assert_int_equal(s.suspect, 1);
    end(&f);
}

/* a future-dated event is refused, counted, kept, and does not come in by repetition. */
static void test_the_future_is_refused(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    for (unsigned i = 0; i < 2; i++) {
        batch_maker_begin(f.maker, 1, 1, NOW);
        batch_maker_add(f.maker, 1, NOW + 301 * S);
        batch_maker_add(f.maker, 2, NOW + 299 * S);
        step(&f, NOW);
    }
    assert_int_equal(f.seen.events, 1);
    assert_int_equal(f.seen.dead, 1);
    assert_int_equal(f.seen.last_dead.reason, NORMALISE_FUTURE);
    assert_int_equal(f.seen.last_dead.seq, 1);
    struct ledger l = ledger(&f);
    assert_int_equal(l.dead_lettered, 1);
    assert_int_equal(l.stored, 1);
    assert_int_equal(l.duplicates, 2);
    /* Sent again when its time has come, it is an event like any other. */
    batch_maker_begin(f.maker, 1, 1, NOW + 600 * S);
    batch_maker_add(f.maker, 1, NOW + 301 * S);
    step(&f, NOW + 600 * S);
    l = ledger(&f);
    assert_int_equal(l.stored, 2);
    assert_int_equal(l.dead_lettered, 0);
    end(&f);
}

static void test_folds_are_not_losses(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW);
    struct event *ev = batch_maker_add(f.maker, 10, NOW);
    ev->fold_count = 2;
    ev->fold[0] = (struct ev_fold){1, 6, EV_FILTER_AGGREGATION};
    ev->fold[1] = (struct ev_fold){8, 2, EV_FILTER_RATE};
    step(&f, NOW);
    struct ledger l = ledger(&f);
    assert_int_equal(l.produced, 10);
    assert_int_equal(l.stored, 1);
    assert_int_equal(l.merged, 8);
    assert_int_equal(l.missing, 1);
    assert_int_equal(stats(&f).folded[EV_FILTER_AGGREGATION], 6);
    assert_int_equal(stats(&f).folded[EV_FILTER_RATE], 2);
    /* A number that is both folded and sent is an event: whatever the order, the event is what counts. */
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 3, NOW);
    f.maker->batch.seq_next = 11;
    step(&f, NOW);
    l = ledger(&f);
    assert_int_equal(l.stored, 2);
    assert_int_equal(l.merged, 7);
    assert_int_equal(f.seen.events, 2);
    end(&f);
}

static void test_folds_beyond_what_was_given_out(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW);
    struct event *ev = batch_maker_add(f.maker, 1, NOW);
    ev->fold_count = 1;
    ev->fold[0] = (struct ev_fold){1, 2, EV_FILTER_RATE};
    step(&f, NOW);
    assert_int_equal(f.seen.events, 0);
    assert_int_equal(f.seen.last_dead.reason, NORMALISE_SCHEMA);
    assert_int_equal(ledger(&f).dead_lettered, 1);
    end(&f);
}

/* what does not fit the schema is refused with its field, and the rest of the batch is taken. */
static void test_schema(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 1, NOW)->field_count = 0; /* the pdu must be there */
    batch_maker_add(f.maker, 2, NOW);
    batch_maker_add(f.maker, 3, NOW)->ecu = slice_make("\xFF\xFE", 2);
    step(&f, NOW);
    assert_int_equal(f.seen.events, 1);
    assert_int_equal(f.seen.dead_by_reason[NORMALISE_SCHEMA], 2);
    assert_int_equal(ledger(&f).dead_lettered, 2);
    end(&f);
}

static void test_broken_records(void **state)
{
    struct fixture f;
    struct stream_record rec;
    uint8_t other[EV_VID_SIZE] = {9};

    (void)state;
    begin(&f);
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 1, NOW);
    rec = batch_maker_record(f.maker, NOW);
    for (size_t len = 0; len < rec.value.len; len++) {
        struct stream_record cut = rec;

        cut.value.len = len;
        assert_int_equal(normalise_step(f.n, &cut), VS_OK);
    }
    assert_int_equal(f.seen.dead_by_reason[NORMALISE_BAD_RECORD], rec.value.len);
    assert_true(f.seen.last_dead.whole);
    struct stream_record wrong = rec;
    wrong.format = 77;
    assert_int_equal(normalise_step(f.n, &wrong), VS_OK);
    assert_int_equal(f.seen.last_dead.reason, NORMALISE_UNKNOWN_FORMAT);
    wrong = rec;
    wrong.key = slice_make(other, sizeof other);
    assert_int_equal(normalise_step(f.n, &wrong), VS_OK);
    assert_int_equal(f.seen.last_dead.reason, NORMALISE_OTHER_VEHICLE);
    batch_maker_begin(f.maker, 1, 1, NOW);
    f.maker->batch.seq_next = NORMALISE_SEQ_MAX + 1;
    step(&f, NOW);
    assert_int_equal(f.seen.last_dead.reason, NORMALISE_BAD_RECORD);
    assert_int_equal(f.seen.events, 0);
    assert_int_equal(stats(&f).vehicles, 0);
    end(&f);
}

static struct registry *two_versions(const uint8_t vid[EV_VID_SIZE])
{
    struct registry *g;
    struct vehicle_facts facts = {.model = slice_str("Model A"),
                                  .hardware = slice_str("H1"),
                                  .region = slice_str("EU"),
                                  .owner = slice_str("abc")};
    struct software_period a = {slice_str(""), slice_str("1.0"), 0, 0, SOFTWARE_IMPORT};
    struct software_period b = {slice_str(""), slice_str("2.0"), NOW - 100 * S, 0, SOFTWARE_OTA};
    struct software_period c = {slice_str("ECU1"), slice_str("e7"), 0, 0, SOFTWARE_IMPORT};

    memcpy(facts.vid, vid, EV_VID_SIZE);
    assert_int_equal(registry_new(&g), VS_OK);
    assert_int_equal(registry_put(g, &facts), VS_OK);
    assert_int_equal(registry_software_put(g, vid, &a), VS_OK);
    assert_int_equal(registry_software_put(g, vid, &b), VS_OK);
    assert_int_equal(registry_software_put(g, vid, &c), VS_OK);
    return g;
}

/* */
static void test_enriches_as_of_event_time(void **state)
{
    struct fixture f;
    uint8_t vid[EV_VID_SIZE] = {[EV_VID_SIZE - 1] = 1};
    struct registry *g = two_versions(vid);

    (void)state;
    begin_with(&f, (struct normalise_config){.registry = g});
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 1, NOW - 101 * S)->ecu = slice_str("ECU1");
    step(&f, NOW);
    assert_true(f.seen.last_no.known);
    assert_string_equal(f.seen.sw_version, "1.0");
    assert_string_equal(f.seen.ecu_version, "e7");
    assert_string_equal(f.seen.model, "Model A");
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 2, NOW - 100 * S);
    step(&f, NOW);
    assert_string_equal(f.seen.sw_version, "2.0");
    assert_string_equal(f.seen.ecu_version, "");
    batch_maker_begin(f.maker, 2, 1, NOW);
    batch_maker_add(f.maker, 1, NOW);
    step(&f, NOW);
    assert_false(f.seen.last_no.known);
    assert_string_equal(f.seen.sw_version, "");
    assert_int_equal(stats(&f).unknown_vehicle, 1);
    end(&f);
    registry_free(g);
}

static void test_epochs_are_apart_and_bounded(void **state)
{
    struct fixture f;
    struct normalise_vehicle v;

    (void)state;
    begin(&f);
    for (uint32_t epoch = 1; epoch <= LEDGER_EPOCHS_MAX + 10; epoch++) {
        batch_maker_begin(f.maker, 1, epoch, NOW);
        batch_maker_add(f.maker, 1, NOW);
        batch_maker_add(f.maker, 3, NOW);
        step(&f, NOW);
    }
    assert_int_equal(f.seen.events, 2 * (LEDGER_EPOCHS_MAX + 10));
    assert_true(normalise_vehicle(f.n, f.maker->batch.vid, &v));
    assert_int_equal(v.epochs, LEDGER_EPOCHS_MAX + 10);
    struct ledger l = ledger(&f);
    assert_int_equal(l.stored, 2 * (LEDGER_EPOCHS_MAX + 10));
    assert_int_equal(l.missing, LEDGER_EPOCHS_MAX + 10);
    /* An old one that is kept takes late events; one that was closed says so. */
    batch_maker_begin(f.maker, 1, LEDGER_EPOCHS_MAX, NOW);
    batch_maker_add(f.maker, 2, NOW);
    batch_maker_add(f.maker, 3, NOW);
    step(&f, NOW);
    assert_int_equal(ledger(&f).missing, LEDGER_EPOCHS_MAX + 9);
    batch_maker_begin(f.maker, 1, 1, NOW);
    batch_maker_add(f.maker, 2, NOW);
    step(&f, NOW);
    assert_int_equal(f.seen.last_dead.reason, NORMALISE_CLOSED);
    end(&f);
}

static void test_vehicles_are_bounded(void **state)
{
    struct fixture f;

    (void)state;
    begin_with(&f, (struct normalise_config){.vehicles_max = 3});
    for (uint32_t car = 1; car <= 5; car++) {
        batch_maker_begin(f.maker, car, 1, NOW);
        batch_maker_add(f.maker, 1, NOW);
        step(&f, NOW);
    }
    assert_int_equal(f.seen.events, 3);
    assert_int_equal(f.seen.dead_by_reason[NORMALISE_VEHICLES_FULL], 2);
    end(&f);
}

static void test_json_lines(void **state)
{
    static const char TEXT[] =
        "{\"vin\":\"00000000000000000000000000000001\",\"time\":\"2026-03-01T12:00:00Z\",\"type\":\"ota.installed\","
        "\"seq\":1,\"epoch\":9,\"version\":\"2\"}\n"
        "{\"time\":\"2026-03-01T12:00:00Z\",\"type\":\"ota.installed\",\"seq\":1,\"epoch\":9,\"version\":\"2\"}\r\n"
        "\n"
        "{\"time\":1772366400000000,\"type\":\"ota.installed\",\"version\":\"3\"}\n"
        "{\"time\":1772366400000000,\"type\":\"ota.installed\",\"version\":\"3\"}\n"
        "{\"time\":1772366400000000,\"type\":\"ota.installed\",\"seq\":4,\"epoch\":9,\"version\":3}\n"
        "{\"time\":1772366400000000,\"type\":\"ota.exploded\",\"seq\":5,\"epoch\":9}\n"
        "{\"vin\":\"00000000000000000000000000000002\",\"time\":1772366400000000,\"type\":\"ota.installed\","
        "\"version\":\"3\"}\n"
        "{\"time\":1772366400000000,\"type\n"
        "{\"time\":1772366400000000,\"type\":\"ota.installed\",\"seq\":7,\"epoch\":9,\"version\":\"4\"}";
    struct fixture f;
    uint8_t vid[EV_VID_SIZE] = {[EV_VID_SIZE - 1] = 1};
    struct stream_record rec = {.received_us = NOW,
                                .door = STREAM_DOOR_IMPORT,
                                .format = STREAM_FORMAT_JSON_LINES,
                                .key = slice_make(vid, sizeof vid),
                                .value = slice_make(TEXT, sizeof TEXT - 1)};

    (void)state;
    begin(&f);
    assert_int_equal(normalise_step(f.n, &rec), VS_OK);
    assert_int_equal(f.seen.events, 3);
    assert_int_equal(f.seen.last.seq, 7);
    assert_int_equal(stats(&f).refused[NORMALISE_DUPLICATE], 2);
    assert_int_equal(f.seen.dead_by_reason[NORMALISE_BAD_EVENT], 2);
    assert_int_equal(f.seen.dead_by_reason[NORMALISE_UNKNOWN_TYPE], 1);
    assert_int_equal(f.seen.dead_by_reason[NORMALISE_OTHER_VEHICLE], 1);
    struct ledger l = ledger(&f);
    assert_int_equal(l.produced, 7);
    assert_int_equal(l.stored, 2);
    assert_int_equal(l.dead_lettered, 2);
    assert_int_equal(l.missing, 3);
    end(&f);
}

static void test_history_hands_on_everything(void **state)
{
    struct fixture f;

    (void)state;
    begin_with(&f, (struct normalise_config){.keep_duplicates = true});
    for (unsigned i = 0; i < 3; i++) {
        batch_maker_begin(f.maker, 1, 1, NOW);
        batch_maker_add(f.maker, 1, NOW);
        step(&f, NOW);
    }
    assert_int_equal(f.seen.events, 3);
    assert_int_equal(stats(&f).vehicles, 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hands_on_what_is_good),
        cmocka_unit_test(test_the_same_three_times_is_once),
        cmocka_unit_test(test_loss_is_seen),
        cmocka_unit_test(test_three_weeks_late),
        cmocka_unit_test(test_a_wrong_clock_is_repaired),
        cmocka_unit_test(test_the_future_is_refused),
        cmocka_unit_test(test_folds_are_not_losses),
        cmocka_unit_test(test_folds_beyond_what_was_given_out),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_broken_records),
        cmocka_unit_test(test_enriches_as_of_event_time),
        cmocka_unit_test(test_epochs_are_apart_and_bounded),
        cmocka_unit_test(test_vehicles_are_bounded),
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_history_hands_on_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
