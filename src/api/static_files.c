#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/call.h"
#include "api/static_files.h"

#define PATH_SIZE  512
#define DEPTH_MAX  8
#define HASH_CHARS 8 /* of the hash that the console's build puts into names */

struct static_file {
    char path[PATH_SIZE]; /* as asked for, "/assets/x.js" */
    uint8_t *bytes;
    size_t size;
};

struct static_files {
    unsigned count;
    size_t bytes;
    struct static_file file[STATIC_FILES_MAX];
};

/* Folders still to be read; a list instead of recursion. */
struct folders {
    unsigned count;
    char path[64][PATH_SIZE];
};

void static_files_free(struct static_files *f)
{
    if (f == NULL)
        return;
    for (unsigned i = 0; i < f->count; i++)
        free(f->file[i].bytes);
    free(f);
}

static const char *read_whole(int fd, size_t size, uint8_t *bytes)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = read(fd, bytes + at, size - at);
        if (n <= 0)
            return "cannot be read";
        at += (size_t)n;
    }
    return NULL;
}

/* NULL, or why not. */
static const char *add_file(struct static_files *f, int fd, const char *path, size_t size)
{
    if (f->count == STATIC_FILES_MAX)
        return "is one file too many";
    if (size > STATIC_BYTES_MAX - f->bytes)
        return "is too large: 64 MiB are served";
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL)
        return "does not fit into memory";
    const char *why = read_whole(fd, size, bytes);
    if (why != NULL) {
        free(bytes);
        return why;
    }
    struct static_file *file = &f->file[f->count++];
    memcpy(file->path, path, strlen(path) + 1); /* shorter than PATH_SIZE, as the caller has seen to */
    file->bytes = bytes;
    file->size = size;
    f->bytes += size;
    return NULL;
}

/* One entry of a folder: a file is read, a folder is put on the list, anything else is passed over. */
static const char *add_entry(struct static_files *f, struct folders *todo, const char *root, const char *path)
{
    char full[2 * PATH_SIZE];
    struct stat sb;
    const char *why = NULL;

    snprintf(full, sizeof full, "%s%s", root, path);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &sb) != 0)
        why = errno == ELOOP ? NULL : "cannot be opened";
    else if (S_ISREG(sb.st_mode))
        why = add_file(f, fd, path, (size_t)sb.st_size);
    else if (S_ISDIR(sb.st_mode) && todo->count == sizeof todo->path / sizeof todo->path[0])
        why = "is one folder too many";
    else if (S_ISDIR(sb.st_mode))
        memcpy(todo->path[todo->count++], path, strlen(path) + 1);
    if (fd >= 0)
        close(fd);
    return why;
}

static enum vs_err read_folder(struct static_files *f, struct folders *todo, const char *root, const char *folder,
                               char *ret_why, size_t why_size)
{
    char full[2 * PATH_SIZE], path[2 * PATH_SIZE];
    struct dirent *entry;
    enum vs_err err = VS_OK;

    snprintf(full, sizeof full, "%s%s", root, folder);
    DIR *dir = opendir(full);
    if (dir == NULL) {
        snprintf(ret_why, why_size, "%.200s: the console's folder cannot be opened", full);
        return VS_ERR_CONFIG;
    }
    while (err == VS_OK && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        const char *why = "has a path that is too long";
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < PATH_SIZE)
            why = add_entry(f, todo, root, path);
        if (why != NULL) {
            snprintf(ret_why, why_size, "%.150s %s", path, why);
            err = VS_ERR_CONFIG;
        }
    }
    closedir(dir);
    return err;
}

enum vs_err static_files_load(const char *dir, struct static_files **ret, char *ret_why, size_t why_size)
{
    struct static_files *f = calloc(1, sizeof *f);
    struct folders *todo = calloc(1, sizeof *todo);
    enum vs_err err = f == NULL || todo == NULL || strlen(dir) >= PATH_SIZE ? VS_ERR_NO_MEMORY : VS_OK;

