/* edge_scan_eth: the Ethernet half of vsoc-edge scan. */
#ifndef APP_EDGE_SCAN_ETH_H
#define APP_EDGE_SCAN_ETH_H

#include <stdbool.h>

/* True for a capture whose first packet is not a CAN frame. */
bool edge_is_ethernet(const char *path);
/* Runs the detectors over a capture; `policy` may be NULL. One JSON line per event on stdout. The exit code. */
int edge_scan_ethernet(const char *path, const char *policy);

#endif
