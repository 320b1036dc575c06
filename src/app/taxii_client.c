#include "app/taxii_client.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/jsonl/json_doc.h"
#include "detect/intel/stix_split.h"

#define URL_MAX 2048
static const char MEDIA_TYPE[] = "application/taxii+json";

struct client {
    const struct taxii_config *cfg;
    struct taxii_stats *stats;
    struct taxii_error *error;
    CURL *easy;
    struct curl_slist *headers;
    uint8_t *body;
    size_t len, room;
    bool too_long;
    char added_first[64], added_last[64];
    long status;
    struct json_doc *doc;
    char collection_url[URL_MAX];
};

static enum vs_err fail(struct client *c, enum vs_err err, const char *what, const char *detail)
{
    snprintf(c->error->text, sizeof c->error->text, "%.300s: %.200s", what, detail);
    return err;
}

/* ---- one request */

static size_t take_body(char *ptr, size_t size, size_t count, void *ctx)
{
    struct client *c = ctx;
    size_t len = size * count;

    if (c->len + len > TAXII_PAGE_MAX) {
        c->too_long = true;
        return 0;
    }
    if (c->len + len + JSON_PADDING > c->room) {
        size_t room = c->room == 0 ? 65536 : c->room;
        while (room < c->len + len + JSON_PADDING)
            room *= 2;
        uint8_t *grown = realloc(c->body, room);
        if (grown == NULL)
            return 0;
        c->body = grown;
        c->room = room;
    }
    memcpy(c->body + c->len, ptr, len);
    c->len += len;
    memset(c->body + c->len, 0, JSON_PADDING);
    return len;
}

/* Takes the value of a header into `to` when it is the one named. */
static bool header_value(struct slice line, const char *name, char to[64])
{
    size_t at = strlen(name), end = line.len;

    if (line.len <= at || strncasecmp((const char *)line.ptr, name, at) != 0)
        return false;
    while (at < end && line.ptr[at] == ' ')
        at++;
    while (end > at && (line.ptr[end - 1] == '\r' || line.ptr[end - 1] == '\n' || line.ptr[end - 1] == ' '))
        end--;
    if (!slice_to_str(slice_make(line.ptr + at, end - at), to, 64))
        to[0] = '\0';
    return true;
}

static size_t take_header(char *ptr, size_t size, size_t count, void *ctx)
{
    struct client *c = ctx;
    struct slice line = slice_make(ptr, size * count);

    if (!header_value(line, "X-TAXII-Date-Added-Last:", c->added_last))
        (void)header_value(line, "X-TAXII-Date-Added-First:", c->added_first);
    return line.len;
}

static bool again(long status, CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE ||
           code == CURLE_COULDNT_RESOLVE_HOST ||
           (code == CURLE_OK && (status == 429 || status == 502 || status == 503 || status == 504));
}

/* Retry-After when the server says it, else twice as long each time. */
static void wait_before(struct client *c, unsigned attempt)
{
    curl_off_t after_s = 0;
    uint64_t ms = (uint64_t)c->cfg->wait_ms << (attempt < 16 ? attempt : 16);

    curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &after_s);
    if (after_s > 0 && after_s < 86400)
        ms = (uint64_t)after_s * 1000;
    if (ms > TAXII_WAIT_MS_MAX)
        ms = TAXII_WAIT_MS_MAX;
    poll(NULL, 0, (int)ms);
}

static enum vs_err check_answer(struct client *c, const char *url)
{
    const char *type = NULL;
    char text[64];

    snprintf(text, sizeof text, "HTTP status %ld", c->status);
    if (c->status == 401 || c->status == 403)
        return fail(c, VS_ERR_AUTH, url, text);
    if (c->status == 404 || c->status == 400 || c->status == 416)
        return fail(c, VS_ERR_NOT_FOUND, url, text);
    if (c->status != 200 && c->status != 206)
        return fail(c, VS_ERR_NET, url, text);
    curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
    if (type == NULL || strncasecmp(type, MEDIA_TYPE, sizeof MEDIA_TYPE - 1) != 0)
        return fail(c, VS_ERR_MALFORMED, url, "the answer is not application/taxii+json");
    return VS_OK;
}

