#include <string.h>

#include "api/call.h"
#include "api/incident_query.h"
#include "core/hex.h"
#include "event/event.h"

/* The first parameter of each group in INCIDENT_WHERE. */
#define AT_WORD_COUNT 10
#define AT_PATTERN    11
#define AT_BEGIN      19
#define AT_END        27
#define AT_LISTS      35
#define PREFIX_MIN    4
#define LIST_PARAMS   (1 + 2 * FILTER_ITEMS_MAX)

_Static_assert(AT_LISTS + QUERY_LIST_COUNT * LIST_PARAMS - 1 == QUERY_PARAMS, "the parameters of INCIDENT_WHERE");

static int disposition_number(struct slice code)
{
    return slice_equal_str(code, "none") ? DISPOSITION_NONE : disposition_from_code(code);
}

static bool bad(struct call *c, enum vs_err err, const char *field, const char *text)
{
    reply_fault(c, err, field, text);
    return false;
}

static bool read_masks(struct call *c, struct incident_query *iq)
{
    const struct {
        const char *name;
        int (*number)(struct slice code);
        int count;
        uint32_t *mask;
    } list[] = {{"severity", alert_severity_from_code, ALERT_CRITICAL + 1, &iq->severity},
                {"stage", stage_from_code, STAGE_COUNT, &iq->stage},
                {"disposition", disposition_number, DISPOSITION_COUNT, &iq->disposition}};

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        enum vs_err err = filter_mask(http_query(c->rq, list[i].name), list[i].number, list[i].count, list[i].mask);
        if (err != VS_OK)
            return bad(c, err, list[i].name, "not a list of known codes");
    }
    return true;
}

static bool read_lists(struct call *c, struct incident_query *iq)
{
    static const char *const NAME[QUERY_LIST_COUNT] = {"assignee", "rule", "model"};

    for (int l = 0; l < QUERY_LIST_COUNT; l++) {
        enum vs_err err = filter_list_parse(http_query(c->rq, NAME[l]), &iq->list[l]);
        if (err == VS_ERR_LIMIT)
            return bad(c, err, NAME[l], "more than 16 values");
        if (err != VS_OK)
            return bad(c, err, NAME[l], "an empty item or an open quote");
    }
    struct filter_list *who = &iq->list[QUERY_ASSIGNEE];
    for (unsigned i = 0; i < who->include_count; i++)
        if (slice_equal_str(who->include[i], "me"))
            who->include[i] = slice_str(c->session.user.name);
    for (unsigned i = 0; i < who->exclude_count; i++)
        if (slice_equal_str(who->exclude[i], "me"))
            who->exclude[i] = slice_str(c->session.user.name);
    return true;
}

static bool read_times(struct call *c, struct incident_query *iq)
{
    const char *from = http_query(c->rq, "from"), *to = http_query(c->rq, "to");

    if (from != NULL && filter_time(from, c->now_us, &iq->from_us) != VS_OK)
        return bad(c, VS_ERR_MALFORMED, "from", "neither RFC 3339 nor now-<number><s|m|h|d|w>");
    if (to != NULL && filter_time(to, c->now_us, &iq->to_us) != VS_OK)
        return bad(c, VS_ERR_MALFORMED, "to", "neither RFC 3339 nor now-<number><s|m|h|d|w>");
    return true;
}

static bool read_words(struct call *c, struct incident_query *iq)
{
    enum vs_err err = filter_words(http_query(c->rq, "q"), iq->words, sizeof iq->words, iq->word, &iq->word_count);

    if (err != VS_OK)
        return bad(c, err, "q", "at most 8 words and 200 characters");
    return true;
}

static struct slice optional(const char *text)
{
    return text != NULL && text[0] != '\0' ? slice_str(text) : slice_make(NULL, 0);
}

bool incident_query_read(struct call *c, struct incident_query *iq)
{
    memset(iq, 0, sizeof *iq);
    iq->to_us = INT64_MAX;
    iq->seq_max = INT64_MAX;
    iq->seq_min = -1;
    iq->signature = optional(http_query(c->rq, "signature"));
    iq->vid = optional(http_query(c->rq, "vid"));
    return read_masks(c, iq) && read_lists(c, iq) && read_times(c, iq) && read_words(c, iq);
}

static void bind_list(struct store_stmt *q, int at, const struct filter_list *list, bool off)
{
    /* A value that no column has: the slots that are not used. */
    struct slice nothing = slice_str("\x01");

    store_bind_i64(q, at++, off ? 0 : list->include_count);
    for (unsigned i = 0; i < FILTER_ITEMS_MAX; i++)
        store_bind_text(q, at++, i < list->include_count ? list->include[i] : nothing);
    for (unsigned i = 0; i < FILTER_ITEMS_MAX; i++)
        store_bind_text(q, at++, !off && i < list->exclude_count ? list->exclude[i] : nothing);
}

static bool all_hex(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (hex_digit(word.ptr[i]) < 0)
            return false;
    return true;
}

/* Pseudonyms that begin with the word: from the word itself up to the word followed by the letter behind "f". A word
 * that cannot begin one, or begins very many, gets an empty range. */
static void bind_prefix(struct store_stmt *q, int at, struct slice word)
{
    char end[EV_VID_TEXT_LEN + 2];
    bool prefix = word.len >= PREFIX_MIN && word.len <= EV_VID_TEXT_LEN && all_hex(word);

    if (!prefix)
        word = slice_str("");
    memcpy(end, word.ptr, word.len);
    end[word.len] = 'g';
    store_bind_text(q, AT_BEGIN + at, word);
    store_bind_text(q, AT_END + at, slice_make(end, prefix ? word.len + 1 : 0));
}

void incident_query_bind(struct store_stmt *q, const struct incident_query *iq, unsigned off)
{
    store_bind_i64(q, 1, off & QUERY_SEVERITY_OFF ? UINT32_MAX : iq->severity);
    store_bind_i64(q, 2, off & QUERY_STAGE_OFF ? UINT32_MAX : iq->stage);
    store_bind_i64(q, 3, off & QUERY_DISPOSITION_OFF ? UINT32_MAX : iq->disposition);
    if (iq->signature.ptr != NULL)
        store_bind_text(q, 4, iq->signature);
    if (iq->vid.ptr != NULL)
        store_bind_text(q, 5, iq->vid);
    store_bind_i64(q, 6, iq->from_us);
    store_bind_i64(q, 7, iq->to_us);
    store_bind_i64(q, 8, iq->seq_max);
    store_bind_i64(q, 9, iq->seq_min);
    store_bind_i64(q, AT_WORD_COUNT, iq->word_count);
    for (unsigned i = 0; i < FILTER_WORDS_MAX; i++) {
        struct slice word = i < iq->word_count ? iq->word[i] : slice_str("");
        char pattern[FILTER_PATTERN_SIZE];
        filter_like(word, true, pattern);
        store_bind_text(q, AT_PATTERN + (int)i, slice_str(pattern));
        bind_prefix(q, (int)i, word);
    }
    for (int l = 0; l < QUERY_LIST_COUNT; l++)
        bind_list(q, AT_LISTS + l * LIST_PARAMS, &iq->list[l], (off & ((unsigned)QUERY_LIST_OFF << l)) != 0);
}
