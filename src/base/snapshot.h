/* snapshot: a file that holds the state of a process at one moment, in named sections (docs/formats/snapshot.md).
 *
 * Writing: snapshot_create, then for each section snapshot_begin, any number of puts, snapshot_end; snapshot_finish
 * makes the file appear under its name, whole and durable (temporary file, fsync, rename, fsync of the folder). Until
 * then, and after a crash or snapshot_abort, the file of that name is what it was before. Errors stick to the writer
 * and come out of snapshot_finish, so puts need no check.
 *
 * Reading: snapshot_open checks the whole file, every length and every CRC, before anything of it is handed out; a
 * section that opens is what was written. Its content may still be from another build, so every get is bounded by the
 * section: a get beyond the end returns 0 or an empty slice and makes the section fail and stay failed. Ask once at
 * the end with snapshot_in_done, which also wants everything to be read. A count of things that follow is read with
 * snapshot_get_count, which refuses more than could fit, so that no allocation is larger than the file.
 *
 * All numbers are little endian. Memory: the writer has a buffer of SNAPSHOT_BUFFER bytes; the reader maps the file,
 * and slices read are borrowed until snapshot_close. Threads: one owner. Bounds: SNAPSHOT_NAME_MAX,
 * SNAPSHOT_SECTIONS_MAX; a section may have any size. No clock is read here. */
#ifndef BASE_SNAPSHOT_H
#define BASE_SNAPSHOT_H

#include "core/cursor.h"
#include "core/err.gen.h"
#include "core/must_use.h"

#define SNAPSHOT_NAME_MAX     31 /* bytes of a section's name */
#define SNAPSHOT_SECTIONS_MAX 64
#define SNAPSHOT_BUFFER       (256u * 1024)

/* ---- writing */

struct snapshot_writer;

/* Begins `path`; what is written goes to "<path>.part" until it is finished. `version` is that of the content: a reader
 * refuses another one. VS_ERR_IO, VS_ERR_NO_MEMORY. */
VS_MUST_USE enum vs_err snapshot_create(const char *path, uint32_t version, struct snapshot_writer **ret);
/* Names are unique within a file, not empty and at most SNAPSHOT_NAME_MAX bytes; sections do not nest (else a bug). */
void snapshot_begin(struct snapshot_writer *w, const char *name);
void snapshot_end(struct snapshot_writer *w);
void snapshot_put_u8(struct snapshot_writer *w, uint8_t v);
void snapshot_put_u32(struct snapshot_writer *w, uint32_t v);
void snapshot_put_u64(struct snapshot_writer *w, uint64_t v);
void snapshot_put_i64(struct snapshot_writer *w, int64_t v);
/* Length (u32) and bytes. */
void snapshot_put_bytes(struct snapshot_writer *w, struct slice s);
/* The bytes alone; the reader must know how many. */
void snapshot_put_raw(struct snapshot_writer *w, const void *ptr, size_t len);
/* Ends the file and makes it durable under its name. Frees the writer, also on failure. *ret_bytes (may be NULL) is the
 * size of the file. */
VS_MUST_USE enum vs_err snapshot_finish(struct snapshot_writer *w, uint64_t *ret_bytes);
/* Gives the file up and frees the writer; NULL is fine. */
void snapshot_abort(struct snapshot_writer *w);

/* ---- reading */

struct snapshot;

/* One section while it is read. */
struct snapshot_in {
    struct cursor c;
};

/* VS_ERR_NOT_FOUND, VS_ERR_MALFORMED (no snapshot), VS_ERR_VERSION, VS_ERR_TRUNCATED, VS_ERR_TAMPERED (a CRC does not
 * match), VS_ERR_IO. *ret_byte (may be NULL) is the first byte at fault. */
VS_MUST_USE enum vs_err snapshot_open(const char *path, uint32_t version, struct snapshot **ret, uint64_t *ret_byte);
void snapshot_close(struct snapshot *s);
/* VS_ERR_NOT_FOUND when there is no section of that name; *ret is empty then. */
VS_MUST_USE enum vs_err snapshot_section(const struct snapshot *s, const char *name, struct snapshot_in *ret);

uint8_t snapshot_get_u8(struct snapshot_in *in);
uint32_t snapshot_get_u32(struct snapshot_in *in);
uint64_t snapshot_get_u64(struct snapshot_in *in);
int64_t snapshot_get_i64(struct snapshot_in *in);
struct slice snapshot_get_bytes(struct snapshot_in *in);
struct slice snapshot_get_raw(struct snapshot_in *in, size_t len);
/* A u64 that says how many things follow, of at least `size_min` (> 0) bytes each; 0 and failed when they cannot. */
uint64_t snapshot_get_count(struct snapshot_in *in, size_t size_min);
/* Whether a get failed so far. */
bool snapshot_in_failed(const struct snapshot_in *in);
/* VS_OK when everything was read and nothing failed, else VS_ERR_MALFORMED. */
VS_MUST_USE enum vs_err snapshot_in_done(const struct snapshot_in *in);

#endif
