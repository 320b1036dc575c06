/* silence_preview: what a silence would have held, had it stood for the last PREVIEW_DAYS days.
 *
 * People see this before they make one: how many alerts, of which rules, on how many vehicles, and how many of them
 * were judged malicious in the end. Reads at most PREVIEW_ALERTS_MAX alerts, newest first; `complete` says whether that
 * was all of them. Memory: heap for the vehicles, at most PREVIEW_VEHICLES_MAX names, beyond which `vehicles` is a
 * lower bound. */
#ifndef RESPOND_SILENCE_PREVIEW_H
#define RESPOND_SILENCE_PREVIEW_H

#include "respond/silence.h"

#define PREVIEW_DAYS         7
#define PREVIEW_ALERTS_MAX   20000
#define PREVIEW_VEHICLES_MAX 100000
#define PREVIEW_RULES_MAX    10
#define PREVIEW_SAMPLE_MAX   20

struct preview_rule {
    char rule[INCIDENT_TEXT_SIZE];
    int64_t alerts;
};

struct silence_preview {
    int64_t from_us;
    int64_t looked_at, alerts, open, graver; /* graver: meant, but of a severity that the silence does not hold */
    int64_t vehicles, incidents, malicious;  /* incidents that they are in, and how many of those were attacks */
    int64_t now_in_queue;                    /* alerts whose incident is open: they stay where they are */
    unsigned rules, samples;
    struct preview_rule rule[PREVIEW_RULES_MAX];
    char sample[PREVIEW_SAMPLE_MAX][ALERT_ID_TEXT_SIZE];
    bool complete;
};

/* The draft has been checked. */
VS_MUST_USE enum vs_err silence_preview(struct store *st, const struct silence_draft *d, int64_t now_us,
                                        struct silence_preview *ret);

#endif
