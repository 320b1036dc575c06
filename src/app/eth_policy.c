#include "app/eth_policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "core/hex.h"

enum table { HOSTS, ETHERTYPES, VLANS, FLOWS, SERVICES, CLIENTS, METHODS, TESTERS, ENTITIES, GRANDMASTERS };

struct loader {
    const char *path;
    yaml_document_t doc;
    struct eth_policy_file *f;
    struct eth_policy_error *error;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void complain(struct loader *l, const yaml_node_t *at, const char *format,
                                                           ...)
{
    char text[400];
    va_list args;

    if (l->failed)
        return;
    l->failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(l->error->text, sizeof l->error->text, "%s:%u: %s", l->path,
             at != NULL ? (unsigned)at->start_mark.line + 1 : 1, text);
}

/* ---- scalars */

static const char *text_of(struct loader *l, const yaml_node_t *n, const char *what)
{
    if (n->type == YAML_SCALAR_NODE && n->data.scalar.length > 0)
        return (const char *)n->data.scalar.value;
    complain(l, n, "%s must be a value, not a list or a map", what);
    return "";
}

static uint64_t number_of(struct loader *l, const yaml_node_t *n, uint64_t max, const char *what)
{
    const char *text = text_of(l, n, what);
    char *end = NULL;

    errno = 0;
    unsigned long long v = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0 || v > max)
        complain(l, n, "%s must be a number up to %llu (decimal, or hexadecimal with 0x), not %.40s", what,
                 (unsigned long long)max, text);
    return l->failed ? 0 : v;
}

static struct ip_addr addr_text(struct loader *l, const yaml_node_t *n, const char *text)
{
    struct ip_addr a = {0};

    if (inet_pton(AF_INET, text, a.byte) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, text, a.byte) == 1)
        a.family = 6;
    else
        complain(l, n, "%.60s is no IPv4 or IPv6 address", text);
    return a;
}

static struct ip_addr addr_of(struct loader *l, const yaml_node_t *n, const char *what)
{
    return addr_text(l, n, text_of(l, n, what));
}

/* "any", "multicast" (of IPv4), an address, or address/bits. */
static struct eth_net net_of(struct loader *l, const yaml_node_t *n, const char *what)
{
    struct eth_net net = {0};
    const char *text = text_of(l, n, what), *slash = strchr(text, '/');
    char addr[64];

    if (l->failed || strcmp(text, "any") == 0)
        return net;
    snprintf(addr, sizeof addr, "%.*s", slash != NULL ? (int)(slash - text) : (int)sizeof addr - 1, text);
    net.addr = addr_text(l, n, addr);
    unsigned full = net.addr.family == 4 ? 32 : 128;
    char *end = NULL;
    unsigned long bits = slash != NULL ? strtoul(slash + 1, &end, 10) : full;
    if (slash != NULL && (end == slash + 1 || *end != '\0' || bits > full))
        complain(l, n, "%.60s: the number behind / must be at most %u", text, full);
    net.bits = (uint8_t)bits;
    return net;
}

/* Hexadecimal bytes with or without colons. */
static void bytes_of(struct loader *l, const yaml_node_t *n, uint8_t *to, size_t size, const char *what)
{
    const char *text = text_of(l, n, what);
    char plain[40];
    size_t len = 0;

    for (const char *p = text; *p != '\0' && len + 1 < sizeof plain; p++)
        if (*p != ':' && *p != '-')
            plain[len++] = *p;
    if (!l->failed && (len != 2 * size || !hex_read(slice_make(plain, len), to, size)))
        complain(l, n, "%s must be %zu bytes in hexadecimal, such as 02:00:00:00:00:01", what, size);
}

/* ---- lists and maps */

static const yaml_node_t *value_of(struct loader *l, const yaml_node_t *map, const char *key)
{
    if (map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *k = yaml_document_get_node(&l->doc, p->key);
        if (k->type == YAML_SCALAR_NODE && strcmp((const char *)k->data.scalar.value, key) == 0)
            return yaml_document_get_node(&l->doc, p->value);
    }
    return NULL;
}

static const yaml_node_t *need(struct loader *l, const yaml_node_t *map, const char *key)
{
    const yaml_node_t *n = value_of(l, map, key);

    if (n == NULL)
        complain(l, map, "%s is missing", key);
    return n;
}

