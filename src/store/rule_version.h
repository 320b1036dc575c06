/* rule_version: the text of every rule that ever wrote an alert, under its hash, and which alert was written by which.
 *
 * A version is the SHA-256 of its text (detect/sigma/rule_text.h), so anybody can check that the text that is shown is
 * the one that fired. Texts are written once and never change. An alert names every version that wrote a revision of
 * it, in the order of time. Memory: rows read are borrowed until the next row. Errors: of the store. */
#ifndef STORE_RULE_VERSION_H
#define STORE_RULE_VERSION_H

#include "store/alert_store.h"

#define RULE_VERSION_SIZE      32
#define RULE_VERSION_TEXT_SIZE (2 * RULE_VERSION_SIZE + 1)

void rule_version_text(const uint8_t version[RULE_VERSION_SIZE], char ret[RULE_VERSION_TEXT_SIZE]);
bool rule_version_known(struct store *st, const uint8_t version[RULE_VERSION_SIZE]);
/* Inside a transaction. A version that is there already stays as it is. */
VS_MUST_USE enum vs_err rule_version_put(struct store *st, const uint8_t version[RULE_VERSION_SIZE], struct slice rule,
                                         struct slice text, int64_t now_us);
/* Inside a transaction: this version wrote the alert, which must be stored. */
VS_MUST_USE enum vs_err rule_version_note(struct store *st, const uint8_t alert[ALERT_ID_SIZE],
                                          const uint8_t version[RULE_VERSION_SIZE], int64_t now_us);

struct rule_version_row {
    struct slice version, rule, text;
    int64_t first_us, alerts;
};
/* A list of versions: of one rule, of one alert, or all (both empty), by rule and time. End it with store_done. */
struct store_stmt *rule_version_list(struct store *st, struct slice rule, struct slice alert);
/* The next row; false at the end. */
bool rule_version_next(struct store_stmt *q, struct rule_version_row *ret);
/* The text of a version whose hex begins like this; VS_ERR_NOT_FOUND, or VS_ERR_CONFLICT when several do. The statement
 * stays open in *ret_q. */
VS_MUST_USE enum vs_err rule_version_find(struct store *st, struct slice prefix, struct store_stmt **ret_q,
                                          struct rule_version_row *ret);

#endif
