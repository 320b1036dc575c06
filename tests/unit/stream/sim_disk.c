#include "sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX   200
#define HANDLES_MAX 64
#define PATH_SIZE   200
#define SECTOR      512

struct write {
    uint64_t at;
    size_t len;
    uint8_t *bytes; /* NULL: a truncation to `at` */
};

struct file {
    bool used;
    bool entry_durable; /* its name is */
    bool locked;
    char path[PATH_SIZE];
    char old_path[PATH_SIZE]; /* before a rename that is not durable; "" = none */
    struct image {
        uint8_t *bytes;
        size_t len;
    } now, durable;
    struct write *pending;
    size_t pending_count;
};

struct handle {
    int file; /* index + 1; 0 = free */
    bool lock;
};

struct sim_disk {
    struct file file[FILES_MAX];
    struct handle handle[HANDLES_MAX];
    struct seed seed;
    uint64_t operations, fail_at;
    bool down;
};

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *d = calloc(1, sizeof *d);

    d->seed.state = seed;
    return d;
}

static void drop_pending(struct file *f)
{
    for (size_t i = 0; i < f->pending_count; i++)
        free(f->pending[i].bytes);
    free(f->pending);
    f->pending = NULL;
    f->pending_count = 0;
}

static void drop_file(struct file *f)
{
    drop_pending(f);
    free(f->now.bytes);
    free(f->durable.bytes);
    memset(f, 0, sizeof *f);
}

void sim_disk_free(struct sim_disk *d)
{
    for (int i = 0; i < FILES_MAX; i++)
        drop_file(&d->file[i]);
    free(d);
}

uint64_t sim_disk_operations(const struct sim_disk *d)
{
    return d->operations;
}

void sim_disk_fail_at(struct sim_disk *d, uint64_t at)
{
    d->fail_at = d->operations + at;
}

/* Counts a changing operation. 0: go on; 1: the power goes now, the operation may be half done; 2: it is off. */
static int tick(struct sim_disk *d)
{
    if (d->down)
        return 2;
    d->operations++;
    if (d->fail_at != 0 && d->operations >= d->fail_at) {
        d->down = true;
        return 1;
    }
    return 0;
}

static struct file *find(const struct sim_disk *d, const char *path)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (d->file[i].used && strcmp(d->file[i].path, path) == 0)
            return (struct file *)(uintptr_t)&d->file[i];
    return NULL;
}

static struct file *file_of(struct sim_disk *d, int fd)
{
    assert(fd >= 0 && fd < HANDLES_MAX && d->handle[fd].file > 0);
    return &d->file[d->handle[fd].file - 1];
}

static void image_write(struct image *m, uint64_t at, const uint8_t *bytes, size_t len)
{
    if (at + len > m->len) {
        m->bytes = realloc(m->bytes, at + len);
        memset(m->bytes + m->len, 0, at + len - m->len);
        m->len = at + len;
    }
    if (len > 0)
        memcpy(m->bytes + at, bytes, len);
}

static void image_truncate(struct image *m, uint64_t size)
{
    if (size > m->len)
        image_write(m, size, NULL, 0);
    m->len = size;
}

static void image_copy(struct image *to, const struct image *from)
{
    to->len = 0;
    image_write(to, 0, from->bytes, from->len);
}

static void add_pending(struct file *f, uint64_t at, const uint8_t *bytes, size_t len)
{
    struct write *w;

    f->pending = realloc(f->pending, (f->pending_count + 1) * sizeof f->pending[0]);
    w = &f->pending[f->pending_count++];
    w->at = at;
    w->len = len;
    w->bytes = NULL;
    if (bytes != NULL) {
        w->bytes = malloc(len + 1);
        memcpy(w->bytes, bytes, len);
    }
}

/* ---- the port */

static bool sim_make_dir(void *ctx, const char *path)
{
    (void)path;
    return tick(ctx) == 0;
}

static bool in_dir(const struct file *f, const char *dir)
{
    size_t len = strlen(dir);

    return strncmp(f->path, dir, len) == 0 && f->path[len] == '/' && strchr(f->path + len + 1, '/') == NULL;
}

