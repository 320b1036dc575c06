/* vsoc intel pull: one TAXII collection into the state database, once or for ever. */
#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/file_text.h"
#include "app/intel_commands.h"
#include "app/taxii_client.h"
#include "app/usage.h"
#include "app/wall_clock.h"
#include "base/config.h"
#include "detect/intel/intel_import.h"

static const char USAGE[] =
    "usage: vsoc intel pull --feed FILE... (--config FILE | --data DIR) [--every SECONDS]\n"
    "       vsoc intel pull --describe\n\n"
    "Fetches what TAXII 2.1 collections have that is new since the last pull, page by page, each page and the place\n"
    "behind it in one transaction. A feed is a YAML file (--describe lists its keys). With --every it goes on until "
    "it\n"
    "is ended; a feed that fails is told on stderr, noted in the database, and tried again the next time. Prints a "
    "line\n"
    "of counts per feed and pull. Exit 1 when a feed failed or sent broken objects.\n";

#define FEEDS_MAX 32

struct feed {
    char name[64], url[512], collection[128], user[128], password_file[512], token_file[512], ca[512], tlp[32];
    uint32_t page_size, timeout_s, wait_ms;
    char *password, *token;
    int tlp_level;
};

#define AT(f)   offsetof(struct feed, f)
#define ROOM(f) sizeof(((struct feed *)0)->f)
static const struct config_option OPTION[] = {
    {"name", CONFIG_TEXT, AT(name), 0, ROOM(name), "", true,
     "what its indicators' source is called; also of its place"},
    {"url", CONFIG_TEXT, AT(url), 0, ROOM(url), "", true, "of the collection, the API root or the discovery"},
    {"collection", CONFIG_TEXT, AT(collection), 0, ROOM(collection), "", false, "id, title or alias"},
    {"user", CONFIG_TEXT, AT(user), 0, ROOM(user), "", false, "for basic authentication"},
    {"password_file", CONFIG_PATH, AT(password_file), 0, ROOM(password_file), "", false, "file with the password"},
    {"token_file", CONFIG_PATH, AT(token_file), 0, ROOM(token_file), "", false, "file with a bearer token"},
    {"ca", CONFIG_PATH, AT(ca), 0, ROOM(ca), "", false, "CA certificates, PEM; empty: the system's"},
    {"tlp", CONFIG_TEXT, AT(tlp), 0, ROOM(tlp), "amber+strict", false, "level of objects without a TLP marking"},
    {"page_size", CONFIG_U32, AT(page_size), 0, 100000, "0", false, "objects a page; 0: the server's choice"},
    {"timeout_s", CONFIG_U32, AT(timeout_s), 1, 3600, "60", false, "of one request, seconds"},
    {"wait_ms", CONFIG_U32, AT(wait_ms), 1, 60000, "1000", false, "before the second try, milliseconds"},
};
#define OPTION_COUNT (sizeof OPTION / sizeof OPTION[0])

struct pull {
    struct store *st;
    const struct feed *feed;
    struct intel_import *im;
    uint64_t broken;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

/* ---- feeds */

static char *read_secret(const char *path)
{
    size_t len = 0;
    char *text = file_text_read(path, &len);

    if (text == NULL)
        fprintf(stderr, "%s: cannot be read\n", path);
    else
        text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static bool read_feed(const char *path, struct feed *f)
{
    struct config_error error;

    config_defaults(OPTION, OPTION_COUNT, f);
    if (config_read(path, OPTION, OPTION_COUNT, f, sizeof *f, &error) != VS_OK) {
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.text);
        return false;
    }
    f->tlp_level = stix_tlp_from_name(slice_str(f->tlp));
    if (f->tlp_level < 0) {
        fprintf(stderr, "%s: %s is no level of TLP\n", path, f->tlp);
        return false;
    }
    if (f->password_file[0] != '\0' && (f->password = read_secret(f->password_file)) == NULL)
        return false;
    return f->token_file[0] == '\0' || (f->token = read_secret(f->token_file)) != NULL;
}

/* ---- one pull */

static enum vs_err load_place(struct pull *p, char ret[64])
{
    struct store_stmt *q = store_prepare(p->st, "SELECT added_after FROM intel_feed WHERE name = ?");

    ret[0] = '\0';
    store_bind_text(q, 1, slice_str(p->feed->name));
    enum vs_err err = store_step(q);
    if (err == VS_OK && !slice_to_str(store_text(q, 0), ret, 64))
        ret[0] = '\0';
    store_done(q);
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err note_place(struct pull *p, const char *added_after, uint64_t objects)
{
    struct store_stmt *q =
        store_prepare(p->st, "INSERT INTO intel_feed (name, added_after, polled_us, objects) VALUES (?, ?, ?, ?) "
                             "ON CONFLICT (name) DO UPDATE SET added_after = excluded.added_after, "
                             "polled_us = excluded.polled_us, objects = intel_feed.objects + excluded.objects, "
                             "fault = NULL");

    store_bind_text(q, 1, slice_str(p->feed->name));
    store_bind_text(q, 2, slice_str(added_after));
    store_bind_i64(q, 3, wall_clock_us());
    store_bind_i64(q, 4, (int64_t)objects);
    return store_run(q);
}

static void note_fault(struct pull *p, const char *text)
{
    struct store_stmt *q;

    if (store_begin(p->st) != VS_OK)
        return;
    q = store_prepare(p->st, "INSERT INTO intel_feed (name, polled_us, objects, fault) VALUES (?, ?, 0, ?) "
                             "ON CONFLICT (name) DO UPDATE SET polled_us = excluded.polled_us, fault = excluded.fault");
    store_bind_text(q, 1, slice_str(p->feed->name));
    store_bind_i64(q, 2, wall_clock_us());
    store_bind_text(q, 3, slice_str(text));
    if (store_run(q) != VS_OK || store_commit(p->st) != VS_OK)
        store_rollback(p->st);
}

static void on_fault(void *ctx, uint64_t index, size_t byte, struct slice id, const char *reason)
{
    struct pull *p = ctx;

    if (p->broken++ < 20)
        fprintf(stderr, "%s: object %llu of the page at byte %zu %.*s: %s\n", p->feed->name, (unsigned long long)index,
                byte, (int)id.len, (const char *)id.ptr, reason);
}

static enum vs_err on_page(void *ctx, const struct taxii_page *page)
{
    struct pull *p = ctx;
    struct intel_import_counts before, after;
    enum vs_err err = store_begin(p->st);

