/* edge_scan: `vsoc-edge scan` on CAN recordings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/edge_commands.h"
#include "app/edge_scan_eth.h"
#include "app/trace.h"
#include "app/usage.h"
#include "edge/can/model.h"
#include "edge/vids.h"
#include "event/event.h"

static const char usage[] =
    "usage: vsoc-edge scan TRACE [--model MODEL | --learn TRACE] [--dbc FILE] [--bus NAME]\n"
    "       vsoc-edge scan CAPTURE [--policy FILE]\n"
    "\n"
    "Runs the detectors of the vehicle over a recording; one JSON line per security event.\n"
    "A recording is a candump log, Vector ASC or BLF, PEAK TRC, pcap or pcapng, plain or gzip; \"-\" is standard "
    "input.\n"
    "\n"
    "A capture of Ethernet packets is held against a policy (docs/formats/eth-policy.md).\n"
    "\n"
    "  --policy FILE            who may be there, talk to whom, and offer what\n"
    "  --model MODEL            made by vsoc-edge learn\n"
    "  --learn TRACE            learn from this clean recording first; may be given several times\n"
    "  --learn-until SECONDS    only from its first part\n"
    "  --dbc FILE               network description, with --learn or alone\n"
    "  --lenient                take descriptions that do not keep to the format\n"
    "  --bus NAME               only this segment\n"
    "  --from SECONDS           tell events from this time of the recording on (what is before still sets the state)\n"
    "  --bitrate BITS           bit rate of the buses, for the load in events (500000)\n"
    "\n"
    "frame is the 0-based index of the frame the evidence points at and time its time; raised_frame is the frame that\n"
    "completed the evidence. score is the evidence in multiples of the alarm threshold.\n"
    "exit: 0 no event, 1 events, 2 bad usage or input\n";

#define TRACES_MAX    64
#define BAD_LINES_MAX 20 /* told one by one; more are only counted */
#define TICK_US       10000
#define SETTLE_FRAMES 5000 /* looked at to learn how many buses a recording has */

struct scan {
    const char *trace, *model, *policy;
    const char *learn[TRACES_MAX];
    struct edge_training training;
    double from_s;
    struct vids ids;
    const char *only_bus; /* the model's single bus, when the recording calls its single bus otherwise */
    char renamed[MODEL_BUS_NAME + 1];
    uint64_t events, bad_lines;
    int64_t start_us;
    bool started;
};

static int arguments_read(int argc, char **argv, struct scan *s)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
            return 1;
        if (strcmp(arg, "--lenient") == 0) {
            s->training.lenient = true;
            continue;
        }
        if (arg[0] != '-' || arg[1] == '\0') {
            if (s->trace != NULL)
                return 2;
            s->trace = arg;
            continue;
        }
        if (value == NULL)
            return 2;
        i++;
        if (strcmp(arg, "--model") == 0)
            s->model = value;
        else if (strcmp(arg, "--policy") == 0)
            s->policy = value;
        else if (strcmp(arg, "--learn") == 0 && s->training.trace_count < TRACES_MAX)
            s->learn[s->training.trace_count++] = value;
        else if (strcmp(arg, "--dbc") == 0)
            s->training.dbc = value;
        else if (strcmp(arg, "--bus") == 0)
            s->training.bus = value;
        else if (strcmp(arg, "--bitrate") == 0) {
            if (!edge_bitrate(value, &s->training.bitrate))
                return 2;
        } else if (strcmp(arg, "--from") == 0
                       ? !edge_seconds(value, &s->from_s)
                       : strcmp(arg, "--learn-until") != 0 || !edge_seconds(value, &s->training.until_s))
            return 2;
    }
    bool both = s->model != NULL && (s->training.trace_count > 0 || s->training.dbc != NULL);
    return s->trace != NULL && !both ? 0 : 2;
}

