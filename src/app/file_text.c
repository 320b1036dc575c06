#include "app/file_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define READ_FIRST 4096

char *file_text_read(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rbe");
    size_t size = READ_FIRST, len = 0;
    char *text = f != NULL ? malloc(size + 1) : NULL;

    while (text != NULL) {
        len += fread(text + len, 1, size - len, f);
        if (len < size)
            break;
        size *= 2;
        char *grown = size <= FILE_TEXT_MAX ? realloc(text, size + 1) : NULL;
        if (grown == NULL) {
            free(text);
            errno = EFBIG;
        }
        text = grown;
    }
    if (text != NULL && ferror(f) != 0) {
        free(text);
        text = NULL;
        errno = EIO;
    }
    if (f != NULL)
        fclose(f);
    if (text == NULL)
        return NULL;
    text[len] = '\0';
    if (ret_len != NULL)
        *ret_len = len;
    return text;
}