    if (err != VS_OK)
        return err;
    intel_import_counts(p->im, &before);
    err = intel_import_text(p->im, page->body);
    intel_import_counts(p->im, &after);
    if (err == VS_OK)
        err = note_place(p, page->added_after, after.objects - before.objects);
    if (err == VS_OK)
        err = store_commit(p->st);
    if (err != VS_OK)
        store_rollback(p->st);
    return err == VS_OK && ended ? VS_ERR_BUSY : err;
}

static int pull_feed(struct store *st, const struct feed *f)
{
    struct pull p = {.st = st, .feed = f};
    const struct intel_import_config import = {st, slice_str(f->name), (uint8_t)f->tlp_level, on_fault, &p};
    const struct taxii_config cfg = {f->url,       f->collection, f->user[0] != '\0' ? f->user : NULL,
                                     f->password,  f->token,      f->ca,
                                     f->page_size, f->wait_ms,    f->timeout_s};
    char from[64];
    struct taxii_stats stats = {0};
    struct taxii_error error = {""};
    struct intel_import_counts c = {0};
    enum vs_err err = intel_import_new(&import, &p.im);

    if (err == VS_OK)
        err = load_place(&p, from);
    if (err == VS_OK)
        err = taxii_pull(&cfg, from, on_page, &p, &stats, &error);
    if (p.im != NULL)
        intel_import_counts(p.im, &c);
    printf("{\"feed\":\"%s\",\"pages\":%u,\"requests\":%u,\"retries\":%u,\"objects\":%llu,"
           "\"indicators\":%llu,\"added\":%llu,\"updated\":%llu,\"unchanged\":%llu,\"faulty\":%llu,\"ok\":%s}\n",
           f->name, stats.pages, stats.requests, stats.retries, (unsigned long long)c.objects,
           (unsigned long long)c.indicators, (unsigned long long)c.added, (unsigned long long)c.updated,
           (unsigned long long)c.unchanged, (unsigned long long)c.faulty, err == VS_OK ? "true" : "false");
    fflush(stdout);
    if (err != VS_OK && !ended) {
        const char *text = error.text[0] != '\0' ? error.text : vs_err_text(err);
        fprintf(stderr, "%s: %s\n", f->name, text);
        note_fault(&p, text);
    }
    intel_import_free(p.im);
    return err != VS_OK || p.broken > 0 ? 1 : 0;
}

static int run(struct store *st, const struct feed *feed, unsigned count, uint32_t every_s)
{
    int code = 0;

    for (;;) {
        for (unsigned i = 0; i < count && !ended; i++)
            code |= pull_feed(st, &feed[i]);
        if (every_s == 0 || ended)
            return code;
        for (uint32_t s = 0; s < every_s && !ended; s++)
            poll(NULL, 0, 1000);
    }
}

int intel_pull_command(int argc, char **argv)
{
    static struct feed feed[FEEDS_MAX];
    const char *config = NULL, *data = NULL;
    unsigned count = 0;
    uint32_t every_s = 0;
    int code = 2;
    bool ok = true;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--describe") == 0)) {
        if (argv[1][2] == 'h')
            fputs(USAGE, stdout);
        else
            config_describe(stdout, OPTION, OPTION_COUNT);
        return 0;
    }
    for (int i = 1; ok && i < argc; i++) {
        ok = i + 1 < argc;
        if (ok && strcmp(argv[i], "--feed") == 0 && count < FEEDS_MAX) {
            if (!read_feed(argv[++i], &feed[count++]))
                return 2;
        } else if (ok && strcmp(argv[i], "--config") == 0)
            config = argv[++i];
        else if (ok && strcmp(argv[i], "--data") == 0)
            data = argv[++i];
        else if (ok && strcmp(argv[i], "--every") == 0)
            ok = (every_s = (uint32_t)strtoul(argv[++i], NULL, 10)) > 0;
        else
            ok = false;
    }
    if (!ok || count == 0 || (config != NULL) == (data != NULL))
        return usage_refuse("vsoc intel pull", argc, argv, USAGE);
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct store *st = intel_open_store(config, data);
    if (st != NULL)
        code = run(st, feed, count, every_s);
    store_close(st);
    curl_global_cleanup();
    for (unsigned i = 0; i < count; i++) {
        free(feed[i].password);
        free(feed[i].token);
    }
    return code;
}
