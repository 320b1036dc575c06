/* Recovery in two passes. The first finds the newest record that can be believed; the second walks from that record's
 * tail once around the ring in the order of blocks, which is the order of indexes, hands out what opens, and notes the
 * first place where the chain is not what it should be. Between the two passes nothing is kept but one header, so that
 * recovery needs no memory beyond the scratch; each pass reads each block at most once.
 *
 * A block that holds no header is stepped over: the space at the end of the device that a record did not fit into, a
 * free part of the ring, or a record that somebody broke. Old records in free parts have lower indexes and are passed
 * over. */
#include "gateway/journal_record.h"

struct walk {
    const struct port_device *device;
    const struct port_aead *aead;
    size_t contents_max;
    uint8_t *image, *plain; /* two halves of the caller's scratch */
    bool anchored;
    struct port_anchor_value anchor;
    struct journal_header newest; /* index 0: none */
    uint32_t newest_block;
    uint8_t newest_tag[PORT_AEAD_TAG];
    struct journal_finding finding;
};

static const char *const FAULT_NAME[] = {
    [JOURNAL_SOUND] = "sound",   [JOURNAL_FRESH] = "fresh",     [JOURNAL_NO_ANCHOR] = "no_anchor",
    [JOURNAL_EDITED] = "edited", [JOURNAL_MISSING] = "missing", [JOURNAL_SPLICED] = "spliced",
    [JOURNAL_CUT] = "cut",       [JOURNAL_LOST] = "lost",
};

const char *journal_fault_name(uint8_t fault)
{
    return fault < sizeof FAULT_NAME / sizeof FAULT_NAME[0] ? FAULT_NAME[fault] : "unknown";
}

size_t journal_record_size(const struct port_device *device, size_t len)
{
    return (size_t)journal_record_blocks(device, len) * device->block_size;
}

static enum vs_err open_at(struct walk *w, uint32_t block, struct journal_header *h, struct slice *contents,
                           uint8_t tag[PORT_AEAD_TAG])
{
    return journal_record_open(w->device, w->aead, block, w->contents_max, w->image, w->plain, h, contents, tag);
}

static bool is_newer(const struct journal_header *a, const struct journal_header *b)
{
    return a->index > b->index || (a->index == b->index && a->generation > b->generation);
}

static enum vs_err find_newest(struct walk *w)
{
    uint64_t limit = w->anchored && w->anchor.head != 0 ? w->anchor.head + 1 : UINT64_MAX;

    for (uint32_t block = 0; block < w->device->block_count; block++) {
        struct journal_header h = {0};
        struct slice contents;
        uint8_t tag[PORT_AEAD_TAG];
        enum vs_err err = open_at(w, block, &h, &contents, tag);

        if (err == VS_ERR_TAMPERED && w->anchored && h.index == w->anchor.head + 1)
            w->finding.torn = true;
        if (err == VS_ERR_TAMPERED || err == VS_ERR_NOT_FOUND)
            continue;
        if (err != VS_OK)
            return err;
        if (h.index <= limit && is_newer(&h, &w->newest)) {
            w->newest = h;
            w->newest_block = block;
            memcpy(w->newest_tag, tag, sizeof tag);
        }
        block += journal_record_blocks(w->device, h.len) - 1;
    }
    return VS_OK;
}

static void note(struct walk *w, enum journal_fault fault, uint64_t index, uint32_t block)
{
    if (w->finding.fault != JOURNAL_SOUND)
        return;
    w->finding.fault = (uint8_t)fault;
    w->finding.index = index;
    w->finding.block = block;
}

/* What is known while walking: which record has to come now, where, and the tag of the one before it. */
struct step {
    uint64_t expect;
    uint32_t place;
    bool linked;
    uint8_t tag[PORT_AEAD_TAG];
    uint64_t doubt; /* index of the last record, when it does not continue the one before it; 0 = no doubt */
    uint32_t doubt_block, before_doubt_block;
    uint32_t block; /* of the last record */
    uint8_t claim;  /* enum journal_fault: what stands at the place, if it is not the record expected */
    uint32_t claim_block;
};

