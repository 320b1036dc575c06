/* pipeline: a fleet's month through the real gateway, log, normaliser, rules, alert store and incidents, in one
 * process.
 *
 * the alerts, incidents and ledger are the same whether the log is read in one go, in small pieces
 * with a commit after each, or with the process ended and started again in between; and every planted attack is found,
 * no look-alike. */
#include "app/pipeline.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "comply/summary.h"
#include "ingest/registry_store.h"
#include "temp_dir.h"
#include "world.h"

#define VEHICLES 160
#define DAYS     12
#define START_US INT64_C(1767571200000000)

static struct world_config config(uint64_t seed)
{
    static const uint8_t key[32] = {5};
    struct world_config cfg = {.seed = seed,
                               .vehicles = VEHICLES,
                               .days = DAYS,
                               .start_us = START_US,
                               .pseudonym_key = slice_make(key, sizeof key)};

    return cfg;
}

/* Puts the whole month into a log, and the fleet into a database. */
static void fill(uint64_t seed, struct stream *log, struct store *st)
{
    struct world_config cfg = config(seed);
    const struct world_upload *up;
    struct world *w = NULL;
    uint32_t count;

    assert_int_equal(world_new(&cfg, &w), VS_OK);
    assert_int_equal(store_begin(st), VS_OK);
    for (uint32_t i = 0; i < VEHICLES; i++) {
        const struct fleet_vehicle *v = world_vehicle(w, i);
        struct vehicle_facts facts = {.model = slice_str(v->model->name),
                                      .hardware = slice_str(v->model->hardware),
                                      .region = slice_str(v->region),
                                      .owner = slice_str(v->owner),
                                      .enrolled_us = START_US};

        memcpy(facts.vid, v->vid, sizeof facts.vid);
        assert_int_equal(registry_store_put(st, &facts), VS_OK);
    }
    assert_int_equal(store_commit(st), VS_OK);
    while (world_step(w, &up, &count) == VS_OK)
        for (uint32_t i = 0; i < count; i++) {
            const struct fleet_vehicle *v = world_vehicle(w, up[i].vehicle);
            struct stream_record rec = {.received_us = up[i].sent_us,
                                        .door = STREAM_DOOR_HTTPS,
                                        .format = STREAM_FORMAT_BATCH,
                                        .key = slice_make(v->vid, sizeof v->vid),
                                        .value = up[i].body};
            uint64_t offset;

            assert_int_equal(stream_append(log, &rec, &offset), VS_OK);
        }
    assert_int_equal(stream_sync(log), VS_OK);
    world_free(w);
}

static struct log_pipeline *open_with(struct stream *log, struct store *st, const char *rules, const char *snapshots)
{
    struct pipeline_config cfg = {
        .stream = log, .store = st, .rules_path = rules, .lateness_days = 30, .snapshot_dir = snapshots};
    struct pipeline_error error;
    struct log_pipeline *p = NULL;

    if (pipeline_open(&cfg, &p, &error) != VS_OK)
        fail_msg("%s", error.text);
    return p;
}

static struct log_pipeline *open_pipeline(struct stream *log, struct store *st)
{
    return open_with(log, st, "content/rules", NULL);
}

static void put(void *ctx, struct slice part)
{
    fwrite(part.ptr, 1, part.len, ctx);
}

/* Incidents are numbered as they are opened, which depends on when things were read; which alerts share one does not.
 * So the numbers are replaced by the order in which the (sorted) alerts name them first. */
static void rename_incidents(char *text)
{
    static const char KEY[] = "\"incident\":";
    long seen[60];
    unsigned count = 0;

    for (char *p = text; (p = strstr(p, KEY)) != NULL;) {
        char *end;
        long number = strtol(p += sizeof KEY - 1, &end, 10);
        unsigned at = 0;

        while (at < count && seen[at] != number)
            at++;
        if (at == count) {
            assert_true(count < sizeof seen / sizeof seen[0]);
            seen[count++] = number;
        }
        /* One letter, whatever the number of digits was. */
        *p = (char)('A' + at);
        memmove(p + 1, end, strlen(end) + 1);
    }
}

