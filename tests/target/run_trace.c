/* Runs a candump log through libvids as a controller would: the model in memory, frames one by one, a tick every 10 ms.
 * Every finding becomes an event, written as one JSON line. The same file is compiled for the host and for a Cortex-M4,
 * and what they write must be the same to the byte. The last line gives what the run cost, and only that line differs.
 */
#include "port.h"

#include "codec/candump.h"
#include "core/writer.h"
#include "edge/vids.h"
#include "event/event_json.h"

#define MODEL_MAX (256u * 1024)
#define IDS_MAX   512u
#define LINE_MAX  512u
#define READ_SIZE 4096u
#define BATCH     64u /* frames between two looks at the counter: parsing lines is not part of the measure */
#define TICK_US   10000
#define OUT_SIZE  4096u

struct run {
    struct vids ids;
    int64_t tick_us, wall_us;
    int out;
    uint64_t frames, findings, steps_cost, ticks_cost, ticks;
    struct can_frame batch[BATCH];
    char bus[BATCH][24];
    unsigned batch_count;
    struct vids_finding found[VIDS_FINDINGS_MAX];
    size_t found_count[BATCH];
};

static _Alignas(8) uint8_t model[MODEL_MAX];
static _Alignas(8) uint8_t memory[VIDS_STORAGE_SIZE(IDS_MAX, 0)];
static struct run run;

static void say(struct run *r, size_t count)
{
    uint8_t text[OUT_SIZE];
    struct writer w;

    for (size_t i = 0; i < count; i++) {
        const struct vids_finding *f = &r->found[i];
        struct event ev;
        vids_finding_event(f, 0, &ev);
        writer_init(&w, text, sizeof text);
        event_json_write(&ev, slice_str("target"), slice_str(""), &w);
        writer_text(&w, "\n");
        port_write(r->out, writer_slice(&w).ptr, writer_slice(&w).len);
        r->findings++;
    }
}

/* Ticks that are due before this time, with their own account: a controller calls them from a timer. */
static void tick_until(struct run *r, int64_t now_us)
{
    if (r->frames == 0)
        r->tick_us = now_us + TICK_US;
    while (r->tick_us < now_us) {
        uint64_t before = port_millinstructions();
        size_t count = vids_tick(&r->ids, r->tick_us, r->found, VIDS_FINDINGS_MAX);
        r->ticks_cost += port_millinstructions() - before;
        r->ticks++;
        say(r, count);
        r->tick_us += TICK_US;
    }
}

/* Frames up to the next tick are stepped through in one go, so that reading the counter costs next to nothing. */
static void flush(struct run *r)
{
    unsigned i = 0;

    while (i < r->batch_count) {
        size_t count = 0;
        tick_until(r, r->batch[i].time_us);
        uint64_t before = port_millinstructions();
        do {
            count = vids_step(&r->ids, &r->batch[i], r->batch[i].time_us, r->found, VIDS_FINDINGS_MAX);
            r->frames++;
            i++;
        } while (count == 0 && i < r->batch_count && r->batch[i].time_us <= r->tick_us);
        r->steps_cost += port_millinstructions() - before;
        say(r, count);
    }
    r->batch_count = 0;
}

static void take_line(struct run *r, struct slice line)
{
    struct candump_item item;
    struct line_fault fault;

    if (candump_line(line, &item, &fault) != VS_OK || item.kind != CANDUMP_FRAME)
        return;
    unsigned n = r->batch_count++;
    r->batch[n] = item.frame;
    size_t len = item.frame.bus.len < sizeof r->bus[n] ? item.frame.bus.len : sizeof r->bus[n];
    memcpy(r->bus[n], item.frame.bus.ptr, len);
    r->batch[n].bus = slice_make(r->bus[n], len);
    if (r->batch_count == BATCH)
        flush(r);
}

static void read_trace(struct run *r, int file)
{
    static uint8_t buf[READ_SIZE + LINE_MAX];
    size_t len = 0, got;

    while ((got = port_read(file, buf + len, READ_SIZE)) > 0) {
        size_t from = 0;
        len += got;
        for (size_t i = 0; i < len; i++)
            if (buf[i] == '\n') {
                take_line(r, slice_make(buf + from, i - from));
                from = i + 1;
            }
        len -= from;
        memmove(buf, buf + from, len);
        if (len > LINE_MAX)
            len = 0;
    }
    flush(r);
}

static void put(struct writer *w, const char *key, uint64_t value)
{
    writer_text(w, key);
    writer_u64_text(w, value);
}

static void say_cost(const struct run *r)
{
    uint8_t text[OUT_SIZE];
    struct writer w;

    writer_init(&w, text, sizeof text);
    put(&w, "{\"frames\":", r->frames);
    put(&w, ",\"findings\":", r->findings);
    put(&w, ",\"ticks\":", r->ticks);
    put(&w, ",\"step_millinstructions\":", r->steps_cost / (r->frames > 0 ? r->frames : 1));
    put(&w, ",\"tick_millinstructions\":", r->ticks_cost / (r->ticks > 0 ? r->ticks : 1));
    put(&w, ",\"stack_bytes\":", port_stack_used());
    put(&w, ",\"state_bytes\":", sizeof r->ids + VIDS_STORAGE_SIZE(r->ids.id_count, r->ids.signal_count));
    put(&w, ",\"ids\":", r->ids.id_count);
    writer_text(&w, "}\n");
    port_write(r->out, writer_slice(&w).ptr, writer_slice(&w).len);
}

int run_trace(const char *model_name, const char *trace_name, const char *out_name)
{
    int file = port_open(model_name, false), trace = port_open(trace_name, false);
    size_t size = 0, got;

    run.out = port_open(out_name, true);
    if (file < 0 || trace < 0 || run.out < 0)
        return 2;
    while (size < MODEL_MAX && (got = port_read(file, model + size, MODEL_MAX - size)) > 0)
        size += got;
    port_close(file);
    enum vs_err err = vids_init(&run.ids, memory, sizeof memory, slice_make(model, size));
    if (err == VS_OK) {
        read_trace(&run, trace);
        say_cost(&run);
    }
    port_close(trace);
    port_close(run.out);
    return err == VS_OK ? 0 : 1;
}
