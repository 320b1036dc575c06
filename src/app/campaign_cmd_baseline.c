/* vsoc campaign baseline: versions of what is usual, taken, armed and taken back by people; each act with its audit
 * record. The detect process reads the armings at its next commit. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/campaign_commands.h"
#include "app/wall_clock.h"
#include "core/timestamp.h"
#include "respond/audit.h"

struct options {
    const char *store, *who, *reason, *from;
    int64_t version, from_us;
};

static int usage(FILE *out)
{
    fprintf(out,
            "usage: vsoc campaign baseline list     --store ADDRESS\n"
            "       vsoc campaign baseline learn    --store ADDRESS --who NAME --reason TEXT\n"
            "       vsoc campaign baseline arm N    --store ADDRESS --who NAME --reason TEXT [--from TIME]\n"
            "       vsoc campaign baseline rollback --store ADDRESS --who NAME --reason TEXT [--from TIME]\n"
            "       vsoc campaign list              --store ADDRESS\n\n"
            "learn     takes what the detect process would learn today (it says so once a day) as a new version. "
            "Signatures\n"
            "          with an incident open keep what the armed version says of them: an attack must not teach.\n"
            "arm       from TIME on (now), campaigns are judged by version N and page; without one they only inform\n"
            "rollback  arms what was armed before, or nothing\n"
            "ADDRESS   of the state database, e.g. sqlite:/var/lib/vsoc/state.db\n");
    return out == stderr ? 2 : 0;
}

static bool parse(int argc, char **argv, struct options *o)
{
    o->from_us = wall_clock_us();
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        const char **at = strcmp(argv[i], "--store") == 0    ? &o->store
                          : strcmp(argv[i], "--who") == 0    ? &o->who
                          : strcmp(argv[i], "--reason") == 0 ? &o->reason
                          : strcmp(argv[i], "--from") == 0   ? &o->from
                                                             : NULL;

        if (at != NULL && value != NULL) {
            *at = value;
            i++;
        } else if (at == NULL && argv[i][0] >= '1' && argv[i][0] <= '9' && o->version == 0) {
            o->version = strtoll(argv[i], NULL, 10);
        } else {
            fprintf(stderr, "vsoc campaign baseline: %s: see --help\n", argv[i]);
            return false;
        }
    }
    if (o->from != NULL && !timestamp_parse(slice_str(o->from), &o->from_us)) {
        fprintf(stderr, "vsoc campaign baseline: --from %s: give a time like 2026-01-05T00:00:00Z\n", o->from);
        return false;
    }
    if (o->store == NULL)
        fprintf(stderr, "vsoc campaign baseline: --store is needed; see --help\n");
    return o->store != NULL;
}

static bool signed_for(const struct options *o)
{
    bool ok = o->who != NULL && o->who[0] != '\0' && o->reason != NULL && o->reason[0] != '\0';

    if (!ok)
        fprintf(stderr, "vsoc campaign baseline: --who and --reason are needed: somebody answers for this\n");
    return ok;
}

static enum vs_err note(struct store *st, const struct options *o, const char *act, int64_t version, int64_t before)
{
    char object[48], was[32], is[32];

    snprintf(object, sizeof object, "campaign_baseline");
    snprintf(was, sizeof was, "%lld", (long long)before);
    snprintf(is, sizeof is, "%lld", (long long)version);
    const struct audit_record rec = {.who = slice_str(o->who),
                                     .act = slice_str(act),
                                     .object = slice_str(object),
                                     .before = slice_str(was),
                                     .after = slice_str(is),
                                     .reason = slice_str(o->reason)};
    return audit_add(st, &rec, wall_clock_us(), NULL);
}

static int64_t number_of(struct store *st, const char *sql, int64_t v)
{
    struct store_stmt *q = store_prepare(st, sql);

    if (v >= 0)
        store_bind_i64(q, 1, v);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;
    store_done(q);
    return n;
}

static int64_t armed_now(struct store *st)
{
    return number_of(st, "SELECT version FROM campaign_arming ORDER BY seq DESC LIMIT 1", -1);
}

/* ---- learn */

static json_t *body_of(struct store *st, int64_t version)
{
    struct store_stmt *q = store_prepare(st, "SELECT body FROM campaign_baseline WHERE version = ?");
    json_t *body = NULL;

    store_bind_i64(q, 1, version);
    if (store_step(q) == VS_OK) {
        struct slice s = store_text(q, 0);

        body = json_loadb((const char *)s.ptr, s.len, 0, NULL);
    }
    store_done(q);
    return body;
}

/* Signatures of campaigns that are open, or whose incident is. */
static json_t *frozen(struct store *st)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT DISTINCT c.signature FROM campaign c LEFT JOIN alert a ON a.id = c.id LEFT JOIN incident i ON "
            "i.number = a.incident WHERE c.state = 'open' OR (i.number IS NOT NULL AND i.stage <> 5)");
    json_t *all = json_object();

    while (store_step(q) == VS_OK) {
        char text[512];

        if (slice_to_str(store_text(q, 0), text, sizeof text))
            json_object_set_new(all, text, json_true());
    }
    store_done(q);
    return all;
}

