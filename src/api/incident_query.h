/* incident_query: the filters of the queue, as one SQL condition with a fixed set of parameters.
 *
 * The text of the condition never depends on what is asked, so each statement is compiled once; a filter that is not
 * given is bound so that it lets everything pass. Sets of codes travel as bit masks, names in FILTER_ITEMS_MAX slots. */
#ifndef API_INCIDENT_QUERY_H
#define API_INCIDENT_QUERY_H

#include "api/filter.h"
#include "store/store.h"

enum query_list { QUERY_ASSIGNEE, QUERY_RULE, QUERY_MODEL, QUERY_LIST_COUNT };

/* One bit each, for leaving a filter out (facets count without their own). */
enum query_part { QUERY_SEVERITY_OFF = 1, QUERY_STAGE_OFF = 2, QUERY_DISPOSITION_OFF = 4, QUERY_LIST_OFF = 8 };

struct incident_query {
    uint32_t severity, stage, disposition; /* masks; disposition bit 0 = none */
    struct slice signature, vid;           /* ptr NULL = any */
    int64_t from_us, to_us;
    int64_t seq_max; /* created at or before this change */
    int64_t seq_min; /* created after this change */
    unsigned word_count;
    struct slice word[FILTER_WORDS_MAX];
    struct filter_list list[QUERY_LIST_COUNT];
    char words[FILTER_TEXT_SIZE];
};

struct call;

/* Reads the parameters of the call. False: the call has been answered with what is wrong. */
bool incident_query_read(struct call *c, struct incident_query *ret);

/* Parameters 1 to QUERY_PARAMS of a statement that has INCIDENT_WHERE over an alias `i`. `off` leaves filters out: bits of
 * enum query_part, QUERY_LIST_OFF << list for the lists. */
void incident_query_bind(struct store_stmt *q, const struct incident_query *iq, unsigned off);

#define SLOTS(a, b, c, d, e, f, g, h) "?" #a ", ?" #b ", ?" #c ", ?" #d ", ?" #e ", ?" #f ", ?" #g ", ?" #h
#define WORD_AT(pattern_, prefix_)                                                                                      \
    "(i.search LIKE ?" #pattern_ " ESCAPE '\\' OR EXISTS (SELECT 1 FROM alert a JOIN alert_vehicle v ON v.alert = a.id " \
    "WHERE a.incident = i.number AND v.vid LIKE ?" #prefix_ " ESCAPE '\\'))"

#define INCIDENT_WHERE                                                                                                  \
    "i.merged_into IS NULL AND ((1 << i.severity) & ?1) <> 0 AND ((1 << i.stage) & ?2) <> 0 "                           \
    "AND ((1 << i.disposition) & ?3) <> 0 AND (?4 IS NULL OR i.signature = ?4) "                                        \
    "AND (?5 IS NULL OR EXISTS (SELECT 1 FROM alert a JOIN alert_vehicle v ON v.alert = a.id WHERE a.incident = "       \
    "i.number AND v.vid = ?5) OR i.vid = ?5) AND i.last_us >= ?6 AND i.last_us < ?7 AND i.created_seq <= ?8 "           \
    "AND i.created_seq > ?9 AND (?10 < 1 OR " WORD_AT(11, 19) ") AND (?10 < 2 OR " WORD_AT(12, 20)                      \
    ") AND (?10 < 3 OR " WORD_AT(13, 21) ") AND (?10 < 4 OR " WORD_AT(14, 22) ") AND (?10 < 5 OR " WORD_AT(15, 23)      \
    ") AND (?10 < 6 OR " WORD_AT(16, 24) ") AND (?10 < 7 OR " WORD_AT(17, 25) ") AND (?10 < 8 OR " WORD_AT(18, 26)      \
    ") AND (?27 = 0 OR coalesce(i.assignee, 'none') IN (" SLOTS(28, 29, 30, 31, 32, 33, 34, 35) ", "                    \
    SLOTS(36, 37, 38, 39, 40, 41, 42, 43) ")) AND coalesce(i.assignee, 'none') NOT IN ("                                \
    SLOTS(44, 45, 46, 47, 48, 49, 50, 51) ", " SLOTS(52, 53, 54, 55, 56, 57, 58, 59) ") "                               \
    "AND (?60 = 0 OR i.rule IN (" SLOTS(61, 62, 63, 64, 65, 66, 67, 68) ", "                                            \
    SLOTS(69, 70, 71, 72, 73, 74, 75, 76) ")) AND i.rule NOT IN (" SLOTS(77, 78, 79, 80, 81, 82, 83, 84) ", "           \
    SLOTS(85, 86, 87, 88, 89, 90, 91, 92) ") AND (?93 = 0 OR coalesce(i.model, 'none') IN ("                            \
    SLOTS(94, 95, 96, 97, 98, 99, 100, 101) ", " SLOTS(102, 103, 104, 105, 106, 107, 108, 109)                          \
    ")) AND coalesce(i.model, 'none') NOT IN (" SLOTS(110, 111, 112, 113, 114, 115, 116, 117) ", "                      \
    SLOTS(118, 119, 120, 121, 122, 123, 124, 125) ")"
#define QUERY_PARAMS 125

#endif
