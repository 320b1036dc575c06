/* campaign_link: fleet statistics (detect/campaign) as a part of the detect process.
 *
 * Every event of an enrolled vehicle counts as a sign of life; events that speak of trouble (priority medium and above,
 * and trouble codes) count under their attack signature. At a commit at which LINK_SETTLE_US of receive time have
 * passed, and when the log is at rest, changed campaigns become alerts of the rule `fleet_statistics` and rows of the
 * table campaign. Without an armed baseline, and while a cell is cold, an alert is informational and opens no incident.
 * A candidate of a baseline is written once a day; people make versions of it with `vsoc campaign baseline`.
 *
 * Cost of an event: a comparison when vehicle, cohort and day are those of the event before; else a few look-ups. */
#ifndef APP_CAMPAIGN_LINK_H
#define APP_CAMPAIGN_LINK_H

#include "app/pipeline_part.h"

extern const struct pipeline_part campaign_link;

#endif
