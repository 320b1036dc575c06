/* Everything that someone with the disk can do to the journal, each by its name, and the first record touched. R-088.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define RECORDS 12u

struct place {
    uint64_t index;
    uint32_t block, blocks;
};

struct journal_map {
    struct place record[64];
    unsigned count;
};

static struct rig rig;

static void note_place(void *ctx, const struct journal_header *h, uint32_t block, struct slice contents)
{
    struct journal_map *m = ctx;
    size_t bytes = JOURNAL_HEADER_SIZE + contents.len + PORT_AEAD_TAG;

    assert_true(m->count < 64);
    m->record[m->count++] = (struct place){h->index, block, (uint32_t)((bytes + RIG_BLOCK - 1) / RIG_BLOCK)};
}

static struct journal_finding inspect(struct journal_map *m)
{
    struct journal_header newest;
    struct journal_finding f;
    uint8_t *scratch = malloc(2 * journal_record_size(&rig.flash.device, RIG_STAGING));

    if (m != NULL)
        m->count = 0;
    assert_int_equal(journal_inspect(&rig.flash.device, &rig.flash.anchor_port, rig_aead(), RIG_STAGING, scratch,
                                     m != NULL ? note_place : NULL, m, &newest, &f),
                     VS_OK);
    free(scratch);
    return f;
}

/* A journal of RECORDS records with one event each, and what lies where. */
static void fill(struct journal_map *m)
{
    struct event ev;
    char name[16];

    rig_init(&rig, RIG_BLOCKS);
    assert_int_equal(rig_start(&rig), VS_OK);
    for (unsigned i = 0; i < RECORDS; i++) {
        snprintf(name, sizeof name, "pdu-%u", i);
        make_critical_event(&ev, rig.now_us + i, name);
        assert_int_equal(gateway_report(&rig.gw, &ev, rig.now_us + i), VS_OK);
    }
    assert_int_equal(inspect(m).fault, JOURNAL_SOUND);
    assert_int_equal(m->count, RECORDS);
}

static uint8_t *at(const struct place *p)
{
    return rig.flash.view + (size_t)p->block * RIG_BLOCK;
}

static void settle(void)
{
    memcpy(rig.flash.bytes, rig.flash.view, (size_t)rig.flash.blocks * RIG_BLOCK);
}

static void expect(struct journal_finding f, enum journal_fault fault, uint64_t index)
{
    if (f.fault != (uint8_t)fault || f.index != index)
        fail_msg("found %s at %llu, want %s at %llu", journal_fault_name(f.fault), (unsigned long long)f.index,
                 journal_fault_name((uint8_t)fault), (unsigned long long)index);
}

/* One bit anywhere in any record, header, contents, tag: that record is named. */
static void edit(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    for (unsigned i = 0; i < m.count; i++) {
        size_t len = (size_t)m.record[i].blocks * RIG_BLOCK, used = len - 40;

        for (size_t byte = 0; byte < used; byte++) {
            at(&m.record[i])[byte] ^= (uint8_t)(1u << byte % 8);
            struct journal_finding f = inspect(NULL);
            /* The padding behind the tag belongs to nobody. */
            if (f.fault != JOURNAL_SOUND && f.index != m.record[i].index)
                fail_msg("record %u byte %zu: %s at %llu", i, byte, journal_fault_name(f.fault),
                         (unsigned long long)f.index);
            if (f.fault == JOURNAL_SOUND)
                assert_true(byte >= JOURNAL_HEADER_SIZE + PORT_AEAD_TAG);
            at(&m.record[i])[byte] ^= (uint8_t)(1u << byte % 8);
        }
    }
    rig_done(&rig);
}

static void erase(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    for (unsigned i = 0; i + 1 < m.count; i++) {
        uint8_t copy[1024];
        size_t len = (size_t)m.record[i].blocks * RIG_BLOCK;

        memcpy(copy, at(&m.record[i]), len);
        memset(at(&m.record[i]), 0, len);
        expect(inspect(NULL), JOURNAL_MISSING, m.record[i].index);
        memcpy(at(&m.record[i]), copy, len);
    }
    rig_done(&rig);
}

static void swap(void **state)
{
    struct journal_map m;
    uint8_t a[1024], b[1024];

    (void)state;
    fill(&m);
    for (unsigned i = 0; i + 2 < m.count; i++) {
        size_t len = (size_t)m.record[i].blocks * RIG_BLOCK;
        unsigned k = i + 1;

        if (m.record[k].blocks != m.record[i].blocks)
            continue;
        memcpy(a, at(&m.record[i]), len);
        memcpy(b, at(&m.record[k]), len);
        memcpy(at(&m.record[i]), b, len);
        memcpy(at(&m.record[k]), a, len);
        expect(inspect(NULL), JOURNAL_SPLICED, m.record[i].index);
        memcpy(at(&m.record[i]), a, len);
        memcpy(at(&m.record[k]), b, len);
    }
    rig_done(&rig);
}

