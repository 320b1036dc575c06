/* vehicle_list: the list of vehicles that an operator enrols: CSV with a header line, or JSON lines.
 *
 *     vin         the vehicle identification number; must be there
 *     model, hardware, region    as rules and reports shall name them; region is a market, not a place
 *     owner       whatever names the owner; only its keyed pseudonym is kept
 *     sw_version  software of the vehicle as a whole, or of `component` when that is given
 *     sw_since    when that software was installed, RFC 3339; without it: since ever for the first, since now for a
 * change
 *
 * A vehicle may have several rows (one per component, or per period of software); empty values say nothing.
 * Unknown columns are errors, because a misspelt one would be lost silently. Pure: text in, rows and complaints out. */
#ifndef INGEST_VEHICLE_LIST_H
#define INGEST_VEHICLE_LIST_H

#include <stdio.h>

#include "core/err.gen.h"
#include "core/must_use.h"
#include "core/slice.h"

#define VEHICLE_LIST_NOT_TOLD INT64_MIN

struct vehicle_row {
    uint32_t line;
    struct slice vin; /* valid */
    struct slice model, hardware, region, owner, component, sw_version;
    int64_t sw_since_us; /* VEHICLE_LIST_NOT_TOLD when empty */
};

/* Slices are valid during the call. An error of `row` ends the reading and is returned. */
typedef enum vs_err vehicle_list_row_fn(const struct vehicle_row *row, void *ctx);
typedef void vehicle_list_fault_fn(uint32_t line, const char *reason, struct slice at, void *ctx);

/* Reads the whole text; JSON_PADDING bytes behind it must be readable. Faults are told one by one, and rows without one
 * are given all the same. *ret_faults is how many there were. */
VS_MUST_USE enum vs_err vehicle_list_read(struct slice text, vehicle_list_row_fn *row, vehicle_list_fault_fn *fault,
                                          void *ctx, uint32_t *ret_faults);

#endif
