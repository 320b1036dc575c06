/* Fleet statistics against a naive twin, in any order, with repetitions, with looks in between, over a restart;
 * late reports; armed versions. R-121 to R-123, R-131. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "detect/campaign/baseline.h"
#include "detect/campaign/campaign_internal.h"
#include "detect/campaign/snapshot.h"
#include "seed.h"

#define DAY0     20454
#define MODELS   3
#define VERSIONS 2
#define REGIONS  2
#define SIGS     4
#define VEHICLES 600
#define DAYS     50

struct item {
    uint32_t vehicle, version, signature; /* signature SIGS: seen only */
    int64_t time_us;
    uint64_t seq;
};

struct story {
    struct item *item;
    uint32_t count, room;
};

static void put(struct story *s, uint32_t vehicle, uint32_t version, uint32_t signature, int64_t time_us)
{
    assert_true(array_room((void **)&s->item, s->count, &s->room, sizeof *s->item));
    s->item[s->count] = (struct item){vehicle, version, signature, time_us, s->count + 1};
    s->count++;
}

static uint32_t version_on(uint32_t vehicle, int32_t day)
{
    return day >= 20 + (int32_t)(vehicle % 10);
}

/* Everyday life with some reports, and from `attack_day` on an outbreak of signature 1 on model 0. */
static void live(struct seed *r, struct story *s, int32_t days, int32_t attack_day, uint32_t victims)
{
    for (int32_t d = 0; d < days; d++)
        for (uint32_t v = 0; v < VEHICLES; v++) {
            int64_t day_us = (int64_t)(DAY0 + d) * CAMPAIGN_DAY_US;

            if (seed_below(r, 4) == 0)
                continue;
            put(s, v, version_on(v, d), SIGS, day_us + (int64_t)seed_below(r, 86400) * 1000000);
            if (seed_below(r, 400) == 0)
                put(s, v, version_on(v, d), (uint32_t)seed_below(r, SIGS),
                    day_us + (int64_t)seed_below(r, 86400) * 1000000);
        }
    for (uint32_t i = 0; i < victims; i++) {
        uint32_t v = MODELS * (uint32_t)seed_below(r, VEHICLES / MODELS);
        int64_t at = (int64_t)(DAY0 + attack_day) * CAMPAIGN_DAY_US + (int64_t)seed_below(r, 2 * 86400) * 1000000;

        for (uint64_t n = 1 + seed_below(r, 3); n > 0; n--) {
            put(s, v, version_on(v, (int32_t)(at / CAMPAIGN_DAY_US) - DAY0), 1, at);
            at += (int64_t)seed_below(r, 40 * 3600) * 1000000;
        }
    }
}

static void shuffle(struct seed *r, struct story *s)
{
    for (uint32_t i = s->count; i > 1; i--) {
        uint32_t k = (uint32_t)seed_below(r, i);
        struct item t = s->item[i - 1];

        s->item[i - 1] = s->item[k];
        s->item[k] = t;
    }
}

static void names(char model[8], char software[8], char region[8], const struct item *x)
{
    snprintf(model, 8, "M%u", x->vehicle % MODELS);
    snprintf(software, 8, "V%u", x->version);
    snprintf(region, 8, "R%u", x->vehicle / MODELS % REGIONS);
}

static void feed(struct campaigns *c, const struct item *x)
{
    char model[8], software[8], region[8], signature[8];
    const struct campaign_origin origin = {.seq = x->seq};

    names(model, software, region, x);
    snprintf(signature, sizeof signature, "S%u", x->signature);
    uint32_t cohort = campaign_cohort(c, slice_str(model), slice_str(software), slice_str(region));
    if (x->signature == SIGS)
        assert_int_equal(campaign_seen(c, x->vehicle, cohort, x->time_us), VS_OK);
    else
        assert_int_equal(
            campaign_report(c, x->vehicle, cohort, campaign_signature(c, slice_str(signature), 0), x->time_us, &origin),
            VS_OK);
}

