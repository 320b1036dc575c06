/* A feed's line is written anew: vin and epoch are replaced, and so are accounts, tokens and keys; everything else is
 * kept as it was, so that no VIN and no account gets past the door. Fields are written from the reader's values; a
 * nested object comes out flat, with dotted names, as all flat JSON here does. */
#include <stdio.h>
#include <stdlib.h>

#include "ingest/receive_internal.h"
#include "ingest/vid_text.h"

#define LINES_MAX      10000 /* of one upload */
#define LINE_BYTES_MAX (64u << 10)

static void put_value(struct writer *w, const struct json_field *f)
{
    char text[40];
    int n;

    switch ((enum json_kind)f->kind) {
    case JSON_NULL:
        writer_text(w, "null");
        break;
    case JSON_BOOL:
        writer_text(w, f->value.b ? "true" : "false");
        break;
    case JSON_INT:
        writer_i64_text(w, f->value.i);
        break;
    case JSON_UINT:
        writer_u64_text(w, f->value.u);
        break;
    case JSON_DOUBLE:
        n = snprintf(text, sizeof text, "%.17g", f->value.d);
        writer_bytes(w, text, (size_t)n);
        break;
    case JSON_TEXT:
        writer_json_text(w, f->value.s);
        break;
    }
}

static bool is_key(const struct json_field *f, const char *name)
{
    return slice_equal_str(f->name, name);
}

static bool names_vin(const struct json_field *f, struct slice vin)
{
    return f->kind == JSON_TEXT && vin.len > 0 && memmem(f->value.s.ptr, f->value.s.len, vin.ptr, vin.len) != NULL;
}

/* Feeds name accounts, tokens and keys as their systems do; from here on they are pseudonyms, like vehicles. An absent
 * one stays absent, because rules ask for that. */
static void put_account(struct writer *w, struct slice account, const uint8_t key[PSEUDONYM_KEY_SIZE])
{
    uint8_t id[EV_VID_SIZE];

    pseudonym_of_account(key, account, id);
    struct vid_text text = vid_text(id);
    writer_json_text(w, slice_str(account.len > 0 ? text.hex : ""));
}

/* A number in such a field is an account as well, by its digits. */
static void put_member(struct writer *w, const struct json_field *f, const uint8_t key[PSEUDONYM_KEY_SIZE])
{
    char digits[40];
    struct writer number;

    writer_u8(w, ',');
    writer_json_text(w, f->name);
    writer_u8(w, ':');
    if (f->kind == JSON_NULL || !pseudonym_is_account_field(f->name)) {
        put_value(w, f);
    } else if (f->kind == JSON_TEXT) {
        put_account(w, f->value.s, key);
    } else {
        writer_init(&number, digits, sizeof digits);
        put_value(&number, f);
        put_account(w, writer_slice(&number), key);
    }
}

/* Elements of arrays are left out, since events are flat, and so is any other text that repeats the VIN. */
static void put_line(struct writer *w, const struct json_object *o, struct slice vin, const uint8_t vid[EV_VID_SIZE],
                     uint32_t epoch, const uint8_t key[PSEUDONYM_KEY_SIZE])
{
    struct vid_text text = vid_text(vid);

    writer_text(w, "{\"vin\":\"");
    writer_text(w, text.hex);
    writer_text(w, "\",\"epoch\":");
    writer_u64_text(w, epoch);
    for (uint32_t i = 0; i < o->field_count; i++) {
        const struct json_field *f = &o->field[i];

        if (is_key(f, "vin") || is_key(f, "epoch") || f->element || names_vin(f, vin))
            continue;
        put_member(w, f, key);
    }
    writer_text(w, "}\n");
}

/* Whom a line is about: its VIN's pseudonym, or the feed's own when it names none. */
static enum vs_err find_vehicle(const struct json_object *o, struct slice feed, const uint8_t key[PSEUDONYM_KEY_SIZE],
                                uint8_t vid[EV_VID_SIZE], struct slice *ret_vin)
{
    *ret_vin = slice_make(NULL, 0);
    pseudonym_of_feed(key, feed, vid);
    for (uint32_t i = 0; i < o->field_count; i++) {
        if (!is_key(&o->field[i], "vin") || o->field[i].kind == JSON_NULL)
            continue;
        if (o->field[i].kind != JSON_TEXT)
            return VS_ERR_MALFORMED;
        enum vs_err err = pseudonym_of_vin(key, o->field[i].value.s, vid);
        if (err != VS_OK)
            return err;
        *ret_vin = o->field[i].value.s;
    }
    return VS_OK;
}

static bool add_line(struct receiver *r, const struct receive_line *line)
{
    if (r->line_count == r->line_size) {
        uint32_t size = r->line_size > 0 ? r->line_size * 2 : 64;
        struct receive_line *grown = realloc(r->line, size * sizeof grown[0]);
        if (grown == NULL)
            return false;
        r->line = grown;
        r->line_size = size;
    }
    r->line[r->line_count++] = *line;
    return true;
}

