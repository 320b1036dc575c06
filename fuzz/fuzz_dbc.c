/* dbc: any bytes as a network description, in tables of exactly the size dbc_need promises to suffice; then frames are
 * decoded with whatever was described. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/dbc_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *table(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size);

    if (p == NULL)
        abort();
    return p;
}

static void decode_all(const struct dbc *db)
{
    static const uint8_t frame[80] = {0x01, 0xFF, 0x80, 0x00, 0x7F, 0x05, 0xAA, 0x55, 0xF0, 0x7F, 0xF8, 0x02};

    for (uint32_t i = 0; i < db->message_count; i++) {
        const struct dbc_message *m = &db->messages[i];
        struct dbc_decode it;
        struct dbc_value v;
        if (dbc_find(db, m->id, m->extended) == NULL)
            abort();
        for (size_t len = 0; len <= sizeof frame; len += len < 9 ? 1 : 24) {
            dbc_decode_init(&it, db, m, slice_make(frame, len));
            while (dbc_decode_next(&it, &v))
                if (!can_bits_fit(&v.signal->bits, len))
                    abort();
        }
    }
}

static void parse(struct slice text, unsigned options)
{
    struct dbc_memory m;
    struct dbc_fault fault;
    struct dbc db;

    dbc_need(text, &m);
    m.messages = table(m.messages_max, sizeof *m.messages);
    m.signals = table(m.signals_max, sizeof *m.signals);
    m.ranges = table(m.ranges_max, sizeof *m.ranges);
    m.texts = table(m.texts_max, sizeof *m.texts);
    m.pool = table(m.pool_size, 1);
    dbc_init(&db, &m);
    enum vs_err err = dbc_parse(&db, text, options, &fault);
    if (err == VS_ERR_FULL || (err != VS_OK && (fault.line == 0 || fault.reason == NULL)))
        abort();
    decode_all(&db);
    free(m.messages);
    free(m.signals);
    free(m.ranges);
    free(m.texts);
    free(m.pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(slice_make(data, size), 0);
    parse(slice_make(data, size), DBC_LENIENT);
    return 0;
}
