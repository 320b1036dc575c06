#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"
#include "core/writer.h"
#include "respond/audit.h"
#include "store/store_exec.h"

#define TEXTS         7
#define ABSENT        UINT32_MAX
#define READONLY      "sqlite-readonly:"
#define PATH_SIZE_MAX 4096

void audit_hash(const uint8_t previous[SHA256_SIZE], const struct audit_record *r, uint8_t ret[SHA256_SIZE])
{
    const struct slice text[TEXTS] = {r->who, r->act, r->object, r->before, r->after, r->reason, r->source};
    uint8_t number[16], length[TEXTS][4];
    struct slice part[2 + 2 * TEXTS];
    size_t parts = 0;
    struct writer w;

    writer_init(&w, number, sizeof number);
    writer_u64be(&w, (uint64_t)r->seq);
    writer_u64be(&w, (uint64_t)r->at_us);
    part[parts++] = slice_make(previous, SHA256_SIZE);
    part[parts++] = writer_slice(&w);
    for (int i = 0; i < TEXTS; i++) {
        struct slice value = text[i].ptr != NULL ? text[i] : slice_make("", 0);
        writer_init(&w, length[i], sizeof length[i]);
        writer_u32be(&w, text[i].ptr != NULL ? (uint32_t)text[i].len : ABSENT);
        part[parts++] = writer_slice(&w);
        part[parts++] = value;
    }
    sha256_parts(part, parts, ret);
}

static void hash_text(const uint8_t hash[SHA256_SIZE], char ret[AUDIT_HASH_TEXT_SIZE])
{
    struct writer w;

    writer_init(&w, ret, AUDIT_HASH_TEXT_SIZE - 1);
    writer_hex(&w, slice_make(hash, SHA256_SIZE), false);
    ret[w.len] = '\0';
}

struct head {
    int64_t seq;
    uint8_t hash[SHA256_SIZE];
};

static enum vs_err head_read(struct store *st, struct head *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT seq, hash FROM audit_head WHERE one = 1");
    enum vs_err err = store_step(q);

    if (err == VS_OK) {
        ret->seq = store_i64(q, 0);
        if (!hex_read(store_text(q, 1), ret->hash, SHA256_SIZE))
            err = VS_ERR_TAMPERED;
    } else if (err == VS_ERR_END) {
        err = VS_ERR_TAMPERED; /* the row is made with the table */
    }
    store_done(q);
    return err;
}

static enum vs_err head_write(struct store *st, int64_t seq, const char *hash)
{
    struct store_stmt *q = store_prepare(st, "UPDATE audit_head SET seq = ?, hash = ? WHERE one = 1");

    store_bind_i64(q, 1, seq);
    store_bind_text(q, 2, slice_str(hash));
    return store_run(q);
}

static void bind_or_null(struct store_stmt *q, int at, struct slice s)
{
    if (s.ptr != NULL)
        store_bind_text(q, at, s);
    else
        store_bind_null(q, at);
}

enum vs_err audit_add(struct store *st, const struct audit_record *r, int64_t now_us, int64_t *ret_seq)
{
    struct head head;
    struct audit_record rec = *r;
    uint8_t hash[SHA256_SIZE];
    char text[AUDIT_HASH_TEXT_SIZE];
    enum vs_err err = head_read(st, &head);