static void field_print(struct writer *w, const struct ev_field *field)
{
    const struct ev_field_info *info = ev_field_find(field->id);

    writer_text(w, ",");
    writer_json_text(w, slice_str(info->name));
    writer_text(w, ":");
    switch ((enum ev_kind)info->kind) {
    case EV_KIND_UINT:
        writer_u64_text(w, field->value.u);
        break;
    case EV_KIND_INT:
        writer_fixed_text(w, field->value.i, info->decimals);
        break;
    case EV_KIND_BOOL:
        writer_text(w, field->value.u != 0 ? "true" : "false");
        break;
    case EV_KIND_TEXT:
        writer_json_text(w, field->value.s);
        break;
    case EV_KIND_BYTES:
        writer_text(w, "\"");
        writer_hex(w, field->value.s, true);
        writer_text(w, "\"");
        break;
    }
}

static void text_print(struct writer *w, const char *key, struct slice value)
{
    writer_text(w, ",\"");
    writer_text(w, key);
    writer_text(w, "\":");
    writer_json_text(w, value);
}

static void number_print(struct writer *w, const char *key, int64_t value, unsigned decimals)
{
    writer_text(w, ",\"");
    writer_text(w, key);
    writer_text(w, "\":");
    writer_fixed_text(w, value, decimals);
}

/* One event as a flat JSON line: where it is first, then what it is, then its fields. */
static void event_print(const struct vids_finding *f)
{
    static uint8_t buf[4096];
    struct writer w;
    struct event ev;
    char id[16];

    vids_finding_event(f, 0, &ev);
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"frame\":");
    writer_u64_text(&w, f->frame);
    number_print(&w, "time", f->time_us, 6);
    text_print(&w, "type", slice_str(ev_type_find(f->type)->name));
    text_print(&w, "bus", f->bus);
    if (f->has_id) {
        snprintf(id, sizeof id, f->extended ? "%08X" : "%03X", (unsigned)f->can_id);
        text_print(&w, "id", slice_str(id));
    }
    text_print(&w, "detector", slice_str(vids_detector_name((enum vids_detector)f->detector)));
    text_print(&w, "kind", slice_str(f->learned ? "learned" : "specified"));
    number_print(&w, "score", f->score_centi, 2);
    number_print(&w, "count", f->count, 0);
    number_print(&w, "raised_frame", (int64_t)f->raised_frame, 0);
    number_print(&w, "raised", f->raised_us, 6);
    for (unsigned i = 0; i < ev.field_count; i++)
        if (ev.field[i].id != EV_F_DETECTOR && ev.field[i].id != EV_F_SCORE)
            field_print(&w, &ev.field[i]);
    writer_text(&w, "}\n");
    fwrite(buf, 1, w.len, stdout);
}

static void findings_print(struct scan *s, struct vids_finding *found, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((double)(found[i].time_us - s->start_us) < s->from_s * 1e6)
            continue;
        s->events++;
        if (s->only_bus != NULL)
            found[i].bus = slice_str(s->renamed);
        event_print(&found[i]);
    }
}

/* A model of one bus and a recording of one bus are the same bus, whatever the adapter was called. The first frames say
 * how many buses the recording has; standard input is not read twice, its buses are taken as they are named. */
static void bus_settle(struct scan *s)
{
    const char *known = (const char *)s->ids.buses + BUS_AT_NAME;
    struct can_frame fr;
    struct trace *tr;

    if (s->ids.bus_count != 1 || strcmp(known, "*") == 0 || strcmp(s->trace, "-") == 0 ||
        (tr = trace_open(s->trace)) == NULL)
        return;
    char seen[MODEL_BUS_NAME + 1] = "";
    bool one = true;
    for (unsigned i = 0; i < SETTLE_FRAMES && one; i++) {
        enum vs_err err = trace_next(tr, &fr);
        if (err == VS_ERR_END)
            break;
        if (err != VS_OK || (s->training.bus != NULL && !slice_equal_str(fr.bus, s->training.bus)))
            continue;
        one = seen[0] == '\0' ? slice_to_str(fr.bus, seen, sizeof seen) : slice_equal_str(fr.bus, seen);
    }
    trace_close(tr);
    if (!one || seen[0] == '\0' || strncmp(seen, known, MODEL_BUS_NAME) == 0)
        return;
    memcpy(s->renamed, seen, sizeof seen);
    s->only_bus = known;
    fprintf(stderr, "vsoc-edge: bus %s of the recording is taken for bus %.*s of the model\n", seen, MODEL_BUS_NAME,
            known);
}

