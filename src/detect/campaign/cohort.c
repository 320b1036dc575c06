/* Numbers for signatures, cohorts and cells. A cohort has eight cells: each subset of model, software and region. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/campaign/campaign_internal.h"

static const uint8_t PARENT[CAMPAIGN_MASKS] = {
    /* Software goes first, because a new version has no history; then the region. */
    [CAMPAIGN_MODEL] = 0,
    [CAMPAIGN_SOFTWARE] = 0,
    [CAMPAIGN_REGION] = 0,
    [CAMPAIGN_MODEL | CAMPAIGN_SOFTWARE] = CAMPAIGN_MODEL,
    [CAMPAIGN_MODEL | CAMPAIGN_REGION] = CAMPAIGN_MODEL,
    [CAMPAIGN_SOFTWARE | CAMPAIGN_REGION] = CAMPAIGN_REGION,
    [CAMPAIGN_MODEL | CAMPAIGN_SOFTWARE | CAMPAIGN_REGION] = CAMPAIGN_MODEL | CAMPAIGN_REGION,
};

bool array_room(void **array, uint32_t count, uint32_t *room, size_t element_size)
{
    if (count < *room)
        return true;
    uint32_t more = *room < 8 ? 8 : *room + *room / 2;
    while (more <= count)
        more += more / 2;
    uint8_t *grown = realloc(*array, more * element_size);
    if (grown == NULL)
        return false;
    memset(grown + *room * element_size, 0, (more - *room) * element_size);
    *array = grown;
    *room = more;
    return true;
}

static uint64_t mix(uint64_t k)
{
    k ^= k >> 31;
    k *= UINT64_C(0x9E3779B97F4A7C15);
    k ^= k >> 29;
    k *= UINT64_C(0xBF58476D1CE4E5B9);
    return k ^ (k >> 32);
}

/* The place of the key, or the empty one where it would go. */
static uint32_t place(const struct number_map *m, uint64_t key)
{
    uint32_t at = (uint32_t)mix(key) & (m->size - 1);

    while (m->value[at] != 0 && m->key[at] != key)
        at = (at + 1) & (m->size - 1);
    return at;
}

static bool grow(struct number_map *m)
{
    struct number_map more = {.size = m->size == 0 ? 64 : 2 * m->size};

    more.key = calloc(more.size, sizeof *more.key);
    more.value = calloc(more.size, sizeof *more.value);
    if (more.key == NULL || more.value == NULL) {
        free(more.key);
        free(more.value);
        return false;
    }
    for (uint32_t i = 0; i < m->size; i++) {
        if (m->value[i] == 0)
            continue;
        uint32_t at = place(&more, m->key[i]);
        more.key[at] = m->key[i];
        more.value[at] = m->value[i];
    }
    more.count = m->count;
    number_map_done(m);
    *m = more;
    return true;
}

enum vs_err number_map_put(struct number_map *m, uint64_t key, uint32_t value)
{
    if (4 * (m->count + 1) > 3 * m->size && !grow(m))
        return VS_ERR_NO_MEMORY;
    uint32_t at = place(m, key);
    m->count += m->value[at] == 0;
    m->key[at] = key;
    m->value[at] = value + 1;
    return VS_OK;
}

uint32_t number_map_get(const struct number_map *m, uint64_t key)
{
    if (m->size == 0)
        return CAMPAIGN_NONE;
    uint32_t at = place(m, key);
    return m->value[at] == 0 ? CAMPAIGN_NONE : m->value[at] - 1;
}

void number_map_done(struct number_map *m)
{
    free(m->key);
    free(m->value);
    memset(m, 0, sizeof *m);
}

/* ---- signatures */

uint32_t campaign_signature(struct campaigns *c, struct slice text, unsigned flags)
{
    text = slice_head(text, CAMPAIGN_TEXT_MAX);
    uint32_t at = intern_find(&c->signature_texts, text);
    if (at == INTERN_NONE) {
        uint32_t count = c->signature_texts.count;

        if (count >= CAMPAIGN_SIGNATURES_MAX ||
            !array_room((void **)&c->signature, count, &c->signature_room, sizeof *c->signature))
            return CAMPAIGN_NONE;
        at = intern_add(&c->signature_texts, text);
        if (at == INTERN_NONE)
            return CAMPAIGN_NONE;
        c->signature[at].dirty_hour = NO_HOUR;
    }
    c->signature[at].flags |= flags;
    return at;
}

/* ---- cells */

/* Three text numbers as one key; texts are far fewer than 2^20. */
static uint64_t key_of(uint8_t mask, const uint32_t value[3])
{
    uint64_t key = mask;

    for (int i = 0; i < 3; i++)
        key = (key << 20) | ((mask >> i & 1) != 0 ? (value[i] + 1) & 0xFFFFF : 0);
    return key;
}

uint32_t cell_get(struct campaigns *c, uint8_t mask, const uint32_t value[3])
{
    uint64_t key = key_of(mask, value);
    uint32_t at = number_map_get(&c->cell_of, key);

    if (at != CAMPAIGN_NONE)
        return at;
    uint32_t parent = mask == 0 ? CAMPAIGN_NONE : cell_get(c, PARENT[mask], value);
    if (c->cell_count >= CAMPAIGN_CELLS_MAX || (mask != 0 && parent == CAMPAIGN_NONE) ||
        !array_room((void **)&c->cell, c->cell_count, &c->cell_room, sizeof *c->cell))
        return CAMPAIGN_NONE;
    struct cell *x = &c->cell[c->cell_count];
    memset(x, 0, sizeof *x);
    x->mask = mask;
    x->parent = parent;
    x->first_day = INT32_MAX;
    for (int i = 0; i < 3; i++)
        x->value[i] = (mask >> i & 1) != 0 ? value[i] : CAMPAIGN_NONE;
    if (mask == 0 || mask == CAMPAIGN_MODEL) {
        x->weekly = calloc(WEEKS, sizeof *x->weekly);
        if (x->weekly == NULL)
            return CAMPAIGN_NONE;
    }
    if (number_map_put(&c->cell_of, key, c->cell_count) != VS_OK) {
        free(x->weekly);
        return CAMPAIGN_NONE;
    }
    return c->cell_count++;
}