static enum vs_err get(struct client *c, const char *url)
{
    CURLcode code = CURLE_OK;

    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    for (unsigned attempt = 0; attempt < TAXII_TRIES; attempt++) {
        if (attempt > 0) {
            c->stats->retries++;
            wait_before(c, attempt - 1);
        }
        c->len = 0;
        c->too_long = false;
        c->added_first[0] = c->added_last[0] = '\0';
        c->status = 0;
        c->stats->requests++;
        code = curl_easy_perform(c->easy);
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->status);
        if (!again(c->status, code))
            break;
    }
    if (c->too_long)
        return fail(c, VS_ERR_LIMIT, url, "a page longer than 64 MiB; ask for fewer objects at a time");
    if (code != CURLE_OK)
        return fail(c, VS_ERR_NET, url, curl_easy_strerror(code));
    return check_answer(c, url);
}

static enum vs_err parse(struct client *c, const char *url, struct json_node *ret)
{
    const char *reason = "";

    if (json_doc_parse(c->doc, slice_make(c->body, c->len), ret, &reason) != VS_OK ||
        json_node_kind(*ret) != JSON_NODE_OBJECT)
        return fail(c, VS_ERR_MALFORMED, url, reason[0] != '\0' ? reason : "not a JSON object");
    return VS_OK;
}

/* ---- finding the collection */

static bool text_member(struct json_node n, const char *name, struct slice *ret)
{
    struct json_node m;

    if (!json_node_find(n, name, &m) || json_node_kind(m) != JSON_NODE_TEXT)
        return false;
    *ret = json_node_text(m);
    return true;
}

static bool with_slash(const char *url, char *buf, size_t size)
{
    size_t len = strlen(url);
    int got = snprintf(buf, size, "%s%s", url, len > 0 && url[len - 1] == '/' ? "" : "/");

    return got > 0 && (size_t)got < size;
}

/* The API root that the discovery names: its default, else its first. May be relative to the server. */
static enum vs_err choose_root(struct client *c, const char *url, struct json_node n, char *root, size_t size)
{
    struct json_node list, item;
    struct json_walk w;
    struct slice key, text;
    char chosen[URL_MAX] = "";

    if (!text_member(n, "default", &text)) {
        if (!json_node_find(n, "api_roots", &list) || json_node_kind(list) != JSON_NODE_ARRAY)
            return fail(c, VS_ERR_MALFORMED, url, "the discovery names no API root");
        json_walk_init(&w, list);
        if (!json_walk_next(&w, &key, &item) || json_node_kind(item) != JSON_NODE_TEXT)
            return fail(c, VS_ERR_MALFORMED, url, "the discovery names no API root");
        text = json_node_text(item);
    }
    if (text.len >= sizeof chosen - 1 || !slice_to_str(text, chosen, sizeof chosen))
        return fail(c, VS_ERR_MALFORMED, url, "the API root is no URL");
    const char *host = strstr(url, "://");
    size_t origin = host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : 0;
    bool relative = chosen[0] == '/';
    if (!relative && (strncmp(chosen, url, origin) != 0 || (chosen[origin] != '/' && chosen[origin] != '\0')))
        return fail(c, VS_ERR_REFUSED, url, "the API root lies on another server; configure its URL");
    int got = snprintf(root, size, "%.*s%s", relative ? (int)origin : 0, url, chosen);
    if (got < 0 || (size_t)got >= size)
        return fail(c, VS_ERR_MALFORMED, url, "the URL of the API root is too long");
    return VS_OK;
}

static bool is_wanted(const struct client *c, struct json_node n, struct slice *ret_id)
{
    struct slice title, alias;
    const char *want = c->cfg->collection;
    struct json_node can_read;

    if (!text_member(n, "id", ret_id) || ret_id->len > 100)
        return false;
    if (json_node_find(n, "can_read", &can_read) && json_node_kind(can_read) == JSON_NODE_BOOL &&
        !json_node_bool(can_read))
        return false;
    if (want == NULL || want[0] == '\0')
        return true;
    return slice_equal_str(*ret_id, want) || (text_member(n, "title", &title) && slice_equal_str(title, want)) ||
           (text_member(n, "alias", &alias) && slice_equal_str(alias, want));
}

static enum vs_err choose_collection(struct client *c, const char *root)
{
    struct json_node n, list, item;
    struct json_walk w;
    struct slice key, id, chosen = slice_make(NULL, 0);
    char url[URL_MAX];
    unsigned count = 0;

