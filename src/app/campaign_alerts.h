/* campaign_alerts: a campaign as an alert with members and as a row of the table campaign. Inside the caller's
 * transaction; everything is borrowed for the call. */
#ifndef APP_CAMPAIGN_ALERTS_H
#define APP_CAMPAIGN_ALERTS_H

#include "app/alert_writer.h"
#include "detect/campaign/campaign.h"

#define CAMPAIGN_RULE "fleet_statistics"

/* `vids`: pseudonyms by the number that campaigns know vehicles by, EV_VID_SIZE bytes each. */
VS_MUST_USE enum vs_err campaign_alert_put(struct store *st, struct campaigns *c, const uint8_t *vids,
                                           uint32_t vid_count, const struct campaign *al, int64_t now_us,
                                           bool *ret_changed);

#endif
