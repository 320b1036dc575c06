/* vsoc intel hunt: searches an event log for what indicators name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/intel_commands.h"
#include "app/intel_scan.h"
#include "app/usage.h"
#include "app/vsocd_config.h"
#include "base/jsonl/json_lines.h"
#include "core/timestamp.h"
#include "detect/intel/intel_import.h"
#include "ingest/registry_store.h"
#include "store/intel_store.h"

#define STEP_RECORDS 4096u
#define OUT_MAX      8192

static const char USAGE[] =
    "usage: vsoc intel hunt --archive DIR (--pattern P | --bundle FILE | --config FILE | --data DIR)\n"
    "                       [--indicator ID]...\n\n"
    "Searches an event log (a folder of segments, as <data_dir>/log) with the code that detects and prints one line "
    "per\n"
    "match: indicator, vehicle, time, count, type, signature, place in the log. Sorted as the log is read.\n\n"
    "  --pattern P      a STIX pattern\n"
    "  --bundle FILE    the indicators of a bundle; nothing is stored\n"
    "  --config, --data the indicators of the state database\n"
    "  --indicator ID   only this one; may stand several times\n\n"
    "Exit 1 when something was found, 0 when not.\n";

#define WANTED_MAX 64

struct options {
    const char *archive, *pattern, *bundle, *config, *data;
    const char *wanted[WANTED_MAX];
    unsigned wanted_count;
};

struct finder {
    struct intel_index *index;
    char **id; /* by number */
    uint32_t count, room;
    uint64_t found;
};

static bool note_id(struct finder *f, struct slice id)
{
    if (f->count == f->room) {
        uint32_t room = f->room == 0 ? 64 : f->room * 2;
        char **grown = realloc(f->id, room * sizeof *grown);
        if (grown == NULL)
            return false;
        f->id = grown;
        f->room = room;
    }
    f->id[f->count] = strndup((const char *)id.ptr, id.len);
    return f->id[f->count++] != NULL;
}

static void print_match(void *ctx, uint32_t indicator, const struct alert_member *m, bool late)
{
    struct finder *f = ctx;
    char out[OUT_MAX], vid[VID_TEXT_SIZE];
    struct writer w;

    f->found++;
    alert_vid_text(m->vid, vid);
    writer_init(&w, out, sizeof out);
    writer_text(&w, "{\"indicator\":");
    writer_json_text(&w, slice_str(f->id[indicator]));
    writer_text(&w, ",\"vehicle\":\"");
    writer_text(&w, vid);
    writer_text(&w, "\",\"time\":\"");
    timestamp_write(&w, m->time_us);
    writer_text(&w, "\",\"count\":");
    writer_u64_text(&w, m->count);
    writer_text(&w, ",\"type\":");
    writer_json_text(&w, m->type);
    writer_text(&w, ",\"signature\":");
    writer_json_text(&w, m->signature);
    writer_text(&w, late ? ",\"late\":true,\"partition\":" : ",\"late\":false,\"partition\":");
    writer_u64_text(&w, m->log_partition);
    writer_text(&w, ",\"offset\":");
    writer_u64_text(&w, m->log_offset);
    writer_text(&w, "}\n");
    fwrite(out, 1, w.len, stdout);
}

static bool wanted(const struct options *o, struct slice id)
{
    for (unsigned i = 0; i < o->wanted_count; i++)
        if (slice_equal_str(id, o->wanted[i]))
            return true;
    return o->wanted_count == 0;
}

static int add_pattern(struct finder *f, const char *pattern)
{
    struct stix_fault fault = {0, ""};

    if (!note_id(f, slice_str("pattern")) ||
        intel_index_add(f->index, 0, slice_str(pattern), 0, INT64_MAX, &fault) != VS_OK) {
        fprintf(stderr, "vsoc intel hunt: the pattern at its byte %u: %s\n", fault.position, fault.text);
        return 2;
    }
    return 0;
}

static int add_stored(struct finder *f, struct store *st, const struct options *o)
{
    struct store_stmt *q = store_prepare(st, "SELECT " INTEL_INDICATOR_COLUMNS " FROM intel_indicator i "
                                             "WHERE i.refused IS NULL ORDER BY i.id");
    struct intel_indicator_row row;
    struct stix_fault fault;

    while (store_step(q) == VS_OK) {
        intel_indicator_row_read(q, &row);
        if (!wanted(o, row.id) || !note_id(f, row.id))
            continue;
        if (intel_index_add(f->index, f->count - 1, row.pattern, row.valid_from_us, row.valid_until_us, &fault) !=
            VS_OK)
            fprintf(stderr, "%.*s: left out: %s\n", (int)row.id.len, (const char *)row.id.ptr, fault.text);
    }
    store_done(q);
    if (f->count == 0)
        fprintf(stderr, "vsoc intel hunt: there is no such indicator that can be matched\n");
    return f->count == 0 ? 2 : 0;
}

