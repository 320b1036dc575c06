/* vsoc mapping: backend logs to events. The work is in src/ingest/mapping.h; here are arguments, files and output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/file_text.h"
#include "app/usage.h"
#include "base/jsonl/json_lines.h"
#include "ingest/mapping.h"
#include "ingest/receive.h"

#define SHOWN_MAX   20
#define OUTPUT_STEP (4u << 20) /* bytes of events handed to the door's code at a time */

struct options {
    const char *mapping, *file;
    const char *key_file, *feed;
    const char *rejects;
};

static const char USAGE[] =
    "usage: vsoc mapping check FILE...\n"
    "       vsoc mapping convert --mapping FILE LOG [--rejects FILE] [--pseudonym-key FILE --feed NAME]\n\n"
    "A mapping (content/mappings, docs/formats/mapping.md) says how the lines of another system's log become "
    "events.\n\n"
    "check    reads mappings; every problem is named with file and line.\n"
    "convert  reads a log (\"-\" is standard input) and prints one event a line, ready for a feed's upload:\n\n"
    "             vsoc mapping convert --mapping content/mappings/keycloak.yml events.log |\n"
    "                 curl --cert feed.pem --key feed.key --cacert server-ca.pem \\\n"
    "                      -H 'Content-Type: application/x-ndjson' --data-binary @- https://HOST:8443/v1/events\n\n"
    "         Lines that are not understood become `log.unmapped`, which ends in the dead-letter store; the lines\n"
    "         themselves stay here, in the file of --rejects, since they may name people.\n"
    "         With --pseudonym-key and --feed, VIN and accounts are replaced as at the door of that feed, for "
    "backtests.\n\n"
    "Exit 0 when every line was understood, 1 when some were not, 2 on bad usage or a bad mapping.\n";

static struct mapping *load(const char *path)
{
    struct mapping *m = NULL;
    struct mapping_error error = {0, "out of memory"};
    size_t size = 0;
    char *text = file_text_read(path, &size);

    if (text == NULL)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    else if (mapping_new(slice_make(text, size), &m, &error) != VS_OK)
        fprintf(stderr, "%s:%u: %s\n", path, error.line, error.text);
    free(text);
    return m;
}

static int check(int argc, char **argv)
{
    int code = 0;

    for (int i = 2; i < argc; i++) {
        struct mapping *m = load(argv[i]);
        if (m == NULL)
            code = 2;
        else
            printf("{\"path\":\"%s\",\"mapping\":\"%.*s\",\"ok\":true}\n", argv[i], (int)mapping_name(m).len,
                   (const char *)mapping_name(m).ptr);
        mapping_free(m);
    }
    return argc < 3 ? usage_refuse("vsoc mapping check", argc, argv, USAGE) : code;
}

/* ---- convert */

struct conversion {
    const struct options *opt;
    struct mapping_run *run;
    struct receiver *receiver; /* NULL: events as they are */
    uint8_t key[PSEUDONYM_KEY_SIZE];
    FILE *rejects;
    uint64_t lines, count[MAPPING_OUTCOME_COUNT];
    struct writer out;
};

static enum vs_err print_record(const struct stream_record *rec, void *ctx)
{
    (void)ctx;
    return fwrite(rec->value.ptr, 1, rec->value.len, stdout) == rec->value.len ? VS_OK : VS_ERR_IO;
}

/* What has gathered, to standard output, through the door's own code when pseudonyms are asked for. */
static bool flush_out(struct conversion *c)
{
    struct slice text = writer_slice(&c->out);
    struct receive_refusal no = {VS_OK, "", 0};
    bool ok;

    if (c->receiver == NULL)
        ok = fwrite(text.ptr, 1, text.len, stdout) == text.len;
    else
        ok = receive_feed(c->receiver, text, slice_str(c->opt->feed), c->key, 0, print_record, NULL, &no) == VS_OK;
    if (!ok)
        fprintf(stderr, "vsoc mapping: cannot write: %s\n", no.err != VS_OK ? no.reason : strerror(errno));
    writer_init(&c->out, c->out.buf, c->out.size);
    return ok;
}

static void complain(struct conversion *c, struct slice line, enum mapping_outcome outcome, const char *reason)
{
    if (c->count[MAPPING_UNMAPPED] + c->count[MAPPING_BROKEN] <= SHOWN_MAX)
        fprintf(stderr, "%s:%llu: %s: %s\n", c->opt->file, (unsigned long long)c->lines,
                outcome == MAPPING_UNMAPPED ? "unmapped" : "broken", reason);
    if (c->rejects != NULL)
        fprintf(c->rejects, "%.*s\n", (int)line.len, (const char *)line.ptr);
}

