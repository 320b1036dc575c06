/* dbc_decode: exact integers up to the edges of 64 bits, floats of three sizes, truncation and multiplexing. R-053. */
#include "dbc_fixture.h"

#include <math.h>
#include <stdio.h>

#include "codec/dbc_decode.h"
#include "core/hex.h"

#define SG(name, layout, scale) " SG_ " name " : " layout " " scale " [0|0] \"\" A\n"

static const char text[] =
    "BU_: A\n"
    "BO_ 1 Exact: 8 A\n" SG("U64", "0|64@1+", "(1,0)") SG("I64", "0|64@1-", "(1,0)") SG("Neg", "0|64@1-", "(-1,0)")
        SG("Twice", "0|64@1+", "(2,0)") SG("Off", "0|8@1+", "(3,-40)")
            SG("Tenth", "0|8@1+", "(0.1,0)") "BO_ 2 Float: 64 A\n" SG("F16", "0|16@1+", "(1,0)")
                SG("F32", "16|32@1-", "(2,1)") SG("F64", "48|64@1+", "(1,0)") SG(
                    "Vin", "112|136@1+", "(1,0)") "BO_ 3 Mux: 8 A\n" SG("Page M", "0|8@1+", "(1,0)")
                    SG("A m0", "8|8@1+", "(1,0)") SG("B m1", "16|32@1+", "(1,0)") "BO_ 4 Tree: 8 A\n" SG(
                        "Root M", "0|4@1+", "(1,0)") SG("Inner m1M", "4|4@1-", "(1,0)") SG("Leaf m2", "8|8@1+", "(1,0)")
                        SG("Loop m1M", "16|8@1+", "(1,0)") SG(
                            "Always m7", "24|8@1+",
                            "(1,0)") "SIG_VALTYPE_ 2 F16 : 1;SIG_VALTYPE_ 2 F32 : 1;SIG_VALTYPE_ 2 F64 : 2;\n"
                                     "SG_MUL_VAL_ 4 Inner Root 1-3, 9-9;SG_MUL_VAL_ 4 Leaf Inner 2-5;SG_MUL_VAL_ 4 "
                                     "Loop Loop 0-255;\n"
                                     "VAL_ 1 Off 7 \"seven\" ;VAL_ 3 Page 9 \"known, empty\" ;VAL_ 2 F32 1 \"one\" ;\n";

static struct dbc_value get(const struct dbc_fixture *f, uint32_t id, const char *hex, const char *name)
{
    static uint8_t data[64];
    const struct dbc_message *m = dbc_find(&f->dbc, id, false);
    struct dbc_decode it;
    struct dbc_value v;
    size_t len = strlen(hex) / 2;

    assert_true(hex_read(slice_str(hex), data, len));
    dbc_decode_init(&it, &f->dbc, m, slice_make(data, len));
    while (dbc_decode_next(&it, &v))
        if (slice_equal_str(v.signal->name, name))
            return v;
    fail_msg("%s is not there in %s", name, hex);
    return v;
}

/* The names of all signals that are there, in order, joined by blanks; an unknown multiplexer is followed by "!". */
static const char *names(const struct dbc_fixture *f, uint32_t id, const char *hex, uint32_t *ret_missing)
{
    static char joined[256];
    static uint8_t data[64];
    struct dbc_decode it;
    struct dbc_value v;
    size_t len = strlen(hex) / 2, at = 0;

    assert_true(hex_read(slice_str(hex), data, len));
    dbc_decode_init(&it, &f->dbc, dbc_find(&f->dbc, id, false), slice_make(data, len));
    joined[0] = '\0';
    while (dbc_decode_next(&it, &v))
        at += (size_t)snprintf(joined + at, sizeof joined - at, "%s%.*s%s", at > 0 ? " " : "", (int)v.signal->name.len,
                               (const char *)v.signal->name.ptr, v.mux_unknown ? "!" : "");
    *ret_missing = it.missing_count;
    return joined;
}

