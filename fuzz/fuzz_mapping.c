/* mapping: a mapping file and lines of a log, both hostile. The input is the file up to a line of three dashes, the
 * rest are lines; without one, the input is lines for a fixed mapping that uses every form. What comes out is one JSON
 * object a line that the feed's door can read. */
#include <stdint.h>
#include <stdlib.h>

#include "base/jsonl/json_reader.h"
#include "ingest/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char FIXED[] = "mapping: fuzz\nformat: syslog\n"
                            "time: {field: [timestamp, t], form: rfc3339}\n"
                            "steps:\n"
                            "  - {field: message, as: pairs}\n"
                            "  - {field: message, as: json}\n"
                            "  - {field: message, as: pattern, patterns: ['{a} [{b}] \"{c}\"', '{a};{b}']}\n"
                            "  - {field: c, as: path, patterns: ['/v/{vin}', '/v/{vin}/{op}']}\n"
                            "  - {field: a, as: csv, columns: [d, e]}\n"
                            "events:\n"
                            "  - {when: {type: 'X*'}, ignore: true}\n"
                            "  - when: {a: '*'}\n"
                            "    type: backend.api_call\n"
                            "    vin: vin\n"
                            "    fields: {endpoint: template, status: b, token: {field: d, digest: true},\n"
                            "             user: e, user_agent: c, role: {field: e, map: {'a*': x}, other: y}}\n";

static void run_lines(const struct mapping *m, struct slice text)
{
    static uint8_t out[MAPPING_EVENT_MAX + JSON_PADDING];
    struct mapping_run *run = NULL;
    struct json_reader *json = NULL;
    struct json_object o;

    if (mapping_run_new(m, &run) != VS_OK || json_reader_new(&json) != VS_OK)
        abort();
    for (uint64_t number = 1; text.len > 0; number++) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        struct slice line = slice_head(text, end != NULL ? (size_t)(end - text.ptr) : text.len);
        const char *reason = "";
        struct writer w;

        text = slice_from(text, line.len + 1);
        writer_init(&w, out, MAPPING_EVENT_MAX);
        enum mapping_outcome outcome = mapping_run_line(run, line, number, &w, &reason);
        if (w.full || (outcome == MAPPING_IGNORED) != (w.len == 0))
            abort();
        if (w.len > 0 && (json_reader_object(json, slice_make(out, w.len), &o, NULL) != VS_OK || o.field_count < 2 ||
                          memchr(out, '\n', w.len) != out + w.len - 1))
            abort();
    }
    json_reader_free(json);
    mapping_run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mapping *m = NULL;
    struct mapping_error error = {0, ""};
    struct slice input = slice_make(data, size), file = slice_str(FIXED);
    const uint8_t *cut = size > 0 ? memmem(data, size, "\n---\n", 5) : NULL;

    if (cut != NULL) {
        file = slice_head(input, (size_t)(cut - data) + 1);
        input = slice_from(input, file.len + 4);
    }
    if (mapping_new(file, &m, &error) == VS_OK)
        run_lines(m, input);
    else if (cut == NULL || error.text[0] == '\0')
        abort();
    mapping_free(m);
    return 0;
}