    if ((size_t)snprintf(url, sizeof url, "%scollections/", root) >= sizeof url)
        return fail(c, VS_ERR_LIMIT, root, "the URL is too long");
    enum vs_err err = get(c, url);
    if (err == VS_OK)
        err = parse(c, url, &n);
    if (err != VS_OK)
        return err;
    if (json_node_find(n, "collections", &list) && json_node_kind(list) == JSON_NODE_ARRAY) {
        json_walk_init(&w, list);
        while (json_walk_next(&w, &key, &item))
            if (json_node_kind(item) == JSON_NODE_OBJECT && is_wanted(c, item, &id)) {
                chosen = id;
                count++;
            }
    }
    if (count != 1)
        return fail(c, VS_ERR_NOT_FOUND, url,
                    count == 0 ? "no such collection that may be read" : "several collections; name one");
    int len = snprintf(c->collection_url, sizeof c->collection_url, "%s%.*s/", url, (int)chosen.len,
                       (const char *)chosen.ptr);
    return len > 0 && (size_t)len < sizeof c->collection_url ? VS_OK
                                                             : fail(c, VS_ERR_LIMIT, url, "the URL is too long");
}

static enum vs_err find_collection(struct client *c)
{
    char url[URL_MAX], root[URL_MAX];
    struct json_node n, list;

    if (!with_slash(c->cfg->url, url, sizeof url))
        return fail(c, VS_ERR_LIMIT, c->cfg->url, "the URL is too long");
    if (strstr(url, "/collections/") != NULL) {
        snprintf(c->collection_url, sizeof c->collection_url, "%s", url);
        return VS_OK;
    }
    enum vs_err err = get(c, url);
    if (err == VS_OK)
        err = parse(c, url, &n);
    if (err != VS_OK)
        return err;
    snprintf(root, sizeof root, "%s", url);
    if (json_node_find(n, "api_roots", &list))
        err = choose_root(c, url, n, root, sizeof root);
    if (err != VS_OK)
        return err;
    return with_slash(root, url, sizeof url) ? choose_collection(c, url)
                                             : fail(c, VS_ERR_LIMIT, root, "the URL is too long");
}

/* ---- pages */

bool taxii_envelope(struct slice body, bool *ret_more, char next[TAXII_TEXT_MAX])
{
    struct stix_split s;
    struct slice object;
    enum vs_err err;

    stix_split_init(&s, body);
    while ((err = stix_split_next(&s, &object)) == VS_OK)
        ;
    *ret_more = s.more;
    return err == VS_ERR_END && s.type.len == 0 && slice_to_str(s.next, next, TAXII_TEXT_MAX);
}

/* Where a pull stands: what was asked for, and what is known of the page before. */
struct place {
    char added_after[64]; /* asked for */
    char next[TAXII_TEXT_MAX];
    char safe[64]; /* everything up to this time was handed out */
    uint8_t page_before[SHA256_SIZE];
};

static enum vs_err page_url(struct client *c, const struct place *at, char *url, size_t size)
{
    char limit[32] = "";
    char *after = curl_easy_escape(c->easy, at->added_after, 0), *next = curl_easy_escape(c->easy, at->next, 0);
    int len = -1;

    if (c->cfg->page_size > 0)
        snprintf(limit, sizeof limit, "&limit=%u", c->cfg->page_size);
    if (after != NULL && next != NULL)
        len = snprintf(url, size, "%sobjects/?match%%5Bspec_version%%5D=2.1,2.0%s%s%s%s%s", c->collection_url, limit,
                       after[0] != '\0' ? "&added_after=" : "", after, next[0] != '\0' ? "&next=" : "", next);
    curl_free(after);
    curl_free(next);
    return len > 0 && (size_t)len < size ? VS_OK : fail(c, VS_ERR_LIMIT, c->collection_url, "the URL is too long");
}

/* Times added are compared as text: one server writes them in one form. Some servers name only the first one of a page
 * with a single object. */
static void note_times(struct client *c, struct place *at, bool more)
{
    const char *first = c->added_first, *last = c->added_last[0] != '\0' ? c->added_last : first;
    const char *safe = more ? (strcmp(first, last) < 0 ? first : "") : last;

    if (strcmp(safe, at->safe) > 0)
        snprintf(at->safe, sizeof at->safe, "%s", safe);
}

/* Where the next page is; a page that is the one before, or no way to the next, ends the pull. */
static enum vs_err go_on(struct client *c, const char *url, struct place *at)
{
    uint8_t hash[SHA256_SIZE];

