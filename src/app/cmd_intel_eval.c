/* vsoc intel eval: STIX patterns on observations, one case a line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/intel_commands.h"
#include "app/usage.h"
#include "base/jsonl/json_lines.h"
#include "core/writer.h"
#include "detect/intel/intel_index.h"
#include "detect/intel/stix_eval.h"
#include "detect/intel/stix_observed.h"

#define OBSERVATIONS_MAX STIX_INSTANCES_MAX

static const char USAGE[] =
    "usage: vsoc intel eval FILE\n\n"
    "Evaluates STIX patterns. Each line is {\"pattern\": \"..\", \"observations\": [{\"first_observed\": .., "
    "\"last_observed\":\n"
    "..., \"number_observed\": 1, \"objects\": [..]}, ..]}; without observations the pattern is only read. Prints a "
    "line\n"
    "each: {\"line\":1,\"ok\":true,\"match\":true,\"live\":true} or "
    "{\"line\":1,\"ok\":false,\"byte\":7,\"error\":\"..\"}.\n"
    "`live` tells whether the daemon would match it on single events; if not, live_byte and live_error say why.\n"
    "Exit 1 when a pattern is wrong.\n";

struct evaluator {
    struct json_doc *doc;
    struct intel_check *check;
    struct stix_pattern pattern;
    struct stix_tree tree;
    struct stix_observation seen[OBSERVATIONS_MAX];
};

static void print_text(const char *name, const char *text)
{
    char buf[1024];
    struct writer w;

    writer_init(&w, buf, sizeof buf);
    writer_json_text(&w, slice_str(text));
    printf(",\"%s\":%.*s", name, (int)w.len, buf);
}

static enum vs_err read_observations(struct evaluator *ev, struct json_node line, uint32_t *ret_count,
                                     const char **ret_reason)
{
    struct json_node list, item;
    struct json_walk w;
    struct slice key;
    enum vs_err err = VS_OK;

    stix_tree_reset(&ev->tree);
    *ret_count = 0;
    if (!json_node_find(line, "observations", &list) || json_node_kind(list) != JSON_NODE_ARRAY)
        return VS_OK;
    json_walk_init(&w, list);
    while (err == VS_OK && json_walk_next(&w, &key, &item)) {
        *ret_reason = "more than 64 observations";
        if (*ret_count == OBSERVATIONS_MAX)
            return VS_ERR_LIMIT;
        err = stix_observed_read(item, &ev->tree, &ev->seen[(*ret_count)++], ret_reason);
    }
    return err;
}

static void print_live(struct evaluator *ev, struct slice pattern)
{
    struct stix_fault fault;
    bool live = intel_check_pattern(ev->check, pattern, &fault) == VS_OK;

    printf(",\"live\":%s", live ? "true" : "false");
    if (!live) {
        printf(",\"live_byte\":%u", fault.position);
        print_text("live_error", fault.text);
    }
}

static bool eval_line(struct evaluator *ev, uint64_t number, struct slice text)
{
    static const char *const ANSWER[] = {"false", "true", "null"};
    struct json_node line, pattern;
    struct stix_fault fault = {0, ""};
    const char *reason = "not an object with a pattern";
    uint32_t count = 0;
    bool ok = false;

    printf("{\"line\":%llu", (unsigned long long)number);
    if (json_doc_parse(ev->doc, text, &line, &reason) != VS_OK || !json_node_find(line, "pattern", &pattern) ||
        json_node_kind(pattern) != JSON_NODE_TEXT || read_observations(ev, line, &count, &reason) != VS_OK) {
        printf(",\"ok\":false");
        print_text("error", reason);
    } else if (stix_pattern_parse(&ev->pattern, json_node_text(pattern), &fault) != VS_OK) {
        printf(",\"ok\":false,\"byte\":%u", fault.position);
        print_text("error", fault.text);
    } else {
        ok = true;
        printf(",\"ok\":true,\"match\":%s", ANSWER[stix_eval(&ev->pattern, &ev->tree, ev->seen, count)]);
        print_live(ev, json_node_text(pattern));
    }
    printf("}\n");
    return ok;
}

int intel_eval_command(int argc, char **argv)
{
    struct text_file file = {{NULL, 0}, NULL, 0, false};
    struct json_lines lines;
    struct slice text;
    int code = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return 0;
    }
    if (argc != 2)
        return usage_refuse("vsoc intel eval", argc, argv, USAGE);
    if (text_file_open(argv[1], &file) != VS_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    struct evaluator *ev = calloc(1, sizeof *ev);
    if (ev == NULL || json_doc_new(&ev->doc) != VS_OK || intel_check_new(&ev->check) != VS_OK) {
        fprintf(stderr, "vsoc intel eval: out of memory\n");
        return 2;
    }
    stix_pattern_init(&ev->pattern);
    stix_tree_init(&ev->tree);
    json_lines_init(&lines, file.bytes);
    while (json_lines_next(&lines, &text))
        if (!eval_line(ev, lines.line, text))
            code = 1;
    stix_pattern_done(&ev->pattern);
    stix_tree_done(&ev->tree);
    intel_check_free(ev->check);
    json_doc_free(ev->doc);
    free(ev);
    text_file_close(&file);
    return code;
}