/* The place in `cells` of the fresh body of a cell of the armed one; appended when it is not there. */
static json_int_t carry_cell(json_t *cells, const json_t *cell)
{
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *x = json_array_get(cells, i);
        bool same = true;

        for (size_t k = 0; k < 4 && same; k++)
            same = json_equal(json_array_get(x, k), json_array_get(cell, k)) != 0;
        if (same)
            return (json_int_t)i;
    }
    json_array_append_new(cells, json_deep_copy(cell));
    return (json_int_t)json_array_size(cells) - 1;
}

static json_t *carry_rows(json_t *cells, const json_t *old, const json_t *signature)
{
    const json_t *from = json_object_get(old, "signatures");

    for (size_t i = 0; i < json_array_size(from); i++) {
        const json_t *x = json_array_get(from, i);
        if (json_equal(json_array_get(x, 0), signature) == 0)
            continue;
        json_t *copy = json_deep_copy(x), *rows = json_array_get(copy, 3);
        for (size_t k = 0; k < json_array_size(rows); k++) {
            json_t *row = json_array_get(rows, k);
            const json_t *cell =
                json_array_get(json_object_get(old, "cells"), (size_t)json_integer_value(json_array_get(row, 0)));
            json_array_set_new(row, 0, json_integer(carry_cell(cells, cell)));
        }
        return copy;
    }
    return NULL;
}

/* Replaces what the candidate says of frozen signatures by what the armed version says, or by nothing: then the cells
 * inherit. Returns how many. */
static int freeze(struct store *st, json_t *body)
{
    json_t *stop = frozen(st), *old = body_of(st, armed_now(st)), *kept = json_array();
    json_t *all = json_object_get(body, "signatures"), *cells = json_object_get(body, "cells");
    int count = 0;

    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *x = json_array_get(all, i);
        const json_t *name = json_array_get(x, 0);

        if (json_object_get(stop, json_string_value(name)) == NULL) {
            json_array_append(kept, x);
            continue;
        }
        json_t *carried = old != NULL ? carry_rows(cells, old, name) : NULL;
        if (carried != NULL)
            json_array_append_new(kept, carried);
        count++;
    }
    json_object_set_new(body, "signatures", kept);
    json_decref(stop);
    json_decref(old);
    return count;
}

static enum vs_err put_version(struct store *st, const struct options *o, int64_t version, const char *body)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO campaign_baseline (version, state, learned_us, days, who, reason, body) SELECT ?, "
            "'learned', learned_us, days, ?, ?, ? FROM campaign_baseline WHERE version = 0");

    store_bind_i64(q, 1, version);
    store_bind_text(q, 2, slice_str(o->who));
    store_bind_text(q, 3, slice_str(o->reason));
    store_bind_text(q, 4, slice_str(body));
    return store_run(q);
}

static int learn(struct store *st, const struct options *o)
{
    json_t *body = body_of(st, 0);

    if (!signed_for(o)) {
        json_decref(body);
        return 2;
    }
    if (body == NULL) {
        fprintf(stderr,
                "vsoc campaign baseline: nothing to learn yet; the detect process writes a candidate once a day\n");
        return 1;
    }
    int64_t version = number_of(st, "SELECT coalesce(max(version), 0) + 1 FROM campaign_baseline", -1);
    enum vs_err err = store_begin(st);
    int held = freeze(st, body);
    char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (err == VS_OK)
        err = text != NULL ? put_version(st, o, version, text) : VS_ERR_NO_MEMORY;
    if (err == VS_OK)
        err = note(st, o, "campaign.baseline.learn", version, armed_now(st));
    err = err == VS_OK ? store_commit(st) : err;
    if (err == VS_OK)
        printf("{\"version\":%lld,\"days\":%lld,\"frozen_signatures\":%d}\n", (long long)version,
               (long long)json_integer_value(json_object_get(body, "days")), held);
    else
        fprintf(stderr, "vsoc campaign baseline: %s: %s\n", vs_err_text(err), store_error_text(st));
    free(text);
    json_decref(body);
    return err == VS_OK ? 0 : 1;
}

/* ---- arm */

static int put_arming(struct store *st, const struct options *o, int64_t version, const char *act)
{
    int64_t before = armed_now(st);
    enum vs_err err = store_begin(st);
    struct store_stmt *q = store_prepare(st, "INSERT INTO campaign_arming (seq, from_us, version, at_us, who, reason) "
                                             "SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ? FROM campaign_arming");

    store_bind_i64(q, 1, o->from_us);
    store_bind_i64(q, 2, version);
    store_bind_i64(q, 3, wall_clock_us());
    store_bind_text(q, 4, slice_str(o->who));
    store_bind_text(q, 5, slice_str(o->reason));
    if (err == VS_OK)
        err = store_run(q);
    else
        store_done(q);
    if (err == VS_OK)
        err = note(st, o, act, version, before);
    err = err == VS_OK ? store_commit(st) : err;
    if (err == VS_OK)
        printf("{\"armed\":%lld,\"before\":%lld}\n", (long long)version, (long long)before);
    else
        fprintf(stderr, "vsoc campaign baseline: %s: %s\n", vs_err_text(err), store_error_text(st));
    return err == VS_OK ? 0 : 1;
}

