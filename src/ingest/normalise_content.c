/* Events of backend feeds may come without a number. A repetition of one is then known by its bytes: the last
 * NORMALISE_CONTENTS of them are remembered by their hash, in a ring with an open-addressing table over it. */
#include <stdlib.h>

#include "base/crypto.h"
#include "ingest/normalise_internal.h"

#define SLOT_COUNT (NORMALISE_CONTENTS * 2)
#define SLOT_MASK  (SLOT_COUNT - 1)

static uint32_t home_of(const struct content *c)
{
    uint32_t h;

    memcpy(&h, c->hash, sizeof h);
    return h & SLOT_MASK;
}

static uint32_t find(const struct normalise *n, const struct content *c)
{
    uint32_t i = home_of(c);

    while (n->content_slot[i] != 0 && memcmp(&n->content[n->content_slot[i] - 1], c, sizeof *c) != 0)
        i = (i + 1) & SLOT_MASK;
    return i;
}

/* Takes a slot out of its run; the ones behind it that would no longer be found move up. */
static void forget(struct normalise *n, const struct content *c)
{
    uint32_t hole = find(n, c);

    for (uint32_t i = (hole + 1) & SLOT_MASK; n->content_slot[i] != 0; i = (i + 1) & SLOT_MASK) {
        uint32_t home = home_of(&n->content[n->content_slot[i] - 1]);

        if (((i - home) & SLOT_MASK) >= ((i - hole) & SLOT_MASK)) {
            n->content_slot[hole] = n->content_slot[i];
            hole = i;
        }
    }
    n->content_slot[hole] = 0;
}

enum vs_err normalise_content_add(struct normalise *n, const struct content *c, bool *ret_seen)
{
    if (n->content == NULL) {
        n->content = calloc(NORMALISE_CONTENTS, sizeof n->content[0]);
        n->content_slot = calloc(SLOT_COUNT, sizeof n->content_slot[0]);
        if (n->content == NULL || n->content_slot == NULL) {
            free(n->content);
            free(n->content_slot);
            n->content = NULL;
            n->content_slot = NULL;
            return VS_ERR_NO_MEMORY;
        }
    }
    uint32_t at = find(n, c);
    *ret_seen = n->content_slot[at] != 0;
    if (*ret_seen)
        return VS_OK;
    if (n->content_count == NORMALISE_CONTENTS)
        forget(n, &n->content[n->content_next]);
    else
        n->content_count++;
    n->content[n->content_next] = *c;
    n->content_slot[find(n, c)] = n->content_next + 1;
    n->content_next = (n->content_next + 1) % NORMALISE_CONTENTS;
    return VS_OK;
}

enum vs_err normalise_content_seen(struct normalise *n, struct slice content, bool *ret_seen)
{
    uint8_t digest[SHA256_SIZE];
    struct content c;

    sha256(content, digest);
    memcpy(c.hash, digest, sizeof c.hash);
    return normalise_content_add(n, &c, ret_seen);
}
