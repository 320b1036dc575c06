#include <inttypes.h>
#include <stdio.h>

#include "respond/rank.h"
#include "store/alert_store.h"

static void term_severity(const struct rank_input *in, struct rank_term *t)
{
    static const int32_t POINTS[] = {500, 1000, 2000, 3000, 4000};

    t->term = "severity";
    t->points = POINTS[in->severity < 0 || in->severity > ALERT_CRITICAL ? 0 : in->severity];
    snprintf(t->text, sizeof t->text, "The gravest alert is %s.", alert_severity_code(in->severity));
}

static void term_safety(const struct rank_input *in, struct rank_term *t)
{
    static const int32_t POINTS[] = {0, 700, 1400, 2000};

    t->term = "safety";
    if (in->safety < 0 || in->safety > 3) {
        t->points = POINTS[1];
        snprintf(t->text, sizeof t->text, "Safety impact is not assessed: counted like S1.");
        return;
    }
    t->points = POINTS[in->safety];
    snprintf(t->text, sizeof t->text, "The threat scenario's safety impact is S%d.", in->safety);
}

/* Four points for each doubling: 2 vehicles 4, 4 vehicles 8, 32 and more 20. */
static void term_spread(const struct rank_input *in, struct rank_term *t)
{
    int64_t n = in->vehicles_48h > in->vehicles ? in->vehicles_48h : in->vehicles;

    t->term = "spread";
    t->points = 0;
    for (int64_t k = n; k > 1 && t->points < 2000; k /= 2)
        t->points += 400;
    snprintf(t->text, sizeof t->text, "%" PRId64 " vehicle%s here, %" PRId64 " with the same signature in 48 h.",
             in->vehicles, in->vehicles == 1 ? "" : "s", in->vehicles_48h);
}

static void term_exposure(const struct rank_input *in, struct rank_term *t)
{
    t->term = "exposure";
    switch (in->motion) {
    case ALERT_MOTION_MOVING:
        t->points = 1000;
        snprintf(t->text, sizeof t->text, "The vehicle was moving when last heard of.");
        break;
    case ALERT_MOTION_PARKED:
        t->points = 200;
        snprintf(t->text, sizeof t->text, "The vehicle was parked when last heard of.");
        break;
    default:
        t->points = 500;
        snprintf(t->text, sizeof t->text, "Whether the vehicle moves is not known.");
    }
}

static void term_confidence(const struct rank_input *in, struct rank_term *t)
{
    t->term = "confidence";
    if (in->all_retracted) {
        t->points = 0;
        snprintf(t->text, sizeof t->text, "Every alert was retracted.");
    } else if (in->rules > 1) {
        t->points = 1000;
        snprintf(t->text, sizeof t->text, "%" PRId64 " different rules agree.", in->rules);
    } else {
        t->points = in->late ? 500 : 700;
        snprintf(t->text, sizeof t->text, "One rule speaks%s.",
                 in->late ? ", and late events changed what it says" : "");
    }
}

int32_t rank_terms(const struct rank_input *in, struct rank_term ret[RANK_TERMS])
{
    int32_t sum = 0;

    term_severity(in, &ret[0]);
    term_safety(in, &ret[1]);
    term_spread(in, &ret[2]);
    term_exposure(in, &ret[3]);
    term_confidence(in, &ret[4]);
    for (int i = 0; i < RANK_TERMS; i++)
        sum += ret[i].points;
    return sum;
}
