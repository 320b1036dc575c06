/* vsoc campaign score: plays seeds of the fleet-statistics simulator, one JSON line for each thing planted and each
 * seed, then one for each kind with the medians; a table on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/campaign_commands.h"
#include "app/campaign_score.h"

#define SEEDS_MAX 200u

struct options {
    struct score_config run;
    uint64_t first, last;
    bool features;
};

static int usage(FILE *out)
{
    fprintf(
        out,
        "usage: vsoc campaign score [--seeds A-B] [--vehicles N] [--days N] [--quiet-days N] [--step HOURS]\n"
        "                           [--threshold X] [--background] [--features]\n\n"
        "Simulated fleets with attacks S1 to S9, bad updates R1 R2 and failing parts F1 F2 (sim/outbreak.h), played\n"
        "hour by hour to the campaign scan and to the literal rule \"50 vehicles in 48 hours\".\n\n"
        "  --seeds A-B     101-104   seeds 1 to 6 were tuned on\n"
        "  --vehicles N    1000000   1000 to 2000000\n"
        "  --days N        90        60 to 365\n"
        "  --quiet-days N  40        before anything is planted; the baseline needs 38\n"
        "  --step HOURS    1         of receiving between two looks\n"
        "  --threshold X   %.1f      of the log-likelihood ratio\n"
        "  --background              plant nothing: false campaigns only\n"
        "  --features                with what the reasoning weighed, for bench/campaign_fit.py\n",
        CAMPAIGN_THRESHOLD);
    return out == stderr ? 2 : 0;
}

static double cpu_seconds(void)
{
    clock_t t = clock();

    return (double)t / CLOCKS_PER_SEC;
}

static bool take_number(const char *text, double low, double high, double *ret)
{
    char *end = NULL;
    double v = strtod(text, &end);

    if (end == text || *end != '\0' || !(v >= low && v <= high))
        return false;
    *ret = v;
    return true;
}

static bool take_seeds(const char *text, struct options *o)
{
    char *end = NULL;
    unsigned long long a = strtoull(text, &end, 10), b = a;

    if (end == text)
        return false;
    if (*end == '-')
        b = strtoull(end + 1, &end, 10);
    if (*end != '\0' || b < a || b - a >= SEEDS_MAX)
        return false;
    o->first = a;
    o->last = b;
    return true;
}

static bool take_option(const char *name, const char *value, struct options *o)
{
    double v = 0;
    bool ok = true;

    if (strcmp(name, "--seeds") == 0)
        return take_seeds(value, o);
    if (strcmp(name, "--vehicles") == 0 && (ok = take_number(value, 1000, 2e6, &v)))
        o->run.vehicles = (uint32_t)v;
    else if (strcmp(name, "--days") == 0 && (ok = take_number(value, 60, 365, &v)))
        o->run.days = (uint32_t)v;
    else if (strcmp(name, "--quiet-days") == 0 && (ok = take_number(value, 20, 300, &v)))
        o->run.quiet_days = (uint32_t)v;
    else if (strcmp(name, "--step") == 0 && (ok = take_number(value, 1, 48, &v)))
        o->run.step_h = (uint32_t)v;
    else if (strcmp(name, "--threshold") == 0 && (ok = take_number(value, 1, 1000, &v)))
        o->run.threshold = v;
    else
        return false;
    return ok;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--background") == 0) {
            o->run.plant = false;
        } else if (strcmp(argv[i], "--features") == 0) {
            o->features = true;
        } else if (i + 1 < argc && take_option(argv[i], argv[i + 1], o)) {
            i++;
        } else {
            fprintf(stderr, "vsoc campaign score: %s %s: see --help\n", argv[i], i + 1 < argc ? argv[i + 1] : "");
            return false;
        }
    }
    if (o->run.quiet_days + 25 > o->run.days) {
        fprintf(stderr, "vsoc campaign score: --days must be 25 more than --quiet-days\n");
        return false;
    }
    return true;
}

/* ---- one seed */

static void print_detector(const char *name, const struct score_detector *d)
{
    printf(",\"%s\":{\"excluded\":%s,\"found\":%s,\"delay_h\":%.0f,\"vehicles\":%u}", name,
           d->excluded ? "true" : "false", d->found ? "true" : "false", d->delay_h, d->vehicles);
}

