/* cbor against libcbor: what one writes the other reads, and what one refuses the other refuses, except for what cbor.h
 * refuses on purpose: floats, indefinite lengths, other simple values, heads that are not the shortest, deep nesting.
 */
#include "check.h"

#include <cbor.h>
#include <stdio.h>

#include "core/utf8.h"
#include "event/cbor.h"
#include "seed.h"

#define ITEM_MAX 4096

/* A head may claim gigabytes: the oracle shall see its allocation fail, whatever the build. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=64";
}

static bool shortest(const cbor_item_t *item)
{
    uint64_t v = cbor_get_int(item);

    switch (cbor_int_get_width(item)) {
    case CBOR_INT_8:
        return true;
    case CBOR_INT_16:
        return v > UINT8_MAX;
    case CBOR_INT_32:
        return v > UINT16_MAX;
    case CBOR_INT_64:
        return v > UINT32_MAX;
    }
    return false;
}

/* Is this tree of the part of CBOR that we take? A depth of its own, because the tree is deep at most by ITEM_MAX. */
static bool is_ours(cbor_item_t *item, unsigned depth)
{
    bool ok = true;

    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
    case CBOR_TYPE_NEGINT:
        return shortest(item);
    case CBOR_TYPE_BYTESTRING:
        return cbor_bytestring_is_definite(item);
    case CBOR_TYPE_STRING:
        return cbor_string_is_definite(item);
    case CBOR_TYPE_ARRAY:
        if (cbor_array_size(item) > 0 && depth == CBOR_DEPTH_MAX)
            return false;
        for (size_t i = 0; i < cbor_array_size(item); i++)
            ok = ok && is_ours(cbor_array_handle(item)[i], depth + 1);
        return ok && cbor_array_is_definite(item);
    case CBOR_TYPE_MAP:
        if (cbor_map_size(item) > 0 && depth == CBOR_DEPTH_MAX)
            return false;
        for (size_t i = 0; i < cbor_map_size(item); i++)
            ok = ok && is_ours(cbor_map_handle(item)[i].key, depth + 1) &&
                 is_ours(cbor_map_handle(item)[i].value, depth + 1);
        return ok && cbor_map_is_definite(item);
    case CBOR_TYPE_TAG: {
        cbor_item_t *inner = cbor_tag_item(item);
        ok = depth < CBOR_DEPTH_MAX && is_ours(inner, depth + 1);
        cbor_decref(&inner);
        return ok;
    }
    case CBOR_TYPE_FLOAT_CTRL:
        return cbor_float_ctrl_is_ctrl(item) && cbor_ctrl_value(item) >= 20 && cbor_ctrl_value(item) <= 22;
    }
    return false;
}

/* What the oracle says about the first item of these bytes: does it read, is it ours, how long is it. */
static bool oracle_takes(const uint8_t *bytes, size_t len, size_t *ret_len)
{
    struct cbor_load_result result;
    uint8_t again[2 * ITEM_MAX];
    cbor_item_t *item = cbor_load(bytes, len, &result);

    if (item == NULL)
        return false;
    size_t n = cbor_serialize(item, again, sizeof again);
    /* libcbor writes the lengths of strings, arrays and maps and the numbers of tags in their shortest form. */
    bool ours = is_ours(item, 0) && n == result.read && memcmp(again, bytes, n) == 0;
    *ret_len = result.read;
    cbor_decref(&item);
    return ours;
}

static void random_item(struct writer *w, struct seed *s, unsigned depth)
{
    uint8_t text[300] = {0};
    uint64_t number = seed_next(s) >> seed_below(s, 64);
    unsigned n = (unsigned)seed_below(s, 4);

    switch (seed_below(s, depth == 0 ? 5 : 8)) {
    case 0:
        cbor_put_uint(w, number);
        break;
    case 1:
        cbor_put_int(w, (int64_t)number);
        break;
    case 2:
        cbor_put_bool(w, number & 1);
        break;
    case 3:
        cbor_put_bytes(w, slice_make(text, seed_below(s, 8) == 0 ? sizeof text : number % 30));
        break;
    case 4:
        memset(text, 'a', sizeof text);
        cbor_put_text(w, slice_make(text, seed_below(s, 8) == 0 ? sizeof text : number % 30));
        break;
    case 5:
        cbor_put_array(w, n);
        for (unsigned i = 0; i < n; i++)
            random_item(w, s, depth - 1);
        break;
    case 6:
        cbor_put_map(w, n);
        for (unsigned i = 0; i < 2 * n; i++)
            random_item(w, s, depth - 1);
        break;
    default:
        cbor_put_tag(w, number);
        random_item(w, s, depth - 1);
    }
}

/* The oracle looks into texts, whose UTF-8 cbor.h leaves to whoever takes them, and refuses tags 6 to 20. Heads come
 * one after the other whatever is nested in what, so that a flat walk sees them all. */