    if (err == VS_OK)
        todo->count = 1; /* "", the root */
    for (unsigned i = 0; err == VS_OK && i < todo->count; i++) {
        char folder[PATH_SIZE];
        memcpy(folder, todo->path[i], sizeof folder);
        err = read_folder(f, todo, dir, folder, ret_why, why_size);
    }
    free(todo);
    if (err != VS_OK) {
        static_files_free(f);
        return err;
    }
    *ret = f;
    return VS_OK;
}

static const struct static_file *find(const struct static_files *f, const char *path, const char *suffix)
{
    size_t len = strlen(path);

    for (unsigned i = 0; i < f->count; i++)
        if (strncmp(f->file[i].path, path, len) == 0 && strcmp(f->file[i].path + len, suffix) == 0)
            return &f->file[i];
    return NULL;
}

static const char *content_type(const char *path)
{
    static const char *const TYPE[][2] = {{".html", "text/html; charset=utf-8"},
                                          {".js", "text/javascript; charset=utf-8"},
                                          {".css", "text/css; charset=utf-8"},
                                          {".json", "application/json"},
                                          {".svg", "image/svg+xml"},
                                          {".png", "image/png"},
                                          {".ico", "image/x-icon"},
                                          {".woff2", "font/woff2"},
                                          {".txt", "text/plain; charset=utf-8"},
                                          {".map", "application/json"},
                                          {".webmanifest", "application/manifest+json"}};
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof TYPE / sizeof TYPE[0]; i++) {
        size_t n = strlen(TYPE[i][0]);
        if (len > n && strcmp(path + len - n, TYPE[i][0]) == 0)
            return TYPE[i][1];
    }
    return "application/octet-stream";
}

/* name-HASH.ext or name.HASH.ext, with HASH_CHARS or more letters and digits, as bundlers write it. */
static bool has_hash(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(path, '.');
    size_t n = 0;

    if (name == NULL || dot == NULL || dot < name)
        return false;
    for (const char *p = dot - 1;
         p > name && ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')); p--)
        n++;
    char before = *(dot - 1 - n);
    return n >= HASH_CHARS && (before == '-' || before == '.');
}

static bool takes_gzip(struct http_request *rq)
{
    const char *accept = http_header(rq, "Accept-Encoding");

    return accept != NULL && strstr(accept, "gzip") != NULL && strstr(accept, "gzip;q=0") == NULL;
}

static void add_headers(struct call *c, const char *path)
{
    http_add_header(c->rq, "X-Request-Id", c->request_id);
    http_add_header(c->rq, "X-Content-Type-Options", "nosniff");
    http_add_header(c->rq, "Referrer-Policy", "no-referrer");
    http_add_header(c->rq, "Cross-Origin-Opener-Policy", "same-origin");
    http_add_header(c->rq, "Cross-Origin-Resource-Policy", "same-origin");
    http_add_header(
        c->rq, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'");
    http_add_header(c->rq, "Cache-Control", has_hash(path) ? "public, max-age=31536000, immutable" : "no-cache");
    http_add_header(c->rq, "Vary", "Accept-Encoding");
}

static const struct static_file *choose(const struct static_files *files, const char *path)
{
    const struct static_file *f = find(files, path, "");
    const char *last = strrchr(path, '/');

    if (f != NULL)
        return f;
    return last != NULL && strchr(last, '.') == NULL ? find(files, "/index.html", "") : NULL;
}

void static_files_serve(struct call *c)
{
    const struct static_files *files = c->api->files;
    const char *method = http_method(c->rq);

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        reply_fault(c, VS_ERR_NOT_FOUND, NULL, "only GET is answered here");
        return;
    }
    const struct static_file *f = files != NULL ? choose(files, http_path(c->rq)) : NULL;
    if (f == NULL) {
        reply_fault(c, VS_ERR_NOT_FOUND, NULL,
                    files != NULL ? "the console has no such file"
                                  : "no console is configured (api.console); the API is below /api/v1");
        return;
    }
    const struct static_file *gz = takes_gzip(c->rq) ? find(files, f->path, ".gz") : NULL;
    add_headers(c, f->path);
    if (gz != NULL)
        http_add_header(c->rq, "Content-Encoding", "gzip");
    const struct static_file *sent = gz != NULL ? gz : f;
    http_reply_static(c->rq, 200, content_type(f->path), slice_make(sent->bytes, sent->size));
}
