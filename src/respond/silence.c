#include "respond/silence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/timestamp.h"
#include "respond/audit.h"
#include "respond/users.h"
#include "store/change.h"

#define HOUR_US     (3600 * US_PER_S)
#define DAY_US      (24 * HOUR_US)
#define SAFETY_HARD 2 /* S2 and S3: people may be hurt */
#define SAID_SIZE   4000

const struct silence_policy SILENCE_POLICY_DEFAULT = {SILENCE_DAYS_MAX, SILENCE_CRITICAL_HOURS};

static const struct {
    const char *code, *title;
} CAUSES[] = {
    {"maintenance", "Maintenance window"},
    {"workshop", "Vehicle in the workshop"},
    {"test_fleet", "Test fleet"},
    {"research_or_test", "Research or test"},
    {"owner_modification", "Modified by its owner"},
    {"software_defect", "Known software defect"},
    {"hardware_fault", "Known hardware fault"},
    {"known_benign", "Known benign behaviour"},
};
#define CAUSE_COUNT (sizeof CAUSES / sizeof CAUSES[0])

const char *silence_cause_code(unsigned n)
{
    return n < CAUSE_COUNT ? CAUSES[n].code : NULL;
}

const char *silence_cause_title(struct slice code)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        if (slice_equal_str(code, CAUSES[i].code))
            return CAUSES[i].title;
    return NULL;
}

void silence_id_text(int64_t number, char ret[SILENCE_ID_SIZE])
{
    snprintf(ret, SILENCE_ID_SIZE, "SIL-%" PRId64, number);
}

int64_t silence_number(struct slice id)
{
    int64_t number = 0;

    if (id.len < 5 || id.len > 4 + 18 || (!slice_starts(id, slice_str("SIL-")) && !slice_starts(id, slice_str("sil-"))))
        return 0;
    for (size_t i = 4; i < id.len; i++) {
        if (id.ptr[i] < '0' || id.ptr[i] > '9')
            return 0;
        number = number * 10 + (id.ptr[i] - '0');
    }
    return number;
}

const char *silence_state_code(enum silence_state s)
{
    static const char *const CODE[] = {"pending", "scheduled", "active", "ended"};

    return CODE[s];
}

enum silence_state silence_state_of(bool needs_second, int64_t approved_us, int64_t starts_us, int64_t ended_us,
                                    int64_t now_us)
{
    if (ended_us != 0)
        return SILENCE_ENDED;
    if (needs_second && approved_us == 0)
        return SILENCE_PENDING;
    return starts_us > now_us ? SILENCE_SCHEDULED : SILENCE_ACTIVE;
}

/* ---- what may be silenced, and by whom */

static enum vs_err refuse(struct silence_refusal *ret, enum vs_err err, const char *field, const char *why)
{
    ret->err = err;
    ret->field = field;
    snprintf(ret->why, sizeof ret->why, "%s", why);
    return err;
}

/* Whether a rule that a matcher of this silence takes has a safety impact of S2 or S3. */
static enum vs_err names_safety(struct store *st, const struct silence_draft *d, bool *ret)
{
    struct store_stmt *q = store_prepare(st, "SELECT rule FROM rule_info WHERE safety >= ? ORDER BY rule");
    bool by_rule = false, found = false;
    enum vs_err err = VS_OK;

    store_bind_i64(q, 1, SAFETY_HARD);
    for (unsigned i = 0; i < d->matcher_count; i++)
        by_rule = by_rule || d->matcher[i].field == SILENCE_RULE;
    while (by_rule && !found && (err = store_step(q)) == VS_OK)
        for (unsigned i = 0; i < d->matcher_count && !found; i++) {
            const struct silence_matcher *m = &d->matcher[i];
            struct slice rule = store_text(q, 0);
            found = m->field == SILENCE_RULE &&
                    (m->glob ? silence_glob(slice_str(m->value), rule) : slice_equal_str(rule, m->value));
        }
    store_done(q);
    *ret = found;
    return err == VS_ERR_END ? VS_OK : err;
}

