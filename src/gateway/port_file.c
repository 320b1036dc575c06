#include "gateway/port_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "core/cursor.h"

#define ANCHOR_MAGIC  UINT32_C(0x31415356) /* "VSA1" */
#define ANCHOR_SIZE   56u
#define ANCHOR_STRIDE 512

static bool read_full(int fd, uint8_t *buf, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, buf, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static bool write_full(int fd, const uint8_t *buf, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, buf, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static enum vs_err device_read(void *ctx, uint64_t offset, uint8_t *buf, size_t len)
{
    const struct port_file *p = (const struct port_file *)ctx;

    return read_full(p->fd, buf, len, offset) ? VS_OK : VS_ERR_IO;
}

static enum vs_err device_write(void *ctx, uint64_t offset, const uint8_t *buf, size_t len)
{
    const struct port_file *p = (const struct port_file *)ctx;

    return write_full(p->fd, buf, len, offset) ? VS_OK : VS_ERR_IO;
}

static enum vs_err device_sync(void *ctx)
{
    const struct port_file *p = (const struct port_file *)ctx;

    return fdatasync(p->fd) == 0 ? VS_OK : VS_ERR_IO;
}

static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
    return p + bytes;
}

static void anchor_encode(const struct port_anchor_value *v, uint8_t out[ANCHOR_SIZE])
{
    uint8_t *p = put(out, ANCHOR_MAGIC, 4);

    p = put(p, v->generation, 4);
    p = put(p, v->epoch, 4);
    p = put(p, v->head, 8);
    p = put(p, v->tail, 8);
    p = put(p, v->seq_next, 8);
    memcpy(p, v->tag, PORT_AEAD_TAG);
    put(p + PORT_AEAD_TAG, crc32c(0, slice_make(out, ANCHOR_SIZE - 4)), 4);
}

static bool anchor_decode(const uint8_t in[ANCHOR_SIZE], struct port_anchor_value *ret)
{
    struct cursor c;

    cursor_init(&c, slice_make(in, ANCHOR_SIZE));
    uint32_t magic = cursor_u32le(&c);
    ret->generation = cursor_u32le(&c);
    ret->epoch = cursor_u32le(&c);
    ret->head = cursor_u64le(&c);
    ret->tail = cursor_u64le(&c);
    ret->seq_next = cursor_u64le(&c);
    memcpy(ret->tag, cursor_bytes(&c, PORT_AEAD_TAG).ptr, PORT_AEAD_TAG);
    return magic == ANCHOR_MAGIC && cursor_u32le(&c) == crc32c(0, slice_make(in, ANCHOR_SIZE - 4));
}

static bool is_newer(const struct port_anchor_value *a, const struct port_anchor_value *b)
{
    return a->head > b->head || (a->head == b->head && a->generation > b->generation);
}

static enum vs_err anchor_read(void *ctx, struct port_anchor_value *ret)
{
    struct port_file *p = (struct port_file *)ctx;
    struct port_anchor_value v, best = {0};
    uint8_t buf[ANCHOR_SIZE];
    bool found = false;

    for (int slot = 0; slot < 2 && p->anchor_fd >= 0; slot++) {
        if (!read_full(p->anchor_fd, buf, sizeof buf, (uint64_t)slot * ANCHOR_STRIDE) || !anchor_decode(buf, &v))
            continue;
        if (!found || is_newer(&v, &best)) {
            best = v;
            p->slot = 1 - slot;
            found = true;
        }
    }
    if (!found)
        return VS_ERR_NOT_FOUND;
    *ret = best;
    return VS_OK;
}

static enum vs_err anchor_write(void *ctx, const struct port_anchor_value *value)
{
    struct port_file *p = (struct port_file *)ctx;
    uint8_t buf[ANCHOR_SIZE];

    anchor_encode(value, buf);
    if (p->anchor_fd < 0 || !write_full(p->anchor_fd, buf, sizeof buf, (uint64_t)p->slot * ANCHOR_STRIDE) ||
        fdatasync(p->anchor_fd) != 0)
        return VS_ERR_IO;
    p->slot = 1 - p->slot;
    return VS_OK;
}

/* Makes the directory entries of new files durable. */
static bool sync_folder(const char *path)
{
    char folder[4096];
    struct slice s = slice_str(path);

    while (s.len > 0 && s.ptr[s.len - 1] != '/')
        s.len--;
    if (!slice_to_str(s.len > 0 ? s : slice_str("."), folder, sizeof folder))
        return false;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void fill_ports(struct port_file *p, uint32_t block_size, uint64_t size)
{
    uint64_t blocks = size / block_size;

    p->device_port = (struct port_device){.block_size = block_size,
                                          .block_count = blocks > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)blocks,
                                          .read = device_read,
                                          .write = device_write,
                                          .sync = device_sync,
                                          .ctx = p};
    p->anchor_port = (struct port_anchor){.read = anchor_read, .write = anchor_write, .ctx = p};
}

static enum vs_err open_files(struct port_file *p, const char *path, const char *anchor_path, int flags,
                              struct stat *ret_st)
{
    *p = (struct port_file){.fd = -1, .anchor_fd = -1};
    p->fd = open(path, flags | O_CLOEXEC, 0600);
    if (p->fd < 0 || fstat(p->fd, ret_st) != 0)
        return VS_ERR_IO;
    if (anchor_path == NULL)
        return VS_OK;
    p->anchor_fd = open(anchor_path, flags | O_CLOEXEC, 0600);
    return p->anchor_fd >= 0 ? VS_OK : VS_ERR_IO;
}

enum vs_err port_file_open(struct port_file *p, const char *path, const char *anchor_path, uint32_t block_size,
                           uint32_t block_count)
{
    uint64_t size = (uint64_t)block_size * block_count;
    struct stat st;
    enum vs_err err = open_files(p, path, anchor_path, O_RDWR | O_CREAT, &st);

    if (err == VS_OK && flock(p->fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? VS_ERR_BUSY : VS_ERR_IO;
    if (err == VS_OK && (uint64_t)st.st_size < size) {
        /* Takes the blocks now, so that a full disk is told at the start and not in the middle of an attack. */
        int failed = posix_fallocate(p->fd, 0, (off_t)size);
        if (failed != 0) {
            errno = failed;
            err = VS_ERR_IO;
        }
    }
    if (err == VS_OK && (fsync(p->fd) != 0 || !sync_folder(path) || (anchor_path != NULL && !sync_folder(anchor_path))))
        err = VS_ERR_IO;
    if (err != VS_OK) {
        int saved = errno;
        port_file_close(p);
        errno = saved;
        return err;
    }
    fill_ports(p, block_size, (uint64_t)st.st_size > size ? (uint64_t)st.st_size : size);
    return VS_OK;
}

enum vs_err port_file_open_readonly(struct port_file *p, const char *path, const char *anchor_path, uint32_t block_size)
{
    struct stat st;
    enum vs_err err = open_files(p, path, anchor_path, O_RDONLY, &st);

    if (err != VS_OK) {
        int saved = errno;
        port_file_close(p);
        errno = saved;
        return err;
    }
    fill_ports(p, block_size, (uint64_t)st.st_size);
    return VS_OK;
}

void port_file_close(struct port_file *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->anchor_fd >= 0)
        close(p->anchor_fd);
    p->fd = p->anchor_fd = -1;
}
