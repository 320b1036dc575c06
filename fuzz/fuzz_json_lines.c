/* Event lines from outside: whatever the bytes, every line is an event or has a reason, and reading again gives the
 * same. */
#include <stdlib.h>

#include "base/jsonl/json_lines.h"
#include "detect/engine/sighting.h"

static const char RULES[] =
    "title: a\nname: a\nlogsource: {product: vehicle}\ndetection: {s: {type: '*', 'x|re': 'a+b'}, k: [evil], "
    "condition: 1 of them}\n"
    "---\ntitle: c\ncorrelation: {type: value_count, rules: [a], group-by: [vin, signature], timespan: 1m, condition: "
    "{field: a.b, gte: 1}}\n"
    "---\ntitle: g\ncorrelation: {type: geo_velocity, rules: [a], timespan: 1m, condition: {gt: 1}}\n";

static struct plan plan;
static struct json_reader *reader;
static struct record record;
static struct sighter sighter;

static void start(void)
{
    struct diag d;

    diag_init(&d);
    plan_init(&plan);
    if (plan_load_text(&plan, "fuzz.yml", slice_str(RULES), &d) != VS_OK || json_reader_new(&reader) != VS_OK)
        abort();
    diag_done(&d);
    record_init(&record, &plan.fields);
    sighter_init(&sighter, &plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *padded = calloc(1, size + JSON_PADDING);
    struct json_lines it;
    struct slice doc;

    if (reader == NULL)
        start();
    if (padded == NULL)
        abort();
    if (size > 0)
        memcpy(padded, data, size);
    json_lines_init(&it, slice_make(padded, size));
    while (json_lines_next(&it, &doc)) {
        struct json_object o;
        struct sighting s;
        const char *reason = NULL;
        for (unsigned i = 0; i < 2; i++) {
            struct hash128 before = record.content;
            if (json_reader_object(reader, doc, &o, &reason) != VS_OK ||
                record_from_json(&record, &o, true, &reason) != VS_OK) {
                if (reason == NULL)
                    abort();
                break;
            }
            if (i == 1 && !hash128_equal(before, record.content))
                abort();
            (void)sighter_step(&sighter, &record, &s);
        }
    }
    free(padded);
    return 0;
}
