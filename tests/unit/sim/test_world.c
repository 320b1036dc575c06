/* world: one seed, one stream of bytes; every number a vehicle declares is in some batch or folded into one;
 * doubled and late uploads do occur; batches verify with the vehicle's key. */
#include "world.h"

#include <stdlib.h>

#include "base/compress.h"
#include "base/crypto.h"
#include "check.h"
#include "codec/cose.h"
#include "event/batch.h"

#define VEHICLES 60
#define DAYS     14
#define SEQ_MAX  20000

static struct world *open_world(uint64_t seed)
{
    static const uint8_t key[32] = {9};
    struct world_config cfg = {.seed = seed,
                               .vehicles = VEHICLES,
                               .days = DAYS,
                               .start_us = INT64_C(1767571200000000),
                               .pseudonym_key = slice_make(key, sizeof key)};
    struct world *w = NULL;

    assert_int_equal(world_new(&cfg, &w), VS_OK);
    return w;
}

static uint64_t digest_run(uint64_t seed, struct world_counters *ret)
{
    struct world *w = open_world(seed);
    const struct world_upload *up;
    uint32_t count;
    uint64_t h = 0;

    while (world_step(w, &up, &count) == VS_OK)
        for (uint32_t i = 0; i < count; i++) {
            uint8_t hash[SHA256_SIZE];
            uint64_t part;

            sha256(up[i].body, hash);
            memcpy(&part, hash, sizeof part);
            h = (h ^ part ^ (uint64_t)up[i].sent_us ^ up[i].vehicle) * UINT64_C(0x100000001B3);
        }
    world_counters(w, ret);
    world_free(w);
    return h;
}

static void same_seed_same_bytes(void **state)
{
    struct world_counters a, b, c;
    uint64_t x = digest_run(3, &a), y = digest_run(3, &b), z = digest_run(4, &c);

    (void)state;
    assert_true(x == y);
    assert_true(x != z);
    assert_true(a.bytes == b.bytes && a.records == b.records);
    assert_true(a.doubled > 0);
    assert_true(a.late_batches > 0);
}

struct seen {
    bool number[SEQ_MAX];
    uint64_t next;
};

static void note(struct seen *s, uint64_t first, uint64_t count)
{
    for (uint64_t k = first; k < first + count; k++) {
        assert_true(k >= 1 && k < SEQ_MAX);
        s->number[k] = true;
    }
}

static void take_batch(struct compressor *c, const struct key *key, struct slice body, struct seen *s)
{
    static uint8_t plain[BATCH_BODY_MAX], text[70000];
    struct cose_sign1 m;
    struct batch b;
    struct batch_reader r;
    struct event ev;
    struct writer w;
    size_t at;

    assert_int_equal(cose_sign1_read(body, &m, &at), VS_OK);
    writer_init(&w, text, sizeof text);
    cose_to_verify(&w, &m);
    assert_int_equal(key_verify(key, writer_slice(&w), m.signature.ptr), VS_OK);
    assert_int_equal(batch_envelope_read(m.payload, &b, NULL), VS_OK);
    struct slice in = b.body;
    if (b.encoding == BATCH_ZSTD) {
        assert_int_equal(compressor_unpack(c, b.body, plain, b.body_len), VS_OK);
        in = slice_make(plain, b.body_len);
    }
    assert_int_equal(batch_reader_init(&r, &b, in, NULL), VS_OK);
    enum vs_err err;
    while ((err = batch_reader_next(&r, &ev, NULL)) == VS_OK) {
        assert_int_equal(event_validate(&ev, NULL), VS_OK);
        note(s, ev.seq, 1);
        for (unsigned i = 0; i < ev.fold_count; i++)
            note(s, ev.fold[i].seq_first, ev.fold[i].count);
    }
    assert_int_equal(err, VS_ERR_END);
    s->next = b.seq_next > s->next ? b.seq_next : s->next;
}

static void every_number_is_accounted_for(void **state)
{
    struct world *w = open_world(5);
    struct seen *seen = calloc(VEHICLES, sizeof *seen);
    struct compressor *c = NULL;
    const struct world_upload *up;
    uint32_t count;
    int64_t before_us = 0;

    (void)state;
    assert_int_equal(compressor_new(3, &c), VS_OK);
    while (world_step(w, &up, &count) == VS_OK)
        for (uint32_t i = 0; i < count; i++) {
            assert_true(up[i].sent_us >= before_us);
            before_us = up[i].sent_us;
            take_batch(c, world_key(w, up[i].vehicle), up[i].body, &seen[up[i].vehicle]);
        }
    for (uint32_t v = 0; v < VEHICLES; v++)
        for (uint64_t k = 1; k < seen[v].next; k++)
            assert_true(seen[v].number[k]);
    compressor_free(c);
    free(seen);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(every_number_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
