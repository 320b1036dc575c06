/* The values of a mapping: which text of the line they are, and what is made of it; and the line's time. */
#include <stdio.h>

#include "base/crypto.h"
#include "core/timestamp.h"
#include "ingest/mapping_internal.h"

#define DIGEST_CHARS 32

/* '*' stands for any run. Goes back to the last star only, which is enough for stars alone. */
bool mapping_glob(struct slice pattern, struct slice text)
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

        if (mapping_glob(slice_make(key->data.scalar.value, key->data.scalar.length), *text)) {
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
    uint8_t *at = log_fields_scratch(f, MAPPING_NUMBER_CHARS);

    if (from == NULL || to == NULL || at == NULL || !timestamp_parse(from->value, &from_us) ||
        !timestamp_parse(to->value, &to_us) || to_us < from_us)
        return false;
    int n = snprintf((char *)at, MAPPING_NUMBER_CHARS, "%lld", (long long)((to_us - from_us) / (86400 * US_PER_S)));
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
bool mapping_value_of(struct mapping_run *run, const struct mapping_value *v, struct slice *ret)
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

bool mapping_time_of(const struct mapping_run *run, int64_t *ret)
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