/* Everything that people and reports see, as text. */
static char *picture(struct store *st)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_int_equal(summary_write(st, put, f), VS_OK);
    fputc('\n', f);
    assert_int_equal(summary_write_alerts(st, put, f), VS_OK);
    fclose(f);
    rename_incidents(text);
    return text;
}

/* Says the first line in which two pictures differ, which a comparison of the whole would bury. */
static void assert_same(const char *want, const char *got)
{
    while (*want != '\0' || *got != '\0') {
        size_t n = strcspn(want, "\n"), m = strcspn(got, "\n");

        if (n != m || memcmp(want, got, n) != 0)
            fail_msg("want %.*s\n got %.*s", (int)n, want, (int)m, got);
        want += n + (want[n] == '\n');
        got += m + (got[m] == '\n');
    }
}

/* Reads to the end, `piece` records between commits; ends and starts the process with this chance (in a hundred). */
static char *run(uint64_t seed, uint32_t piece, unsigned restart_percent, struct rng *r)
{
    struct stream_error stream_error;
    struct store_error store_error;
    struct stream *log = NULL;
    struct store *st = NULL;
    uint32_t count = 1;

    assert_int_equal(stream_open("memory:", true, &log, &stream_error), VS_OK);
    assert_int_equal(store_open("memory:", &st, &store_error), VS_OK);
    fill(seed, log, st);
    struct log_pipeline *p = open_pipeline(log, st);
    while (count > 0) {
        assert_int_equal(pipeline_read(p, piece, &count), VS_OK);
        if (rng_below(r, 100) < restart_percent) {
            /* Sometimes what was read is committed before the end, sometimes it is lost with the process. */
            if (rng_below(r, 2) == 0)
                assert_int_equal(pipeline_commit(p), VS_OK);
            pipeline_close(p);
            p = open_pipeline(log, st);
            count = 1;
            restart_percent -= restart_percent > 1;
        }
        assert_int_equal(pipeline_commit(p), VS_OK);
    }
    char *text = picture(st);
    pipeline_close(p);
    store_close(st);
    stream_close(log);
    return text;
}

static void pieces_and_restarts_change_nothing(void **state)
{
    uint64_t seed = 21;
    struct rng r = rng_split(seed, "restart", 0);

    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    char *whole = run(seed, 1000000, 0, &r);
    char *pieces = run(seed, 61, 0, &r);
    char *restarted = run(seed, 97, 12, &r);
    assert_same(whole, pieces);
    assert_same(whole, restarted);
    assert_non_null(strstr(whole, "\"balanced\":true"));
    assert_non_null(strstr(whole, "\"missing\":0"));
    assert_null(strstr(whole, "\"duplicates\":0"));
    free(whole);
    free(pieces);
    free(restarted);
}

static int64_t count_rows(struct store *st, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);

    assert_int_equal(store_step(q), VS_OK);
    int64_t n = store_i64(q, 0);
    store_done(q);
    return n;
}

static void read_all(struct log_pipeline *p)
{
    uint32_t count = 1;

    while (count > 0) {
        assert_int_equal(pipeline_read(p, 500, &count), VS_OK);
        assert_int_equal(pipeline_commit(p), VS_OK);
    }
    assert_int_equal(pipeline_commit(p), VS_OK);
}

/* A daemon that is started again over a log that it had read to the end has nothing to say: no revision, no timeline
 * entry. */
static void a_restart_at_rest_writes_nothing_new(void **state)
{
    static const char REVISIONS[] = "SELECT count(*) FROM alert_revision", TIMELINE[] = "SELECT count(*) FROM timeline";
    struct stream_error stream_error;
    struct store_error store_error;
    struct stream *log = NULL;
    struct store *st = NULL;

    (void)state;
    assert_int_equal(stream_open("memory:", true, &log, &stream_error), VS_OK);
    assert_int_equal(store_open("memory:", &st, &store_error), VS_OK);
    fill(33, log, st);
    struct log_pipeline *p = open_pipeline(log, st);
    read_all(p);
    pipeline_close(p);
    int64_t revisions = count_rows(st, REVISIONS), timeline = count_rows(st, TIMELINE);
    assert_true(revisions > 0 && timeline > 0);
    /* every alert of a rule names the version of it that wrote it. Fleet statistics have baselines instead. */
    assert_int_equal(count_rows(st, "SELECT count(*) FROM alert WHERE rule <> 'fleet_statistics' AND "
                                    "id NOT IN (SELECT alert FROM alert_rule_version)"),
                     0);
    p = open_pipeline(log, st);
    assert_true(pipeline_behind(p));
    read_all(p);
    pipeline_close(p);
    assert_int_equal(count_rows(st, REVISIONS), revisions);
    assert_int_equal(count_rows(st, TIMELINE), timeline);
    store_close(st);
    stream_close(log);
}

