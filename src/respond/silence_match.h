/* silence_match: whether a silence means an alert. See respond/silence.h for what matchers say.
 *
 * Matching looks at the alert's row and its vehicles and depends on nothing else, so it gives the same answer in
 * whatever order alerts come. Cost: comparisons, and with matchers on vehicles a statement over the vehicles of the
 * alert. Memory: a set is on the heap, at most SILENCE_ACTIVE_MAX silences of SILENCE_MATCHERS_MAX
 * matchers. */
#ifndef RESPOND_SILENCE_MATCH_H
#define RESPOND_SILENCE_MATCH_H

#include "store/alert_store.h"

#define SILENCE_MATCHERS_MAX 32
#define SILENCE_VALUE_SIZE   257 /* with its end */
#define SILENCE_NAME_SIZE    65

enum silence_field {
    SILENCE_RULE,
    SILENCE_GROUP,
    SILENCE_VID,
    SILENCE_MODEL,
    SILENCE_HARDWARE,
    SILENCE_SW_VERSION,
    SILENCE_REGION,
    SILENCE_SIGNATURE,
    SILENCE_TAG
};
#define SILENCE_FIELD_COUNT (SILENCE_TAG + 1)

struct silence_matcher {
    enum silence_field field;
    char group[SILENCE_NAME_SIZE]; /* SILENCE_GROUP: the name of the field */
    bool glob;
    char value[SILENCE_VALUE_SIZE];
};

struct silence {
    int64_t number, spread_factor, vehicles_max;
    uint32_t severities;
    bool second; /* two people stand for it: it may hold what can hurt */
    unsigned matcher_count;
    struct silence_matcher *matcher;
};

struct silence_set {
    struct silence *at; /* by number */
    unsigned count;
};

/* The field's name in requests and in the store: "rule", "group.signature", ... */
void silence_field_text(const struct silence_matcher *m, char ret[SILENCE_NAME_SIZE + 8]);
/* From "model", "is", "E4". On failure *ret_why says what is wrong. */
VS_MUST_USE bool silence_matcher_parse(struct slice field, struct slice op, struct slice value,
                                       struct silence_matcher *ret, const char **ret_why);
/* Whether the text is what the pattern says: * any run, ? one character, everything else itself. */
bool silence_glob(struct slice pattern, struct slice text);
/* Whether it says more than how grave, which model, or where. */
bool silence_is_narrow(const struct silence_matcher *m, unsigned count);

/* The silences that hold alerts at `now_us`. */
VS_MUST_USE enum vs_err silence_set_load(struct store *st, int64_t now_us, struct silence_set *ret);
void silence_set_free(struct silence_set *set);
/* What of an alert's row matchers look at; borrowed from whoever read it. */
struct silence_subject {
    struct slice id, rule, group_json;
    int64_t severity;
};

/* `now_us` decides which vehicle tags count. */
VS_MUST_USE enum vs_err silence_matches(struct store *st, const struct silence *s, const struct silence_subject *al,
                                        int64_t now_us, bool *ret);

#endif
