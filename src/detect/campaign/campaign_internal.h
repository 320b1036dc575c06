/* campaign_internal: the state that the files of this room share. */
#ifndef DETECT_CAMPAIGN_CAMPAIGN_INTERNAL_H
#define DETECT_CAMPAIGN_CAMPAIGN_INTERNAL_H

#include "detect/campaign/baseline.h"
#include "detect/campaign/campaign.h"
#include "detect/sigma/intern.h"

#define RING_DAYS     96 /* of exposures: more than CAMPAIGN_KEEP_DAYS, so that a new day never meets an old one */
#define WEEKS         64
#define PICKS_MAX     8 /* cells in alarm at a time, of one signature */
#define NO_HOUR       INT32_MAX
#define PUBLISHED_MAX 256 /* campaigns of one signature that are remembered for changes */

/* A table from a 64-bit key to a number; 0 in `value` means empty. */
struct number_map {
    uint64_t *key;
    uint32_t *value;
    uint32_t count, size; /* size is a power of two */
};
enum vs_err number_map_put(struct number_map *m, uint64_t key, uint32_t value);
uint32_t number_map_get(const struct number_map *m, uint64_t key); /* CAMPAIGN_NONE: not there */
void number_map_done(struct number_map *m);

/* Makes room for one more element; false without memory. New room is zeroed. */
bool array_room(void **array, uint32_t count, uint32_t *room, size_t element_size);

struct cohort {
    uint32_t value[3]; /* text numbers of model, software, region */
    uint32_t cell[CAMPAIGN_MASKS];
};

struct cell {
    uint8_t mask;
    uint32_t value[3]; /* CAMPAIGN_NONE where left open */
    uint32_t parent;   /* CAMPAIGN_NONE: the fleet */
    int32_t first_day; /* earliest day with exposure; INT32_MAX */
    uint32_t active[RING_DAYS];
    uint32_t *weekly; /* vehicle-days per week, WEEKS of them; only for the fleet and for models */
};

/* Reports of one vehicle and signature without a pause longer than the longest window. */
struct run {
    int64_t first_us;
    int32_t last_hour;
    uint32_t cohort; /* of the first report */
    struct campaign_origin origin;
    uint32_t next; /* run of the same track, CAMPAIGN_NONE at the end */
};

struct track {
    uint32_t vehicle, signature;
    uint32_t run;             /* first of its list */
    uint32_t next_of_vehicle; /* next track of the same vehicle */
};

struct a_case {
    int32_t hour;
    uint32_t vehicle;
    uint32_t cohort;
};

/* A cell in alarm at an hour. */
struct pick {
    int32_t hour;
    uint32_t cell;
    uint32_t cases;
    uint16_t window_h;
    bool warm;
    double expected, score, threshold, explains;
    uint32_t baseline;
};

struct published {
    uint8_t id[CAMPAIGN_ID_SIZE];
    uint64_t content; /* hash of what was handed out */
    int32_t first_hour, last_hour;
    uint32_t cell;
    bool standing, found;
};

/* Cases per week of a signature in the fleet or in a model. */
struct series {
    uint32_t signature, cell;
    uint32_t week[WEEKS];
};

struct signature {
    uint32_t flags;
    struct a_case *cases; /* sorted by hour, vehicle */
    uint32_t case_count, case_room;
    struct pick *pick; /* sorted by hour; those of one hour stand for disjoint cells */
    uint32_t pick_count, pick_room;
    int32_t dirty_hour; /* earliest that changed since settling; NO_HOUR */
    bool changed;       /* picks may differ from what was handed out */
    struct published *published;
    uint32_t published_count, published_room;
};

struct slot {
    uint32_t vehicle, cohort;
    uint32_t next; /* of the same vehicle */
};

struct tally {
    uint32_t stamp;
    uint32_t cases[CAMPAIGN_WINDOWS];
};

struct armed {
    int32_t from_hour;
    uint32_t version; /* 0: nothing armed */
    uint32_t days;
    double threshold;
    struct profile profile;
    struct number_map cases;  /* (signature, cell) */
    struct number_map cell;   /* to its place in vehicle_days */
    struct number_map spread; /* signature to its place in spread_of */
    uint64_t *vehicle_days;
    double (*spread_of)[2];
};