static uint32_t text_number(struct campaigns *c, struct slice text)
{
    return intern_add(&c->texts, slice_head(text, CAMPAIGN_TEXT_MAX));
}

struct slice campaign_text(struct campaigns *c, struct slice text)
{
    uint32_t at = c->texts.count < (1u << 20) - 1 ? text_number(c, text) : intern_find(&c->texts, text);

    return at != INTERN_NONE ? intern_text(&c->texts, at) : slice_make(NULL, 0);
}

uint32_t campaign_cohort(struct campaigns *c, struct slice model, struct slice software, struct slice region)
{
    const uint32_t value[3] = {text_number(c, model), text_number(c, software), text_number(c, region)};
    uint64_t key = key_of(CAMPAIGN_MASKS - 1, value);

    if (value[0] == INTERN_NONE || value[1] == INTERN_NONE || value[2] == INTERN_NONE)
        return CAMPAIGN_NONE;
    uint32_t at = number_map_get(&c->cohort_of, key);
    if (at != CAMPAIGN_NONE)
        return at;
    if (c->cohort_count >= CAMPAIGN_COHORTS_MAX || c->texts.count >= (1u << 20) - 1 ||
        !array_room((void **)&c->cohort, c->cohort_count, &c->cohort_room, sizeof *c->cohort))
        return CAMPAIGN_NONE;
    struct cohort fresh;
    memcpy(fresh.value, value, sizeof fresh.value);
    for (uint8_t mask = 0; mask < CAMPAIGN_MASKS; mask++) {
        fresh.cell[mask] = cell_get(c, mask, value);
        if (fresh.cell[mask] == CAMPAIGN_NONE)
            return CAMPAIGN_NONE;
    }
    if (number_map_put(&c->cohort_of, key, c->cohort_count) != VS_OK)
        return CAMPAIGN_NONE;
    c->cohort[c->cohort_count] = fresh;
    return c->cohort_count++;
}

struct campaign_cell cell_view(const struct campaigns *c, uint32_t cell)
{
    const struct cell *x = &c->cell[cell];
    struct campaign_cell ret = {.mask = x->mask};

    if ((x->mask & CAMPAIGN_MODEL) != 0)
        ret.model = intern_text(&c->texts, x->value[0]);
    if ((x->mask & CAMPAIGN_SOFTWARE) != 0)
        ret.software = intern_text(&c->texts, x->value[1]);
    if ((x->mask & CAMPAIGN_REGION) != 0)
        ret.region = intern_text(&c->texts, x->value[2]);
    return ret;
}

uint32_t cell_find(const struct campaigns *c, const struct campaign_cell *cell)
{
    const struct slice text[3] = {cell->model, cell->software, cell->region};
    uint32_t value[3] = {0, 0, 0};

    for (int i = 0; i < 3; i++) {
        if ((cell->mask >> i & 1) == 0)
            continue;
        value[i] = intern_find(&c->texts, slice_head(text[i], CAMPAIGN_TEXT_MAX));
        if (value[i] == INTERN_NONE)
            return CAMPAIGN_NONE;
    }
    return number_map_get(&c->cell_of, key_of(cell->mask, value));
}

bool cells_disjoint(const struct campaigns *c, uint32_t a, uint32_t b)
{
    const struct cell *x = &c->cell[a], *y = &c->cell[b];

    for (int i = 0; i < 3; i++)
        if ((x->mask & y->mask) >> i & 1 && x->value[i] != y->value[i])
            return true;
    return false;
}

static int compare_values(const struct campaigns *c, uint8_t mask, const uint32_t a[3], const uint32_t b[3])
{
    int order = 0;

    for (int i = 0; order == 0 && i < 3; i++)
        if ((mask >> i & 1) != 0)
            order = slice_compare(intern_text(&c->texts, a[i]), intern_text(&c->texts, b[i]));
    return order;
}

int cell_compare(const struct campaigns *c, uint32_t a, uint32_t b)
{
    const struct cell *x = &c->cell[a], *y = &c->cell[b];

    if (x->mask != y->mask)
        return x->mask < y->mask ? -1 : 1;
    return compare_values(c, x->mask, x->value, y->value);
}

int cohort_compare(const struct campaigns *c, uint32_t a, uint32_t b)
{
    return compare_values(c, CAMPAIGN_MASKS - 1, c->cohort[a].value, c->cohort[b].value);
}

void campaign_cell_text(const struct campaign_cell *cell, char *ret, size_t size)
{
    const struct slice text[3] = {cell->model, cell->software, cell->region};
    static const char *const NAME[3] = {"model", "software", "region"};
    size_t len = 0;

    if (size > 0)
        ret[0] = '\0';
    for (int i = 0; i < 3; i++) {
        if ((cell->mask >> i & 1) == 0 || len >= size)
            continue;
        int n = snprintf(ret + len, size - len, "%s%s %.*s", len > 0 ? ", " : "", NAME[i], (int)text[i].len,
                         text[i].len > 0 ? (const char *)text[i].ptr : "");
        len += n > 0 ? (size_t)n : 0;
    }
    if (cell->mask == 0)
        snprintf(ret, size, "the whole fleet");
}
