/* vsoc rule: check, test, eval, backtest, explain, dry-run and versions of detection rules. Here are the arguments;
 * each verb has a file rule_<verb>.c, and the work is in src/detect. */
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/rule_cli.h"
#include "app/usage.h"
#include "detect/lab/backtest.h"

static const char USAGE[] =
    "usage: vsoc rule check PATH... [--strict]\n"
    "       vsoc rule test PATH... [--junit FILE]\n"
    "       vsoc rule eval --rules PATH... --events FILE [--logsource] [--skip-broken] [--strict]\n"
    "       vsoc rule backtest --rules PATH... --events FILE [--workers N] [--skip-broken] [--strict]\n"
    "                          [--expect FILE [--junit FILE]]\n"
    "       vsoc rule explain --rule PATH --events FILE [--dbc FILE]\n"
    "       vsoc rule explain --rules PATH... --events FILE --alert ID [--dbc FILE]\n"
    "       vsoc rule explain --store ADDRESS --alert ID\n"
    "       vsoc rule dry-run --rule DRAFT (--archive ADDRESS | --events FILE) [--rules PATH...] [--store ADDRESS]\n"
    "                         [--budget NAME=N,...] [--all]\n"
    "       vsoc rule versions --rules PATH...\n"
    "       vsoc rule versions --store ADDRESS [--show HASH] [--alert ID]\n"
    "\n"
    "PATH is a Sigma file or a folder of them; FILE holds one JSON object per line, - is standard input. ADDRESS of a\n"
    "store is sqlite:FILE, of an archive segment:FOLDER. --placeholders FILE (any verb that loads rules) gives the\n"
    "values of |expand placeholders.\n"
    "\n"
    "check     reads rules and reports every problem with file, line and column. Rules below a folder named content,\n"
    "          or all with --strict, must say in a vsoc block which threat they serve and who owns them.\n"
    "test      runs the <name>.test.yml beside the rules.\n"
    "eval      prints one line per match of a detection: {\"rule\":..,\"line\":..}. The log source of a rule is\n"
    "          consulted only with --logsource.\n"
    "backtest  prints the alerts that these events give, sorted by rule, group and time. Each line needs vin, time "
    "and\n"
    "          type. With --expect (alerts as backtest prints them, or some of their keys) it prints how they differ\n"
    "          instead, and the exit status is 1 when they do.\n"
    "explain   says for each event which parts of the rule matched, which did not and what is missing, or of one "
    "alert\n"
    "          what each member added and where the threshold was met. --alert takes the start of an id.\n"
    "dry-run   runs a draft over the event log or a file: alerts and vehicles per day, cost, incidents of the store\n"
    "          that it would have found or missed. Over budget (vsoc: budget: of the rule, or --budget\n"
    "          alerts_per_day=5,vehicles_per_day=20,cost_ns=500) the exit status is 1; --all prints every day.\n"
    "versions  prints the hash of each rule as loaded, or lists (--show: prints) the versions that wrote alerts.\n"
    "\n"
    "Lines that are no JSON object, or no event, are reported on standard error and left out; with --strict they make\n"
    "the exit status 2. Broken rules stop eval and backtest unless --skip-broken is given.\n";

static const struct rule_verb VERB[] = {
    {"check", rule_check, true, true},        {"test", rule_test, true, true},
    {"eval", rule_eval, false, true},         {"backtest", rule_backtest, false, true},
    {"explain", rule_explain, false, false},  {"dry-run", rule_dry_run, false, true},
    {"versions", rule_versions, false, false}};

int rule_usage(const char *reason)
{
    fprintf(stderr, "vsoc rule: %s\n\n%s", reason, USAGE);
    return EXIT_USAGE;
}

