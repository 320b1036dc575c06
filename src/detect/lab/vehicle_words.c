#include "detect/lab/vehicle_words.h"

#include "codec/uds.h"

static struct slice text_or_none(const char *text)
{
    return slice_str(text != NULL ? text : "");
}

struct slice vehicle_words_type(struct slice type)
{
    for (unsigned i = 0; i < EV_TYPE_COUNT; i++)
        if (slice_equal_str(type, ev_type_at(i)->name))
            return slice_str(ev_type_at(i)->title);
    return slice_str("");
}

/* Identifiers are given without their extended flag; a standard message is looked for first. */
static struct slice message_name(uint64_t id, const struct dbc *dbc)
{
    const struct dbc_message *m = NULL;

    if (dbc != NULL && id <= 0x7FF)
        m = dbc_find(dbc, (uint32_t)id, false);
    if (dbc != NULL && m == NULL && id <= 0x1FFFFFFF)
        m = dbc_find(dbc, (uint32_t)id, true);
    return m != NULL ? m->name : slice_str("");
}

struct slice vehicle_words(uint32_t field, const struct val *v, const struct dbc *dbc)
{
    if (field == FIELD_TYPE && v->kind == VAL_TEXT)
        return vehicle_words_type(v->text);
    if (v->kind != VAL_INT || v->num.i < 0)
        return slice_str("");
    if (field == FIELD_SCHEMA + EV_F_NRC && v->num.i <= 0xFF)
        return text_or_none(uds_nrc_name((uint8_t)v->num.i));
    if (field == FIELD_SCHEMA + EV_F_SERVICE && v->num.i <= 0xFF)
        return text_or_none(uds_service_name((uint8_t)v->num.i));
    if (field == FIELD_SCHEMA + EV_F_CAN_ID)
        return message_name((uint64_t)v->num.i, dbc);
    return slice_str("");
}
