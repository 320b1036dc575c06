#include "ingest/vehicle_list.h"

#include <stdlib.h>

#include "base/jsonl/json_lines.h"
#include "core/timestamp.h"
#include "core/utf8.h"
#include "ingest/csv.h"
#include "ingest/pseudonym.h"
#include "ingest/registry.h"

enum column {
    COLUMN_VIN,
    COLUMN_MODEL,
    COLUMN_HARDWARE,
    COLUMN_REGION,
    COLUMN_OWNER,
    COLUMN_COMPONENT,
    COLUMN_SW_VERSION,
    COLUMN_SW_SINCE,
    COLUMN_COUNT
};
static const char *const COLUMN[COLUMN_COUNT] = {"vin",   "model",     "hardware",   "region",
                                                 "owner", "component", "sw_version", "sw_since"};

struct reading {
    vehicle_list_row_fn *row;
    vehicle_list_fault_fn *fault;
    void *ctx;
    uint32_t faults;
};

static void complain(struct reading *r, uint32_t line, const char *reason, struct slice at)
{
    r->faults++;
    r->fault(line, reason, at, r->ctx);
}

static enum column find_column(struct slice name)
{
    unsigned i = 0;

    while (i < COLUMN_COUNT && !slice_equal_str(name, COLUMN[i]))
        i++;
    return (enum column)i;
}

/* Checks the values of one row and gives it. */
static enum vs_err take_row(struct reading *r, uint32_t line, const struct slice value[COLUMN_COUNT])
{
    static const uint8_t ANY_KEY[PSEUDONYM_KEY_SIZE];
    uint8_t vid[EV_VID_SIZE];
    struct vehicle_row row = {line,
                              value[COLUMN_VIN],
                              value[COLUMN_MODEL],
                              value[COLUMN_HARDWARE],
                              value[COLUMN_REGION],
                              value[COLUMN_OWNER],
                              value[COLUMN_COMPONENT],
                              value[COLUMN_SW_VERSION],
                              VEHICLE_LIST_NOT_TOLD};

    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        if (value[i].len > REGISTRY_TEXT_MAX || !utf8_valid(value[i])) {
            complain(r, line, "value is longer than 256 bytes, or not UTF-8", slice_str(COLUMN[i]));
            return VS_OK;
        }
    if (pseudonym_of_vin(ANY_KEY, row.vin, vid) != VS_OK) {
        complain(r, line, "vin must be 17 letters and digits without I, O and Q", row.vin);
        return VS_OK;
    }
    if (value[COLUMN_SW_SINCE].len > 0 && !timestamp_parse(value[COLUMN_SW_SINCE], &row.sw_since_us)) {
        complain(r, line, "sw_since must be a time like 2026-03-01T12:00:00Z", value[COLUMN_SW_SINCE]);
        return VS_OK;
    }
    if (row.component.len > 0 && row.sw_version.len == 0) {
        complain(r, line, "a component needs a sw_version", row.component);
        return VS_OK;
    }
    return r->row(&row, r->ctx);
}

/* ---- CSV */

static bool read_header(struct reading *r, const struct csv *c, enum column *of_field)
{
    bool has_vin = false;

    for (uint32_t i = 0; i < c->count; i++) {
        of_field[i] = find_column(c->field[i]);
        has_vin = has_vin || of_field[i] == COLUMN_VIN;
        if (of_field[i] == COLUMN_COUNT)
            complain(r, c->line,
                     "column is not known; there are vin model hardware region owner component sw_version sw_since",
                     c->field[i]);
        for (uint32_t j = 0; j < i; j++)
            if (of_field[i] == of_field[j] && of_field[i] != COLUMN_COUNT)
                complain(r, c->line, "column stands twice", c->field[i]);
    }
    if (!has_vin)
        complain(r, c->line, "the first line must name the columns, vin among them", slice_str(""));
    return r->faults == 0;
}

static enum vs_err read_csv(struct reading *r, struct slice text)
{
    struct csv *c = malloc(sizeof *c);
    enum column of_field[CSV_FIELDS_MAX];
    const char *reason = "";
    bool header = false;

    if (c == NULL)
        return VS_ERR_NO_MEMORY;
    csv_init(c, text);
    enum vs_err err = VS_OK;
    while (err == VS_OK) {
        struct slice value[COLUMN_COUNT] = {{NULL, 0}};

        err = csv_next(c, &reason);
        if (err == VS_ERR_MALFORMED || err == VS_ERR_LIMIT) {
            complain(r, c->line, reason, slice_str(""));
            err = VS_OK;
            continue;
        }
        if (err != VS_OK)
            break;
        if (!header) {
            header = read_header(r, c, of_field);
            if (!header)
                break;
            continue;
        }
        for (uint32_t i = 0; i < c->count && i < CSV_FIELDS_MAX; i++)
            if (of_field[i] < COLUMN_COUNT)
                value[of_field[i]] = c->field[i];
        err = take_row(r, c->line, value);
    }
    free(c);
    return err == VS_ERR_END ? VS_OK : err;
}

/* ---- JSON lines */

static bool read_object(struct reading *r, uint32_t line, const struct json_object *o, struct slice value[COLUMN_COUNT])
{
    uint32_t before = r->faults;

    for (uint32_t i = 0; i < o->field_count; i++) {
        const struct json_field *f = &o->field[i];
        enum column column = find_column(f->name);

        if (f->kind == JSON_NULL)
            continue;
        if (column == COLUMN_COUNT)
            complain(r, line,
                     "key is not known; there are vin model hardware region owner component sw_version sw_since",
                     f->name);
        else if (f->kind != JSON_TEXT)
            complain(r, line, "value must be a text", f->name);
        else
            value[column] = f->value.s;
    }
    return r->faults == before;
}

static enum vs_err read_json(struct reading *r, struct slice text)
{
    struct json_reader *json;
    struct json_lines lines;
    struct slice document;

    enum vs_err err = json_reader_new(&json);
    if (err != VS_OK)
        return err;
    json_lines_init(&lines, text);
    while (err == VS_OK && json_lines_next(&lines, &document)) {
        struct slice value[COLUMN_COUNT] = {{NULL, 0}};
        struct json_object o;
        const char *reason = "not JSON";

        if (json_reader_object(json, document, &o, &reason) != VS_OK)
            complain(r, (uint32_t)lines.line, reason, slice_str(""));
        else if (read_object(r, (uint32_t)lines.line, &o, value))
            err = take_row(r, (uint32_t)lines.line, value);
    }
    json_reader_free(json);
    return err;
}

enum vs_err vehicle_list_read(struct slice text, vehicle_list_row_fn *row, vehicle_list_fault_fn *fault, void *ctx,
                              uint32_t *ret_faults)
{
    struct reading r = {row, fault, ctx, 0};
    size_t i = 0;

    while (i < text.len && (text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\r' || text.ptr[i] == '\t'))
        i++;
    enum vs_err err = i < text.len && text.ptr[i] == '{' ? read_json(&r, text) : read_csv(&r, text);
    *ret_faults = r.faults;
    return err;
}