static struct campaigns *fresh(double threshold)
{
    const struct campaign_config cfg = {.threshold = threshold, .seed = 7};
    struct campaigns *c = NULL;

    assert_int_equal(campaigns_new(&cfg, &c), VS_OK);
    return c;
}

/* ---- the answer as text, for comparison to the byte */

struct answer {
    char text[65536];
    size_t len;
    uint32_t count;
};

static void on_campaign(void *ctx, const struct campaign *al)
{
    struct answer *a = ctx;
    char cell[200];

    campaign_cell_text(&al->cell, cell, sizeof cell);
    a->count++;
    a->len += (size_t)snprintf(a->text + a->len, sizeof a->text - a->len,
                               "%02x%02x %.*s %s %d %lld %lld %lld %u %u %u %.17g %.17g %.17g %.17g %.17g %d\n",
                               al->id[0], al->id[15], (int)al->signature.len, (const char *)al->signature.ptr, cell,
                               (int)al->state, (long long)al->first_us, (long long)al->detected_us,
                               (long long)al->last_us, al->vehicles, al->alarm_hours, al->window_h, al->score,
                               al->expected, al->explains, al->p[0], al->p[1], al->cold);
    assert_true(a->len < sizeof a->text);
}

static void answer_of(struct campaigns *c, int64_t now_us, struct answer *ret)
{
    memset(ret, 0, sizeof *ret);
    assert_int_equal(campaign_settle(c, now_us, CAMPAIGN_ALL), VS_OK);
    assert_int_equal(campaign_each(c, true, on_campaign, ret), VS_OK);
}

#define NOW_US ((int64_t)(DAY0 + DAYS) * CAMPAIGN_DAY_US)

static void same_in_any_order_twice_and_looked_at_between(void **state)
{
    struct seed r = seed_start(__func__, 11);
    (void)state;

    for (int round = 0; round < 3; round++) {
        struct story s = {NULL, 0, 0};
        static struct answer want, got;

        live(&r, &s, DAYS, 42, 14);
        struct campaigns *c = fresh(9);
        for (uint32_t i = 0; i < s.count; i++)
            feed(c, &s.item[i]);
        answer_of(c, NOW_US, &want);
        campaigns_free(c);
        assert_true(want.count > 0);
        shuffle(&r, &s);
        c = fresh(9);
        for (uint32_t i = 0; i < s.count; i++) {
            feed(c, &s.item[i]);
            if (seed_below(&r, 3) == 0)
                feed(c, &s.item[seed_below(&r, i + 1)]);
            if (seed_below(&r, s.count / 4) == 0)
                assert_int_equal(campaign_settle(c, s.item[i].time_us, CAMPAIGN_CHANGED), VS_OK);
        }
        answer_of(c, NOW_US, &got);
        campaigns_free(c);
        assert_string_equal(got.text, want.text);
        free(s.item);
    }
}

/* ---- the naive twin: cases, exposure and expectation straight from the list of items */

static int by_item(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->vehicle != y->vehicle)
        return x->vehicle < y->vehicle ? -1 : 1;
    if (x->signature != y->signature)
        return x->signature < y->signature ? -1 : 1;
    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static bool in_cell(const struct item *x, uint8_t mask, const struct item *like)
{
    char a[3][8], b[3][8];

    names(a[0], a[1], a[2], x);
    names(b[0], b[1], b[2], like);
    for (int i = 0; i < 3; i++)
        if ((mask >> i & 1) != 0 && strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

/* Items must be sorted by vehicle, signature, time. */
static uint32_t naive_cases(const struct story *s, uint32_t signature, uint8_t mask, const struct item *like,
                            int32_t from, int32_t to)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct item *x = &s->item[i];
        bool goes_on = i > 0 && s->item[i - 1].vehicle == x->vehicle && s->item[i - 1].signature == signature &&
                       hour_of(x->time_us) - hour_of(s->item[i - 1].time_us) <= CAMPAIGN_WINDOW_MAX_H;

        n += x->signature == signature && !goes_on && in_cell(x, mask, like) && hour_of(x->time_us) >= from &&
             hour_of(x->time_us) <= to;
    }
    return n;
}

