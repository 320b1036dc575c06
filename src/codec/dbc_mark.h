/* dbc_mark: the multiplexer mark of one signal as it is written, before it is known what it means. Internal. */
#ifndef CODEC_DBC_MARK_H
#define CODEC_DBC_MARK_H

enum dbc_mark {
    DBC_MARK_SELECTS = 1,  /* M: selects others */
    DBC_MARK_SELECTED = 2, /* m<k>: is selected */
    DBC_MARK_LISTED = 4    /* has a SG_MUL_VAL_ of its own: mux and ranges are from there */
};

#endif
