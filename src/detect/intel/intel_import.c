#include "detect/intel/intel_import.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/writer.h"
#include "detect/intel/intel_index.h"
#include "detect/intel/stix_split.h"
#include "store/intel_store.h"

struct intel_import {
    struct intel_import_config cfg;
    struct intel_import_counts counts;
    struct json_doc *doc;
    struct intel_check *check;
    int64_t version;     /* 0: nothing was written yet */
    int64_t last_number; /* of an indicator */
};

enum vs_err intel_import_new(const struct intel_import_config *cfg, struct intel_import **ret)
{
    struct intel_import *im = calloc(1, sizeof *im);

    if (im == NULL)
        return VS_ERR_NO_MEMORY;
    im->cfg = *cfg;
    if (json_doc_new(&im->doc) != VS_OK || intel_check_new(&im->check) != VS_OK) {
        intel_import_free(im);
        return VS_ERR_NO_MEMORY;
    }
    *ret = im;
    return VS_OK;
}

void intel_import_free(struct intel_import *im)
{
    if (im == NULL)
        return;
    json_doc_free(im->doc);
    intel_check_free(im->check);
    free(im);
}

static enum vs_err note_version(struct intel_import *im)
{
    if (im->version > 0)
        return VS_OK;
    enum vs_err err = intel_store_last_number(im->cfg.store, &im->last_number);
    return err == VS_OK ? intel_store_next_version(im->cfg.store, &im->version) : err;
}

/* Why the pattern is not matched; empty when it is. */
static struct slice why_refused(struct intel_import *im, const struct stix_object *o, char *buf, size_t size)
{
    struct stix_fault fault;

    if (!slice_equal_str(o->pattern_type, "stix")) {
        snprintf(buf, size, "patterns of type %.*s are not read here", (int)o->pattern_type.len,
                 (const char *)o->pattern_type.ptr);
        return slice_str(buf);
    }
    if (intel_check_pattern(im->check, o->pattern, &fault) == VS_OK)
        return slice_make(NULL, 0);
    snprintf(buf, size, "byte %u: %s", fault.position, fault.text);
    return slice_str(buf);
}

static enum vs_err put_indicator(struct intel_import *im, const struct stix_object *o, bool first)
{
    char why[256];
    struct intel_indicator_row row = {.id = o->id,
                                      .source = im->cfg.source,
                                      .created_by = o->created_by,
                                      .name = o->name,
                                      .pattern = o->pattern,
                                      .refused = why_refused(im, o, why, sizeof why),
                                      .modified_us = o->modified_us,
                                      .valid_from_us = o->valid_from_us,
                                      .valid_until_us = o->valid_until_us,
                                      .confidence = o->confidence,
                                      .tlp = o->tlp,
                                      .revoked = o->revoked};
    enum vs_err err = note_version(im);

    if (o->revoked && o->modified_us < row.valid_until_us)
        row.valid_until_us = o->modified_us;
    im->counts.refused_patterns += row.refused.len > 0;
    row.version = im->version;
    if (first)
        row.number = ++im->last_number;
    return err == VS_OK ? intel_store_indicator(im->cfg.store, &row, first) : err;
}

static enum vs_err put_subject(struct intel_import *im, const struct stix_object *o)
{
    char text[STIX_TECHNIQUES_MAX * (STIX_ID_MAX + 1)];
    struct writer w;

    writer_init(&w, text, sizeof text);
    for (unsigned i = 0; i < o->technique_count; i++) {
        if (i > 0)
            writer_u8(&w, ',');
        writer_put(&w, o->technique[i]);
    }
    const struct intel_subject_row row = {o->id, o->type_name, o->name, writer_slice(&w), o->modified_us};
    im->counts.subjects++;
    return intel_store_subject(im->cfg.store, &row);
}

static enum vs_err put_newest(struct intel_import *im, const struct stix_object *o, bool first)
{
    const struct intel_relation_row relation = {o->id,         o->relationship, o->source_ref,
                                                o->target_ref, o->modified_us,  o->revoked};
    const struct intel_sighting_row sighting = {o->id,          o->sighting_of, o->created_by,    im->cfg.source,
                                                o->modified_us, o->count,       o->first_seen_us, o->last_seen_us,
                                                o->tlp,         o->revoked};

