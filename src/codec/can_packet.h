/* can_packet: the CAN frame in a captured packet.
 *
 * Link type 227, CAN_SOCKETCAN:
 *
 *     0  u32 id, big endian: bit 31 29-bit identifier, bit 30 remote request, bit 29 error frame
 *     4  u8 length, bit 7: CAN XL
 *     5  u8 flags: 1 BRS, 2 ESI, 4 FD
 *     6  u8, u8 raw dlc of a classic frame
 *     8  data
 *
 * A frame is FD when it takes 72 bytes or has flag 4 (and nothing that an old file's uninitialised bytes would have
 * there), as the text of the link type says. Padding may have been cut off the end. In Linux cooked captures (113, 276)
 * with the protocols 000C (classic) and 000D (FD) the same header follows, its id in the byte order of the recording
 * host; both orders are tried on what is possible, little endian first. CAN XL is refused as not supported; every other
 * link type and protocol is not CAN.
 *
 * Memory: a value; the bus name is the interface's, borrowed from the packet's capture. Cost: constant. Threads: no
 * state. Source: LINKTYPE_CAN_SOCKETCAN, LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2; linux/can.h, linux/if_ether.h. */
#ifndef CODEC_CAN_PACKET_H
#define CODEC_CAN_PACKET_H

#include "codec/can_frame.h"
#include "codec/pcap.h"

/* VS_ERR_NOT_FOUND: not a CAN packet at all. Other errors have their reason. */
VS_MUST_USE enum vs_err can_packet_read(const struct pcap_packet *p, struct can_frame *ret, const char **ret_reason);

#endif
