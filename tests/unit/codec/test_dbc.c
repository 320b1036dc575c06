/* dbc: what is kept, each refusal with its place, full tables, and damage at every byte. What a description means is
 * checked against cantools in tests/oracle. R-071. */
#include "dbc_fixture.h"
#include "seed.h"

#include <math.h>

static const char full[] =
    "VERSION \"1\"\n"
    "\n"
    "NS_ :\n\tNS_DESC_\n\tCM_\n\tBA_DEF_\n\tVAL_\n\n"
    "BS_: 500000 : 1,2\n"
    "BU_: Engine Gate FILTERING\n"
    "VAL_TABLE_ Switch 0 \"off\" 1 \"on\" ;\n"
    "BO_ 2566844926 EEC1: 8 Engine // rpm\n"
    " SG_ Speed:24|16@1+ (0.125,0) [0|8031.875] \"rpm\" Gate,Engine\n"
    " SG_ Torque : 8 | 8 @ 1 - ( 1 , -125 ) [ -125 | 125 ] \"%\"  Vector__XXX\n"
    "\n"
    "BO_ 291 Body: 8 Vector__XXX\n"
    " SG_ Page M : 7|4@0+ (1,0) [0|0] \"\" Gate\n"
    " SG_ Door m0 : 8|2@1+ (1,0) [0|3] \"\" Gate\n"
    " SG_ Temp m1 : 15|16@0- (0.1,-40) [0|0] \"\xC2\xB0"
    "C\" Gate\n"
    "BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\n"
    " SG_ Orphan : 0|8@1+ (1,0) [0|0] \"\" Vector__XXX\n"
    "BO_TX_BU_ 291 : Engine,Gate;\n"
    "EV_ Var: 0 [0|1] \"\" 0 2 DUMMY_NODE_VECTOR0 Vector__XXX;\n"
    "CM_ \"of the bus\";\n"
    "CM_ BU_ Engine \"a \\\"node\\\"\nover lines; BO_ 1 X: 8 Y\";\n"
    "CM_ SG_ 291 Door \"closed\";\n"
    "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 65535;\n"
    "BA_DEF_ BO_ \"GenMsgSendType\" ENUM \"Cyclic\",\"Event\";\n"
    "BA_DEF_ BO_ \"VFrameFormat\" ENUM \"StandardCAN\",\"ExtendedCAN\",\"reserved\",\"J1939PG\";\n"
    "BA_DEF_ SG_ \"GenSigStartValue\" FLOAT 0 1E10;\n"
    "BA_DEF_ SG_ \"SystemSignalLongSymbol\" STRING ;\n"
    "BA_DEF_DEF_ \"GenMsgCycleTime\" 100;\n"
    "BA_DEF_DEF_ \"GenMsgSendType\" \"Event\";\n"
    "BA_DEF_DEF_ \"VFrameFormat\" \"StandardCAN\";\n"
    "BA_ \"Baudrate\" 500000;\n"
    "BA_ \"GenMsgCycleTime\" BO_ 2566844926 20;\n"
    "BA_ \"GenMsgSendType\" BO_ 2566844926 0;\n"
    "BA_ \"VFrameFormat\" BO_ 2566844926 3;\n"
    "BA_ \"GenSigStartValue\" SG_ 291 Door 3;\n"
    "BA_ \"SystemSignalLongSymbol\" SG_ 291 Temp \"Temperature_of_everything\";\n"
    "BA_ \"GenMsgCycleTime\" BO_ 77 5;\n"
    "BA_REL_ \"GenSigTimeoutTime\" BU_SG_REL_ Gate SG_ 291 Door 5;\n"
    "VAL_ 291 Door 0 \"closed\" 1 \"open \\\"wide\\\"\" -1 \"minus\" 18446744073709551615 \"most\" ;\n"
    "VAL_ 3221225472 Orphan 1 \"x\" ;\n"
    "VAL_ Var 0 \"zero\" ;\n"
    "SIG_GROUP_ 291 Group 1 : Door Temp;\n"
    "SIG_VALTYPE_ 291 Page : 0;\n"
    "SG_MUL_VAL_ 291 Door Page 0-0, 5-6;\n";