    if (err != VS_OK)
        return err;
    rec.seq = head.seq + 1;
    rec.at_us = now_us;
    audit_hash(head.hash, &rec, hash);
    hash_text(hash, text);
    struct store_stmt *q = store_prepare(st, "INSERT INTO audit (seq, at_us, who, act, object, before, after, reason, "
                                             "source, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    store_bind_i64(q, 1, rec.seq);
    store_bind_i64(q, 2, rec.at_us);
    store_bind_text(q, 3, rec.who);
    store_bind_text(q, 4, rec.act);
    store_bind_text(q, 5, rec.object);
    bind_or_null(q, 6, rec.before);
    bind_or_null(q, 7, rec.after);
    bind_or_null(q, 8, rec.reason);
    bind_or_null(q, 9, rec.source);
    store_bind_text(q, 10, slice_str(text));
    err = store_run(q);
    if (err == VS_OK)
        err = head_write(st, rec.seq, text);
    if (err == VS_OK && ret_seq != NULL)
        *ret_seq = rec.seq;
    return err;
}

/* A text column; ptr NULL only for SQL NULL, because an empty text is another record than none. */
static struct slice column(struct store_stmt *q, int at)
{
    if (store_is_null(q, at))
        return slice_make(NULL, 0);
    struct slice s = store_text(q, at);
    return s.ptr != NULL ? s : slice_make("", 0);
}

static void read_record(struct store_stmt *q, struct audit_record *ret)
{
    ret->seq = store_i64(q, 0);
    ret->at_us = store_i64(q, 1);
    ret->who = column(q, 2);
    ret->act = column(q, 3);
    ret->object = column(q, 4);
    ret->before = column(q, 5);
    ret->after = column(q, 6);
    ret->reason = column(q, 7);
    ret->source = column(q, 8);
}

static void blame(struct audit_verdict *v, int64_t seq, const char *why)
{
    if (!v->ok)
        return;
    v->ok = false;
    v->first_bad = seq;
    snprintf(v->why, sizeof v->why, "record %" PRId64 ": %s", seq, why);
}

/* Checks the current row against the chain so far and carries the chain on. */
static void verify_row(struct store_stmt *q, uint8_t chain[SHA256_SIZE], struct audit_verdict *v)
{
    struct audit_record r;
    uint8_t stored[SHA256_SIZE], right[SHA256_SIZE];

    read_record(q, &r);
    v->entries++;
    if (!v->ok)
        return;
    if (r.seq != v->verified_to + 1) {
        blame(v, v->verified_to + 1, "is missing");
        return;
    }
    audit_hash(chain, &r, right);
    if (!hex_read(column(q, 9), stored, SHA256_SIZE) || memcmp(stored, right, SHA256_SIZE) != 0) {
        blame(v, r.seq, "does not match its hash: it, or the record before it, was changed after it was written");
        return;
    }
    memcpy(chain, right, SHA256_SIZE);
    v->verified_to = r.seq;
}

enum vs_err audit_verify(struct store *st, struct audit_verdict *ret)
{
    struct audit_verdict v = {.ok = true};
    uint8_t chain[SHA256_SIZE] = {0};
    struct head head;
    enum vs_err err = VS_OK;
    struct store_stmt *q = store_prepare(st, "SELECT seq, at_us, who, act, object, before, after, reason, source, hash "
                                             "FROM audit ORDER BY seq");

    /* The head is read first: records that are added meanwhile are then more than it names, never fewer. */
    enum vs_err head_err = head_read(st, &head);
    while ((err = store_step(q)) == VS_OK)
        verify_row(q, chain, &v);
    store_done(q);
    if (err != VS_ERR_END)
        return err;
    if (head_err == VS_ERR_TAMPERED)
        blame(&v, v.verified_to + 1, "the note of the newest record is unreadable");
    else if (head_err != VS_OK)
        return head_err;
    else if (head.seq > v.verified_to)
        blame(&v, v.verified_to + 1, "is missing: the log ends before its newest record");
    else if (head.seq == v.verified_to && memcmp(head.hash, chain, SHA256_SIZE) != 0)
        blame(&v, head.seq, "the note of the newest record has another hash");
    hash_text(chain, v.head_hash);
    *ret = v;
    return VS_OK;
}

enum vs_err audit_verify_file(const char *path, struct audit_verdict *ret, struct store_error *ret_error)
{
    char address[PATH_SIZE_MAX];
    struct store *st;

    if (snprintf(address, sizeof address, READONLY "%s", path) >= (int)sizeof address) {
        snprintf(ret_error->text, sizeof ret_error->text, "the path is longer than %d bytes", PATH_SIZE_MAX);
        return VS_ERR_LIMIT;
    }
    enum vs_err err = store_open(address, &st, ret_error);
    if (err != VS_OK)
        return err;
    /* Somebody else's database may have tables of these names and other columns: tried before anything relies on them.
     */
    if (store_exec(st, "SELECT seq, at_us, who, act, object, before, after, reason, source, hash FROM audit LIMIT 0; "
                       "SELECT one, seq, hash FROM audit_head LIMIT 0") == VS_OK) {
        err = audit_verify(st, ret);
        if (err != VS_OK)
            snprintf(ret_error->text, sizeof ret_error->text, "%.150s: %.90s", path, store_error_text(st));
    } else {
        snprintf(ret_error->text, sizeof ret_error->text, "%.200s is a database without an audit log", path);
        err = VS_ERR_MALFORMED;
    }
    store_close(st);
    return err;
}
