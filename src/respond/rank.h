/* rank: the priority of an incident, 0 to 100, as a sum of terms that each say why.
 *
 * severity 10 to 40, safety 0 to 20, spread 0 to 20, exposure 0 to 10, confidence 0 to 10. What is not known counts in
 * the middle, never as harmless. Pure; points are whole hundredths so that every machine gets the same number. */
#ifndef RESPOND_RANK_H
#define RESPOND_RANK_H

#include <stdbool.h>
#include <stdint.h>

#define RANK_TERMS     5
#define RANK_TEXT_SIZE 128

struct rank_input {
    int severity; /* enum alert_severity */
    int safety;   /* 0 to 3; -1 = not assessed */
    int motion;   /* enum alert_motion */
    int64_t vehicles;
    int64_t vehicles_48h;
    int64_t rules; /* distinct rules among the alerts that stand */
    bool all_retracted;
    bool late; /* some alert was changed by late events */
};

struct rank_term {
    const char *term;
    int32_t points; /* hundredths */
    char text[RANK_TEXT_SIZE];
};

/* Fills the terms and returns their sum in hundredths, 0 to 10000. */
int32_t rank_terms(const struct rank_input *in, struct rank_term ret[RANK_TERMS]);

#endif
