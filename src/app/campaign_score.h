/* campaign_score: plays a simulated fleet (sim/outbreak.h) to fleet statistics hour by hour, as it would come in, and
 * beside it to the literal rule "50 vehicles with one signature within 48 hours", and notes what each found when.
 *
 * Found is the first hour of receiving after which a campaign of the planted signature stands that overlaps the target
 * and had not begun before. A run in which a detector was in alarm on that signature and target within the 48 hours
 * before the start is excluded for that detector: it would be found at once, and for nothing. What was told and belongs
 * to nothing planted is false, also when it was taken back later. Alarm hours are hours in which a detector's condition
 * held. */
#ifndef APP_CAMPAIGN_SCORE_H
#define APP_CAMPAIGN_SCORE_H

#include "detect/campaign/campaign.h"
#include "outbreak.h"

#define SCORE_PLANTED_MAX 32

struct score_config {
    uint64_t seed;
    uint32_t vehicles, days, quiet_days;
    uint32_t step_h;  /* hours between two looks */
    double threshold; /* 0 = the default */
    bool plant;
};

struct score_detector {
    bool excluded, found;
    double delay_h;    /* from the start until it was told */
    uint32_t vehicles; /* hit by then */
};

struct score_planted {
    struct outbreak_truth truth;
    struct score_detector scan, literal;
    bool judged;
    enum campaign_verdict verdict; /* two days after it was found */
    double p[CAMPAIGN_VERDICTS], feature[CAMPAIGN_FEATURES];
};

struct score {
    struct score_planted planted[SCORE_PLANTED_MAX];
    uint32_t planted_count;
    double months; /* watched, of 30 days */
    uint32_t scan_false, literal_false;
    double scan_false_hours, literal_false_hours;
    uint64_t records, reports;
    double feed_cpu_s, settle_cpu_s; /* not part of any comparison of runs */
    struct campaign_stats stats;
};

/* Same configuration, same score (but for the CPU seconds). `cpu_s` reads the process's clock; may be NULL. */
VS_MUST_USE enum vs_err campaign_score(const struct score_config *cfg, double (*cpu_s)(void), struct score *ret);

#endif
