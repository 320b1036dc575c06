#include "app/ingest_certs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/writer.h"

#define PATH_SIZE     1024
#define PEM_LINE      64
#define CERT_DER_MAX  8192
#define DIGEST_PREFIX 4 /* bytes of it in the name */

struct remembered {
    uint8_t digest[SHA256_SIZE];
    struct key *key; /* NULL = free */
};

struct ingest_certs {
    char dir[PATH_SIZE - 64];
    struct remembered remembered[CERTS_REMEMBERED]; /* by the first bytes of the digest */
};

enum vs_err ingest_certs_new(const char *dir, struct ingest_certs **ret)
{
    struct ingest_certs *c = calloc(1, sizeof *c);

    if (c == NULL)
        return VS_ERR_NO_MEMORY;
    if ((size_t)snprintf(c->dir, sizeof c->dir, "%s", dir) >= sizeof c->dir) {
        free(c);
        return VS_ERR_LIMIT;
    }
    *ret = c;
    return VS_OK;
}

void ingest_certs_free(struct ingest_certs *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < CERTS_REMEMBERED; i++)
        key_free(c->remembered[i].key);
    free(c);
}

/* RFC 7468: base64 in lines of 64 characters between two markers. */
static void write_pem(struct slice der, struct writer *w)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t column = 0;

    writer_text(w, "-----BEGIN CERTIFICATE-----\n");
    for (size_t i = 0; i < der.len; i += 3) {
        size_t have = der.len - i < 3 ? der.len - i : 3;
        uint32_t v = (uint32_t)der.ptr[i] << 16;

        v |= have > 1 ? (uint32_t)der.ptr[i + 1] << 8 : 0;
        v |= have > 2 ? der.ptr[i + 2] : 0;
        for (size_t j = 0; j < 4; j++)
            writer_u8(w, j <= have ? (uint8_t)ALPHABET[v >> (18 - 6 * j) & 63] : '=');
        column += 4;
        if (column == PEM_LINE || i + 3 >= der.len) {
            writer_u8(w, '\n');
            column = 0;
        }
    }
    writer_text(w, "-----END CERTIFICATE-----\n");
}

static bool write_whole(const char *path, struct slice text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len && fdatasync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

/* Under a name of its own first, so that a certificate that is there is a whole one, also when two threads write it. */
static enum vs_err keep(const struct ingest_certs *c, struct slice der, const uint8_t *digest, const char *vid)
{
    char path[PATH_SIZE], temporary[PATH_SIZE + 32], text[CERT_DER_MAX * 2];
    struct writer w;

    snprintf(path, sizeof path, "%s/%s-%02x%02x%02x%02x.pem", c->dir, vid, digest[0], digest[1], digest[2], digest[3]);
    if (access(path, F_OK) == 0)
        return VS_OK;
    snprintf(temporary, sizeof temporary, "%s.%lx", path, (unsigned long)(uintptr_t)c);
    writer_init(&w, text, sizeof text);
    write_pem(der, &w);
    if (w.full || !write_whole(temporary, writer_slice(&w)) || rename(temporary, path) != 0)
        return VS_ERR_IO;
    return VS_OK;
}

enum vs_err ingest_certs_key(struct ingest_certs *c, struct slice der, const char *vid, const struct key **ret)
{
    uint8_t digest[SHA256_SIZE];
    struct key *key;

    if (der.len > CERT_DER_MAX)
        return VS_ERR_AUTH;
    sha256(der, digest);
    struct remembered *r = &c->remembered[((uint32_t)digest[0] << 8 | digest[1]) % CERTS_REMEMBERED];
    if (r->key != NULL && memcmp(r->digest, digest, sizeof digest) == 0) {
        *ret = r->key;
        return VS_OK;
    }
    if (key_read_certificate(der, &key) != VS_OK)
        return VS_ERR_AUTH;
    enum vs_err err = vid[0] != '\0' ? keep(c, der, digest, vid) : VS_OK;
    if (err != VS_OK) {
        key_free(key);
        return err;
    }
    key_free(r->key);
    r->key = key;
    memcpy(r->digest, digest, sizeof digest);
    *ret = key;
    return VS_OK;
}
