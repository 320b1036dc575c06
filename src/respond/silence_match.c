#include "respond/silence_match.h"

#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/utf8.h"
#include "respond/silence.h"

static const char GROUP_PREFIX[] = "group.";

static const char *const FIELD_NAME[SILENCE_FIELD_COUNT] = {
    [SILENCE_RULE] = "rule",     [SILENCE_GROUP] = "group",         [SILENCE_VID] = "vid",
    [SILENCE_MODEL] = "model",   [SILENCE_HARDWARE] = "hardware",   [SILENCE_SW_VERSION] = "sw_version",
    [SILENCE_REGION] = "region", [SILENCE_SIGNATURE] = "signature", [SILENCE_TAG] = "tag",
};

/* Columns of the vehicle query, by field; the tag is asked for apart. */
static const int VEHICLE_COLUMN[SILENCE_FIELD_COUNT] = {
    [SILENCE_VID] = 0,      [SILENCE_SIGNATURE] = 1,  [SILENCE_MODEL] = 2,
    [SILENCE_HARDWARE] = 3, [SILENCE_SW_VERSION] = 4, [SILENCE_REGION] = 5,
};

void silence_field_text(const struct silence_matcher *m, char ret[SILENCE_NAME_SIZE + 8])
{
    size_t at = 0;

    for (const char *s = m->field == SILENCE_GROUP ? GROUP_PREFIX : FIELD_NAME[m->field]; *s != '\0'; s++)
        ret[at++] = *s;
    for (const char *s = m->field == SILENCE_GROUP ? m->group : ""; *s != '\0'; s++)
        ret[at++] = *s;
    ret[at] = '\0';
}

static bool parse_field(struct slice name, struct silence_matcher *m)
{
    if (slice_starts(name, slice_str(GROUP_PREFIX))) {
        struct slice rest = slice_from(name, sizeof GROUP_PREFIX - 1);
        m->field = SILENCE_GROUP;
        return rest.len > 0 && slice_to_str(rest, m->group, sizeof m->group);
    }
    for (int f = 0; f < SILENCE_FIELD_COUNT; f++)
        if (f != SILENCE_GROUP && slice_equal_str(name, FIELD_NAME[f])) {
            m->field = (enum silence_field)f;
            return true;
        }
    return false;
}

bool silence_matcher_parse(struct slice field, struct slice op, struct slice value, struct silence_matcher *ret,
                           const char **ret_why)
{
    struct silence_matcher m;

    memset(&m, 0, sizeof m);
    if (!parse_field(field, &m)) {
        *ret_why = "not a field: rule, severity, group.<name>, vid, model, hardware, sw_version, region, signature, "
                   "tag";
        return false;
    }
    m.glob = slice_equal_str(op, "glob");
    if (!m.glob && !slice_equal_str(op, "is")) {
        *ret_why = "not an operator: is, glob";
        return false;
    }
    if (value.len == 0 || !utf8_valid(value) || !slice_to_str(value, m.value, sizeof m.value)) {
        *ret_why = "a value has 1 to 256 bytes of text";
        return false;
    }
    *ret = m;
    return true;
}

