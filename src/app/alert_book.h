/* alert_book: what this process wrote of an alert's members, so that an alert that grows gets its new ones and is not
 * written from its first member on at every revision.
 *
 * Of each alert it keeps how many members were written, in time order, and a hash over all of them. A member is told
 * apart by its name (vid, epoch, number), its time, its count and its place in the log: what else is shown of it
 * follows from the record there. Members that begin with those that were written are continued; any other change (a
 * late event in between, one taken back) shows in the hash.
 *
 * It is a help and not a truth: of ALERT_BOOK_SLOTS places an alert has one, and whoever comes last stays in it. What
 * was pushed out, and everything after a restart, is written once from the beginning. A transaction that fails leaves
 * it ahead of the database; it must be freed then.
 *
 * Memory: heap, 32 bytes a slot, 1 MiB. Threads: one owner. Cost: O(1) a member and an alert. */
#ifndef APP_ALERT_BOOK_H
#define APP_ALERT_BOOK_H

#include "store/alert_store.h"

#define ALERT_BOOK_SLOTS 32768u /* a power of two */

struct alert_book;

/* Members of one alert, in their order. All zero: none. */
struct alert_written {
    uint64_t count;
    uint64_t hash;
};

VS_MUST_USE enum vs_err alert_book_new(struct alert_book **ret);
void alert_book_free(struct alert_book *b);

/* Takes the next member into account. */
void alert_written_add(struct alert_written *w, const struct alert_member *m);
/* What was noted of this alert; all zero when nothing is known. */
struct alert_written alert_book_find(const struct alert_book *b, const uint8_t id[ALERT_ID_SIZE]);
void alert_book_note(struct alert_book *b, const uint8_t id[ALERT_ID_SIZE], struct alert_written w);

#endif
