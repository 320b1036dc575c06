#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c_fast.h"
#include "base/snapshot_format.h"

struct section {
    char name[SNAPSHOT_NAME_FIELD];
    struct slice content;
};

struct snapshot {
    struct slice file; /* mapped */
    struct section section[SNAPSHOT_SECTIONS_MAX];
    uint32_t count;
};

static enum vs_err map_file(const char *path, struct slice *ret)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? VS_ERR_NOT_FOUND : VS_ERR_IO;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return VS_ERR_IO;
    }
    *ret = slice_make(NULL, (size_t)st.st_size);
    if (st.st_size > 0) {
        void *at = mmap(NULL, ret->len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);

        ret->ptr = at == MAP_FAILED ? NULL : at;
    }
    close(fd);
    return st.st_size > 0 && ret->ptr == NULL ? VS_ERR_IO : VS_OK;
}

static enum vs_err check_head(struct cursor *c, uint32_t version)
{
    struct slice head = cursor_bytes(c, 12);
    uint32_t crc = cursor_u32le(c);

    if (c->failed)
        return VS_ERR_TRUNCATED;
    if (memcmp(head.ptr, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_SIZE) != 0)
        return VS_ERR_MALFORMED;
    if (crc32c_fast(0, head) != crc)
        return VS_ERR_TAMPERED;
    struct cursor v;
    cursor_init(&v, slice_from(head, SNAPSHOT_MAGIC_SIZE));
    return cursor_u32le(&v) == version ? VS_OK : VS_ERR_VERSION;
}

/* Takes one section. *ret_last is set at the one without a name, behind which nothing may stand. */
static enum vs_err check_section(struct snapshot *s, struct cursor *c, bool *ret_last)
{
    struct slice head = cursor_bytes(c, 44);
    uint32_t head_crc = cursor_u32le(c);

    if (c->failed)
        return VS_ERR_TRUNCATED;
    if (crc32c_fast(0, head) != head_crc)
        return VS_ERR_TAMPERED;
    struct cursor h;
    cursor_init(&h, slice_from(head, SNAPSHOT_NAME_FIELD));
    uint64_t length = cursor_u64le(&h);
    uint32_t crc = cursor_u32le(&h);
    *ret_last = head.ptr[0] == 0;
    if (*ret_last)
        return cursor_left(c) == 0 && length == 0 ? VS_OK : VS_ERR_MALFORMED;
    if (head.ptr[SNAPSHOT_NAME_MAX] != 0 || s->count == SNAPSHOT_SECTIONS_MAX)
        return VS_ERR_MALFORMED;
    if (length > cursor_left(c))
        return VS_ERR_TRUNCATED;
    struct section *to = &s->section[s->count];
    memcpy(to->name, head.ptr, sizeof to->name);
    to->content = cursor_bytes(c, (size_t)length);
    if (crc32c_fast(0, to->content) != crc)
        return VS_ERR_TAMPERED;
    s->count++;
    return VS_OK;
}

static enum vs_err check_all(struct snapshot *s, uint32_t version, uint64_t *ret_byte)
{
    struct cursor c;
    bool last = false;

    cursor_init(&c, s->file);
    *ret_byte = 0;
    enum vs_err err = check_head(&c, version);
    while (err == VS_OK && !last) {
        *ret_byte = cursor_pos(&c);
        err = check_section(s, &c, &last);
    }
    return err;
}

enum vs_err snapshot_open(const char *path, uint32_t version, struct snapshot **ret, uint64_t *ret_byte)
{
    struct snapshot *s = calloc(1, sizeof *s);
    uint64_t byte = 0;

    if (s == NULL)
        return VS_ERR_NO_MEMORY;
    enum vs_err err = map_file(path, &s->file);
    if (err == VS_OK)
        err = check_all(s, version, &byte);
    if (ret_byte != NULL)
        *ret_byte = byte;
    if (err != VS_OK) {
        snapshot_close(s);
        return err;
    }
    *ret = s;
    return VS_OK;
}

void snapshot_close(struct snapshot *s)
{
    if (s == NULL)
        return;
    if (s->file.ptr != NULL)
        munmap((void *)(uintptr_t)s->file.ptr, s->file.len);
    free(s);
}

enum vs_err snapshot_section(const struct snapshot *s, const char *name, struct snapshot_in *ret)
{
    cursor_init(&ret->c, slice_make(NULL, 0));
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->section[i].name, name) == 0) {
            cursor_init(&ret->c, s->section[i].content);
            return VS_OK;
        }
    return VS_ERR_NOT_FOUND;
}

uint8_t snapshot_get_u8(struct snapshot_in *in)
{
    return cursor_u8(&in->c);
}

uint32_t snapshot_get_u32(struct snapshot_in *in)
{
    return cursor_u32le(&in->c);
}

uint64_t snapshot_get_u64(struct snapshot_in *in)
{
    return cursor_u64le(&in->c);
}

int64_t snapshot_get_i64(struct snapshot_in *in)
{
    return (int64_t)cursor_u64le(&in->c);
}

struct slice snapshot_get_bytes(struct snapshot_in *in)
{
    return snapshot_get_raw(in, cursor_u32le(&in->c));
}

struct slice snapshot_get_raw(struct snapshot_in *in, size_t len)
{
    return cursor_bytes(&in->c, len);
}

uint64_t snapshot_get_count(struct snapshot_in *in, size_t size_min)
{
    uint64_t count = cursor_u64le(&in->c);

    if (count > cursor_left(&in->c) / size_min) {
        in->c.failed = true;
        return 0;
    }
    return count;
}

bool snapshot_in_failed(const struct snapshot_in *in)
{
    return in->c.failed;
}

enum vs_err snapshot_in_done(const struct snapshot_in *in)
{
    return !in->c.failed && cursor_left(&in->c) == 0 ? VS_OK : VS_ERR_MALFORMED;
}
