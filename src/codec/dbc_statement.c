/* The statements of a DBC file, one row each in the table at the end. What a program that watches a bus has no use for
 * is still checked for its grammar, so that a broken file is never half understood. */
#include "codec/dbc_read.h"

/* VERSION "text" */
static void read_version(struct dbc_reader *rd)
{
    (void)dbc_read_string(rd, "expected the version in quotes");
}

/* NS_ : word*. The words are keywords, so the list ends only before a word that is followed by what begins a
 * statement. Whatever else stands in the list means nothing to anybody. */
static void read_new_symbols(struct dbc_reader *rd)
{
    dbc_read_mark(rd, ':', "expected :");
    while (rd->token.kind != DBC_TOKEN_END) {
        struct dbc_lex ahead = rd->lex;
        struct dbc_token next = dbc_lex_next(&ahead);
        if (rd->token.kind == DBC_TOKEN_WORD &&
            (dbc_token_is_mark(&next, ':') || next.kind == DBC_TOKEN_NUMBER || next.kind == DBC_TOKEN_STRING))
            return;
        dbc_read_advance(rd);
    }
}

/* BS_: [baudrate : btr1 , btr2] */
static void read_bit_timing(struct dbc_reader *rd)
{
    dbc_read_mark(rd, ':', "expected :");
    while (rd->token.kind == DBC_TOKEN_NUMBER) {
        dbc_read_advance(rd);
        if (!dbc_read_mark_if(rd, ':'))
            (void)dbc_read_mark_if(rd, ',');
    }
}

/* BU_: word* */
static void read_nodes(struct dbc_reader *rd)
{
    dbc_read_mark(rd, ':', "expected :");
    while (rd->token.kind == DBC_TOKEN_WORD && !dbc_read_is_keyword(rd->token.text))
        dbc_read_advance(rd);
}

/* CM_ [BU_ node | BO_ id | SG_ id signal | EV_ variable] "text"; */
static void read_comment(struct dbc_reader *rd)
{
    if (dbc_read_is_word(rd, "BO_") || dbc_read_is_word(rd, "SG_")) {
        bool of_signal = dbc_read_is_word(rd, "SG_");
        dbc_read_advance(rd);
        (void)dbc_read_number(rd, "expected the identifier of a message");
        if (of_signal)
            (void)dbc_read_word(rd, "expected the name of a signal");
    } else if (dbc_read_is_word(rd, "BU_") || dbc_read_is_word(rd, "EV_")) {
        dbc_read_advance(rd);
        (void)dbc_read_word(rd, "expected the name of a node or variable");
    }
    (void)dbc_read_string(rd, "expected the comment in quotes");
    dbc_read_end(rd);
}

/* One value and its text. Numbers of more than 64 bits can never be met, so they are read over. */
static void read_description(struct dbc_reader *rd, bool keep)
{
    struct dbc *db = rd->db;
    struct dbc_token number = dbc_read_number(rd, "expected a value");
    struct dbc_token text = dbc_read_string(rd, "expected the text of the value in quotes");
    struct dbc_text d = {0};
    int64_t value;

    if (!keep || rd->err != VS_OK)
        return;
    if (dbc_lex_i64(number.text, &value)) {
        d.value = (uint64_t)value;
        d.negative = value < 0;
    } else if (!dbc_lex_u64(number.text, &d.value)) {
        return;
    }
    if (db->text_count == db->memory.texts_max)
        dbc_read_fail(rd, VS_ERR_FULL, &number, "the table of value descriptions is full");
    d.text = dbc_read_pool(rd, &text);
    if (rd->err == VS_OK)
        db->texts[db->text_count++] = d;
}

/* The signal a statement is about; NULL when it is to be read over. One that is not there is refused, as cantools does,
 * since a typing error hides in it. */
static struct dbc_signal *find_signal(struct dbc_reader *rd, uint64_t number, const struct dbc_token *name)
{
    if (!rd->second || rd->err != VS_OK || dbc_read_is_independent(number))
        return NULL;
    struct dbc_message *m = dbc_read_find(rd, number);
    struct dbc_signal *s = m != NULL ? dbc_read_find_signal(rd, m, name->text) : NULL;
    if (s != NULL)
        return s;
    if (!rd->lenient && (m == NULL || !dbc_read_has_twin(rd, m)))
        dbc_read_fail(rd, VS_ERR_NOT_FOUND, name, "no message has this identifier and a signal of this name");
    dbc_read_unknown(rd, name);
    return NULL;
}

/* VAL_ id signal {value "text"}; or VAL_ variable {value "text"}; */
static void read_values(struct dbc_reader *rd)
{
    struct dbc *db = rd->db;
    bool of_signal = rd->token.kind == DBC_TOKEN_NUMBER;
    uint64_t number = of_signal ? dbc_read_u64(rd, UINT64_MAX, "expected the identifier of a message") : 0;
    struct dbc_token name = dbc_read_word(rd, "expected the name of a signal");
    uint32_t first = db->text_count;
    uint32_t pairs = 0;

    for (; rd->token.kind == DBC_TOKEN_NUMBER; pairs++)
        read_description(rd, rd->second && of_signal);
    dbc_read_end(rd);
    struct dbc_signal *s = of_signal && pairs > 0 ? find_signal(rd, number, &name) : NULL;
    if (s == NULL)
        return;
    s->text_first = first;
    s->text_count = db->text_count - first;
}

/* VAL_TABLE_ name {value "text"}; */
static void read_value_table(struct dbc_reader *rd)
{
    (void)dbc_read_word(rd, "expected the name of the table");
    while (rd->token.kind == DBC_TOKEN_NUMBER)
        read_description(rd, false);
    dbc_read_end(rd);
}