static enum vs_err check_texts(const struct silence_draft *d, struct silence_refusal *ret)
{
    if (silence_cause_title(d->cause) == NULL)
        return refuse(ret, VS_ERR_RANGE, "cause", "not a known cause");
    if (d->ticket.len > SILENCE_TICKET_MAX)
        return refuse(ret, VS_ERR_RANGE, "ticket", "a ticket has at most 120 bytes");
    if (d->matcher_count == 0)
        return refuse(ret, VS_ERR_RANGE, "matchers", "say which alerts: name a rule, a signature, vehicles or a tag");
    if (d->matcher_count > SILENCE_MATCHERS_MAX)
        return refuse(ret, VS_ERR_RANGE, "matchers", "1 to 32 matchers");
    if (!silence_is_narrow(d->matcher, d->matcher_count))
        return refuse(ret, VS_ERR_RANGE, "matchers",
                      "too broad: name a rule, a group field, a signature, vehicles, or a tag of vehicles");
    if (d->spread_factor < 1 || d->spread_factor > SILENCE_SPREAD_MAX)
        return refuse(ret, VS_ERR_RANGE, "spread_factor", "1 to 100");
    if (d->vehicles_max < 0 || d->vehicles_max > SILENCE_VEHICLES_MAX)
        return refuse(ret, VS_ERR_RANGE, "vehicles_max", "0 (any number) to 1000000");
    if (d->reason.len < 5 || d->reason.len > SILENCE_REASON_MAX)
        return refuse(ret, VS_ERR_RANGE, "reason", "a silence needs a reason that the next shift understands");
    return VS_OK;
}

static enum vs_err check_times(const struct silence_policy *policy, const struct silence_draft *d, bool hard,
                               int64_t now_us, struct silence_refusal *ret)
{
    char why[ACT_WHY_SIZE];
    int64_t length_us = d->expires_us - d->starts_us;

    if (d->expires_us <= now_us || length_us <= 0)
        return refuse(ret, VS_ERR_RANGE, "expires", "the end must be ahead, and behind the start");
    if (d->starts_us > now_us + (int64_t)policy->days_max * DAY_US)
        return refuse(ret, VS_ERR_RANGE, "starts", "the start is further ahead than a silence may last");
    if (hard && length_us > (int64_t)policy->critical_hours_max * HOUR_US) {
        snprintf(why, sizeof why,
                 "what is critical or may hurt people is silenced for %" PRIu32 " hours at most, with a second person",
                 policy->critical_hours_max);
        return refuse(ret, VS_ERR_RANGE, "expires", why);
    }
    if (length_us > (int64_t)policy->days_max * DAY_US) {
        snprintf(why, sizeof why, "a silence lasts %" PRIu32 " days at most", policy->days_max);
        return refuse(ret, VS_ERR_RANGE, "expires", why);
    }
    return VS_OK;
}

static enum vs_err check_role(const struct silence_draft *d, bool hard, const struct actor *who,
                              struct silence_refusal *ret)
{
    if (who->permissions & PERM_BIT(PERM_SILENCE_MANAGE))
        return VS_OK;
    if (!(who->permissions & PERM_BIT(PERM_SILENCE_CREATE)))
        return refuse(ret, VS_ERR_FORBIDDEN, NULL, "this needs the permission silence.create");
    if (hard || (d->severities >> (ALERT_MEDIUM + 1)) != 0)
        return refuse(ret, VS_ERR_FORBIDDEN, "matchers",
                      "your role silences severities up to medium: name them, or ask a Tier 2 analyst");
    if (d->expires_us - d->starts_us > SILENCE_JUNIOR_HOURS * HOUR_US)
        return refuse(ret, VS_ERR_FORBIDDEN, "expires", "your role silences for 24 hours at most");
    return VS_OK;
}