static uint32_t naive_active(const struct story *s, uint8_t mask, const struct item *like, int32_t day)
{
    static bool seen[VEHICLES][VERSIONS];
    uint32_t n = 0;

    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct item *x = &s->item[i];

        if (day_of_hour(hour_of(x->time_us)) != day || !in_cell(x, mask, like) || seen[x->vehicle][x->version])
            continue;
        seen[x->vehicle][x->version] = true;
        n++;
    }
    return n;
}

static uint32_t cell_like(const struct campaigns *c, uint8_t mask, const struct item *like)
{
    char model[8], software[8], region[8];

    names(model, software, region, like);
    const struct campaign_cell cell = {mask, slice_str(model), slice_str(software), slice_str(region)};
    return cell_find(c, &cell);
}

static uint32_t cases_counted(const struct campaigns *c, uint32_t signature, uint32_t cell, int32_t from, int32_t to)
{
    const struct signature *s = &c->signature[signature];
    uint32_t n = 0;

    for (uint32_t k = cases_from(s, from); k < s->case_count && s->cases[k].hour <= to; k++)
        n += c->cohort[s->cases[k].cohort].cell[c->cell[cell].mask] == cell;
    return n;
}

static void counts_and_rates_are_those_of_a_naive_twin(void **state)
{
    struct seed r = seed_start(__func__, 23);
    struct story s = {NULL, 0, 0};
    struct campaigns *c = fresh(1e9);
    (void)state;

    live(&r, &s, DAYS, 42, 20);
    shuffle(&r, &s);
    for (uint32_t i = 0; i < s.count; i++)
        feed(c, &s.item[i]);
    assert_int_equal(campaign_settle(c, NOW_US, CAMPAIGN_ALL), VS_OK);
    qsort(s.item, s.count, sizeof *s.item, by_item);
    for (int round = 0; round < 200; round++) {
        const struct item *like = &s.item[seed_below(&r, s.count)];
        uint8_t mask = (uint8_t)seed_below(&r, CAMPAIGN_MASKS);
        uint32_t signature = (uint32_t)seed_below(&r, SIGS), cell = cell_like(c, mask, like);
        int32_t day = DAY0 + 34 + (int32_t)seed_below(&r, 16), from = day * 24 + (int32_t)seed_below(&r, 24);
        int32_t to = from + (int32_t)seed_below(&r, 96);
        char text[8];

        snprintf(text, sizeof text, "S%u", signature);
        uint32_t number = intern_find(&c->signature_texts, slice_str(text));
        CHECK_ROW(round, cases_counted(c, number, cell, from, to) == naive_cases(&s, signature, mask, like, from, to));
        CHECK_ROW(round, exposure_active(c, cell, day) == naive_active(&s, mask, like, day));
        if (round >= 20)
            continue;
        /* The chain of shrinkage, written down once more. */
        static const uint8_t CHAIN[CAMPAIGN_MASKS][4] = {{0},    {0, 1},    {0, 2},    {0, 1, 3},
                                                         {0, 4}, {0, 1, 5}, {0, 4, 6}, {0, 1, 5, 7}};
        static const int LENGTH[CAMPAIGN_MASKS] = {1, 2, 2, 3, 2, 3, 3, 4};
        double rate = 0;
        for (int i = 0; i < LENGTH[mask]; i++) {
            uint8_t m = CHAIN[mask][i];
            double n = naive_cases(&s, signature, m, like, (day - 31) * 24, (day - 3) * 24 - 1), e = 0;
            for (int32_t d = day - 31; d < day - 3; d++)
                e += naive_active(&s, m, like, d);
            rate = i == 0 ? (n + 1) / e : (n + 2) / (e + 2 / rate);
        }
        c->rates.signature = CAMPAIGN_NONE;
        assert_int_equal(rates_for(c, number, from), VS_OK);
        CHECK_ROW(round, fabs(rates_of(c, cell).per_day - rate) < 1e-12 + 1e-9 * rate);
    }
    campaigns_free(c);
    free(s.item);
}

