/* baseline: what is usual for a signature in a cell, and how sure one can be of it.
 *
 * Rate. Cases per active vehicle and day over the 28 days that end CAMPAIGN_GUARD_DAYS before the day looked at,
 * without days on which this signature was in alarm (they would teach an attack as usual; after 14 such days they
 * count, so that a lasting change becomes the new level). A cell with few cases leans on its parent: with n cases in e
 * vehicle-days and the parent's rate q, the rate is (n + k) / (e + k / q), k = RATES_PRIOR cases.
 *
 * Doubt. Cases are taken as negative binomial. The relative variance of the mean is 1 / (n + k), plus what the parent
 * adds, plus the dispersion of daily counts that the same 28 days showed.
 *
 * Shape. A profile of weekday and hour, of all signatures together, spreads a day's expectation over its hours. A
 * signature counts at most PROFILE_CASES_MAX times in one hour, so that an attack does not bend it.
 *
 * Armed. When a version is armed (baseline_arm), hours from then on take rates, dispersion and profile from it and
 * nothing is learned by itself; what the version does not have is inherited from the parent cell. */
#ifndef DETECT_CAMPAIGN_BASELINE_H
#define DETECT_CAMPAIGN_BASELINE_H

#include "detect/campaign/campaign.h"

#define RATES_PRIOR       2.0
#define RATES_PRIOR_FLEET 1.0 /* cases in the baseline that a signature never seen is believed to have */
#define PROFILE_CASES_MAX 5
#define DISPERSION_PRIOR  0.05

/* cum[w][h]: share of a day of weekday w (0 = Monday) before hour h; shares of a week add up to 7. */
struct profile {
    double cum[7][25];
};

/* A cell's part in a baseline, for one signature. */
struct baseline_row {
    struct slice signature;
    struct campaign_cell cell;
    uint32_t cases;
};
struct baseline_cell {
    struct campaign_cell cell;
    uint64_t vehicle_days;
};
struct baseline_spread {
    struct slice signature;
    double fleet, model; /* dispersion of daily counts */
};

/* A version as it is stored: all slices borrowed, copied by baseline_arm. */
struct baseline {
    uint32_t version;
    uint32_t days; /* that taught */
    double threshold;
    struct profile profile;
    const struct baseline_row *row;
    uint32_t row_count;
    const struct baseline_cell *cell;
    uint32_t cell_count;
    const struct baseline_spread *spread;
    uint32_t spread_count;
};

/* From this time on (until a later arming) the version decides. NULL: nothing is armed from then on. The same again is
 * no change. Call before reports of that time, or settle with CAMPAIGN_ALL afterwards. */
VS_MUST_USE enum vs_err baseline_arm(struct campaigns *c, int64_t from_us, const struct baseline *b);

/* What the last 28 days before the guard teach on the day of `now_us`. */
struct baseline_visitor {
    void *ctx;
    void (*row)(void *ctx, const struct baseline_row *row);
    void (*cell)(void *ctx, const struct baseline_cell *cell);
    void (*spread)(void *ctx, const struct baseline_spread *spread);
};
VS_MUST_USE enum vs_err baseline_learn(struct campaigns *c, int64_t now_us, struct profile *ret_profile,
                                       uint32_t *ret_days, const struct baseline_visitor *visit);

#endif
