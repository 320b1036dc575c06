#include "app/dbc_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/writer.h"

/* Long enough for the longest run of a text that is escaped at once: each byte becomes at most six. */
#define CHUNK 512

/* Cut between characters, so that each piece is valid on its own. */
static size_t chunk_len(struct slice text)
{
    size_t n = text.len < CHUNK ? text.len : CHUNK;

    if (n == text.len)
        return n;
    while (n > CHUNK - 4 && (text.ptr[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static void put_text(FILE *out, struct slice text)
{
    uint8_t buf[CHUNK * 6 + 2];

    fputc('"', out);
    while (text.len > 0) {
        struct writer w;
        size_t n = chunk_len(text);
        writer_init(&w, buf, sizeof buf);
        writer_json_text(&w, slice_head(text, n));
        fwrite(buf + 1, 1, w.len - 2, out);
        text = slice_from(text, n);
    }
    fputc('"', out);
}

/* The fewest of 15 to 17 digits that read back as the same double. JSON has no infinity and no NaN: null. */
static void put_real(FILE *out, double v)
{
    char text[40];

    if (!isfinite(v)) {
        fputs("null", out);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) >= v && strtod(text, NULL) <= v)
            break;
    }
    fputs(text, out);
}

static void put_number(FILE *out, struct dbc_number n)
{
    switch (n.kind) {
    case DBC_INT:
        fprintf(out, "%" PRId64, n.is.i);
        break;
    case DBC_UINT:
        fprintf(out, "%" PRIu64, n.is.u);
        break;
    case DBC_REAL:
        put_real(out, n.is.r);
        break;
    case DBC_WIDE:
        fputs("null", out);
        break;
    }
}

/* More than 64 bits have no number in most programs: hexadecimal text, most significant digit first. */
static void put_wide(FILE *out, const struct dbc_signal *s, struct slice data)
{
    unsigned digits = (s->bits.length + 3u) / 4;

    fputs("\"0x", out);
    for (unsigned d = digits; d > 0; d--) {
        unsigned v = 0;
        for (unsigned bit = d * 4; bit > (d - 1) * 4; bit--)
            v = v << 1 | (bit <= s->bits.length && can_bits_test(&s->bits, data, bit - 1));
        fputc("0123456789abcdef"[v], out);
    }
    fputc('"', out);
}

static void put_id(FILE *out, uint32_t id, bool extended)
{
    fprintf(out, extended ? "\"%08" PRIX32 "\"" : "\"%03" PRIX32 "\"", id);
}

static void put_value(FILE *out, const struct dbc_value *v, struct slice data)
{
    fputs("{\"name\":", out);
    put_text(out, v->signal->name);
    fputs(",\"raw\":", out);
    if (v->raw.kind == DBC_WIDE)
        put_wide(out, v->signal, data);
    else
        put_number(out, v->raw);
    fputs(",\"value\":", out);
    put_number(out, v->physical);
    fputs(",\"unit\":", out);
    put_text(out, v->signal->unit);
    if (v->has_text) {
        fputs(",\"text\":", out);
        put_text(out, v->text);
    }
    if (v->mux_unknown)
        fputs(",\"mux_unknown\":true", out);
    fputc('}', out);
}

static void put_signals(FILE *out, const struct dbc *db, const struct dbc_message *m, struct slice data)
{
    struct dbc_decode it;
    struct dbc_value v;
    const char *separator = "";

    dbc_decode_init(&it, db, m, data);
    while (dbc_decode_next(&it, &v)) {
        fputs(separator, out);
        separator = ",";
        put_value(out, &v, data);
    }
    fputc(']', out);
    if (it.missing_count > 0)
        fprintf(out, ",\"missing\":%" PRIu32, it.missing_count);
}

static void put_source(FILE *out, const struct can_frame *fr, bool has_source)
{
    if (!has_source) {
        fputs(",\"time\":null,\"bus\":null", out);
        return;
    }
    fprintf(out, ",\"time\":%" PRId64 ".%06" PRId64 ",\"bus\":", fr->time_us / 1000000, fr->time_us % 1000000);
    put_text(out, fr->bus);
}

void dbc_print_frame(FILE *out, const struct dbc *db, uint64_t index, const struct can_frame *fr, bool has_source)
{
    bool extended = (fr->flags & CAN_FRAME_EXT) != 0;
    bool has_data = (fr->flags & (CAN_FRAME_ERR | CAN_FRAME_RTR)) == 0;
    const struct dbc_message *m = (fr->flags & CAN_FRAME_ERR) == 0 ? dbc_find(db, fr->id, extended) : NULL;

    fprintf(out, "{\"frame\":%" PRIu64, index);
    put_source(out, fr, has_source);
    fputs(",\"id\":", out);
    put_id(out, fr->id, extended || (fr->flags & CAN_FRAME_ERR) != 0);
    if (!has_data)
        fputs((fr->flags & CAN_FRAME_ERR) != 0 ? ",\"type\":\"error\"" : ",\"type\":\"remote\"", out);
    fputs(",\"message\":", out);
    if (m != NULL)
        put_text(out, m->name);
    else
        fputs("null", out);
    fputs(",\"signals\":[", out);
    if (m != NULL && has_data)
        put_signals(out, db, m, can_frame_data(fr));
    else
        fputc(']', out);
    fputs("}\n", out);
}

static void put_layout(FILE *out, const struct dbc *db, const struct dbc_signal *s)
{
    fputs("{\"name\":", out);
    put_text(out, s->name);
    fprintf(out, ",\"start\":%" PRIu32 ",\"length\":%u,\"big_endian\":%s,\"signed\":%s,\"float\":%s,\"factor\":",
            s->bits.start, s->bits.length, s->bits.big_endian ? "true" : "false", s->bits.is_signed ? "true" : "false",
            (s->flags & DBC_SIGNAL_FLOAT) != 0 ? "true" : "false");
    put_real(out, s->factor);
    fputs(",\"offset\":", out);
    put_real(out, s->offset);
    if ((s->flags & DBC_SIGNAL_RANGE) != 0) {
        fputs(",\"min\":", out);
        put_real(out, s->min);
        fputs(",\"max\":", out);
        put_real(out, s->max);
    }
    fputs(",\"unit\":", out);
    put_text(out, s->unit);
    if ((s->flags & DBC_SIGNAL_MUX) != 0)
        fputs(",\"multiplexer\":true", out);
    if ((s->flags & DBC_SIGNAL_MUXED) != 0 && s->mux != DBC_NONE) {
        fputs(",\"selected_by\":", out);
        put_text(out, db->signals[s->mux].name);
        fputs(",\"when\":[", out);
        for (uint32_t i = 0; i < s->range_count; i++)
            fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", i > 0 ? "," : "", db->ranges[s->range_first + i].low,
                    db->ranges[s->range_first + i].high);
        fputc(']', out);
    }
    fprintf(out, ",\"descriptions\":%" PRIu32 "}", s->text_count);
}

void dbc_print_message(FILE *out, const struct dbc *db, const struct dbc_message *m)
{
    static const char *const formats[] = {
        [DBC_FORMAT_UNKNOWN] = "",
        [DBC_FORMAT_STANDARD] = "StandardCAN",
        [DBC_FORMAT_EXTENDED] = "ExtendedCAN",
        [DBC_FORMAT_STANDARD_FD] = "StandardCAN_FD",
        [DBC_FORMAT_EXTENDED_FD] = "ExtendedCAN_FD",
        [DBC_FORMAT_J1939] = "J1939PG",
    };

    fputs("{\"id\":", out);
    put_id(out, m->id, m->extended);
    fputs(",\"message\":", out);
    put_text(out, m->name);
    fprintf(out, ",\"length\":%" PRIu32 ",\"cycle_ms\":%" PRIu32 ",\"send_type\":", m->length, m->cycle_ms);
    put_text(out, m->send_type);
    fprintf(out, ",\"format\":\"%s\",\"sender\":", formats[m->format]);
    put_text(out, m->sender);
    fputs(",\"signals\":[", out);
    for (uint32_t i = 0; i < m->signal_count; i++) {
        if (i > 0)
            fputc(',', out);
        put_layout(out, db, &db->signals[m->signal_first + i]);
    }
    fputs("]}\n", out);
}
