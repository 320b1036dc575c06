/* vsoc import: takes what other systems know into the state database. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/commands.h"
#include "app/file_text.h"
#include "app/intel_commands.h"
#include "app/usage.h"
#include "app/vsocd_config.h"
#include "app/wall_clock.h"
#include "base/jsonl/json_lines.h"
#include "ingest/enrol.h"
#include "ingest/registry_store.h"

#define FAULTS_SHOWN_MAX 20

struct options {
    const char *file;
    const char *config;
    const char *store; /* address */
    const char *pseudonym_key, *vault_key;
};

struct import {
    struct enrol enrol;
    const char *file;
    uint32_t faults_shown;
    uint64_t rows;
    bool writing; /* the first pass only looks */
};

static const char USAGE[] =
    "usage: vsoc import vehicles FILE --config FILE\n"
    "       vsoc import vehicles FILE --data DIR --pseudonym-key FILE [--vault-key FILE]\n"
    "       vsoc import stix FILE ...   threat intelligence; vsoc import stix --help says more\n\n"
    "Enrols vehicles: CSV with a header line, or JSON lines; \"-\" is standard input. Columns:\n\n"
    "  vin         must be there; kept sealed in the vault only, everything else goes by its pseudonym\n"
    "  model hardware region    as rules and reports shall name them\n"
    "  owner       whatever names the owner; only a keyed pseudonym is kept\n"
    "  sw_version  of the vehicle, or of `component`\n"
    "  component   an ECU or software component; one row each\n"
    "  sw_since    when that software was installed; without it: since ever for the first, now for a change\n\n"
    "All rows or none: a file with a broken row changes nothing, and each broken row is named. Importing a file\n"
    "again changes nothing. Prints {\"added\":n,\"changed\":n,\"unchanged\":n}.\n";

static bool random_bytes(uint8_t *buf, size_t size)
{
    return crypto_random(buf, size) == VS_OK;
}

static enum vs_err on_row(const struct vehicle_row *row, void *ctx)
{
    struct import *im = ctx;

    im->rows++;
    if (!im->writing)
        return VS_OK;
    enum vs_err err = enrol_row(&im->enrol, row);
    if (err != VS_OK)
        fprintf(stderr, "%s:%u: cannot enrol: %s\n", im->file, row->line, vs_err_text(err));
    return err;
}

static void on_fault(uint32_t line, const char *reason, struct slice at, void *ctx)
{
    struct import *im = ctx;

    if (im->faults_shown++ < FAULTS_SHOWN_MAX)
        fprintf(stderr, "%s:%u: %s%s%.*s\n", im->file, line, reason, at.len > 0 ? ": " : "", (int)at.len,
                (const char *)at.ptr);
}

static bool read_key(const char *path, uint8_t key[PSEUDONYM_KEY_SIZE])
{
    char *text = file_text_read(path, NULL);
    bool ok = text != NULL && pseudonym_key_read(slice_str(text), key) == VS_OK;

    if (!ok)
        fprintf(stderr, "%s: %s\n", path, text == NULL ? strerror(errno) : "a key is 64 hex digits");
    free(text);
    return ok;
}

/* Two passes: the first finds every fault, the second writes in one transaction. */
static int import_vehicles(struct import *im, struct slice text)
{
    uint32_t faults = 0;

    enum vs_err err = vehicle_list_read(text, on_row, on_fault, im, &faults);
    if (err == VS_OK && faults > 0) {
        if (faults > FAULTS_SHOWN_MAX)
            fprintf(stderr, "%s: %u more faults\n", im->file, faults - FAULTS_SHOWN_MAX);
        fprintf(stderr, "%s: nothing was imported\n", im->file);
        return 2;
    }
    im->writing = true;
    if (err == VS_OK)
        err = store_begin(im->enrol.store);
    if (err == VS_OK) {
        err = vehicle_list_read(text, on_row, on_fault, im, &faults);
        if (err == VS_OK)
            err = store_commit(im->enrol.store);
        if (err != VS_OK)
            store_rollback(im->enrol.store);
    }
    if (err != VS_OK) {
        fprintf(stderr, "%s: nothing was imported: %s (%s)\n", im->file, vs_err_text(err),
                store_error_text(im->enrol.store));
        return 2;
    }
    printf("{\"added\":%llu,\"changed\":%llu,\"unchanged\":%llu}\n", (unsigned long long)im->enrol.added,
           (unsigned long long)im->enrol.changed, (unsigned long long)im->enrol.unchanged);
    return 0;
}