static void frame_scan(struct scan *s, struct can_frame *fr, uint64_t index)
{
    static struct vids_finding found[VIDS_FINDINGS_MAX];

    if (s->training.bus != NULL && !slice_equal_str(fr->bus, s->training.bus))
        return;
    if (!s->started) {
        s->started = true;
        s->start_us = fr->time_us;
    }
    if (s->only_bus != NULL && slice_equal_str(fr->bus, s->renamed))
        fr->bus = slice_make(s->only_bus, strnlen(s->only_bus, MODEL_BUS_NAME));
    vids_seek(&s->ids, index);
    if (fr->time_us - s->ids.now_us > TICK_US)
        findings_print(s, found, vids_tick(&s->ids, fr->time_us, found, VIDS_FINDINGS_MAX));
    findings_print(s, found, vids_step(&s->ids, fr, fr->time_us, found, VIDS_FINDINGS_MAX));
}

static int trace_scan(struct scan *s)
{
    struct trace *tr = trace_open(s->trace);
    struct can_frame fr;
    enum vs_err err;

    if (tr == NULL) {
        fprintf(stderr, "vsoc-edge: %s: %s\n", s->trace, strerror(errno));
        return 2;
    }
    while ((err = trace_next(tr, &fr)) != VS_ERR_END) {
        if (err == VS_OK) {
            frame_scan(s, &fr, trace_frame_index(tr));
            continue;
        }
        if (s->bad_lines++ < BAD_LINES_MAX)
            fprintf(stderr, "vsoc-edge: %s: %s\n", trace_where(tr), vs_err_text(err));
        if (err == VS_ERR_IO || err == VS_ERR_NO_MEMORY)
            break;
    }
    trace_close(tr);
    return s->bad_lines > 0 ? 2 : 0;
}

static int model_load(struct scan *s, uint8_t **ret_blob, size_t *ret_size)
{
    if (s->model == NULL) {
        s->training.trace = s->learn;
        return edge_model_learn(&s->training, ret_blob, ret_size);
    }
    *ret_blob = edge_file_read(s->model, MODEL_SIZE_MAX, ret_size);
    return *ret_blob != NULL ? 0 : 2;
}

static int scan_run(struct scan *s, uint8_t *blob, size_t size)
{
    size_t need = vids_storage_size(slice_make(blob, size));
    void *memory = malloc(need > 0 ? need : 8);
    enum vs_err err = memory == NULL ? VS_ERR_NO_MEMORY : vids_init(&s->ids, memory, need, slice_make(blob, size));
    int status = 2;

    if (err != VS_OK) {
        fprintf(stderr, "vsoc-edge: %s: %s; make it anew with vsoc-edge learn\n", s->model != NULL ? s->model : "model",
                vs_err_text(err));
    } else {
        bus_settle(s);
        status = trace_scan(s);
        const struct vids_counters *c = &s->ids.counters;
        fprintf(stderr,
                "scanned %llu frames: %llu events, %llu hits withheld, %llu frames on buses outside the model\n",
                (unsigned long long)c->frames, (unsigned long long)s->events, (unsigned long long)c->findings_withheld,
                (unsigned long long)c->frames_unknown_bus);
        if (status == 0 && s->events > 0)
            status = 1;
    }
    free(memory);
    return status;
}

int edge_scan(int argc, char **argv)
{
    static struct scan s;
    uint8_t *blob = NULL;
    size_t size = 0;

    s.training.bitrate = LEARN_BITRATE;
    int status = arguments_read(argc, argv, &s);
    if (status == 2)
        return usage_refuse("vsoc-edge scan", argc, argv, usage);
    if (status == 1) {
        fputs(usage, stdout);
        return 0;
    }
    if (s.policy != NULL || edge_is_ethernet(s.trace))
        return edge_scan_ethernet(s.trace, s.policy);
    if (model_load(&s, &blob, &size) != 0)
        return 2;
    status = scan_run(&s, blob, size);
    free(blob);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "vsoc-edge: standard output: %s\n", strerror(errno));
        return 2;
    }
    return status;
}
