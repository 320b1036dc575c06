#include "scene.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM_FIRST 256

enum vs_err scene_init(struct scene *s)
{
    memset(s, 0, sizeof *s);
    /* One more than counted: the place for events that are thrown away. */
    s->ev = malloc((ROOM_FIRST + 1) * sizeof *s->ev);
    s->room = ROOM_FIRST;
    return s->ev != NULL ? VS_OK : VS_ERR_NO_MEMORY;
}

void scene_done(struct scene *s)
{
    free(s->ev);
    memset(s, 0, sizeof *s);
}

void scene_reset(struct scene *s)
{
    s->count = 0;
    s->text_len = 0;
}

struct event *scene_add(struct scene *s, uint16_t type, int64_t time_us)
{
    struct event *ev;

    if (s->count == s->room && s->room < SCENE_EVENTS_MAX) {
        struct event *more = realloc(s->ev, (s->room * 2u + 1) * sizeof *more);

        if (more != NULL) {
            s->ev = more;
            s->room *= 2;
        }
    }
    if (s->count < s->room) {
        ev = &s->ev[s->count++];
    } else {
        ev = &s->ev[s->room];
        s->left_out_count++;
    }
    event_init(ev, type, time_us);
    return ev;
}

struct slice scene_text(struct scene *s, const char *format, ...)
{
    char *at = s->text + s->text_len;
    size_t left = sizeof s->text - s->text_len;
    va_list args;

    va_start(args, format);
    int n = vsnprintf(at, left, format, args);
    va_end(args);
    size_t len = n < 0 || left == 0 ? 0 : (size_t)n < left ? (size_t)n : left - 1;
    s->text_len += len;
    return slice_make(at, len);
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->first_us != y->first_us)
        return x->first_us < y->first_us ? -1 : 1;
    /* seq holds the place of insertion while a scene is made. */
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void scene_sort(struct scene *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        s->ev[i].seq = i;
    qsort(s->ev, s->count, sizeof *s->ev, by_time);
    for (uint32_t i = 0; i < s->count; i++)
        s->ev[i].seq = 0;
}