    sha256(slice_make(c->body, c->len), hash);
    if (memcmp(hash, at->page_before, sizeof hash) == 0)
        return fail(c, VS_ERR_MALFORMED, url, "the same page came twice; the pull would never end");
    memcpy(at->page_before, hash, sizeof hash);
    if (at->next[0] != '\0')
        return VS_OK;
    /* A server without `next`: go on by time. */
    if (c->added_last[0] == '\0' || strcmp(c->added_last, at->added_after) <= 0)
        return fail(c, VS_ERR_MALFORMED, url, "more is promised, and no way to get it is named");
    snprintf(at->added_after, sizeof at->added_after, "%s", c->added_last);
    return VS_OK;
}

static enum vs_err pull_page(struct client *c, struct place *at, struct taxii_page *ret)
{
    char url[URL_MAX];
    bool more = false;
    enum vs_err err = page_url(c, at, url, sizeof url);

    if (err == VS_OK)
        err = get(c, url);
    if (err != VS_OK)
        return err;
    if (c->body == NULL || !taxii_envelope(slice_make(c->body, c->len), &more, at->next))
        return fail(c, VS_ERR_MALFORMED, url, "the answer is no whole TAXII envelope");
    if (more)
        err = go_on(c, url, at);
    note_times(c, at, more);
    *ret = (struct taxii_page){.body = slice_make(c->body, c->len), .last = !more};
    memcpy(ret->added_after, at->safe, sizeof ret->added_after);
    return err;
}

static enum vs_err pull_pages(struct client *c, const char *added_after, taxii_page_fn *each, void *ctx)
{
    struct place at = {.next = ""};
    struct taxii_page page;

    snprintf(at.added_after, sizeof at.added_after, "%s", added_after);
    snprintf(at.safe, sizeof at.safe, "%s", added_after);
    for (uint32_t i = 0; i < TAXII_PAGES_MAX; i++) {
        enum vs_err err = pull_page(c, &at, &page);
        if (err != VS_OK)
            return err;
        c->stats->pages++;
        err = each(ctx, &page);
        if (err != VS_OK || page.last)
            return err;
    }
    return fail(c, VS_ERR_LIMIT, c->collection_url, "more than 100,000 pages");
}

/* ---- set-up */

static bool is_loopback(const char *url)
{
    return strncmp(url, "http://127.0.0.1", 16) == 0 || strncmp(url, "http://localhost", 16) == 0 ||
           strncmp(url, "http://[::1]", 12) == 0;
}

static enum vs_err set_up(struct client *c)
{
    const struct taxii_config *cfg = c->cfg;
    bool credentials = cfg->user != NULL || cfg->token != NULL;
    char bearer[TAXII_TEXT_MAX + 32];

    if (strncmp(cfg->url, "https://", 8) != 0 && strncmp(cfg->url, "http://", 7) != 0)
        return fail(c, VS_ERR_CONFIG, cfg->url, "not an http or https URL");
    if (credentials && strncmp(cfg->url, "https://", 8) != 0 && !is_loopback(cfg->url))
        return fail(c, VS_ERR_CONFIG, cfg->url, "credentials go over https only");
    c->easy = curl_easy_init();
    if (c->easy == NULL || json_doc_new(&c->doc) != VS_OK)
        return VS_ERR_NO_MEMORY;
    c->headers = curl_slist_append(NULL, "Accept: application/taxii+json;version=2.1");
    if (cfg->token != NULL) {
        snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", cfg->token);
        c->headers = curl_slist_append(c->headers, bearer);
    }
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT, (long)(cfg->timeout_s > 0 ? cfg->timeout_s : 60));
    curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    if (cfg->ca != NULL && cfg->ca[0] != '\0')
        curl_easy_setopt(c->easy, CURLOPT_CAINFO, cfg->ca);
    if (cfg->user != NULL) {
        curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(c->easy, CURLOPT_USERNAME, cfg->user);
        curl_easy_setopt(c->easy, CURLOPT_PASSWORD, cfg->password != NULL ? cfg->password : "");
    }
    return VS_OK;
}

enum vs_err taxii_pull(const struct taxii_config *cfg, const char *added_after, taxii_page_fn *each, void *ctx,
                       struct taxii_stats *ret_stats, struct taxii_error *ret_error)
{
    struct client c = {.cfg = cfg, .stats = ret_stats, .error = ret_error};

    *ret_stats = (struct taxii_stats){0};
    ret_error->text[0] = '\0';
    enum vs_err err = set_up(&c);
    if (err == VS_OK)
        err = find_collection(&c);
    if (err == VS_OK)
        err = pull_pages(&c, added_after, each, ctx);
    if (c.easy != NULL)
        curl_easy_cleanup(c.easy);
    curl_slist_free_all(c.headers);
    json_doc_free(c.doc);
    free(c.body);
    return err;
}