/* ---- what it finds and what not */

struct found {
    uint32_t count, on_model_0, vehicles, retracted, closed, superseded;
    struct campaign last;
};

static void on_found(void *ctx, const struct campaign *al)
{
    struct found *f = ctx;

    f->count += al->state != CAMPAIGN_RETRACTED;
    f->retracted += al->state == CAMPAIGN_RETRACTED;
    f->closed += al->state == CAMPAIGN_CLOSED;
    f->superseded += al->supersedes_count;
    f->on_model_0 += slice_equal_str(al->signature, "S1") && slice_equal_str(al->cell.model, "M0");
    f->last = *al;
}

static void finds_a_campaign_where_it_is_and_nothing_without(void **state)
{
    struct seed r = seed_start(__func__, 5);
    (void)state;

    for (uint32_t victims = 0; victims <= 12; victims += 12) {
        struct story s = {NULL, 0, 0};
        struct campaigns *c = fresh(0);
        struct found f = {.count = 0};

        live(&r, &s, DAYS, 42, victims);
        for (uint32_t i = 0; i < s.count; i++)
            feed(c, &s.item[i]);
        assert_int_equal(campaign_settle(c, NOW_US, CAMPAIGN_ALL), VS_OK);
        assert_int_equal(campaign_each(c, false, on_found, &f), VS_OK);
        assert_int_equal(f.count, victims > 0);
        assert_int_equal(f.on_model_0, victims > 0);
        if (victims > 0) {
            assert_true(f.last.vehicles >= 8 && f.last.vehicles <= 16);
            assert_true(f.last.explains > 0.7);
            assert_false(f.last.page); /* nothing is armed */
            assert_int_equal(f.last.state, CAMPAIGN_CLOSED);
        }
        campaigns_free(c);
        free(s.item);
    }
}

static void a_chatty_vehicle_is_one_case(void **state)
{
    struct campaigns *c = fresh(0);
    uint32_t cohort = campaign_cohort(c, slice_str("M"), slice_str("V"), slice_str("R"));
    uint32_t sig = campaign_signature(c, slice_str("S"), 0);
    struct campaign_stats stats;
    (void)state;

    for (int64_t h = 0; h < 24 * 20; h++)
        assert_int_equal(campaign_report(c, 1, cohort, sig, DAY0 * CAMPAIGN_DAY_US + h * CAMPAIGN_HOUR_US,
                                         &(struct campaign_origin){.seq = (uint64_t)h}),
                         VS_OK);
    campaign_stats(c, &stats);
    assert_int_equal(stats.cases, 1);
    /* 96 hours of silence belong to the case, 97 end it. */
    int64_t last = DAY0 * CAMPAIGN_DAY_US + (24 * 20 - 1) * CAMPAIGN_HOUR_US;
    assert_int_equal(
        campaign_report(c, 1, cohort, sig, last + 96 * CAMPAIGN_HOUR_US, &(struct campaign_origin){.seq = 900}), VS_OK);
    campaign_stats(c, &stats);
    assert_int_equal(stats.cases, 1);
    assert_int_equal(
        campaign_report(c, 1, cohort, sig, last + (96 + 97) * CAMPAIGN_HOUR_US, &(struct campaign_origin){.seq = 901}),
        VS_OK);
    campaign_stats(c, &stats);
    assert_int_equal(stats.cases, 2);
    /* One that comes late and stands between joins the two. */
    assert_int_equal(
        campaign_report(c, 1, cohort, sig, last + 140 * CAMPAIGN_HOUR_US, &(struct campaign_origin){.seq = 902}),
        VS_OK);
    campaign_stats(c, &stats);
    assert_int_equal(stats.cases, 1);
    campaigns_free(c);
}