/* ---- snapshots */

static struct temp_dir snapshots;

static int make_folder(void **state)
{
    (void)state;
    snapshots = temp_dir_make();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    temp_dir_remove(&snapshots);
    return 0;
}

/* Damages the newest snapshot: a byte changed, the file cut, or made empty. */
static void damage_newest(struct rng *r)
{
    char newest[512] = "";
    DIR *dir = opendir(snapshots.path);
    const struct dirent *entry;
    struct stat st;

    while ((entry = readdir(dir)) != NULL) {
        char path[512];

        snprintf(path, sizeof path, "%s/%s", snapshots.path, entry->d_name);
        if (strstr(path, ".snap") != NULL && strcmp(path, newest) > 0)
            memcpy(newest, path, sizeof newest);
    }
    closedir(dir);
    if (newest[0] == '\0')
        return;
    assert_int_equal(stat(newest, &st), 0);
    long at = (long)rng_below(r, (uint32_t)st.st_size);
    if (rng_below(r, 2) == 0) {
        assert_int_equal(truncate(newest, at), 0);
        return;
    }
    FILE *f = fopen(newest, "r+b");
    assert_non_null(f);
    fseek(f, at, SEEK_SET);
    int byte = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(byte ^ 0x40, f);
    fclose(f);
}

/* What the process does between two pieces: commit or not, a snapshot that is waited for, one in the background that
 * the end of the process may meet half-written, a damaged one, the end. */
static struct log_pipeline *live_on(struct log_pipeline *p, struct stream *log, struct store *st, struct rng *r,
                                    uint32_t *ret_from_snapshot)
{
    struct pipeline_progress progress;
    enum vs_err ended;

    switch (rng_below(r, 8)) {
    case 0:
        assert_int_equal(pipeline_snapshot(p), pipeline_behind(p) ? VS_ERR_BUSY : VS_OK);
        return p;
    case 1:
        assert_int_equal(pipeline_snapshot_start(p), pipeline_behind(p) ? VS_ERR_BUSY : VS_OK);
        while (rng_below(r, 2) == 0)
            if (pipeline_snapshot_ended(p, &ended))
                assert_int_equal(ended, VS_OK);
        break;
    case 2:
        assert_int_equal(pipeline_commit(p), VS_OK);
        break;
    case 3:
        if (rng_below(r, 3) == 0)
            damage_newest(r);
        break;
    default:
        if (pipeline_snapshot_ended(p, &ended))
            assert_int_equal(ended, VS_OK);
        return p;
    }
    pipeline_close(p);
    p = open_with(log, st, "content/rules", snapshots.path);
    pipeline_progress(p, &progress);
    *ret_from_snapshot += progress.from_snapshot;
    return p;
}

static char *run_with_snapshots(uint64_t seed, uint32_t piece, struct rng *r)
{
    struct stream_error stream_error;
    struct store_error store_error;
    struct stream *log = NULL;
    struct store *st = NULL;
    uint32_t count = 1, from_snapshot = 0;

    assert_int_equal(stream_open("memory:", true, &log, &stream_error), VS_OK);
    assert_int_equal(store_open("memory:", &st, &store_error), VS_OK);
    fill(seed, log, st);
    struct log_pipeline *p = open_with(log, st, "content/rules", snapshots.path);
    for (unsigned restarts = 0; count > 0 || pipeline_behind(p);) {
        assert_int_equal(pipeline_read(p, piece, &count), VS_OK);
        struct log_pipeline *before = p;
        if (restarts == 12 && pipeline_snapshot(p) == VS_OK) { /* one that is surely good when it is needed */
            pipeline_close(p);
            p = open_with(log, st, "content/rules", snapshots.path);
            from_snapshot++;
        } else if (restarts < 25)
            p = live_on(p, log, st, r, &from_snapshot);
        restarts += p != before;
        if (p != before)
            count = 1;
        else
            assert_int_equal(pipeline_commit(p), VS_OK);
    }
    assert_int_equal(pipeline_commit(p), VS_OK);
    assert_true(from_snapshot > 0);
    char *text = picture(st);
    pipeline_close(p);
    store_close(st);
    stream_close(log);
    return text;
}

