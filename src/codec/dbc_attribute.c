/* Attributes:
 *
 *     BA_DEF_ [BU_|BO_|SG_|EV_] "name" INT min max | HEX min max | FLOAT min max | STRING | ENUM "a","b",.. ;
 *     BA_DEF_DEF_ "name" default;
 *     BA_ "name" [BU_ node | BO_ id | SG_ id signal | EV_ variable] value;
 *
 * The value of an ENUM is the index of its choice, its default is the choice itself. Six attributes are kept, by the
 * names that tools have agreed on. */
#include "codec/dbc_read.h"
#include "codec/decimal.h"

#include <math.h>

static const char *const attribute_names[DBC_ATTRIBUTE_COUNT_] = {
    [DBC_ATTRIBUTE_CYCLE_TIME] = "GenMsgCycleTime",         [DBC_ATTRIBUTE_SEND_TYPE] = "GenMsgSendType",
    [DBC_ATTRIBUTE_FRAME_FORMAT] = "VFrameFormat",          [DBC_ATTRIBUTE_MESSAGE_NAME] = "SystemMessageLongSymbol",
    [DBC_ATTRIBUTE_SIGNAL_NAME] = "SystemSignalLongSymbol", [DBC_ATTRIBUTE_START_VALUE] = "GenSigStartValue",
};

/* The numbers VFrameFormat has when it is an INT, and the choices tools give it as an ENUM. */
static const struct {
    const char *name;
    uint8_t index;
    enum dbc_frame_format format;
} frame_formats[] = {
    {"StandardCAN", 0, DBC_FORMAT_STANDARD},
    {"ExtendedCAN", 1, DBC_FORMAT_EXTENDED},
    {"J1939PG", 3, DBC_FORMAT_J1939},
    {"StandardCAN_FD", 14, DBC_FORMAT_STANDARD_FD},
    {"ExtendedCAN_FD", 15, DBC_FORMAT_EXTENDED_FD},
};

/* DBC_ATTRIBUTE_COUNT_ for one that is not kept. */
static enum dbc_attribute attribute_of(struct slice name)
{
    unsigned a = 0;

    while (a < DBC_ATTRIBUTE_COUNT_ && !slice_equal_str(name, attribute_names[a]))
        a++;
    return (enum dbc_attribute)a;
}

static bool is_object(const struct dbc_reader *rd)
{
    return dbc_read_is_word(rd, "BO_") || dbc_read_is_word(rd, "SG_") || dbc_read_is_word(rd, "BU_") ||
           dbc_read_is_word(rd, "EV_");
}

/* One choice of an ENUM becomes a value description whose value is its index. */
static void add_choice(struct dbc_reader *rd, struct dbc_attribute_definition *def, const struct dbc_token *t)
{
    struct dbc *db = rd->db;

    if (rd->err == VS_OK && db->text_count == db->memory.texts_max)
        dbc_read_fail(rd, VS_ERR_FULL, t, "the table of value descriptions is full");
    struct slice text = dbc_read_pool(rd, t);
    if (rd->err != VS_OK)
        return;
    db->texts[db->text_count].value = def->choice_count++;
    db->texts[db->text_count].negative = false;
    db->texts[db->text_count].text = text;
    db->text_count++;
}

void dbc_read_attribute_definition(struct dbc_reader *rd)
{
    if (is_object(rd))
        dbc_read_advance(rd);
    struct dbc_token name = dbc_read_string(rd, "expected the name of the attribute in quotes");
    (void)dbc_read_word(rd, "expected the type of the attribute");

    enum dbc_attribute a = attribute_of(name.text);
    bool keep = !rd->second && a < DBC_ATTRIBUTE_COUNT_;
    struct dbc_attribute_definition scratch;
    struct dbc_attribute_definition *def = keep ? &rd->attributes[a] : &scratch;
    if (keep) {
        def->choice_first = rd->db->text_count;
        def->choice_count = 0;
    }
    while (rd->token.kind == DBC_TOKEN_STRING || rd->token.kind == DBC_TOKEN_NUMBER) {
        if (keep && rd->token.kind == DBC_TOKEN_STRING)
            add_choice(rd, def, &rd->token);
        dbc_read_advance(rd);
        (void)dbc_read_mark_if(rd, ',');
    }
    dbc_read_end(rd);
}

/* A value is a number or a string; nothing is taken when it is neither. */
static struct dbc_token read_value(struct dbc_reader *rd)
{
    struct dbc_token t = rd->token;

    if (t.kind != DBC_TOKEN_NUMBER && t.kind != DBC_TOKEN_STRING)
        dbc_read_fail(rd, VS_ERR_MALFORMED, &t, "expected a number or a string as value");
    dbc_read_advance(rd);
    return t;
}

void dbc_read_attribute_default(struct dbc_reader *rd)
{
    struct dbc_token name = dbc_read_string(rd, "expected the name of the attribute in quotes");
    struct dbc_token value = read_value(rd);
    enum dbc_attribute a = attribute_of(name.text);

    dbc_read_end(rd);
    if (rd->second || rd->err != VS_OK || a == DBC_ATTRIBUTE_COUNT_)
        return;
    struct dbc_attribute_definition *def = &rd->attributes[a];
    def->has_default = true;
    def->default_is_string = value.kind == DBC_TOKEN_STRING;
    def->default_text = def->default_is_string ? dbc_read_pool(rd, &value) : value.text;
}

static struct slice choice_text(const struct dbc_reader *rd, enum dbc_attribute a, struct slice number)
{
    const struct dbc_attribute_definition *def = &rd->attributes[a];
    uint64_t index;