/* Remembers why the expected record was not found, when something stands in its place or (`sure`) wears its index. */
static void suspect(struct step *s, enum journal_fault fault, uint32_t block, bool sure)
{
    if (s->claim != JOURNAL_SOUND && !sure)
        return;
    s->claim = (uint8_t)fault;
    s->claim_block = block;
}

/* Of two records that do not fit together one is an impostor. The chain is to be believed from its end backwards: when
 * the second one is continued, it is the first one that does not belong there. */
static void settle_doubt(struct walk *w, struct step *s, bool continued)
{
    if (s->doubt != 0 && continued)
        note(w, JOURNAL_SPLICED, s->doubt - 1, s->before_doubt_block);
    else if (s->doubt != 0)
        note(w, JOURNAL_SPLICED, s->doubt, s->doubt_block);
    s->doubt = 0;
}

/* Compares a record with the one before it. Sets s->doubt when they do not fit. */
static void check_link(struct walk *w, struct step *s, const struct journal_header *h, uint32_t block)
{
    bool in_chain = h->index >= w->newest.base_index;
    bool continues = s->linked && memcmp(h->prev_tag, s->tag, PORT_AEAD_TAG) == 0;

    settle_doubt(w, s, h->index == s->expect && continues);

    if (h->index > s->expect) {
        /* Gaps before base_index were told when they were found. */
        if (in_chain && s->expect >= w->newest.base_index)
            note(w, s->claim == JOURNAL_SOUND ? JOURNAL_MISSING : (enum journal_fault)s->claim, s->expect,
                 s->claim == JOURNAL_SOUND ? s->place : s->claim_block);
        w->finding.records_lost += h->index - s->expect;
    } else if (s->linked && in_chain && h->index > w->newest.base_index && !continues) {
        s->doubt = h->index;
        s->doubt_block = block;
        s->before_doubt_block = s->block;
    }
}

static bool is_blank(const uint8_t *header)
{
    uint8_t any = 0;

    for (unsigned i = 0; i < JOURNAL_HEADER_SIZE; i++)
        any |= header[i];
    return any == 0;
}

/* Takes what stands at a block; says how many blocks to go on by. */
static enum vs_err walk_block(struct walk *w, struct step *s, uint32_t block, journal_visit *visit, void *ctx,
                              uint32_t *ret_blocks)
{
    struct journal_header h = {0};
    struct slice contents = {0};
    uint8_t tag[PORT_AEAD_TAG];
    enum vs_err err = open_at(w, block, &h, &contents, tag);

    *ret_blocks = 1;
    if (err == VS_ERR_TAMPERED || err == VS_ERR_NOT_FOUND) {
        /* At the very place, or wearing the index: somebody changed it. Elsewhere it is free space. */
        bool wears = err == VS_ERR_TAMPERED && h.index == s->expect;
        if (wears || (block == s->place && !is_blank(w->image)))
            suspect(s, JOURNAL_EDITED, block, wears);
        return VS_OK;
    }
    if (err != VS_OK)
        return err;
    *ret_blocks = journal_record_blocks(w->device, h.len);
    if (h.index < s->expect || h.index > w->newest.index) {
        if (block == s->place)
            suspect(s, JOURNAL_SPLICED, block, false);
        return VS_OK;
    }
    if (h.index == w->newest.index && block != w->newest_block)
        return VS_OK;
    if (h.index > s->expect && block == s->place)
        suspect(s, JOURNAL_SPLICED, block, false);
    check_link(w, s, &h, block);
    s->expect = h.index + 1;
    s->linked = true;
    s->block = block;
    s->place = (block + *ret_blocks) % w->device->block_count;
    s->claim = JOURNAL_SOUND;
    memcpy(s->tag, tag, sizeof tag);
    w->finding.records++;
    if (visit != NULL)
        visit(ctx, &h, block, contents);
    return VS_OK;
}