/* ended at any moment, also while a snapshot is written or after one was damaged, it goes on with the
 * same alerts, ids, revisions of the ledger and counts per day. */
static void snapshots_change_nothing(void **state)
{
    const char *env = getenv("VSOC_SEED");
    uint64_t seed = env != NULL ? strtoull(env, NULL, 10) : 5;
    struct rng r = rng_split(seed, "snapshots", 0);

    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    char *whole = run(21, 1000000, 0, &r);
    char *restarted = run_with_snapshots(21, 97, &r);
    assert_same(whole, restarted);
    free(whole);
    free(restarted);
}

/* After a snapshot at rest, a restart reads nothing again and has nothing to say. */
static void a_snapshot_at_rest_saves_the_replay(void **state)
{
    static const char REVISIONS[] = "SELECT count(*) FROM alert_revision";
    struct stream_error stream_error;
    struct store_error store_error;
    struct pipeline_progress progress;
    struct stream *log = NULL;
    struct store *st = NULL;

    (void)state;
    assert_int_equal(stream_open("memory:", true, &log, &stream_error), VS_OK);
    assert_int_equal(store_open("memory:", &st, &store_error), VS_OK);
    fill(33, log, st);
    struct log_pipeline *p = open_with(log, st, "content/rules", snapshots.path);
    read_all(p);
    assert_int_equal(pipeline_snapshot(p), VS_OK);
    pipeline_close(p);
    int64_t revisions = count_rows(st, REVISIONS);
    p = open_with(log, st, "content/rules", snapshots.path);
    assert_false(pipeline_behind(p));
    read_all(p);
    pipeline_progress(p, &progress);
    assert_true(progress.from_snapshot);
    assert_int_equal(progress.replayed, 0);
    assert_int_equal(count_rows(st, REVISIONS), revisions);
    pipeline_close(p);
    store_close(st);
    stream_close(log);
}

static unsigned count_text(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static void what_was_planted_is_found_and_nothing_else(void **state)
{
    static const struct {
        const char *rule;
        enum plan_scenario scenario;
    } WANT[] = {{"secoc_storm", PLAN_SECOC_STORM},
                {"security_access_bruteforce", PLAN_KEY_GUESSING},
                {"geolocation_jump", PLAN_POSITION_JUMP},
                {"v2x_spoofing", PLAN_V2X_SPOOFING}};
    struct rng r = rng_split(8, "restart", 0);
    struct world_config cfg = config(8);
    struct world *w = NULL;
    char *text = run(8, 5000, 0, &r);

    (void)state;
    assert_int_equal(world_new(&cfg, &w), VS_OK);
    for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++) {
        char key[96];
        unsigned planted = 0;

        for (uint32_t k = 0; k < plan_count(world_plan(w)); k++) {
            const struct plan_attack *a = plan_at(world_plan(w), k);
            planted += a->scenario == WANT[i].scenario && !a->lookalike;
        }
        snprintf(key, sizeof key, "\"rule\":\"%s\",\"severity\"", WANT[i].rule);
        assert_true(planted > 0);
        assert_int_equal(count_text(text, key), planted);
    }
    free(text);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_and_restarts_change_nothing),
        cmocka_unit_test(a_restart_at_rest_writes_nothing_new),
        cmocka_unit_test_setup_teardown(snapshots_change_nothing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_snapshot_at_rest_saves_the_replay, make_folder, remove_folder),
        cmocka_unit_test(what_was_planted_is_found_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
