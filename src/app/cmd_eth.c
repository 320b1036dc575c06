/* vsoc eth: what an Ethernet capture says. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/capture.h"
#include "app/commands.h"
#include "app/eth_print.h"
#include "app/usage.h"

static const char help_text[] =
    "usage: vsoc eth decode --trace CAPTURE\n"
    "\n"
    "        One JSON line per packet: addresses, VLAN, ports, and what is above: ARP, gPTP, SOME/IP with service\n"
    "        discovery, DoIP with UDS. A packet that contradicts itself has `error` with the layer, the byte of the\n"
    "        packet and the reason.\n"
    "        CAPTURE is pcap or pcapng, plain or gzip, of Ethernet, raw IP or Linux cooked packets; - is standard "
    "input.\n"
    "        For CAN in captures see vsoc dbc decode; for alarms see vsoc-edge scan.\n"
    "\n"
    "exit: 0 every packet was read, 1 some contradict themselves, 2 bad usage or no capture\n";

static int decode(const char *path)
{
    struct trace_input in;
    struct capture capture;
    struct pcap_packet packet;
    uint64_t broken = 0, damaged = 0, byte = 0;
    const char *reason = "";
    enum vs_err err;

    if (!trace_input_open(&in, path)) {
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
        return 2;
    }
    capture_init(&capture);
    while ((err = capture_next(&capture, &in, &packet, &byte, &reason)) != VS_ERR_END) {
        if (err == VS_OK) {
            broken += !eth_print_packet(stdout, capture.record - 1, &packet);
        } else {
            damaged++;
            fprintf(stderr, "%s: byte %" PRIu64 ": %s\n", path, byte, reason);
        }
    }
    if (in.failed) {
        damaged++;
        fprintf(stderr, "%s: reading or unpacking failed behind byte %" PRIu64 "\n", path, in.offset);
    }
    fprintf(stderr, "%s: %" PRIu64 " packets, %" PRIu64 " contradict themselves\n", path, capture.record, broken);
    trace_input_close(&in);
    return damaged > 0 ? 2 : broken > 0 ? 1 : 0;
}

int cmd_eth(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help_text, stdout);
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], "decode") != 0)
        return usage_refuse("vsoc eth", argc, argv, help_text);
    if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        fputs(help_text, stdout);
        return 0;
    }
    if (argc != 4 || strcmp(argv[2], "--trace") != 0)
        return usage_refuse("vsoc eth", argc, argv, help_text);
    return decode(argv[3]);
}
