/* receive_internal: what the two kinds of uploads share. Not for others. */
#ifndef INGEST_RECEIVE_INTERNAL_H
#define INGEST_RECEIVE_INTERNAL_H

#include "base/jsonl/json_reader.h"
#include "ingest/receive.h"

struct compressor;

/* A line of a feed on its way into a record. */
struct receive_line {
    uint8_t vid[EV_VID_SIZE];
    uint32_t number; /* of the line, from 0 */
    size_t at, len;  /* in the scratch */
};

struct receiver {
    struct compressor *compressor;
    struct json_reader *json;
    uint8_t *scratch;
    size_t scratch_size;
    struct receive_line *line;
    uint32_t line_count, line_size;
    uint8_t key[EV_VID_SIZE];
};

/* At least `size` bytes, what was in them is kept; NULL without memory. */
uint8_t *receiver_scratch(struct receiver *r, size_t size);
enum vs_err receive_refuse(struct receive_refusal *ret, enum vs_err err, const char *reason, size_t byte);

#endif
