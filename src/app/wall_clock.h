/* wall_clock: the only place that reads the time of day; everything below app/ is told the time. */
#ifndef APP_WALL_CLOCK_H
#define APP_WALL_CLOCK_H

#include <stdint.h>

int64_t wall_clock_us(void);      /* microseconds since 1970-01-01 UTC */
int64_t monotonic_clock_us(void); /* for intervals; never goes back */

#endif
