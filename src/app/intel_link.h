/* intel_link: threat intelligence in the detect process.
 *
 * Every event is looked up in the table of indicators; what matches is added up by indicator, vehicle and hour, written
 * at the next commit, and becomes alerts (intel_alerts.h). When indicators were imported, their table is brought up to
 * date at the next commit, and the event log is searched back for them, INTEL_HUNT_RECORDS records a commit. When the
 * search has come as far as live reading, its result takes the place of what the new indicators matched meanwhile. So
 * what stands in the end is a function of the events in the log and of the newest versions of the indicators.
 *
 * The state is in the database; how far the log was matched is written with it (intel_position), so an event that is
 * read again after a restart is not counted again, and a search that was broken off starts over. */
#ifndef APP_INTEL_LINK_H
#define APP_INTEL_LINK_H

#include "app/pipeline_part.h"

#define INTEL_HUNT_RECORDS 4096u

extern const struct pipeline_part intel_link;

#endif