static bool sim_sync_dir(void *ctx, const char *path)
{
    struct sim_disk *d = ctx;

    if (tick(d) != 0)
        return false;
    for (int i = 0; i < FILES_MAX; i++)
        if (d->file[i].used && in_dir(&d->file[i], path)) {
            d->file[i].entry_durable = true;
            d->file[i].old_path[0] = '\0';
        }
    return true;
}

static bool sim_list(void *ctx, const char *path, void (*each)(const char *name, void *arg), void *arg)
{
    const struct sim_disk *d = ctx;

    if (d->down)
        return false;
    for (int i = 0; i < FILES_MAX; i++)
        if (d->file[i].used && in_dir(&d->file[i], path))
            each(d->file[i].path + strlen(path) + 1, arg);
    return true;
}

static int take_handle(struct sim_disk *d, const struct file *f)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (d->handle[i].file == 0) {
            d->handle[i].file = (int)(f - d->file) + 1;
            d->handle[i].lock = false;
            return i;
        }
    assert(!"handles leak");
    return -1;
}

static void set_path(char *to, const char *from)
{
    bool fits = slice_to_str(slice_str(from), to, PATH_SIZE);

    assert(fits);
    (void)fits;
}

static struct file *create(struct sim_disk *d, const char *path)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (!d->file[i].used) {
            d->file[i].used = true;
            set_path(d->file[i].path, path);
            return &d->file[i];
        }
    assert(!"too many files");
    return NULL;
}

static int sim_open(void *ctx, const char *path, enum segment_open how)
{
    struct sim_disk *d = ctx;
    struct file *f = find(d, path);

    if (d->down)
        return SEGMENT_IO_FAILED;
    if (f == NULL && how != SEGMENT_OPEN_CREATE)
        return SEGMENT_IO_MISSING;
    if (f == NULL) {
        int t = tick(d);
        if (t != 2)
            f = create(d, path);
        if (t != 0)
            return SEGMENT_IO_FAILED;
    }
    return take_handle(d, f);
}

static int sim_lock(void *ctx, const char *path)
{
    struct sim_disk *d = ctx;
    struct file *f = find(d, path);

    if (d->down)
        return SEGMENT_IO_FAILED;
    if (f == NULL)
        f = create(d, path);
    if (f->locked)
        return SEGMENT_IO_LOCKED;
    f->locked = true;
    int fd = take_handle(d, f);
    d->handle[fd].lock = true;
    return fd;
}

static void sim_close(void *ctx, int fd)
{
    struct sim_disk *d = ctx;

    if (fd < 0 || fd >= HANDLES_MAX || d->handle[fd].file == 0)
        return; /* the power went in between, and handles with it */
    if (d->handle[fd].lock)
        file_of(d, fd)->locked = false;
    d->handle[fd].file = 0;
}

static int64_t sim_size(void *ctx, int fd)
{
    struct sim_disk *d = ctx;

    return d->down ? -1 : (int64_t)file_of(d, fd)->now.len;
}

static ssize_t sim_read_at(void *ctx, int fd, uint64_t at, uint8_t *buf, size_t size)
{
    struct sim_disk *d = ctx;
    const struct file *f;

    if (d->down)
        return -1;
    f = file_of(d, fd);
    if (at >= f->now.len)
        return 0;
    if (size > f->now.len - at)
        size = f->now.len - at;
    memcpy(buf, f->now.bytes + at, size);
    return (ssize_t)size;
}

static bool sim_write_at(void *ctx, int fd, uint64_t at, struct slice bytes)
{
    struct sim_disk *d = ctx;
    int t = tick(d);

    if (t == 2)
        return false;
    struct file *f = file_of(d, fd);
    add_pending(f, at, bytes.ptr, bytes.len);
    image_write(&f->now, at, bytes.ptr, bytes.len);
    return t == 0;
}

