/* log_line: one JSON object a line to stderr, for people with jq and for log collectors.
 *
 * Only the programs in app/ log; libraries return codes. Threads: one write(2) per line, so lines do not mix. */
#ifndef APP_LOG_LINE_H
#define APP_LOG_LINE_H

/* {"time":"..","role":"..","event":"..","detail":".."}; detail is printf-formatted and may be empty. */
__attribute__((format(printf, 3, 4))) void log_line(const char *role, const char *event, const char *format, ...);

#endif
