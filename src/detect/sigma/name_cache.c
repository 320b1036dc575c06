#include "detect/sigma/name_cache.h"

#include "detect/sigma/hash.h"
#include "detect/sigma/record.h"

/* Where tools put the fields of a Windows event; a rule names them without this. */
static const struct slice WRAPPER[] = {SLICE_LIT("Event.EventData."), SLICE_LIT("Event.System."),
                                       SLICE_LIT("EventData."), SLICE_LIT("winlog.event_data.")};

void name_cache_init(struct name_cache *c)
{
    memset(c, 0, sizeof *c);
}

/* Looks a name up in the table of all names. */
static void ask(struct name_slot *s, const struct fields *f, struct slice name)
{
    uint32_t id = fields_find(f, name);

    for (size_t i = 0; id == INTERN_NONE && i < sizeof WRAPPER / sizeof WRAPPER[0]; i++)
        if (slice_starts(name, WRAPPER[i]))
            id = fields_find(f, slice_from(name, WRAPPER[i].len));
    s->number = id;
    s->hash = id != INTERN_NONE ? f->hash[id] : hash_bytes(name, 0);
}

const struct name_slot *name_cache_find(struct name_cache *c, const struct fields *f, struct slice name)
{
    uint64_t word[3];

    if (name.len == 0 || name.len > NAME_CACHED_MAX) {
        ask(&c->other, f, name);
        return &c->other;
    }
    hash_words(name, word);
    uint64_t h = (word[0] ^ name.len) * UINT64_C(0x9E3779B97F4A7C15) ^ word[1] * UINT64_C(0xD6E8FEB86659FD93) ^
                 word[2] * UINT64_C(0xA0761D6478BD642F);
    struct name_slot *s = &c->slot[(h ^ h >> 32) >> 8 & (NAME_CACHE_SLOTS - 1)];
    if (s->len == name.len && s->word[0] == word[0] && s->word[1] == word[1] && s->word[2] == word[2])
        return s;
    memcpy(s->word, word, sizeof s->word);
    s->len = (uint32_t)name.len;
    ask(s, f, name);
    return s;
}