static void integers_are_exact_to_the_edge(void **state)
{
    struct dbc_fixture f;
    struct dbc_value v;

    (void)state;
    dbc_fixture_open(&f, text);
    v = get(&f, 1, "FFFFFFFFFFFFFFFF", "U64");
    assert_true(v.physical.kind == DBC_UINT && v.physical.is.u == UINT64_MAX);
    v = get(&f, 1, "FFFFFFFFFFFFFFFF", "I64");
    assert_true(v.raw.kind == DBC_INT && v.raw.is.i == -1 && v.physical.kind == DBC_INT && v.physical.is.i == -1);
    v = get(&f, 1, "0000000000000080", "Neg");
    assert_true(v.raw.is.i == INT64_MIN && v.physical.kind == DBC_UINT && v.physical.is.u == UINT64_C(1) << 63);
    v = get(&f, 1, "FFFFFFFFFFFFFF7F", "Twice");
    assert_true(v.physical.kind == DBC_UINT && v.physical.is.u == UINT64_MAX - 1);
    v = get(&f, 1, "0000000000000080", "Twice");
    assert_true(v.physical.kind == DBC_REAL && v.physical.is.r >= 0x1p64 && v.physical.is.r <= 0x1p64);
    v = get(&f, 1, "07", "Off");
    assert_true(v.physical.kind == DBC_INT && v.physical.is.i == -19 && v.has_text);
    check_slice(v.text, "seven");
    v = get(&f, 1, "03", "Tenth");
    assert_true(v.physical.kind == DBC_REAL && fabs(v.physical.is.r - 3 * 0.1) < 1e-18);
    dbc_fixture_done(&f);
}

static double real(const struct dbc_fixture *f, const char *hex, const char *name)
{
    struct dbc_value v = get(f, 2, hex, name);

    assert_int_equal(v.raw.kind, DBC_REAL);
    return v.raw.is.r;
}

static void floats_of_three_sizes_read(void **state)
{
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, text);
    assert_true(fabs(real(&f, "003C", "F16") - 1.0) <= 0);
    assert_true(fabs(real(&f, "FFFB", "F16") + 65504.0) <= 0);
    assert_true(fabs(real(&f, "0100", "F16") - 0x1p-24) <= 0);
    assert_true(isinf(real(&f, "007C", "F16")) && isnan(real(&f, "017C", "F16")));
    assert_true(fabs(real(&f, "00000000803F", "F32") - 1.0) <= 0);
    assert_true(fabs(dbc_number_real(get(&f, 2, "00000000803F", "F32").physical) - 3.0) <= 0);
    assert_true(get(&f, 2, "00000000803F", "F32").has_text);
    assert_true(isnan(real(&f, "00000000C07F", "F32")));
    assert_true(fabs(real(&f, "000000000000000000000000F0BF", "F64") + 1.0) <= 0);
    dbc_fixture_done(&f);
}

static void what_is_wider_than_64_bits_has_bits_but_no_number(void **state)
{
    struct dbc_fixture f;
    static const char hex[] = "0000000000000000000000000000"
                              "4141414141414141414141414141414142";

    (void)state;
    dbc_fixture_open(&f, text);
    struct dbc_value v = get(&f, 2, hex, "Vin");
    assert_int_equal(v.raw.kind, DBC_WIDE);
    assert_int_equal(v.physical.kind, DBC_WIDE);
    assert_true(isnan(dbc_number_real(v.raw)));
    dbc_fixture_done(&f);
}

static void only_what_was_received_and_is_selected_is_there(void **state)
{
    static const struct {
        uint32_t id;
        const char *hex, *names;
        uint32_t missing;
    } row[] = {
        {1, "", "", 6},
        {1, "00000000000000", "Off Tenth", 4},
        {3, "0011", "Page A", 0},
        {3, "00", "Page", 1},
        {3, "01112233445566", "Page B", 0},
        {3, "0111223344", "Page", 1},
        {3, "05", "Page!", 0},
        {3, "09", "Page", 0},
        {3, "", "", 1},
        {4, "2100000000", "Root Inner Leaf Always", 0},
        {4, "5300000000", "Root Inner Leaf Always", 0},
        {4, "6900000000", "Root Inner! Always", 0},
        {4, "F100000000", "Root Inner! Always", 0}, /* Inner is -1: no range has it */
        {4, "0400000000", "Root! Always", 0},
    };
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, text);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint32_t missing;
        const char *got = names(&f, row[i].id, row[i].hex, &missing);
        if (strcmp(got, row[i].names) != 0)
            fail_msg("row %zu %s: got %s, want %s", i, row[i].hex, got, row[i].names);
        /* Selected signals that are missing count only when their multiplexer is there. */
        CHECK_ROW(i, missing == row[i].missing);
    }
    dbc_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact_to_the_edge),
        cmocka_unit_test(floats_of_three_sizes_read),
        cmocka_unit_test(what_is_wider_than_64_bits_has_bits_but_no_number),
        cmocka_unit_test(only_what_was_received_and_is_selected_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
