/* vsoc verify: is this file what was written? Names the first byte or record that is wrong.
 *
 *   vsoc verify batch FILE [--cert PEM]                          the signed batch that a vehicle sent
 *   vsoc verify journal FILE --key KEYFILE [--anchor FILE]       the gateway's sealed journal
 *   vsoc verify audit FILE                                       the audit log in a state database */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/edge_key.h"
#include "app/file_text.h"
#include "app/usage.h"
#include "app/verify_audit.h"
#include "base/compress.h"
#include "base/crypto.h"
#include "codec/cose.h"
#include "core/writer.h"
#include "event/batch.h"
#include "gateway/journal.h"
#include "gateway/outbox.h"
#include "gateway/port_file.h"

static const char usage[] =
    "usage: vsoc verify batch FILE [--cert PEM]\n"
    "       vsoc verify journal FILE --key KEYFILE [--anchor FILE] [--block BYTES]\n"
    "       vsoc verify audit STATE.DB\n"
    "\n"
    "batch: structure, every event against the schema, and with the vehicle's certificate the signature.\n"
    "journal: every record's seal, the chain, and with the anchor that the newest records are there.\n"
    "audit: every record of the audit log against its hash, the chain, and that none is missing.\n"
    "One JSON object on stdout. exit: 0 sound, 1 something is wrong: what and where, 2 bad usage or input.\n";

struct request {
    const char *kind, *file, *cert, *key, *anchor;
    uint32_t block;
};

/* ---- batch ---- */

struct verdict {
    enum vs_err err; /* VS_OK: sound */
    size_t byte;
    const char *reason;
    struct batch batch;
    bool read;      /* the envelope could be read */
    bool signature; /* it was checked and verifies */
    uint32_t events;
};

static void wrong(struct verdict *v, enum vs_err err, size_t byte, const char *reason)
{
    v->err = err;
    v->byte = byte;
    v->reason = reason;
}

/* The place of an inner part in the file, to tell bytes of the file. */
static size_t place_of(struct slice file, struct slice part, size_t byte)
{
    return (size_t)(part.ptr - file.ptr) + byte;
}

static bool check_signature(struct verdict *v, struct slice file, const struct cose_sign1 *m, const struct key *key)
{
    size_t size = m->payload.len + m->protected_header.len + COSE_OVERHEAD_MAX;
    uint8_t *text = malloc(size);
    struct writer w;

    if (text == NULL) {
        wrong(v, VS_ERR_NO_MEMORY, 0, "out of memory");
        return false;
    }
    writer_init(&w, text, size);
    cose_to_verify(&w, m);
    int alg = key_kind(key) == KEY_ED25519 ? COSE_ALG_EDDSA : COSE_ALG_ES256;
    if (m->alg != alg)
        wrong(v, VS_ERR_SIGNATURE, place_of(file, m->protected_header, 0),
              "another algorithm than the certificate's key");
    else if (w.full || key_verify(key, writer_slice(&w), m->signature.ptr) != VS_OK)
        wrong(v, VS_ERR_SIGNATURE, place_of(file, m->signature, 0), "signature does not verify under this certificate");
    else
        v->signature = true;
    free(text);
    return v->signature;
}

static void check_events(struct verdict *v, struct slice file, struct slice plain)
{
    struct batch_reader r;
    struct batch_error e;
    struct event ev;
    uint64_t last = 0;
    bool packed = v->batch.encoding == BATCH_ZSTD;
    enum vs_err err = batch_reader_init(&r, &v->batch, plain, &e);

    while (err == VS_OK && (err = batch_reader_next(&r, &ev, &e)) == VS_OK) {
        uint8_t field;

        err = event_validate(&ev, &field);
        if (err != VS_OK)
            e = (struct batch_error){.byte = cbor_pos(&r.cbor), .reason = "event breaks the schema"};
        else if (ev.seq <= last)
            e = (struct batch_error){.byte = cbor_pos(&r.cbor), .reason = "numbers do not rise"}, err = VS_ERR_RANGE;
        last = ev.seq;
        v->events += err == VS_OK;
    }
    /* A place in a compressed body is a place in what comes out of it; the file's byte is where the body begins. */
    if (err != VS_ERR_END)
        wrong(v, err, place_of(file, v->batch.body, packed ? 0 : e.byte), e.reason);
}

