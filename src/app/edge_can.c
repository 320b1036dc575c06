/* CAN frames from a log or a socket through the detector. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#define can_frame linux_can_frame
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#undef can_frame

#include "app/edge_commands.h"
#include "app/edge_sources.h"
#include "app/log_line.h"
#include "codec/candump.h"
#include "edge/can/model.h"
#include "edge/vids.h"

#define SOCKET_PREFIX  "can:"
#define TICK_US        10000
#define BAD_LINES_TOLD 20
#define YEAR_2000_US   INT64_C(946684800000000) /* times before are not absolute */

struct edge_can {
    struct vids ids;
    void *memory;
    uint8_t *model;
    int socket; /* -1 = a log */
    char interface[IFNAMSIZ];
    struct line_source lines;
    uint64_t bad_lines;
    int64_t wall_us; /* what a frame's time lacks to be the vehicle's clock */
    int64_t ticked_us;
};

static int open_socket(const char *interface)
{
    struct ifreq ifr = {0};
    int on = 1;
    can_err_mask_t errors = CAN_ERR_MASK;
    int fd = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);

    if (fd < 0)
        return -1;
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", interface);
    bool ok = ioctl(fd, SIOCGIFINDEX, &ifr) == 0 &&
              setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on) == 0 &&
              setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors) == 0;
    struct sockaddr_can address = {.can_family = AF_CAN, .can_ifindex = ifr.ifr_ifindex};
    if (ok && bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool open_input(struct edge_can *c, const char *input)
{
    bool is_socket = strncmp(input, SOCKET_PREFIX, strlen(SOCKET_PREFIX)) == 0;

    if (is_socket) {
        snprintf(c->interface, sizeof c->interface, "%s", input + strlen(SOCKET_PREFIX));
        c->socket = open_socket(c->interface);
    }
    if (is_socket ? c->socket >= 0 : line_source_open(&c->lines, input) == VS_OK)
        return true;
    fprintf(stderr, "%s: cannot open: %s\n", input, strerror(errno));
    return false;
}

static bool load_model(struct edge_can *c, const char *path)
{
    size_t size = 0;

    c->model = edge_file_read(path, MODEL_SIZE_MAX, &size);
    if (c->model == NULL)
        return false;
    size_t need = vids_storage_size(slice_make(c->model, size));
    c->memory = need > 0 ? calloc(1, need) : NULL;
    enum vs_err err =
        c->memory == NULL ? VS_ERR_MALFORMED : vids_init(&c->ids, c->memory, need, slice_make(c->model, size));
    if (err != VS_OK)
        fprintf(stderr, "%s: %s; make it anew with vsoc-edge learn\n", path, vs_err_text(err));
    return err == VS_OK;
}

struct edge_can *edge_can_open(const struct edge_config *cfg)
{
    struct edge_can *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->socket = -1;
    c->lines.fd = -1;
    if (open_input(c, cfg->input.can) && load_model(c, cfg->input.model))
        return c;
    edge_can_close(c);
    return NULL;
}

void edge_can_close(struct edge_can *c)
{
    if (c == NULL)
        return;
    if (c->socket >= 0)
        close(c->socket);
    line_source_close(&c->lines);
    free(c->memory);
    free(c->model);
    free(c);
}

int edge_can_fd(const struct edge_can *c)
{
    return c->socket >= 0 ? c->socket : c->lines.fd;
}

static enum vs_err read_socket(struct edge_can *c, int64_t now_us, struct can_frame *ret)
{
    struct canfd_frame raw;
    ssize_t n = read(c->socket, &raw, sizeof raw);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENETDOWN ? VS_ERR_BUSY : VS_ERR_IO;
    if (n != CAN_MTU && n != CANFD_MTU)
        return VS_ERR_MALFORMED;
    bool fd = n == CANFD_MTU, error = (raw.can_id & CAN_ERR_FLAG) != 0, extended = (raw.can_id & CAN_EFF_FLAG) != 0;
    *ret = (struct can_frame){.time_us = now_us,
                              .bus = slice_str(c->interface),
                              .id = raw.can_id & (error || extended ? CAN_EFF_MASK : CAN_SFF_MASK),
                              .len = raw.len <= CAN_FRAME_DATA_MAX ? raw.len : CAN_FRAME_DATA_MAX};
    ret->flags = (uint8_t)((extended ? CAN_FRAME_EXT : 0) | ((raw.can_id & CAN_RTR_FLAG) != 0 ? CAN_FRAME_RTR : 0) |
                           (error ? CAN_FRAME_ERR : 0) | (fd ? CAN_FRAME_FD : 0));
    ret->dlc = can_frame_len_to_dlc(ret->len, fd);
    memcpy(ret->data, raw.data, ret->len);
    if ((ret->flags & CAN_FRAME_RTR) != 0)
        ret->len = 0;
    return VS_OK;
}

static enum vs_err read_line(struct edge_can *c, struct can_frame *ret)
{
    struct candump_item item;
    struct line_fault fault;
    struct slice line;

    for (;;) {
        enum vs_err err = line_source_next(&c->lines, &line);
        if (err != VS_OK)
            return err;
        err = candump_line(line, &item, &fault);
        if (err != VS_OK && c->bad_lines++ < BAD_LINES_TOLD)
            log_line("edge", "line_refused", "line %llu, column %u of the CAN log: %s",
                     (unsigned long long)c->lines.line, fault.column, fault.reason);
        if (err != VS_OK)
            return err;
        if (item.kind != CANDUMP_FRAME)
            continue;
        *ret = item.frame;
        return VS_OK;
    }
}

static void hand_on(const struct edge_can *c, const struct vids_finding *found, size_t count, edge_take *take,
                    void *ctx)
{
    for (size_t i = 0; i < count; i++) {
        struct event ev;

        vids_finding_event(&found[i], c->wall_us, &ev);
        take(ctx, &ev);
    }
}

enum vs_err edge_can_step(struct edge_can *c, int64_t now_us, edge_take *take, void *ctx)
{
    static struct vids_finding found[VIDS_FINDINGS_MAX];
    struct can_frame fr;
    enum vs_err err = c->socket >= 0 ? read_socket(c, now_us, &fr) : read_line(c, &fr);

    if (err != VS_OK)
        return err;
    c->wall_us = fr.time_us < YEAR_2000_US ? now_us - fr.time_us : 0;
    if (fr.time_us - c->ids.now_us > TICK_US)
        hand_on(c, found, vids_tick(&c->ids, fr.time_us, found, VIDS_FINDINGS_MAX), take, ctx);
    hand_on(c, found, vids_step(&c->ids, &fr, fr.time_us, found, VIDS_FINDINGS_MAX), take, ctx);
    return VS_OK;
}

/* Only on a live bus does silence while nothing is read mean silence on the bus. */
void edge_can_tick(struct edge_can *c, int64_t now_us, edge_take *take, void *ctx)
{
    static struct vids_finding found[VIDS_FINDINGS_MAX];

    if (c->socket < 0 || now_us - c->ticked_us < TICK_US)
        return;
    c->ticked_us = now_us;
    hand_on(c, found, vids_tick(&c->ids, now_us, found, VIDS_FINDINGS_MAX), take, ctx);
}
