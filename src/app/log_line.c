#include "app/log_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "app/wall_clock.h"
#include "core/timestamp.h"

void log_line(const char *role, const char *event, const char *format, ...)
{
    char detail[1024], line[4096];
    struct writer w;
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    writer_init(&w, line, sizeof line);
    writer_text(&w, "{\"time\":\"");
    timestamp_write(&w, wall_clock_us());
    writer_text(&w, "\",\"role\":");
    writer_json_text(&w, slice_str(role));
    writer_text(&w, ",\"event\":");
    writer_json_text(&w, slice_str(event));
    if (detail[0] != '\0') {
        writer_text(&w, ",\"detail\":");
        writer_json_text(&w, slice_str(detail));
    }
    writer_text(&w, "}\n");
    /* A log that cannot be written must not stop the work it speaks of. */
    ssize_t written = write(STDERR_FILENO, w.buf, w.len);
    (void)written;
}
