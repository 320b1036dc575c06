/* vsoc dbc: network descriptions, and frames read with them. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "app/commands.h"
#include "app/dbc_file.h"
#include "app/dbc_print.h"
#include "app/trace.h"
#include "codec/candump.h"

#define OUT_BUFFER_SIZE (256 * 1024)
#define REPORTED_MAX    10 /* bad lines shown; the rest is counted */

static const char help_text[] =
    "usage: vsoc dbc decode --dbc FILE (--trace TRACE | --frame ID#HEX ...) [--lenient]\n"
    "       vsoc dbc show FILE [--lenient]\n"
    "\n"
    "decode  One JSON line per frame on stdout:\n"
    "          frame    index from 0            time, bus  as recorded (seconds); null with --frame\n"
    "          id       hex, 3 digits or 8      type       only of \"error\" and \"remote\" frames\n"
    "          message  name, null if unknown   signals    name, raw, value, unit, text (when described)\n"
    "          missing  how many signals of the message the frame was too short for, when any\n"
    "        A multiplexer whose value selects nothing that is described has \"mux_unknown\":true. Integers are "
    "exact;\n"
    "        signals above 64 bits have raw as hex text and no value; NaN and infinity are null.\n"
    "        TRACE is a recording: candump, Vector ASC or BLF, PEAK TRC, pcap or pcapng, plain or gzip; - is standard "
    "input.\n"
    "        ID#HEX is a frame as candump writes it: 123#11223344, 18FEF100#00FF, 123##1AABBCC (FD), 123#R.\n"
    "show    One JSON line per message: id, length, cycle_ms, send_type, and the layout of its signals.\n"
    "\n"
    "--lenient also takes what cantools refuses but files in the field have: names that begin with a digit, values of\n"
    "unknown signals, identifiers above 7FF that are not marked as extended, a missing ; or receiver.\n"
    "\n"
    "Exit 0: all read. Exit 2: bad usage, or bad input with file:line:column and reason on stderr; the good lines of "
    "a\n"
    "trace are decoded all the same.\n";

struct arguments {
    const char *dbc;
    const char *trace;
    const char *frames[64];
    unsigned frame_count;
    unsigned options;
};

static int bad_usage(const char *reason, const char *what)
{
    fprintf(stderr, "vsoc dbc: %s%s; see vsoc dbc --help\n", reason, what);
    return 2;
}

/* A file that only the lenient reader takes is refused with a word on how to have it read. */
static bool open_dbc(struct dbc_file *f, const char *path, unsigned options)
{
    struct dbc_file lenient;

    if (dbc_file_open(f, path, options) != VS_OK) {
        bool would_do = (options & DBC_LENIENT) == 0 && dbc_file_open(&lenient, path, DBC_LENIENT) == VS_OK;
        fprintf(stderr, "%s%s\n", f->error, would_do ? "; --lenient takes the file" : "");
        if (would_do)
            dbc_file_close(&lenient);
        return false;
    }
    if (f->dbc.unknown_count > 0)
        fprintf(stderr,
                "%s:%" PRIu32 ": warning: statements about unknown messages or signals, %" PRIu32 " from here on\n",
                path, f->dbc.unknown_line, f->dbc.unknown_count);
    return true;
}

static int decode_trace(const struct dbc *db, const char *path)
{
    struct trace *tr = trace_open(path);
    struct can_frame fr;
    uint64_t bad_count = 0, known_count = 0;
    enum vs_err err;

    if (tr == NULL) {
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
        return 2;
    }
    while ((err = trace_next(tr, &fr)) != VS_ERR_END) {
        if (err == VS_OK) {
            known_count +=
                (fr.flags & CAN_FRAME_ERR) == 0 && dbc_find(db, fr.id, (fr.flags & CAN_FRAME_EXT) != 0) != NULL;
            dbc_print_frame(stdout, db, trace_frame_index(tr), &fr, true);
        } else if (bad_count++ < REPORTED_MAX) {
            fprintf(stderr, "%s\n", trace_where(tr));
        }
    }
    uint64_t frame_count = trace_frame_count(tr);
    fprintf(stderr, "%s: %" PRIu64 " frames, %" PRIu64 " of known messages, %" PRIu64 " bad lines", path, frame_count,
            known_count, bad_count);
    if (trace_lost_count(tr) > 0)
        fprintf(stderr, ", %" PRIu64 " frames lost before they were recorded", trace_lost_count(tr));
    fputc('\n', stderr);
    if (frame_count == 0 && bad_count == 0)
        fprintf(stderr, "%s: no frame in it; is it a CAN recording (candump, ASC, BLF, TRC, pcap, pcapng)?\n", path);
    trace_close(tr);
    return bad_count > 0 || frame_count == 0 ? 2 : 0;
}