/* A record copied over another one. */
static void duplicate(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    memcpy(at(&m.record[5]), at(&m.record[3]), (size_t)m.record[3].blocks * RIG_BLOCK);
    expect(inspect(NULL), JOURNAL_SPLICED, m.record[5].index);
    rig_done(&rig);
}

/* The newest records are gone, one, two, ... all of them. */
static void truncate_it(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    for (unsigned i = m.count; i-- > 1;) {
        memset(at(&m.record[i]), 0, (size_t)m.record[i].blocks * RIG_BLOCK);
        expect(inspect(NULL), JOURNAL_CUT, m.record[i].index);
    }
    memset(at(&m.record[0]), 0, (size_t)m.record[0].blocks * RIG_BLOCK);
    expect(inspect(NULL), JOURNAL_LOST, m.record[0].index);
    rig_done(&rig);
}

/* The oldest records are gone as if they had been acknowledged. */
static void behead(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    memset(at(&m.record[0]), 0, (size_t)m.record[4].block * RIG_BLOCK);
    struct journal_finding f = inspect(NULL);
    expect(f, JOURNAL_MISSING, m.record[0].index);
    assert_int_equal(f.records_lost, 4);
    rig_done(&rig);
}

/* Yesterday's disk with today's anchor. */
static void roll_back(void **state)
{
    struct journal_map m;
    struct event ev;

    (void)state;
    fill(&m);
    uint8_t *old = malloc((size_t)RIG_BLOCKS * RIG_BLOCK);
    memcpy(old, rig.flash.view, (size_t)RIG_BLOCKS * RIG_BLOCK);
    make_critical_event(&ev, rig.now_us, "evidence");
    assert_int_equal(gateway_report(&rig.gw, &ev, rig.now_us), VS_OK);
    memcpy(rig.flash.view, old, (size_t)RIG_BLOCKS * RIG_BLOCK);
    expect(inspect(NULL), JOURNAL_CUT, RECORDS + 1);
    free(old);
    rig_done(&rig);
}

/* A genuine record of the same index from another run of history. */
static void splice(void **state)
{
    struct journal_map m;
    struct event ev;

    (void)state;
    fill(&m);
    struct flash saved = rig.flash;
    size_t size = (size_t)RIG_BLOCKS * RIG_BLOCK;
    uint8_t *before = malloc(size), *other = malloc(size);
    memcpy(before, rig.flash.view, size);
    make_critical_event(&ev, rig.now_us, "what-really-happened");
    assert_int_equal(gateway_report(&rig.gw, &ev, rig.now_us), VS_OK);
    memcpy(other, rig.flash.view, size);
    /* The same gateway, power lost before that record: after a start it writes record RECORDS + 1 anew. */
    memcpy(rig.flash.view, before, size);
    settle();
    rig.flash.anchor = saved.anchor;
    assert_int_equal(rig_start(&rig), VS_OK);
    assert_int_equal(rig.finding.fault, JOURNAL_SOUND);
    make_critical_event(&ev, rig.now_us, "what-happened-instead");
    assert_int_equal(gateway_report(&rig.gw, &ev, rig.now_us), VS_OK);
    uint32_t block = rig.gw.outbox.journal.newest_block;
    uint64_t index = rig.gw.outbox.journal.newest_index;
    size_t len = (rig.gw.outbox.journal.head_block - block) * (size_t)RIG_BLOCK;
    uint8_t genuine[1024];
    assert_int_equal(index, RECORDS + 1);
    memcpy(genuine, rig.flash.view + (size_t)block * RIG_BLOCK, len);
    memcpy(rig.flash.view + (size_t)block * RIG_BLOCK, other + (size_t)block * RIG_BLOCK, len);
    expect(inspect(NULL), JOURNAL_SPLICED, index);
    /* The same in the middle: it fits the one before it, and is betrayed by the one behind it. */
    memcpy(rig.flash.view + (size_t)block * RIG_BLOCK, genuine, len);
    for (unsigned i = 0; i < 3; i++) {
        make_critical_event(&ev, rig.now_us, i == 0 ? "a" : i == 1 ? "b" : "c");
        assert_int_equal(gateway_report(&rig.gw, &ev, rig.now_us), VS_OK);
        memcpy(rig.flash.view + (size_t)block * RIG_BLOCK, other + (size_t)block * RIG_BLOCK, len);
        expect(inspect(NULL), JOURNAL_SPLICED, index);
        memcpy(rig.flash.view + (size_t)block * RIG_BLOCK, genuine, len);
        assert_int_equal(inspect(NULL).fault, JOURNAL_SOUND);
    }
    free(before);
    free(other);
    rig_done(&rig);
}

