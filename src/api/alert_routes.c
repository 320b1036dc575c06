/* Alerts: what rules found, before and beside incidents. */
#include <string.h>

#include "api/event_list.h"
#include "api/filter.h"
#include "api/incident_json.h"
#include "api/page.h"
#include "api/route.h"
#include "respond/silence.h"

#define MEMBERS_SHOWN 200

struct alert_query {
    uint32_t severity, state;
    int64_t from_us, to_us;
    struct filter_list rule;
    struct slice vid;
    int64_t incident; /* 0 = any, -1 = none */
    int64_t silence;  /* holds it or held it; 0 = any, -1 = held by none now, -2 = held now */
    char words[FILTER_TEXT_SIZE];
    unsigned word_count;
    struct slice word[FILTER_WORDS_MAX];
};

static int state_number(struct slice code)
{
    for (int s = 0; s <= ALERT_RETRACTED; s++)
        if (slice_equal_str(code, alert_state_code(s)))
            return s;
    return -1;
}

static bool bad(struct call *c, enum vs_err err, const char *field, const char *text)
{
    reply_fault(c, err, field, text);
    return false;
}

static bool read_query(struct call *c, struct alert_query *aq)
{
    const char *from = http_query(c->rq, "from"), *to = http_query(c->rq, "to");
    const char *incident = http_query(c->rq, "incident"), *vid = http_query(c->rq, "vid");
    const char *silence = http_query(c->rq, "silence");
    enum vs_err err;

    memset(aq, 0, sizeof *aq);
    aq->to_us = INT64_MAX;
    err = filter_mask(http_query(c->rq, "severity"), alert_severity_from_code, ALERT_CRITICAL + 1, &aq->severity);
    if (err != VS_OK)
        return bad(c, err, "severity", "not a list of known codes");
    err = filter_mask(http_query(c->rq, "state"), state_number, ALERT_RETRACTED + 1, &aq->state);
    if (err != VS_OK)
        return bad(c, err, "state", "not a list of: open, closed, retracted");
    err = filter_list_parse(http_query(c->rq, "rule"), &aq->rule);
    if (err != VS_OK)
        return bad(c, err, "rule", "not a list of at most 16 names");
    if ((from != NULL && filter_time(from, c->now_us, &aq->from_us) != VS_OK) ||
        (to != NULL && filter_time(to, c->now_us, &aq->to_us) != VS_OK))
        return bad(c, VS_ERR_MALFORMED, "from", "from and to take RFC 3339 or now-<number><s|m|h|d|w>");
    err = filter_words(http_query(c->rq, "q"), aq->words, sizeof aq->words, aq->word, &aq->word_count);
    if (err != VS_OK)
        return bad(c, err, "q", "at most 8 words and 200 characters");
    aq->vid = vid != NULL && vid[0] != '\0' ? slice_str(vid) : slice_make(NULL, 0);
    if (incident != NULL && incident[0] != '\0')
        aq->incident = strcmp(incident, "none") == 0 ? -1 : incident_number(slice_str(incident));
    if (incident != NULL && incident[0] != '\0' && aq->incident == 0)
        return bad(c, VS_ERR_MALFORMED, "incident", "not an incident's id, nor none");
    if (silence != NULL && silence[0] != '\0') {
        aq->silence = strcmp(silence, "none") == 0  ? -1
                      : strcmp(silence, "any") == 0 ? -2
                                                    : silence_number(slice_str(silence));
        if (aq->silence == 0)
            return bad(c, VS_ERR_MALFORMED, "silence", "not a silence's id, nor any, nor none");
    }
    return true;
}

#define SLOTS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
/* The n-th word is looked for only when there is one: the text is put together anew for each row. */
#define WORD(n)                                                                                                        \
    "(? < " #n " OR lower(a.title || ' ' || a.rule || ' ' || a.id || ' ' || a.group_json) LIKE ? ESCAPE '\\')"
#define ALERT_WHERE                                                                                                    \
    "a.superseded_by IS NULL AND ((1 << a.severity) & ?) <> 0 AND ((1 << a.state) & ?) <> 0 AND a.last_us >= ? "       \
    "AND a.last_us < ? AND (? = 0 OR a.rule IN (" SLOTS ")) AND a.rule NOT IN (" SLOTS ") "                            \
    "AND (? IS NULL OR a.vid = ? OR EXISTS (SELECT 1 FROM alert_vehicle v WHERE v.alert = a.id AND v.vid = ?)) "       \
    "AND (? = 0 OR coalesce(a.incident, -1) = ? OR EXISTS (SELECT 1 FROM incident_alert ia WHERE ia.alert = a.id "     \
    "AND ia.incident = ?)) AND (? = 0 OR (? > 0 AND EXISTS (SELECT 1 FROM silence_alert h WHERE h.alert = a.id "       \
    "AND h.silence = ?)) OR (? < 0 AND ? = CASE WHEN EXISTS (SELECT 1 FROM silence_alert h WHERE h.alert = a.id "      \
    "AND h.ended_us IS NULL) THEN -2 ELSE -1 END)) AND " WORD(1) " AND " WORD(2) " AND " WORD(3) " AND " WORD(         \
        4) " AND " WORD(5) " AND " WORD(6) " AND " WORD(7) " AND " WORD(8)

