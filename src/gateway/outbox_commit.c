/* Commit, copying forward, and what is read back at the start.
 *
 * Copying forward takes the entries that still count out of the oldest records and writes them packed behind the head;
 * then the oldest records are not needed. What counts is what the index in memory says, and memory knows better than
 * the journal as long as something is staged: an entry may have been given up or replaced by a note that is not durable
 * yet. Therefore it is done after a commit, when nothing is staged, and always leaves SPARE_RECORDS of the largest
 * records free: for the next commit, for the copy after it, and for what the end of the device swallows when a record
 * does not fit before it. Since what waits is held below three quarters of the rest (outbox_has_room), one turn of the
 * ring makes room. */
#include "gateway/outbox_entry.h"

#include "core/cursor.h"

#define SPARE_RECORDS   4u
#define COLLECT_RECORDS 16u /* oldest records that one copy makes unneeded, at most */

static bool still_counts(struct outbox *o, uint32_t block, const struct outbox_entry *e)
{
    const struct outbox_entry *now = outbox_find(o, e->epoch, e->seq);

    return now != NULL && now->state != OUTBOX_DEAD && now->block == block && now->offset == e->offset;
}

/* Entries of the oldest record that fit behind *len bytes of copy. True when the record has none left to copy. */
static bool gather(struct outbox *o, uint32_t block, struct slice contents, uint8_t *copy, uint32_t *len)
{
    struct outbox_reader r = {.contents = contents};
    struct outbox_entry e;
    enum outbox_kind kind;
    struct slice bytes;

    while (outbox_reader_next(&r, &kind, &e, &bytes)) {
        if (kind == OUTBOX_KIND_GONE || !still_counts(o, block, &e))
            continue;
        if (*len + OUTBOX_HEAD_SIZE + e.len > o->staging_size)
            return false;
        outbox_head_write(copy + *len, kind, &e);
        memcpy(copy + *len + OUTBOX_HEAD_SIZE, bytes.ptr, bytes.len);
        *len += OUTBOX_HEAD_SIZE + e.len;
    }
    return true;
}

/* After a record is durable: the index shows where its entries are. A staged entry may have been overtaken or given up.
 */
static void repoint(struct outbox *o, struct slice contents, uint32_t block, uint64_t *counter)
{
    struct outbox_reader r = {.contents = contents};
    struct outbox_entry e;
    enum outbox_kind kind;
    struct slice bytes;

    while (outbox_reader_next(&r, &kind, &e, &bytes)) {
        struct outbox_entry *now = kind == OUTBOX_KIND_GONE ? NULL : outbox_find(o, e.epoch, e.seq);

        if (now == NULL || now->state == OUTBOX_DEAD)
            continue;
        if (counter == NULL && (now->block != OUTBOX_STAGED || now->offset != e.offset))
            continue;
        now->block = block;
        now->offset = e.offset;
        if (counter != NULL)
            *counter += 1;
    }
}

/* A record that does not open any more takes its entries with it; their numbers will be missing at the backend. */
static void bury(struct outbox *o, uint32_t block)
{
    for (uint32_t i = 0; i < o->entry_count; i++) {
        if (o->entry[i].block != block || o->entry[i].state == OUTBOX_DEAD)
            continue;
        outbox_kill(o, &o->entry[i]);
        o->counters.unreadable++;
    }
}

/* Drops oldest records that nobody needs, and gathers from those that somebody does, until the copy is full. */
static enum vs_err collect(struct outbox *o, uint64_t last_index, uint8_t *copy, uint32_t *len)
{
    struct journal *j = &o->journal;

    for (unsigned done = 0; done < COLLECT_RECORDS && !journal_is_empty(j) && j->tail_index <= last_index; done++) {
        struct journal_header h;
        struct slice contents;
        enum vs_err err = journal_read(j, j->tail_block, outbox_read_scratch(o), &h, &contents);

        if (err == VS_OK && !gather(o, j->tail_block, contents, copy, len))
            return VS_OK;
        if (err == VS_ERR_NOT_FOUND || err == VS_ERR_TAMPERED)
            bury(o, j->tail_block);
        else if (err != VS_OK)
            return err;
        if ((err = journal_drop_tail(j, outbox_read_scratch(o))) != VS_OK)
            return err;
    }
    return VS_OK;
}

/* One record of copied entries, which also makes the new tail durable. On failure the tail is where it was. */
static enum vs_err copy_forward(struct outbox *o, uint64_t last_index)
{
    struct journal *j = &o->journal;
    uint64_t tail_index = j->tail_index;
    uint32_t tail_block = j->tail_block, len = 0, block;
    uint8_t *copy = outbox_copy_scratch(o);
    enum vs_err err = collect(o, last_index, copy, &len);

    if (err == VS_OK)
        err = journal_append(j, o->epoch, o->seq_durable, o->epoch_started_us, slice_make(copy, len),
                             outbox_write_scratch(o), &block);
    if (err != VS_OK) {
        j->tail_index = tail_index;
        j->tail_block = tail_block;
        return err;
    }
    repoint(o, slice_make(copy, len), block, &o->counters.relocated);
    return VS_OK;
}

static enum vs_err make_room(struct outbox *o)
{
    struct journal *j = &o->journal;
    uint32_t blocks = SPARE_RECORDS * j->record_blocks_max;
    uint64_t last_index = j->newest_index;

