#include "app/edge_config.h"

#include <stddef.h>
#include <stdio.h>

#include "base/config.h"
#include "event/batch.h"
#include "gateway/port.h"

#define AT(field)   offsetof(struct edge_config, field)
#define ROOM(field) sizeof(((struct edge_config *)0)->field)
#define TEXT(type, key, field, initial, required, text)                                                                \
    {                                                                                                                  \
        key, type, AT(field), 0, ROOM(field), initial, required, text                                                  \
    }
#define NUMBER(key, field, min, max, initial, text)                                                                    \
    {                                                                                                                  \
        key, CONFIG_U32, AT(field), min, max, initial, false, text                                                     \
    }
#define FLAG(key, field, initial, text)                                                                                \
    {                                                                                                                  \
        key, CONFIG_BOOL, AT(field), 0, 0, initial, false, text                                                        \
    }

static const struct config_option OPTION[] = {
    TEXT(CONFIG_PATH, "vehicle.cert", vehicle.cert, "", true, "the vehicle's certificate, PEM; its subject is the vid"),
    TEXT(CONFIG_PATH, "vehicle.key", vehicle.key, "", true, "its private key, PEM; for TLS and for signing batches"),
    TEXT(CONFIG_PATH, "journal.file", journal.journal, "", true, "the journal; made when it is not there"),
    TEXT(CONFIG_PATH, "journal.anchor", journal.anchor, "", true,
         "the journal's anchor; best on storage that nobody can put back"),
    TEXT(CONFIG_PATH, "journal.key", journal.key, "", true,
         "key that seals the journal: 64 hex digits; made when it is not there"),
    NUMBER("journal.kib", journal.kib, 64, 16777216, "16384", "size of the journal, KiB; it can only grow"),
    NUMBER("journal.block_bytes", journal.block_bytes, 64, PORT_BLOCK_MAX, "512",
           "block of the journal's device, bytes"),
    NUMBER("journal.records_max", journal.records_max, 256, 4000000, "65536",
           "records that can wait; each takes 24 bytes of memory"),
    NUMBER("journal.commit_ms", journal.commit_ms, 0, 60000, "200",
           "an event is in memory only for at most so long; critical never"),
    TEXT(CONFIG_TEXT, "uplink.url", uplink.url, "", false,
         "https://HOST:PORT/v1/batches; empty keeps everything in the journal"),
    TEXT(CONFIG_PATH, "uplink.ca", uplink.ca, "", false, "CA that signed the backend's certificate, PEM"),
    TEXT(CONFIG_PATH, "uplink.quarantine", uplink.quarantine, "", false,
         "folder for batches that the backend refused for good; empty only counts them"),
    FLAG("uplink.metered", uplink.metered, "true",
         "the link costs money (cellular): medium waits for windows, low for another link"),
    FLAG("uplink.low_on_metered", uplink.low_on_metered, "false", "low goes over a metered link as well, with medium"),
    NUMBER("uplink.window_s", uplink.window_s, 0, 86400, "300",
           "period of the transmission windows of medium on a metered link, seconds; 0 is always open"),
    NUMBER("uplink.budget_bytes_per_day", uplink.budget_bytes, 0, UINT32_MAX, "0",
           "what medium and low may use of a metered link; 0 is no bound"),
    NUMBER("uplink.batch_events", uplink.batch_events, 1, BATCH_EVENTS_MAX, "100", "events in a batch at most"),
    NUMBER("uplink.backoff_ms_min", uplink.backoff_ms_min, 1, 3600000, "1000",
           "first wait after a failure, milliseconds"),
    NUMBER("uplink.backoff_ms_max", uplink.backoff_ms_max, 1, 86400000, "900000",
           "longest wait after failures, milliseconds"),
    NUMBER("uplink.answer_ms_max", uplink.answer_ms_max, 100, 3600000, "60000",
           "longest wait for an answer, milliseconds"),
    NUMBER("qualify.aggregate_ms", qualify.aggregate_ms, 0, 3600000, "60000",
           "repetitions within this window become one record; 0 is off"),
    NUMBER("qualify.events_per_minute", qualify.events_per_minute, 0, UINT32_MAX, "0",
           "records that are not critical; 0 is no bound"),
    NUMBER("qualify.bytes_per_minute", qualify.bytes_per_minute, 0, UINT32_MAX, "0",
           "bytes of records that are not critical; 0 is no bound"),
    TEXT(CONFIG_TEXT, "input.can", input.can, "", false, "candump log, FIFO, - or can:INTERFACE for SocketCAN"),
    TEXT(CONFIG_PATH, "input.model", input.model, "", false,
         "what the buses look like, made by vsoc-edge learn; needed with input.can"),
    TEXT(CONFIG_TEXT, "input.events", input.events, "", false, "security events as JSON lines: file, FIFO or -"),
    FLAG("input.once", input.once, "false", "end when the inputs have ended and all that may go has gone"),
};
#define OPTION_COUNT (sizeof OPTION / sizeof OPTION[0])

static bool refuse(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return false;
}

bool edge_config_read(const char *path, struct edge_config *ret)
{
    static struct edge_config cfg;
    struct config_error error;

    config_defaults(OPTION, OPTION_COUNT, &cfg);
    if (config_read(path, OPTION, OPTION_COUNT, &cfg, sizeof cfg, &error) != VS_OK) {
        if (error.line == 0)
            return refuse(path, error.text);
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.text);
        return false;
    }
    if (cfg.uplink.url[0] != '\0' && cfg.uplink.ca[0] == '\0')
        return refuse(path, "uplink.url needs uplink.ca");
    if (cfg.input.can[0] != '\0' && cfg.input.model[0] == '\0')
        return refuse(path, "input.can needs input.model; make one with vsoc-edge learn");
    if (cfg.journal.block_bytes % 8 != 0)
        return refuse(path, "journal.block_bytes must be a multiple of 8");
    *ret = cfg;
    return true;
}

void edge_config_describe(void)
{
    config_describe(stdout, OPTION, OPTION_COUNT);
}
