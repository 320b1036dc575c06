/* vsocd_config: everything vsocd can be told, read from one YAML file, and what the supervisor and a role say to each
 * other.
 *
 * A role is one process with only the rights it needs. The supervisor forks it, calls its function, restarts it when it
 * dies, and ends it with SIGTERM. A role tells that it is ready through role_ready and then runs until SIGTERM; it logs
 * to stderr as one JSON object a line. Paths in the file are relative to the file's own folder. */
#ifndef APP_VSOCD_CONFIG_H
#define APP_VSOCD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_TEXT_MAX 512

struct vsocd_config {
    char data_dir[CONFIG_TEXT_MAX]; /* data_dir: log/ (segments), state/ (database), certs/ (vehicle certificates seen)
                                     */
    struct {
        char address[64];                    /* ingest.address: "127.0.0.1" */
        uint16_t port;                       /* ingest.port: 0 = any free one, told through role_ready */
        char tls_cert[CONFIG_TEXT_MAX];      /* ingest.tls_cert: PEM chain of this server */
        char tls_key[CONFIG_TEXT_MAX];       /* ingest.tls_key */
        char vehicle_ca[CONFIG_TEXT_MAX];    /* ingest.vehicle_ca: PEM, signs the vehicles' certificates */
        char pseudonym_key[CONFIG_TEXT_MAX]; /* ingest.pseudonym_key: file of 32 bytes as hex; makes a vid from a VIN */
        uint32_t vehicle_bytes_per_hour_max; /* ingest.vehicle_bytes_per_hour_max: quota of one vehicle */
        bool simulated_clock; /* ingest.simulated_clock: take the receive time from the header VSOC-Sim-Now; for
                                 simulation only */
    } ingest;
    struct {
        char rules[CONFIG_TEXT_MAX]; /* detect.rules: folder of Sigma rules */
        uint32_t lateness_days;      /* detect.lateness_days: how long matching events are kept for late ones */
        uint32_t snapshot_seconds;   /* detect.snapshot_seconds: how often the state is written down; 0 = never */
    } detect;
    struct {
        char budgets[CONFIG_TEXT_MAX];       /* respond.budgets: alert budgets, YAML; empty = the defaults */
        uint32_t silence_days_max;           /* respond.silence_days_max */
        uint32_t silence_critical_hours_max; /* respond.silence_critical_hours_max */
    } respond;
    struct {
        char address[64];                /* api.address */
        uint16_t port;                   /* api.port: 0 = any free one */
        char console[CONFIG_TEXT_MAX];   /* api.console: folder of the built console; empty = API only */
        char vault_key[CONFIG_TEXT_MAX]; /* api.vault_key: file of 32 bytes as hex; opens the VIN vault */
        char tls_cert[CONFIG_TEXT_MAX];  /* api.tls_cert: PEM; empty = plain HTTP, allowed on loopback only */
        char tls_key[CONFIG_TEXT_MAX];
    } api;
};

/* Where things are; each writes into buf, which has CONFIG_TEXT_MAX + 64 bytes. */
#define VSOCD_PATH_MAX (CONFIG_TEXT_MAX + 64)
void vsocd_log_address(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX]); /* "segment:<data_dir>/log" */
void vsocd_store_address(const struct vsocd_config *cfg,
                         char buf[VSOCD_PATH_MAX]); /* "sqlite:<data_dir>/state/state.db" */
void vsocd_snapshot_dir(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX]); /* "<data_dir>/snapshot" */
void vsocd_certs_dir(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX]);    /* "<data_dir>/certs" */

/* Reads a configuration file; on failure prints file, line and reason to stderr and returns false. */
bool vsocd_config_read(const char *path, struct vsocd_config *ret);
/* The manual of all keys, to stdout. */
void vsocd_config_describe(void);

struct role_link; /* to the supervisor */

/* Tells the supervisor that the role serves now, on this port (0 when it has none). Call once. */
void role_ready(struct role_link *link, uint16_t port);
/* True once SIGTERM came; cheap. Roles look at it at least every 200 ms. */
bool role_stopping(const struct role_link *link);
/* True once for each SIGHUP: rules are to be loaded again. */
bool role_reload_asked(struct role_link *link);

/* Each returns 0 after SIGTERM, and another number when it cannot go on. */
int role_ingest(const struct vsocd_config *cfg, struct role_link *link);
int role_detect(const struct vsocd_config *cfg, struct role_link *link);
int role_api(const struct vsocd_config *cfg, struct role_link *link);

#endif
