/* config: any bytes as a configuration file. What is refused leaves the target as it was and has a reason. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"

struct target {
    char name[16], path[64];
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target t, before;
    struct config_error error = {0};
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(&t, 0, sizeof t);
    config_defaults(OPTION, OPTIONS, &t);
    before = t;
    if (config_read(path, OPTION, OPTIONS, &t, sizeof t, &error) != VS_OK) {
        if (memcmp(&t, &before, sizeof t) != 0 || error.text[0] == '\0')
            abort();
    } else if (t.port < 1 || t.port > 60000 || t.rate < 5 || t.rate > 100 || t.name[0] == '\0') {
        abort();
    }
    close(fd);
    return 0;
}
