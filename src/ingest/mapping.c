#include "ingest/mapping.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/jsonl/json_reader.h"
#include "core/timestamp.h"
#include "core/utf8.h"
#include "ingest/csv.h"
#include "ingest/log_fields.h"
#include "ingest/mapping_internal.h"
#include "ingest/pseudonym.h"

#define DIGEST_CHARS 32
#define NUMBER_CHARS 40
#define NAMES_MAX    40 /* field names told of a line that is not understood */
#define NAME_MAX     60 /* bytes of each */

struct mapping_run {
    const struct mapping *m;
    struct json_reader *json;
    struct csv csv;
    struct log_fields fields;
    uint8_t padded[LOG_LINE_MAX + JSON_PADDING];
};

enum vs_err mapping_run_new(const struct mapping *m, struct mapping_run **ret)
{
    struct mapping_run *run = calloc(1, sizeof *run);

    if (run == NULL || json_reader_new(&run->json) != VS_OK) {
        free(run);
        return VS_ERR_NO_MEMORY;
    }
    run->m = m;
    *ret = run;
    return VS_OK;
}

void mapping_run_free(struct mapping_run *run)
{
    if (run == NULL)
        return;
    json_reader_free(run->json);
    free(run);
}

/* ---- taking the line apart */

static struct slice number_text(struct log_fields *f, const struct json_field *j)
{
    uint8_t *at = log_fields_scratch(f, NUMBER_CHARS);
    int n = 0;

    if (at == NULL)
        return slice_make(NULL, 0);
    if (j->kind == JSON_INT)
        n = snprintf((char *)at, NUMBER_CHARS, "%lld", (long long)j->value.i);
    else if (j->kind == JSON_UINT)
        n = snprintf((char *)at, NUMBER_CHARS, "%llu", (unsigned long long)j->value.u);
    else
        n = snprintf((char *)at, NUMBER_CHARS, "%.17g", j->value.d);
    return slice_make(at, (size_t)n);
}

static enum vs_err read_json(struct mapping_run *run, struct slice text, const char **reason)
{
    struct json_object o;

    memcpy(run->padded, text.ptr, text.len);
    memset(run->padded + text.len, 0, JSON_PADDING);
    enum vs_err err = json_reader_object(run->json, slice_make(run->padded, text.len), &o, reason);
    for (uint32_t i = 0; err == VS_OK && i < o.field_count; i++) {
        const struct json_field *j = &o.field[i];

        if (j->kind == JSON_TEXT)
            log_fields_add(&run->fields, j->name, j->value.s);
        else if (j->kind == JSON_BOOL)
            log_fields_add(&run->fields, j->name, slice_str(j->value.b ? "true" : "false"));
        else if (j->kind != JSON_NULL)
            log_fields_add(&run->fields, j->name, number_text(&run->fields, j));
    }
    return err;
}

static enum vs_err read_csv(struct mapping_run *run, const struct mapping_step *step, struct slice text,
                            const char **reason)
{
    csv_init(&run->csv, text);
    enum vs_err err = csv_next(&run->csv, reason);
    if (err == VS_OK && run->csv.count != step->pattern.count) {
        *reason = "the number of columns is not that of the mapping";
        return VS_ERR_MALFORMED;
    }
    for (uint32_t i = 0; err == VS_OK && i < run->csv.count; i++)
        if (run->csv.field[i].len > 0)
            log_fields_add(&run->fields, step->pattern.text[i], run->csv.field[i]);
    return err;
}

/* Patterns are tried in order; the one that fits is a field of its own, since it is the template of what was called. */
static bool read_pattern(struct mapping_run *run, const struct mapping_step *step, struct slice text)
{
    for (unsigned i = 0; i < step->pattern.count; i++) {
        if (!log_pattern_match(&run->fields, step->pattern.text[i], step->form == FORM_PATH, text))
            continue;
        if (step->form == FORM_PATH)
            log_fields_add(&run->fields, slice_str("template"), step->pattern.text[i]);
        return true;
    }
    return false;
}

