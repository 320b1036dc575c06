/* JSON lines: what backend feeds and imports put into the log. The record's key names the vehicle; a line may repeat it
 * as vin, in hex, and then it must be the same. Lines of a feed carry numbers of that feed's own epoch (docs/formats).
 */
#include "base/jsonl/json_event.h"
#include "base/jsonl/json_reader.h"
#include "core/hex.h"
#include "ingest/decoder.h"

static enum vs_err begin(struct decoding *d, const struct stream_record *rec, struct decoded_head *ret,
                         struct batch_error *ret_error)
{
    if (rec->key.len != EV_VID_SIZE) {
        ret_error->byte = 0;
        ret_error->reason = "the record's key is no vehicle pseudonym";
        return VS_ERR_MALFORMED;
    }
    /* The reader needs readable bytes behind the text. */
    uint8_t *copy = decoding_scratch(d, rec->value.len + JSON_PADDING);
    if (copy == NULL)
        return VS_ERR_NO_MEMORY;
    if (rec->value.len > 0)
        memcpy(copy, rec->value.ptr, rec->value.len);
    memset(copy + rec->value.len, 0, JSON_PADDING);
    d->lines = slice_make(copy, rec->value.len);
    memcpy(d->vid, rec->key.ptr, EV_VID_SIZE);
    memset(ret, 0, sizeof *ret);
    memcpy(ret->vid, d->vid, EV_VID_SIZE);
    return VS_OK;
}

static bool take_line(struct decoding *d)
{
    while (d->lines.len > 0) {
        const uint8_t *end = memchr(d->lines.ptr, '\n', d->lines.len);
        size_t len = end != NULL ? (size_t)(end - d->lines.ptr) : d->lines.len;

        d->line = slice_head(d->lines, len);
        d->lines = slice_from(d->lines, len + 1);
        while (d->line.len > 0 && (d->line.ptr[d->line.len - 1] == '\r' || d->line.ptr[d->line.len - 1] == ' '))
            d->line.len--;
        if (d->line.len > 0)
            return true;
    }
    return false;
}

static enum vs_err read_line(struct decoding *d, struct event *ret, struct batch_error *ret_error)
{
    struct json_object o;
    struct json_event je;
    struct slice name;
    uint8_t vid[EV_VID_SIZE];

    enum vs_err err = json_reader_object(d->json, d->line, &o, &ret_error->reason);
    if (err != VS_OK)
        return err;
    err = json_event_read(&o, d->json_bytes, &je, &ret_error->reason, &name);
    *ret = je.ev;
    memcpy(ret->vid, d->vid, EV_VID_SIZE);
    if (err == VS_OK && je.vehicle.len > 0 &&
        (!hex_read(je.vehicle, vid, sizeof vid) || memcmp(vid, d->vid, sizeof vid) != 0)) {
        ret_error->reason = "vin is not the pseudonym of the record's vehicle";
        return VS_ERR_FORBIDDEN;
    }
    return err;
}

static enum vs_err next(struct decoding *d, struct event *ret, struct slice *ret_sample, struct batch_error *ret_error,
                        bool *ret_broken)
{
    memset(ret, 0, offsetof(struct event, field));
    *ret_broken = false;
    if (!take_line(d))
        return VS_ERR_END;
    *ret_sample = d->line;
    ret_error->byte = (size_t)(d->line.ptr - d->scratch);
    return read_line(d, ret, ret_error);
}

const struct decoder decoder_json_lines = {STREAM_FORMAT_JSON_LINES, begin, next};