static bool take_line(struct conversion *c, struct slice line)
{
    const char *reason = "";

    c->lines++;
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
        line.len--;
    if (line.len == 0)
        return true;
    enum mapping_outcome outcome = mapping_run_line(c->run, line, c->lines, &c->out, &reason);
    c->count[outcome]++;
    if (outcome == MAPPING_UNMAPPED || outcome == MAPPING_BROKEN)
        complain(c, line, outcome, reason);
    /* The door takes 10,000 lines at a time; a line has more than 40 bytes, so that bytes bound lines, too. */
    if (c->out.len > OUTPUT_STEP / 16 || c->out.size - c->out.len < MAPPING_EVENT_MAX)
        return flush_out(c);
    return true;
}

static bool take_file(struct conversion *c, struct slice text)
{
    bool ok = true;

    while (ok && text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        struct slice line = slice_head(text, end != NULL ? (size_t)(end - text.ptr) : text.len);

        ok = take_line(c, line);
        text = slice_from(text, line.len + 1);
    }
    return ok && flush_out(c) && fflush(stdout) == 0;
}

static bool prepare(struct conversion *c, const struct mapping *m)
{
    char *key = c->opt->key_file != NULL ? file_text_read(c->opt->key_file, NULL) : NULL;
    bool ok = mapping_run_new(m, &c->run) == VS_OK;

    if (ok && c->opt->key_file != NULL) {
        ok = key != NULL && pseudonym_key_read(slice_str(key), c->key) == VS_OK && receiver_new(&c->receiver) == VS_OK;
        if (!ok)
            fprintf(stderr, "%s: %s\n", c->opt->key_file, key == NULL ? strerror(errno) : "a key is 64 hex digits");
    }
    if (ok && c->opt->rejects != NULL) {
        c->rejects = fopen(c->opt->rejects, "wb");
        ok = c->rejects != NULL;
        if (!ok)
            fprintf(stderr, "%s: %s\n", c->opt->rejects, strerror(errno));
    }
    free(key);
    return ok;
}

static int run_convert(const struct options *opt, const struct mapping *m)
{
    struct conversion c = {.opt = opt};
    struct text_file file = {{NULL, 0}, NULL, 0, false};
    void *buffer = malloc(OUTPUT_STEP);
    int code = 2;

    writer_init(&c.out, buffer, OUTPUT_STEP);
    if (buffer != NULL && prepare(&c, m)) {
        if (text_file_open(opt->file, &file) != VS_OK)
            fprintf(stderr, "%s: %s\n", opt->file, strerror(errno));
        else if (take_file(&c, file.bytes))
            code = c.count[MAPPING_UNMAPPED] + c.count[MAPPING_BROKEN] > 0;
        fprintf(stderr, "{\"lines\":%llu,\"events\":%llu,\"ignored\":%llu,\"unmapped\":%llu,\"broken\":%llu}\n",
                (unsigned long long)c.lines, (unsigned long long)c.count[MAPPING_EVENT],
                (unsigned long long)c.count[MAPPING_IGNORED], (unsigned long long)c.count[MAPPING_UNMAPPED],
                (unsigned long long)c.count[MAPPING_BROKEN]);
        text_file_close(&file);
    }
    if (c.rejects != NULL && fclose(c.rejects) != 0)
        code = 2;
    receiver_free(c.receiver);
    mapping_run_free(c.run);
    free(buffer);
    return code;
}

static int convert(int argc, char **argv)
{
    struct options opt = {0};
    const struct {
        const char *name;
        const char **value;
    } OPTION[] = {{"--mapping", &opt.mapping},
                  {"--pseudonym-key", &opt.key_file},
                  {"--feed", &opt.feed},
                  {"--rejects", &opt.rejects}};

    for (int i = 2; i < argc; i++) {
        const char **value = opt.file == NULL && (argv[i][0] != '-' || argv[i][1] == '\0') ? &opt.file : NULL;

        for (size_t k = 0; value == NULL && i + 1 < argc && k < sizeof OPTION / sizeof OPTION[0]; k++)
            if (strcmp(argv[i], OPTION[k].name) == 0)
                value = OPTION[k].value;
        if (value == NULL)
            return usage_refuse("vsoc mapping convert", argc, argv, USAGE);
        *value = value == &opt.file ? argv[i] : argv[++i];
    }
    if (opt.mapping == NULL || opt.file == NULL || (opt.key_file == NULL) != (opt.feed == NULL))
        return usage_refuse("vsoc mapping convert", argc, argv, USAGE);
    struct mapping *m = load(opt.mapping);
    int code = m != NULL ? run_convert(&opt, m) : 2;
    mapping_free(m);
    return code;
}

int cmd_mapping(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "check") == 0)
        return check(argc, argv);
    if (argc >= 2 && strcmp(argv[1], "convert") == 0)
        return convert(argc, argv);
    return usage_refuse("vsoc mapping", argc, argv, USAGE);
}