enum vs_err silence_check(struct store *st, const struct silence_policy *policy, struct silence_draft *d,
                          const struct actor *who, int64_t now_us, bool *ret_needs_second, struct silence_refusal *ret)
{
    bool safety = false;

    *ret = (struct silence_refusal){VS_OK, NULL, ""};
    d->starts_us = d->starts_us > 0 ? d->starts_us : now_us;
    d->severities = d->severities != 0 ? d->severities : SILENCE_SEVERITIES_PLAIN;
    d->spread_factor = d->spread_factor != 0 ? d->spread_factor : SILENCE_SPREAD_FACTOR;
    enum vs_err err = check_texts(d, ret);
    if (err == VS_OK)
        err = names_safety(st, d, &safety);
    bool hard = safety || (d->severities >> ALERT_CRITICAL & 1) != 0;
    if (err == VS_OK)
        err = check_times(policy, d, hard, now_us, ret);
    if (err == VS_OK)
        err = check_role(d, hard, who, ret);
    if (err == VS_OK)
        *ret_needs_second = hard;
    return err;
}

/* ---- making one */

/* "rule is can_injection; model is E4": for the audit log and for people. */
static struct slice matchers_text(const struct silence_draft *d, char *buf, size_t size)
{
    struct writer w;

    writer_init(&w, buf, size);
    for (unsigned i = 0; i < d->matcher_count; i++) {
        char field[SILENCE_NAME_SIZE + 8];
        size_t start = w.len;
        silence_field_text(&d->matcher[i], field);
        writer_text(&w, i > 0 ? "; " : "");
        writer_text(&w, field);
        writer_text(&w, d->matcher[i].glob ? " like " : " is ");
        writer_text(&w, d->matcher[i].value);
        writer_whole(&w, start);
    }
    for (int s = 0; s <= ALERT_CRITICAL; s++)
        if (d->severities >> s & 1) {
            size_t start = w.len;
            writer_text(&w, "; severity is ");
            writer_text(&w, alert_severity_code(s));
            writer_whole(&w, start);
        }
    return writer_slice(&w);
}

static enum vs_err audit(struct store *st, int64_t number, const char *act, const struct actor *who, struct slice after,
                         struct slice reason, int64_t now_us)
{
    char id[SILENCE_ID_SIZE];

    silence_id_text(number, id);
    struct audit_record rec = {.who = who != NULL ? who->name : slice_str("system"),
                               .act = slice_str(act),
                               .object = slice_str(id),
                               .after = after,
                               .reason = reason,
                               .source = who != NULL ? who->source : slice_make(NULL, 0)};
    enum vs_err err = audit_add(st, &rec, now_us, NULL);
    return err == VS_OK ? change_add(st, "silence", slice_str(id), 0, now_us, NULL) : err;
}

static enum vs_err insert_row(struct store *st, int64_t number, const struct silence_draft *d, const struct actor *who,
                              bool needs_second, int64_t now_us)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO silence (number, cause, reason, ticket, incident, author, created_us, starts_us, expires_us, "
            "severities, spread_factor, vehicles_max, needs_second) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    store_bind_i64(q, 1, number);
    store_bind_text(q, 2, d->cause);
    store_bind_text(q, 3, d->reason);
    if (d->ticket.len > 0)
        store_bind_text(q, 4, d->ticket);
    if (d->incident != 0)
        store_bind_i64(q, 5, d->incident);
    store_bind_text(q, 6, who->name);
    store_bind_i64(q, 7, now_us);
    store_bind_i64(q, 8, d->starts_us);
    store_bind_i64(q, 9, d->expires_us);
    store_bind_i64(q, 10, d->severities);
    store_bind_i64(q, 11, d->spread_factor);
    store_bind_i64(q, 12, d->vehicles_max);
    store_bind_i64(q, 13, needs_second);
    return store_run(q);
}

static enum vs_err insert_matchers(struct store *st, int64_t number, const struct silence_draft *d)
{
    enum vs_err err = VS_OK;