/* Reads one line and writes its new form to the scratch at `at`. */
static enum vs_err take_line(struct receiver *r, struct slice text, struct slice feed,
                             const uint8_t key[PSEUDONYM_KEY_SIZE], size_t at, struct receive_line *ret,
                             const char **reason)
{
    struct json_object o;
    struct slice vin;
    struct writer w;

    enum vs_err err = json_reader_object(r->json, text, &o, reason);
    if (err != VS_OK)
        return err;
    err = find_vehicle(&o, feed, key, ret->vid, &vin);
    if (err != VS_OK) {
        *reason = "vin is no vehicle identification number (17 letters and digits without I, O, Q)";
        return err;
    }
    uint8_t *scratch = receiver_scratch(r, at + LINE_BYTES_MAX);
    if (scratch == NULL)
        return VS_ERR_NO_MEMORY;
    writer_init(&w, scratch + at, LINE_BYTES_MAX);
    put_line(&w, &o, vin, ret->vid, pseudonym_feed_epoch(feed), key);
    if (w.full) {
        *reason = "line is too long";
        return VS_ERR_LIMIT;
    }
    ret->at = at;
    ret->len = w.len;
    return VS_OK;
}

static struct slice next_line(struct slice *rest)
{
    const uint8_t *end = memchr(rest->ptr, '\n', rest->len);
    struct slice line = slice_head(*rest, end != NULL ? (size_t)(end - rest->ptr) : rest->len);

    *rest = slice_from(*rest, line.len + 1);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
        line.len--;
    return line;
}

static enum vs_err take_lines(struct receiver *r, struct slice body, struct slice feed,
                              const uint8_t key[PSEUDONYM_KEY_SIZE], struct receive_refusal *ret_refusal)
{
    size_t number = 0, at = 0;

    r->line_count = 0;
    for (struct slice rest = body; rest.len > 0;) {
        struct slice text = next_line(&rest);
        struct receive_line line = {.number = r->line_count};
        const char *reason = "line is broken";

        number++;
        if (text.len == 0)
            continue;
        if (r->line_count == LINES_MAX)
            return receive_refuse(ret_refusal, VS_ERR_LIMIT, "more than 10,000 lines in one upload", number);
        enum vs_err err = take_line(r, text, feed, key, at, &line, &reason);
        if (err == VS_OK && !add_line(r, &line))
            err = VS_ERR_NO_MEMORY;
        if (err != VS_OK)
            return receive_refuse(ret_refusal, err, reason, number);
        at += line.len;
    }
    return VS_OK;
}

static int compare_lines(const void *a, const void *b)
{
    const struct receive_line *x = a, *y = b;
    int c = memcmp(x->vid, y->vid, sizeof x->vid);

    if (c != 0)
        return c;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Lines of one vehicle become one record, in the order in which they came. */
static enum vs_err give_records(struct receiver *r, int64_t received_us, size_t bytes, receive_record_fn *each,
                                void *ctx)
{
    uint8_t *joined = malloc(bytes > 0 ? bytes : 1);
    enum vs_err err = joined != NULL ? VS_OK : VS_ERR_NO_MEMORY;

    for (uint32_t i = 0; err == VS_OK && i < r->line_count;) {
        uint32_t first = i;
        size_t len = 0;

        for (; i < r->line_count && memcmp(r->line[i].vid, r->line[first].vid, EV_VID_SIZE) == 0; i++) {
            memcpy(joined + len, r->scratch + r->line[i].at, r->line[i].len);
            len += r->line[i].len;
        }
        struct stream_record rec = {.received_us = received_us,
                                    .door = STREAM_DOOR_HTTPS,
                                    .format = STREAM_FORMAT_JSON_LINES,
                                    .key = slice_make(r->line[first].vid, EV_VID_SIZE),
                                    .value = slice_make(joined, len)};
        err = each(&rec, ctx);
    }
    free(joined);
    return err;
}

enum vs_err receive_feed(struct receiver *r, struct slice body, struct slice feed,
                         const uint8_t pseudonym_key[PSEUDONYM_KEY_SIZE], int64_t received_us, receive_record_fn *each,
                         void *ctx, struct receive_refusal *ret_refusal)
{
    size_t bytes = 0;

    enum vs_err err = body.len <= RECEIVE_BODY_MAX ? VS_OK : VS_ERR_LIMIT;
    if (err != VS_OK)
        return receive_refuse(ret_refusal, err, "upload is too large", 0);
    /* The reader wants readable bytes behind each line. */
    uint8_t *copy = malloc(body.len + JSON_PADDING);
    if (copy == NULL)
        return receive_refuse(ret_refusal, VS_ERR_NO_MEMORY, "out of memory", 0);
    if (body.len > 0)
        memcpy(copy, body.ptr, body.len);
    memset(copy + body.len, 0, JSON_PADDING);
    err = take_lines(r, slice_make(copy, body.len), feed, pseudonym_key, ret_refusal);
    free(copy);
    if (err != VS_OK)
        return err;
    for (uint32_t i = 0; i < r->line_count; i++)
        bytes += r->line[i].len;
    if (r->line_count > 0)
        qsort(r->line, r->line_count, sizeof r->line[0], compare_lines);
    err = give_records(r, received_us, bytes, each, ctx);
    return err == VS_OK ? VS_OK : receive_refuse(ret_refusal, err, vs_err_text(err), 0);
}
