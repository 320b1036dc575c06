/* alert_store: alerts in the state database.
 *
 * Detection calls, for each alert that it made or changed and inside one transaction: alert_store_put (the alert, one
 * revision), alert_store_add_members (the events that are new in it; with `replace` all of them), and then
 * respond_on_alert (respond/respond.h). The same revision put twice is taken once, so that a restart that replays does
 * no harm; an older revision than the stored one is ignored.
 *
 * An alert that is replaced by another (named in `supersedes` of the new one) keeps its row, its members and its
 * revisions and points to the new one.
 *
 * Bounds: ALERT_MEMBERS_MAX member rows per alert, the earliest that came; members_total counts all. Vehicles are kept
 * in full. Memory: rows read are borrowed until the next row or the end of the list. */
#ifndef STORE_ALERT_STORE_H
#define STORE_ALERT_STORE_H

#include "event/event.h"
#include "store/alert.h"

#define ALERT_MEMBERS_MAX  10000
#define ALERT_ID_TEXT_SIZE (2 * ALERT_ID_SIZE + 1)
#define VID_TEXT_SIZE      (EV_VID_TEXT_LEN + 1)

enum alert_motion { ALERT_MOTION_UNKNOWN, ALERT_MOTION_PARKED, ALERT_MOTION_MOVING };

/* One member event: its name, where it lies in the event log, and what the queue shows of it. Texts may be empty. */
struct alert_member {
    uint8_t vid[EV_VID_SIZE];
    uint32_t epoch;
    uint64_t seq;
    int64_t time_us;
    uint32_t count;
    uint32_t log_partition;
    uint64_t log_offset;    /* of the record (batch) in its partition */
    uint8_t motion;         /* enum alert_motion, as far as known */
    struct slice type;      /* name */
    struct slice signature; /* label|subject|detail */
    struct slice ecu, bus;
    struct slice model, hardware, sw_version, region; /* as of event time */
};

void alert_id_text(const uint8_t id[ALERT_ID_SIZE], char ret[ALERT_ID_TEXT_SIZE]);
void alert_vid_text(const uint8_t vid[EV_VID_SIZE], char ret[VID_TEXT_SIZE]);

/* Inserts the alert or moves it to this revision. `why` says what happened in a word or two ("opened", "late event").
 * *ret_new_revision tells whether anything was written; may be NULL. */
VS_MUST_USE enum vs_err alert_store_put(struct store *st, const struct alert *al, const char *why, int64_t now_us,
                                        bool *ret_new_revision);
/* Adds members; those that are there already are passed over. With `replace` the alert has exactly these. */
VS_MUST_USE enum vs_err alert_store_add_members(struct store *st, const uint8_t id[ALERT_ID_SIZE],
                                                const struct alert_member *member, size_t count, bool replace);

/* A row as it is stored. */
struct alert_row {
    struct slice id, rule, title, group_json, vid, peak, superseded_by; /* vid, superseded_by empty when none */
    int64_t severity, state, late, first_us, last_us, count, vehicles, revision, members_total, created_us, changed_us;
    int64_t incident, cluster; /* 0 when none */
};
/* The columns that alert_row_read expects, in its order, of a table or alias called `a`. */
#define ALERT_ROW_COLUMNS                                                                                              \
    "a.id, a.rule, a.title, a.group_json, a.vid, a.peak, a.superseded_by, a.severity, a.state, a.late, a.first_us, "   \
    "a.last_us, a.count, a.vehicles, a.revision, a.members_total, a.created_us, a.changed_us, a.incident, a.cluster"
#define ALERT_ROW_COLUMN_COUNT 20
/* Reads the current row of a statement whose columns start with ALERT_ROW_COLUMNS; borrowed from the statement. */
void alert_row_read(struct store_stmt *q, struct alert_row *ret);
/* Finds one. The statement stays open in *ret_q and has to be ended with store_done. VS_ERR_NOT_FOUND. */
VS_MUST_USE enum vs_err alert_store_find(struct store *st, struct slice id, struct store_stmt **ret_q,
                                         struct alert_row *ret);

/* "critical", "open", ...: the codes of the HTTP interface. */
const char *alert_severity_code(int64_t severity);
const char *alert_state_code(int64_t state);
/* -1 when the code is none. */
int alert_severity_from_code(struct slice code);

#endif
