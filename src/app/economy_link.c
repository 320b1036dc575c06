/* The last part of a commit: silences and budgets have their say on the alerts of this transaction (respond/settle.h).
 * The budget file is read once at opening; everything else is in the database. */
#include <stdio.h>
#include <stdlib.h>

#include "app/economy_link.h"
#include "respond/budget_file.h"
#include "respond/settle.h"

/* The limits stand in the database before the first alert asks for them. */
static enum vs_err write_limits(struct store *st, const struct budget_limit *limit, unsigned count)
{
    enum vs_err err = store_begin(st);

    if (err != VS_OK)
        return err;
    err = budget_limits_put(st, limit, count);
    if (err == VS_OK)
        err = store_commit(st);
    if (err != VS_OK)
        store_rollback(st);
    return err;
}

static enum vs_err link_open(const struct pipeline_config *cfg, void **ret_self, struct pipeline_error *ret_error)
{
    struct budget_file_error error = {0};
    struct budget_limit *limit = NULL;
    unsigned count = 0;
    enum vs_err err = budget_file_read(cfg->budgets_path, &limit, &count, &error);

    if (err != VS_OK) {
        snprintf(ret_error->text, sizeof ret_error->text, "%.256s:%u: %s",
                 cfg->budgets_path != NULL ? cfg->budgets_path : "", error.line, error.text);
        return err;
    }
    err = write_limits(cfg->store, limit, count);
    if (err != VS_OK)
        snprintf(ret_error->text, sizeof ret_error->text, "alert budgets: %s", store_error_text(cfg->store));
    free(limit);
    *ret_self = NULL; /* no state of its own */
    return err;
}

static void link_close(void *self)
{
    (void)self;
}

static enum vs_err link_commit(void *self, struct store *st, int64_t now_us, bool quiet, uint64_t *changes)
{
    (void)self;
    (void)quiet;
    (void)changes;
    return respond_settle(st, now_us);
}

const struct pipeline_part economy_link = {
    .name = "economy", .open = link_open, .close = link_close, .commit = link_commit};
