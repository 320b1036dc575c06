/* vsoc import stix: a bundle from a file into the state database. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/intel_commands.h"
#include "app/usage.h"
#include "app/vsocd_config.h"
#include "base/jsonl/json_lines.h"
#include "detect/intel/intel_import.h"

#define FAULTS_SHOWN_MAX 20

static const char USAGE[] =
    "usage: vsoc import stix FILE (--config FILE | --data DIR) [--source NAME] [--tlp LEVEL]\n\n"
    "Takes a STIX 2.1 bundle (or a TAXII envelope, or a single object; \"-\" is standard input) into the state\n"
    "database. Indicators are matched by the running daemon from its next commit on, and the event log is searched\n"
    "back for them.\n\n"
    "  --source NAME   what to call where it came from; the file's name when not said\n"
    "  --tlp LEVEL     clear, green, amber, amber+strict or red: of objects without a TLP marking (amber+strict)\n\n"
    "Of several versions of an object the latest counts, in whatever order they come. An object that is broken is "
    "named\n"
    "with its byte and left out (exit 1); a bundle that is broken as a whole changes nothing (exit 2). Prints one line "
    "of\n"
    "counts.\n";

struct options {
    const char *file, *config, *data, *source, *tlp;
};

struct faults {
    const char *file;
    uint64_t shown;
};

static void on_fault(void *ctx, uint64_t index, size_t byte, struct slice id, const char *reason)
{
    struct faults *f = ctx;

    if (f->shown++ >= FAULTS_SHOWN_MAX)
        return;
    if (index == 0)
        fprintf(stderr, "%s: byte %zu: %s\n", f->file, byte, reason);
    else
        fprintf(stderr, "%s: object %llu at byte %zu%s%.*s: %s\n", f->file, (unsigned long long)index, byte,
                id.len > 0 ? ", " : "", (int)id.len, (const char *)id.ptr, reason);
}

struct store *intel_open_store(const char *config, const char *data)
{
    struct vsocd_config cfg;
    char address[VSOCD_PATH_MAX], folder[VSOCD_PATH_MAX];
    struct store *st = NULL;
    struct store_error error = {""};

    if (config != NULL && !vsocd_config_read(config, &cfg))
        return NULL;
    if (config == NULL && (size_t)snprintf(cfg.data_dir, sizeof cfg.data_dir, "%s", data) >= sizeof cfg.data_dir) {
        fprintf(stderr, "the path of --data is too long\n");
        return NULL;
    }
    snprintf(folder, sizeof folder, "%s/state", cfg.data_dir);
    if ((mkdir(cfg.data_dir, 0700) != 0 && errno != EEXIST) || (mkdir(folder, 0700) != 0 && errno != EEXIST)) {
        fprintf(stderr, "%s: cannot make the folder: %s\n", folder, strerror(errno));
        return NULL;
    }
    vsocd_store_address(&cfg, address);
    if (store_open(address, &st, &error) != VS_OK) {
        fprintf(stderr, "%s: %s\n", address, error.text);
        return NULL;
    }
    return st;
}

static void print_counts(const struct intel_import_counts *c)
{
    printf("{\"objects\":%llu,\"indicators\":%llu,\"added\":%llu,\"updated\":%llu,\"older\":%llu,\"unchanged\":%llu,"
           "\"not_matchable\":%llu,\"relations\":%llu,\"sightings\":%llu,\"subjects\":%llu,\"faulty\":%llu}\n",
           (unsigned long long)c->objects, (unsigned long long)c->indicators, (unsigned long long)c->added,
           (unsigned long long)c->updated, (unsigned long long)c->older, (unsigned long long)c->unchanged,
           (unsigned long long)c->refused_patterns, (unsigned long long)c->relations, (unsigned long long)c->sightings,
           (unsigned long long)c->subjects, (unsigned long long)c->faulty);
}

static int import(struct store *st, const struct options *o, struct slice text, uint8_t tlp)
{
    struct faults faults = {o->file, 0};
    struct intel_import_config cfg = {st, slice_str(o->source != NULL ? o->source : o->file), tlp, on_fault, &faults};
    struct intel_import *im = NULL;
    struct intel_import_counts counts;
    enum vs_err err = intel_import_new(&cfg, &im);

    if (err == VS_OK)
        err = store_begin(st);
    if (err == VS_OK) {
        err = intel_import_text(im, text);
        if (err == VS_OK)
            err = store_commit(st);
        if (err != VS_OK)
            store_rollback(st);
    }
    if (err != VS_OK) {
        fprintf(stderr, "%s: nothing was imported: %s\n", o->file, vs_err_text(err));
        intel_import_free(im);
        return 2;
    }
    intel_import_counts(im, &counts);
    intel_import_free(im);
    if (faults.shown > FAULTS_SHOWN_MAX)
        fprintf(stderr, "%s: %llu more faults\n", o->file, (unsigned long long)(faults.shown - FAULTS_SHOWN_MAX));
    print_counts(&counts);
    return counts.faulty > 0 ? 1 : 0;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--config") == 0   ? &o->config
                             : strcmp(argv[i], "--data") == 0   ? &o->data
                             : strcmp(argv[i], "--source") == 0 ? &o->source
                             : strcmp(argv[i], "--tlp") == 0    ? &o->tlp
                                                                : NULL;

        if (value != NULL && i + 1 < argc)
            *value = argv[++i];
        else if (value == NULL && o->file == NULL && (argv[i][0] != '-' || argv[i][1] == '\0'))
            o->file = argv[i];
        else
            return false;
    }
    return o->file != NULL && (o->config != NULL) != (o->data != NULL);
}

int intel_import_command(int argc, char **argv)
{
    struct options o = {NULL, NULL, NULL, NULL, "amber+strict"};
    struct text_file file = {{NULL, 0}, NULL, 0, false};
    int code = 2;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (!parse(argc, argv, &o))
        return usage_refuse("vsoc import stix", argc, argv, USAGE);
    int tlp = stix_tlp_from_name(slice_str(o.tlp));
    if (tlp < 0) {
        fprintf(stderr, "vsoc import stix: %s is no level of TLP\n", o.tlp);
        return 2;
    }
    if (text_file_open(o.file, &file) != VS_OK) {
        fprintf(stderr, "%s: %s\n", o.file, strerror(errno));
        return 2;
    }
    struct store *st = intel_open_store(o.config, o.data);
    if (st != NULL)
        code = import(st, &o, file.bytes, (uint8_t)tlp);
    store_close(st);
    text_file_close(&file);
    return code;
}