/* Rates of one signature on one day, worked out when asked for. */
struct rates {
    uint32_t signature;
    int32_t day;
    const struct armed *armed; /* NULL: trailing */
    uint32_t *cases;           /* by cell; valid where stamp fits */
    uint32_t *stamp;
    uint32_t room, now;
    bool excluded[CAMPAIGN_BASELINE_DAYS];
    uint32_t days; /* that teach and have exposure */
    double spread_fleet, spread_model;
    const struct profile *profile;
};

struct rate {
    double per_day;  /* cases per vehicle and day */
    double variance; /* relative, of the mean */
    double cases;    /* that it rests on */
};

struct campaigns {
    struct campaign_config cfg;
    struct intern texts;
    struct intern signature_texts;
    struct signature *signature;
    uint32_t signature_room;
    struct cohort *cohort;
    uint32_t cohort_count, cohort_room;
    struct number_map cohort_of;
    struct cell *cell;
    uint32_t cell_count, cell_room;
    struct number_map cell_of;

    struct slot *slot;
    uint32_t slot_count, slot_room;
    struct number_map slot_of; /* only for vehicles with several */
    uint32_t *vehicle_slot;    /* the slot that the vehicle used last, + 1 */
    uint32_t *vehicle_track;   /* its first track, + 1 */
    uint32_t vehicle_slot_room, vehicle_track_room;
    uint64_t *day_bits[RING_DAYS];
    uint32_t day_words[RING_DAYS];
    int32_t newest_day;
    bool any_day;

    struct run *run;
    uint32_t run_count, run_room, run_free;
    struct track *track;
    uint32_t track_count, track_room;
    struct number_map track_of;

    uint32_t day_shape[RING_DAYS][24]; /* cases of that day by hour, bounded per signature */
    bool day_shape_known[RING_DAYS];
    struct profile profile; /* of the day that rates are for */
    int32_t profile_day;
    bool profile_known;
    struct armed *armed; /* sorted by from_hour */
    uint32_t armed_count, armed_room;
    struct rates rates;

    struct tally *tally;
    uint32_t tally_room, stamp;
    uint32_t *touched;
    uint32_t touched_count, touched_room;
    struct pick *alarm;
    uint32_t alarm_room;

    struct series *series;
    uint32_t series_count, series_room;
    struct number_map series_of;

    int64_t now_us;
    struct campaign_stats stats;
};

static inline int32_t hour_of(int64_t us)
{
    return (int32_t)(us >= 0 ? us / CAMPAIGN_HOUR_US : -((-us + CAMPAIGN_HOUR_US - 1) / CAMPAIGN_HOUR_US));
}
static inline int32_t day_of_hour(int32_t hour)
{
    return hour >= 0 ? hour / 24 : -((-hour + 23) / 24);
}
static inline uint32_t ring_of(int32_t day)
{
    return (uint32_t)(((day % RING_DAYS) + RING_DAYS) % RING_DAYS);
}
/* Weeks begin on Monday; 1970-01-01 was a Thursday. */
static inline int32_t week_of(int32_t day)
{
    return (day + 3) / 7;
}
static inline uint32_t weekday_of(int32_t day)
{
    return (uint32_t)((((day + 3) % 7) + 7) % 7);
}

/* First hour whose whole baseline is still there. What was found before it stands as it is. */
static inline int32_t judged_from(const struct campaigns *c)
{
    return (c->newest_day - CAMPAIGN_KEEP_DAYS + CAMPAIGN_BASELINE_DAYS + CAMPAIGN_GUARD_DAYS + 1) * 24;
}

/* cohort.c */
struct campaign_cell cell_view(const struct campaigns *c, uint32_t cell);
bool cells_disjoint(const struct campaigns *c, uint32_t a, uint32_t b);
/* Order by what cells are, not by when they were met. */
int cell_compare(const struct campaigns *c, uint32_t a, uint32_t b);
int cohort_compare(const struct campaigns *c, uint32_t a, uint32_t b);
uint32_t cell_find(const struct campaigns *c, const struct campaign_cell *cell);
/* Makes the cell if it is new; CAMPAIGN_NONE at the bound. */
uint32_t cell_get(struct campaigns *c, uint8_t mask, const uint32_t value[3]);