/* The folders that vsocd would make at its first start. */
static bool make_folders(const char *data_dir)
{
    char path[VSOCD_PATH_MAX];

    snprintf(path, sizeof path, "%s/state", data_dir);
    if ((mkdir(data_dir, 0700) == 0 || errno == EEXIST) && (mkdir(path, 0700) == 0 || errno == EEXIST))
        return true;
    fprintf(stderr, "%s: cannot make the folder: %s\n", path, strerror(errno));
    return false;
}

static int run_vehicles(struct import *im, const char *store_address)
{
    struct text_file file = {{NULL, 0}, NULL, 0, false};
    struct store_error error = {""};
    int code = 2;

    if (text_file_open(im->file, &file) != VS_OK) {
        fprintf(stderr, "%s: %s\n", im->file, strerror(errno));
    } else if (store_open(store_address, &im->enrol.store, &error) != VS_OK) {
        fprintf(stderr, "%s: %s\n", store_address, error.text);
    } else if (registry_new(&im->enrol.registry) != VS_OK ||
               registry_store_load(im->enrol.store, im->enrol.registry) != VS_OK) {
        fprintf(stderr, "%s: cannot read the vehicles: %s\n", store_address, store_error_text(im->enrol.store));
    } else {
        code = import_vehicles(im, file.bytes);
    }
    registry_free(im->enrol.registry);
    store_close(im->enrol.store);
    text_file_close(&file);
    return code;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 2; i < argc; i++) {
        const char **value = strcmp(argv[i], "--config") == 0          ? &o->config
                             : strcmp(argv[i], "--data") == 0          ? &o->store
                             : strcmp(argv[i], "--pseudonym-key") == 0 ? &o->pseudonym_key
                             : strcmp(argv[i], "--vault-key") == 0     ? &o->vault_key
                                                                       : NULL;

        if (value != NULL && i + 1 < argc)
            *value = argv[++i];
        else if (value == NULL && o->file == NULL && (argv[i][0] != '-' || argv[i][1] == '\0'))
            o->file = argv[i];
        else
            return false;
    }
    return o->file != NULL && (o->config != NULL) != (o->store != NULL && o->pseudonym_key != NULL);
}

static int vehicles(const struct options *o)
{
    struct import im = {.file = o->file, .enrol = {.now_us = wall_clock_us(), .random = random_bytes}};
    struct vsocd_config cfg;
    char address[VSOCD_PATH_MAX];
    const char *pseudonym_key = o->pseudonym_key, *vault_key = o->vault_key;

    if (o->config != NULL) {
        if (!vsocd_config_read(o->config, &cfg))
            return 2;
        pseudonym_key = cfg.ingest.pseudonym_key;
        vault_key = cfg.api.vault_key[0] != '\0' ? cfg.api.vault_key : NULL;
    } else if ((size_t)snprintf(cfg.data_dir, sizeof cfg.data_dir, "%s", o->store) >= sizeof cfg.data_dir) {
        fprintf(stderr, "vsoc import: the path of --data is too long\n");
        return 2;
    }
    vsocd_store_address(&cfg, address);
    if (!read_key(pseudonym_key, im.enrol.pseudonym_key))
        return 2;
    if (vault_key == NULL)
        fprintf(stderr, "vsoc import: no vault key; VINs are not kept and cannot be revealed\n");
    else if (!read_key(vault_key, im.enrol.vault_key))
        return 2;
    im.enrol.has_vault_key = vault_key != NULL;
    if (!make_folders(cfg.data_dir))
        return 2;
    return run_vehicles(&im, address);
}

int cmd_import(int argc, char **argv)
{
    struct options o = {NULL, NULL, NULL, NULL, NULL};

    if (argc > 1 && strcmp(argv[1], "stix") == 0)
        return intel_import_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (argc < 3 || strcmp(argv[1], "vehicles") != 0 || !parse(argc, argv, &o))
        return usage_refuse("vsoc import", argc, argv, USAGE);
    return vehicles(&o);
}
