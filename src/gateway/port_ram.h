/* port_ram: a journal device and an anchor in the caller's memory, for the simulator, for tests and for gateways that
 * have nothing better. What is written is durable at once. Values, no allocation. */
#ifndef GATEWAY_PORT_RAM_H
#define GATEWAY_PORT_RAM_H

#include "gateway/port.h"

struct port_ram {
    uint8_t *bytes; /* borrowed; block_size * block_count */
    size_t size;
    bool anchored;
    struct port_anchor_value anchor;
    struct port_device device_port; /* hand these two to the gateway */
    struct port_anchor anchor_port;
};

/* Does not touch the bytes: a journal in them is found again. The struct may not move afterwards. */
void port_ram_init(struct port_ram *r, uint8_t *bytes, uint32_t block_size, uint32_t block_count);

#endif