static void what_is_described_is_kept(void **state)
{
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, full);
    assert_int_equal(f.dbc.message_count, 2);
    assert_int_equal(f.dbc.signal_count, 5);
    assert_int_equal(f.dbc.unknown_count, 1); /* the cycle time of message 77 */
    const struct dbc_message *m = dbc_find(&f.dbc, 2566844926u & 0x1FFFFFFF, true);
    assert_non_null(m);
    check_slice(m->name, "EEC1");
    check_slice(m->sender, "Engine");
    check_slice(m->send_type, "Cyclic");
    assert_int_equal(m->cycle_ms, 20);
    assert_int_equal(m->format, DBC_FORMAT_J1939);
    assert_null(dbc_find(&f.dbc, m->id, false));
    const struct dbc_signal *s = dbc_signal_find(&f.dbc, m, slice_str("Speed"));
    assert_non_null(s);
    check_slice(s->unit, "rpm");
    assert_true(s->factor * 8 == 1.0 && s->max > 8031 && (s->flags & DBC_SIGNAL_RANGE) != 0);
    assert_true((s->flags & DBC_SIGNAL_EXACT) == 0 && isnan(s->start_value));
    assert_null(dbc_signal_find(&f.dbc, m, slice_str("Door")));
    dbc_fixture_done(&f);
}

static void attributes_have_their_defaults(void **state)
{
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, full);
    const struct dbc_message *m = dbc_find(&f.dbc, 291, false);
    assert_non_null(m);
    assert_int_equal(m->cycle_ms, 100);
    check_slice(m->send_type, "Event");
    check_slice(m->sender, "");
    assert_int_equal(m->format, DBC_FORMAT_STANDARD);
    const struct dbc_signal *s = dbc_signal_find(&f.dbc, m, slice_str("Temperature_of_everything"));
    assert_non_null(s);
    check_slice(s->short_name, "Temp");
    check_slice(s->unit, "\xC2\xB0"
                         "C");
    dbc_fixture_done(&f);
}

static void multiplexing_is_kept_as_ranges(void **state)
{
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, full);
    const struct dbc_message *m = dbc_find(&f.dbc, 291, false);
    const struct dbc_signal *page = dbc_signal_find(&f.dbc, m, slice_str("Page"));
    const struct dbc_signal *door = dbc_signal_find(&f.dbc, m, slice_str("Door"));
    assert_true((page->flags & DBC_SIGNAL_MUX) != 0 && (page->flags & DBC_SIGNAL_MUXED) == 0);
    assert_true((door->flags & DBC_SIGNAL_MUXED) != 0 && &f.dbc.signals[door->mux] == page);
    assert_int_equal(door->range_count, 3); /* m0, 0-0 and 5-6 */
    assert_int_equal(f.dbc.ranges[door->range_first + 2].low, 5);
    assert_int_equal(f.dbc.ranges[door->range_first + 2].high, 6);
    assert_true(door->start_value > 2.9 && door->start_value < 3.1);
    dbc_fixture_done(&f);
}

static void value_descriptions_know_their_sign(void **state)
{
    struct dbc_fixture f;
    struct slice text;

    (void)state;
    dbc_fixture_open(&f, full);
    const struct dbc_signal *door = dbc_signal_find(&f.dbc, dbc_find(&f.dbc, 291, false), slice_str("Door"));
    assert_true(dbc_text_find(&f.dbc, door, 1, false, &text));
    check_slice(text, "open \"wide\"");
    assert_true(dbc_text_find(&f.dbc, door, UINT64_MAX, true, &text));
    check_slice(text, "minus");
    assert_true(dbc_text_find(&f.dbc, door, UINT64_MAX, false, &text));
    check_slice(text, "most");
    assert_false(dbc_text_find(&f.dbc, door, 2, false, &text));
    dbc_fixture_done(&f);
}

static void text_that_is_not_utf8_is_cp1252(void **state)
{
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, "BU_: A\nBO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] \"\x80/\xB0"
                         "C\x81\" A\n");
    check_slice(f.dbc.signals[0].unit, "\xE2\x82\xAC/\xC2\xB0"
                                       "C\xEF\xBF\xBD");
    dbc_fixture_done(&f);
    dbc_fixture_open(&f, "\xEF\xBB\xBF"
                         "BU_: A\nBO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] \"\xC2\xB5m\" A\n");
    check_slice(f.dbc.signals[0].unit, "\xC2\xB5m");
    dbc_fixture_done(&f);
}

