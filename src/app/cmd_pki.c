/* vsoc pki: the certificates and keys of a fleet, enough to try, to test and to enrol by hand.
 *
 * init DIR makes a vehicle CA, a server certificate for this machine, pseudonym and vault keys, and vsocd.yaml;
 * vehicle DIR VIN OUT a vehicle's key and certificate, subject = its pseudonym; feed DIR NAME OUT those of a backend
 * that hands in its logs, subject = feed:NAME. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/wall_clock.h"
#include "base/pki.h"
#include "core/hex.h"
#include "core/writer.h"

#define PATH_MAX_LEN 1024
#define YEAR_S       INT64_C(31557600)
#define FILE_MAX     (64 * 1024)

static const char CONFIG_TEXT[] =
    "# Made by `vsoc pki init`. All keys with their meaning: vsocd --keys\n"
    "data_dir: data\n"
    "ingest:\n  address: 127.0.0.1\n  port: 8443\n  tls_cert: server.pem\n  tls_key: server.key\n"
    "  vehicle_ca: vehicle-ca.pem\n  pseudonym_key: pseudonym.key\n"
    "detect:\n  rules: rules\n"
    "api:\n  address: 127.0.0.1\n  port: 8080\n  vault_key: vault.key\n";

/* Writes a new file that only its owner can read; refuses to replace one. */
static bool write_new(const char *dir, const char *name, const char *text)
{
    char path[PATH_MAX_LEN];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (!ok)
        fprintf(stderr, "%s: cannot write: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool read_all(const char *dir, const char *name, char *text, size_t size)
{
    char path[PATH_MAX_LEN];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(text, 1, size - 1, f) : 0;
    bool ok = f != NULL && n > 0 && feof(f) != 0;
    if (!ok)
        fprintf(stderr, "%s: cannot read: %s\n", path, f == NULL ? strerror(errno) : "empty or too long");
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    return ok;
}

static bool write_secret(const char *dir, const char *name)
{
    uint8_t secret[32];
    char text[sizeof secret * 2 + 2];
    struct writer w;

    if (crypto_random(secret, sizeof secret) != VS_OK)
        return false;
    writer_init(&w, text, sizeof text);
    writer_hex(&w, slice_make(secret, sizeof secret), false);
    writer_text(&w, "\n");
    writer_u8(&w, 0);
    return write_new(dir, name, text);
}

static bool issue(const char *dir, const char *name, const struct pki_request *req, const struct key *subject,
                  const struct key *issuer, const char *issuer_pem)
{
    char cert[PKI_PEM_MAX], secret[PKI_PEM_MAX], file[64];

    if (pki_issue(req, subject, issuer, issuer_pem, cert) != VS_OK || pki_private_pem(subject, secret) != VS_OK)
        return false;
    snprintf(file, sizeof file, "%s.pem", name);
    if (!write_new(dir, file, cert))
        return false;
    snprintf(file, sizeof file, "%s.key", name);
    return write_new(dir, file, secret);
}

static int init(const char *dir)
{
    int64_t now_s = wall_clock_us() / 1000000;
    struct pki_request ca = {"OpenVSOC vehicle CA", NULL, 1, now_s - 3600, now_s + 20 * YEAR_S, true, false};
    struct pki_request server = {"localhost", "DNS:localhost,IP:127.0.0.1", 2, now_s - 3600, now_s + 2 * YEAR_S, false,
                                 true};
    struct key *ca_key = NULL, *server_key = NULL;
    char ca_pem[PKI_PEM_MAX];

    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: cannot make the folder: %s\n", dir, strerror(errno));
        return 2;
    }
    bool ok = key_generate(KEY_P256, &ca_key) == VS_OK && key_generate(KEY_P256, &server_key) == VS_OK &&
              pki_issue(&ca, ca_key, ca_key, NULL, ca_pem) == VS_OK &&
              issue(dir, "vehicle-ca", &ca, ca_key, ca_key, NULL) &&
              read_all(dir, "vehicle-ca.pem", ca_pem, sizeof ca_pem) &&
              issue(dir, "server", &server, server_key, ca_key, ca_pem) && write_secret(dir, "pseudonym.key") &&
              write_secret(dir, "vault.key") && write_new(dir, "vsocd.yaml", CONFIG_TEXT);
    key_free(ca_key);
    key_free(server_key);
    if (!ok)
        return 2;
    printf("{\"dir\":\"%s\",\"config\":\"%s/vsocd.yaml\"}\n", dir, dir);
    return 0;
}

#define FEED_NAME_MAX 40

/* The name stands in a certificate's subject and behind a pseudonym: plain letters, so that nobody mistakes one for
 * another. */
static bool good_feed_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= FEED_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

static int feed(const char *dir, const char *name, const char *out)
{
    char text[FILE_MAX], ca_pem[PKI_PEM_MAX], cn[FEED_NAME_MAX + 8];
    uint8_t serial[8];
    struct key *ca_key = NULL, *key = NULL;
    int64_t now_s = wall_clock_us() / 1000000;

    if (!good_feed_name(name)) {
        fprintf(stderr, "vsoc pki feed: %s: a feed's name has 1 to %d of a-z, 0-9, _ . -\n", name, FEED_NAME_MAX);
        return 2;
    }
    snprintf(cn, sizeof cn, "feed:%s", name);
    bool ok = crypto_random(serial, sizeof serial) == VS_OK && read_all(dir, "vehicle-ca.key", text, sizeof text) &&
              key_read_private(slice_str(text), &ca_key) == VS_OK &&
              read_all(dir, "vehicle-ca.pem", ca_pem, sizeof ca_pem) && key_generate(KEY_P256, &key) == VS_OK;
    uint64_t number = 0;
    for (unsigned i = 0; i < sizeof serial; i++)
        number = number << 8 | serial[i];
    struct pki_request req = {cn, NULL, number & INT64_MAX, now_s - 3600, now_s + YEAR_S, false, false};
    if (mkdir(out, 0700) != 0 && errno != EEXIST)
        ok = false;
    ok = ok && issue(out, "feed", &req, key, ca_key, ca_pem);
    key_free(ca_key);
    key_free(key);
    if (!ok)
        return 2;
    printf("{\"feed\":\"%s\",\"cert\":\"%s/feed.pem\",\"key\":\"%s/feed.key\"}\n", name, out, out);
    return 0;
}

/* The serial number is taken from the pseudonym: one vehicle, one series, no counter to lose. */
static uint64_t serial_of(const uint8_t vid[SHA256_SIZE], int64_t now_s)
{
    uint64_t serial = (uint64_t)now_s;

    for (unsigned i = 0; i < 4; i++)
        serial = serial << 8 | vid[i];
    return serial & INT64_MAX;
}

static int vehicle(const char *dir, const char *vin, const char *out)
{
    char text[FILE_MAX], ca_pem[PKI_PEM_MAX], cn[33];
    uint8_t secret[32], mac[SHA256_SIZE];
    struct key *ca_key = NULL, *key = NULL;
    struct writer w;
    int64_t now_s = wall_clock_us() / 1000000;

    if (!read_all(dir, "pseudonym.key", text, sizeof text))
        return 2;
    if (!hex_read(slice_head(slice_str(text), 64), secret, sizeof secret)) {
        fprintf(stderr, "%s/pseudonym.key:1: not 64 hex digits\n", dir);
        return 2;
    }
    hmac_sha256(slice_make(secret, sizeof secret), slice_str(vin), mac);
    writer_init(&w, cn, sizeof cn);
    writer_hex(&w, slice_make(mac, 16), false);
    writer_u8(&w, 0);
    struct pki_request req = {cn, NULL, serial_of(mac, now_s), now_s - 3600, now_s + 2 * YEAR_S, false, false};
    bool ok = read_all(dir, "vehicle-ca.key", text, sizeof text) &&
              key_read_private(slice_str(text), &ca_key) == VS_OK &&
              read_all(dir, "vehicle-ca.pem", ca_pem, sizeof ca_pem) && key_generate(KEY_ED25519, &key) == VS_OK;
    if (mkdir(out, 0700) != 0 && errno != EEXIST)
        ok = false;
    ok = ok && issue(out, "vehicle", &req, key, ca_key, ca_pem);
    key_free(ca_key);
    key_free(key);
    if (!ok)
        return 2;
    printf("{\"vid\":\"%s\",\"cert\":\"%s/vehicle.pem\",\"key\":\"%s/vehicle.key\"}\n", cn, out, out);
    return 0;
}

int cmd_pki(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "init") == 0)
        return init(argv[2]);
    if (argc == 5 && strcmp(argv[1], "vehicle") == 0)
        return vehicle(argv[2], argv[3], argv[4]);
    if (argc == 5 && strcmp(argv[1], "feed") == 0)
        return feed(argv[2], argv[3], argv[4]);
    FILE *f = argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr;
    if (f == stderr)
        fprintf(f, "vsoc pki: cannot make sense of %s\n", argc > 1 ? argv[1] : "nothing");
    fprintf(f,
            "usage: vsoc pki init DIR\n       vsoc pki vehicle DIR VIN OUTDIR\n       vsoc pki feed DIR NAME OUTDIR\n\n"
            "init makes a vehicle CA, a server certificate, the pseudonym and vault keys and vsocd.yaml in DIR.\n"
            "vehicle makes a key and a certificate whose subject is the pseudonym of VIN.\n"
            "feed makes those of a backend that hands in its logs (docs/formats/mapping.md), valid for a year.\n");
    return f == stdout ? 0 : 2;
}