static void check_body(struct verdict *v, struct slice file)
{
    struct compressor *c = NULL;
    uint8_t *plain = malloc(v->batch.body_len + 1u);

    if (v->batch.encoding == BATCH_PLAIN)
        check_events(v, file, v->batch.body);
    else if (plain == NULL || compressor_new(1, &c) != VS_OK)
        wrong(v, VS_ERR_NO_MEMORY, 0, "out of memory");
    else if (compressor_unpack(c, v->batch.body, plain, v->batch.body_len) != VS_OK)
        wrong(v, VS_ERR_MALFORMED, place_of(file, v->batch.body, 0), "body does not decompress to the length told");
    else
        check_events(v, file, slice_make(plain, v->batch.body_len));
    compressor_free(c);
    free(plain);
}

static void check_batch(struct verdict *v, struct slice file, const struct key *key)
{
    struct cose_sign1 m;
    struct batch_error e = {0};
    size_t byte = 0;
    enum vs_err err = cose_sign1_read(file, &m, &byte);

    if (err != VS_OK) {
        wrong(v, err, byte,
              err == VS_ERR_UNSUPPORTED ? "algorithm or critical header is not known" : "not a COSE_Sign1");
        return;
    }
    if (key != NULL && !check_signature(v, file, &m, key))
        return;
    if ((err = batch_envelope_read(m.payload, &v->batch, &e)) != VS_OK) {
        wrong(v, err, place_of(file, m.payload, e.byte), e.reason);
        return;
    }
    v->read = true;
    check_body(v, file);
}

static void print_batch(const struct request *q, const struct verdict *v)
{
    static uint8_t buf[2048];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"file\":");
    writer_json_text(&w, slice_str(q->file));
    writer_text(&w, v->err == VS_OK ? ",\"sound\":true" : ",\"sound\":false");
    writer_text(&w, ",\"signature\":");
    writer_text(&w, v->signature ? "\"verified\"" : q->cert == NULL ? "\"not checked\"" : "\"not verified\"");
    if (v->read) {
        writer_text(&w, ",\"vid\":\"");
        writer_hex(&w, slice_make(v->batch.vid, sizeof v->batch.vid), false);
        writer_text(&w, "\",\"epoch\":");
        writer_u64_text(&w, v->batch.epoch);
        writer_text(&w, ",\"seq_base\":");
        writer_u64_text(&w, v->batch.seq_base);
        writer_text(&w, ",\"seq_next\":");
        writer_u64_text(&w, v->batch.seq_next);
        writer_text(&w, ",\"events\":");
        writer_u64_text(&w, v->events);
    }
    if (v->err != VS_OK) {
        writer_text(&w, ",\"byte\":");
        writer_u64_text(&w, v->byte);
        writer_text(&w, ",\"error\":");
        writer_json_text(&w, slice_str(vs_err_info(v->err)->name));
        writer_text(&w, ",\"reason\":");
        writer_json_text(&w, slice_str(v->reason));
    }
    writer_text(&w, "}\n");
    fwrite(buf, 1, w.len, stdout);
}

static int verify_batch(const struct request *q)
{
    struct verdict v = {0};
    struct key *key = NULL;
    size_t len = 0, pem_len = 0;
    char *bytes = file_text_read(q->file, &len);

    if (bytes == NULL) {
        fprintf(stderr, "%s: cannot read: %s\n", q->file, strerror(errno));
        return 2;
    }
    char *pem = q->cert != NULL ? file_text_read(q->cert, &pem_len) : NULL;
    bool usable = q->cert == NULL || (pem != NULL && key_read_certificate(slice_make(pem, pem_len), &key) == VS_OK);
    if (usable) {
        check_batch(&v, slice_make(bytes, len), key);
        print_batch(q, &v);
    } else {
        fprintf(stderr, "%s: not a certificate with an Ed25519 or P-256 key\n", q->cert);
    }
    key_free(key);
    free(pem);
    free(bytes);
    return !usable ? 2 : v.err == VS_OK ? 0 : 1;
}

