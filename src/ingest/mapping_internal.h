/* mapping_internal: what a mapping file says, as structs. Not for others. */
#ifndef INGEST_MAPPING_INTERNAL_H
#define INGEST_MAPPING_INTERNAL_H

#include <yaml.h>

#include "base/jsonl/json_reader.h"
#include "event/event.h"
#include "ingest/csv.h"
#include "ingest/log_fields.h"
#include "ingest/mapping.h"

enum mapping_form { FORM_JSON, FORM_PAIRS, FORM_PATTERN, FORM_PATH, FORM_SYSLOG, FORM_CSV, FORM_COUNT };
enum mapping_clock { CLOCK_RFC3339, CLOCK_S, CLOCK_MS, CLOCK_US, CLOCK_CLF, CLOCK_COUNT };

struct choices {
    struct slice text[MAPPING_CHOICES_MAX];
    uint8_t count;
};

/* A way to take a text apart: the line itself, or a field found before. */
struct mapping_step {
    uint8_t form; /* enum mapping_form */
    struct slice field;
    struct choices pattern; /* FORM_PATTERN, FORM_PATH; column names of FORM_CSV */
};

/* Where a field's value comes from. */
struct mapping_value {
    bool set;
    struct choices field; /* the first that is there; empty when the text is constant */
    struct slice text;
    const yaml_node_t *map; /* value -> value; NULL = as it is */
    bool has_other;
    struct slice other; /* for values that map does not have */
    bool digest;        /* a secret: only its hash leaves */
    bool days;          /* whole days from the first to the second field, both RFC 3339 */
};

struct mapping_case {
    struct slice when_field[MAPPING_WHEN_MAX];
    struct choices when[MAPPING_WHEN_MAX]; /* with '*' as any run */
    uint8_t when_count;
    bool ignore;
    const struct ev_type_info *type;
    struct mapping_value vin;
    struct mapping_value value[EV_FIELDS_MAX];
    uint8_t field[EV_FIELDS_MAX]; /* enum ev_field_id */
    uint8_t value_count;
};

struct mapping {
    yaml_document_t doc; /* owns the texts */
    struct slice name;
    struct mapping_step step[MAPPING_STEPS_MAX + 1]; /* the first takes the line */
    uint8_t step_count;
    struct choices time_field;
    uint8_t clock; /* enum mapping_clock */
    struct mapping_case *cases;
    uint8_t case_count;
};

#define MAPPING_NUMBER_CHARS 40 /* of a number written as text */

struct mapping_run {
    const struct mapping *m;
    struct json_reader *json;
    struct csv csv;
    struct log_fields fields;
    uint8_t padded[LOG_LINE_MAX + JSON_PADDING];
};

/* '*' in the pattern stands for any run. */
bool mapping_glob(struct slice pattern, struct slice text);
/* What a value of the mapping is for the line taken apart; borrowed until the next line. False when the line has none.
 */
bool mapping_value_of(struct mapping_run *run, const struct mapping_value *v, struct slice *ret);
/* False when the line tells no time, or not in the form told. */
bool mapping_time_of(const struct mapping_run *run, int64_t *ret);

#endif