    while (journal_free_blocks(j) < blocks) {
        if (j->tail_index > last_index)
            return VS_ERR_FULL;
        enum vs_err err = copy_forward(o, last_index);
        if (err != VS_OK)
            return err;
    }
    return VS_OK;
}

static enum vs_err append_staged(struct outbox *o)
{
    uint32_t block = 0;
    struct slice staged = slice_make(o->staging, o->staging_len);
    enum vs_err err = journal_append(&o->journal, o->epoch, o->seq_next, o->epoch_started_us, staged,
                                     outbox_write_scratch(o), &block);

    if (err != VS_OK)
        return err;
    repoint(o, staged, block, NULL);
    o->staging_len = 0;
    o->seq_durable = o->seq_next;
    o->counters.commits++;
    return VS_OK;
}

enum vs_err outbox_commit(struct outbox *o)
{
    if (o->staging_len > 0) {
        enum vs_err err = append_staged(o);

        /* Only after device errors is there no room for what is staged. */
        if (err == VS_ERR_FULL && (err = make_room(o)) == VS_OK)
            err = append_staged(o);
        if (err != VS_OK) {
            o->counters.commit_failed++;
            return err;
        }
    }
    /* What was staged is durable, whatever comes of this; the next commit tries again. */
    if (make_room(o) != VS_OK)
        o->counters.copy_failed++;
    return VS_OK;
}

static void restore_gone(struct outbox *o, uint32_t epoch, struct slice bytes)
{
    struct cursor c;

    cursor_init(&c, bytes);
    while (cursor_left(&c) >= OUTBOX_GONE_RUN) {
        uint64_t first = cursor_u64le(&c);
        uint64_t count = cursor_u32le(&c);

        outbox_kill_run(o, epoch, first, count);
    }
}

/* Takes one record of the journal into the index, in the order in which they were written. */
static void restore_record(void *ctx, const struct journal_header *h, uint32_t block, struct slice contents)
{
    struct outbox *o = (struct outbox *)ctx;
    struct outbox_reader r = {.contents = contents};
    struct outbox_entry e;
    enum outbox_kind kind;
    struct slice bytes;

    (void)h;
    while (outbox_reader_next(&r, &kind, &e, &bytes)) {
        if (kind == OUTBOX_KIND_GONE) {
            restore_gone(o, e.epoch, bytes);
            continue;
        }
        e.block = block;
        e.state = OUTBOX_WAITING;
        if (!outbox_index(o, &e))
            o->counters.index_full++;
    }
}

/* Numbers go on where the anchor or the newest record says, whichever is further; without an anchor nobody can say that
 * the newest record is the newest, so a new epoch begins. */
static void take_up_numbers(struct outbox *o, const struct outbox_config *cfg, const struct journal_header *newest,
                            const struct journal_finding *finding, int64_t now_us)
{
    const struct port_anchor_value *a = &o->journal.anchored;
    uint32_t epoch_first = cfg->epoch_first == 0 ? 1 : cfg->epoch_first;

    o->seq_next = 1;
    o->epoch = epoch_first;
    o->epoch_started_us = now_us;
    if (finding->fault == JOURNAL_NO_ANCHOR) {
        o->epoch = newest->epoch >= epoch_first ? newest->epoch + 1 : epoch_first;
    } else if (finding->fault != JOURNAL_FRESH) {
        o->epoch = a->head != 0 ? a->epoch : newest->epoch;
        o->seq_next = a->head != 0 ? a->seq_next : newest->seq_next;
        o->epoch_started_us = newest->epoch == o->epoch ? newest->epoch_started_us : 0;
        if (newest->index > a->head && newest->seq_next > o->seq_next)
            o->seq_next = newest->seq_next;
    }
    o->seq_durable = o->seq_next;
}

enum vs_err outbox_open(struct outbox *o, const struct outbox_config *cfg, int64_t now_us,
                        struct journal_finding *ret_finding)
{
    struct journal_header newest;

    if (cfg->staging_size < OUTBOX_STAGING_MIN || cfg->staging_size > OUTBOX_STAGING_MAX ||
        cfg->entry_max < 4 * OUTBOX_ENTRIES_KEPT)
        return VS_ERR_CONFIG;
    memset(o, 0, sizeof *o);
    o->entry = cfg->entry;
    o->entry_max = cfg->entry_max;
    o->staging = cfg->staging;
    o->staging_size = cfg->staging_size;
    o->scratch = cfg->scratch;
    enum vs_err err = journal_open(&o->journal, cfg->device, cfg->anchor, cfg->aead, cfg->staging_size,
                                   cfg->epoch_first, cfg->scratch, restore_record, o, &newest, ret_finding);
    if (err != VS_OK)
        return err;
    uint64_t usable = cfg->device->block_count - (SPARE_RECORDS + 2u) * o->journal.record_blocks_max;
    o->bytes_live_max = usable * cfg->device->block_size / 4 * 3;
    uint64_t kept = o->bytes_live_max / 8 + cfg->bytes_kept;
    if (kept > o->bytes_live_max / 2)
        return VS_ERR_CONFIG;
    o->bytes_ordinary_max = o->bytes_live_max - kept;
    take_up_numbers(o, cfg, &newest, ret_finding, now_us);
    /* After a fault the first record has to tell it; otherwise what an interrupted copy left undone is done now. */
    return ret_finding->fault == JOURNAL_SOUND ? outbox_commit(o) : VS_OK;
}