    for (unsigned i = 0; i < d->matcher_count && err == VS_OK; i++) {
        char field[SILENCE_NAME_SIZE + 8];
        struct store_stmt *q =
            store_prepare(st, "INSERT INTO silence_matcher (silence, at, field, op, value) VALUES (?, ?, ?, ?, ?)");
        silence_field_text(&d->matcher[i], field);
        store_bind_i64(q, 1, number);
        store_bind_i64(q, 2, i);
        store_bind_text(q, 3, slice_str(field));
        store_bind_text(q, 4, slice_str(d->matcher[i].glob ? "glob" : "is"));
        store_bind_text(q, 5, slice_str(d->matcher[i].value));
        err = store_run(q);
    }
    return err;
}

static int64_t number_of(struct store *st, const char *sql)
{
    struct store_stmt *q = store_prepare(st, sql);
    int64_t n = store_step(q) == VS_OK ? store_i64(q, 0) : 0;

    store_done(q);
    return n;
}

enum vs_err silence_create(struct store *st, const struct silence_policy *policy, struct silence_draft *d,
                           const struct actor *who, int64_t now_us, int64_t *ret_number, struct silence_refusal *ret)
{
    char said[SAID_SIZE];
    bool needs_second = false;
    int64_t number;
    enum vs_err err = silence_check(st, policy, d, who, now_us, &needs_second, ret);

    if (err == VS_OK && number_of(st, "SELECT count(*) FROM silence WHERE ended_us IS NULL") >= SILENCE_ACTIVE_MAX)
        return refuse(ret, VS_ERR_LIMIT, NULL, "1000 silences are open: end some first");
    if (err == VS_OK)
        err = counter_next(st, "silence", &number);
    if (err == VS_OK)
        err = insert_row(st, number, d, who, needs_second, now_us);
    if (err == VS_OK)
        err = insert_matchers(st, number, d);
    if (err == VS_OK)
        err = audit(st, number, "silence.create", who, matchers_text(d, said, sizeof said), d->reason, now_us);
    if (err == VS_OK)
        *ret_number = number;
    return err;
}

/* ---- ending one */

struct standing {
    char author[USERS_NAME_MAX + 1];
    int64_t approved_us, ended_us, expires_us;
    bool needs_second;
};

static enum vs_err load(struct store *st, int64_t number, struct standing *ret)
{
    struct store_stmt *q = store_prepare(
        st, "SELECT author, needs_second, approved_us, ended_us, expires_us FROM silence WHERE number = ?");

    store_bind_i64(q, 1, number);
    enum vs_err err = store_step(q);
    if (err == VS_OK) {
        if (!slice_to_str(store_text(q, 0), ret->author, sizeof ret->author))
            ret->author[0] = '\0';
        ret->needs_second = store_i64(q, 1) != 0;
        ret->approved_us = store_i64(q, 2);
        ret->ended_us = store_i64(q, 3);
        ret->expires_us = store_i64(q, 4);
    }
    store_done(q);
    return err == VS_ERR_END ? VS_ERR_NOT_FOUND : err;
}

/* What it held and what still stands open has to find its place; the rest stays listed with it. */
static enum vs_err release(struct store *st, int64_t number, int64_t now_us)
{
    struct store_stmt *q = store_prepare(
        st, "INSERT INTO alert_waiting (alert) SELECT s.alert FROM silence_alert s JOIN alert a ON a.id = s.alert "
            "WHERE s.silence = ? AND s.ended_us IS NULL AND a.state = 0 AND a.superseded_by IS NULL "
            "ON CONFLICT (alert) DO NOTHING");

    _Static_assert(ALERT_OPEN == 0, "the number in the SQL");
    store_bind_i64(q, 1, number);
    enum vs_err err = store_run(q);
    if (err != VS_OK)
        return err;
    q = store_prepare(st, "UPDATE silence_alert SET ended_us = ?, ended_why = 'ended' WHERE silence = ? "
                          "AND ended_us IS NULL");
    store_bind_i64(q, 1, now_us);
    store_bind_i64(q, 2, number);
    return store_run(q);
}