#define M "BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] \"\" A\n"

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        enum vs_err err;
        uint32_t line, column;
        unsigned lenient; /* what the lenient reader says */
    } row[] = {
        {"BO_ 2048 M: 8 A", VS_ERR_RANGE, 1, 5, VS_OK},
        {"BO_ 4294967295 M: 8 A", VS_ERR_RANGE, 1, 5, VS_ERR_RANGE},
        {"BO_ 4294967296 M: 8 A", VS_ERR_RANGE, 1, 5, VS_ERR_RANGE},
        {"BO_ -1 M: 8 A", VS_ERR_RANGE, 1, 5, VS_ERR_RANGE},
        {"BO_ 1 2nd: 8 A", VS_ERR_MALFORMED, 1, 7, VS_OK},
        {"BO_ 1 M 8 A", VS_ERR_MALFORMED, 1, 9, VS_ERR_MALFORMED},
        {"BO_ 1 M: 8", VS_ERR_TRUNCATED, 1, 11, VS_ERR_TRUNCATED},
        {"BO_ 1 M: 65536 A", VS_ERR_RANGE, 1, 10, VS_ERR_RANGE},
        {"\n\n BO_ 1 M: 8 A SG_ S : 0|0@1+", VS_ERR_RANGE, 3, 25, VS_ERR_RANGE},
        {"BO_ 1 M: 8 A SG_ S : 0|8@2+", VS_ERR_RANGE, 1, 26, VS_ERR_RANGE},
        {"BO_ 1 M: 8 A SG_ S : 0|8@1 (", VS_ERR_MALFORMED, 1, 28, VS_ERR_MALFORMED},
        {"BO_ 1 M: 8 A SG_ S x : 0", VS_ERR_MALFORMED, 1, 20, VS_ERR_MALFORMED},
        {"BO_ 1 M: 8 A SG_ S m : 0", VS_ERR_MALFORMED, 1, 20, VS_ERR_MALFORMED},
        {"BO_ 1 M: 8 A SG_ S : 0|8@1+ (1e999,0)", VS_ERR_RANGE, 1, 30, VS_ERR_RANGE},
        {"BO_ 1 M: 8 A SG_ S : 0|8@1+ (1,0) [0|0] \"", VS_ERR_TRUNCATED, 1, 41, VS_ERR_TRUNCATED},
        {"BO_ 1 M: 8 A SG_ S : 0|8@1+ (1,0) [0|0] \"\"", VS_ERR_TRUNCATED, 1, 43, VS_OK},
        {M "VAL_ 2 S 1 \"x\" ;", VS_ERR_NOT_FOUND, 3, 8, VS_OK},
        {M "VAL_ 1 T 1 \"x\" ;", VS_ERR_NOT_FOUND, 3, 8, VS_OK},
        {M "VAL_ 1 S 1 x ;", VS_ERR_MALFORMED, 3, 12, VS_ERR_MALFORMED},
        {M "SIG_VALTYPE_ 1 T : 1;", VS_ERR_NOT_FOUND, 3, 16, VS_OK},
        {M "SIG_VALTYPE_ 1 S : 1;", VS_ERR_RANGE, 3, 16, VS_ERR_RANGE},
        {M "CM_ \"x\"\n" M, VS_ERR_MALFORMED, 4, 1, VS_OK},
        {M "CM_ \"x\"", VS_ERR_TRUNCATED, 3, 8, VS_OK},
        {M "$", VS_ERR_MALFORMED, 3, 1, VS_ERR_MALFORMED},
        {M "NOPE_ 1;", VS_ERR_MALFORMED, 3, 1, VS_ERR_MALFORMED},
        {"SG_ S : 0|8@1+ (1,0) [0|0] \"\" A", VS_ERR_MALFORMED, 1, 1, VS_ERR_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct dbc_fixture f;

        enum vs_err err = dbc_fixture_parse(&f, slice_str(row[i].text), 0);
        if (err != row[i].err || f.fault.line != row[i].line || f.fault.column != row[i].column)
            fail_msg("%s: got %d at %u:%u: %s", row[i].text, err, f.fault.line, f.fault.column, f.fault.reason);
        CHECK_ROW(i, f.dbc.message_count == 0 && f.dbc.signal_count == 0);
        dbc_fixture_done(&f);
        err = dbc_fixture_parse(&f, slice_str(row[i].text), DBC_LENIENT);
        CHECK_ROW(i, err == (enum vs_err)row[i].lenient);
        dbc_fixture_done(&f);
    }
}

static void odd_but_legal_files_are_read(void **state)
{
    static const char *const row[] = {
        "",
        "   // only a comment",
        "VERSION \"\"\nNS_ :\nBS_:\nBU_:\n",
        "NS_:",
        "BO_ 1 M: 0 A",
        "VAL_ 1 S 1 \"x\" ;\n" M, /* before what it is about */
        "CM_ \"\";BA_DEF_ \"X\" STRING ;BA_ \"X\" \"\\\"\";",
        M "SG_MUL_VAL_ 1 S T 1-2;",
        M "BA_ \"GenMsgCycleTime\" BO_ 1 \"7\";",
        M "VAL_ 1 S 123456789012345678901234567890 \"x\" ;",
        M "VAL_ 1 S ;",
        "VAL_ 9 Nope ;",
        "BO_ 1 M: 8 A\n SG_ M M : 0|8@1+ (1,0) [0|0] \"\" A\n",
        "BO_ 1 BO_: 8 CM_\n SG_ SG_ : 0|8@1+ (1,0) [0|0] \"\" VAL_\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct dbc_fixture f;

        dbc_fixture_open(&f, row[i]);
        dbc_fixture_done(&f);
    }
}

