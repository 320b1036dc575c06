/* json_lines: a whole text file in memory and the JSON documents in it, one per line.
 *
 * A line that is just "{" starts a document printed over several lines (as tools do for people); it ends where its
 * braces close, so a single pretty-printed event reads like a file of one line. Blank lines are skipped. Memory: the
 * file is mapped (or, for a pipe, read) once and owned by text_file; documents are borrowed from it. Behind its last
 * byte JSON_PADDING bytes are readable. Bounds: TEXT_FILE_MAX bytes from a pipe. */
#ifndef BASE_JSONL_JSON_LINES_H
#define BASE_JSONL_JSON_LINES_H

#include "base/jsonl/json_reader.h"

#define TEXT_FILE_MAX (UINT64_C(1) << 36)

struct text_file {
    struct slice bytes;
    void *base; /* private */
    size_t size;
    bool mapped;
};

/* Opens a file by path, "-" is standard input. VS_ERR_IO leaves errno set. */
VS_MUST_USE enum vs_err text_file_open(const char *path, struct text_file *ret);
/* Also for a zeroed struct. */
void text_file_close(struct text_file *f);

struct json_lines {
    struct slice text; /* borrowed */
    size_t pos;
    uint64_t line; /* number of the line that the last document began on, from 1 */
    uint64_t line_next;
};

void json_lines_init(struct json_lines *it, struct slice text);
/* The next document without the white space around it; false at the end. */
bool json_lines_next(struct json_lines *it, struct slice *ret);

#endif
