/* intel_alerts: from what a vehicle showed of an indicator to alerts.
 *
 * The alerts of one indicator and one vehicle are its episodes over event time: matches less than INTEL_EPISODE_US
 * apart belong together. An alert's id is a function of indicator, vehicle and the time of the first match, so it does
 * not depend on the order in which events and indicators came. A match that comes late and moves the beginning makes an
 * alert that supersedes the old one; an alert whose matches are gone (a later version of the indicator does not match
 * them) is retracted.
 *
 * The alert's group is the vehicle (vin) and the indicator's id; source and TLP stand with the indicator
 * (table intel_indicator, /api/v1/intel/matches). The title of a TLP:RED indicator does not tell its name. */
#ifndef APP_INTEL_ALERTS_H
#define APP_INTEL_ALERTS_H

#include "store/store.h"

#define INTEL_EPISODE_US INT64_C(86400000000)

/* Brings the alerts of one indicator (by number) and vehicle (hex text) up to date. Inside a transaction. */
VS_MUST_USE enum vs_err intel_alerts_update(struct store *st, int64_t indicator, struct slice vid, int64_t now_us,
                                            uint64_t *changes);
/* Closes those that nothing can extend any more by the clock of the log. */
VS_MUST_USE enum vs_err intel_alerts_close(struct store *st, int64_t now_us, uint64_t *changes);

#endif
