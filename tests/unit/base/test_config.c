/* config: what a file may say, and that each mistake is named with its line and leaves the target as it was. */
#include "base/config.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"

struct target {
    char name[16];
    char path[64];
    bool on;
    uint16_t port;
    uint32_t rate;
};

static const struct config_option OPTION[] = {
    {"name", CONFIG_TEXT, offsetof(struct target, name), 0, 16, "none", true, "a name"},
    {"door.path", CONFIG_PATH, offsetof(struct target, path), 0, 64, "", false, "a path"},
    {"door.on", CONFIG_BOOL, offsetof(struct target, on), 0, 0, "false", false, "true or false"},
    {"door.port", CONFIG_U16, offsetof(struct target, port), 1, 60000, "80", false, "a port"},
    {"rate", CONFIG_U32, offsetof(struct target, rate), 5, 100, "7", false, "per second"},
};
#define OPTIONS (sizeof OPTION / sizeof OPTION[0])

static enum vs_err read_text(const char *text, struct target *t, struct config_error *e)
{
    char path[] = "/tmp/vsoc-config-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    config_defaults(OPTION, OPTIONS, t);
    enum vs_err err = config_read(path, OPTION, OPTIONS, t, sizeof *t, e);
    unlink(path);
    return err;
}

static void values_arrive_and_defaults_stay(void **state)
{
    struct target t = {0};
    struct config_error e;

    (void)state;
    assert_int_equal(read_text("name: car # a comment\ndoor:\n  path: a/b\n  on: true\n", &t, &e), VS_OK);
    assert_string_equal(t.name, "car");
    assert_string_equal(t.path, "/tmp/a/b");
    assert_true(t.on);
    assert_int_equal(t.port, 80);
    assert_int_equal(t.rate, 7);
    assert_int_equal(
        read_text("{\"name\": \"x\", \"door\": {\"path\": \"/abs\", \"port\": 60000}, \"rate\": 5}", &t, &e), VS_OK);
    assert_string_equal(t.path, "/abs");
    assert_int_equal(t.port, 60000);
}

struct bad {
    const char *text;
    unsigned line;
    const char *says;
};

static void mistakes_are_named(void **state)
{
    static const struct bad BAD[] = {
        {"name: a\nnmae: b\n", 2, "unknown key nmae"},
        {"name: a\nname: b\n", 2, "twice"},
        {"name: a\nrate: 4\n", 2, "rate"},
        {"name: a\nrate: 101\n", 2, "rate"},
        {"name: a\nrate: 10x\n", 2, "rate"},
        {"name: a\nrate: -6\n", 2, "rate"},
        {"name: a\ndoor:\n  on: maybe\n", 3, "door.on"},
        {"name: a\ndoor:\n  port: 60001\n", 3, "door.port"},
        {"name: a\ndoor:\n  port: [1]\n", 3, "one value"},
        {"name: a name that is too long\n", 1, "name"},
        {"rate: 6\n", 0, "name is missing"},
        {"name: ''\n", 0, "name is missing"},
        {"- a\n- b\n", 1, "mapping"},
        {"name: a\n bad: [\n", 2, "not YAML"},
        {"", 1, "mapping"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct target t = {.rate = 1}, before;
        struct config_error e = {0};

        config_defaults(OPTION, OPTIONS, &t);
        before = t;
        CHECK_ROW(i, read_text(BAD[i].text, &t, &e) == VS_ERR_CONFIG);
        CHECK_ROW(i, strstr(e.text, BAD[i].says) != NULL);
        CHECK_ROW(i, BAD[i].line == e.line || (BAD[i].line == 2 && strcmp(BAD[i].says, "not YAML") == 0));
        CHECK_ROW(i, memcmp(&t, &before, sizeof t) == 0);
    }
}

static void a_missing_file_is_said(void **state)
{
    struct target t;
    struct config_error e;

    (void)state;
    assert_int_equal(config_read("/nonexistent/x.yaml", OPTION, OPTIONS, &t, sizeof t, &e), VS_ERR_CONFIG);
    assert_non_null(strstr(e.text, "cannot open"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_arrive_and_defaults_stay),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_missing_file_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