/* exposure.c */
enum vs_err exposure_add(struct campaigns *c, uint32_t vehicle, uint32_t cohort, int32_t day);
/* The slot of the pair, made when new. VS_ERR_FULL. */
enum vs_err exposure_slot(struct campaigns *c, uint32_t vehicle, uint32_t cohort, uint32_t *ret);
bool exposure_keeps(const struct campaigns *c, int32_t day);
uint32_t exposure_active(const struct campaigns *c, uint32_t cell, int32_t day);
/* The same for days whose uploads are still coming in: not less than the mean of the week before. */
uint32_t exposure_expected(const struct campaigns *c, uint32_t cell, int32_t day);
bool exposure_was_active(const struct campaigns *c, uint32_t slot, int32_t from, int32_t to);
void exposure_done(struct campaigns *c);

/* cases.c */
enum vs_err cases_add(struct campaigns *c, uint32_t vehicle, uint32_t signature, const struct run *report);
/* First case of the signature at or after the hour. */
uint32_t cases_from(const struct signature *s, int32_t hour);
/* The run whose case counts in this hour; NULL: none. */
const struct run *cases_run(const struct campaigns *c, uint32_t vehicle, uint32_t signature, int32_t hour);
/* Time of its earliest report. */
int64_t cases_time(const struct campaigns *c, uint32_t vehicle, uint32_t signature, int32_t hour);
/* Distinct other signatures that the vehicle began to report within `hours` of the hour. */
uint32_t cases_others(const struct campaigns *c, uint32_t vehicle, uint32_t signature, int32_t hour, int32_t hours);
void cases_expire(struct campaigns *c, int32_t before_hour);

/* baseline.c */
enum vs_err rates_for(struct campaigns *c, uint32_t signature, int32_t hour);
struct rate rates_of(const struct campaigns *c, uint32_t cell);
double rates_threshold(const struct campaigns *c);
/* Expected cases of the cell in hours from..to (both included). */
double rates_expected(const struct campaigns *c, uint32_t cell, double per_day, int32_t from, int32_t to);
double rates_spread(const struct campaigns *c, uint32_t cell);
void profile_learn(struct campaigns *c, int32_t day, struct profile *ret);
const struct armed *armed_at(const struct campaigns *c, int32_t hour);
void armed_done(struct campaigns *c);

/* trend.c */
void series_count(struct campaigns *c, uint32_t signature, uint32_t cohort, int32_t hour, int by);
/* The weeks of a series, made when new; NULL without memory. */
uint32_t *series_weeks(struct campaigns *c, uint32_t signature, uint32_t cell);
void series_forget(struct campaigns *c, int32_t week);

/* scan.c */
/* Of x cases where m are expected with relative variance a. */
double scan_score(double x, double m, double a);
enum vs_err scan_signature(struct campaigns *c, uint32_t signature, int32_t from_hour);

/* reason_facts.c: what the reasoning looks at, gathered from the cases and from a sample of the cell's vehicles. */
#define REASON_VALUES   256 /* versions, generations, regions that are told apart */
#define REASON_SAMPLE   4096
#define REASON_QUARTERS 160 /* of build dates, from 1990 on */

struct share {
    struct slice value;
    uint32_t cases, vehicles;
};
struct shares {
    struct share of[REASON_VALUES];
    uint32_t count, cases, vehicles; /* for which it is known */
};
struct reason_facts {
    uint32_t cases, vehicles;
    uint32_t changed_cases, changed_vehicles; /* software changed not longer than REASON_CHANGE_DAYS before */
    uint32_t dated_cases, dated_vehicles;     /* for which it is known */
    int64_t change_hours;                     /* sum over changed_cases */
    struct shares software, hardware, region;
    uint32_t quarter_cases[REASON_QUARTERS], quarter_vehicles[REASON_QUARTERS];
    int64_t km_cases, km_vehicles;
    uint32_t km_cases_count, km_vehicles_count;
    double km_square; /* of the vehicles, about their mean */
    uint32_t others;  /* other signatures, summed over cases */
    uint32_t models;
    uint32_t burst;  /* most cases within six hours */
    uint32_t before; /* cases of the ten days before */
};
#define REASON_CHANGE_DAYS 7
void reason_gather(struct campaigns *c, uint32_t signature, uint32_t cell, int32_t first_hour, int32_t last_hour,
                   struct reason_facts *ret);

/* reason.c */
void reason_about(struct campaigns *c, uint32_t signature, uint32_t cell, int32_t first_hour, int32_t last_hour,
                  struct campaign *ret);

#endif
