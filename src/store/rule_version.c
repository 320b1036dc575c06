#include "store/rule_version.h"

#include "core/writer.h"

#define COLUMNS                                                                                                        \
    "v.version, v.rule, v.text, v.first_us, (SELECT COUNT(*) FROM alert_rule_version n WHERE n.version = v.version)"

void rule_version_text(const uint8_t version[RULE_VERSION_SIZE], char ret[RULE_VERSION_TEXT_SIZE])
{
    struct writer w;

    writer_init(&w, ret, RULE_VERSION_TEXT_SIZE - 1);
    writer_hex(&w, slice_make(version, RULE_VERSION_SIZE), false);
    ret[w.len] = '\0';
}

bool rule_version_known(struct store *st, const uint8_t version[RULE_VERSION_SIZE])
{
    struct store_stmt *q = store_prepare(st, "SELECT 1 FROM rule_version WHERE version = ?");
    char text[RULE_VERSION_TEXT_SIZE];

    rule_version_text(version, text);
    store_bind_text(q, 1, slice_str(text));
    bool known = store_step(q) == VS_OK;
    store_done(q);
    return known;
}

enum vs_err rule_version_put(struct store *st, const uint8_t version[RULE_VERSION_SIZE], struct slice rule,
                             struct slice text, int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO rule_version (version, rule, text, first_us) "
                                             "VALUES (?, ?, ?, ?) ON CONFLICT (version) DO NOTHING");
    char hex[RULE_VERSION_TEXT_SIZE];

    rule_version_text(version, hex);
    store_bind_text(q, 1, slice_str(hex));
    store_bind_text(q, 2, rule);
    store_bind_text(q, 3, text);
    store_bind_i64(q, 4, now_us);
    return store_run(q);
}

enum vs_err rule_version_note(struct store *st, const uint8_t alert[ALERT_ID_SIZE],
                              const uint8_t version[RULE_VERSION_SIZE], int64_t now_us)
{
    struct store_stmt *q = store_prepare(st, "INSERT INTO alert_rule_version (alert, version, first_us) "
                                             "VALUES (?, ?, ?) ON CONFLICT (alert, version) DO NOTHING");
    char hex[RULE_VERSION_TEXT_SIZE];
    char id[ALERT_ID_TEXT_SIZE];

    rule_version_text(version, hex);
    alert_id_text(alert, id);
    store_bind_text(q, 1, slice_str(id));
    store_bind_text(q, 2, slice_str(hex));
    store_bind_i64(q, 3, now_us);
    return store_run(q);
}

struct store_stmt *rule_version_list(struct store *st, struct slice rule, struct slice alert)
{
    struct store_stmt *q;

    if (alert.len > 0) {
        q = store_prepare(st, "SELECT " COLUMNS " FROM alert_rule_version a JOIN rule_version v ON v.version = "
                              "a.version WHERE a.alert = ? ORDER BY a.first_us, v.version");
        store_bind_text(q, 1, alert);
    } else if (rule.len > 0) {
        q = store_prepare(st, "SELECT " COLUMNS " FROM rule_version v WHERE v.rule = ? ORDER BY v.first_us, v.version");
        store_bind_text(q, 1, rule);
    } else {
        q = store_prepare(st, "SELECT " COLUMNS " FROM rule_version v ORDER BY v.rule, v.first_us, v.version");
    }
    return q;
}

bool rule_version_next(struct store_stmt *q, struct rule_version_row *ret)
{
    if (store_step(q) != VS_OK)
        return false;
    ret->version = store_text(q, 0);
    ret->rule = store_text(q, 1);
    ret->text = store_text(q, 2);
    ret->first_us = store_i64(q, 3);
    ret->alerts = store_i64(q, 4);
    return true;
}

enum vs_err rule_version_find(struct store *st, struct slice prefix, struct store_stmt **ret_q,
                              struct rule_version_row *ret)
{
    struct store_stmt *count = store_prepare(st, "SELECT COUNT(*) FROM rule_version WHERE substr(version, 1, ?) = ?");
    int64_t found = 0;

    store_bind_i64(count, 1, (int64_t)prefix.len);
    store_bind_text(count, 2, prefix);
    if (store_step(count) == VS_OK)
        found = store_i64(count, 0);
    store_done(count);
    if (found != 1)
        return found == 0 ? VS_ERR_NOT_FOUND : VS_ERR_CONFLICT;
    struct store_stmt *q = store_prepare(st, "SELECT " COLUMNS " FROM rule_version v WHERE substr(version, 1, ?) = ?");
    store_bind_i64(q, 1, (int64_t)prefix.len);
    store_bind_text(q, 2, prefix);
    if (!rule_version_next(q, ret)) {
        store_done(q);
        return VS_ERR_NOT_FOUND;
    }
    *ret_q = q;
    return VS_OK;
}