static enum vs_err read_step(struct mapping_run *run, const struct mapping_step *step, struct slice text,
                             const char **reason)
{
    switch ((enum mapping_form)step->form) {
    case FORM_JSON:
        return read_json(run, text, reason);
    case FORM_PAIRS:
        return log_read_pairs(&run->fields, text, reason);
    case FORM_SYSLOG:
        return log_read_syslog(&run->fields, text, reason);
    case FORM_CSV:
        return read_csv(run, step, text, reason);
    case FORM_PATTERN:
    case FORM_PATH:
        *reason = "no pattern fits";
        return read_pattern(run, step, text) ? VS_OK : VS_ERR_MALFORMED;
    case FORM_COUNT:
        break;
    }
    return VS_ERR_UNSUPPORTED;
}

/* The line must be in its form. A further step that does not fit only finds nothing: whether that matters is for the
 * events' conditions to say. */
static bool take_apart(struct mapping_run *run, struct slice line, const char **reason)
{
    log_fields_reset(&run->fields);
    if (line.len > LOG_LINE_MAX) {
        *reason = "the line is too long";
        return false;
    }
    if (line.len == 0 || !utf8_valid(line)) {
        *reason = line.len == 0 ? "the line is empty" : "the line is no UTF-8";
        return false;
    }
    if (read_step(run, &run->m->step[0], line, reason) != VS_OK)
        return false;
    for (unsigned i = 1; i < run->m->step_count; i++) {
        const struct log_field *f = log_fields_find(&run->fields, run->m->step[i].field);
        const char *unused;
        if (f != NULL && f->value.len > 0 && f->value.len <= LOG_LINE_MAX &&
            read_step(run, &run->m->step[i], f->value, &unused) != VS_OK)
            continue;
    }
    return true;
}

/* ---- which event it is */