static void print_planted(uint64_t seed, const struct score_planted *p, bool features)
{
    printf("{\"seed\":%llu,\"kind\":\"%s\",\"class\":%d,\"signature\":%u,\"victims\":%u", (unsigned long long)seed,
           outbreak_kind_name(p->truth.kind), (int)p->truth.what, p->truth.signature, p->truth.victims);
    print_detector("scan", &p->scan);
    print_detector("literal", &p->literal);
    if (p->judged)
        printf(",\"verdict\":\"%s\",\"p\":[%.3f,%.3f,%.3f]", campaign_verdict_name(p->verdict), p->p[0], p->p[1],
               p->p[2]);
    for (int i = 0; features && p->judged && i < CAMPAIGN_FEATURES; i++)
        printf("%s%.3f%s", i == 0 ? ",\"features\":[" : ",", p->feature[i], i + 1 == CAMPAIGN_FEATURES ? "]" : "");
    printf("}\n");
}

static void print_seed(uint64_t seed, const struct score *s)
{
    printf(
        "{\"seed\":%llu,\"months\":%.2f,\"records\":%llu,\"reports\":%llu,\"scan\":{\"false\":%u,\"false_hours\":%.0f}"
        ",\"literal\":{\"false\":%u,\"false_hours\":%.0f},\"cells\":%u,\"looks\":%llu,\"feed_ns\":%.0f,\"settle_s\":"
        "%.1f}\n",
        (unsigned long long)seed, s->months, (unsigned long long)s->records, (unsigned long long)s->reports,
        s->scan_false, s->scan_false_hours, s->literal_false, s->literal_false_hours, s->stats.cells,
        (unsigned long long)s->stats.looks, s->records > 0 ? s->feed_cpu_s * 1e9 / (double)s->records : 0,
        s->settle_cpu_s);
    fflush(stdout);
}

/* ---- all seeds */

