/* fleet: counts over all vehicles. */
#ifndef API_FLEET_H
#define API_FLEET_H

#include "store/store.h"

#define FLEET_SILENT_US INT64_C(604800000000) /* 7 days without contact: the default limit */
#define FLEET_DAY_US    INT64_C(86400000000)

struct fleet_counts {
    int64_t enrolled, reporting_24h, silent;
};

void fleet_counts(struct store *st, int64_t now_us, struct fleet_counts *ret);

#endif
