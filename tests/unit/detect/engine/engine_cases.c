/* engine_cases: runs cases of rules and events through the engine in many ways, and prints the final alerts of each
 * (tests/oracle/test_engine_property.py compares them with a naive twin).
 *
 * Input, lines:
 *
 *     C seed       a case begins; the seed of its random schedules
 *     R text       a rule document
 *     E text       an event
 *     X schedules  the case ends: run it
 *
 * Each case runs once plainly: all events in the order given, one look at the end. That is what is printed, and ended
 * by a line X. Then it runs by random schedules: events shuffled, copies put in again, settled in full or in part at
 * random points with random times, saved and loaded into a new engine, moved to a plan with the same rules in another
 * order, with rules taken away and brought back by a backfill; or events come with bounded delays, and what is older
 * than all that is to come is forgotten on the way. What stands at the end, and what the changes handed out
 * on the way add up to, must be what the plain run gave, to the byte. Exit: 0, or 1 at the first schedule that differs.
 */
#include "detect/feed.h"

#include <unistd.h>

#include "detect/lab/alert_json.h"
#include "seed.h"

#define EVENTS_MAX 4096
#define TEXT_MAX   ((size_t)1 << 20)
#define US_BASE    INT64_C(1772323200000000)

/* Alerts as text, by id. */
struct board {
    struct row {
        uint8_t id[ALERT_ID_SIZE];
        char *text, *rule;
    } * row;
    size_t count, room;
};

struct cases {
    char rules[3][TEXT_MAX]; /* all; all in another order and one more; all but the last */
    char *rule[64];
    size_t rule_count;
    char *event[EVENTS_MAX];
    int64_t first_us[EVENTS_MAX];
    size_t event_count;
    uint64_t seed;
    struct feed feed[3];
    char path[64];
};

static void drop_row(struct board *b, size_t i)
{
    free(b->row[i].text);
    free(b->row[i].rule);
    b->row[i] = b->row[--b->count];
}

static void drop(struct board *b, const uint8_t id[ALERT_ID_SIZE])
{
    for (size_t i = 0; i < b->count; i++) {
        if (memcmp(b->row[i].id, id, ALERT_ID_SIZE) == 0) {
            drop_row(b, i);
            return;
        }
    }
}

/* What is closed because its rule is gone is of no interest any more, be it handed out now or closed before. */
static void drop_gone(struct board *b, const struct plan *p)
{
    for (size_t i = b->count; i-- > 0;) {
        const struct rule *r = plan_find(p, slice_str(b->row[i].rule));
        if (r == NULL || !r->alerts)
            drop_row(b, i);
    }
}

static void board_done(struct board *b)
{
    while (b->count > 0)
        drop_row(b, b->count - 1);
    free(b->row);
    memset(b, 0, sizeof *b);
}

/* Takes a change as the daemon does. The state and what was superseded belong to the way, not to the end. */
static void take(void *ctx, const struct rule *rule, const struct alert *al)
{
    struct board *b = ctx;
    struct alert plain = *al;
    static char text[65536];
    struct writer w;

    if (slice_equal_str(rule->label, "zz_extra"))
        return;
    for (uint32_t i = 0; i < al->supersedes_count; i++)
        drop(b, al->supersedes[i]);
    drop(b, al->id);
    if (al->state == ALERT_RETRACTED)
        return;
    plain.supersedes_count = 0;
    plain.state = ALERT_OPEN;
    writer_init(&w, text, sizeof text - 1);
    alert_json_write(&plain, &w);
    text[w.len] = '\0';
    if (getenv("VSOC_TRACE") != NULL)
        fprintf(stderr, "%s %s\n", alert_state_name(al->state), text);
    if (b->count == b->room) {
        b->room = b->room > 0 ? b->room * 2 : 64;
        b->row = realloc(b->row, b->room * sizeof *b->row);
    }
    memcpy(b->row[b->count].id, al->id, ALERT_ID_SIZE);
    b->row[b->count].rule = strndup((const char *)rule->label.ptr, rule->label.len);
    b->row[b->count++].text = strdup(text);
}

static const char *find(const struct board *b, const uint8_t id[ALERT_ID_SIZE])
{
    for (size_t i = 0; i < b->count; i++)
        if (memcmp(b->row[i].id, id, ALERT_ID_SIZE) == 0)
            return b->row[i].text;
    return "(none)";
}

static bool agree(const char *what, uint64_t seed, const struct board *want, const struct board *got)
{
    bool same = want->count == got->count;

    for (size_t i = 0; i < want->count; i++)
        same &= strcmp(want->row[i].text, find(got, want->row[i].id)) == 0;
    if (same)
        return true;
    fprintf(stderr, "%s differ, schedule seed %llu\n", what, (unsigned long long)seed);
    for (size_t i = 0; i < want->count; i++)
        if (strcmp(want->row[i].text, find(got, want->row[i].id)) != 0)
            fprintf(stderr, "want %s\ngot  %s\n", want->row[i].text, find(got, want->row[i].id));
    for (size_t i = 0; i < got->count; i++)
        if (strcmp(find(want, got->row[i].id), "(none)") == 0)
            fprintf(stderr, "not wanted %s\n", got->row[i].text);
    return false;
}

