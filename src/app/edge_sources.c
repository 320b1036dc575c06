#include "app/edge_sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/log_line.h"
#include "base/jsonl/json_event.h"

#define BAD_LINES_TOLD 20

bool edge_sources_open(struct edge_sources *s, const struct edge_config *cfg, edge_take *take, void *ctx)
{
    *s = (struct edge_sources){.take = take, .ctx = ctx, .can_ended = true, .events_ended = true};
    if (cfg->input.can[0] != '\0') {
        s->can = edge_can_open(cfg);
        if (s->can == NULL)
            return false;
        s->can_ended = false;
    }
    if (cfg->input.events[0] == '\0')
        return true;
    s->events = malloc(sizeof *s->events);
    if (s->events == NULL || json_reader_new(&s->json) != VS_OK) {
        fprintf(stderr, "vsoc-edge: out of memory\n");
        return false;
    }
    if (line_source_open(s->events, cfg->input.events) != VS_OK) {
        fprintf(stderr, "%s: cannot open: %s\n", cfg->input.events, strerror(errno));
        return false;
    }
    s->events_ended = false;
    return true;
}

void edge_sources_close(struct edge_sources *s)
{
    edge_can_close(s->can);
    if (s->events != NULL)
        line_source_close(s->events);
    free(s->events);
    json_reader_free(s->json);
    *s = (struct edge_sources){.can_ended = true, .events_ended = true};
}

static void refuse(struct edge_sources *s, const char *reason)
{
    if (s->bad_lines++ < BAD_LINES_TOLD)
        log_line("edge", "line_refused", "line %llu of the events: %s", (unsigned long long)s->events->line, reason);
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != ' ' && line.ptr[i] != '\t' && line.ptr[i] != '\r')
            return false;
    return true;
}

static void take_line(struct edge_sources *s, struct slice line)
{
    static uint8_t bytes[EV_FIELDS_MAX][EV_TEXT_LEN_MAX];
    static struct json_event je;
    struct json_object o;
    const char *reason = "not a JSON object";
    struct slice name;
    uint8_t field = EV_F_NONE;

    if (is_blank(line))
        return;
    if (json_reader_object(s->json, line, &o, &reason) != VS_OK ||
        json_event_read(&o, bytes, &je, &reason, &name) != VS_OK) {
        refuse(s, reason);
        return;
    }
    if (event_validate(&je.ev, &field) != VS_OK) {
        refuse(s, field == EV_F_NONE ? "breaks the schema" : ev_field_find(field)->name);
        return;
    }
    if (!s->take(s->ctx, &je.ev))
        s->refused_events++;
}

static bool step_events(struct edge_sources *s, unsigned lines_max)
{
    for (unsigned i = 0; i < lines_max && !s->events_ended; i++) {
        struct slice line;
        enum vs_err err = line_source_next(s->events, &line);

        if (err == VS_ERR_BUSY)
            return false;
        if (err == VS_OK) {
            take_line(s, line);
            continue;
        }
        if (err == VS_ERR_IO)
            log_line("edge", "events_failed", "%s", strerror(errno));
        s->events_ended = true;
    }
    return !s->events_ended;
}

static bool step_can(struct edge_sources *s, unsigned lines_max, int64_t now_us)
{
    for (unsigned i = 0; i < lines_max && !s->can_ended; i++) {
        enum vs_err err = edge_can_step(s->can, now_us, s->take, s->ctx);

        if (err == VS_ERR_BUSY) {
            edge_can_tick(s->can, now_us, s->take, s->ctx);
            return false;
        }
        if (err == VS_ERR_END || err == VS_ERR_IO)
            s->can_ended = true;
        else if (err != VS_OK)
            s->bad_lines++;
    }
    return !s->can_ended;
}

bool edge_sources_step(struct edge_sources *s, unsigned lines_max, int64_t now_us)
{
    bool more_can = step_can(s, lines_max, now_us);
    bool more_events = step_events(s, lines_max);

    return more_can || more_events;
}

unsigned edge_sources_fds(const struct edge_sources *s, struct pollfd *ret)
{
    unsigned count = 0;

    if (!s->can_ended)
        ret[count++] = (struct pollfd){.fd = edge_can_fd(s->can), .events = POLLIN};
    if (!s->events_ended)
        ret[count++] = (struct pollfd){.fd = s->events->fd, .events = POLLIN};
    return count;
}

bool edge_sources_ended(const struct edge_sources *s)
{
    return s->can_ended && s->events_ended;
}
