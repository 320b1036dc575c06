/* scene: the events of one vehicle over one day, in true time order, with room for their texts.
 *
 * Memory: grows on the heap up to SCENE_EVENTS_MAX events and is reused from day to day; texts added with scene_text
 * live until scene_reset. Threads: one owner. */
#ifndef SIM_SCENE_H
#define SIM_SCENE_H

#include "core/timestamp.h"
#include "event/event.h"

#define SCENE_EVENTS_MAX 65536
#define SCENE_TEXT_MAX   65536

struct scene {
    struct event *ev; /* owned; true time in first_us */
    uint32_t count, room;
    char text[SCENE_TEXT_MAX];
    size_t text_len;
    uint64_t left_out_count; /* events over SCENE_EVENTS_MAX */
};

VS_MUST_USE enum vs_err scene_init(struct scene *s);
void scene_done(struct scene *s);
void scene_reset(struct scene *s);
/* A new event at that time, to be filled in. Never NULL: beyond the bound it is one that is thrown away and counted. */
struct event *scene_add(struct scene *s, uint16_t type, int64_t time_us);
/* printf into the scene's texts. Cut, in the end, to what fits. */
__attribute__((format(printf, 2, 3))) struct slice scene_text(struct scene *s, const char *format, ...);
/* Sorts by time; events of the same time keep their order. */
void scene_sort(struct scene *s);

#endif
