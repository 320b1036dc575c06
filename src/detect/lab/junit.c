#include "detect/lab/junit.h"

#include <stdlib.h>

#include "core/utf8.h"
#include "detect/sigma/arena.h"

void junit_init(struct junit *j)
{
    memset(j, 0, sizeof *j);
}

void junit_done(struct junit *j)
{
    free(j->text);
    junit_init(j);
}

static void put(struct junit *j, const char *text, size_t len)
{
    if (len > j->room - j->len) {
        j->room = j->room * 2 + len + 4096;
        j->text = mem_grow(j->text, j->room, 1);
    }
    memcpy(j->text + j->len, text, len);
    j->len += len;
}

static void put_text(struct junit *j, const char *text)
{
    put(j, text, strlen(text));
}

/* An attribute's value. Control characters other than tab and line feed are not allowed in XML at all. */
static void put_escaped(struct junit *j, struct slice s)
{
    while (s.len > 0) {
        size_t n = utf8_length(s);
        uint8_t c = s.ptr[0];
        const char *instead = n == 0      ? "\xEF\xBF\xBD"
                              : c == '&'  ? "&amp;"
                              : c == '<'  ? "&lt;"
                              : c == '>'  ? "&gt;"
                              : c == '"'  ? "&quot;"
                              : c == '\n' ? "&#10;"
                              : c == '\t' ? "&#9;"
                              : c < 0x20  ? "\xEF\xBF\xBD"
                                          : NULL;
        if (n == 0)
            n = 1;
        if (instead != NULL)
            put_text(j, instead);
        else
            put(j, (const char *)s.ptr, n);
        s = slice_from(s, n);
    }
}

void junit_case(struct junit *j, struct slice classname, struct slice name, struct slice failure)
{
    j->tests++;
    j->failures += failure.len > 0;
    if (j->len > JUNIT_SIZE_MAX) {
        j->unlisted++;
        return;
    }
    put_text(j, "  <testcase classname=\"");
    put_escaped(j, classname);
    put_text(j, "\" name=\"");
    put_escaped(j, name);
    if (failure.len == 0) {
        put_text(j, "\"/>\n");
        return;
    }
    put_text(j, "\">\n    <failure message=\"");
    put_escaped(j, failure);
    put_text(j, "\"/>\n  </testcase>\n");
}

bool junit_write(const struct junit *j, const char *suite, FILE *out)
{
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" "
            "errors=\"0\">\n",
            suite, j->tests, j->failures);
    if (j->len > 0)
        fwrite(j->text, 1, j->len, out);
    if (j->unlisted > 0)
        fprintf(out, "  <system-err>%u cases more than fit are not listed</system-err>\n", j->unlisted);
    fputs("</testsuite>\n", out);
    return fflush(out) == 0 && !ferror(out);
}