static void set_float(struct dbc_reader *rd, struct dbc_signal *s, const struct dbc_token *name)
{
    if (s->bits.length != 16 && s->bits.length != 32 && s->bits.length != 64)
        dbc_read_fail(rd, VS_ERR_RANGE, name, "a floating point signal has 16, 32 or 64 bits");
    s->bits.is_signed = false;
    s->flags |= DBC_SIGNAL_FLOAT;
}

/* SIG_VALTYPE_ id signal : 0 integer | 1 float | 2 double; the size is that of the signal. */
static void read_value_type(struct dbc_reader *rd)
{
    uint64_t number = dbc_read_u64(rd, UINT64_MAX, "expected the identifier of a message");
    struct dbc_token name = dbc_read_word(rd, "expected the name of a signal");

    (void)dbc_read_mark_if(rd, ':');
    uint64_t type = dbc_read_u64(rd, 3, "expected the type, 0 to 3");
    dbc_read_end(rd);
    struct dbc_signal *s = find_signal(rd, number, &name);
    if (s != NULL && (type == 1 || type == 2))
        set_float(rd, s, &name);
}

/* BO_TX_BU_ id : node{,node}; */
static void read_transmitters(struct dbc_reader *rd)
{
    (void)dbc_read_number(rd, "expected the identifier of a message");
    dbc_read_mark(rd, ':', "expected :");
    dbc_read_words(rd, "expected the name of a node");
    dbc_read_end(rd);
}

/* SIG_GROUP_ id name repetitions : signal*; */
static void read_signal_group(struct dbc_reader *rd)
{
    (void)dbc_read_number(rd, "expected the identifier of a message");
    (void)dbc_read_word(rd, "expected the name of the group");
    (void)dbc_read_number(rd, "expected the repetitions");
    dbc_read_mark(rd, ':', "expected :");
    while (rd->token.kind == DBC_TOKEN_WORD && !dbc_read_is_keyword(rd->token.text)) {
        dbc_read_advance(rd);
        (void)dbc_read_mark_if(rd, ',');
    }
    dbc_read_end(rd);
}

/* EV_ name : type [min|max] "unit" initial id access node{,node}; */
static void read_variable(struct dbc_reader *rd)
{
    (void)dbc_read_word(rd, "expected the name of the variable");
    dbc_read_mark(rd, ':', "expected :");
    (void)dbc_read_number(rd, "expected the type");
    dbc_read_mark(rd, '[', "expected [");
    (void)dbc_read_number(rd, "expected the minimum");
    dbc_read_mark(rd, '|', "expected |");
    (void)dbc_read_number(rd, "expected the maximum");
    dbc_read_mark(rd, ']', "expected ]");
    (void)dbc_read_string(rd, "expected the unit in quotes");
    (void)dbc_read_number(rd, "expected the initial value");
    (void)dbc_read_number(rd, "expected the number of the variable");
    dbc_read_words(rd, "expected the access");
    if (rd->token.kind == DBC_TOKEN_WORD && !dbc_read_is_keyword(rd->token.text))
        dbc_read_words(rd, "expected the name of a node");
    dbc_read_end(rd);
}

/* Everything up to the semicolon. For relations and for statements that only old tools write. */
static void read_over(struct dbc_reader *rd)
{
    while (rd->token.kind != DBC_TOKEN_END && !dbc_token_is_mark(&rd->token, ';'))
        dbc_read_advance(rd);
    dbc_read_end(rd);
}

static const struct statement {
    const char *keyword;
    void (*read)(struct dbc_reader *rd);
} statements[] = {
    {"BO_", dbc_read_message},
    {"VAL_", read_values},
    {"CM_", read_comment},
    {"BA_", dbc_read_attribute},
    {"BA_DEF_", dbc_read_attribute_definition},
    {"BA_DEF_DEF_", dbc_read_attribute_default},
    {"SG_MUL_VAL_", dbc_read_mux_values},
    {"SIG_VALTYPE_", read_value_type},
    {"VAL_TABLE_", read_value_table},
    {"BO_TX_BU_", read_transmitters},
    {"SIG_GROUP_", read_signal_group},
    {"EV_", read_variable},
    {"VERSION", read_version},
    {"NS_", read_new_symbols},
    {"BS_", read_bit_timing},
    {"BU_", read_nodes},
    {"BA_REL_", read_over},
    {"BA_DEF_REL_", read_over},
    {"BA_DEF_DEF_REL_", read_over},
    {"ENVVAR_DATA_", read_over},
    {"EV_DATA_", read_over},
    {"SIGTYPE_VALTYPE_", read_over},
    {"SIG_TYPE_REF_", read_over},
    {"SGTYPE_", read_over},
    {"SGTYPE_VAL_", read_over},
    {"BA_SGTYPE_", read_over},
    {"BA_DEF_SGTYPE_", read_over},
    {"CAT_", read_over},
    {"CAT_DEF_", read_over},
    {"NS_DESC_", read_over},
    {"FILTER", read_over},
};

static const struct statement *find(struct slice keyword)
{
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (slice_equal_str(keyword, statements[i].keyword))
            return &statements[i];
    return NULL;
}

bool dbc_read_is_keyword(struct slice word)
{
    return find(word) != NULL || slice_equal_str(word, "SG_");
}

void dbc_read_statement(struct dbc_reader *rd)
{
    const struct statement *s = rd->token.kind == DBC_TOKEN_WORD ? find(rd->token.text) : NULL;

    if (s == NULL) {
        dbc_read_fail(rd, VS_ERR_MALFORMED, &rd->token, "expected a statement such as BO_, VAL_ or CM_");
        return;
    }
    dbc_read_advance(rd);
    s->read(rd);
}
