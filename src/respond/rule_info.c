#include "respond/rule_info.h"

#include "core/writer.h"

static const char ON_REPEAT[] = ":on_repeat";

/* "name name:on_repeat": names are words of the rule language and have no blanks. */
static struct slice actions_text(const struct alert_context *about, char *buf, size_t size)
{
    struct writer w;

    writer_init(&w, buf, size);
    for (unsigned i = 0; i < about->action_count && i < ALERT_ACTIONS_MAX; i++) {
        size_t mark = w.len;
        writer_text(&w, i > 0 ? " " : "");
        writer_put(&w, about->action[i].name);
        writer_text(&w, about->action[i].on_repeat ? ON_REPEAT : "");
        writer_whole(&w, mark);
    }
    return writer_slice(&w);
}

static void actions_read(struct slice text, struct alert_context *ret)
{
    size_t at = 0;

    while (at < text.len && ret->action_count < ALERT_ACTIONS_MAX) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != ' ')
            end++;
        struct slice name = slice_make(text.ptr + at, end - at);
        size_t tail = sizeof ON_REPEAT - 1;
        bool repeat = name.len > tail && slice_equal_str(slice_from(name, name.len - tail), ON_REPEAT);
        struct alert_action *a = &ret->action[ret->action_count++];
        a->name = repeat ? slice_head(name, name.len - tail) : name;
        a->on_repeat = repeat;
        at = end + 1;
    }
}

/* Binds the columns that both kinds of writing share, from `at` on. */
static void bind_about(struct store_stmt *q, int at, struct slice title, const struct alert_context *about,
                       struct slice actions, int64_t now_us)
{
    store_bind_text(q, at, title);
    store_bind_text(q, at + 1, about->owner);
    store_bind_text(q, at + 2, about->rationale);
    store_bind_text(q, at + 3, about->playbook);
    store_bind_i64(q, at + 4, about->safety);
    store_bind_i64(q, at + 5, about->hunt_only);
    store_bind_text(q, at + 6, actions);
    store_bind_i64(q, at + 7, now_us);
}

enum vs_err rule_info_fired(struct store *st, struct slice rule, struct slice title, const struct alert_context *about,
                            int64_t now_us)
{
    char buf[RULE_INFO_ACTIONS_MAX];
    struct slice actions = actions_text(about, buf, sizeof buf);
    /* The condition at the end leaves a row alone that says the same: most alerts are of rules that are known. */
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO rule_info (rule, title, owner, rationale, playbook, safety, hunt_only, actions, changed_us, "
            "severity, tara, r155, atm, path, loaded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, -1, '', '', '', '', 0) "
            "ON CONFLICT (rule) DO UPDATE SET owner = excluded.owner, rationale = excluded.rationale, "
            "playbook = excluded.playbook, safety = excluded.safety, hunt_only = excluded.hunt_only, "
            "actions = excluded.actions, changed_us = excluded.changed_us "
            "WHERE rule_info.owner <> excluded.owner OR rule_info.rationale <> excluded.rationale "
            "OR rule_info.playbook <> excluded.playbook OR rule_info.safety <> excluded.safety "
            "OR rule_info.hunt_only <> excluded.hunt_only OR rule_info.actions <> excluded.actions");

    store_bind_text(q, 1, rule);
    bind_about(q, 2, title, about, actions, now_us);
    return store_run(q);
}

enum vs_err rule_info_begin(struct store *st)
{
    return store_run(store_prepare(st, "UPDATE rule_info SET loaded = 0 WHERE loaded = 1"));
}

enum vs_err rule_info_put(struct store *st, const struct rule_listing *listing, const struct alert_context *about,
                          int64_t now_us)
{
    char buf[RULE_INFO_ACTIONS_MAX];
    struct slice actions = actions_text(about, buf, sizeof buf);
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO rule_info (rule, title, owner, rationale, playbook, safety, hunt_only, actions, changed_us, "
            "severity, tara, r155, atm, path, loaded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) "
            "ON CONFLICT (rule) DO UPDATE SET title = excluded.title, owner = excluded.owner, "
            "rationale = excluded.rationale, playbook = excluded.playbook, safety = excluded.safety, "
            "hunt_only = excluded.hunt_only, actions = excluded.actions, changed_us = excluded.changed_us, "
            "severity = excluded.severity, tara = excluded.tara, r155 = excluded.r155, atm = excluded.atm, "
            "path = excluded.path, loaded = 1");

    store_bind_text(q, 1, listing->rule);
    bind_about(q, 2, listing->title, about, actions, now_us);
    store_bind_i64(q, 10, listing->severity);
    store_bind_text(q, 11, listing->tara);
    store_bind_text(q, 12, listing->r155);
    store_bind_text(q, 13, listing->atm);
    store_bind_text(q, 14, listing->path);
    return store_run(q);
}

enum vs_err rule_info_find(struct store *st, struct slice rule, struct store_stmt **ret_q, struct alert_context *ret)
{
    struct alert_context about = {.safety = -1};
    struct store_stmt *q = store_prepare(
        st, "SELECT owner, rationale, playbook, safety, hunt_only, actions FROM rule_info WHERE rule = ?");

    store_bind_text(q, 1, rule);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        about.owner = store_text(q, 0);
        about.rationale = store_text(q, 1);
        about.playbook = store_text(q, 2);
        about.safety = (int)store_i64(q, 3);
        about.hunt_only = store_i64(q, 4) != 0;
        actions_read(store_text(q, 5), &about);
    } else {
        store_done(q);
        q = NULL;
        if (err != VS_ERR_END)
            return err;
    }
    *ret = about;
    *ret_q = q;
    return VS_OK;
}