    switch ((enum stix_type)o->type) {
    case STIX_TYPE_INDICATOR:
        return put_indicator(im, o, first);
    case STIX_TYPE_ATTACK_PATTERN:
    case STIX_TYPE_MALWARE:
        return put_subject(im, o);
    case STIX_TYPE_RELATIONSHIP:
        im->counts.relations++;
        return intel_store_relation(im->cfg.store, &relation);
    case STIX_TYPE_SIGHTING:
        im->counts.sightings++;
        return intel_store_sighting(im->cfg.store, &sighting);
    case STIX_TYPE_OTHER:
    case STIX_TYPE_MARKING:
    case STIX_TYPE_IDENTITY:
        break;
    }
    return VS_OK;
}

static enum vs_err put(struct intel_import *im, struct stix_object *o, struct slice body)
{
    enum intel_put put = INTEL_PUT_SAME;

    if (o->tlp == TLP_UNMARKED)
        o->tlp = im->cfg.tlp_unmarked;
    const struct intel_object_row row = {o->id,          o->type_name, im->cfg.source,   body,
                                         o->modified_us, o->tlp,       o->marked_further};
    enum vs_err err = intel_store_object(im->cfg.store, &row, &put);
    if (err != VS_OK)
        return err;
    im->counts.indicators += o->type == STIX_TYPE_INDICATOR;
    im->counts.added += put == INTEL_PUT_FIRST;
    im->counts.updated += put == INTEL_PUT_NEWEST;
    im->counts.older += put == INTEL_PUT_OLDER;
    im->counts.unchanged += put == INTEL_PUT_SAME;
    return put >= INTEL_PUT_NEWEST ? put_newest(im, o, put == INTEL_PUT_FIRST) : VS_OK;
}

static void tell(struct intel_import *im, const struct stix_split *s, struct slice id, const char *reason)
{
    im->counts.faulty++;
    if (im->cfg.fault != NULL)
        im->cfg.fault(im->cfg.ctx, s->index, s->byte, id, reason);
}

static struct slice id_of(struct json_node n)
{
    struct json_node id;

    if (!json_node_find(n, "id", &id) || json_node_kind(id) != JSON_NODE_TEXT)
        return slice_make(NULL, 0);
    return slice_head(json_node_text(id), STIX_ID_MAX);
}

static enum vs_err take_object(struct intel_import *im, const struct stix_split *s, struct slice body)
{
    struct json_node n;
    struct stix_object o;
    struct stix_object_fault fault;
    const char *reason = "";
    char text[256];
    enum vs_err err = json_doc_parse(im->doc, body, &n, &reason);

    im->counts.objects++;
    if (err == VS_ERR_NO_MEMORY)
        return err;
    if (err != VS_OK) {
        tell(im, s, slice_make(NULL, 0), reason);
        return VS_OK;
    }
    if (stix_object_read(n, &o, &fault) != VS_OK) {
        snprintf(text, sizeof text, "%s: %s", fault.property, fault.text);
        tell(im, s, id_of(n), text);
        return VS_OK;
    }
    return put(im, &o, body);
}

enum vs_err intel_import_text(struct intel_import *im, struct slice text)
{
    struct stix_split s;
    struct slice body;
    enum vs_err err;

    stix_split_init(&s, text);
    while ((err = stix_split_next(&s, &body)) == VS_OK) {
        err = take_object(im, &s, body);
        if (err != VS_OK)
            return err;
    }
    if (err == VS_ERR_END)
        return im->version > 0 ? intel_store_set_last_number(im->cfg.store, im->last_number) : VS_OK;
    s.index = 0;
    tell(im, &s, slice_make(NULL, 0), s.reason);
    return err;
}

void intel_import_counts(const struct intel_import *im, struct intel_import_counts *ret)
{
    *ret = im->counts;
}
