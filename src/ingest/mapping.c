#include "ingest/mapping.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jsonl/json_reader.h"
#include "core/timestamp.h"
#include "core/utf8.h"
#include "ingest/csv.h"
#include "ingest/log_fields.h"
#include "ingest/mapping_internal.h"
#include "ingest/pseudonym.h"

#define NAMES_MAX 40 /* field names told of a line that is not understood */
#define NAME_MAX  60 /* bytes of each */

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
    uint8_t *at = log_fields_scratch(f, MAPPING_NUMBER_CHARS);
    int n = 0;

    if (at == NULL)
        return slice_make(NULL, 0);
    if (j->kind == JSON_INT)
        n = snprintf((char *)at, MAPPING_NUMBER_CHARS, "%lld", (long long)j->value.i);
    else if (j->kind == JSON_UINT)
        n = snprintf((char *)at, MAPPING_NUMBER_CHARS, "%llu", (unsigned long long)j->value.u);
    else
        n = snprintf((char *)at, MAPPING_NUMBER_CHARS, "%.17g", j->value.d);
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

static bool case_holds(const struct log_fields *f, const struct mapping_case *c)
{
    for (unsigned i = 0; i < c->when_count; i++) {
        const struct log_field *at = log_fields_find(f, c->when_field[i]);
        bool any = false;

        for (unsigned k = 0; at != NULL && !any && k < c->when[i].count; k++)
            any = mapping_glob(c->when[i].text[k], at->value);
        if (!any)
            return false;
    }
    return true;
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

    if (!c->vin.set || !mapping_value_of(run, &c->vin, &vin) || pseudonym_of_vin(ANY_KEY, vin, vid) != VS_OK)
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
        if (!mapping_value_of(run, &c->value[i], &text))
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
        has_time = mapping_time_of(run, &time_us);
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
