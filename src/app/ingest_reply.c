#include "app/ingest_reply.h"

#include <stdio.h>

#include "core/writer.h"

/* What is wrong with the bytes of an upload is the sender's fault, also where the same code inside the house is ours.
 */
static int status_of(enum vs_err err)
{
    const struct vs_err_info *info = vs_err_info(err);

    if (err == VS_ERR_UNSUPPORTED)
        return 400;
    return info->http == 500 ? 503 : info->http;
}

void ingest_reply_refusal(struct http_request *rq, enum vs_err err, const char *reason, size_t byte, uint32_t retry_s)
{
    char text[512], seconds[16];
    struct writer w;
    int status = status_of(err);

    writer_init(&w, text, sizeof text);
    writer_text(&w, "{\"error\":\"");
    writer_text(&w, vs_err_info(err)->name);
    writer_text(&w, "\",\"reason\":");
    writer_json_text(&w, slice_str(reason));
    writer_text(&w, ",\"byte\":");
    writer_u64_text(&w, byte);
    writer_text(&w, "}\n");
    if (status == 429 || status == 503) {
        snprintf(seconds, sizeof seconds, "%u", retry_s > 0 ? retry_s : 1);
        http_add_header(rq, "Retry-After", seconds);
    }
    http_reply(rq, status, "application/json", writer_slice(&w));
}
