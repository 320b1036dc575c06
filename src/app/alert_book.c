#include "app/alert_book.h"

#include <stdlib.h>

#include "detect/sigma/hash.h"

struct entry {
    uint8_t id[ALERT_ID_SIZE];
    struct alert_written written; /* count 0: the place is free */
};

struct alert_book {
    struct entry entry[ALERT_BOOK_SLOTS];
};

enum vs_err alert_book_new(struct alert_book **ret)
{
    struct alert_book *b = calloc(1, sizeof *b);

    if (b == NULL)
        return VS_ERR_NO_MEMORY;
    *ret = b;
    return VS_OK;
}

void alert_book_free(struct alert_book *b)
{
    free(b);
}

void alert_written_add(struct alert_written *w, const struct alert_member *m)
{
    uint64_t h = hash_bytes(slice_make(m->vid, sizeof m->vid), w->hash);

    h = hash_mix(h, m->seq);
    h = hash_mix(h, (uint64_t)m->epoch << 32 | m->count);
    h = hash_mix(h, (uint64_t)m->time_us);
    h = hash_mix(h, m->log_offset);
    h = hash_mix(h, (uint64_t)m->log_partition << 8 | m->motion);
    w->hash = h;
    w->count++;
}

/* Ids are the first bytes of SHA-256: any of them serve as they are. */
static size_t place(const uint8_t id[ALERT_ID_SIZE])
{
    return hash_load(id, 8) & (ALERT_BOOK_SLOTS - 1);
}

struct alert_written alert_book_find(const struct alert_book *b, const uint8_t id[ALERT_ID_SIZE])
{
    const struct entry *e = &b->entry[place(id)];

    return memcmp(e->id, id, sizeof e->id) == 0 ? e->written : (struct alert_written){0, 0};
}

void alert_book_note(struct alert_book *b, const uint8_t id[ALERT_ID_SIZE], struct alert_written w)
{
    struct entry *e = &b->entry[place(id)];

    memcpy(e->id, id, sizeof e->id);
    e->written = w;
}
