/* feed: rules and events as text, for tests of detection. */
#ifndef FEED_H
#define FEED_H

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "detect/engine/engine.h"

struct feed {
    struct plan plan;
    struct diag diag;
    struct json_reader *reader;
    struct record record;
    struct sighter sighter;
};

/* Loads rules; they must be without errors. */
static inline void feed_init(struct feed *f, const char *rules)
{
    diag_init(&f->diag);
    plan_init(&f->plan);
    if (plan_load_text(&f->plan, "test.yml", slice_str(rules), &f->diag) != VS_OK)
        fail_msg("line %u: %s", f->diag.entry[0].line, f->diag.entry[0].text);
    assert_int_equal(json_reader_new(&f->reader), VS_OK);
    record_init(&f->record, &f->plan.fields);
    sighter_init(&f->sighter, &f->plan);
}

static inline void feed_done(struct feed *f)
{
    sighter_done(&f->sighter);
    record_done(&f->record);
    json_reader_free(f->reader);
    plan_done(&f->plan);
    diag_done(&f->diag);
}

/* Reads one object into the feed's record. The record borrows from the reader until the next call. */
static inline void feed_record(struct feed *f, const char *json, bool envelope)
{
    static char padded[65536 + JSON_PADDING];
    struct json_object o;
    const char *reason = "";
    size_t len = strlen(json);

    assert_true(len <= 65536);
    memcpy(padded, json, len);
    if (json_reader_object(f->reader, slice_make(padded, len), &o, &reason) != VS_OK ||
        record_from_json(&f->record, &o, envelope, &reason) != VS_OK)
        fail_msg("%s: %s", json, reason);
}

static inline void feed_put(struct feed *f, struct engine *e, const char *json)
{
    struct sighting s = {0};

    feed_record(f, json, true);
    if (sighter_step(&f->sighter, &f->record, &s) == SIGHT_OK)
        engine_put(e, &s);
}

#endif