struct sample {
    double value[SEEDS_MAX * 2];
    uint32_t count;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The value below which that share of the sample lies; what was not found counts as infinitely late. */
static double quantile(struct sample *s, double share)
{
    qsort(s->value, s->count, sizeof s->value[0], by_value);
    return s->count > 0 ? s->value[(uint32_t)(share * (s->count - 1) + 0.5)] : -1;
}

struct tally_kind {
    struct sample delay[2], vehicles[2];
    uint32_t runs, excluded[2], missed[2];
};

struct totals {
    struct tally_kind kind[OUTBREAK_KINDS];
    uint32_t confusion[3][CAMPAIGN_VERDICTS + 1];
    double months, hours[2];
    uint32_t wrong[2];
};

#define NEVER 1e9

static void add_detector(struct tally_kind *k, int which, const struct score_detector *d)
{
    if (d->excluded) {
        k->excluded[which]++;
        return;
    }
    k->missed[which] += !d->found;
    k->delay[which].value[k->delay[which].count++] = d->found ? d->delay_h : NEVER;
    k->vehicles[which].value[k->vehicles[which].count++] = d->found ? d->vehicles : NEVER;
}

static void add_seed(struct totals *t, const struct score *s)
{
    for (uint32_t i = 0; i < s->planted_count; i++) {
        const struct score_planted *p = &s->planted[i];
        struct tally_kind *k = &t->kind[p->truth.kind];

        k->runs++;
        add_detector(k, 0, &p->scan);
        add_detector(k, 1, &p->literal);
        if (p->scan.found && !p->scan.excluded)
            t->confusion[p->truth.what][p->judged ? (int)p->verdict : CAMPAIGN_VERDICTS]++;
    }
    t->months += s->months;
    t->wrong[0] += s->scan_false;
    t->wrong[1] += s->literal_false;
    t->hours[0] += s->scan_false_hours;
    t->hours[1] += s->literal_false_hours;
}

static void put_number(double v)
{
    if (v >= NEVER)
        fprintf(stderr, "%8s", "never");
    else
        fprintf(stderr, "%8.0f", v);
}

static void print_kind(enum outbreak_kind kind, struct tally_kind *k)
{
    static const char *const NAME[2] = {"scan", "literal"};

    if (k->runs == 0)
        return;
    fprintf(stderr, "%-4s %4u |", outbreak_kind_name(kind), k->runs);
    printf("{\"kind\":\"%s\",\"runs\":%u", outbreak_kind_name(kind), k->runs);
    for (int w = 0; w < 2; w++) {
        double delay = quantile(&k->delay[w], 0.5), late = quantile(&k->delay[w], 0.9);
        double vehicles = quantile(&k->vehicles[w], 0.5);

        fprintf(stderr, "%5u %6u", k->excluded[w], k->missed[w]);
        put_number(delay);
        put_number(late);
        put_number(vehicles);
        fprintf(stderr, " |");
        printf(",\"%s\":{\"excluded\":%u,\"missed\":%u,\"delay_h_median\":%.0f,\"delay_h_p90\":%.0f,\"vehicles_"
               "median\":%.0f}",
               NAME[w], k->excluded[w], k->missed[w], delay, late, vehicles);
    }
    fprintf(stderr, "\n");
    printf("}\n");
}

static void print_totals(struct totals *t)
{
    static const char *const CLASS[3] = {"attack", "regression", "fault"};

    fprintf(stderr, "\n               scan: excluded missed delay_h p90 vehicles | literal 50/48: the same\n");
    for (int k = 0; k < OUTBREAK_KINDS; k++)
        print_kind((enum outbreak_kind)k, &t->kind[k]);
    fprintf(stderr,
            "\nfalse campaigns a month: scan %.2f, literal %.2f; false alarm-hours a month: scan %.1f, literal "
            "%.1f (%.1f months)\n\nverdict:   attack regression fault unjudged\n",
            t->wrong[0] / t->months, t->wrong[1] / t->months, t->hours[0] / t->months, t->hours[1] / t->months,
            t->months);
    for (int i = 0; i < 3; i++)
        fprintf(stderr, "%-10s %6u %10u %5u %8u\n", CLASS[i], t->confusion[i][0], t->confusion[i][1],
                t->confusion[i][2], t->confusion[i][3]);
    printf(
        "{\"months\":%.1f,\"scan\":{\"false_month\":%.2f,\"false_hours_month\":%.1f},\"literal\":{\"false_month\":%.2f,"
        "\"false_hours_month\":%.1f},\"confusion\":{",
        t->months, t->wrong[0] / t->months, t->hours[0] / t->months, t->wrong[1] / t->months, t->hours[1] / t->months);
    for (int i = 0; i < 3; i++)
        printf("%s\"%s\":[%u,%u,%u]", i > 0 ? "," : "", CLASS[i], t->confusion[i][0], t->confusion[i][1],
               t->confusion[i][2]);
    printf("}}\n");
}

int campaign_cmd_score(int argc, char **argv)
{
    struct options o = {.run = {.vehicles = 1000000, .days = 90, .quiet_days = 40, .step_h = 1, .plant = true},
                        .first = 101,
                        .last = 104};
    struct score *s = calloc(1, sizeof *s);
    struct totals *t = calloc(1, sizeof *t);
    enum vs_err err = s == NULL || t == NULL ? VS_ERR_NO_MEMORY : VS_OK;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        free(s);
        free(t);
        return usage(stdout);
    }
    bool ok = parse(argc, argv, &o);
    for (uint64_t seed = o.first; ok && err == VS_OK && seed <= o.last; seed++) {
        o.run.seed = seed;
        err = campaign_score(&o.run, cpu_seconds, s);
        for (uint32_t i = 0; err == VS_OK && i < s->planted_count; i++)
            print_planted(seed, &s->planted[i], o.features);
        if (err == VS_OK)
            print_seed(seed, s);
        if (err == VS_OK)
            add_seed(t, s);
        fprintf(stderr, "seed %llu done\n", (unsigned long long)seed);
    }
    if (ok && err == VS_OK)
        print_totals(t);
    if (err != VS_OK)
        fprintf(stderr, "vsoc campaign score: %s\n", vs_err_text(err));
    free(s);
    free(t);
    return !ok ? 2 : err == VS_OK ? 0 : 1;
}
