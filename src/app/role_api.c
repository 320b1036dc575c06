/* The api role: opens the state database and the event log, and serves people until it is told to stop. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "app/log_line.h"
#include "app/vsocd_config.h"
#include "app/wall_clock.h"
#include "base/crypto.h"
#include "core/hex.h"

#define FILE_SIZE_MAX  (256 * 1024)
#define CONNECTIONS    1000
#define IDLE_TIMEOUT_S 75
#define STOP_WAIT_MS   3000
#define LOOK_MS        100

static const char NAME[] = "api";

struct files {
    char cert[FILE_SIZE_MAX], key[FILE_SIZE_MAX];
    uint8_t vault[AEAD_KEY_SIZE];
    char console[VSOCD_PATH_MAX], log[VSOCD_PATH_MAX];
};

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return wall_clock_us();
}

static bool draw(uint8_t *buf, size_t size, void *ctx)
{
    (void)ctx;
    return crypto_random(buf, size) == VS_OK;
}

/* Reads a text file; false with a log line when it cannot be had whole. */
static bool read_file(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(text, 1, size - 1, f) : 0;
    bool ok = f != NULL && n > 0 && feof(f) != 0;

    if (!ok)
        log_line(NAME, "api.no_file", "%s: %s", path, f == NULL ? strerrorname_np(errno) : "empty or too long");
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    return ok;
}

static bool read_vault_key(const struct vsocd_config *cfg, struct files *f)
{
    char text[256];

    if (!read_file(cfg->api.vault_key, text, sizeof text))
        return false;
    text[strcspn(text, "\r\n \t")] = '\0';
    bool ok = hex_read(slice_str(text), f->vault, sizeof f->vault);
    if (!ok)
        log_line(NAME, "api.bad_key", "%s: a vault key is 64 hex digits", cfg->api.vault_key);
    explicit_bzero(text, sizeof text);
    return ok;
}

/* Without TLS only this machine may be served: a session cookie must not cross a network in the clear. */
static bool loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static bool read_files(const struct vsocd_config *cfg, struct files *f, bool *ret_tls)
{
    *ret_tls = cfg->api.tls_cert[0] != '\0';
    if (!*ret_tls && !loopback(cfg->api.address)) {
        log_line(NAME, "api.no_tls", "api.address %s is not loopback: set api.tls_cert and api.tls_key",
                 cfg->api.address);
        return false;
    }
    if (!read_vault_key(cfg, f))
        return false;
    return !*ret_tls || (read_file(cfg->api.tls_cert, f->cert, sizeof f->cert) &&
                         read_file(cfg->api.tls_key, f->key, sizeof f->key));
}

static int serve(const struct vsocd_config *cfg, struct role_link *link, const struct files *f, struct api *api,
                 bool tls)
{
    struct http_server *server = NULL;
    struct http_error error = {""};
    const struct http_config hc = {.address = cfg->api.address,
                                   .port = cfg->api.port,
                                   .tls_cert_pem = tls ? f->cert : NULL,
                                   .tls_key_pem = tls ? f->key : NULL,
                                   .body_max = API_BODY_MAX,
                                   .connections_max = CONNECTIONS,
                                   .idle_timeout_s = IDLE_TIMEOUT_S,
                                   .worker_threads = 1,
                                   .handler = api_handle,
                                   .refuse = api_refuse,
                                   .ctx = api};

    if (http_server_start(&hc, &server, &error) != VS_OK) {
        log_line(NAME, "api.not_serving", "%s:%u: %s", cfg->api.address, cfg->api.port, error.text);
        return 1;
    }
    log_line(NAME, "api.serving", "%s port %u%s", cfg->api.address, http_server_port(server), tls ? " with TLS" : "");
    role_ready(link, http_server_port(server));
    while (!role_stopping(link))
        poll(NULL, 0, LOOK_MS);
    http_server_stop(server, STOP_WAIT_MS);
    return 0;
}

static int open_and_serve(const struct vsocd_config *cfg, struct role_link *link, struct files *f)
{
    char address[VSOCD_PATH_MAX];
    struct store *st = NULL;
    struct store_error store_error = {""};
    struct api_error api_error = {""};
    struct api *api = NULL;
    bool tls = false;
    int code = 1;

    if (!read_files(cfg, f, &tls))
        return 1;
    vsocd_store_address(cfg, address);
    vsocd_log_address(cfg, f->log);
    if (store_open(address, &st, &store_error) != VS_OK) {
        log_line(NAME, "api.no_store", "%s: %s", address, store_error.text);
        return 1;
    }
    const struct api_config ac = {.store = st,
                                  .console_dir = cfg->api.console,
                                  .log_address = f->log,
                                  .vault_key = f->vault,
                                  .version = VSOC_VERSION,
                                  .silence_days_max = cfg->respond.silence_days_max,
                                  .silence_critical_hours_max = cfg->respond.silence_critical_hours_max,
                                  .tls = tls,
                                  .now_us = now_us,
                                  .random = draw};
    if (api_new(&ac, &api, &api_error) != VS_OK)
        log_line(NAME, "api.not_opened", "%s", api_error.text);
    else
        code = serve(cfg, link, f, api, tls);
    api_free(api);
    store_close(st);
    return code;
}

int role_api(const struct vsocd_config *cfg, struct role_link *link)
{
    struct files *f = calloc(1, sizeof *f);

    if (f == NULL)
        return 1;
    int code = open_and_serve(cfg, link, f);
    explicit_bzero(f, sizeof *f); /* private key and vault key */
    free(f);
    return code;
}
