/* log_fields: a line of a log as named texts, and the ways to take one apart that do not need a library.
 *
 *  key-value  `type="LOGIN_ERROR", userId=null, ip=1.2.3.4`: names up to '=', values in quotes (backslash escapes) or
 * up to the next separator; separators are blanks, commas and semicolons. `null` is absent. pattern    `{ip} - {user}
 * [{time}] "{request}"`: literal text around placeholders. A placeholder takes the shortest text up to the literal
 * behind it, blanks around it cut off; the last one takes the rest; `{}` takes a text that nobody needs. A blank stands
 * for one or more. With `path`, values hold no '/', '?' or '#', and what follows '?' is passed over. syslog     RFC
 * 5424: `<PRI>1 TIME HOST APP PROCID MSGID SD MSG`. Gives priority, timestamp, host, app, procid, msgid, the parameters
 * of structured data as id.name, and message.
 *
 * Memory: names and values are borrowed from the line, from the pattern, or from the caller's scratch when an escape
 * had to be taken out; nothing is allocated. The first field of a name is the one found. Bounds: LOG_FIELDS_MAX fields,
 * further ones are counted in left_out_count; work is linear in the line for each literal. Threads: values. */
#ifndef INGEST_LOG_FIELDS_H
#define INGEST_LOG_FIELDS_H

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define LOG_FIELDS_MAX 256
#define LOG_LINE_MAX   (64u << 10) /* bytes of one line */
#define LOG_SCRATCH    (LOG_LINE_MAX * 2u)

struct log_field {
    struct slice name, value;
};

struct log_fields {
    uint32_t count;
    uint32_t left_out_count;
    size_t scratch_len;
    struct log_field field[LOG_FIELDS_MAX];
    uint8_t scratch[LOG_SCRATCH];
};

void log_fields_reset(struct log_fields *f);
void log_fields_add(struct log_fields *f, struct slice name, struct slice value);
/* NULL when there is none of that name. */
const struct log_field *log_fields_find(const struct log_fields *f, struct slice name);
/* Room for `size` bytes until the next reset; NULL when the scratch is used up. */
uint8_t *log_fields_scratch(struct log_fields *f, size_t size);

/* VS_ERR_MALFORMED when there is no pair at all or a quote does not close; *ret_reason is a constant text. */
VS_MUST_USE enum vs_err log_read_pairs(struct log_fields *f, struct slice text, const char **ret_reason);
/* VS_ERR_MALFORMED when the header is not that of RFC 5424. */
VS_MUST_USE enum vs_err log_read_syslog(struct log_fields *f, struct slice text, const char **ret_reason);

/* A pattern must have a placeholder, close its braces, and have text between any two of them. */
bool log_pattern_good(struct slice pattern, const char **ret_reason);
/* Adds the placeholders' fields when the whole text fits, and nothing otherwise. */
bool log_pattern_match(struct log_fields *f, struct slice pattern, bool path, struct slice text);

#endif