static bool is_beyond_oracle(const uint8_t *bytes, size_t len)
{
    struct cbor r;
    uint64_t tag;

    cbor_init(&r, slice_make(bytes, len));
    while (!cbor_failed(&r) && !cbor_at_end(&r)) {
        switch (cbor_peek(&r)) {
        case CBOR_TEXT:
            if (!utf8_valid(cbor_text(&r)))
                return true;
            break;
        case CBOR_ARRAY:
            (void)cbor_array(&r);
            break;
        case CBOR_MAP:
            (void)cbor_map(&r);
            break;
        case CBOR_TAG:
            tag = cbor_tag(&r);
            if (tag >= 6 && tag <= 20)
                return true;
            break;
        case CBOR_UINT:
        case CBOR_NEGATIVE:
        case CBOR_BYTES:
        case CBOR_SIMPLE:
            cbor_skip(&r);
        }
    }
    return false;
}

static void check_same(const uint8_t *bytes, size_t len)
{
    struct cbor r;
    size_t oracle_len = 0;
    bool oracle = oracle_takes(bytes, len, &oracle_len);

    cbor_init(&r, slice_make(bytes, len));
    cbor_skip(&r);
    if (!oracle && !cbor_failed(&r) && is_beyond_oracle(bytes, cbor_pos(&r)))
        return;
    if (oracle == cbor_failed(&r)) {
        char hex[200] = "";
        for (size_t i = 0; i < len && i < 90; i++)
            snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
        fail_msg("oracle %s, ours %s at %zu: %s", oracle ? "takes" : "refuses", cbor_failed(&r) ? "refuses" : "takes",
                 cbor_pos(&r), hex);
    }
    if (oracle)
        assert_int_equal(cbor_pos(&r), oracle_len);
}

static void what_is_written_libcbor_reads(void **state)
{
    struct seed s = seed_start("what_is_written_libcbor_reads", 1);
    uint8_t buf[ITEM_MAX];

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        struct writer w;
        size_t len;

        writer_init(&w, buf, sizeof buf);
        random_item(&w, &s, 4);
        if (w.full)
            continue;
        check_same(buf, w.len);
        if (is_beyond_oracle(buf, w.len))
            continue;
        assert_true(oracle_takes(buf, w.len, &len));
        assert_int_equal(len, w.len);
    }
}

/* Broken copies: cut at every byte, one bit flipped anywhere, bytes that are nothing at all. */
static void what_libcbor_refuses_is_refused(void **state)
{
    struct seed s = seed_start("what_libcbor_refuses_is_refused", 2);
    uint8_t buf[ITEM_MAX];

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        struct writer w;

        writer_init(&w, buf, 400);
        random_item(&w, &s, 3);
        for (size_t cut = 0; cut < w.len; cut++)
            check_same(buf, cut);
        for (size_t bit = 0; bit < 8 * w.len; bit++) {
            buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
            check_same(buf, w.len);
            buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    for (unsigned i = 0; i < 200000; i++) {
        size_t len = 1 + (size_t)seed_below(&s, 24);

        for (size_t k = 0; k < len; k++)
            buf[k] = (uint8_t)seed_next(&s);
        check_same(buf, len);
    }
}

/* Values at the edges of every head form come back; every other kind of take fails and sticks. */
static void values_come_back(void **state)
{
    static const uint64_t edge[] = {0,         1,         23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32,
                                    INT64_MAX, UINT64_MAX};
    uint8_t buf[64];

    (void)state;
    for (size_t i = 0; i < sizeof edge / sizeof edge[0]; i++) {
        struct writer w;
        struct cbor r;

        writer_init(&w, buf, sizeof buf);
        cbor_put_uint(&w, edge[i]);
        cbor_init(&r, writer_slice(&w));
        CHECK_ROW(i, cbor_uint(&r) == edge[i] && !cbor_failed(&r) && cbor_at_end(&r));
        cbor_init(&r, writer_slice(&w));
        CHECK_ROW(i, cbor_text(&r).len == 0 && cbor_failed(&r) && cbor_pos(&r) == 0);
        CHECK_ROW(i, cbor_uint(&r) == 0 && cbor_failed(&r));
        if (edge[i] > INT64_MAX)
            continue;
        writer_init(&w, buf, sizeof buf);
        cbor_put_int(&w, (int64_t)edge[i]);
        cbor_put_int(&w, -1 - (int64_t)edge[i]);
        cbor_init(&r, writer_slice(&w));
        CHECK_ROW(i, cbor_int(&r) == (int64_t)edge[i] && cbor_int(&r) == -1 - (int64_t)edge[i] && !cbor_failed(&r));
    }
}

static void counts_that_cannot_be_are_refused(void **state)
{
    const uint8_t array[] = {0x9A, 0xFF, 0xFF, 0xFF, 0xFF, 0x00};
    const uint8_t map[] = {0xA3, 0x01, 0x02, 0x03, 0x04};
    struct cbor r;

    (void)state;
    cbor_init(&r, slice_make(array, sizeof array));
    assert_int_equal(cbor_array(&r), 0);
    assert_true(cbor_failed(&r));
    cbor_init(&r, slice_make(map, sizeof map));
    assert_int_equal(cbor_map(&r), 0);
    assert_true(cbor_failed(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_libcbor_reads),
        cmocka_unit_test(what_libcbor_refuses_is_refused),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(counts_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
