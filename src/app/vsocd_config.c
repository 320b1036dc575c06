#include "app/vsocd_config.h"

#include <stddef.h>
#include <stdio.h>

#include "base/config.h"

#define AT(field)   offsetof(struct vsocd_config, field)
#define ROOM(field) sizeof(((struct vsocd_config *)0)->field)

static const struct config_option OPTION[] = {
    {"data_dir", CONFIG_PATH, AT(data_dir), 0, ROOM(data_dir), "", true,
     "folder for the event log, the database and certificates"},
    {"ingest.address", CONFIG_TEXT, AT(ingest.address), 0, ROOM(ingest.address), "127.0.0.1", false,
     "address that vehicles connect to"},
    {"ingest.port", CONFIG_U16, AT(ingest.port), 0, UINT16_MAX, "8443", false, "its port; 0 takes a free one"},
    {"ingest.tls_cert", CONFIG_PATH, AT(ingest.tls_cert), 0, ROOM(ingest.tls_cert), "", true,
     "server certificate chain, PEM"},
    {"ingest.tls_key", CONFIG_PATH, AT(ingest.tls_key), 0, ROOM(ingest.tls_key), "", true, "its private key, PEM"},
    {"ingest.vehicle_ca", CONFIG_PATH, AT(ingest.vehicle_ca), 0, ROOM(ingest.vehicle_ca), "", true,
     "CA of the vehicles' certificates, PEM"},
    {"ingest.pseudonym_key", CONFIG_PATH, AT(ingest.pseudonym_key), 0, ROOM(ingest.pseudonym_key), "", true,
     "key that makes pseudonyms from VINs: 64 hex digits"},
    {"ingest.vehicle_bytes_per_hour_max", CONFIG_U32, AT(ingest.vehicle_bytes_per_hour_max), 1024, UINT32_MAX,
     "8388608", false, "what one vehicle may send, bytes per hour"},
    {"ingest.simulated_clock", CONFIG_BOOL, AT(ingest.simulated_clock), 0, 0, "false", false,
     "believe the header VSOC-Sim-Now; simulation only"},
    {"detect.rules", CONFIG_PATH, AT(detect.rules), 0, ROOM(detect.rules), "", true, "folder of Sigma rules"},
    {"detect.lateness_days", CONFIG_U32, AT(detect.lateness_days), 1, 3650, "30", false,
     "how long events are kept for late ones, days"},
    {"detect.snapshot_seconds", CONFIG_U32, AT(detect.snapshot_seconds), 0, 86400, "300", false,
     "how often the state is written down for a quick restart, seconds; 0 = never"},
    {"respond.budgets", CONFIG_PATH, AT(respond.budgets), 0, ROOM(respond.budgets), "", false,
     "alert budgets, YAML (docs/alerts.md); empty takes the defaults"},
    {"respond.silence_days_max", CONFIG_U32, AT(respond.silence_days_max), 1, 365, "30", false,
     "longest silence, days"},
    {"respond.silence_critical_hours_max", CONFIG_U32, AT(respond.silence_critical_hours_max), 1, 720, "24", false,
     "longest silence of what is critical or may hurt people, hours"},
    {"api.address", CONFIG_TEXT, AT(api.address), 0, ROOM(api.address), "127.0.0.1", false,
     "address of the API and the console"},
    {"api.port", CONFIG_U16, AT(api.port), 0, UINT16_MAX, "8080", false, "its port; 0 takes a free one"},
    {"api.console", CONFIG_PATH, AT(api.console), 0, ROOM(api.console), "", false,
     "folder of the built console; empty serves the API only"},
    {"api.vault_key", CONFIG_PATH, AT(api.vault_key), 0, ROOM(api.vault_key), "", true,
     "key of the VIN vault: 64 hex digits"},
    {"api.tls_cert", CONFIG_PATH, AT(api.tls_cert), 0, ROOM(api.tls_cert), "", false,
     "certificate chain, PEM; empty serves plain HTTP on loopback"},
    {"api.tls_key", CONFIG_PATH, AT(api.tls_key), 0, ROOM(api.tls_key), "", false, "its private key, PEM"},
};
#define OPTION_COUNT (sizeof OPTION / sizeof OPTION[0])

bool vsocd_config_read(const char *path, struct vsocd_config *ret)
{
    struct config_error error;
    struct vsocd_config cfg = {0};

    config_defaults(OPTION, OPTION_COUNT, &cfg);
    if (config_read(path, OPTION, OPTION_COUNT, &cfg, sizeof cfg, &error) != VS_OK) {
        if (error.line > 0)
            fprintf(stderr, "%s:%u: %s\n", path, error.line, error.text);
        else
            fprintf(stderr, "%s: %s\n", path, error.text);
        return false;
    }
    *ret = cfg;
    return true;
}

void vsocd_config_describe(void)
{
    config_describe(stdout, OPTION, OPTION_COUNT);
}

void vsocd_log_address(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX])
{
    snprintf(buf, VSOCD_PATH_MAX, "segment:%s/log", cfg->data_dir);
}

void vsocd_store_address(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX])
{
    snprintf(buf, VSOCD_PATH_MAX, "sqlite:%s/state/state.db", cfg->data_dir);
}

void vsocd_snapshot_dir(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX])
{
    snprintf(buf, VSOCD_PATH_MAX, "%s/snapshot", cfg->data_dir);
}

void vsocd_certs_dir(const struct vsocd_config *cfg, char buf[VSOCD_PATH_MAX])
{
    snprintf(buf, VSOCD_PATH_MAX, "%s/certs", cfg->data_dir);
}
