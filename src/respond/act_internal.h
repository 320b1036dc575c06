/* act_internal: what the acts and their undoing share. Included by act.c and act_undo.c only. */
#ifndef RESPOND_ACT_INTERNAL_H
#define RESPOND_ACT_INTERNAL_H

#include "respond/act.h"

void act_refuse(struct act_refusal *ret, const char *why);
/* Raises the version, marks it as a person's, notes the first human act, works the row out again. */
enum vs_err act_finish(struct store *st, int64_t number, bool edit, int64_t now_us);
/* Remembers how it was before an act of this name; token NULL: nothing is remembered. */
enum vs_err act_undo_note(struct store *st, const char *token, const struct incident_state *before, const char *act,
                          uint32_t facts_added);

#endif
