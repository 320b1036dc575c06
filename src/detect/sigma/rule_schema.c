/* What the JSON schemas of the specification ask of keys that do not decide what matches. None of it keeps a rule from
 * running, so these are warnings. */
#include "detect/sigma/rule_load_internal.h"
#include "detect/sigma/spelling.h"

#define TITLE_MAX       256
#define DESCRIPTION_MAX 65535

static const char *const KEYS[] = {"title",       "id",        "name",        "related",  "taxonomy", "status",
                                   "description", "license",   "author",      "date",     "modified", "references",
                                   "logsource",   "detection", "correlation", "filter",   "fields",   "falsepositives",
                                   "level",       "tags",      "scope",       "generate", "vsoc",     "action"};

/* Keys of one's own are allowed, so only what looks like a slip of the pen is said. */
static void check_keys(const struct load *l, const struct yaml_node *doc)
{
    for (const struct yaml_node *n = doc->child; n != NULL; n = n->next) {
        const char *near = spelling_near(n->key->text, KEYS, sizeof KEYS / sizeof KEYS[0]);
        if (near != NULL)
            load_warn(l, n->key, "unknown key '%.*s'; did you mean %s?", (int)n->key->text.len,
                      (const char *)n->key->text.ptr, near);
    }
}

static void check_length(const struct load *l, const struct yaml_node *n, const char *key, size_t max)
{
    if (n != NULL && n->kind == YAML_SCALAR && n->text.len > max)
        load_warn(l, n, "%s is longer than %zu characters", key, max);
}

/* 8-4-4-4-12 hex digits. */
static bool is_uuid(struct slice s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        uint8_t c = s.ptr[i] | 32;
        bool hex = (s.ptr[i] >= '0' && s.ptr[i] <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? s.ptr[i] != '-' : !hex)
            return false;
    }
    return true;
}

static bool read_digits(struct slice s, unsigned *ret)
{
    *ret = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        *ret = *ret * 10 + (s.ptr[i] - (unsigned)'0');
    }
    return true;
}

/* YYYY-MM-DD */
static bool is_date(struct slice s)
{
    unsigned year, month, day;

    if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-' || !read_digits(slice_head(s, 4), &year) ||
        !read_digits(slice_make(s.ptr + 5, 2), &month) || !read_digits(slice_from(s, 8), &day))
        return false;
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool is_tag(struct slice s)
{
    const uint8_t *dot = s.len > 0 ? memchr(s.ptr, '.', s.len) : NULL;

    if (dot == NULL || dot == s.ptr || dot + 1 == s.ptr + s.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return true;
}

static void check_status(const struct load *l, const struct yaml_node *n)
{
    static const char *const STATUS[] = {"stable", "test", "experimental", "deprecated", "unsupported"};
    size_t i = 0;

    if (n == NULL)
        return;
    while (i < 5 && !slice_equal_str(n->text, STATUS[i]))
        i++;
    if (i == 5)
        load_warn(l, n, "status must be stable, test, experimental, deprecated or unsupported");
    if (i == 3)
        load_warn(l, n, "rule is deprecated: another one replaces or covers it");
}

static void check_texts(const struct load *l, const struct yaml_node *doc, const char *key, bool tags)
{
    const struct yaml_node *list = yaml_get(doc, key);

    if (list == NULL || yaml_is_null(list))
        return;
    if (list->kind != YAML_LIST) {
        load_warn(l, list, "%s must be a list of texts", key);
        return;
    }
    for (const struct yaml_node *n = list->child; n != NULL; n = n->next) {
        const struct yaml_node *v = yaml_deref(n);
        if (v->kind != YAML_SCALAR)
            load_warn(l, v, "%s must be a list of texts", key);
        else if (tags && !is_tag(v->text))
            load_warn(l, v, "expected a tag such as attack.t1234: lower case, a namespace, a dot");
    }
}

static void check_related(const struct load *l, const struct yaml_node *list)
{
    static const char *const TYPE[] = {"derived", "obsolete", "merged", "renamed", "similar"};

    if (list == NULL)
        return;
    if (list->kind != YAML_LIST) {
        load_warn(l, list, "related must be a list such as [{id: .., type: derived}]");
        return;
    }
    for (const struct yaml_node *n = list->child; n != NULL; n = n->next) {
        const struct yaml_node *type = yaml_get(n, "type");
        const struct yaml_node *id = yaml_get(n, "id");
        size_t i = 0;
        while (type != NULL && i < 5 && !slice_equal_str(type->text, TYPE[i]))
            i++;
        if (id == NULL || type == NULL || i == 5)
            load_warn(l, yaml_deref(n), "expected {id: UUID, type: derived, obsolete, merged, renamed or similar}");
    }
}

static void check_dates(const struct load *l, const struct yaml_node *doc)
{
    static const char *const KEY[] = {"date", "modified"};

    for (size_t i = 0; i < 2; i++) {
        const struct yaml_node *n = yaml_get(doc, KEY[i]);
        if (n != NULL && (n->kind != YAML_SCALAR || !is_date(n->text)))
            load_warn(l, n, "%s must be a date such as 2026-03-01", KEY[i]);
    }
}

static void check_logsource(const struct load *l, const struct yaml_node *n)
{
    static const char *const KEY[] = {"category", "product", "service"};

    for (size_t i = 0; i < 3; i++) {
        const struct yaml_node *v = yaml_get(n, KEY[i]);
        bool ok = v == NULL || v->kind == YAML_SCALAR;
        for (size_t k = 0; v != NULL && ok && k < v->text.len; k++)
            ok = v->text.ptr[k] != ' ' && !(v->text.ptr[k] >= 'A' && v->text.ptr[k] <= 'Z');
        if (!ok)
            load_warn(l, v, "%s must be lower case with _ for spaces, as log sources name themselves", KEY[i]);
    }
}

void load_schema(const struct load *l, const struct yaml_node *doc)
{
    static const char *const LIST[] = {"references", "fields", "falsepositives", "scope"};
    const struct yaml_node *id = yaml_get(doc, "id");

    check_keys(l, doc);
    check_length(l, yaml_get(doc, "title"), "title", TITLE_MAX);
    check_length(l, yaml_get(doc, "name"), "name", TITLE_MAX);
    check_length(l, yaml_get(doc, "taxonomy"), "taxonomy", TITLE_MAX);
    check_length(l, yaml_get(doc, "description"), "description", DESCRIPTION_MAX);
    if (id != NULL && id->kind == YAML_SCALAR && !is_uuid(id->text))
        load_warn(l, id,
                  "id should be a UUID such as 929a690e-bef0-4204-a928-ef5e620d6fcc, so that it is unique everywhere");
    check_status(l, yaml_get(doc, "status"));
    check_dates(l, doc);
    check_related(l, yaml_get(doc, "related"));
    check_logsource(l, yaml_get(doc, "logsource"));
    for (size_t i = 0; i < sizeof LIST / sizeof LIST[0]; i++)
        check_texts(l, doc, LIST[i], false);
    check_texts(l, doc, "tags", true);
    if (l->rule->is_filter && yaml_get(doc, "logsource") == NULL)
        load_warn(l, doc, "filter has no logsource; it is taken to cover every rule that it names");
    if (l->rule->is_filter && yaml_get(doc, "level") != NULL)
        load_warn(l, yaml_get(doc, "level"), "a filter has no level: it only narrows rules");
}
