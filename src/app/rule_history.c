#include "app/rule_history.h"

#include <stdlib.h>

#include "detect/sigma/rule_text.h"
#include "store/rule_version.h"

_Static_assert(RULE_VERSION_SIZE == RULE_HASH_SIZE, "a version is the hash of the rule's text");

enum vs_err rule_history_note(struct store *st, const struct plan *p, const struct rule *rule,
                              const uint8_t alert[ALERT_ID_SIZE], int64_t now_us)
{
    enum vs_err err = VS_OK;

    if (!rule_version_known(st, rule->version)) {
        size_t len;
        char *text = rule_text_version(p, rule, &len);
        err = rule_version_put(st, rule->version, rule->label, slice_make(text, len), now_us);
        free(text);
    }
    return err == VS_OK ? rule_version_note(st, alert, rule->version, now_us) : err;
}