/* Reports that come late take an alarm's ground: three cases become parts of older ones. */
static void late_reports_revise_what_was_told(void **state)
{
    struct seed r = seed_start(__func__, 3);
    struct story s = {NULL, 0, 0};
    struct campaigns *c = fresh(0);
    struct found before = {.count = 0}, after = {.count = 0}, again = {.count = 0};
    int64_t at = (int64_t)(DAY0 + 45) * CAMPAIGN_DAY_US;
    (void)state;

    live(&r, &s, DAYS, 42, 0);
    for (uint32_t v = 0; v < 5; v++)
        put(&s, 3 * (50 + v), 1, 1, at + v * CAMPAIGN_HOUR_US / 4);
    for (uint32_t i = 0; i < s.count; i++)
        feed(c, &s.item[i]);
    assert_int_equal(campaign_settle(c, NOW_US, CAMPAIGN_ALL), VS_OK);
    assert_int_equal(campaign_each(c, false, on_found, &before), VS_OK);
    assert_int_equal(before.count, 1);
    /* Each of them had reported the same on other days before, spread out. */
    for (uint32_t v = 0; v < 5; v++) {
        struct item late = {3 * (50 + v), 1, 1, at - (int64_t)(20 + 15 * v) * CAMPAIGN_HOUR_US, 1000000 + v};
        feed(c, &late);
    }
    assert_int_equal(campaign_settle(c, NOW_US, CAMPAIGN_ALL), VS_OK);
    assert_int_equal(campaign_each(c, false, on_found, &after), VS_OK);
    assert_int_equal(after.retracted + after.superseded, 1);
    assert_int_equal(campaign_each(c, false, on_found, &again), VS_OK);
    assert_int_equal(again.count + again.retracted, 0);
    campaigns_free(c);
    free(s.item);
}

/* ---- restart */

static void a_restart_goes_on_as_if_there_had_been_none(void **state)
{
    struct seed r = seed_start(__func__, 31);
    struct story s = {NULL, 0, 0};
    static struct answer want, got;
    char path[] = "/tmp/campaign_snapshot_XXXXXX";
    int fd = mkstemp(path);
    (void)state;

    assert_true(fd >= 0);
    live(&r, &s, DAYS, 42, 14);
    shuffle(&r, &s);
    struct campaigns *a = fresh(9), *b = fresh(9);
    for (uint32_t i = 0; i < s.count / 2; i++)
        feed(a, &s.item[i]);
    struct found told = {.count = 0}, more_a = {.count = 0}, more_b = {.count = 0};
    assert_int_equal(campaign_settle(a, NOW_US, CAMPAIGN_ALL), VS_OK);
    assert_int_equal(campaign_each(a, false, on_found, &told), VS_OK);
    struct snapshot_writer *w;
    struct snapshot *snap;
    struct snapshot_in in;
    assert_int_equal(snapshot_create(path, 1, &w), VS_OK);
    snapshot_begin(w, "campaign");
    campaign_save(a, w);
    snapshot_end(w);
    assert_int_equal(snapshot_finish(w, NULL), VS_OK);
    assert_int_equal(snapshot_open(path, 1, &snap, NULL), VS_OK);
    assert_int_equal(snapshot_section(snap, "campaign", &in), VS_OK);
    assert_int_equal(campaign_load(b, &in), VS_OK);
    assert_int_equal(snapshot_in_done(&in), VS_OK);
    snapshot_close(snap);
    remove(path);
    for (uint32_t i = s.count / 2; i < s.count; i++) {
        feed(a, &s.item[i]);
        feed(b, &s.item[i]);
    }
    answer_of(a, NOW_US, &want);
    answer_of(b, NOW_US, &got);
    assert_true(want.count > 0);
    assert_string_equal(got.text, want.text);
    assert_int_equal(campaign_each(a, false, on_found, &more_a), VS_OK);
    assert_int_equal(campaign_each(b, false, on_found, &more_b), VS_OK);
    assert_memory_equal(&more_a, &more_b, offsetof(struct found, last));
    campaigns_free(a);
    campaigns_free(b);
    free(s.item);
}

