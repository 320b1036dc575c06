#include "detect/lab/rule_test_events.h"

#include "core/timestamp.h"
#include "core/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_SIZE 65536

static bool read_offset(struct slice text, int64_t *ret_us)
{
    char buf[64];
    double total = 0;

    if (!slice_to_str(text, buf, sizeof buf) || buf[0] == '\0')
        return false;
    for (const char *p = buf; *p != '\0';) {
        char *end;
        double v = strtod(p, &end);
        double unit = *end == 's' ? 1e6 : *end == 'm' ? 6e7 : *end == 'h' ? 3.6e9 : *end == 'd' ? 8.64e10 : 0;
        if (end == p || unit == 0)
            return false;
        total += v * unit;
        p = end + 1;
    }
    if (!(total > -1e15 && total < 1e15))
        return false;
    *ret_us = (int64_t)(total < 0 ? total - 0.5 : total + 0.5);
    return true;
}

bool rule_test_time(struct slice text, int64_t *ret_us)
{
    int64_t offset;

    if (text.len > 0 && text.ptr[0] == '+') {
        if (!read_offset(slice_from(text, 1), &offset))
            return false;
        *ret_us = TEST_BASE_US + offset;
        return true;
    }
    return timestamp_parse(text, ret_us);
}

static bool is_time_key(struct slice key)
{
    return slice_equal_str(key, "time") || slice_equal_str(key, "last") || slice_equal_str(key, "received");
}

/* Text with every {i} replaced by the number of the repetition. */
static struct slice number_text(struct slice text, uint32_t i, uint8_t *buf, size_t size)
{
    struct writer w;

    writer_init(&w, buf, size);
    for (size_t p = 0; p < text.len; p++) {
        if (text.len - p >= 3 && memcmp(text.ptr + p, "{i}", 3) == 0) {
            writer_u64_text(&w, i);
            p += 2;
        } else {
            writer_u8(&w, text.ptr[p]);
        }
    }
    return writer_slice(&w);
}

static bool write_value(struct writer *w, struct slice key, const struct yaml_node *v, uint32_t i, int64_t shift_us)
{
    uint8_t buf[4096];
    int64_t number;
    double fraction;
    bool yes;

    if (v->kind != YAML_SCALAR)
        return false;
    if (is_time_key(key)) {
        if (!rule_test_time(v->text, &number))
            return false;
        writer_i64_text(w, number + shift_us);
    } else if (yaml_is_null(v)) {
        writer_text(w, "null");
    } else if (yaml_read_bool(v, &yes)) {
        writer_text(w, yes ? "true" : "false");
    } else if (yaml_read_i64(v, &number)) {
        writer_i64_text(w, number);
    } else if (yaml_read_double(v, &fraction)) {
        writer_put(w, v->text);
    } else {
        writer_json_text(w, number_text(v->text, i, buf, sizeof buf));
    }
    return true;
}

/* One event; *seq is the next number of the case. */
static bool write_event(struct writer *w, const struct yaml_node *event, uint32_t i, int64_t step_us, uint64_t *seq)
{
    const struct yaml_node *own_seq = yaml_get(event, "seq");
    bool first = true;

    writer_u8(w, '{');
    for (const struct yaml_node *n = event->child; n != NULL; n = n->next) {
        struct slice key = n->key->text;
        if (slice_equal_str(key, "repeat") || slice_equal_str(key, "step") ||
            (own_seq != NULL && slice_equal_str(key, "seq") && slice_equal_str(own_seq->text, "none")))
            continue;
        if (!first)
            writer_u8(w, ',');
        first = false;
        writer_json_text(w, key);
        writer_u8(w, ':');
        if (!write_value(w, key, yaml_deref(n), i, (int64_t)i * step_us))
            return false;
    }
    if (own_seq == NULL) {
        writer_text(w, first ? "\"seq\":" : ",\"seq\":");
        writer_u64_text(w, (*seq)++);
    }
    writer_u8(w, '}');
    return !w->full;
}

static bool fail(struct diag *d, const char *path, const struct yaml_node *at, const char *text)
{
    diag_add(d, DIAG_ERROR, path, at->line, at->column, "%s", text);
    return false;
}

bool rule_test_events(struct arena *a, struct diag *d, const char *path, const struct yaml_node *events,
                      struct slice **ret_line, uint32_t *ret_count)
{
    uint8_t *buf = mem_alloc(1, LINE_SIZE);
    uint64_t seq = 1;
    uint32_t room = 0;
    bool ok = true;

    *ret_line = NULL;
    *ret_count = 0;
    for (const struct yaml_node *n = events->child; ok && n != NULL; n = n->next) {
        const struct yaml_node *event = yaml_deref(n);
        const struct yaml_node *step = yaml_get(event, "step");
        int64_t repeat = 1;
        int64_t step_us = 0;
        if (event->kind != YAML_MAP)
            ok = fail(d, path, event, "an event must be a map");
        else if (yaml_get(event, "repeat") != NULL &&
                 (!yaml_read_i64(yaml_get(event, "repeat"), &repeat) || repeat < 0))
            ok = fail(d, path, event, "repeat must be a number from 0");
        else if (step != NULL && !read_offset(step->text, &step_us))
            ok = fail(d, path, step, "step must be a time such as 10s");
        else if (repeat > TEST_EVENTS_MAX - (int64_t)*ret_count)
            ok = fail(d, path, event, "too many events in one case");
        for (uint32_t i = 0; ok && i < repeat; i++) {
            struct writer w;
            writer_init(&w, buf, LINE_SIZE);
            if (!write_event(&w, event, i, step_us, &seq)) {
                ok = fail(d, path, event,
                          "an event's values must be texts, numbers, booleans or null, its times RFC 3339 or +10s");
                break;
            }
            if (*ret_count == room) {
                struct slice *bigger = arena_alloc(a, (room > 0 ? 2 * (size_t)room : 64) * sizeof *bigger);
                if (room > 0)
                    memcpy(bigger, *ret_line, room * sizeof *bigger);
                *ret_line = bigger;
                room = room > 0 ? room * 2 : 64;
            }
            (*ret_line)[(*ret_count)++] = arena_copy(a, writer_slice(&w));
        }
    }
    free(buf);
    return ok;
}
