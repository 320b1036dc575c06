#include "respond/task.h"
#include "respond/timeline.h"
#include "store/change.h"

static const struct {
    const char *kind, *title;
    bool approval;
} KINDS[] = {
    {"analyst_review", "Have an analyst look at it", false},
    {"psirt_indicator_report", "Send the indicator report to the PSIRT", true},
    {"share_auto_isac", "Share the signature with Auto-ISAC", true},
    {"evaluate_ota_countermeasure", "Evaluate an OTA countermeasure for the affected vehicles", false},
    {"key_rotation", "Decide on an emergency key rotation", true},
    {"tune_rule", "Tune the rule: its alert budget is used up", false},
    {"owner_notification", "Ask whether the owner was notified, and link the record", false},
};
#define KIND_COUNT (sizeof KINDS / sizeof KINDS[0])

struct slice task_title(struct slice kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (slice_equal_str(kind, KINDS[i].kind))
            return slice_str(KINDS[i].title);
    return kind;
}

bool task_needs_approval(struct slice kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (slice_equal_str(kind, KINDS[i].kind))
            return KINDS[i].approval;
    return true; /* what nobody here knows is not done without being asked */
}

enum vs_err task_open(struct store *st, int64_t incident, struct slice kind, int64_t now_us, bool *ret_new)
{
    int64_t id;
    enum vs_err err = counter_next(st, "task", &id);

    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "INSERT INTO task (id, incident, kind, title, state, opened_us) "
                                             "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (incident, kind) DO NOTHING");
    store_bind_i64(q, 1, id);
    store_bind_i64(q, 2, incident);
    store_bind_text(q, 3, kind);
    store_bind_text(q, 4, task_title(kind));
    store_bind_text(q, 5, slice_str(task_needs_approval(kind) ? "pending_approval" : "open"));
    store_bind_i64(q, 6, now_us);
    err = store_run(q);
    bool fresh = err == VS_OK && store_changes(st) > 0;
    if (fresh) {
        struct timeline_item item = {.lane = "system", .kind = "task.opened", .text = task_title(kind), .ref = kind};
        err = timeline_add(st, incident, &item, now_us);
    }
    if (err == VS_OK && ret_new != NULL)
        *ret_new = fresh;
    return err;
}

enum vs_err task_open_as(struct store *st, int64_t incident, struct slice kind, struct slice title, int64_t now_us)
{
    enum vs_err err = task_open(st, incident, kind, now_us, NULL);

    if (err != VS_OK)
        return err;
    struct store_stmt *q = store_prepare(st, "UPDATE task SET title = ? WHERE incident = ? AND kind = ? "
                                             "AND ended_us IS NULL");
    store_bind_text(q, 1, title);
    store_bind_i64(q, 2, incident);
    store_bind_text(q, 3, kind);
    return store_run(q);
}
