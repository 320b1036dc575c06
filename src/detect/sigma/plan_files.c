#include "detect/sigma/plan_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/jsonl/json_lines.h"

struct walk {
    struct diag *diag;
    plan_file_fn *each;
    void *ctx;
    bool failed;
    unsigned depth;
};

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

static void path_failed(struct walk *w, const char *path)
{
    diag_add(w->diag, DIAG_ERROR, path, 0, 0, "cannot read: %s", strerror(errno));
    w->failed = true;
}

static void take_file(struct walk *w, const char *path)
{
    struct text_file f = {0};

    if (text_file_open(path, &f) != VS_OK) {
        path_failed(w, path);
        return;
    }
    w->each(w->ctx, path, f.bytes);
    text_file_close(&f);
}

static void take_path(struct walk *w, const char *path);

/* Of a folder everything, or only what the filter takes. */
static void take_folder(struct walk *w, const char *path, bool (*wanted)(const char *name), bool deep)
{
    struct dirent **entry;
    int count = scandir(path, &entry, NULL, alphasort);

    if (count < 0) {
        path_failed(w, path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char full[4096];
        const char *name = entry[i]->d_name;
        struct stat st;
        bool fits = snprintf(full, sizeof full, "%s/%s", path, name) < (int)sizeof full;
        if (name[0] != '.' && fits && stat(full, &st) == 0) {
            if (S_ISDIR(st.st_mode) && deep)
                take_path(w, full);
            else if (S_ISREG(st.st_mode) && wanted(name))
                take_file(w, full);
        }
        free(entry[i]);
    }
    free(entry);
}

static bool is_rules(const char *name)
{
    return (ends_with(name, ".yml") || ends_with(name, ".yaml")) && !ends_with(name, ".test.yml");
}

static bool is_pipeline(const char *name)
{
    return ends_with(name, ".pipeline.yml") || ends_with(name, ".pipeline.yaml");
}

static void take_neighbours(struct walk *w, const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int len = slash != NULL ? (int)(slash - path) : 0;

    if (is_pipeline(path) || len >= (int)sizeof folder)
        return;
    if (len > 0)
        snprintf(folder, sizeof folder, "%.*s", len, path);
    else
        snprintf(folder, sizeof folder, "%s", slash != NULL ? "/" : ".");
    take_folder(w, folder, is_pipeline, false);
}

/* PATH_DEPTH_MAX bounds the recursion. */
static void take_path(struct walk *w, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        path_failed(w, path);
    } else if (!S_ISDIR(st.st_mode)) {
        take_file(w, path);
        take_neighbours(w, path);
    } else if (w->depth < PATH_DEPTH_MAX) {
        w->depth++;
        take_folder(w, path, is_rules, true);
        w->depth--;
    }
}

bool plan_files_walk(const char *path, struct diag *d, plan_file_fn *each, void *ctx)
{
    struct walk w = {.diag = d, .each = each, .ctx = ctx};

    take_path(&w, path);
    return !w.failed;
}
