/* campaign: finds that more vehicles than usual say the same thing, and says who is meant and why it may be so.
 *
 * Model. A *case* is a vehicle that begins to report an attack signature: reports of one vehicle and signature that are
 * not more than CAMPAIGN_WINDOW_MAX_H hours apart belong to one case, which counts in the hour of its first report. So
 * a chatty vehicle counts once in any window, and counts of cohorts and hours can be added. A *cohort* is (model,
 * software, region) at event time; a *cell* is a cohort with some of the three left open, down to the whole fleet. The
 * *exposure* of a cell is its active vehicles per day: vehicles from which anything came.
 *
 * Every hour in which a signature has a case is looked at through windows of 1 to 96 hours in every cell: the
 * log-likelihood ratio of a negative binomial says how far the cases are above what the cell's baseline expects
 * (detect/campaign/baseline.h). Where that passes the threshold the cell is in alarm; of overlapping cells the most
 * telling one stands for all. Alarms of one signature and overlapping cells not more than CAMPAIGN_GAP_H apart are one
 * campaign. docs/campaigns.md has the arithmetic and the reasons.
 *
 * Promise. After campaign_settle(.., CAMPAIGN_ALL) the campaigns are a function of the set of reports, of exposures and
 * of the armed baselines: order, repetition and lateness (within CAMPAIGN_KEEP_DAYS of the newest day) change nothing,
 * and neither does when one settled in between. What bounds leave out is counted in campaign_stats.
 *
 * Memory: heap. A cell takes CAMPAIGN_CELL_BYTES; a case 12 bytes, a vehicle and signature 80, a vehicle and cohort 24
 * and one bit a day. Cost: campaign_seen and campaign_report O(1); settling O(cases of four days) for each signature
 * and hour that changed. Threads: one owner. No clock. */
#ifndef DETECT_CAMPAIGN_CAMPAIGN_H
#define DETECT_CAMPAIGN_CAMPAIGN_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define CAMPAIGN_NONE           UINT32_MAX
#define CAMPAIGN_ID_SIZE        16
#define CAMPAIGN_WINDOWS        7
#define CAMPAIGN_WINDOW_MAX_H   96
#define CAMPAIGN_GAP_H          48 /* alarms further apart are two campaigns */
#define CAMPAIGN_BASELINE_DAYS  28
#define CAMPAIGN_GUARD_DAYS     3 /* days before the day looked at that do not teach */
#define CAMPAIGN_LEARN_DAYS     7 /* a baseline of fewer days, and a cell younger than that, is cold */
#define CAMPAIGN_KEEP_DAYS      70
#define CAMPAIGN_HOUR_US        INT64_C(3600000000)
#define CAMPAIGN_DAY_US         INT64_C(86400000000)
#define CAMPAIGN_TEXT_MAX       160 /* bytes of a signature, model, software or region; longer ones are cut */
#define CAMPAIGN_SIGNATURES_MAX 65536u
#define CAMPAIGN_COHORTS_MAX    65536u
#define CAMPAIGN_CELLS_MAX      200000u
#define CAMPAIGN_TRACKS_MAX     50000000u /* (vehicle, signature) pairs */
#define CAMPAIGN_SLOTS_MAX      50000000u /* (vehicle, cohort) pairs */
#define CAMPAIGN_OF_VEHICLE_MAX 64        /* signatures of one vehicle at a time */
#define CAMPAIGN_CELL_BYTES     1024

/* What a cell keeps of a cohort. */
enum campaign_part { CAMPAIGN_MODEL = 1, CAMPAIGN_SOFTWARE = 2, CAMPAIGN_REGION = 4 };
#define CAMPAIGN_MASKS 8

/* What is known of a vehicle at a time, for the reasoning. */
struct campaign_vehicle {
    struct slice hardware;     /* generation; "" = not known */
    int32_t build_day;         /* days since 1970; -1 = not known */
    int32_t odometer_km;       /* -1 = not known */
    int64_t software_since_us; /* when it got the software it ran at that time; 0 = not known */
};
typedef void campaign_vehicle_fn(void *ctx, uint32_t vehicle, int64_t time_us, struct campaign_vehicle *ret);
/* A number that names the vehicle for good and is evenly spread, such as the first bytes of its pseudonym: of large
 * cells a sample by key is compared with the cases. */
typedef uint64_t campaign_key_fn(void *ctx, uint32_t vehicle);

struct campaign_config {
    double threshold;           /* of the log-likelihood ratio; 0 = CAMPAIGN_THRESHOLD */
    uint32_t vehicles_min;      /* of a campaign; 0 = 4 */
    campaign_vehicle_fn *facts; /* NULL: nothing is known, as is without key */
    campaign_key_fn *key;
    void *ctx;
    uint64_t seed; /* of hash tables */
};

