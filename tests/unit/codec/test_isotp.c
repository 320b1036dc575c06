/* isotp: each frame kind, each bound and its counter, and random segmented messages against what was sent. */
#include "check.h"
#include "seed.h"

#include "codec/isotp.h"
#include "core/hex.h"

#define SIZE 128

struct bench {
    struct isotp tp;
    uint8_t buf[SIZE];
    struct isotp_item item;
};

static void begin(struct bench *b, size_t size)
{
    isotp_init(&b->tp, b->buf, size);
}

static enum vs_err step(struct bench *b, const char *hex, int64_t now_us)
{
    uint8_t data[64];
    size_t len = strlen(hex) / 2;

    assert_true(hex_read(slice_str(hex), data, len));
    memset(&b->item, 0, sizeof b->item);
    enum vs_err err = isotp_step(&b->tp, slice_make(data, len), now_us, &b->item);
    /* A payload may lie in the frame: compare it before the frame is gone. */
    if (err == VS_OK && b->item.kind == ISOTP_MESSAGE && b->item.payload.len <= SIZE)
        b->item.payload = slice_make(memmove(b->buf, b->item.payload.ptr, b->item.payload.len), b->item.payload.len);
    return err;
}

static void check_payload(const struct bench *b, const char *hex)
{
    uint8_t want[SIZE];
    size_t len = strlen(hex) / 2;

    assert_true(hex_read(slice_str(hex), want, len));
    assert_int_equal(b->item.kind, ISOTP_MESSAGE);
    assert_true(slice_equal(b->item.payload, slice_make(want, len)));
}

static void single_frames_hold_a_whole_message(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, 0);
    assert_int_equal(step(&b, "023E00CCCCCCCCCC", 0), VS_OK);
    check_payload(&b, "3E00");
    assert_int_equal(step(&b, "0122", 0), VS_OK);
    check_payload(&b, "22");
    assert_int_equal(step(&b, "000922F19022F19122F19200", 0), VS_OK);
    check_payload(&b, "22F19022F19122F192");
    assert_int_equal(b.tp.messages_count, 3);
}

static void a_segmented_message_is_put_together(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, 20);
    assert_int_equal(step(&b, "101462F190574241", 0), VS_OK);
    assert_int_equal(b.item.kind, ISOTP_NOTHING);
    assert_int_equal(step(&b, "3008F2", 10), VS_OK);
    assert_int_equal(b.item.kind, ISOTP_FLOW);
    assert_int_equal(b.item.flow, ISOTP_FLOW_CONTINUE);
    assert_int_equal(b.item.block_size, 8);
    assert_int_equal(b.item.gap_us_min, 200);
    assert_int_equal(step(&b, "2130303030303030", 20), VS_OK);
    assert_int_equal(step(&b, "2231323334353637", 30), VS_OK);
    check_payload(&b, "62F19057424130303030303030"
                      "31323334353637");
}

static void separation_times_are_those_of_the_standard(void **state)
{
    static const struct {
        const char *frame;
        uint32_t gap_us;
    } row[] = {{"300000", 0},   {"30007F", 127000}, {"300080", 127000}, {"3000F0", 127000},
               {"3000F1", 100}, {"3000F9", 900},    {"3000FA", 127000}};
    struct bench b;

    (void)state;
    begin(&b, 0);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(step(&b, row[i].frame, 0), VS_OK);
        CHECK_ROW(i, b.item.gap_us_min == row[i].gap_us);
    }
}

static void broken_frames_are_refused_and_counted(void **state)
{
    static const struct {
        const char *frame;
        enum vs_err err;
    } row[] = {
        {"", VS_ERR_TRUNCATED},
        {"00", VS_ERR_MALFORMED},
        {"0F11111111111111", VS_ERR_MALFORMED},
        {"0322F1", VS_ERR_TRUNCATED},
        {"000822F19022F191", VS_ERR_MALFORMED},
        {"001E22F19022F19122F1", VS_ERR_TRUNCATED},
        {"1014", VS_ERR_TRUNCATED},
        {"1006112233445566", VS_ERR_MALFORMED},
        {"3300FF", VS_ERR_MALFORMED},
        {"3000", VS_ERR_TRUNCATED},
        {"4011", VS_ERR_MALFORMED},
        {"FF", VS_ERR_MALFORMED},
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        begin(&b, SIZE);
        CHECK_ROW(i, step(&b, row[i].frame, 0) == row[i].err);
        CHECK_ROW(i, b.tp.malformed_count == 1 && b.tp.want == 0);
        CHECK_ROW(i, step(&b, "023E00", 0) == VS_OK);
    }
}

static void a_message_above_the_buffer_is_refused_whatever_length_it_claims(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, 19);
    assert_int_equal(step(&b, "101462F190574241", 0), VS_ERR_LIMIT);
    assert_int_equal(step(&b, "1000FFFFFFFF0000", 0), VS_ERR_LIMIT);
    assert_int_equal(b.tp.too_long_count, 2);
    assert_int_equal(step(&b, "2130303030303030", 0), VS_ERR_CONFLICT);
    assert_int_equal(step(&b, "1000000000130102", 0), VS_OK);
    assert_int_equal(b.tp.want, 19);
}

static void a_wrong_sequence_number_drops_the_message(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, SIZE);
    assert_int_equal(step(&b, "101462F190574241", 0), VS_OK);
    assert_int_equal(step(&b, "2230303030303030", 1), VS_ERR_CONFLICT);
    assert_int_equal(step(&b, "2130303030303030", 2), VS_ERR_CONFLICT);
    assert_int_equal(b.tp.sequence_errors_count, 2);
    assert_int_equal(b.tp.messages_count, 0);
}

