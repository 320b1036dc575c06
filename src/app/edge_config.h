/* edge_config: everything `vsoc-edge run` can be told, read from one YAML file. Paths are relative to the file's
 * folder. */
#ifndef APP_EDGE_CONFIG_H
#define APP_EDGE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define EDGE_TEXT_MAX 512

struct edge_config {
    struct {
        char cert[EDGE_TEXT_MAX]; /* vehicle.cert: PEM; its subject CN is the vid */
        char key[EDGE_TEXT_MAX];  /* vehicle.key: PEM; for TLS and for signing batches */
    } vehicle;
    struct {
        char journal[EDGE_TEXT_MAX]; /* journal.file */
        char anchor[EDGE_TEXT_MAX];  /* journal.anchor */
        char key[EDGE_TEXT_MAX];     /* journal.key: file of 64 hex digits; made when it is not there */
        uint32_t kib;                /* journal.kib */
        uint32_t block_bytes;        /* journal.block_bytes */
        uint32_t records_max;        /* journal.records_max */
        uint32_t commit_ms;          /* journal.commit_ms */
    } journal;
    struct {
        char url[EDGE_TEXT_MAX];        /* uplink.url: https://host:port/v1/batches; empty = keep everything */
        char ca[EDGE_TEXT_MAX];         /* uplink.ca: PEM, signs the backend's certificate */
        char quarantine[EDGE_TEXT_MAX]; /* uplink.quarantine: folder for refused batches; empty = only count them */
        bool metered;                   /* uplink.metered: cellular; false = Wi-Fi or wire */
        bool low_on_metered;            /* uplink.low_on_metered */
        uint32_t window_s;              /* uplink.window_s */
        uint32_t budget_bytes;          /* uplink.budget_bytes_per_day */
        uint32_t batch_events;          /* uplink.batch_events */
        uint32_t backoff_ms_min, backoff_ms_max, answer_ms_max;
    } uplink;
    struct {
        uint32_t aggregate_ms;      /* qualify.aggregate_ms */
        uint32_t events_per_minute; /* qualify.events_per_minute */
        uint32_t bytes_per_minute;  /* qualify.bytes_per_minute */
    } qualify;
    struct {
        char can[EDGE_TEXT_MAX];    /* input.can: candump log, FIFO, "-" or can:INTERFACE */
        char model[EDGE_TEXT_MAX];  /* input.model: made by vsoc-edge learn */
        char events[EDGE_TEXT_MAX]; /* input.events: JSON lines, file or FIFO or "-" */
        bool once;                  /* input.once: end when the inputs end and all that may go has gone */
    } input;
};

/* False after saying on stderr what is wrong, with file and line. */
bool edge_config_read(const char *path, struct edge_config *ret);
/* All keys with default and meaning, to stdout. */
void edge_config_describe(void);

#endif
