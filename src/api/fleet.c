#include "api/fleet.h"

void fleet_counts(struct store *st, int64_t now_us, struct fleet_counts *ret)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT count(enrolled_us), sum(CASE WHEN last_contact_us >= ? THEN 1 ELSE 0 END), "
            "sum(CASE WHEN enrolled_us IS NOT NULL AND coalesce(last_contact_us, enrolled_us) < ? THEN 1 ELSE 0 END) "
            "FROM vehicle");
    struct fleet_counts f = {0};

    store_bind_i64(q, 1, now_us - FLEET_DAY_US);
    store_bind_i64(q, 2, now_us - FLEET_SILENT_US);
    if (store_step(q) == VS_OK) {
        f.enrolled = store_i64(q, 0);
        f.reporting_24h = store_i64(q, 1);
        f.silent = store_i64(q, 2);
    }
    store_done(q);
    *ret = f;
}
