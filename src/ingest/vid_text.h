/* vid_text: a vehicle pseudonym as the database and people write it: 32 lower case hex digits. */
#ifndef INGEST_VID_TEXT_H
#define INGEST_VID_TEXT_H

#include "core/hex.h"
#include "core/writer.h"
#include "event/event.h"

struct vid_text {
    char hex[EV_VID_TEXT_LEN + 1];
};

static inline struct vid_text vid_text(const uint8_t vid[EV_VID_SIZE])
{
    struct vid_text t;
    struct writer w;

    writer_init(&w, t.hex, EV_VID_TEXT_LEN);
    writer_hex(&w, slice_make(vid, EV_VID_SIZE), false);
    t.hex[EV_VID_TEXT_LEN] = '\0';
    return t;
}

#endif