static enum vs_err walk_ring(struct walk *w, journal_visit *visit, void *ctx)
{
    uint32_t count = w->device->block_count;
    struct step s = {.expect = w->newest.tail_index, .place = w->newest.tail_block};

    for (uint64_t done = 0; done < count && s.expect <= w->newest.index;) {
        uint32_t block = (uint32_t)((w->newest.tail_block + done) % count);
        uint32_t blocks;
        enum vs_err err = walk_block(w, &s, block, visit, ctx, &blocks);

        if (err != VS_OK)
            return err;
        done += blocks;
    }
    settle_doubt(w, &s, !w->anchored || memcmp(w->newest_tag, w->anchor.tag, PORT_AEAD_TAG) == 0);
    return VS_OK;
}

/* What the anchor knows better than the journal does. */
static void compare_anchor(struct walk *w)
{
    /* An anchor with head 0 was written before the first record, so that at most that record may be there. */
    if (!w->anchored || w->anchor.head == 0) {
        if (w->newest.index == 0)
            note(w, JOURNAL_FRESH, 0, 0);
        else if (!w->anchored || w->newest.index > 1)
            note(w, JOURNAL_NO_ANCHOR, 0, 0);
        return;
    }
    if (w->newest.index == 0) {
        note(w, JOURNAL_LOST, w->anchor.tail, 0);
        w->finding.records_lost += w->anchor.head - w->anchor.tail + 1;
    } else if (w->newest.index < w->anchor.head) {
        note(w, JOURNAL_CUT, w->newest.index + 1, w->newest_block);
        w->finding.records_lost += w->anchor.head - w->newest.index;
    } else if (w->newest.index == w->anchor.head && memcmp(w->newest_tag, w->anchor.tag, PORT_AEAD_TAG) != 0) {
        note(w, JOURNAL_SPLICED, w->newest.index, w->newest_block);
    } else if (w->newest.index > w->anchor.head && w->newest.base_index != w->newest.index &&
               memcmp(w->newest.prev_tag, w->anchor.tag, PORT_AEAD_TAG) != 0) {
        note(w, JOURNAL_SPLICED, w->newest.index, w->newest_block);
    }
}

/* A record at the head's place that does not open, although the anchor says that it was durable, was edited and not
 * cut. */
static enum vs_err tell_edit_from_cut(struct walk *w)
{
    struct journal_header h = {0};
    struct slice contents;
    uint8_t tag[PORT_AEAD_TAG];

    if (w->finding.fault != JOURNAL_CUT && w->finding.fault != JOURNAL_LOST)
        return VS_OK;
    for (uint32_t block = 0; block < w->device->block_count; block++) {
        enum vs_err err = open_at(w, block, &h, &contents, tag);

        if (err == VS_ERR_TAMPERED && h.index == w->finding.index) {
            w->finding.fault = JOURNAL_EDITED;
            w->finding.block = block;
            return VS_OK;
        }
        if (err == VS_OK)
            block += journal_record_blocks(w->device, h.len) - 1;
        else if (err != VS_ERR_TAMPERED && err != VS_ERR_NOT_FOUND)
            return err;
    }
    return VS_OK;
}

static enum vs_err scan(struct walk *w, const struct port_anchor *anchor, journal_visit *visit, void *ctx)
{
    enum vs_err err = anchor->read(anchor->ctx, &w->anchor);

    if (err != VS_OK && err != VS_ERR_NOT_FOUND)
        return err;
    /* A head without numbers, or beyond all numbers, is no anchor. */
    w->anchored = err == VS_OK && w->anchor.head <= JOURNAL_INDEX_MAX && w->anchor.seq_next <= JOURNAL_INDEX_MAX &&
                  w->anchor.tail <= w->anchor.head && (w->anchor.head == 0 || w->anchor.seq_next > 0);
    if (!w->anchored)
        memset(&w->anchor, 0, sizeof w->anchor);
    if ((err = find_newest(w)) != VS_OK)
        return err;
    if (w->newest.index != 0 && (err = walk_ring(w, visit, ctx)) != VS_OK)
        return err;
    compare_anchor(w);
    return tell_edit_from_cut(w);
}

