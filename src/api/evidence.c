/* Each batch is named by its place in the log and the SHA-256 of its bytes as the vehicle sent and signed them. A batch
 * that cannot be read is listed as not intact, never left out. */
#include <inttypes.h>
#include <stdio.h>

#include "api/call.h"
#include "api/event_log.h"
#include "api/evidence.h"
#include "base/crypto.h"

static json_t *batch_json(struct call *c, int64_t partition, int64_t offset, int64_t time_us)
{
    struct stream_record rec = {.received_us = time_us};
    uint8_t hash[SHA256_SIZE] = {0};
    char id[64], position[80], text[96], hex[2 * SHA256_SIZE];
    struct writer w;
    bool there = partition >= 0 && partition < STREAM_PARTITION_MAX && offset >= 0 &&
                 event_log_record(c->api->log, (uint32_t)partition, (uint64_t)offset, &rec) == VS_OK;

    if (there)
        sha256(rec.value, hash);
    writer_init(&w, hex, sizeof hex);
    writer_hex(&w, slice_make(hash, sizeof hash), false);
    snprintf(id, sizeof id, "%" PRId64 "-%" PRId64, partition, offset);
    snprintf(position, sizeof position, "partition %" PRId64 ", record %" PRId64, partition, offset);
    snprintf(text, sizeof text, "%s",
             there ? "signed batch from the vehicle" : "the event log no longer has this batch");
    /* Whether the signature is right is for vsoc verify to say; nobody has checked it here. */
    return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o, s:s, s:o}", "id", id, "kind", "batch", "text", text, "sha256",
                     json_stringn(hex, there ? w.len : 0), "size", (json_int_t)rec.value.len, "stored",
                     json_time(rec.received_us), "position", position, "verified", there ? json_null() : json_false());
}

json_t *evidence_json(struct call *c, int64_t incident)
{
    struct store_stmt *q = store_prepare(
        c->st,
        "SELECT m.log_partition, m.log_offset, min(m.time_us) FROM incident_alert ia JOIN alert_member m "
        "ON m.alert = ia.alert WHERE ia.incident = ? GROUP BY m.log_partition, m.log_offset ORDER BY 3, 1, 2 LIMIT ?");
    json_t *list = json_array();

    store_bind_i64(q, 1, incident);
    store_bind_i64(q, 2, EVIDENCE_MAX);
    while (store_step(q) == VS_OK)
        json_array_append_new(list, batch_json(c, store_i64(q, 0), store_i64(q, 1), store_i64(q, 2)));
    store_done(q);
    return list;
}