static enum vs_err end(struct store *st, int64_t number, const char *why, struct slice reason, const struct actor *who,
                       int64_t now_us)
{
    char act[32];
    struct store_stmt *q = store_prepare(
        st, "UPDATE silence SET ended_us = ?, ended_by = ?, ended_why = ?, ended_reason = ? WHERE number = ?");

    store_bind_i64(q, 1, now_us);
    store_bind_text(q, 2, who != NULL ? who->name : slice_str("system"));
    store_bind_text(q, 3, slice_str(why));
    if (reason.len > 0)
        store_bind_text(q, 4, reason);
    store_bind_i64(q, 5, number);
    enum vs_err err = store_run(q);
    if (err == VS_OK)
        err = release(st, number, now_us);
    snprintf(act, sizeof act, "silence.%s", why);
    return err == VS_OK ? audit(st, number, act, who, slice_make(NULL, 0), reason, now_us) : err;
}

enum vs_err silence_approve(struct store *st, int64_t number, bool yes, struct slice reason, const struct actor *who,
                            int64_t now_us, struct silence_refusal *ret)
{
    struct standing s;
    enum vs_err err = load(st, number, &s);

    if (err != VS_OK)
        return refuse(ret, err, NULL, "there is no such silence");
    if (!(who->permissions & PERM_BIT(PERM_SILENCE_APPROVE)))
        return refuse(ret, VS_ERR_FORBIDDEN, NULL, "this needs the permission silence.approve");
    if (!s.needs_second || s.approved_us != 0 || s.ended_us != 0)
        return refuse(ret, VS_ERR_REFUSED, NULL, "this silence does not wait for an approval");
    if (slice_equal_str(who->name, s.author))
        return refuse(ret, VS_ERR_FORBIDDEN, NULL, "a second person has to approve, not its author");
    if (!yes)
        return end(st, number, "refused", reason, who, now_us);
    if (s.expires_us <= now_us)
        return refuse(ret, VS_ERR_REFUSED, NULL, "its time is over");
    struct store_stmt *q = store_prepare(st, "UPDATE silence SET approved_by = ?, approved_us = ? WHERE number = ?");
    store_bind_text(q, 1, who->name);
    store_bind_i64(q, 2, now_us);
    store_bind_i64(q, 3, number);
    err = store_run(q);
    return err == VS_OK ? audit(st, number, "silence.approved", who, slice_make(NULL, 0), reason, now_us) : err;
}

enum vs_err silence_revoke(struct store *st, int64_t number, struct slice reason, const struct actor *who,
                           int64_t now_us, struct silence_refusal *ret)
{
    struct standing s;
    enum vs_err err = load(st, number, &s);

    if (err != VS_OK)
        return refuse(ret, err, NULL, "there is no such silence");
    if (s.ended_us != 0)
        return refuse(ret, VS_ERR_REFUSED, NULL, "it has ended already");
    if (!(who->permissions & PERM_BIT(PERM_SILENCE_MANAGE)) && !slice_equal_str(who->name, s.author))
        return refuse(ret, VS_ERR_FORBIDDEN, NULL, "only its author, or who may silence.manage, ends it");
    return end(st, number, "revoked", reason, who, now_us);
}

enum vs_err silence_expire(struct store *st, int64_t now_us)
{
    for (;;) {
        struct store_stmt *q = store_prepare(
            st, "SELECT number FROM silence WHERE ended_us IS NULL AND expires_us <= ? ORDER BY number LIMIT 1");
        store_bind_i64(q, 1, now_us);
        enum vs_err err = store_step(q);
        int64_t number = err == VS_OK ? store_i64(q, 0) : 0;
        store_done(q);
        if (err != VS_OK)
            return err == VS_ERR_END ? VS_OK : err;
        err = end(st, number, "expired", slice_make(NULL, 0), NULL, now_us);
        if (err != VS_OK)
            return err;
    }
}
