/* task: work that a rule asks for and a person has to do: an indicator report for the PSIRT, a signature to share with
 * Auto-ISAC, a countermeasure to weigh. A task is opened by the system and ended by a person; nothing leaves the house
 * and nothing reaches a vehicle because a task exists. Each kind is open at most once per incident. */
#ifndef RESPOND_TASK_H
#define RESPOND_TASK_H

#include "store/store.h"

/* Opens a task of this kind unless the incident has or had one. *ret_new may be NULL. */
VS_MUST_USE enum vs_err task_open(struct store *st, int64_t incident, struct slice kind, int64_t now_us, bool *ret_new);
/* The same with a title of its own, which is kept up to date while the task is open. */
VS_MUST_USE enum vs_err task_open_as(struct store *st, int64_t incident, struct slice kind, struct slice title,
                                     int64_t now_us);
/* What a person reads; the kind itself when it is not known here. Borrowed from the argument or literal. */
struct slice task_title(struct slice kind);
/* Whether a task of this kind may be done only after an approval (then it starts as pending_approval). */
bool task_needs_approval(struct slice kind);

#endif
