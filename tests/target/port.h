/* port: what the trace runner needs of the machine it runs on: files, and a count of instructions.
 *
 * One implementation for a Cortex-M4 without operating system (port_mps2.c), one for the host (port_host.c). Handles
 * are small numbers, -1 for failure. */
#ifndef TARGET_PORT_H
#define TARGET_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int port_open(const char *name, bool write);
/* How many bytes came; 0 at the end. */
size_t port_read(int file, void *buf, size_t size);
void port_write(int file, const void *buf, size_t size);
void port_close(int file);
/* Instructions executed since some moment, in thousandths; 0 always where they cannot be counted. */
uint64_t port_millinstructions(void);
/* Bytes of stack that were ever in use; 0 where that is not known. */
size_t port_stack_used(void);

/* The program proper: MODEL TRACE OUT. Returns the exit code. */
int run_trace(const char *model, const char *trace, const char *out);

#endif
