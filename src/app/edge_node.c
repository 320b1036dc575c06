#include "app/edge_node.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/edge_commands.h"
#include "app/edge_key.h"
#include "codec/cose.h"
#include "core/hex.h"

#define PEM_SIZE_MAX 65536u

static enum vs_err pack(void *ctx, struct slice in, uint8_t *out, size_t size, size_t *ret_len)
{
    return compressor_pack(ctx, in, out, size, ret_len);
}

static enum vs_err sign(void *ctx, struct slice in, uint8_t ret[PORT_SIGNATURE])
{
    return key_sign(ctx, in, ret);
}

static bool told(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return false;
}

/* The subject's common name, which must be a pseudonym as hex. */
static bool vid_from_certificate(const char *path, struct slice pem, uint8_t vid[EV_VID_SIZE])
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    char name[EV_VID_TEXT_LEN + 2] = "";
    int len = cert == NULL
                  ? -1
                  : X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, (int)sizeof name);

    X509_free(cert);
    BIO_free(bio);
    if (len == EV_VID_TEXT_LEN && hex_read(slice_str(name), vid, EV_VID_SIZE))
        return true;
    return told(path, cert == NULL ? "not a certificate in PEM" : "subject is not a pseudonym of 32 hex digits");
}

static bool read_identity(struct edge_node *n, const struct edge_config *cfg)
{
    size_t len = 0;
    struct writer w;
    uint8_t *pem = edge_file_read(cfg->vehicle.cert, PEM_SIZE_MAX, &len);
    bool ok = pem != NULL && vid_from_certificate(cfg->vehicle.cert, slice_make(pem, len), n->vid);

    free(pem);
    if (!ok)
        return false;
    writer_init(&w, n->vid_text, sizeof n->vid_text);
    writer_hex(&w, slice_make(n->vid, sizeof n->vid), false);
    pem = edge_file_read(cfg->vehicle.key, PEM_SIZE_MAX, &len);
    ok = pem != NULL && (key_read_private(slice_make(pem, len), &n->key) == VS_OK ||
                         told(cfg->vehicle.key, "not a private key (Ed25519 or P-256) in PEM"));
    free(pem);
    return ok;
}

/* A journal that is made anew needs a key that nobody had before. */
static bool make_key(const char *path)
{
    uint8_t key[AEAD_KEY_SIZE];
    char text[AEAD_KEY_SIZE * 2 + 1];
    struct writer w;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST || told(path, strerror(errno));
    writer_init(&w, text, sizeof text);
    bool ok = crypto_random(key, sizeof key) == VS_OK;
    writer_hex(&w, slice_make(key, sizeof key), false);
    writer_u8(&w, '\n');
    ok = ok && write(fd, w.buf, w.len) == (ssize_t)w.len && fsync(fd) == 0;
    close(fd);
    return ok || told(path, "cannot make a key");
}

static bool open_journal(struct edge_node *n, const struct edge_config *cfg)
{
    uint32_t blocks = (uint32_t)((uint64_t)cfg->journal.kib * 1024 / cfg->journal.block_bytes);

    if (!make_key(cfg->journal.key) || !edge_key_read(cfg->journal.key, n->journal_key))
        return false;
    n->files = (struct port_file){.fd = -1, .anchor_fd = -1};
    enum vs_err err =
        port_file_open(&n->files, cfg->journal.journal, cfg->journal.anchor, cfg->journal.block_bytes, blocks);
    if (err == VS_ERR_BUSY)
        return told(cfg->journal.journal, "another process has this journal open");
    if (err != VS_OK)
        fprintf(stderr, "%s, %s: %s\n", cfg->journal.journal, cfg->journal.anchor, strerror(errno));
    return err == VS_OK;
}

