/* file_text: a small text file read whole: certificates, keys, lists that people write. */
#ifndef APP_FILE_TEXT_H
#define APP_FILE_TEXT_H

#include <stddef.h>

#define FILE_TEXT_MAX (16u << 20)

/* The file with a NUL behind it, to be freed by the caller; NULL with errno set when it cannot be read or is larger
 * than FILE_TEXT_MAX. *ret_len (may be NULL) is without the NUL. */
char *file_text_read(const char *path, size_t *ret_len);

#endif
