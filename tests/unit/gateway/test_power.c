/* Power goes at every single operation on the journal's device and anchor, and what was not synced shows up as nothing,
 * as everything, torn, out of order or as garbage. After each: the journal is sound, nothing that was committed is
 * gone, no number is missing and none stands for two different events.. */
#include "check.h"

#include <stdio.h>

#include "rig.h"

/* A scenario is a number of steps drawn from a seed; the same seed gives the same steps, whenever the power goes. */
struct scenario {
    uint64_t seed;
    unsigned steps;
    uint32_t blocks;
    unsigned kinds;
};

/* What the runs went through, so that a test which never met the hard cases fails. */
static struct {
    uint64_t losses, torn, relocated, given_up, bytes;
} met;

static void setup_rules(struct rig *r, unsigned variant)
{
    r->rule[0] = (struct qualify_rule){.type = EV_HOST_AUDIT, .sample_every = variant % 3 == 0 ? 4 : 0};
    r->rule[1] = (struct qualify_rule){.type = EV_CAN_SIGNAL_OUT_OF_RANGE,
                                       .aggregate_ms = 5000,
                                       .threshold = variant % 3 == 1 ? 3 : 0,
                                       .threshold_ms = 20000};
    r->cfg.rule_count = variant % 4 == 3 ? 0 : 2;
}

static void step(struct rig *r, const struct scenario *sc, struct seed *s)
{
    struct event ev;
    char name[24];
    uint64_t what = seed_below(s, 16);
    enum vs_err err = VS_OK;

    snprintf(name, sizeof name, "k%u", (unsigned)seed_below(s, sc->kinds));
    r->now_us += (int64_t)seed_below(s, 700000);
    if (what < 6)
        make_can_event(&ev, r->now_us, (uint32_t)seed_below(s, sc->kinds));
    else if (what < 8)
        make_critical_event(&ev, r->now_us, name);
    else
        make_low_event(&ev, r->now_us, name);
    if (what < 12)
        err = gateway_report(&r->gw, &ev, r->now_us);
    else if (what < 15)
        err = gateway_tick(&r->gw, r->now_us);
    else if (seed_below(s, 2) == 0)
        rig_deliver(r);
    /* Failing is allowed; what may not happen is checked at the end. */
    (void)err;
}

/* Runs until the power goes or the steps are over. Says up to which number everything was committed. */
static uint64_t run(struct rig *r, const struct scenario *sc, unsigned *step_no, struct seed *s)
{
    uint64_t committed = 0;

    for (; *step_no < sc->steps && !r->flash.off; (*step_no)++) {
        step(r, sc, s);
        committed = r->gw.outbox.seq_durable;
    }
    return committed;
}

static uint64_t play(const struct scenario *sc, uint64_t cut, uint64_t every, enum tear tear, unsigned variant)
{
    struct rig r;
    struct seed s = {sc->seed}, torn = {sc->seed ^ cut << 8 ^ (uint64_t)tear};
    unsigned step_no = 0;
    uint64_t committed = 0;

    rig_init(&r, sc->blocks);
    setup_rules(&r, variant);
    r.flash.cut = cut;
    enum vs_err err = rig_start(&r);
    for (;;) {
        if (err == VS_OK) {
            if (gateway_seq_next(&r.gw) < committed)
                fail_msg("cut %llu tear %d: committed up to %llu, found %llu", (unsigned long long)cut, (int)tear,
                         (unsigned long long)committed, (unsigned long long)gateway_seq_next(&r.gw));
            gateway_link(&r.gw, seed_below(&s, 2) == 0 ? BEARER_FREE : BEARER_METERED);
            uint64_t now_committed = run(&r, sc, &step_no, &s);
            committed = now_committed > committed ? now_committed : committed;
        }
        met.relocated += r.gw.outbox.counters.relocated;
        met.given_up += r.gw.outbox.counters.given_up[0] + r.gw.outbox.counters.given_up[1];
        met.bytes += r.gw.outbox.journal.written_bytes;
        if (!r.flash.off)
            break;
        met.losses++;
        flash_power_on(&r.flash, tear, &torn);
        r.flash.cut = every == 0 ? 0 : r.flash.ops + 1 + seed_below(&torn, every);
        err = rig_start(&r);
        met.torn += err == VS_OK && r.finding.torn;
        if (err == VS_OK && r.finding.fault > JOURNAL_FRESH)
            fail_msg("cut %llu tear %d: %s at %llu", (unsigned long long)cut, (int)tear,
                     journal_fault_name(r.finding.fault), (unsigned long long)r.finding.index);
    }
    r.flash.cut = 0;
    uint64_t ops = r.flash.ops;
    rig_finish(&r);
    assert_int_equal(gateway_epoch(&r.gw), 1);
    assert_true(r.ledger.seq_next >= committed);
    assert_int_equal(r.gw.counters.unaccounted, 0);
    assert_int_equal(r.gw.counters.open_not_kept, 0);
    assert_int_equal(r.gw.outbox.counters.index_full, 0);
    assert_int_equal(r.gw.outbox.counters.unreadable, 0);
    ledger_check_complete(&r.ledger);
    rig_done(&r);
    return ops;
}

static void every_operation_of_a_small_run(void **state)
{
    (void)state;
    for (unsigned variant = 0; variant < 4; variant++) {
        const struct scenario sc = {.seed = 11 + variant, .steps = 100, .blocks = 640, .kinds = 4};
        uint64_t ops = play(&sc, 0, 0, TEAR_NONE_APPLIED, variant);

        assert_true(ops > 30);
        for (uint64_t cut = 1; cut <= ops; cut++)
            for (int tear = 0; tear < TEAR_COUNT_; tear++)
                play(&sc, cut, 0, (enum tear)tear, variant);
    }
}

/* The ring turns many times, is full at times, and power goes again and again, also during recovery. */
static void many_losses_in_long_runs(void **state)
{
    struct seed s = seed_start("many_losses_in_long_runs", 20261120);

    (void)state;
    for (unsigned i = 0; i < 120; i++) {
        const struct scenario sc = {.seed = seed_next(&s),
                                    .steps = 400 + (unsigned)seed_below(&s, 2000),
                                    .blocks = 640 + (uint32_t)seed_below(&s, 300),
                                    .kinds = 1 + (unsigned)seed_below(&s, 40)};

        uint64_t tear = seed_below(&s, TEAR_COUNT_);
        uint64_t first = 1 + seed_below(&s, 50), every = 1 + seed_below(&s, 200);

        play(&sc, first, every, (enum tear)tear, (unsigned)seed_below(&s, 4));
    }
    printf("power losses %llu, torn records %llu, entries copied forward %llu, given up %llu, bytes written %llu\n",
           (unsigned long long)met.losses, (unsigned long long)met.torn, (unsigned long long)met.relocated,
           (unsigned long long)met.given_up, (unsigned long long)met.bytes);
    assert_true(met.torn > 0 && met.relocated > 0 && met.given_up > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_of_a_small_run),
        cmocka_unit_test(many_losses_in_long_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