/* One star is kept to come back to: a longer run for it is tried when the rest does not fit. O(pattern x text). */
bool silence_glob(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

    while (t < text.len) {
        size_t width = utf8_length(slice_from(text, t));
        width = width > 0 ? width : 1;
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.ptr[p] == '?') {
            p++;
            t += width;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool only_stars(const char *s)
{
    while (*s == '*' || *s == '?')
        s++;
    return *s == '\0';
}

bool silence_is_narrow(const struct silence_matcher *m, unsigned count)
{
    /* Values of one field are joined by or: one that lets everything through makes the field say nothing. */
    bool says[SILENCE_FIELD_COUNT] = {false}, empty[SILENCE_FIELD_COUNT] = {false};

    for (unsigned i = 0; i < count; i++) {
        says[m[i].field] = true;
        empty[m[i].field] = empty[m[i].field] || (m[i].glob && only_stars(m[i].value));
    }
    static const enum silence_field NARROW[] = {SILENCE_RULE, SILENCE_GROUP, SILENCE_VID, SILENCE_SIGNATURE,
                                                SILENCE_TAG};
    for (size_t i = 0; i < sizeof NARROW / sizeof NARROW[0]; i++)
        if (says[NARROW[i]] && !empty[NARROW[i]])
            return true;
    return false;
}

static bool fits(const struct silence_matcher *m, struct slice text)
{
    return m->glob ? silence_glob(slice_str(m->value), text) : slice_equal_str(text, m->value);
}

/* ---- the alert's own fields */

/* One JSON string of the group at *at, unescaped into buf; moves *at behind it. Groups are written by alert_store with
 * escapes for quote, backslash and control characters only; anything else ends the reading. */
static bool read_string(struct slice json, size_t *at, char *buf, size_t size, struct slice *ret)
{
    size_t i = *at + 1, len = 0;

    if (*at >= json.len || json.ptr[*at] != '"')
        return false;
    for (; i < json.len && json.ptr[i] != '"' && len < size; i++) {
        uint8_t ch = json.ptr[i];
        if (ch == '\\' && i + 1 < json.len) {
            ch = json.ptr[++i];
            if (ch == 'u' && i + 4 < json.len) {
                int high = hex_digit(json.ptr[i + 3]), low = hex_digit(json.ptr[i + 4]);
                if (high < 0 || low < 0)
                    return false;
                ch = (uint8_t)(high * 16 + low);
                i += 4;
            } else {
                ch = ch == 'n' ? '\n' : ch == 't' ? '\t' : ch == 'r' ? '\r' : ch == 'b' ? '\b' : ch == 'f' ? '\f' : ch;
            }
        }
        buf[len++] = (char)ch;
    }
    if (i >= json.len || json.ptr[i] != '"')
        return false;
    *at = i + 1;
    *ret = slice_make(buf, len);
    return true;
}

/* Whether the group names the field with a value that one of the matchers of this name takes. */
static bool group_fits(const struct silence *s, const char *name, struct slice json)
{
    char key[256], value[2048];
    struct slice k, v;
    size_t at = 1;

    while (read_string(json, &at, key, sizeof key, &k) && at < json.len && json.ptr[at] == ':') {
        at++;
        if (!read_string(json, &at, value, sizeof value, &v))
            return false;
        for (unsigned i = 0; slice_equal_str(k, name) && i < s->matcher_count; i++) {
            const struct silence_matcher *m = &s->matcher[i];
            if (m->field == SILENCE_GROUP && strcmp(m->group, name) == 0 && fits(m, v))
                return true;
        }
        at++; /* the comma, or the end */
    }
    return false;
}

static bool groups_fit(const struct silence *s, struct slice json)
{
    for (unsigned i = 0; i < s->matcher_count; i++)
        if (s->matcher[i].field == SILENCE_GROUP && !group_fits(s, s->matcher[i].group, json))
            return false;
    return true;
}

/* No matcher of the field, or one that takes the text. */
static bool field_fits(const struct silence *s, enum silence_field f, struct slice text)
{
    bool asked = false;

    for (unsigned i = 0; i < s->matcher_count; i++) {
        if (s->matcher[i].field != f)
            continue;
        asked = true;
        if (fits(&s->matcher[i], text))
            return true;
    }
    return !asked;
}

static bool asks(const struct silence *s, enum silence_field f)
{
    for (unsigned i = 0; i < s->matcher_count; i++)
        if (s->matcher[i].field == f)
            return true;
    return false;
}

/* ---- its vehicles */

static bool tag_fits(struct store *st, const struct silence *s, struct slice vid, int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "SELECT tag FROM vehicle_tag WHERE vid = ? AND at_us <= ? "
                                             "AND (until_us IS NULL OR until_us > ?) ORDER BY tag");
    bool found = false;

    store_bind_text(q, 1, vid);
    store_bind_i64(q, 2, now_us);
    store_bind_i64(q, 3, now_us);
    while (!found && store_step(q) == VS_OK)
        found = field_fits(s, SILENCE_TAG, store_text(q, 0));
    store_done(q);
    return found;
}

static bool vehicle_fits(struct store *st, const struct silence *s, struct store_stmt *row, int64_t now_us)
{
    static const enum silence_field FIELD[] = {SILENCE_VID,      SILENCE_SIGNATURE,  SILENCE_MODEL,
                                               SILENCE_HARDWARE, SILENCE_SW_VERSION, SILENCE_REGION};

    for (size_t i = 0; i < sizeof FIELD / sizeof FIELD[0]; i++)
        if (!field_fits(s, FIELD[i], store_text(row, VEHICLE_COLUMN[FIELD[i]])))
            return false;
    return !asks(s, SILENCE_TAG) || tag_fits(st, s, store_text(row, 0), now_us);
}

static bool asks_vehicles(const struct silence *s)
{
    for (unsigned i = 0; i < s->matcher_count; i++)
        if (s->matcher[i].field != SILENCE_RULE && s->matcher[i].field != SILENCE_GROUP)
            return true;
    return false;
}

/* Every vehicle has to be meant. An alert without vehicles is about none that could be. */
static enum vs_err vehicles_fit(struct store *st, const struct silence *s, struct slice alert, int64_t now_us,
                                bool *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT vid, signature, model, hardware, sw_version, region "
                                             "FROM alert_vehicle WHERE alert = ? ORDER BY vid, signature");
    enum vs_err err;
    bool all = true, any = false;

    store_bind_text(q, 1, alert);
    while (all && (err = store_step(q)) == VS_OK) {
        any = true;
        all = vehicle_fits(st, s, q, now_us);
    }
    store_done(q);
    *ret = all && any;
    return all && err != VS_ERR_END ? err : VS_OK;
}

