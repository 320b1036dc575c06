/* grouping: which alerts are worked on together.
 *
 * An alert whose rule groups by vehicle is a vehicle's alert; any other is a campaign alert.
 *  - Vehicle's alerts: those of one vehicle that stand less than GROUPING_VEHICLE_US apart form a cluster
 * (transitively), whatever their rules; a cluster has one incident.
 *  - Campaign alerts: those of one rule and group, or with one and the same attack signature, less than
 *    GROUPING_CAMPAIGN_US apart share one incident.
 *  - A campaign absorbs a vehicle's alert when both have the vehicle with the same attack signature at overlapping
 * times. The alert then is at home in the campaign's incident (of the earliest such campaign); it still counts as a
 * link in its cluster, and other alerts of that vehicle keep their own incident, so that a theft does not drown in a
 * campaign.
 *  - An alert that takes others in (supersedes) belongs where they do.
 * These are statements about the set of alerts, so the order in which they come makes no difference. Groups only grow:
 * what people work on together is not torn apart because a late event moved a time. When two incidents turn out to be
 * An incident of a budget (respond/budget.h) is no home in this sense: nothing joins it, and it is never merged.
 * When two incidents turn out to be
 * one, the one that is further on (open before closed, later stage, lower number) takes the other in. */
#ifndef RESPOND_GROUPING_H
#define RESPOND_GROUPING_H

#include "respond/incident.h"
#include "respond/respond.h"

#define GROUPING_VEHICLE_US  INT64_C(86400000000)  /* 24 h */
#define GROUPING_CAMPAIGN_US INT64_C(172800000000) /* 48 h */
#define GROUPING_LINKS_MAX   64 /* incidents merged at one stroke; more are merged by the next change */

/* The alert as grouping sees it; texts are copies. */
struct grouping_alert {
    char id[ALERT_ID_TEXT_SIZE];
    char vid[VID_TEXT_SIZE]; /* "" = campaign */
    char rule[INCIDENT_TEXT_SIZE];
    char title[INCIDENT_TEXT_SIZE];
    int64_t first_us, last_us, incident, cluster, vehicles;
    int severity, state;
    int64_t revision;
    bool late;
};

/* Finds or opens the incident of the alert, merges what it joins, and moves what it absorbs. The alert's row has its
 * home afterwards. */
VS_MUST_USE enum vs_err grouping_place(struct store *st, const struct grouping_alert *al,
                                       const struct alert_context *rule, int64_t now_us, int64_t *ret_incident);

/* The open incident that the alert would join, 0 when it would open one of its own. Changes nothing. */
VS_MUST_USE enum vs_err grouping_would_join(struct store *st, const struct grouping_alert *al, int64_t *ret_incident);

/* After an alert moved from an incident to another: an open incident without alerts goes where the alert went; a closed
 * one stays as the record that it is, with its alerts still listed. */
VS_MUST_USE enum vs_err grouping_left_behind(struct store *st, int64_t number, int64_t gone_to, int64_t now_us);

#endif