    if (!dbc_lex_u64(number, &index) || index >= def->choice_count)
        return slice_make(NULL, 0);
    return rd->db->texts[def->choice_first + index].text;
}

static enum dbc_frame_format frame_format(const struct dbc_reader *rd, struct slice value, bool is_string)
{
    struct slice name = is_string ? value : choice_text(rd, DBC_ATTRIBUTE_FRAME_FORMAT, value);
    bool numbered = !is_string && rd->attributes[DBC_ATTRIBUTE_FRAME_FORMAT].choice_count == 0;
    uint64_t index = UINT64_MAX;

    if (numbered && !dbc_lex_u64(value, &index))
        return DBC_FORMAT_UNKNOWN;
    for (size_t i = 0; i < sizeof frame_formats / sizeof frame_formats[0]; i++)
        if (numbered ? frame_formats[i].index == index : slice_equal_str(name, frame_formats[i].name))
            return frame_formats[i].format;
    return DBC_FORMAT_UNKNOWN;
}

static uint32_t cycle_ms(struct slice value)
{
    double ms;

    return decimal_read(value, &ms) && ms >= 1 && ms <= UINT32_MAX ? (uint32_t)ms : 0;
}

static void set_message(struct dbc_reader *rd, struct dbc_message *m, enum dbc_attribute a,
                        const struct dbc_token *value)
{
    bool is_string = value->kind == DBC_TOKEN_STRING;

    switch (a) {
    case DBC_ATTRIBUTE_CYCLE_TIME:
        m->cycle_ms = cycle_ms(value->text);
        break;
    case DBC_ATTRIBUTE_SEND_TYPE:
        m->send_type = is_string ? dbc_read_pool(rd, value) : choice_text(rd, a, value->text);
        break;
    case DBC_ATTRIBUTE_FRAME_FORMAT:
        m->format = frame_format(rd, value->text, is_string);
        break;
    case DBC_ATTRIBUTE_MESSAGE_NAME:
        if (is_string && value->text.len > 0)
            m->name = dbc_read_pool(rd, value);
        break;
    case DBC_ATTRIBUTE_SIGNAL_NAME:
    case DBC_ATTRIBUTE_START_VALUE:
    case DBC_ATTRIBUTE_COUNT_:
        break;
    }
}

static void set_signal(struct dbc_reader *rd, struct dbc_signal *s, enum dbc_attribute a, const struct dbc_token *value)
{
    if (a == DBC_ATTRIBUTE_SIGNAL_NAME && value->kind == DBC_TOKEN_STRING && value->text.len > 0)
        s->name = dbc_read_pool(rd, value);
    else if (a == DBC_ATTRIBUTE_START_VALUE && !decimal_read(value->text, &s->start_value))
        s->start_value = (double)NAN;
}

static void set_for_message(struct dbc_reader *rd, uint64_t number, const struct dbc_token *signal,
                            enum dbc_attribute a, const struct dbc_token *value)
{
    struct dbc_message *m = dbc_read_find(rd, number);
    struct dbc_signal *s = m != NULL && signal != NULL ? dbc_read_find_signal(rd, m, signal->text) : NULL;

    if (s != NULL)
        set_signal(rd, s, a, value);
    else if (m != NULL && signal == NULL)
        set_message(rd, m, a, value);
    else if (!dbc_read_is_independent(number))
        dbc_read_unknown(rd, value);
}

void dbc_read_attribute(struct dbc_reader *rd)
{
    struct dbc_token name = dbc_read_string(rd, "expected the name of the attribute in quotes");
    enum dbc_attribute a = attribute_of(name.text);
    bool of_message = dbc_read_is_word(rd, "BO_");
    bool of_signal = dbc_read_is_word(rd, "SG_");
    struct dbc_token signal = rd->token;
    uint64_t number = 0;

    if (of_message || of_signal) {
        dbc_read_advance(rd);
        number = dbc_read_u64(rd, UINT64_MAX, "expected the identifier of a message");
        if (of_signal)
            signal = dbc_read_word(rd, "expected the name of a signal");
    } else if (is_object(rd)) {
        dbc_read_advance(rd);
        (void)dbc_read_word(rd, "expected the name of a node or variable");
    }
    struct dbc_token value = read_value(rd);
    dbc_read_end(rd);
    if (rd->second && rd->err == VS_OK && (of_message || of_signal) && a < DBC_ATTRIBUTE_COUNT_)
        set_for_message(rd, number, of_signal ? &signal : NULL, a, &value);
}

/* Before the second pass every message gets the defaults, so that BA_ then only replaces. */
void dbc_read_attribute_defaults(struct dbc_reader *rd)
{
    const struct dbc_attribute_definition *cycle = &rd->attributes[DBC_ATTRIBUTE_CYCLE_TIME];
    const struct dbc_attribute_definition *send = &rd->attributes[DBC_ATTRIBUTE_SEND_TYPE];
    const struct dbc_attribute_definition *format = &rd->attributes[DBC_ATTRIBUTE_FRAME_FORMAT];

    for (uint32_t i = 0; i < rd->db->message_count; i++) {
        struct dbc_message *m = &rd->db->messages[i];
        if (cycle->has_default)
            m->cycle_ms = cycle_ms(cycle->default_text);
        if (send->has_default && send->default_is_string)
            m->send_type = send->default_text;
        if (format->has_default)
            m->format = frame_format(rd, format->default_text, format->default_is_string);
    }
}