struct live {
    struct cases *c;
    struct seed s;
    struct engine *e;
    struct engine_limits limits;
    struct board board;
    unsigned plan;
    bool forgets; /* no changes of the plan then: a backfill would need what is forgotten */
    int64_t cutoff_us;
    size_t put; /* events handed in so far */
    const size_t *order;
};

static bool sight(struct feed *f, const char *event, struct sighting *ret)
{
    memset(ret, 0, sizeof *ret);
    feed_record(f, event, true);
    return sighter_step(&f->sighter, &f->record, ret) == SIGHT_OK;
}

/* Writes the state down and goes on with another engine that has read it. */
static void restart(struct live *l)
{
    struct snapshot_writer *w;
    struct snapshot *snap;
    struct snapshot_in in;

    assert_int_equal(snapshot_create(l->c->path, 1, &w), VS_OK);
    snapshot_begin(w, "engine");
    engine_save(l->e, w);
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, NULL), VS_OK);
    engine_free(l->e);
    l->limits.seed = seed_next(&l->s);
    l->e = engine_new(&l->c->feed[l->plan].plan, &l->limits);
    assert_int_equal(snapshot_open(l->c->path, 1, &snap, NULL), VS_OK);
    assert_int_equal(snapshot_section(snap, "engine", &in), VS_OK);
    assert_int_equal(engine_load(l->e, &in), VS_OK);
    snapshot_close(snap);
}

/* Hands the events so far in again, to the rules that began empty. */
static void backfill(struct live *l)
{
    struct feed *f = &l->c->feed[l->plan];
    struct sighting s;

    for (size_t i = 0; i < l->put; i++)
        if (sight(f, l->c->event[l->order[i]], &s))
            engine_backfill(l->e, &s);
    engine_backfill_end(l->e);
}

static void change_plan(struct live *l, unsigned plan)
{
    l->plan = plan;
    engine_rebind(l->e, &l->c->feed[plan].plan, take, &l->board);
    drop_gone(&l->board, &l->c->feed[plan].plan);
    backfill(l);
}

static void trace(const char *what, uint64_t n)
{
    if (getenv("VSOC_TRACE") != NULL)
        fprintf(stderr, "-- %s %llu\n", what, (unsigned long long)n);
}

static void meddle(struct live *l)
{
    int64_t now_us = seed_below(&l->s, 2) == 0 ? US_BASE + (int64_t)seed_below(&l->s, 1500) * 1000000 : 0;

    switch (seed_below(&l->s, 24)) {
    case 0:
    case 1:
    case 2:
        trace("settle", (uint64_t)now_us);
        engine_settle(l->e, now_us, take, &l->board);
        break;
    case 3:
    case 4:
        trace("settle due", (uint64_t)now_us);
        engine_settle_due(l->e, now_us, take, &l->board);
        break;
    case 5:
        trace("restart", l->put);
        restart(l);
        break;
    case 6:
        if (l->forgets)
            break;
        trace("change plan", l->put);
        change_plan(l, (unsigned)seed_below(&l->s, 3));
        break;
    default:
        break;
    }
}

/* No event that is still to come happened before this. */
static int64_t earliest_to_come(const struct live *l)
{
    int64_t us = l->c->event_count > l->put ? INT64_MAX : l->cutoff_us;

    for (size_t i = l->put; i < l->c->event_count; i++)
        if (l->c->first_us[l->order[i]] < us)
            us = l->c->first_us[l->order[i]];
    return us;
}

static void forget(struct live *l)
{
    l->cutoff_us = earliest_to_come(l);
    trace("expire", (uint64_t)l->cutoff_us);
    engine_settle(l->e, 0, take, &l->board);
    engine_expire(l->e, l->cutoff_us, (uint32_t)seed_below(&l->s, 4), NULL, NULL);
}

