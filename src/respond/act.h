/* act: what people do to incidents: move, decide, assign, comment, take back.
 *
 * Each act checks the version that the person saw, asks the life cycle, changes the incident, writes the timeline and
 * the audit record, and leaves a token with which the same person can take it back within ACT_UNDO_US. Permissions are
 * checked by the caller (they belong to the door), except that a risk acceptance is refused here without its
 * permission, because who may sign it is part of the rule. All functions run inside the caller's transaction, which is
 * rolled back when one of them fails.
 *
 * Versions: an act is refused with VS_ERR_CONFLICT when another person acted after the version that it names; that
 * detection changed a count meanwhile is no conflict. */
#ifndef RESPOND_ACT_H
#define RESPOND_ACT_H

#include "respond/incident.h"

#define ACT_UNDO_US        INT64_C(30000000) /* screens count ten seconds; a slow link gets the rest */
#define ACT_TOKEN_SIZE     16
#define ACT_FACT_BYTES_MAX 4000
#define ACT_TEXT_BYTES_MAX 10000
#define ACT_WHY_SIZE       256

struct actor {
    struct slice name;
    uint32_t permissions; /* PERM_BITs */
    struct slice source;  /* address the call came from */
};

/* Facts by number; ptr NULL = not given. */
struct act_facts {
    struct slice text[FACT_COUNT];
};

/* Why an act was refused. */
struct act_refusal {
    char why[ACT_WHY_SIZE];
    uint32_t missing;     /* FACT_BITs */
    int64_t version;      /* the present one, on a conflict */
    int needs_permission; /* enum permission; -1 = none */
};

/* Opens a token under which the acts that follow can be taken back together. `random` becomes the token. */
VS_MUST_USE enum vs_err act_undo_open(struct store *st, const struct actor *who, const uint8_t random[ACT_TOKEN_SIZE],
                                      int64_t now_us, char ret_token[2 * ACT_TOKEN_SIZE + 1]);

/* `token` of act_undo_open, or NULL when the act is not to be undone. */
VS_MUST_USE enum vs_err act_move(struct store *st, int64_t number, int64_t version, enum stage to,
                                 const struct act_facts *facts, const struct actor *who, const char *token,
                                 int64_t now_us, struct act_refusal *ret_refusal);
VS_MUST_USE enum vs_err act_disposition(struct store *st, int64_t number, int64_t version, enum disposition to,
                                        struct slice reason, struct slice confidence, const struct actor *who,
                                        const char *token, int64_t now_us, struct act_refusal *ret_refusal);
/* assignee: a user's name, or empty for nobody. VS_ERR_NOT_FOUND when there is no such user. */
VS_MUST_USE enum vs_err act_assign(struct store *st, int64_t number, int64_t version, struct slice assignee,
                                   const struct actor *who, const char *token, int64_t now_us,
                                   struct act_refusal *ret_refusal);
VS_MUST_USE enum vs_err act_comment(struct store *st, int64_t number, struct slice text, const struct actor *who,
                                    int64_t now_us, struct act_refusal *ret_refusal);
/* Keeps facts without moving; each replaces an earlier one. FACT_REASON is passed over. */
VS_MUST_USE enum vs_err act_facts(struct store *st, int64_t number, int64_t version, const struct act_facts *facts,
                                  const struct actor *who, int64_t now_us, struct act_refusal *ret_refusal);
/* Ends a task: `state` is "done" or "declined". VS_ERR_NOT_FOUND; VS_ERR_REFUSED when it has ended already. */
VS_MUST_USE enum vs_err act_task(struct store *st, int64_t number, int64_t task, const char *state, struct slice note,
                                 const struct actor *who, int64_t now_us, struct act_refusal *ret_refusal);

/* Called with each incident that was taken back. */
typedef void act_undone(int64_t number, void *ctx);
/* Takes back everything under the token. VS_ERR_NOT_FOUND: no such token of this person; VS_ERR_REFUSED: too late, or
 * somebody acted since. */
VS_MUST_USE enum vs_err act_undo(struct store *st, struct slice token, const struct actor *who, int64_t now_us,
                                 struct act_refusal *ret_refusal, act_undone *each, void *ctx);

#endif