/* Tuned once with `vsoc campaign score` on seeds 1 to 6 of the simulator to about one false campaign a month in 50
 * signatures and 1,800 cells; what it gives on other seeds is in docs/benchmarks.md. */
#define CAMPAIGN_THRESHOLD 15.5

struct campaigns;

VS_MUST_USE enum vs_err campaigns_new(const struct campaign_config *cfg, struct campaigns **ret);
void campaigns_free(struct campaigns *c);
/* Keeps a text as long as the instance lives, for facts handed out. "" when there are too many. */
struct slice campaign_text(struct campaigns *c, struct slice text);
/* From now on the reasoning asks these; NULL for nothing is known (and then it costs nothing). */
void campaign_ask(struct campaigns *c, campaign_vehicle_fn *facts, campaign_key_fn *key, void *ctx);

/* ---- what happened. Numbers are given in order of first sight and mean nothing outside. */

enum campaign_signature_flag {
    CAMPAIGN_SPECIFIED = 1, /* told by a specification (unknown identifier, failed check), not by a learned model */
    CAMPAIGN_PAYLOAD = 2    /* the signature names content, so equal signatures mean equal content */
};
/* CAMPAIGN_NONE when a bound is reached. Flags add to those that the signature has. */
uint32_t campaign_signature(struct campaigns *c, struct slice text, unsigned flags);
uint32_t campaign_cohort(struct campaigns *c, struct slice model, struct slice software, struct slice region);

/* Anything at all came from the vehicle that happened at that time. Vehicles are dense numbers of the caller. */
VS_MUST_USE enum vs_err campaign_seen(struct campaigns *c, uint32_t vehicle, uint32_t cohort, int64_t time_us);
/* Names the event of a report, and where it lies in the log; handed back with the case it begins. */
struct campaign_origin {
    uint64_t seq, log_offset;
    uint32_t epoch, log_partition;
};
/* The vehicle reported the signature. Includes campaign_seen. */
VS_MUST_USE enum vs_err campaign_report(struct campaigns *c, uint32_t vehicle, uint32_t cohort, uint32_t signature,
                                        int64_t time_us, const struct campaign_origin *origin);

/* ---- what came of it */

enum campaign_depth {
    CAMPAIGN_CHANGED, /* signatures whose cases changed, from the hour that changed: good enough between */
    CAMPAIGN_ALL      /* everything, exposures and baselines of late days included: the promise above */
};
VS_MUST_USE enum vs_err campaign_settle(struct campaigns *c, int64_t now_us, enum campaign_depth depth);

enum campaign_state { CAMPAIGN_OPEN, CAMPAIGN_CLOSED, CAMPAIGN_RETRACTED };
enum campaign_verdict { CAMPAIGN_ATTACK, CAMPAIGN_REGRESSION, CAMPAIGN_FAULT, CAMPAIGN_VERDICTS };

struct campaign_cell {
    uint8_t mask; /* enum campaign_part; the parts left open are empty below */
    struct slice model, software, region;
};

/* What cases and cell have in common; detect/campaign/reason.c has the arithmetic of each. 0 = says nothing. */
enum campaign_feature {
    CAMPAIGN_F_ROLLOUT,  /* began soon after the vehicle's own change of software, compared with all vehicles */
    CAMPAIGN_F_VERSION,  /* share of one young software version, compared */
    CAMPAIGN_F_HARDWARE, /* share of one hardware generation, compared */
    CAMPAIGN_F_BUILD,    /* share of one quarter of build dates, compared */
    CAMPAIGN_F_MILEAGE,  /* mileage, compared */
    CAMPAIGN_F_SMOOTH,   /* were there more cases than usual in the days before already */
    CAMPAIGN_F_CHAIN,    /* other signatures on the same vehicles at the same time */
    CAMPAIGN_F_REGION,   /* share of one region, compared */
    CAMPAIGN_F_MODELS,   /* models it is on at once */
    CAMPAIGN_F_BURST,    /* share of the cases within the densest six hours */
    CAMPAIGN_F_EVIDENCE, /* told by a specification, or equal content */
    CAMPAIGN_FEATURES
};

#define CAMPAIGN_REASONS_MAX CAMPAIGN_FEATURES
#define CAMPAIGN_REASON_SIZE 224

/* One thing that speaks for or against, in words, and how much: natural units of log odds per verdict. */
struct campaign_reason {
    char text[CAMPAIGN_REASON_SIZE];
    double weight[CAMPAIGN_VERDICTS];
};

