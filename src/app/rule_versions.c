/* vsoc rule versions: the hashes of rules as loaded, and the versions that wrote alerts. */
#include <stdlib.h>
#include <string.h>

#include "app/rule_cli.h"
#include "core/timestamp.h"
#include "detect/sigma/rule_text.h"
#include "store/rule_version.h"

static void put_hash(struct writer *w, const char *key, const uint8_t hash[RULE_HASH_SIZE])
{
    writer_text(w, key);
    writer_hex(w, slice_make(hash, RULE_HASH_SIZE), false);
    writer_u8(w, '"');
}

/* Rules as they are in the files now. */
static int versions_of_files(const struct rule_options *o)
{
    struct plan p;

    if (!rule_load_plan(&p, o))
        return EXIT_USAGE;
    for (uint32_t i = 0; i < p.loaded_count; i++) {
        const struct rule *r = p.rule[i];
        char buf[8192];
        struct writer w;
        if (r->broken)
            continue;
        writer_init(&w, buf, sizeof buf);
        writer_text(&w, "{\"rule\":");
        writer_json_text(&w, r->label);
        put_hash(&w, ",\"version\":\"", r->version);
        put_hash(&w, ",\"meaning\":\"", r->meaning);
        writer_text(&w, ",\"path\":");
        writer_json_text(&w, slice_str(r->path));
        writer_text(&w, ",\"line\":");
        writer_u64_text(&w, r->line);
        writer_text(&w, r->alerts ? ",\"alerts\":true}" : ",\"alerts\":false}");
        rule_put_line(stdout, &w);
    }
    plan_done(&p);
    return EXIT_OK;
}

static void put_row(const struct rule_version_row *row)
{
    char buf[8192];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"rule\":");
    writer_json_text(&w, row->rule);
    writer_text(&w, ",\"version\":");
    writer_json_text(&w, row->version);
    writer_text(&w, ",\"first\":\"");
    timestamp_write(&w, row->first_us);
    writer_text(&w, "\",\"alerts\":");
    writer_u64_text(&w, (uint64_t)row->alerts);
    writer_u8(&w, '}');
    rule_put_line(stdout, &w);
}

static int list(struct store *st, const struct rule_options *o)
{
    struct slice alert = slice_str(o->alert != NULL ? o->alert : "");
    struct store_stmt *q = rule_version_list(st, slice_str(""), alert);
    struct rule_version_row row;
    uint32_t count = 0;

    for (; rule_version_next(q, &row); count++)
        put_row(&row);
    store_done(q);
    fprintf(stderr, "%u versions\n", count);
    return count == 0 && alert.len > 0 ? EXIT_FINDINGS : EXIT_OK;
}

/* The text as it ran, which loads as it stands: `vsoc rule versions --show H > rule.yml`. */
static int show(struct store *st, const char *hash)
{
    struct rule_version_row row;
    struct store_stmt *q = NULL;
    enum vs_err err = rule_version_find(st, slice_str(hash), &q, &row);

    if (err != VS_OK) {
        fprintf(stderr, "vsoc rule versions: %s: %s\n", hash,
                err == VS_ERR_CONFLICT ? "several versions begin like this" : "no such version");
        return EXIT_FINDINGS;
    }
    fwrite(row.text.ptr, 1, row.text.len, stdout);
    store_done(q);
    return EXIT_OK;
}

int rule_versions(const struct rule_options *o)
{
    struct store_error error;
    struct store *st = NULL;

    if (o->store == NULL)
        return o->path_count > 0 ? versions_of_files(o) : rule_usage("versions of what? name --rules or a --store");
    if (store_open(o->store, &st, &error) != VS_OK) {
        fprintf(stderr, "vsoc rule versions: %s: %s\n", o->store, error.text);
        return EXIT_USAGE;
    }
    int code = o->show != NULL ? show(st, o->show) : list(st, o);
    store_close(st);
    return code;
}
