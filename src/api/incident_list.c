/* The queue: one page of a snapshot, the count of what is new, and the facets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/incident_query.h"
#include "api/page.h"
#include "api/route.h"
#include "store/change.h"

#define AT_CURSOR_VALUE 134
#define AT_CURSOR_ID    135
#define AT_LIMIT        136
#define SLA_NEVER       "9223372036854775000" /* an incident without a running clock sorts behind all others */

/* The order by a key, then by number in the same direction; the page goes on behind the cursor. */
#define LIST_SQL(key_, op_, dir_)                                                                                      \
    "SELECT " INCIDENT_ROW_COLUMNS ", " key_ " FROM incident i WHERE " INCIDENT_WHERE " AND (" key_ " " op_            \
    " ?134 OR (" key_ " = ?134 AND i.number " op_ " ?135)) ORDER BY " key_ " " dir_ ", i.number " dir_ " LIMIT ?136"
#define SORT(name_, key_)                                                                                              \
    {name_, LIST_SQL(key_, ">", "ASC"), false},                                                                        \
    {                                                                                                                  \
        "-" name_, LIST_SQL(key_, "<", "DESC"), true                                                                   \
    }

static const struct sort {
    const char *name, *sql;
    bool descending;
} SORTS[] = {
    SORT("priority", "i.priority"), SORT("severity", "i.severity"),
    SORT("opened", "i.opened_us"),  SORT("updated", "i.updated_us"),
    SORT("vehicles", "i.vehicles"), SORT("sla", "coalesce(i.sla_due_us, " SLA_NEVER ")"),
    SORT("id", "i.number"),
};

static const struct sort *sort_find(const char *name)
{
    for (size_t i = 0; i < sizeof SORTS / sizeof SORTS[0]; i++)
        if (strcmp(SORTS[i].name, name) == 0)
            return &SORTS[i];
    return NULL;
}

static int64_t count_matching(struct call *c, const struct incident_query *iq)
{
    struct store_stmt *q = store_prepare(c->st, "SELECT count(*) FROM incident i WHERE " INCIDENT_WHERE);

    incident_query_bind(q, iq, 0);
    int64_t count = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return count;
}

/* Reads the snapshot a call names, or takes the present one. */
static bool read_as_of(struct call *c, int64_t *ret)
{
    const char *text = http_query(c->rq, "as_of");

    *ret = change_head(c->st);
    if (text == NULL || filter_number(text, INT64_MAX, ret) == VS_OK)
        return true;
    reply_fault(c, VS_ERR_MALFORMED, "as_of", "not the number of a snapshot");
    return false;
}

static json_t *page_rows(struct call *c, const struct incident_query *iq, const struct sort *sort, struct page *page)
{
    struct store_stmt *q = store_prepare(c->st, sort->sql);
    json_t *rows = json_array();
    int64_t key = 0, number = 0;

    incident_query_bind(q, iq, 0);
    store_bind_i64(q, AT_CURSOR_VALUE, page->has_cursor ? page->key : sort->descending ? INT64_MAX : INT64_MIN);
    store_bind_i64(q, AT_CURSOR_ID, page->has_cursor ? page->id : sort->descending ? INT64_MAX : INT64_MIN);
    store_bind_i64(q, AT_LIMIT, page->limit + 1);
    while (store_step(q) == VS_OK) {
        if ((int64_t)json_array_size(rows) == page->limit) {
            page_next(page, key, number);
            break;
        }
        json_array_append_new(rows, incident_row_json(q, c->now_us));
        number = store_i64(q, 0);
        key = store_i64(q, INCIDENT_ROW_COLUMN_COUNT);
    }
    store_done(q);
    return rows;
}

void incident_list(struct call *c)
{
    struct incident_query iq;
    struct page page;
    const char *sort_name = http_query(c->rq, "sort");
    const struct sort *sort = sort_find(sort_name != NULL ? sort_name : "-priority");

    if (sort == NULL) {
        reply_fault(c, VS_ERR_RANGE, "sort", "not a key that incidents are sorted by");
        return;
    }
    if (!incident_query_read(c, &iq) || !read_as_of(c, &iq.seq_max) || !page_read(c, sort->name, &page))
        return;
    json_t *o = json_object();
    json_object_set_new(o, "as_of", json_integer(iq.seq_max));
    json_object_set_new(o, "as_of_time", json_time(c->now_us));
    json_object_set_new(o, "total", json_total(count_matching(c, &iq)));
    json_object_set_new(o, "rows", page_rows(c, &iq, sort, &page));
    json_object_set_new(o, "next", page_next_json(&page));
    reply_json(c, 200, o);
}

