/* dbc_print: decoded frames and network descriptions as JSON lines. */
#ifndef APP_DBC_PRINT_H
#define APP_DBC_PRINT_H

#include <stdio.h>

#include "codec/can_frame.h"
#include "codec/dbc_decode.h"

/* One line: frame, time (seconds), bus, id, type (only of error and remote frames), message, signals, missing (how many
 * signals of the message were not received, when any). has_source false: time and bus are null. */
void dbc_print_frame(FILE *out, const struct dbc *db, uint64_t index, const struct can_frame *fr, bool has_source);
/* One line: id, message, length, cycle_ms, send_type, format, sender, signals with their layout. */
void dbc_print_message(FILE *out, const struct dbc *db, const struct dbc_message *m);

#endif