enum vs_err silence_matches(struct store *st, const struct silence *s, const struct silence_subject *al, int64_t now_us,
                            bool *ret)
{
    *ret = ((int64_t)s->severities >> al->severity & 1) != 0 && field_fits(s, SILENCE_RULE, al->rule) &&
           groups_fit(s, al->group_json);
    return *ret && asks_vehicles(s) ? vehicles_fit(st, s, al->id, now_us, ret) : VS_OK;
}

/* ---- the silences that hold */

void silence_set_free(struct silence_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        free(set->at[i].matcher);
    free(set->at);
    *set = (struct silence_set){0};
}

static enum vs_err load_matchers(struct store *st, struct silence *s)
{
    struct store_stmt *q =
        store_prepare(st, "SELECT field, op, value FROM silence_matcher WHERE silence = ? ORDER BY at");
    enum vs_err err = VS_OK;
    const char *why;

    s->matcher = calloc(SILENCE_MATCHERS_MAX, sizeof *s->matcher);
    store_bind_i64(q, 1, s->number);
    while (s->matcher != NULL && s->matcher_count < SILENCE_MATCHERS_MAX && (err = store_step(q)) == VS_OK)
        if (silence_matcher_parse(store_text(q, 0), store_text(q, 1), store_text(q, 2), &s->matcher[s->matcher_count],
                                  &why))
            s->matcher_count++;
    store_done(q);
    if (s->matcher == NULL)
        return VS_ERR_NO_MEMORY;
    return err == VS_ERR_END ? VS_OK : err;
}

enum vs_err silence_set_load(struct store *st, int64_t now_us, struct silence_set *ret)
{
    struct silence_set set = {calloc(SILENCE_ACTIVE_MAX, sizeof *set.at), 0};
    struct store_stmt *q = store_prepare(
        st, "SELECT number, spread_factor, vehicles_max, severities, needs_second FROM silence WHERE ended_us IS NULL "
            "AND starts_us <= ? AND expires_us > ? AND (needs_second = 0 OR approved_us IS NOT NULL) ORDER BY number");
    enum vs_err err = VS_OK;

    store_bind_i64(q, 1, now_us);
    store_bind_i64(q, 2, now_us);
    while (set.at != NULL && set.count < SILENCE_ACTIVE_MAX && (err = store_step(q)) == VS_OK) {
        struct silence *s = &set.at[set.count++];
        int64_t severities = store_i64(q, 3);
        s->number = store_i64(q, 0);
        s->spread_factor = store_i64(q, 1);
        s->vehicles_max = store_i64(q, 2);
        s->severities = (uint32_t)severities;
        s->second = store_i64(q, 4) != 0;
    }
    store_done(q);
    err = set.at == NULL ? VS_ERR_NO_MEMORY : err == VS_ERR_END ? VS_OK : err;
    for (unsigned i = 0; i < set.count && err == VS_OK; i++)
        err = load_matchers(st, &set.at[i]);
    if (err == VS_OK)
        *ret = set;
    else
        silence_set_free(&set);
    return err;
}