struct campaign {
    uint8_t id[CAMPAIGN_ID_SIZE];
    struct slice signature;
    struct campaign_cell cell; /* the smallest that explains the excess */
    enum campaign_state state;
    int64_t first_us;           /* beginning of the window that was the first in alarm */
    int64_t detected_us;        /* end of the hour of the first alarm */
    int64_t last_us;            /* end of the hour of the last alarm */
    uint32_t alarm_hours;       /* hours in alarm between */
    uint32_t vehicles;          /* cases of the cell from first to last */
    uint32_t vehicles_detected; /* cases in the window of the first alarm */
    double expected;            /* cases that the baseline expects from first to last */
    double score, threshold;    /* the highest log-likelihood ratio and what it had to pass */
    uint32_t window_h;          /* window of the highest */
    double explains;            /* share of the whole excess of this signature that lies in the cell, 0 to 1 */
    uint32_t baseline;          /* armed version in force at detection; 0 = none was armed */
    bool cold;                  /* only cells younger than CAMPAIGN_LEARN_DAYS were in alarm */
    bool page;                  /* a person should be told: armed, and not cold unless specified */
    enum campaign_verdict verdict;
    double p[CAMPAIGN_VERDICTS];       /* of the three, adding to 1 */
    double feature[CAMPAIGN_FEATURES]; /* what the reasoning weighed; order of enum campaign_feature */
    uint32_t reason_count;
    struct campaign_reason reason[CAMPAIGN_REASONS_MAX]; /* the weightiest first */
    uint32_t supersedes_count;
    uint8_t supersedes[4][CAMPAIGN_ID_SIZE];
};

/* Calls `each` for every campaign that changed since the last call, retracted ones included, in the order of signature,
 * detection, cell. Slices are borrowed until the next call of anything here. With `all` for every one that stands. */
typedef void campaign_fn(void *ctx, const struct campaign *al);
VS_MUST_USE enum vs_err campaign_each(struct campaigns *c, bool all, campaign_fn *each, void *ctx);

struct campaign_case {
    uint32_t vehicle;
    int64_t time_us; /* first report */
    struct campaign_origin origin;
    struct slice model, software, region;
};
/* The cases of a campaign in the order of time and vehicle number. */
void campaign_cases(const struct campaigns *c, const struct campaign *al,
                    void (*each)(void *ctx, const struct campaign_case *cs), void *ctx);

struct campaign_hour {
    int64_t time_us; /* its beginning */
    uint32_t cases;
    double expected;
};
/* The curve of a campaign, from a day before its first hour to a day behind its last; at most `size` hours. */
uint32_t campaign_curve(struct campaigns *c, const struct campaign *al, struct campaign_hour *ret, uint32_t size);

/* A slow rise: weekly cases per vehicle-day that have climbed for CAMPAIGN_TREND_WEEKS or more. */
#define CAMPAIGN_TREND_WEEKS 8
#define CAMPAIGN_TREND_Z     5.0 /* standard errors of the slope; about one in ten million by chance */
struct campaign_trend {
    struct slice signature;
    struct campaign_cell cell; /* the fleet, or a model */
    int64_t from_us, to_us;    /* beginning of the first week, end of the last */
    uint32_t weeks;
    double per_week; /* relative rise in a week: 0.02 = 2 % of the mean */
    double z;
    uint64_t cases;
};
/* Every rise that stands, as a function of the weekly counts: after a rise was told, counting starts again. In the
 * order of signature and cell. The week of `now_us` is not looked at, nor the one before it while uploads come in. */
void campaign_trends(const struct campaigns *c, int64_t now_us,
                     void (*each)(void *ctx, const struct campaign_trend *tr), void *ctx);

struct campaign_stats {
    uint64_t reports, seen;
    uint64_t too_old;         /* older than CAMPAIGN_KEEP_DAYS */
    uint64_t signatures_full; /* reports left out, by bound */
    uint64_t cohorts_full;
    uint64_t vehicle_full; /* reports of vehicles with CAMPAIGN_OF_VEHICLE_MAX signatures at a time */
    uint64_t tracks_full, slots_full;
    uint64_t looks; /* (signature, hour) that were scanned */
    uint32_t signatures, cohorts, cells, cases, tracks, slots;
};
void campaign_stats(const struct campaigns *c, struct campaign_stats *ret);

/* Writes "model M1, software 4.2, all regions" and the like. */
void campaign_cell_text(const struct campaign_cell *cell, char *ret, size_t size);
const char *campaign_verdict_name(enum campaign_verdict v); /* "attack", "software_regression_suspected", ... */
const char *campaign_state_name(enum campaign_state s);

#endif
