/* edge_model: recordings and a network description in, a model blob out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/edge_commands.h"
#include "app/trace.h"

#define DBC_SIZE_MAX (64u << 20)

uint8_t *edge_file_read(const char *path, size_t max, size_t *ret_size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = NULL;
    size_t len = 0, room = 65536;

    if (f == NULL) {
        fprintf(stderr, "vsoc-edge: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    for (;;) {
        uint8_t *more = realloc(buf, room + 1);
        if (more == NULL || len > max) {
            fprintf(stderr, "vsoc-edge: %s: larger than %zu bytes or out of memory\n", path, max);
            free(more != NULL ? more : buf);
            fclose(f);
            return NULL;
        }
        buf = more;
        len += fread(buf + len, 1, room - len, f);
        if (len < room)
            break;
        room *= 2;
    }
    if (ferror(f)) {
        fprintf(stderr, "vsoc-edge: %s: cannot be read: %s\n", path, strerror(errno));
        free(buf);
        fclose(f);
        return NULL;
    }
    fclose(f);
    *ret_size = len;
    return buf;
}

bool edge_bitrate(const char *text, uint32_t *ret)
{
    char *end = NULL;
    unsigned long long v = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || v < 1 || v > UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

bool edge_seconds(const char *text, double *ret)
{
    char *end;

    errno = 0;
    double v = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(v >= 0 && v < 1e9))
        return false;
    *ret = v;
    return true;
}

struct description {
    struct dbc db;
    struct dbc_memory memory;
};

static void description_free(struct description *d)
{
    free(d->memory.messages);
    free(d->memory.signals);
    free(d->memory.ranges);
    free(d->memory.texts);
    free(d->memory.pool);
}

static bool description_room(struct description *d)
{
    struct dbc_memory *m = &d->memory;

    m->messages = calloc(m->messages_max + 1u, sizeof *m->messages);
    m->signals = calloc(m->signals_max + 1u, sizeof *m->signals);
    m->ranges = calloc(m->ranges_max + 1u, sizeof *m->ranges);
    m->texts = calloc(m->texts_max + 1u, sizeof *m->texts);
    m->pool = malloc(m->pool_size + 1u);
    return m->messages != NULL && m->signals != NULL && m->ranges != NULL && m->texts != NULL && m->pool != NULL;
}

static int description_read(const char *path, bool lenient, struct description *d)
{
    size_t size;
    uint8_t *text = edge_file_read(path, DBC_SIZE_MAX, &size);
    struct dbc_fault fault = {0};

    if (text == NULL)
        return 2;
    dbc_need(slice_make(text, size), &d->memory);
    if (!description_room(d)) {
        fprintf(stderr, "vsoc-edge: %s: out of memory\n", path);
        free(text);
        return 2;
    }
    dbc_init(&d->db, &d->memory);
    enum vs_err err = dbc_parse(&d->db, slice_make(text, size), lenient ? DBC_LENIENT : 0, &fault);
    if (err != VS_OK)
        fprintf(stderr, "vsoc-edge: %s:%u:%u: %s%s\n", path, fault.line, fault.column,
                fault.reason != NULL ? fault.reason : vs_err_text(err),
                lenient ? "" : "; --lenient takes more than the format allows");
    free(text);
    return err == VS_OK ? 0 : 2;
}

/* One recording into the learner. Lines that break their format are told and passed over, up to a bound. */
static int recording_learn(struct learner *l, const struct edge_training *t, const char *path)
{
    struct trace *tr = trace_open(path);
    struct can_frame fr;
    enum vs_err err;
    int64_t start_us = 0;
    bool started = false;

    if (tr == NULL) {
        fprintf(stderr, "vsoc-edge: %s: %s\n", path, strerror(errno));
        return 2;
    }
    learner_session(l);
    while ((err = trace_next(tr, &fr)) == VS_OK) {
        if (t->bus != NULL && !slice_equal_str(fr.bus, t->bus))
            continue;
        if (!started)
            start_us = fr.time_us;
        started = true;
        if (t->until_s > 0 && (double)(fr.time_us - start_us) >= t->until_s * 1e6)
            continue;
        if ((err = learner_frame(l, &fr)) != VS_OK)
            break;
    }
    if (err != VS_ERR_END)
        fprintf(stderr, "vsoc-edge: %s: %s\n", trace_where(tr), vs_err_text(err));
    trace_close(tr);
    return err == VS_ERR_END ? 0 : 2;
}

static void report_print(const struct learn_report *r, size_t size)
{
    fprintf(
        stderr,
        "learned %llu frames in %u.%03u s: %u identifiers on %u buses, %u cyclic, %u sporadic, %u with alive counter, "
        "%u from the description; model %zu bytes\n",
        (unsigned long long)r->frames, r->trained_ms / 1000, r->trained_ms % 1000, r->ids, r->buses, r->ids_cyclic,
        r->ids_sporadic, r->ids_counter, r->ids_specified, size);
    fprintf(stderr, "calibration: %u thresholds widened, %u detectors disarmed", r->detectors_widened,
            r->detectors_disarmed);
    if (r->signals > 0)
        fprintf(stderr, ", %u of %u signal ranges disarmed because the recordings contradict them", r->signals_disarmed,
                r->signals);
    fprintf(stderr, "; payload models %s\n",
            r->ids_payload > 0 ? "armed where the second half of the calibration brought nothing new"
                               : "not armed: they need 20 minutes without news in the second half");
    if (r->frames_left_out > 0)
        fprintf(stderr, "left out: %llu error, remote or surplus frames\n", (unsigned long long)r->frames_left_out);
}

static int training_run(struct learner *l, const struct edge_training *t, struct description *d, uint8_t **ret_blob,
                        size_t *ret_size)
{
    struct learn_report report;

    if (t->dbc != NULL) {
        if (description_read(t->dbc, t->lenient, d) != 0)
            return 2;
        learner_dbc(l, &d->db);
    }
    for (unsigned i = 0; i < t->trace_count; i++)
        if (recording_learn(l, t, t->trace[i]) != 0)
            return 2;
    enum vs_err err = learner_finish(l, ret_blob, ret_size, &report);
    if (err != VS_OK) {
        fprintf(stderr, "vsoc-edge: no model could be made: %s\n", vs_err_text(err));
        return 2;
    }
    if (t->trace_count > 0 || t->dbc != NULL)
        report_print(&report, *ret_size);
    return 0;
}

int edge_model_learn(const struct edge_training *t, uint8_t **ret_blob, size_t *ret_size)
{
    struct learner *l = learner_new(t->bitrate);
    struct description d;

    memset(&d, 0, sizeof d);
    if (l == NULL) {
        fprintf(stderr, "vsoc-edge: out of memory\n");
        return 2;
    }
    int status = training_run(l, t, &d, ret_blob, ret_size);
    learner_free(l);
    description_free(&d);
    return status;
}
