/* vsoc user: the people who may log in.
 *
 *   vsoc user add NAME --role R[,R..] --config F      password from stdin, one line
 *   vsoc user set NAME --role R[,R..] --config F      replaces roles and password, ends the sessions
 *   vsoc user list --config F */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/commands.h"
#include "app/vsocd_config.h"
#include "app/wall_clock.h"
#include "base/crypto.h"
#include "core/writer.h"
#include "respond/users.h"

struct options {
    const char *verb, *name, *roles, *config, *display;
};

static void usage(FILE *out)
{
    fprintf(
        out,
        "usage: vsoc user add NAME --role ROLE[,ROLE..] --config FILE [--display TEXT] < password\n"
        "       vsoc user set NAME --role ROLE[,ROLE..] --config FILE [--display TEXT] < password\n"
        "       vsoc user list --config FILE\n\n"
        "Adds a person who may log in to the console and the API, or replaces roles and password of one who is there\n"
        "(set), which ends their sessions. The password is the first line of stdin, at least %d "
        "characters.\n\nRoles:\n",
        USERS_PASSWORD_MIN);
    for (int r = 0; r < ROLE_COUNT; r++)
        fprintf(out, "  %-8s %s\n", role_code((enum role)r), role_name((enum role)r));
}

/* False: said what is wrong. */
static bool read_options(int argc, char **argv, struct options *o)
{
    memset(o, 0, sizeof *o);
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--role") == 0      ? &o->roles
                             : strcmp(argv[i], "--config") == 0  ? &o->config
                             : strcmp(argv[i], "--display") == 0 ? &o->display
                                                                 : NULL;
        if (value != NULL && i + 1 < argc) {
            *value = argv[++i];
        } else if (argv[i][0] == '-' || value != NULL) {
            fprintf(stderr, "vsoc user: %s %s; see vsoc user --help\n", argv[i],
                    value != NULL ? "needs a value" : "is unknown");
            return false;
        } else if (o->verb == NULL) {
            o->verb = argv[i];
        } else if (o->name == NULL) {
            o->name = argv[i];
        } else {
            fprintf(stderr, "vsoc user: one argument too many: %s\n", argv[i]);
            return false;
        }
    }
    if (o->verb == NULL || o->config == NULL) {
        usage(stderr);
        return false;
    }
    return true;
}

/* The first user is added before vsocd ever ran: the database's folder may have to be made. */
static bool make_folders(const struct vsocd_config *cfg)
{
    char path[VSOCD_PATH_MAX];

    snprintf(path, sizeof path, "%s/state", cfg->data_dir);
    if ((mkdir(cfg->data_dir, 0700) == 0 || errno == EEXIST) && (mkdir(path, 0700) == 0 || errno == EEXIST))
        return true;
    fprintf(stderr, "vsoc user: %s: cannot make the folder: %s\n", path, strerrorname_np(errno));
    return false;
}

static bool open_store(const char *config, struct store **ret)
{
    struct vsocd_config cfg;
    char address[VSOCD_PATH_MAX];
    struct store_error error = {""};

    if (!vsocd_config_read(config, &cfg) || !make_folders(&cfg))
        return false;
    vsocd_store_address(&cfg, address);
    if (store_open(address, ret, &error) == VS_OK)
        return true;
    fprintf(stderr, "vsoc user: %s: %s\n", address, error.text);
    return false;
}

static bool read_password(char *text, size_t size)
{
    if (fgets(text, (int)size, stdin) == NULL) {
        fprintf(stderr, "vsoc user: stdin:1: the password is missing: give it as the first line of stdin\n");
        return false;
    }
    text[strcspn(text, "\r\n")] = '\0';
    const char *fault = users_password_fault(slice_str(text));
    if (fault != NULL)
        fprintf(stderr, "vsoc user: stdin:1: %s\n", fault);
    return fault == NULL;
}

static int put_user(struct store *st, const struct options *o, uint32_t roles, bool replace)
{
    char password[USERS_PASSWORD_MAX + 2];
    uint8_t salt[USERS_SALT_SIZE];
    struct slice name = slice_str(o->name);

    if (!read_password(password, sizeof password))
        return 2;
    enum vs_err err = crypto_random(salt, sizeof salt);
    if (err == VS_OK)
        err = users_put(st, name, slice_str(o->display), roles, slice_str(password), salt, replace, wall_clock_us());
    explicit_bzero(password, sizeof password);
    if (err != VS_OK) {
        fprintf(stderr, "vsoc user: %s: %s\n", o->name,
                err == VS_ERR_EXISTS ? "there is such a user already; use set to replace roles and password"
                                     : vs_err_text(err));
        return 2;
    }
    printf("{\"user\":\"%s\",\"roles\":\"%s\"}\n", o->name, o->roles);
    return 0;
}

static int list_users(struct store *st)
{
    struct store_stmt *q = store_prepare(st, "SELECT name, display, roles, disabled FROM app_user ORDER BY name");
    char buf[1024];

    while (store_step(q) == VS_OK) {
        struct writer w;
        writer_init(&w, buf, sizeof buf);
        writer_text(&w, "{\"user\":");
        writer_json_text(&w, store_text(q, 0));
        writer_text(&w, ",\"display\":");
        writer_json_text(&w, store_text(q, 1));
        writer_text(&w, ",\"roles\":");
        writer_json_text(&w, store_text(q, 2));
        writer_text(&w, store_i64(q, 3) != 0 ? ",\"disabled\":true}\n" : ",\"disabled\":false}\n");
        fwrite(buf, 1, w.len, stdout);
    }
    store_done(q);
    return 0;
}

/* What stands on the command line, before anything is opened. */
static bool check(const struct options *o, uint32_t *ret_roles)
{
    if (strcmp(o->verb, "list") == 0)
        return true;
    if (strcmp(o->verb, "add") != 0 && strcmp(o->verb, "set") != 0) {
        fprintf(stderr, "vsoc user: there is no verb %s; see vsoc user --help\n", o->verb);
        return false;
    }
    const char *fault = o->name == NULL ? "a name is needed" : users_name_fault(slice_str(o->name));
    if (fault == NULL && (o->roles == NULL || !roles_parse(slice_str(o->roles), ret_roles)))
        fault = "--role needs one or more roles, separated by commas; see vsoc user --help";
    if (fault != NULL)
        fprintf(stderr, "vsoc user: %s\n", fault);
    return fault == NULL;
}

int cmd_user(int argc, char **argv)
{
    struct options o;
    struct store *st = NULL;
    uint32_t roles = 0;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (!read_options(argc, argv, &o) || !check(&o, &roles) || !open_store(o.config, &st))
        return 2;
    int code = strcmp(o.verb, "list") == 0 ? list_users(st) : put_user(st, &o, roles, strcmp(o.verb, "set") == 0);
    store_close(st);
    return code;
}
