/* pseudonym: from a VIN to the vid that stands for it everywhere.
 *
 * vid = the first 16 bytes of HMAC-SHA-256(regional key, VIN in upper case). A plain hash would not do: there are so
 * few VINs that all of them can be tried. Who has the key can link; it lives with enrolment and at the feeds' door
 * only. */
#ifndef INGEST_PSEUDONYM_H
#define INGEST_PSEUDONYM_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"
#include "event/event.h"

#define PSEUDONYM_KEY_SIZE 32
#define VIN_LEN            17

/* VS_ERR_MALFORMED when the text is no VIN: 17 letters and digits without I, O and Q (ISO 3779). Lower case is taken.
 */
VS_MUST_USE enum vs_err pseudonym_of_vin(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice vin,
                                         uint8_t ret_vid[EV_VID_SIZE]);
/* The pseudonym of a backend feed, for events that no vehicle is behind. */
void pseudonym_of_feed(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice feed, uint8_t ret_vid[EV_VID_SIZE]);
/* The pseudonym of an owner, from whatever names one in the operator's books. */
void pseudonym_of_owner(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice owner, uint8_t ret_id[EV_VID_SIZE]);
/* The pseudonym of an account, a token, a key or a contract, from whatever names it in a backend's log. The whole text
 * counts, however long it is. */
void pseudonym_of_account(const uint8_t key[PSEUDONYM_KEY_SIZE], struct slice account, uint8_t ret_id[EV_VID_SIZE]);
/* Whether an event's field of that name holds one, which the door of the feeds replaces. */
bool pseudonym_is_account_field(struct slice name);
/* The epoch under which a feed's numbers are kept apart from those of the vehicle's own gateway: always above 2^31,
 * where no gateway's counter gets to. */
uint32_t pseudonym_feed_epoch(struct slice feed);
#define PSEUDONYM_FEED_EPOCH_MIN (UINT32_C(1) << 31)
/* 32 bytes as 64 hex digits, white space around them allowed. */
VS_MUST_USE enum vs_err pseudonym_key_read(struct slice text, uint8_t ret_key[PSEUDONYM_KEY_SIZE]);

#endif