static bool sim_sync(void *ctx, int fd)
{
    struct sim_disk *d = ctx;

    if (tick(d) != 0)
        return false;
    struct file *f = file_of(d, fd);
    image_copy(&f->durable, &f->now);
    drop_pending(f);
    return true;
}

static bool sim_truncate(void *ctx, int fd, uint64_t size)
{
    struct sim_disk *d = ctx;
    int t = tick(d);

    if (t == 2)
        return false;
    struct file *f = file_of(d, fd);
    add_pending(f, size, NULL, 0);
    image_truncate(&f->now, size);
    return t == 0;
}

static bool sim_rename(void *ctx, const char *from, const char *to)
{
    struct sim_disk *d = ctx;
    struct file *f = find(d, from), *old = find(d, to);
    int t = tick(d);

    if (t == 2 || f == NULL)
        return false;
    if (old != NULL)
        drop_file(old);
    set_path(f->old_path, f->path);
    set_path(f->path, to);
    return t == 0;
}

static bool sim_random(void *ctx, uint8_t *buf, size_t size)
{
    struct sim_disk *d = ctx;

    for (size_t i = 0; i < size; i++)
        buf[i] = (uint8_t)seed_next(&d->seed);
    return !d->down;
}

struct segment_io sim_disk_io(struct sim_disk *d)
{
    return (struct segment_io){d,        sim_make_dir, sim_sync_dir, sim_list, sim_open,     sim_lock,   sim_close,
                               sim_size, sim_read_at,  sim_write_at, sim_sync, sim_truncate, sim_rename, sim_random};
}

/* ---- power */

/* One pending write, after the dice: nothing, all, or some of its sectors. */
static void settle_write(struct sim_disk *d, struct file *f, const struct write *w)
{
    uint64_t dice = seed_below(&d->seed, 4);

    if (dice == 0)
        return;
    if (w->bytes == NULL) {
        image_truncate(&f->durable, w->at);
        return;
    }
    if (dice != 1) {
        image_write(&f->durable, w->at, w->bytes, w->len);
        return;
    }
    for (size_t at = 0; at < w->len;) {
        size_t n = SECTOR - (w->at + at) % SECTOR;

        if (n > w->len - at)
            n = w->len - at;
        if (seed_below(&d->seed, 2) == 0)
            image_write(&f->durable, w->at + at, w->bytes + at, n);
        at += n;
    }
}

void sim_disk_process_dies(struct sim_disk *d)
{
    for (int i = 0; i < FILES_MAX; i++)
        d->file[i].locked = false;
    memset(d->handle, 0, sizeof d->handle);
    d->down = false;
    d->fail_at = 0;
}

void sim_disk_power_up(struct sim_disk *d)
{
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *f = &d->file[i];

        if (!f->used)
            continue;
        if (f->old_path[0] != '\0' && seed_below(&d->seed, 2) == 0)
            set_path(f->path, f->old_path);
        f->old_path[0] = '\0';
        if (!f->entry_durable && seed_below(&d->seed, 2) == 0) {
            drop_file(f);
            continue;
        }
        f->entry_durable = true;
        f->locked = false;
        for (size_t j = 0; j < f->pending_count; j++)
            settle_write(d, f, &f->pending[j]);
        drop_pending(f);
        image_copy(&f->now, &f->durable);
    }
    memset(d->handle, 0, sizeof d->handle);
    d->down = false;
    d->fail_at = 0;
}

bool sim_disk_damage(struct sim_disk *d, const char *path, uint64_t at, uint8_t bits)
{
    struct file *f = find(d, path);

    if (f == NULL || at >= f->now.len)
        return false;
    f->now.bytes[at] ^= bits;
    image_copy(&f->durable, &f->now);
    drop_pending(f);
    return true;
}

int64_t sim_disk_size(const struct sim_disk *d, const char *path)
{
    const struct file *f = find(d, path);

    return f != NULL ? (int64_t)f->now.len : -1;
}

void sim_disk_remove(struct sim_disk *d, const char *path)
{
    struct file *f = find(d, path);

    if (f != NULL)
        drop_file(f);
}