static void on_fault(void *ctx, uint64_t index, size_t byte, struct slice id, const char *reason)
{
    fprintf(stderr, "%s: object %llu at byte %zu %.*s: %s\n", (const char *)ctx, (unsigned long long)index, byte,
            (int)id.len, (const char *)id.ptr, reason);
}

/* A bundle goes through the same import into a database in memory. */
static int add_bundle(struct finder *f, const struct options *o)
{
    char name[512];
    struct text_file file = {{NULL, 0}, NULL, 0, false};
    struct store *st = NULL;
    struct store_error error;
    struct intel_import *im = NULL;
    int code = 2;

    snprintf(name, sizeof name, "%s", o->bundle);
    if (text_file_open(o->bundle, &file) != VS_OK) {
        fprintf(stderr, "%s: %s\n", o->bundle, strerror(errno));
        return 2;
    }
    if (store_open("memory:", &st, &error) == VS_OK) {
        struct intel_import_config cfg = {st, slice_str(name), TLP_AMBER_STRICT, on_fault, name};
        if (store_begin(st) == VS_OK && intel_import_new(&cfg, &im) == VS_OK &&
            intel_import_text(im, file.bytes) == VS_OK && store_commit(st) == VS_OK)
            code = add_stored(f, st, o);
    }
    intel_import_free(im);
    store_close(st);
    text_file_close(&file);
    return code;
}

static int search(struct finder *f, const char *archive)
{
    char address[VSOCD_PATH_MAX];
    struct stream *log = NULL;
    struct stream_error error = {""};
    struct intel_scan *scan = NULL;
    struct intel_scan_progress progress;
    bool done = false;

    snprintf(address, sizeof address, "segment:%s", archive);
    if (stream_open(address, false, &log, &error) != VS_OK) {
        fprintf(stderr, "%s: %s\n", archive, error.text);
        return 2;
    }
    enum vs_err err = intel_scan_open(log, NULL, f->index, print_match, f, &scan);
    while (err == VS_OK && !done)
        err = intel_scan_step(scan, NULL, STEP_RECORDS, &done);
    if (err == VS_OK) {
        intel_scan_progress(scan, &progress);
        fprintf(stderr, "%llu records, %llu events, %llu matches of %u indicators, %llu damaged records\n",
                (unsigned long long)progress.records, (unsigned long long)progress.events,
                (unsigned long long)progress.matches, f->count, (unsigned long long)progress.damaged);
    } else {
        fprintf(stderr, "%s: %s\n", archive, vs_err_text(err));
    }
    intel_scan_close(scan);
    stream_close(log);
    return err != VS_OK ? 2 : f->found > 0 ? 1 : 0;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *one = NULL;
        const char **value = strcmp(argv[i], "--archive") == 0     ? &o->archive
                             : strcmp(argv[i], "--pattern") == 0   ? &o->pattern
                             : strcmp(argv[i], "--bundle") == 0    ? &o->bundle
                             : strcmp(argv[i], "--config") == 0    ? &o->config
                             : strcmp(argv[i], "--data") == 0      ? &o->data
                             : strcmp(argv[i], "--indicator") == 0 ? &one
                                                                   : NULL;

        if (value == NULL || i + 1 == argc || (value == &one && o->wanted_count == WANTED_MAX))
            return false;
        *value = argv[++i];
        if (value == &one)
            o->wanted[o->wanted_count++] = one;
    }
    return o->archive != NULL &&
           (o->pattern != NULL) + (o->bundle != NULL) + (o->config != NULL) + (o->data != NULL) == 1;
}

int intel_hunt_command(int argc, char **argv)
{
    struct options o = {0};
    struct finder f = {0};
    int code = 2;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (!parse(argc, argv, &o))
        return usage_refuse("vsoc intel hunt", argc, argv, USAGE);
    if (intel_index_new(&f.index) != VS_OK)
        return 2;
    if (o.pattern != NULL) {
        code = add_pattern(&f, o.pattern);
    } else if (o.bundle != NULL) {
        code = add_bundle(&f, &o);
    } else {
        struct store *st = intel_open_store(o.config, o.data);
        code = st != NULL ? add_stored(&f, st, &o) : 2;
        store_close(st);
    }
    if (code == 0)
        code = search(&f, o.archive);
    intel_index_free(f.index);
    for (uint32_t i = 0; i < f.count; i++)
        free(f.id[i]);
    free(f.id);
    return code;
}
