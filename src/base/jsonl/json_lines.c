#include "base/jsonl/json_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = slice_from(s, 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

void json_lines_init(struct json_lines *it, struct slice text)
{
    it->text = text;
    it->pos = 0;
    it->line = 0;
    it->line_next = 1;
}

/* One line without its line feed. */
static bool line_next(struct json_lines *it, struct slice *ret)
{
    if (it->pos >= it->text.len)
        return false;
    const uint8_t *start = it->text.ptr + it->pos;
    size_t left = it->text.len - it->pos;
    const uint8_t *end = memchr(start, '\n', left);
    size_t len = end != NULL ? (size_t)(end - start) : left;
    *ret = slice_make(start, len);
    it->pos += len + (end != NULL ? 1 : 0);
    it->line = it->line_next++;
    return true;
}

/* Bytes up to and with the brace that closes the one at text.ptr[0]; all of it when none does. */
static size_t document_length(struct slice text)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return text.len;
}

bool json_lines_next(struct json_lines *it, struct slice *ret)
{
    struct slice line;

    while (line_next(it, &line)) {
        struct slice doc = trim(line);
        if (doc.len == 0)
            continue;
        if (doc.len == 1 && doc.ptr[0] == '{') {
            size_t from = (size_t)(doc.ptr - it->text.ptr);
            size_t len = document_length(slice_from(it->text, from));
            for (size_t i = it->pos; i < from + len; i++)
                it->line_next += it->text.ptr[i] == '\n';
            if (from + len > it->pos)
                it->pos = from + len;
            doc.len = len;
        }
        *ret = trim(doc);
        return true;
    }
    return false;
}

/* Maps the file over an anonymous mapping that is one padding longer, so that the bytes behind it are readable zeros.
 */
static enum vs_err map_file(int fd, size_t len, struct text_file *ret)
{
    long page = sysconf(_SC_PAGESIZE);
    size_t size = (len + JSON_PADDING + (size_t)page - 1) / (size_t)page * (size_t)page;
    void *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return VS_ERR_NO_MEMORY;
    if (len > 0 && mmap(base, len, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
        munmap(base, size);
        return VS_ERR_IO;
    }
    ret->base = base;
    ret->size = size;
    ret->mapped = true;
    ret->bytes = slice_make(base, len);
    return VS_OK;
}

static enum vs_err read_pipe(int fd, struct text_file *ret)
{
    size_t size = 1u << 20;
    size_t len = 0;
    uint8_t *buf = malloc(size);

    while (buf != NULL) {
        if (size - len <= JSON_PADDING) {
            uint8_t *bigger = size < TEXT_FILE_MAX ? realloc(buf, size * 2) : NULL;
            if (bigger == NULL)
                break;
            buf = bigger;
            size *= 2;
        }
        ssize_t n = read(fd, buf + len, size - len - JSON_PADDING);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(buf);
            return VS_ERR_IO;
        }
        if (n == 0) {
            memset(buf + len, 0, JSON_PADDING);
            ret->base = buf;
            ret->size = size;
            ret->mapped = false;
            ret->bytes = slice_make(buf, len);
            return VS_OK;
        }
        len += (size_t)n;
    }
    free(buf);
    return VS_ERR_NO_MEMORY;
}

enum vs_err text_file_open(const char *path, struct text_file *ret)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    enum vs_err err;

    if (fd < 0)
        return VS_ERR_IO;
    if (fstat(fd, &st) != 0)
        err = VS_ERR_IO;
    else if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        err = VS_ERR_IO;
    } else if (S_ISREG(st.st_mode) && !standard)
        err = map_file(fd, (size_t)st.st_size, ret);
    else
        err = read_pipe(fd, ret);
    if (!standard) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return err;
}

void text_file_close(struct text_file *f)
{
    if (f->mapped)
        munmap(f->base, f->size);
    else
        free(f->base);
    f->base = NULL;
    f->mapped = false;
}
