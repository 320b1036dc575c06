/* static_files: the built console, read into memory once and served from there.
 *
 * Nothing is opened after the start, so no request can reach the file system. A file with a .gz beside it is sent
 * compressed to who takes it. Files with a hash in their name never change and are kept by browsers for good;
 * index.html is asked for anew each time; a path that is no file and has no dot in its last part gets index.html,
 * because the console has pages of its own. Bounds: STATIC_FILES_MAX files, STATIC_BYTES_MAX bytes together. */
#ifndef API_STATIC_FILES_H
#define API_STATIC_FILES_H

#include <stddef.h>

#include "core/err.gen.h"
#include "core/must_use.h"

#define STATIC_FILES_MAX 1024
#define STATIC_BYTES_MAX (64u << 20)

struct call;
struct static_files;

VS_MUST_USE enum vs_err static_files_load(const char *dir, struct static_files **ret, char *ret_why, size_t why_size);
void static_files_free(struct static_files *f);
/* Answers a GET outside /api from the call's api. */
void static_files_serve(struct call *c);

#endif
