#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/segment/segment_io.h"

static bool posix_make_dir(void *ctx, const char *path)
{
    (void)ctx;
    return mkdir(path, 0750) == 0 || errno == EEXIST;
}

static bool posix_sync_dir(void *ctx, const char *path)
{
    (void)ctx;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

static bool posix_list(void *ctx, const char *path, void (*each)(const char *name, void *arg), void *arg)
{
    (void)ctx;
    DIR *d = opendir(path);
    const struct dirent *e;

    if (d == NULL)
        return false;
    while ((e = readdir(d)) != NULL)
        each(e->d_name, arg);
    closedir(d);
    return true;
}

static int posix_open(void *ctx, const char *path, enum segment_open how)
{
    static const int FLAGS[] = {
        [SEGMENT_OPEN_READ] = O_RDONLY, [SEGMENT_OPEN_WRITE] = O_RDWR, [SEGMENT_OPEN_CREATE] = O_RDWR | O_CREAT};

    (void)ctx;
    int fd = open(path, FLAGS[how] | O_CLOEXEC, 0640);
    if (fd >= 0)
        return fd;
    return errno == ENOENT ? SEGMENT_IO_MISSING : SEGMENT_IO_FAILED;
}

static int posix_lock(void *ctx, const char *path)
{
    (void)ctx;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return SEGMENT_IO_FAILED;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int result = errno == EWOULDBLOCK ? SEGMENT_IO_LOCKED : SEGMENT_IO_FAILED;
    close(fd);
    return result;
}

static void posix_close(void *ctx, int fd)
{
    (void)ctx;
    close(fd);
}

static int64_t posix_size(void *ctx, int fd)
{
    struct stat st;

    (void)ctx;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : -1;
}

static ssize_t posix_read_at(void *ctx, int fd, uint64_t at, uint8_t *buf, size_t size)
{
    size_t done = 0;

    (void)ctx;
    while (done < size) {
        ssize_t n = pread(fd, buf + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static bool posix_write_at(void *ctx, int fd, uint64_t at, struct slice bytes)
{
    size_t done = 0;

    (void)ctx;
    while (done < bytes.len) {
        ssize_t n = pwrite(fd, bytes.ptr + done, bytes.len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool posix_sync(void *ctx, int fd)
{
    (void)ctx;
    return fdatasync(fd) == 0;
}

static bool posix_truncate(void *ctx, int fd, uint64_t size)
{
    (void)ctx;
    return ftruncate(fd, (off_t)size) == 0;
}

static bool posix_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to) == 0;
}

static bool posix_random(void *ctx, uint8_t *buf, size_t size)
{
    (void)ctx;
    return getrandom(buf, size, 0) == (ssize_t)size;
}

const struct segment_io segment_io_posix = {
    .make_dir = posix_make_dir,
    .sync_dir = posix_sync_dir,
    .list = posix_list,
    .open = posix_open,
    .lock = posix_lock,
    .close = posix_close,
    .size = posix_size,
    .read_at = posix_read_at,
    .write_at = posix_write_at,
    .sync = posix_sync,
    .truncate = posix_truncate,
    .rename = posix_rename,
    .random = posix_random,
};