/* Without the anchor nobody can say that these are the newest: the epoch rises. */
static void anchor_lost(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    rig.flash.anchored = false;
    expect(inspect(NULL), JOURNAL_NO_ANCHOR, 0);
    settle();
    assert_int_equal(rig_start(&rig), VS_OK);
    assert_int_equal(gateway_epoch(&rig.gw), 2);
    rig_done(&rig);
}

/* A forged header with a huge index in free space changes nothing. */
static void forge(void **state)
{
    struct journal_map m;

    (void)state;
    fill(&m);
    memcpy(rig.flash.view + 900 * RIG_BLOCK, at(&m.record[2]), (size_t)m.record[2].blocks * RIG_BLOCK);
    expect(inspect(NULL), JOURNAL_SOUND, 0);
    rig.flash.view[900 * RIG_BLOCK + 8] ^= 0x40;
    expect(inspect(NULL), JOURNAL_SOUND, 0);
    rig_done(&rig);
}

/* After a fault the gateway goes on: it tells it once, keeps what opens, and the numbers that are gone are missing. */
static void a_fault_is_told_once_and_the_rest_is_kept(void **state)
{
    struct journal_map m;
    struct outbox_cache cache = {.block = OUTBOX_STAGED};
    struct event ev;
    unsigned told = 0;

    (void)state;
    fill(&m);
    at(&m.record[4])[100] ^= 1;
    settle();
    assert_int_equal(rig_start(&rig), VS_OK);
    expect(rig.finding, JOURNAL_EDITED, m.record[4].index);
    assert_int_equal(rig_start(&rig), VS_OK);
    expect(rig.finding, JOURNAL_SOUND, 0);
    for (uint32_t i = 0; i < rig.gw.outbox.entry_count; i++) {
        assert_int_equal(outbox_read(&rig.gw.outbox, &rig.gw.outbox.entry[i], &cache, &ev), VS_OK);
        told += ev.type == EV_GATEWAY_JOURNAL_TAMPERED;
    }
    assert_int_equal(told, 1);
    rig_finish(&rig);
    assert_int_equal(rig.ledger.of_type[EV_SECOC_VERIFICATION_FAILED], RECORDS - 1);
    assert_int_equal(ledger_missing(&rig.ledger), 1);
    rig_done(&rig);
}

/* Whatever is done to the disk, the gateway starts, and does not hang. */
static void random_damage_never_stops_it(void **state)
{
    struct seed s = seed_start("random_damage_never_stops_it", 9);

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        struct journal_map m;
        struct event ev;

        fill(&m);
        for (unsigned k = 0, n = 1 + (unsigned)seed_below(&s, 40); k < n; k++) {
            size_t to = (size_t)seed_below(&s, 80) * RIG_BLOCK, from = (size_t)seed_below(&s, 80) * RIG_BLOCK;

            if (seed_below(&s, 2) == 0)
                rig.flash.view[to + seed_below(&s, RIG_BLOCK)] ^= (uint8_t)seed_next(&s);
            else
                memmove(rig.flash.view + to, rig.flash.view + from, RIG_BLOCK * (1 + (size_t)seed_below(&s, 6)));
        }
        settle();
        assert_int_equal(rig_start(&rig), VS_OK);
        make_critical_event(&ev, rig.now_us, "after");
        assert_int_equal(gateway_report(&rig.gw, &ev, rig.now_us), VS_OK);
        assert_int_equal(rig_start(&rig), VS_OK);
        expect(rig.finding, JOURNAL_SOUND, 0);
        rig_finish(&rig);
        assert_true(rig.ledger.of_type[EV_SECOC_VERIFICATION_FAILED] >= 1);
        rig_done(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edit),
        cmocka_unit_test(erase),
        cmocka_unit_test(swap),
        cmocka_unit_test(duplicate),
        cmocka_unit_test(truncate_it),
        cmocka_unit_test(behead),
        cmocka_unit_test(roll_back),
        cmocka_unit_test(splice),
        cmocka_unit_test(anchor_lost),
        cmocka_unit_test(forge),
        cmocka_unit_test(a_fault_is_told_once_and_the_rest_is_kept),
        cmocka_unit_test(random_damage_never_stops_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
