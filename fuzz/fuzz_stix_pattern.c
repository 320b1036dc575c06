/* stix_pattern: hostile patterns. What is accepted is a tree within its bounds whose children precede their parents and
 * whose texts lie within it; what is refused names a byte of the pattern and a reason. */
#include <stdlib.h>

#include "detect/intel/stix_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const struct stix_pattern *p, uint32_t i)
{
    const struct stix_node *n = &p->node[i];
    char path[128];

    if ((n->a != STIX_NONE && n->a >= i) || (n->b != STIX_NONE && n->b >= i))
        abort();
    if (n->kind != STIX_COMPARE && n->kind != STIX_EXISTS)
        return;
    if (n->type_at > p->text_len || n->type_len > p->text_len - n->type_at || n->step > p->step_count ||
        n->step_count > p->step_count - n->step || n->literal > p->literal_count ||
        n->literal_count > p->literal_count - n->literal || (n->regex != STIX_NONE && n->regex >= p->regex_count))
        abort();
    stix_path_text(p, n, path, sizeof path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stix_pattern p;
    struct stix_fault fault = {0, ""};

    stix_pattern_init(&p);
    /* The second reading is into a tree that was used before. */
    enum vs_err first = stix_pattern_parse(&p, slice_make(data, size), &fault);
    enum vs_err again = stix_pattern_parse(&p, slice_make(data, size), &fault);
    if (first != again)
        abort();
    if (first != VS_OK && (fault.position > size || fault.text[0] == '\0'))
        abort();
    if (first == VS_OK && (p.node_count == 0 || p.node_count > STIX_NODES_MAX || p.root >= p.node_count))
        abort();
    for (uint32_t i = 0; first == VS_OK && i < p.node_count; i++)
        check_node(&p, i);
    stix_pattern_done(&p);
    return 0;
}