/* Options with one value. */
static const char **value_of(struct rule_options *o, const char *arg)
{
    const struct {
        const char *name;
        const char **to;
    } OPTION[] = {{"--events", &o->events}, {"--expect", &o->expect},   {"--junit", &o->junit},
                  {"--alert", &o->alert},   {"--dbc", &o->dbc},         {"--store", &o->store},
                  {"--budget", &o->budget}, {"--archive", &o->archive}, {"--show", &o->show}};

    for (size_t i = 0; i < sizeof OPTION / sizeof OPTION[0]; i++)
        if (strcmp(arg, OPTION[i].name) == 0)
            return OPTION[i].to;
    return NULL;
}

static bool *flag_of(struct rule_options *o, const char *arg)
{
    const struct {
        const char *name;
        bool *to;
    } FLAG[] = {{"--strict", &o->strict},
                {"--logsource", &o->logsource},
                {"--skip-broken", &o->skip_broken},
                {"--all", &o->all}};

    for (size_t i = 0; i < sizeof FLAG / sizeof FLAG[0]; i++)
        if (strcmp(arg, FLAG[i].name) == 0)
            return FLAG[i].to;
    return NULL;
}

static const char *read_workers(const char *text, struct rule_options *o)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || n < 1 || n > BACKTEST_WORKERS_MAX)
        return "--workers needs a number from 1 to 64";
    o->workers = (unsigned)n;
    return NULL;
}

static const char *add_path(const char *path, struct rule_options *o)
{
    if (o->path_count == RULE_PATHS_MAX)
        return "too many paths";
    o->path[o->path_count++] = path;
    return NULL;
}

static const char *read_options(int argc, char **argv, bool free_paths, struct rule_options *o)
{
    bool paths = free_paths;
    const char *wrong = NULL;

    for (int i = 0; i < argc && wrong == NULL; i++) {
        const char *arg = argv[i];
        const char **value = i + 1 < argc ? value_of(o, arg) : NULL;
        bool *flag = flag_of(o, arg);
        if (strcmp(arg, "--rules") == 0 || strcmp(arg, "--rule") == 0) {
            paths = true;
            if (strcmp(arg, "--rule") == 0 && o->draft == NULL && i + 1 < argc)
                o->draft = argv[i + 1];
        } else if (value != NULL) {
            *value = argv[++i];
            paths = free_paths;
        } else if (flag != NULL) {
            *flag = true;
        } else if (strcmp(arg, "--workers") == 0 && i + 1 < argc) {
            wrong = read_workers(argv[++i], o);
            paths = free_paths;
        } else if (strcmp(arg, "--placeholders") == 0 && i + 1 < argc) {
            if (o->placeholders_count == RULE_PLACEHOLDERS_MAX)
                return "too many --placeholders";
            o->placeholders[o->placeholders_count++] = argv[++i];
            paths = free_paths;
        } else if (arg[0] == '-' && arg[1] != '\0') {
            wrong = "unknown option, or an option without its value";
        } else {
            wrong = paths ? add_path(arg, o) : "unexpected argument; rules are named after --rules";
        }
    }
    return wrong;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return argc > 1 && strcmp(argv[1], "help") == 0;
}

int cmd_rule(int argc, char **argv)
{
    static struct rule_options o;

    if (argc < 2)
        return rule_usage("which verb?");
    if (wants_help(argc, argv)) {
        fputs(USAGE, stdout);
        return EXIT_OK;
    }
    if (argv[1][0] == '-')
        return usage_refuse("vsoc rule", argc, argv, USAGE);
    o.workers = 1;
    for (size_t i = 0; i < sizeof VERB / sizeof VERB[0]; i++) {
        if (strcmp(argv[1], VERB[i].name) != 0)
            continue;
        const char *wrong = read_options(argc - 2, argv + 2, VERB[i].free_paths, &o);
        if (wrong == NULL && VERB[i].needs_rules && o.path_count == 0)
            wrong = "no rules named";
        return wrong != NULL ? rule_usage(wrong) : VERB[i].run(&o);
    }
    return rule_usage("unknown verb");
}
