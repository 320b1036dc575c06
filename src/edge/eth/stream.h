/* stream: the bytes of one direction of a TCP connection in order, as far as DoIP needs them.
 *
 * A stream begins with its SYN, or in the middle of a connection with the next segment that begins with a DoIP header.
 * Segments in order are taken; repeated bytes are dropped; after a gap the stream waits for a segment that begins with
 * a header again. Of a message longer than EIDS_STREAM_ROOM the start is handed out, and the rest passed over. RST and
 * FIN end it. Private to src/edge/eth. */
#ifndef EDGE_ETH_STREAM_H
#define EDGE_ETH_STREAM_H

#include "codec/doip.h"
#include "edge/eids.h"

/* The stream of this packet's direction (or of the other one); NULL when it is not followed. */
struct eids_stream *eids_stream_find(struct eids *e, const struct eth_packet *p, bool other);
/* Takes the packet into its stream. NULL when there is nothing to look at. */
struct eids_stream *eids_stream_take(struct eids *e, const struct eth_packet *p);
/* The next whole message; valid until the next take. False when there is none; *ret_reason is set when that is because
 * the stream is not DoIP: it waits then for a segment that is. */
bool eids_stream_next(struct eids_stream *s, struct doip *ret, const char **ret_reason);

#endif