/* '*' stands for any run. Goes back to the last star only, which is enough for stars alone. */
static bool glob(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool case_holds(const struct log_fields *f, const struct mapping_case *c)
{
    for (unsigned i = 0; i < c->when_count; i++) {
        const struct log_field *at = log_fields_find(f, c->when_field[i]);
        bool any = false;

        for (unsigned k = 0; at != NULL && !any && k < c->when[i].count; k++)
            any = glob(c->when[i].text[k], at->value);
        if (!any)
            return false;
    }
    return true;
}

/* ---- values */

static const struct log_field *first_of(const struct log_fields *f, const struct choices *names)
{
    const struct log_field *at = NULL;

    for (unsigned i = 0; at == NULL && i < names->count; i++)
        at = log_fields_find(f, names->text[i]);
    return at;
}

static bool look_up(const struct mapping *m, const struct mapping_value *v, struct slice *text)
{
    yaml_document_t *doc = (yaml_document_t *)&m->doc; /* libyaml's readers take it without const */

    for (const yaml_node_pair_t *p = v->map->data.mapping.pairs.start; p < v->map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(doc, p->key), *to = yaml_document_get_node(doc, p->value);

        if (glob(slice_make(key->data.scalar.value, key->data.scalar.length), *text)) {
            *text = slice_make(to->data.scalar.value, to->data.scalar.length);
            return true;
        }
    }
    *text = v->other;
    return v->has_other;
}

static bool whole_days(struct log_fields *f, const struct choices *names, struct slice *ret)
{
    const struct log_field *from = log_fields_find(f, names->text[0]), *to = log_fields_find(f, names->text[1]);
    int64_t from_us, to_us;
    uint8_t *at = log_fields_scratch(f, NUMBER_CHARS);

    if (from == NULL || to == NULL || at == NULL || !timestamp_parse(from->value, &from_us) ||
        !timestamp_parse(to->value, &to_us) || to_us < from_us)
        return false;
    int n = snprintf((char *)at, NUMBER_CHARS, "%lld", (long long)((to_us - from_us) / (86400 * US_PER_S)));
    *ret = slice_make(at, (size_t)n);
    return true;
}

static bool digest_of(struct log_fields *f, struct slice *text)
{
    uint8_t hash[SHA256_SIZE], *at = log_fields_scratch(f, DIGEST_CHARS);
    struct writer w;

    if (at == NULL)
        return false;
    sha256(*text, hash);
    writer_init(&w, at, DIGEST_CHARS);
    writer_hex(&w, slice_make(hash, DIGEST_CHARS / 2), false);
    *text = writer_slice(&w);
    return true;
}

/* False when the line has no such value. */
static bool value_of(struct mapping_run *run, const struct mapping_value *v, struct slice *ret)
{
    if (v->days)
        return whole_days(&run->fields, &v->field, ret);
    *ret = v->text;
    if (v->field.count > 0) {
        const struct log_field *at = first_of(&run->fields, &v->field);
        if (at == NULL || at->value.len == 0 || slice_equal_str(at->value, "-"))
            return false;
        *ret = at->value;
    }
    if (v->map != NULL && !look_up(run->m, v, ret))
        return false;
    return !v->digest || digest_of(&run->fields, ret);
}

/* ---- time */

static bool parse_count(struct slice text, int64_t *ret)
{
    int64_t v = 0;

    if (text.len == 0 || text.len > 18)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (text.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

/* 20/Nov/2026:10:00:00 +0100, as web servers write it, is put into the form of RFC 3339. */
static bool parse_clf(struct slice text, int64_t *ret)
{
    static const char MONTH[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char line[32];
    int month = 0;

    if (text.len != 26 || text.ptr[2] != '/' || text.ptr[6] != '/' || text.ptr[11] != ':' || text.ptr[20] != ' ')
        return false;
    while (month < 12 && memcmp(MONTH + 3 * month, text.ptr + 3, 3) != 0)
        month++;
    snprintf(line, sizeof line, "%.4s-%02d-%.2sT%.8s%.3s:%.2s", (const char *)text.ptr + 7, month + 1,
             (const char *)text.ptr, (const char *)text.ptr + 12, (const char *)text.ptr + 21,
             (const char *)text.ptr + 24);
    return timestamp_parse(slice_str(line), ret);
}

/* Seconds with a fraction, as nginx ($msec) and Kong write them: digits beyond microseconds are cut. */
static bool parse_seconds(struct slice text, int64_t *ret)
{
    const uint8_t *dot = text.len > 0 ? memchr(text.ptr, '.', text.len) : NULL;
    int64_t whole, part = 0, unit = US_PER_S / 10;

    if (!parse_count(dot != NULL ? slice_head(text, (size_t)(dot - text.ptr)) : text, &whole) ||
        whole > TIMESTAMP_US_MAX / US_PER_S)
        return false;
    for (const uint8_t *c = dot; c != NULL && ++c < text.ptr + text.len;) {
        if (*c < '0' || *c > '9')
            return false;
        part += (*c - '0') * unit;
        unit /= 10;
    }
    *ret = whole * US_PER_S + part;
    return true;
}

static bool time_of(const struct mapping_run *run, int64_t *ret)
{
    const struct log_field *at = first_of(&run->fields, &run->m->time_field);
    int64_t n;

    if (at == NULL)
        return false;
    switch ((enum mapping_clock)run->m->clock) {
    case CLOCK_RFC3339:
        return timestamp_parse(at->value, ret);
    case CLOCK_CLF:
        return parse_clf(at->value, ret);
    case CLOCK_S:
        return parse_seconds(at->value, ret);
    case CLOCK_MS:
    case CLOCK_US:
        if (!parse_count(at->value, &n) || n > TIMESTAMP_US_MAX / (run->m->clock == CLOCK_MS ? 1000 : 1))
            return false;
        *ret = run->m->clock == CLOCK_MS ? n * 1000 : n;
        return true;
    case CLOCK_COUNT:
        break;
    }
    return false;
}

/* ---- the event's line */

static bool is_number(struct slice text, bool fraction)
{
    size_t i = text.len > 0 && text.ptr[0] == '-', digits = 0;
    bool dot = false;

    for (; i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            digits++;
        else if (text.ptr[i] == '.' && fraction && !dot && digits > 0)
            dot = true;
        else
            return false;
    }
    return digits > 0 && digits < 20 && text.ptr[text.len - 1] != '.';
}

/* A text longer than an event's field is cut at a character, so that a long user agent loses its end and not its line;
 * names of people and tokens keep theirs, because the door makes one pseudonym of the whole. */
static struct slice cut(struct slice text)
{
    if (text.len <= EV_TEXT_LEN_MAX)
        return text;
    size_t len = EV_TEXT_LEN_MAX;
    while (len > 0 && (text.ptr[len] & 0xC0) == 0x80)
        len--;
    return slice_head(text, len);
}

static bool put_value(struct writer *w, uint8_t field, struct slice text)
{
    const struct ev_field_info *info = ev_field_find(field);

    writer_text(w, ",\"");
    writer_text(w, info->name);
    writer_text(w, "\":");
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
    case EV_KIND_INT:
        if (!is_number(text, info->decimals > 0))
            return false;
        /* Leading zeros are no JSON number; the events' reader takes numbers as text as well. */
        writer_json_text(w, text);
        return true;
    case EV_KIND_BOOL:
        if (!slice_equal_str(text, "true") && !slice_equal_str(text, "false"))
            return false;
        writer_put(w, text);
        return true;
    case EV_KIND_TEXT:
        writer_json_text(w, pseudonym_is_account_field(slice_str(info->name)) ? text : cut(text));
        return true;
    case EV_KIND_BYTES:
        writer_json_text(w, text);
        return true;
    }
    return false;
}

static void put_time(struct writer *w, int64_t time_us)
{
    writer_text(w, "\"time\":\"");
    timestamp_write(w, time_us);
    writer_u8(w, '"');
}

/* A VIN that is none, as attackers send them, does not make the line worthless: it then is about no vehicle. */
static bool put_vin(struct mapping_run *run, const struct mapping_case *c, struct writer *w)
{
    static const uint8_t ANY_KEY[PSEUDONYM_KEY_SIZE];
    uint8_t vid[EV_VID_SIZE];
    struct slice vin;

    if (!c->vin.set || !value_of(run, &c->vin, &vin) || pseudonym_of_vin(ANY_KEY, vin, vid) != VS_OK)
        return false;
    writer_text(w, ",\"vin\":");
    writer_json_text(w, vin);
    return true;
}

static bool put_event(struct mapping_run *run, const struct mapping_case *c, int64_t time_us, struct writer *w,
                      const char **reason)
{
    struct slice text;

    writer_u8(w, '{');
    put_time(w, time_us);
    (void)put_vin(run, c, w);
    writer_text(w, ",\"type\":");
    writer_json_text(w, slice_str(c->type->name));
    for (unsigned i = 0; i < c->value_count; i++) {
        if (!value_of(run, &c->value[i], &text))
            continue;
        if (!put_value(w, c->field[i], text)) {
            *reason = "a value is not of its field's type";
            return false;
        }
    }
    writer_text(w, "}\n");
    *reason = "the event is too long";
    return !w->full;
}

/* Names only: what a log says may be personal, how it says it is not. */
static void put_unmapped(struct mapping_run *run, bool has_time, int64_t time_us, uint64_t number, const char *reason,
                         struct writer *w)
{
    writer_u8(w, '{');
    if (has_time) {
        put_time(w, time_us);
        writer_u8(w, ',');
    }
    writer_text(w, "\"type\":\"log.unmapped\",\"mapping\":");
    writer_json_text(w, slice_head(run->m->name, NAME_MAX));
    writer_text(w, ",\"line\":");
    writer_u64_text(w, number);
    writer_text(w, ",\"reason\":");
    writer_json_text(w, slice_str(reason));
    writer_text(w, ",\"names\":\"");
    for (uint32_t i = 0; i < run->fields.count && i < NAMES_MAX; i++) {
        struct slice name = slice_head(run->fields.field[i].name, NAME_MAX);
        for (size_t k = 0; k < name.len; k++) {
            uint8_t c = name.ptr[k];
            bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
            writer_u8(w, plain ? c : '?');
        }
        writer_u8(w, ' ');
    }
    writer_text(w, "\"}\n");
}

enum mapping_outcome mapping_run_line(struct mapping_run *run, struct slice line, uint64_t number, struct writer *w,
                                      const char **ret_reason)
{
    size_t mark = writer_mark(w);
    const struct mapping_case *c = NULL;
    enum mapping_outcome outcome = MAPPING_BROKEN;
    int64_t time_us = 0;
    bool has_time = false;

    if (take_apart(run, line, ret_reason)) {
        has_time = time_of(run, &time_us);
        for (unsigned i = 0; c == NULL && i < run->m->case_count; i++)
            if (case_holds(&run->fields, &run->m->cases[i]))
                c = &run->m->cases[i];
        if (c != NULL && c->ignore)
            return MAPPING_IGNORED;
        outcome = c == NULL ? MAPPING_UNMAPPED : MAPPING_BROKEN;
        *ret_reason = c == NULL ? "no event of the mapping fits" : "there is no time in it";
        if (c != NULL && has_time && put_event(run, c, time_us, w, ret_reason))
            return MAPPING_EVENT;
    }
    writer_rewind(w, mark);
    put_unmapped(run, has_time, time_us, number, *ret_reason, w);
    return outcome;
}