static bool take_memory(struct edge_node *n, const struct edge_config *cfg)
{
    struct gateway_memory *m = &n->memory;

    m->entry_max = cfg->journal.records_max;
    m->slot_count = EDGE_SLOTS;
    m->staging_size = EDGE_STAGING;
    m->scratch_size = GATEWAY_SCRATCH_SIZE(EDGE_STAGING, cfg->journal.block_bytes, EDGE_BATCH_BYTES);
    m->entry = calloc(m->entry_max, sizeof *m->entry);
    m->slot = calloc(m->slot_count, sizeof *m->slot);
    m->staging = malloc(m->staging_size);
    m->scratch = malloc(m->scratch_size);
    m->state = n->state;
    n->out_size = GATEWAY_OUT_SIZE(EDGE_BATCH_BYTES);
    n->out = malloc(n->out_size);
    return (m->entry != NULL && m->slot != NULL && m->staging != NULL && m->scratch != NULL && n->out != NULL) ||
           told("vsoc-edge", "out of memory; lower journal.records_max");
}

static struct gateway_config gateway_settings(struct edge_node *n, const struct edge_config *cfg, int64_t now_us)
{
    struct gateway_config g = {.epoch_first = (uint32_t)(now_us / 1000000),
                               .batch_events_max = cfg->uplink.batch_events,
                               .batch_bytes_max = EDGE_BATCH_BYTES,
                               .commit_ms = cfg->journal.commit_ms};

    memcpy(g.vid, n->vid, sizeof g.vid);
    g.prioritise = (struct prioritise_config){.window_period_s = cfg->uplink.window_s,
                                              .low_on_metered = cfg->uplink.low_on_metered,
                                              .budget_bytes = cfg->uplink.budget_bytes};
    g.limits = (struct qualify_limits){
        .window_ms = 60000, .events_max = cfg->qualify.events_per_minute, .bytes_max = cfg->qualify.bytes_per_minute};
    if (cfg->qualify.aggregate_ms != 60000) {
        n->rule[0] = (struct qualify_rule){.aggregate_ms = cfg->qualify.aggregate_ms, .lead = true};
        g.rule = n->rule;
        g.rule_count = 1;
    }
    return g;
}

bool edge_node_open(struct edge_node *n, const struct edge_config *cfg, int64_t now_us,
                    struct journal_finding *ret_finding)
{
    memset(n, 0, sizeof *n);
    n->files = (struct port_file){.fd = -1, .anchor_fd = -1};
    if (!read_identity(n, cfg) || !open_journal(n, cfg) || !take_memory(n, cfg))
        return false;
    if (compressor_new(3, &n->compressor) != VS_OK)
        return told("vsoc-edge", "out of memory");
    n->aead = edge_aead(n->journal_key);
    n->pack = (struct port_pack){.pack = pack, .ctx = n->compressor};
    n->sign = (struct port_sign){
        .alg = key_kind(n->key) == KEY_ED25519 ? COSE_ALG_EDDSA : COSE_ALG_ES256, .sign = sign, .ctx = n->key};
    n->ports = (struct gateway_ports){.device = &n->files.device_port,
                                      .anchor = &n->files.anchor_port,
                                      .aead = &n->aead,
                                      .sign = &n->sign,
                                      .pack = &n->pack};
    struct gateway_config g = gateway_settings(n, cfg, now_us);
    enum vs_err err = gateway_init(&n->gw, &g, &n->ports, &n->memory, now_us, ret_finding);
    if (err != VS_OK) {
        fprintf(stderr, "%s: %s%s\n", cfg->journal.journal, vs_err_text(err),
                err == VS_ERR_CONFIG ? "; the journal is too small, raise journal.kib" : "");
        return false;
    }
    return true;
}

void edge_node_close(struct edge_node *n)
{
    port_file_close(&n->files);
    compressor_free(n->compressor);
    key_free(n->key);
    free(n->memory.entry);
    free(n->memory.slot);
    free(n->memory.staging);
    free(n->memory.scratch);
    free(n->out);
}