/* Each table one entry too small is VS_ERR_FULL with a place, never a write behind it. */
static void full_tables_are_told(void **state)
{
    struct dbc_fixture f;

    (void)state;
    dbc_fixture_open(&f, full);
    const uint32_t used[] = {f.dbc.message_count, f.dbc.signal_count, f.dbc.range_count, f.dbc.text_count,
                             (uint32_t)f.dbc.pool_len};
    dbc_fixture_done(&f);
    for (unsigned table = 0; table < 5; table++)
        for (uint32_t room = 0; room <= used[table]; room++) {
            memset(&f, 0, sizeof f);
            dbc_need(slice_str(full), &f.memory);
            if (table == 4)
                f.memory.pool_size = room;
            else
                *(uint32_t *[]){&f.memory.messages_max, &f.memory.signals_max, &f.memory.ranges_max,
                                &f.memory.texts_max}[table] = room;
            dbc_fixture_alloc(&f);
            enum vs_err err = dbc_parse(&f.dbc, slice_str(full), 0, &f.fault);
            CHECK_ROW(table, err == (room < used[table] ? VS_ERR_FULL : VS_OK));
            CHECK_ROW(table, err == VS_OK || (f.fault.line > 0 && f.dbc.message_count == 0));
            dbc_fixture_done(&f);
        }
}

static void check_damaged(const uint8_t *text, size_t len)
{
    for (unsigned options = 0; options <= DBC_LENIENT; options++) {
        uint8_t *exact = malloc(len + 1);
        struct dbc_fixture f;

        assert_non_null(exact);
        memcpy(exact, text, len);
        enum vs_err err = dbc_fixture_parse(&f, slice_make(exact, len), options);
        if (err != VS_OK)
            assert_true(f.fault.line >= 1 && f.fault.column >= 1 && f.fault.reason != NULL);
        assert_int_not_equal(err, VS_ERR_FULL); /* dbc_need is a promise */
        dbc_fixture_done(&f);
        free(exact);
    }
}

static void damage_at_any_byte_is_survived(void **state)
{
    struct seed seed = seed_start("dbc", 8);
    uint8_t text[sizeof full];
    size_t len = sizeof full - 1;

    (void)state;
    for (size_t cut = 0; cut < len; cut++)
        check_damaged((const uint8_t *)full, cut);
    for (size_t at = 0; at < len; at++) {
        memcpy(text, full, len);
        text[at] ^= (uint8_t)(1u << seed_below(&seed, 8));
        check_damaged(text, len);
        text[at] = (uint8_t)("\"\\;,0\n\0\xFF_9 S-"[seed_below(&seed, 14)]);
        check_damaged(text, len);
    }
}

static void messages_are_found_by_identifier_and_kind(void **state)
{
    static char text[200 * 64];
    struct seed seed = seed_start("dbc find", 9);
    uint32_t ids[200];
    struct dbc_fixture f;
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        ids[i] = (uint32_t)seed_below(&seed, 2) << 31 | (uint32_t)seed_below(&seed, 300);
        len += (size_t)snprintf(text + len, sizeof text - len, "BO_ %u M%u: %u A\n", ids[i], i, i % 9);
    }
    dbc_fixture_open(&f, text);
    for (unsigned id = 0; id < 310; id++)
        for (unsigned extended = 0; extended < 2; extended++) {
            const struct dbc_message *m = dbc_find(&f.dbc, id, extended != 0);
            unsigned last = 200;
            for (unsigned i = 0; i < 200; i++)
                last = ids[i] == (id | extended << 31) ? i : last;
            CHECK_ROW(id, (m == NULL) == (last == 200));
            CHECK_ROW(id, m == NULL || m->line == last + 1);
        }
    dbc_fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_described_is_kept),       cmocka_unit_test(attributes_have_their_defaults),
        cmocka_unit_test(multiplexing_is_kept_as_ranges),  cmocka_unit_test(value_descriptions_know_their_sign),
        cmocka_unit_test(text_that_is_not_utf8_is_cp1252), cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(odd_but_legal_files_are_read),    cmocka_unit_test(full_tables_are_told),
        cmocka_unit_test(damage_at_any_byte_is_survived),  cmocka_unit_test(messages_are_found_by_identifier_and_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
