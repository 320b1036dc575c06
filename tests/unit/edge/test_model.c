/* A model blob from outside: nothing but a whole, right one opens. */
#include "core/crc32c.h"
#include "edge/can/model.h"
#include "rig.h"

static void learn_one(struct rig *r)
{
    uint64_t seed = 1;

    rig_init(r);
    rig_learn_cycle(r, 20000, 500, &seed);
    rig_arm(r);
}

static enum vs_err open_blob(const uint8_t *blob, size_t size)
{
    struct vids v;
    size_t room = VIDS_STORAGE_SIZE(8, 8);
    void *memory = malloc(room);
    enum vs_err err = vids_init(&v, memory, room, slice_make(blob, size));

    free(memory);
    return err;
}

static void crc_set(uint8_t *blob, size_t size)
{
    uint32_t crc = crc32c(0, slice_make(blob + MODEL_AT_CRC + 4, size - MODEL_AT_CRC - 4));

    for (unsigned i = 0; i < 4; i++)
        blob[MODEL_AT_CRC + i] = (uint8_t)(crc >> 8 * i);
}

static void any_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct rig r;
    learn_one(&r);
    assert_int_equal(open_blob(r.blob, r.blob_size), VS_OK);
    for (size_t i = 0; i < r.blob_size * 8; i++) {
        r.blob[i / 8] ^= (uint8_t)(1u << i % 8);
        CHECK_ROW(i, open_blob(r.blob, r.blob_size) != VS_OK);
        r.blob[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    rig_done(&r);
}

static void any_shorter_blob_is_seen(void **state)
{
    (void)state;
    struct rig r;
    learn_one(&r);
    for (size_t n = 0; n < r.blob_size; n++) {
        uint8_t *part = malloc(n + 1);
        memcpy(part, r.blob, n);
        CHECK_ROW(n, open_blob(part, n) != VS_OK);
        free(part);
    }
    rig_done(&r);
}

/* With the CRC made right again a wrong blob may open, but never makes a detector leave it: the sanitizers watch. */
static void wrong_offsets_with_a_right_crc(void **state)
{
    (void)state;
    struct rig r;
    uint64_t seed = 20261120;
    learn_one(&r);
    uint8_t *blob = malloc(r.blob_size);
    for (int round = 0; round < 20000; round++) {
        struct vids v;
        struct vids_finding found[VIDS_FINDINGS_MAX];
        memcpy(blob, r.blob, r.blob_size);
        for (int i = 0; i < 3; i++)
            blob[16 + rig_random(&seed) % (r.blob_size - 16)] = (uint8_t)rig_random(&seed);
        crc_set(blob, r.blob_size);
        size_t room = VIDS_STORAGE_SIZE(8, 8);
        void *memory = malloc(room);
        if (vids_init(&v, memory, room, slice_make(blob, r.blob_size)) == VS_OK)
            for (int64_t k = 0; k < 20; k++) {
                struct can_frame fr = rig_frame(k * 7000, k % 2 ? 0x100 : 0x200, "can0", (uint8_t)(k % 9), (uint64_t)k);
                (void)vids_step(&v, &fr, fr.time_us, found, VIDS_FINDINGS_MAX);
            }
        free(memory);
    }
    free(blob);
    rig_done(&r);
}

static void memory_too_small_is_refused(void **state)
{
    (void)state;
    struct rig r;
    struct vids v;
    learn_one(&r);
    size_t need = vids_storage_size(slice_make(r.blob, r.blob_size));
    assert_int_equal(need, VIDS_STORAGE_SIZE(2, 0));
    assert_int_equal(vids_init(&v, r.memory, need - 1, slice_make(r.blob, r.blob_size)), VS_ERR_FULL);
    rig_done(&r);
}

/* The same recordings give the same bytes. */
static void learning_is_deterministic(void **state)
{
    (void)state;
    struct rig a, b;
    learn_one(&a);
    learn_one(&b);
    assert_int_equal(a.blob_size, b.blob_size);
    assert_memory_equal(a.blob, b.blob, a.blob_size);
    rig_done(&a);
    rig_done(&b);
}

/* The promise for a controller: 256 identifiers and 1,024 signals within 40 kB (design, section 12). */
static void storage_is_within_its_promise(void **state)
{
    (void)state;
    static _Alignas(8) uint8_t memory[VIDS_STORAGE_SIZE(256, 1024)];
    assert_true(sizeof memory + sizeof(struct vids) <= 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_flipped_bit_is_seen),        cmocka_unit_test(any_shorter_blob_is_seen),
        cmocka_unit_test(wrong_offsets_with_a_right_crc), cmocka_unit_test(memory_too_small_is_refused),
        cmocka_unit_test(learning_is_deterministic),      cmocka_unit_test(storage_is_within_its_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