static void walk_init(struct walk *w, const struct port_device *device, const struct port_aead *aead,
                      size_t contents_max, uint8_t *scratch)
{
    memset(w, 0, sizeof *w);
    w->device = device;
    w->aead = aead;
    w->contents_max = contents_max;
    w->image = scratch;
    w->plain = scratch + journal_record_size(device, contents_max);
}

enum vs_err journal_inspect(const struct port_device *device, const struct port_anchor *anchor,
                            const struct port_aead *aead, size_t contents_max, uint8_t *scratch, journal_visit *visit,
                            void *ctx, struct journal_header *ret_newest, struct journal_finding *ret_finding)
{
    struct walk w;

    walk_init(&w, device, aead, contents_max, scratch);
    enum vs_err err = scan(&w, anchor, visit, ctx);
    if (err != VS_OK)
        return err;
    *ret_newest = w.newest;
    *ret_finding = w.finding;
    return VS_OK;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* A record that was durable before the power went, but not anchored, is anchored with the next generation. */
static void catch_up(struct port_anchor_value *a, const struct walk *w)
{
    const struct journal_header *h = &w->newest;

    if (!w->anchored || h->index == 0 || h->index != a->head + 1)
        return;
    a->epoch = h->epoch;
    a->head = h->index;
    a->tail = h->tail_index;
    a->seq_next = h->seq_next;
    memcpy(a->tag, w->newest_tag, sizeof a->tag);
}

/* Where to go on: behind the newest record that opens. After a fault the index is behind the highest ever known and the
 * chain starts anew there, so that what was found is told once. */
static void take_up(struct journal *j, const struct walk *w)
{
    const struct journal_header *h = &w->newest;

    j->anchored = w->anchor;
    catch_up(&j->anchored, w);
    j->index_next = max_u64(h->index, w->anchor.head) + 1;
    j->generation = (uint32_t)max_u64(h->generation, w->anchor.generation);
    j->newest_block = w->newest_block;
    memcpy(j->newest_tag, w->newest_tag, sizeof j->newest_tag);
    j->head_block = h->index == 0 ? 0 : w->newest_block + journal_record_blocks(w->device, h->len);
    j->tail_index = h->index == 0 ? j->index_next : h->tail_index;
    j->tail_block = j->durable_tail_block = h->tail_block;
    j->base_index = w->finding.fault == JOURNAL_SOUND ? h->base_index : j->index_next;
    j->newest_index = h->index;
}

enum vs_err journal_open(struct journal *j, const struct port_device *device, const struct port_anchor *anchor,
                         const struct port_aead *aead, size_t contents_max, uint32_t generation_min, uint8_t *scratch,
                         journal_visit *visit, void *ctx, struct journal_header *ret_newest,
                         struct journal_finding *ret_finding)
{
    struct walk w;

    if (device->block_size < PORT_BLOCK_MIN || device->block_size > PORT_BLOCK_MAX || device->block_size % 8 != 0)
        return VS_ERR_CONFIG;
    uint32_t blocks_max = journal_record_blocks(device, contents_max);
    if (device->block_count / JOURNAL_RECORDS_MIN < blocks_max)
        return VS_ERR_CONFIG;
    walk_init(&w, device, aead, contents_max, scratch);
    enum vs_err err = scan(&w, anchor, visit, ctx);
    if (err != VS_OK)
        return err;
    memset(j, 0, sizeof *j);
    j->device = device;
    j->anchor = anchor;
    j->aead = aead;
    j->record_blocks_max = blocks_max;
    take_up(j, &w);
    j->generation = (uint32_t)max_u64(j->generation, generation_min);
    j->generation_due = true;
    j->failed_block = UINT32_MAX;
    *ret_newest = w.newest;
    *ret_finding = w.finding;
    return VS_OK;
}