static int arm(struct store *st, const struct options *o)
{
    if (!signed_for(o))
        return 2;
    if (o->version <= 0 || number_of(st, "SELECT count(*) FROM campaign_baseline WHERE version = ?", o->version) == 0) {
        fprintf(stderr, "vsoc campaign baseline: there is no version %lld; see: vsoc campaign baseline list\n",
                (long long)o->version);
        return 2;
    }
    return put_arming(st, o, o->version, "campaign.baseline.arm");
}

/* The version of the arming before the last; each roll-back goes one arming further back. */
static int rollback(struct store *st, const struct options *o)
{
    if (!signed_for(o))
        return 2;
    if (armed_now(st) == 0) {
        fprintf(stderr, "vsoc campaign baseline: nothing is armed\n");
        return 1;
    }
    int64_t before = number_of(st,
                               "SELECT version FROM campaign_arming WHERE version <> ? AND seq < (SELECT min(seq) FROM "
                               "campaign_arming WHERE version = ?1) ORDER BY seq DESC LIMIT 1",
                               armed_now(st));
    return put_arming(st, o, before, "campaign.baseline.rollback");
}

/* ---- lists */

static int print_rows(struct store *st, const char *sql, const char *const *name, int count)
{
    struct store_stmt *q = store_prepare(st, sql);

    while (store_step(q) == VS_OK) {
        json_t *row = json_object();
        for (int i = 0; i < count; i++) {
            struct slice s = store_text(q, i);
            bool number = name[i][0] == '#';
            json_t *v = store_is_null(q, i) ? json_null()
                        : number            ? json_integer((json_int_t)store_i64(q, i))
                                            : json_stringn(s.len > 0 ? (const char *)s.ptr : "", s.len);
            json_object_set_new(row, name[i] + number, v);
        }
        char *text = json_dumps(row, JSON_COMPACT);
        printf("%s\n", text != NULL ? text : "{}");
        free(text);
        json_decref(row);
    }
    store_done(q);
    return 0;
}

static int list(struct store *st, const struct options *o)
{
    static const char *const NAME[] = {"#version", "state", "#learned_us", "#days", "who", "reason", "#armed"};

    (void)o;
    return print_rows(st,
                      "SELECT b.version, b.state, b.learned_us, b.days, b.who, b.reason, b.version > 0 AND b.version = "
                      "coalesce((SELECT version FROM campaign_arming ORDER BY seq DESC LIMIT 1), 0) FROM "
                      "campaign_baseline b ORDER BY b.version",
                      NAME, 7);
}

static int list_campaigns(struct store *st, const struct options *o)
{
    static const char *const NAME[] = {"id",      "signature", "model",     "software", "region",          "state",
                                       "verdict", "#vehicles", "#first_us", "#last_us", "#expected_milli", "#baseline",
                                       "#page"};

    (void)o;
    return print_rows(st,
                      "SELECT id, signature, model, software, region, state, verdict, vehicles, first_us, last_us, "
                      "expected_milli, baseline, page FROM campaign ORDER BY first_us, id",
                      NAME, 13);
}

static int with_store(int argc, char **argv, int (*run)(struct store *st, const struct options *o))
{
    struct options o = {.version = 0};
    struct store_error error = {""};
    struct store *st = NULL;

    if (!parse(argc, argv, &o))
        return 2;
    if (store_open(o.store, &st, &error) != VS_OK) {
        fprintf(stderr, "%s: %s\n", o.store, error.text);
        return 2;
    }
    int code = run(st, &o);
    store_close(st);
    return code;
}

int campaign_cmd_list(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    return with_store(argc, argv, list_campaigns);
}

int campaign_cmd_baseline(int argc, char **argv)
{
    static const struct {
        const char *verb;
        int (*run)(struct store *st, const struct options *o);
    } VERB[] = {{"list", list}, {"learn", learn}, {"arm", arm}, {"rollback", rollback}};

    if (argc < 2 || strcmp(argv[1], "--help") == 0)
        return usage(argc < 2 ? stderr : stdout);
    for (size_t i = 0; i < sizeof VERB / sizeof VERB[0]; i++)
        if (strcmp(argv[1], VERB[i].verb) == 0)
            return with_store(argc - 1, argv + 1, VERB[i].run);
    fprintf(stderr, "vsoc campaign baseline: unknown verb %s; see --help\n", argv[1]);
    return 2;
}