/* A key that nobody reads is a typing error that would leave a detector unarmed. `keys` ends with NULL. */
static void only(struct loader *l, const yaml_node_t *map, const char *const *keys)
{
    if (map->type != YAML_MAPPING_NODE) {
        complain(l, map, "expected a map with %s, ..", keys[0]);
        return;
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *k = yaml_document_get_node(&l->doc, p->key);
        const char *text = k->type == YAML_SCALAR_NODE ? (const char *)k->data.scalar.value : "";
        unsigned i = 0;
        while (keys[i] != NULL && strcmp(keys[i], text) != 0)
            i++;
        if (keys[i] == NULL)
            complain(l, k, "unknown key %.40s", text);
    }
}

typedef void row_fn(struct loader *l, const yaml_node_t *n, void *row);

static uint32_t length_of(const yaml_node_t *list)
{
    return (uint32_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

/* Fills a table from a list, one row per item. NULL gives an empty table. */
static void *rows(struct loader *l, enum table t, const yaml_node_t *list, size_t size, row_fn *row,
                  uint32_t *ret_count)
{
    *ret_count = 0;
    if (list == NULL || l->failed)
        return NULL;
    if (list->type != YAML_SEQUENCE_NODE || length_of(list) > ETH_POLICY_ROWS_MAX) {
        complain(l, list, "expected a list of at most %d items", ETH_POLICY_ROWS_MAX);
        return NULL;
    }
    uint8_t *table = calloc(length_of(list) + 1u, size);
    l->f->table[t] = table;
    if (table == NULL)
        complain(l, list, "memory is out");
    for (uint32_t i = 0; !l->failed && i < length_of(list); i++, (*ret_count)++)
        row(l, yaml_document_get_node(&l->doc, list->data.sequence.items.start[i]), table + i * size);
    return table;
}

/* ---- rows */

static void host_row(struct loader *l, const yaml_node_t *n, void *row)
{
    static const char *const KEYS[] = {"ip", "mac", "vlan", "name", NULL};
    struct eth_host *h = row;
    const yaml_node_t *ip = need(l, n, "ip"), *mac = need(l, n, "mac"), *vlan = value_of(l, n, "vlan");

    only(l, n, KEYS);
    if (l->failed)
        return;
    h->addr = addr_of(l, ip, "ip");
    bytes_of(l, mac, h->mac, sizeof h->mac, "mac");
    h->vlan = vlan != NULL ? (uint16_t)number_of(l, vlan, 4095, "vlan") : ETH_VLAN_NONE;
}

static void u16_row(struct loader *l, const yaml_node_t *n, void *row)
{
    uint16_t v = (uint16_t)number_of(l, n, UINT16_MAX, "item");
    memcpy(row, &v, sizeof v);
}

static void addr_row(struct loader *l, const yaml_node_t *n, void *row)
{
    struct ip_addr a = addr_of(l, n, "item");
    memcpy(row, &a, sizeof a);
}

static void clock_row(struct loader *l, const yaml_node_t *n, void *row)
{
    bytes_of(l, n, row, 8, "grandmaster");
}

static uint8_t protocol_of(struct loader *l, const yaml_node_t *n)
{
    static const struct {
        const char *name;
        uint8_t number;
    } PROTOCOL[] = {
        {"any", ETH_PROTOCOL_ANY}, {"tcp", IP_TCP}, {"udp", IP_UDP}, {"icmp", IP_ICMP}, {"icmp6", IP_ICMP6}};
    const char *text = text_of(l, n, "protocol");

    for (size_t i = 0; i < sizeof PROTOCOL / sizeof PROTOCOL[0]; i++)
        if (strcmp(text, PROTOCOL[i].name) == 0)
            return PROTOCOL[i].number;
    return (uint8_t)number_of(l, n, UINT8_MAX, "protocol (any, tcp, udp, icmp, icmp6, or its number)");
}

static void flow_row(struct loader *l, const yaml_node_t *n, void *row)
{
    static const char *const KEYS[] = {"src", "dst", "protocol", "port", "bytes", "packets", "name", NULL};
    struct eth_flow *f = row;
    const yaml_node_t *src = need(l, n, "src"), *dst = need(l, n, "dst"), *v;

    only(l, n, KEYS);
    if (l->failed)
        return;
    f->src = net_of(l, src, "src");
    f->dst = net_of(l, dst, "dst");
    if ((v = value_of(l, n, "protocol")) != NULL)
        f->protocol = protocol_of(l, v);
    if ((v = value_of(l, n, "port")) != NULL)
        f->port = (uint16_t)number_of(l, v, UINT16_MAX, "port");
    if ((v = value_of(l, n, "bytes")) != NULL)
        f->bytes_max = (uint32_t)number_of(l, v, UINT32_MAX, "bytes");
    if ((v = value_of(l, n, "packets")) != NULL)
        f->packets_max = (uint32_t)number_of(l, v, UINT32_MAX, "packets");
}

static void tester_row(struct loader *l, const yaml_node_t *n, void *row)
{
    static const char *const KEYS[] = {"ip", "address", "address_last", "name", NULL};
    struct eth_tester *t = row;
    const yaml_node_t *ip = need(l, n, "ip"), *low = need(l, n, "address"), *high = value_of(l, n, "address_last");

    only(l, n, KEYS);
    if (l->failed)
        return;
    t->net = net_of(l, ip, "ip");
    t->address_low = (uint16_t)number_of(l, low, UINT16_MAX, "address");
    t->address_high = high != NULL ? (uint16_t)number_of(l, high, UINT16_MAX, "address_last") : t->address_low;
}

/* Appends the items of a service's own list to a table that all services share. */
static void run(struct loader *l, const yaml_node_t *list, enum table t, size_t size, row_fn *row, uint32_t *count,
                uint32_t *ret_first, uint32_t *ret_count)
{
    if (list == NULL)
        return;
    if (list->type != YAML_SEQUENCE_NODE || *count + length_of(list) > ETH_POLICY_ROWS_MAX) {
        complain(l, list, "expected a list; all lists together have at most %d items", ETH_POLICY_ROWS_MAX);
        return;
    }
    *ret_first = *count;
    *ret_count = length_of(list);
    for (uint32_t i = 0; !l->failed && i < length_of(list); i++, (*count)++)
        row(l, yaml_document_get_node(&l->doc, list->data.sequence.items.start[i]),
            (uint8_t *)l->f->table[t] + *count * size);
}

static void service_row(struct loader *l, const yaml_node_t *n, void *row)
{
    static const char *const KEYS[] = {"service", "instance", "interface", "offered_by",
                                       "clients", "methods",  "name",      NULL};
    struct eth_service *s = row;
    struct eth_policy *p = &l->f->policy;
    const yaml_node_t *service = need(l, n, "service"), *by = need(l, n, "offered_by"), *v;

    only(l, n, KEYS);
    if (l->failed)
        return;
    s->service = (uint16_t)number_of(l, service, UINT16_MAX, "service");
    s->offered_by = addr_of(l, by, "offered_by");
    v = value_of(l, n, "instance");
    s->instance = v != NULL ? (uint16_t)number_of(l, v, UINT16_MAX, "instance") : ETH_ANY16;
    if ((v = value_of(l, n, "interface")) != NULL)
        s->interface_version = (uint8_t)number_of(l, v, UINT8_MAX, "interface");
    run(l, value_of(l, n, "clients"), CLIENTS, sizeof(struct ip_addr), addr_row, &p->client_count, &s->client_first,
        &s->client_count);
    run(l, value_of(l, n, "methods"), METHODS, sizeof(uint16_t), u16_row, &p->method_count, &s->method_first,
        &s->method_count);
}

/* ---- sections */

static void services(struct loader *l, const yaml_node_t *list)
{
    struct eth_policy *p = &l->f->policy;

    if (list == NULL)
        return;
    p->client = l->f->table[CLIENTS] = calloc(ETH_POLICY_ROWS_MAX, sizeof(struct ip_addr));
    p->method = l->f->table[METHODS] = calloc(ETH_POLICY_ROWS_MAX, sizeof(uint16_t));
    if (p->client == NULL || p->method == NULL)
        complain(l, list, "memory is out");
    p->service = rows(l, SERVICES, list, sizeof(struct eth_service), service_row, &p->service_count);
}

static void diagnosis(struct loader *l, const yaml_node_t *n)
{
    static const char *const KEYS[] = {"testers", "entities", "connections", NULL};
    struct eth_policy *p = &l->f->policy;
    const yaml_node_t *v;

    if (n == NULL || l->failed)
        return;
    only(l, n, KEYS);
    p->tester = rows(l, TESTERS, value_of(l, n, "testers"), sizeof(struct eth_tester), tester_row, &p->tester_count);
    p->doip_entity =
        rows(l, ENTITIES, value_of(l, n, "entities"), sizeof(struct ip_addr), addr_row, &p->doip_entity_count);
    if ((v = value_of(l, n, "connections")) != NULL)
        p->doip_connections_max = (uint32_t)number_of(l, v, 1000, "connections");
}

static void limits(struct loader *l, const yaml_node_t *n)
{
    static const char *const KEYS[] = {"scan_ports", "subscribes", "offer_changes", "answer_ms", NULL};
    struct eth_policy *p = &l->f->policy;
    uint32_t *const to[] = {&p->scan_ports_max, &p->subscribes_max, &p->offer_changes_max, &p->answer_ms_max};

    if (n == NULL || l->failed)
        return;
    only(l, n, KEYS);
    for (unsigned i = 0; KEYS[i] != NULL; i++) {
        const yaml_node_t *v = value_of(l, n, KEYS[i]);
        if (v != NULL)
            *to[i] = (uint32_t)number_of(l, v, 1000000, KEYS[i]);
    }
}

static void document(struct loader *l)
{
    static const char *const KEYS[] = {"hosts", "ethertypes",   "vlans",  "flows", "services",
                                       "doip",  "grandmasters", "limits", NULL};
    const yaml_node_t *root = yaml_document_get_root_node(&l->doc);
    struct eth_policy *p = &l->f->policy;

    if (root == NULL) {
        complain(l, NULL, "the file is empty; a policy has hosts, flows, services, ..");
        return;
    }
    only(l, root, KEYS);
    if (l->failed)
        return;
    p->host = rows(l, HOSTS, value_of(l, root, "hosts"), sizeof(struct eth_host), host_row, &p->host_count);
    p->ethertype = rows(l, ETHERTYPES, value_of(l, root, "ethertypes"), sizeof(uint16_t), u16_row, &p->ethertype_count);
    p->vlan = rows(l, VLANS, value_of(l, root, "vlans"), sizeof(uint16_t), u16_row, &p->vlan_count);
    p->flow = rows(l, FLOWS, value_of(l, root, "flows"), sizeof(struct eth_flow), flow_row, &p->flow_count);
    services(l, value_of(l, root, "services"));
    diagnosis(l, value_of(l, root, "doip"));
    p->grandmaster = rows(l, GRANDMASTERS, value_of(l, root, "grandmasters"), 8, clock_row, &p->grandmaster_count);
    limits(l, value_of(l, root, "limits"));
}

enum vs_err eth_policy_parse(const char *path, struct slice text, struct eth_policy_file *ret,
                             struct eth_policy_error *ret_error)
{
    struct loader l = {.path = path, .f = ret, .error = ret_error};
    yaml_parser_t parser;

    memset(ret, 0, sizeof *ret);
    if (yaml_parser_initialize(&parser) == 0)
        return VS_ERR_NO_MEMORY;
    yaml_parser_set_input_string(&parser, text.ptr, text.len);
    if (yaml_parser_load(&parser, &l.doc) == 0) {
        l.failed = true;
        snprintf(ret_error->text, sizeof ret_error->text, "%s:%u: no YAML: %s", path,
                 (unsigned)parser.problem_mark.line + 1, parser.problem != NULL ? parser.problem : "cannot be read");
    } else {
        document(&l);
        yaml_document_delete(&l.doc);
    }
    yaml_parser_delete(&parser);
    if (l.failed)
        eth_policy_free(ret);
    return l.failed ? VS_ERR_CONFIG : VS_OK;
}

enum vs_err eth_policy_load(const char *path, struct eth_policy_file *ret, struct eth_policy_error *ret_error)
{
    FILE *f = fopen(path, "rb");
    uint8_t *text = malloc(ETH_POLICY_FILE_MAX);
    enum vs_err err = VS_ERR_IO;

    if (f == NULL || text == NULL) {
        snprintf(ret_error->text, sizeof ret_error->text, "%s: %s", path, strerror(f == NULL ? errno : ENOMEM));
    } else {
        size_t len = fread(text, 1, ETH_POLICY_FILE_MAX, f);
        err = eth_policy_parse(path, slice_make(text, len), ret, ret_error);
    }
    free(text);
    if (f != NULL)
        fclose(f);
    return err;
}

void eth_policy_free(struct eth_policy_file *f)
{
    for (size_t i = 0; i < sizeof f->table / sizeof f->table[0]; i++)
        free(f->table[i]);
    memset(f, 0, sizeof *f);
}
