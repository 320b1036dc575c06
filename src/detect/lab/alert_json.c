#include "detect/lab/alert_json.h"

#include "core/timestamp.h"

static const char *const STATE[] = {"open", "closed", "retracted"};
static const char *const SEVERITY[] = {"informational", "low", "medium", "high", "critical"};

const char *alert_state_name(uint8_t state)
{
    return STATE[state <= ALERT_RETRACTED ? state : ALERT_OPEN];
}

const char *alert_severity_name(uint8_t severity)
{
    return SEVERITY[severity <= ALERT_CRITICAL ? severity : ALERT_INFO];
}

static void put_time(struct writer *w, const char *key, int64_t us)
{
    writer_text(w, key);
    writer_u8(w, '"');
    timestamp_write(w, us);
    writer_u8(w, '"');
}

static void put_id(struct writer *w, const uint8_t id[ALERT_ID_SIZE])
{
    writer_u8(w, '"');
    writer_hex(w, slice_make(id, ALERT_ID_SIZE), false);
    writer_u8(w, '"');
}

void alert_json_write(const struct alert *al, struct writer *w)
{
    writer_text(w, "{\"id\":");
    put_id(w, al->id);
    writer_text(w, ",\"rule\":");
    writer_json_text(w, al->rule);
    writer_text(w, ",\"title\":");
    writer_json_text(w, al->title);
    writer_text(w, ",\"severity\":\"");
    writer_text(w, alert_severity_name(al->severity));
    writer_text(w, "\",\"group\":{");
    for (uint8_t i = 0; i < al->group_count; i++) {
        if (i > 0)
            writer_u8(w, ',');
        writer_json_text(w, al->group[i].field);
        writer_u8(w, ':');
        writer_json_text(w, al->group[i].value);
    }
    put_time(w, "},\"first\":", al->first_us);
    put_time(w, ",\"last\":", al->last_us);
    writer_text(w, ",\"count\":");
    writer_u64_text(w, al->count);
    writer_text(w, ",\"peak\":");
    writer_put(w, al->peak);
    writer_text(w, ",\"vehicles\":");
    writer_u64_text(w, al->vehicles);
    writer_text(w, ",\"state\":\"");
    writer_text(w, alert_state_name(al->state));
    writer_text(w, al->late ? "\",\"late\":true,\"supersedes\":[" : "\",\"late\":false,\"supersedes\":[");
    for (uint32_t i = 0; i < al->supersedes_count && i < ALERT_SUPERSEDES_MAX; i++) {
        if (i > 0)
            writer_u8(w, ',');
        put_id(w, al->supersedes[i]);
    }
    writer_text(w, "]}");
}