void incident_news(struct call *c)
{
    struct incident_query iq;
    const char *since = http_query(c->rq, "since");
    int64_t head = change_head(c->st);

    if (!incident_query_read(c, &iq))
        return;
    if (since == NULL || filter_number(since, INT64_MAX, &iq.seq_min) != VS_OK) {
        reply_fault(c, VS_ERR_MALFORMED, "since", "the number of a snapshot is needed");
        return;
    }
    reply_json(c, 200,
               json_pack("{s:I, s:I, s:I}", "since", (json_int_t)iq.seq_min, "as_of", (json_int_t)head, "count",
                         (json_int_t)count_matching(c, &iq)));
}

/* ---- facets */

#define FACET_VALUES_MAX 50
#define FACET_SQL(value_, label_)                                                                                      \
    "SELECT " value_ ", " label_ ", count(*) FROM incident i WHERE " INCIDENT_WHERE " GROUP BY 1 ORDER BY 3 DESC, 1"

static const char *severity_text(int64_t v)
{
    return alert_severity_code(v);
}

static const char *stage_text(int64_t v)
{
    return stage_code((enum stage)v);
}

static const char *disposition_text(int64_t v)
{
    return v == DISPOSITION_NONE ? "none" : disposition_code((enum disposition)v);
}

static const struct facet {
    const char *name, *sql;
    unsigned off;                   /* its own filter */
    const char *(*text)(int64_t v); /* of a number; NULL: the column is text */
} FACETS[] = {
    {"severity", FACET_SQL("i.severity", "NULL"), QUERY_SEVERITY_OFF, severity_text},
    {"stage", FACET_SQL("i.stage", "NULL"), QUERY_STAGE_OFF, stage_text},
    {"disposition", FACET_SQL("i.disposition", "NULL"), QUERY_DISPOSITION_OFF, disposition_text},
    {"assignee",
     FACET_SQL("coalesce(i.assignee, 'none')",
               "(SELECT display FROM app_user WHERE name = coalesce(i.assignee, 'none'))"),
     QUERY_LIST_OFF << QUERY_ASSIGNEE, NULL},
    {"rule", FACET_SQL("i.rule", "max(i.rule_title)"), QUERY_LIST_OFF << QUERY_RULE, NULL},
    {"model", FACET_SQL("coalesce(i.model, 'none')", "NULL"), QUERY_LIST_OFF << QUERY_MODEL, NULL},
};

static json_t *facet_json(struct call *c, const struct facet *f, const struct incident_query *iq)
{
    struct store_stmt *q = store_prepare(c->st, f->sql);
    json_t *values = json_array();
    int64_t other = 0;

    incident_query_bind(q, iq, f->off);
    while (store_step(q) == VS_OK) {
        if (json_array_size(values) == FACET_VALUES_MAX) {
            other += store_i64(q, 2);
            continue;
        }
        json_t *v = json_object();
        json_object_set_new(v, "value",
                            f->text != NULL ? json_string(f->text(store_i64(q, 0))) : json_slice(store_text(q, 0)));
        json_object_set_new(v, "label", json_column(q, 1));
        json_object_set_new(v, "count", json_integer(store_i64(q, 2)));
        json_array_append_new(values, v);
    }
    store_done(q);
    return json_pack("{s:s, s:o, s:I}", "name", f->name, "values", values, "other", (json_int_t)other);
}

void incident_facets(struct call *c)
{
    struct incident_query iq;

    if (!incident_query_read(c, &iq) || !read_as_of(c, &iq.seq_max))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof FACETS / sizeof FACETS[0]; i++)
        json_array_append_new(list, facet_json(c, &FACETS[i], &iq));
    reply_json(c, 200, json_pack("{s:I, s:o}", "as_of", (json_int_t)iq.seq_max, "facets", list));
}