/* ---- armed versions */

struct learned {
    struct baseline_row row[4000];
    struct baseline_cell cell[400];
    struct baseline_spread spread[16];
    struct baseline b;
};

static void on_row(void *ctx, const struct baseline_row *row)
{
    struct learned *l = ctx;
    l->row[l->b.row_count++] = *row;
}

static void on_cell(void *ctx, const struct baseline_cell *cell)
{
    struct learned *l = ctx;
    l->cell[l->b.cell_count++] = *cell;
}

static void on_spread(void *ctx, const struct baseline_spread *spread)
{
    struct learned *l = ctx;
    l->spread[l->b.spread_count++] = *spread;
}

static void only_an_armed_baseline_pages_and_what_is_learned_from_equals_it(void **state)
{
    struct seed r = seed_start(__func__, 41);
    struct story s = {NULL, 0, 0};
    static struct learned l;
    (void)state;

    live(&r, &s, DAYS, 42, 12);
    struct campaigns *c = fresh(0);
    for (uint32_t i = 0; i < s.count; i++)
        feed(c, &s.item[i]);
    memset(&l, 0, sizeof l);
    const struct baseline_visitor visit = {&l, on_row, on_cell, on_spread};
    int64_t day_us = (int64_t)(DAY0 + 40) * CAMPAIGN_DAY_US;
    assert_int_equal(baseline_learn(c, day_us, &l.b.profile, &l.b.days, &visit), VS_OK);
    assert_int_equal(l.b.days, 28);
    l.b.version = 3;
    l.b.row = l.row;
    l.b.cell = l.cell;
    l.b.spread = l.spread;
    /* The same rates, from memory or from the version. */
    uint32_t sig = intern_find(&c->signature_texts, slice_str("S2"));
    assert_int_equal(rates_for(c, sig, (DAY0 + 40) * 24), VS_OK);
    double trailing[64], days = 0;
    for (uint32_t i = 0; i < c->cell_count && i < 64; i++)
        trailing[i] = rates_of(c, i).per_day;
    assert_int_equal(baseline_arm(c, day_us, &l.b), VS_OK);
    c->rates.signature = CAMPAIGN_NONE;
    assert_int_equal(rates_for(c, sig, (DAY0 + 40) * 24), VS_OK);
    for (uint32_t i = 0; i < c->cell_count && i < 64; i++) {
        CHECK_ROW(i, fabs(rates_of(c, i).per_day - trailing[i]) < 1e-12);
        days += rates_of(c, i).per_day;
    }
    assert_true(days > 0);
    struct found f = {.count = 0};
    assert_int_equal(campaign_settle(c, NOW_US, CAMPAIGN_ALL), VS_OK);
    assert_int_equal(campaign_each(c, true, on_found, &f), VS_OK);
    assert_int_equal(f.count, 1);
    assert_true(f.last.page);
    assert_int_equal(f.last.baseline, 3);
    /* Taken back by a person: told, but nobody is woken. */
    memset(&f, 0, sizeof f);
    assert_int_equal(baseline_arm(c, day_us, NULL), VS_OK);
    assert_int_equal(campaign_settle(c, NOW_US, CAMPAIGN_ALL), VS_OK);
    assert_int_equal(campaign_each(c, true, on_found, &f), VS_OK);
    assert_int_equal(f.count, 1);
    assert_false(f.last.page);
    campaigns_free(c);
    free(s.item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_in_any_order_twice_and_looked_at_between),
        cmocka_unit_test(counts_and_rates_are_those_of_a_naive_twin),
        cmocka_unit_test(finds_a_campaign_where_it_is_and_nothing_without),
        cmocka_unit_test(a_chatty_vehicle_is_one_case),
        cmocka_unit_test(late_reports_revise_what_was_told),
        cmocka_unit_test(a_restart_goes_on_as_if_there_had_been_none),
        cmocka_unit_test(only_an_armed_baseline_pages_and_what_is_learned_from_equals_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