/* ---- journal ---- */

static int print_journal(const struct request *q, const struct journal_header *newest, const struct journal_finding *f)
{
    bool sound = f->fault == JOURNAL_SOUND || (f->fault == JOURNAL_NO_ANCHOR && q->anchor == NULL);

    printf(
        "{\"file\":\"%s\",\"sound\":%s,\"anchor\":%s,\"records\":%llu,\"newest\":%llu,\"epoch\":%u,\"seq_next\":%llu,"
        "\"torn\":%s",
        q->file, sound ? "true" : "false", q->anchor != NULL ? "\"checked\"" : "\"not checked\"",
        (unsigned long long)f->records, (unsigned long long)newest->index, (unsigned)newest->epoch,
        (unsigned long long)newest->seq_next, f->torn ? "true" : "false");
    if (!sound)
        printf(",\"fault\":\"%s\",\"record\":%llu,\"block\":%u,\"byte\":%llu,\"records_lost\":%llu",
               journal_fault_name(f->fault), (unsigned long long)f->index, (unsigned)f->block,
               (unsigned long long)f->block * q->block, (unsigned long long)f->records_lost);
    printf("}\n");
    return sound ? 0 : 1;
}

static int verify_journal(const struct request *q)
{
    struct port_file files;
    struct journal_header newest;
    struct journal_finding finding;
    uint8_t key[AEAD_KEY_SIZE];

    if (q->key == NULL || !edge_key_read(q->key, key)) {
        if (q->key == NULL)
            fputs(usage, stderr);
        return 2;
    }
    if (port_file_open_readonly(&files, q->file, q->anchor, q->block) != VS_OK) {
        fprintf(stderr, "%s%s%s: cannot read: %s\n", q->file, q->anchor != NULL ? " or " : "",
                q->anchor != NULL ? q->anchor : "", strerror(errno));
        return 2;
    }
    struct port_aead aead = edge_aead(key);
    uint8_t *scratch = malloc(2 * journal_record_size(&files.device_port, OUTBOX_STAGING_MAX));
    enum vs_err err = scratch == NULL ? VS_ERR_NO_MEMORY
                                      : journal_inspect(&files.device_port, &files.anchor_port, &aead,
                                                        OUTBOX_STAGING_MAX, scratch, NULL, NULL, &newest, &finding);
    free(scratch);
    port_file_close(&files);
    if (err != VS_OK) {
        fprintf(stderr, "%s: %s\n", q->file, vs_err_text(err));
        return 2;
    }
    return print_journal(q, &newest, &finding);
}

static bool read_arguments(int argc, char **argv, struct request *q)
{
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--cert") == 0     ? &q->cert
                             : strcmp(argv[i], "--key") == 0    ? &q->key
                             : strcmp(argv[i], "--anchor") == 0 ? &q->anchor
                                                                : NULL;

        if (value != NULL && i + 1 < argc)
            *value = argv[++i];
        else if (strcmp(argv[i], "--block") == 0 && i + 1 < argc)
            q->block = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (argv[i][0] == '-')
            return false;
        else if (q->kind == NULL)
            q->kind = argv[i];
        else if (q->file == NULL)
            q->file = argv[i];
        else
            return false;
    }
    return q->file != NULL && q->block >= PORT_BLOCK_MIN && q->block <= PORT_BLOCK_MAX && q->block % 8 == 0;
}

int cmd_verify(int argc, char **argv)
{
    struct request q = {.block = 512};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (read_arguments(argc, argv, &q) && strcmp(q.kind, "batch") == 0)
        return verify_batch(&q);
    if (q.file != NULL && q.kind != NULL && strcmp(q.kind, "journal") == 0)
        return verify_journal(&q);
    if (q.file != NULL && q.kind != NULL && strcmp(q.kind, "audit") == 0)
        return verify_audit(q.file);
    return usage_refuse("vsoc verify", argc, argv, usage);
}
