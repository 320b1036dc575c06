/* eth_print: decoded packets as JSON lines. */
#ifndef APP_ETH_PRINT_H
#define APP_ETH_PRINT_H

#include <stdio.h>

#include "codec/eth_packet.h"
#include "codec/pcap.h"

/* One line: frame, time (seconds), bus, the layers down to UDP or TCP, then arp, gptp, someip (with sd) or doip,
 * whatever is there; error (layer, byte of the packet, reason) where it contradicts itself, which makes the result
 * false. What is above UDP and TCP is known by its port (30490 SD, 13400 DoIP), or by being SOME/IP to the last byte.
 */
bool eth_print_packet(FILE *out, uint64_t index, const struct pcap_packet *p);

#endif
