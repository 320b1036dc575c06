/* Rule files from outside: whatever the bytes, loading ends, and what loads runs on an event.
 *
 * The input is the text of a rule file; a line "%%" ends it, and what follows is an event as one JSON object. */
#include <stdlib.h>

#include "detect/engine/engine.h"

static const char EVENT[] =
    "{\"vin\":\"V1\",\"time\":\"2026-03-01T00:00:00Z\",\"type\":\"secoc.verification_failed\",\"pdu\":\"A\","
    "\"value\":57005,\"nrc\":\"0x35\",\"lat\":48.1,\"lon\":11.5,\"seq\":1,\"count\":3}";

static void run(const struct plan *p, struct slice text)
{
    struct engine_limits limits = {0};
    struct engine *e = engine_new(p, &limits);
    struct json_reader *reader;
    struct sighter sighter;
    struct sighting s;
    struct record r;
    struct json_object o;
    const char *reason;
    uint8_t *padded = calloc(1, text.len + JSON_PADDING);

    if (padded == NULL || json_reader_new(&reader) != VS_OK)
        abort();
    if (text.len > 0)
        memcpy(padded, text.ptr, text.len);
    record_init(&r, &p->fields);
    sighter_init(&sighter, p);
    if (json_reader_object(reader, slice_make(padded, text.len), &o, &reason) == VS_OK &&
        record_from_json(&r, &o, true, &reason) == VS_OK && sighter_step(&sighter, &r, &s) == SIGHT_OK) {
        engine_put(e, &s);
        engine_put(e, &s);
        engine_settle(e, 0, NULL, NULL);
    }
    sighter_done(&sighter);
    record_done(&r);
    json_reader_free(reader);
    free(padded);
    engine_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size > 0 ? memmem(data, size, "\n%%\n", 4) : NULL;
    struct slice rules = slice_make(data, cut != NULL ? (size_t)(cut - data) : size);
    struct plan p;
    struct diag d;

    diag_init(&d);
    plan_init(&p);
    if (plan_load_text(&p, "fuzz.yml", rules, &d) == VS_OK || p.base_count > 0)
        run(&p, cut != NULL ? slice_make(cut + 4, size - rules.len - 4) : slice_str(EVENT));
    plan_done(&p);
    diag_done(&d);
    return 0;
}