/* The text of a frame is that of a log line without time and bus. */
static bool read_frame(const char *text, struct can_frame *ret)
{
    static const char head[] = "(0) - ";
    char line[512];
    struct candump_item item;
    struct line_fault fault;

    if (strlen(text) > sizeof line - sizeof head) {
        fprintf(stderr, "--frame %s: longer than any frame\n", text);
        return false;
    }
    snprintf(line, sizeof line, "%s%s", head, text);
    if (strchr(text, '#') == NULL) {
        fprintf(stderr, "--frame %s: expected ID#HEX, e.g. 123#11223344\n", text);
        return false;
    }
    if (candump_line(slice_str(line), &item, &fault) != VS_OK) {
        fprintf(stderr, "--frame %s: column %u: %s\n", text, fault.column - (unsigned)(sizeof head - 1), fault.reason);
        return false;
    }
    *ret = item.frame;
    return true;
}

static int decode_frames(const struct dbc *db, const struct arguments *a)
{
    struct can_frame fr;

    for (unsigned i = 0; i < a->frame_count; i++) {
        if (!read_frame(a->frames[i], &fr))
            return 2;
        dbc_print_frame(stdout, db, i, &fr, false);
    }
    return 0;
}

static int decode(const struct arguments *a)
{
    struct dbc_file f;

    if (a->dbc == NULL)
        return bad_usage("decode needs --dbc FILE", "");
    if ((a->trace == NULL) == (a->frame_count == 0))
        return bad_usage("decode needs either --trace or --frame", "");
    if (!open_dbc(&f, a->dbc, a->options))
        return 2;
    int code = a->trace != NULL ? decode_trace(&f.dbc, a->trace) : decode_frames(&f.dbc, a);
    dbc_file_close(&f);
    return code;
}

static int show(const char *path, unsigned options)
{
    struct dbc_file f;

    if (!open_dbc(&f, path, options))
        return 2;
    for (uint32_t i = 0; i < f.dbc.message_count; i++)
        dbc_print_message(stdout, &f.dbc, &f.dbc.messages[i]);
    fprintf(stderr, "%s: %" PRIu32 " messages, %" PRIu32 " signals\n", path, f.dbc.message_count, f.dbc.signal_count);
    dbc_file_close(&f);
    return 0;
}

/* True when all options were understood; else *ret_code is what to exit with. */
static bool read_options(int argc, char **argv, struct arguments *a, int *ret_code)
{
    static const struct option options[] = {
        {"dbc", required_argument, NULL, 'd'},   {"trace", required_argument, NULL, 't'},
        {"frame", required_argument, NULL, 'f'}, {"lenient", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    int c;

    optind = 1;
    opterr = 0;
    *ret_code = 2;
    while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (c == 'd') {
            a->dbc = optarg;
        } else if (c == 't') {
            a->trace = optarg;
        } else if (c == 'l') {
            a->options |= DBC_LENIENT;
        } else if (c == 'h') {
            fputs(help_text, stdout);
            *ret_code = 0;
            return false;
        } else if (c == 'f' && a->frame_count < sizeof a->frames / sizeof a->frames[0]) {
            a->frames[a->frame_count++] = optarg;
        } else {
            bad_usage(c == 'f' ? "more than 64 frames; use --trace - for "
                               : "unknown option, or one without its value: ",
                      c == 'f' ? optarg : argv[optind - 1]);
            return false;
        }
    }
    return true;
}

int cmd_dbc(int argc, char **argv)
{
    struct arguments a = {0};
    int code;

    if (!read_options(argc, argv, &a, &code))
        return code;
    const char *verb = optind < argc ? argv[optind] : "";
    int rest = argc - optind - 1;
    static char buffer[OUT_BUFFER_SIZE];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (strcmp(verb, "decode") == 0 && rest == 0)
        code = decode(&a);
    else if (strcmp(verb, "show") == 0 && rest == 1)
        code = show(argv[optind + 1], a.options);
    else
        return bad_usage("expected decode or show FILE, got ", *verb != '\0' ? verb : "nothing");
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "vsoc dbc: writing failed: %s\n", strerror(errno));
        return 2;
    }
    return code;
}