static void a_new_message_drops_the_half_one(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, SIZE);
    assert_int_equal(step(&b, "101462F190574241", 0), VS_OK);
    assert_int_equal(step(&b, "023E00", 1), VS_OK);
    assert_true(b.item.dropped);
    assert_int_equal(b.tp.aborted_count, 1);
    assert_int_equal(step(&b, "101462F190574241", 2), VS_OK);
    assert_false(b.item.dropped);
}

static void silence_drops_the_half_message_and_a_clock_that_went_back_does_not(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, SIZE);
    assert_int_equal(step(&b, "101462F190574241", 5000000), VS_OK);
    assert_false(isotp_tick(&b.tp, 5000000 + ISOTP_TIMEOUT_US));
    assert_false(isotp_tick(&b.tp, 1));
    assert_int_equal(step(&b, "2130303030303030", 5000000 + ISOTP_TIMEOUT_US), VS_OK);
    assert_true(isotp_tick(&b.tp, 5000001 + 2 * ISOTP_TIMEOUT_US));
    assert_int_equal(step(&b, "2231323334353637", 5000002 + 2 * ISOTP_TIMEOUT_US), VS_ERR_CONFLICT);
    assert_int_equal(b.tp.timeouts_count, 1);
}

/* Cuts a message into frames as a sender does. Returns how many bytes the next frame has; 0 when all is sent. */
static size_t cut(const uint8_t *message, size_t len, size_t frame_max, size_t *sent, uint8_t *sequence, uint8_t *frame)
{
    size_t head = 1;

    if (*sent == len)
        return 0;
    if (*sent == 0 && (len <= 7 || (frame_max > 8 && len <= frame_max - 2))) {
        head = len <= 7 ? 1 : 2;
        frame[0] = (uint8_t)(head == 1 ? len : 0);
        frame[head - 1] = (uint8_t)len;
    } else if (*sent == 0) {
        head = 2;
        frame[0] = (uint8_t)(0x10 | len >> 8);
        frame[1] = (uint8_t)len;
        *sequence = 1;
    } else {
        frame[0] = 0x20 | *sequence;
        *sequence = (*sequence + 1) & 15;
    }
    size_t n = len - *sent < frame_max - head ? len - *sent : frame_max - head;
    memcpy(frame + head, message + *sent, n);
    *sent += n;
    return head == 2 && frame[0] == 0 && head + n <= 8 ? 9 : head + n; /* the escape is for frames above 8 bytes */
}

static void random_messages_arrive_as_they_were_sent(void **state)
{
    static uint8_t message[4095], buf[4095];
    struct seed seed = seed_start("isotp", 6);
    struct isotp tp;

    (void)state;
    isotp_init(&tp, buf, sizeof buf);
    for (unsigned round = 0; round < 400; round++) {
        size_t len = 1 + seed_below(&seed, round % 2 != 0 ? 100 : sizeof message);
        size_t frame_max = seed_below(&seed, 2) != 0 ? 8 : 64;
        size_t sent = 0, n;
        uint8_t sequence = 0, frame[64] = {0};
        struct isotp_item item = {.kind = ISOTP_NOTHING};

        for (size_t i = 0; i < len; i++)
            message[i] = (uint8_t)seed_next(&seed);
        while ((n = cut(message, len, frame_max, &sent, &sequence, frame)) > 0)
            assert_int_equal(isotp_step(&tp, slice_make(frame, n), 0, &item), VS_OK);
        assert_int_equal(item.kind, ISOTP_MESSAGE);
        assert_true(slice_equal(item.payload, slice_make(message, len)));
    }
    assert_int_equal(tp.messages_count, 400);
}

static void random_frames_keep_the_bounds(void **state)
{
    struct seed seed = seed_start("isotp bytes", 7);

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        size_t size = seed_below(&seed, 60);
        uint8_t *buf = malloc(size + 1);
        struct isotp tp;

        assert_non_null(buf);
        isotp_init(&tp, size > 0 ? buf : NULL, size);
        for (unsigned i = 0; i < 60; i++) {
            size_t len = seed_below(&seed, 3) != 0 ? 8 : seed_below(&seed, 65);
            uint8_t frame[64];
            struct isotp_item item = {.kind = ISOTP_NOTHING};
            for (size_t k = 0; k < len; k++)
                frame[k] = (uint8_t)seed_next(&seed);
            if (len > 1 && seed_below(&seed, 2) != 0) {
                frame[0] = (uint8_t)(seed_below(&seed, 4) << 4 | (tp.want > 0 ? tp.sequence : 0));
                frame[1] &= 63;
            }
            if (isotp_step(&tp, slice_make(frame, len), (int64_t)i * 1000, &item) == VS_OK &&
                item.kind == ISOTP_MESSAGE)
                assert_true(item.payload.len > 0 && (item.payload.len <= size || item.payload.len <= 62));
            assert_true(tp.have <= tp.want && tp.want <= size);
        }
        free(buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_frames_hold_a_whole_message),
        cmocka_unit_test(a_segmented_message_is_put_together),
        cmocka_unit_test(separation_times_are_those_of_the_standard),
        cmocka_unit_test(broken_frames_are_refused_and_counted),
        cmocka_unit_test(a_message_above_the_buffer_is_refused_whatever_length_it_claims),
        cmocka_unit_test(a_wrong_sequence_number_drops_the_message),
        cmocka_unit_test(a_new_message_drops_the_half_one),
        cmocka_unit_test(silence_drops_the_half_message_and_a_clock_that_went_back_does_not),
        cmocka_unit_test(random_messages_arrive_as_they_were_sent),
        cmocka_unit_test(random_frames_keep_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