/* Binds ALERT_WHERE; returns the next parameter. */
static int bind_query(struct store_stmt *q, const struct alert_query *aq)
{
    int at = 1;
    struct slice nothing = slice_str("\x01");

    store_bind_i64(q, at++, aq->severity);
    store_bind_i64(q, at++, aq->state);
    store_bind_i64(q, at++, aq->from_us);
    store_bind_i64(q, at++, aq->to_us);
    store_bind_i64(q, at++, aq->rule.include_count);
    for (unsigned i = 0; i < FILTER_ITEMS_MAX; i++)
        store_bind_text(q, at++, i < aq->rule.include_count ? aq->rule.include[i] : nothing);
    for (unsigned i = 0; i < FILTER_ITEMS_MAX; i++)
        store_bind_text(q, at++, i < aq->rule.exclude_count ? aq->rule.exclude[i] : nothing);
    for (int i = 0; i < 3; i++, at++)
        if (aq->vid.ptr != NULL)
            store_bind_text(q, at, aq->vid);
    for (int i = 0; i < 3; i++)
        store_bind_i64(q, at++, aq->incident);
    for (int i = 0; i < 5; i++)
        store_bind_i64(q, at++, aq->silence);
    for (unsigned i = 0; i < FILTER_WORDS_MAX; i++) {
        char pattern[FILTER_PATTERN_SIZE];
        store_bind_i64(q, at++, aq->word_count);
        filter_like(i < aq->word_count ? aq->word[i] : slice_str(""), true, pattern);
        store_bind_text(q, at++, slice_str(pattern));
    }
    return at;
}

static json_t *page_rows(struct call *c, const struct alert_query *aq, struct page *page)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT " ALERT_ROW_COLUMNS ", a.number FROM alert a WHERE " ALERT_WHERE
                                                " AND (a.last_us < ? OR (a.last_us = ? AND a.number < ?)) "
                                                "ORDER BY a.last_us DESC, a.number DESC LIMIT ?");
    json_t *rows = json_array();
    int64_t key = 0, id = 0;
    int at = bind_query(q, aq);

    store_bind_i64(q, at, page->has_cursor ? page->key : INT64_MAX);
    store_bind_i64(q, at + 1, page->has_cursor ? page->key : INT64_MAX);
    store_bind_i64(q, at + 2, page->has_cursor ? page->id : INT64_MAX);
    store_bind_i64(q, at + 3, page->limit + 1);
    while (store_step(q) == VS_OK) {
        struct alert_row row;
        if ((int64_t)json_array_size(rows) == page->limit) {
            page_next(page, key, id);
            break;
        }
        alert_row_read(q, &row);
        key = row.last_us;
        id = store_i64(q, ALERT_ROW_COLUMN_COUNT);
        json_array_append_new(rows, alert_json(c->st, &row));
    }
    store_done(q);
    return rows;
}

void alert_list(struct call *c)
{
    struct alert_query aq;
    struct page page;

    if (!read_query(c, &aq) || !page_read(c, "last", &page))
        return;
    struct store_stmt *q = store_prepare(c->st, "SELECT count(*) FROM alert a WHERE " ALERT_WHERE);
    bind_query(q, &aq);
    int64_t total = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    json_t *rows = page_rows(c, &aq, &page);
    reply_json(c, 200,
               json_pack("{s:o, s:o, s:o}", "total", json_total(total), "rows", rows, "next", page_next_json(&page)));
}

static json_t *revisions_json(struct store *st, struct slice id)
{
    struct store_stmt *q = store_prepare(st, "SELECT revision, at_us, state, count, vehicles, why FROM alert_revision "
                                             "WHERE id = ? ORDER BY revision");
    json_t *list = json_array();

    store_bind_text(q, 1, id);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, json_pack("{s:I, s:o, s:s, s:I, s:I, s:o}", "revision", (json_int_t)store_i64(q, 0),
                                              "time", json_time(store_i64(q, 1)), "state",
                                              alert_state_code(store_i64(q, 2)), "count", (json_int_t)store_i64(q, 3),
                                              "vehicles", (json_int_t)store_i64(q, 4), "why", json_column(q, 5)));
    store_done(q);
    return list;
}

void alert_get(struct call *c)
{
    struct store_stmt *q;
    struct alert_row row;
    enum vs_err err = alert_store_find(c->st, c->part[0], &q, &row);

    if (err != VS_OK) {
        reply_fault(c, err, NULL, err == VS_ERR_NOT_FOUND ? "there is no such alert" : NULL);
        return;
    }
    json_t *o = json_pack("{s:o, s:o, s:o, s:I}", "alert", alert_json(c->st, &row), "revisions",
                          revisions_json(c->st, row.id), "members", event_members_of_alert(c, row.id, MEMBERS_SHOWN),
                          "members_total", (json_int_t)row.members_total);
    store_done(q);
    reply_json(c, 200, o);
}
