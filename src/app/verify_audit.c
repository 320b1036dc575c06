#include "app/verify_audit.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/writer.h"
#include "respond/audit.h"

int verify_audit(const char *path)
{
    struct audit_verdict v;
    struct store_error error = {""};
    char buf[2048];
    struct writer w;

    if (audit_verify_file(path, &v, &error) != VS_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    writer_init(&w, buf, sizeof buf);
    writer_text(&w, "{\"kind\":\"audit\",\"file\":");
    writer_json_text(&w, slice_str(path));
    writer_text(&w, v.ok ? ",\"ok\":true" : ",\"ok\":false");
    writer_text(&w, ",\"entries\":");
    writer_i64_text(&w, v.entries);
    writer_text(&w, ",\"verified_to\":");
    writer_i64_text(&w, v.verified_to);
    writer_text(&w, ",\"head_hash\":\"");
    writer_text(&w, v.head_hash);
    writer_text(&w, "\"");
    if (!v.ok) {
        writer_text(&w, ",\"record\":");
        writer_i64_text(&w, v.first_bad);
        writer_text(&w, ",\"reason\":");
        writer_json_text(&w, slice_str(v.why));
    }
    writer_text(&w, "}\n");
    fwrite(buf, 1, w.len, stdout);
    return v.ok ? 0 : 1;
}
