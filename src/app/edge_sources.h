/* edge_sources: what the gateway hears: CAN frames through the detector, and ready-made events as JSON lines.
 *
 * CAN comes from a candump log, a FIFO, standard input, or a SocketCAN interface ("can:can0"). Times of frames are the
 * vehicle's clock: the log's own when they are absolute, else the time of reading. Lines that break their format are
 * counted, and the first ones told. Memory: heap, bounded by the model. Threads: one owner. */
#ifndef APP_EDGE_SOURCES_H
#define APP_EDGE_SOURCES_H

#include <poll.h>

#include "app/edge_config.h"
#include "app/line_source.h"
#include "event/event.h"

struct edge_can;

/* Takes an event, valid until it returns. False when there was no room for it. */
typedef bool edge_take(void *ctx, const struct event *ev);

struct edge_sources {
    struct edge_can *can;       /* NULL = none */
    struct line_source *events; /* NULL = none */
    struct json_reader *json;
    bool can_ended, events_ended;
    uint64_t bad_lines, refused_events;
    edge_take *take;
    void *ctx;
};

/* False after saying what is wrong. */
bool edge_sources_open(struct edge_sources *s, const struct edge_config *cfg, edge_take *take, void *ctx);
/* Also for a zeroed or half-opened struct. */
void edge_sources_close(struct edge_sources *s);
/* Reads what is there, at most so many lines or frames of each. True when there may be more. */
bool edge_sources_step(struct edge_sources *s, unsigned lines_max, int64_t now_us);
/* Descriptors to wait on; at most 2. */
unsigned edge_sources_fds(const struct edge_sources *s, struct pollfd *ret);
bool edge_sources_ended(const struct edge_sources *s);

/* edge_can.c: the CAN half. */
struct edge_can *edge_can_open(const struct edge_config *cfg);
void edge_can_close(struct edge_can *c);
/* VS_ERR_BUSY nothing there now, VS_ERR_END, or the code of a line that breaks its format (told on stderr, counted). */
enum vs_err edge_can_step(struct edge_can *c, int64_t now_us, edge_take *take, void *ctx);
void edge_can_tick(struct edge_can *c, int64_t now_us, edge_take *take, void *ctx);
int edge_can_fd(const struct edge_can *c);

#endif