static void shuffle(struct live *l, size_t *order)
{
    for (size_t i = l->c->event_count; i-- > 1;) {
        size_t k = seed_below(&l->s, i + 1);
        size_t swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
}

/* In order of time, each with a delay of its own. */
static void delay(struct live *l, size_t *order)
{
    int64_t *at_us = malloc((l->c->event_count + 1) * sizeof *at_us);
    int64_t most_us = 1 + (int64_t)seed_below(&l->s, 200) * 1000000;

    for (size_t i = 0; i < l->c->event_count; i++)
        at_us[i] = l->c->first_us[i] + (int64_t)seed_below(&l->s, (uint64_t)most_us);
    for (size_t i = 1; i < l->c->event_count; i++)
        for (size_t k = i; k > 0 && at_us[order[k]] < at_us[order[k - 1]]; k--) {
            size_t swap = order[k];
            order[k] = order[k - 1];
            order[k - 1] = swap;
        }
    free(at_us);
}

static bool run_schedule(struct cases *c, uint64_t seed, const struct board *want)
{
    size_t *order = malloc((c->event_count + 1) * sizeof *order);
    struct live l = {.c = c, .s = {seed}, .order = order};
    struct board final = {0};
    struct sighting s;

    for (size_t i = 0; i < c->event_count; i++)
        order[i] = i;
    l.forgets = seed % 3 == 0;
    if (l.forgets)
        delay(&l, order);
    else if (seed % 4 != 0)
        shuffle(&l, order);
    l.limits.seed = seed_next(&l.s);
    l.limits.large_entries_min = 1 + (uint32_t)seed_below(&l.s, 20);
    l.limits.defer_entries_min = 1 + (uint32_t)seed_below(&l.s, 8);
    l.e = engine_new(&c->feed[0].plan, &l.limits);
    for (size_t i = 0; i < c->event_count; i++) {
        if (sight(&c->feed[l.plan], c->event[order[i]], &s))
            engine_put(l.e, &s);
        l.put = i + 1;
        size_t again = order[seed_below(&l.s, i + 1)];
        if (seed_below(&l.s, 4) == 0 && c->first_us[again] >= l.cutoff_us &&
            sight(&c->feed[l.plan], c->event[again], &s))
            engine_put(l.e, &s);
        if (l.forgets && seed_below(&l.s, 4) == 0)
            forget(&l);
        meddle(&l);
    }
    if (l.plan == 2)
        change_plan(&l, 0);
    engine_settle(l.e, 0, take, &l.board);
    engine_alerts(l.e, take, &final);
    bool same = agree("changes", seed, want, &l.board) && (l.forgets || agree("alerts", seed, want, &final));
    board_done(&l.board);
    board_done(&final);
    engine_free(l.e);
    free(order);
    return same;
}

static void print(void *ctx, const struct rule *rule, const struct alert *al)
{
    static char text[65536];
    struct writer w;

    (void)rule;
    writer_init(&w, text, sizeof text - 1);
    alert_json_write(al, &w);
    text[w.len] = '\0';
    puts(text);
    take(ctx, rule, al);
}

static void write_rules(struct cases *c)
{
    static const char EXTRA[] =
        "\n---\n{\"title\":\"x\",\"name\":\"zz_extra\",\"correlation\":{\"type\":\"event_count\","
        "\"rules\":[\"kind0\"],\"generate\":true,\"timespan\":\"1m\",\"condition\":{\"gte\":1}}}";

    for (unsigned k = 0; k < 3; k++) {
        size_t len = 0;
        size_t count = k == 2 ? c->rule_count - 1 : c->rule_count;
        for (size_t i = 0; i < count; i++)
            len += (size_t)snprintf(c->rules[k] + len, TEXT_MAX - len, "%s%s", i > 0 ? "\n---\n" : "",
                                    c->rule[k == 1 ? count - 1 - i : i]);
        if (k == 1)
            snprintf(c->rules[k] + len, TEXT_MAX - len, "%s", EXTRA);
    }
}

static bool run_case(struct cases *c, unsigned long schedules)
{
    struct engine_limits limits = {0};
    struct board want = {0};
    struct seed s = {c->seed};
    struct sighting seen;
    bool same = true;

    write_rules(c);
    for (unsigned k = 0; k < 3; k++) {
        feed_init(&c->feed[k], c->rules[k]);
        c->feed[k].sighter.horizon_us = 0;
    }
    struct engine *e = engine_new(&c->feed[0].plan, &limits);
    for (size_t i = 0; i < c->event_count; i++) {
        if (sight(&c->feed[0], c->event[i], &seen))
            engine_put(e, &seen);
        c->first_us[i] = c->feed[0].record.first_us;
    }
    engine_alerts(e, print, &want);
    puts("X");
    engine_free(e);
    for (unsigned long i = 0; same && i < schedules; i++)
        same = run_schedule(c, seed_next(&s), &want);
    if (!same)
        fprintf(stderr, "case seed %llu\n", (unsigned long long)c->seed);
    board_done(&want);
    for (unsigned k = 0; k < 3; k++)
        feed_done(&c->feed[k]);
    return same;
}

static void reset(struct cases *c, uint64_t seed)
{
    for (size_t i = 0; i < c->rule_count; i++)
        free(c->rule[i]);
    for (size_t i = 0; i < c->event_count; i++)
        free(c->event[i]);
    c->rule_count = c->event_count = 0;
    c->seed = seed;
}

int main(void)
{
    static struct cases c;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    bool same = true;

    snprintf(c.path, sizeof c.path, "%s/engine_cases.%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (long)getpid());
    while (same && (len = getline(&line, &room, stdin)) > 1) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'C')
            reset(&c, strtoull(line + 2, NULL, 10));
        else if (line[0] == 'R' && c.rule_count < 64)
            c.rule[c.rule_count++] = strdup(line + 2);
        else if (line[0] == 'E' && c.event_count < EVENTS_MAX)
            c.event[c.event_count++] = strdup(line + 2);
        else if (line[0] == 'X')
            same = run_case(&c, strtoul(line + 2, NULL, 10));
    }
    reset(&c, 0);
    free(line);
    remove(c.path);
    return same ? 0 : 1;
}
