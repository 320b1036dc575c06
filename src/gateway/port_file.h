/* port_file: a journal device and an anchor in files, for a Linux gateway without better storage for them.
 *
 * The journal is a file of fixed size; the anchor is two copies of 56 bytes, 512 bytes apart, written in turn, each
 * with a CRC-32C, so that a torn write leaves the other (docs/formats/journal.md). An anchor in a file protects against
 * a disk put back alone, not against both put back together: where there is RPMB or a TPM, fill struct port_anchor from
 * that. This is shell: POSIX files, one process at a time (flock). Threads: one owner. */
#ifndef GATEWAY_PORT_FILE_H
#define GATEWAY_PORT_FILE_H

#include "gateway/port.h"

struct port_file {
    int fd, anchor_fd;              /* -1 = not open */
    int slot;                       /* of the anchor's copies: the one to write next */
    struct port_device device_port; /* hand these two to the gateway */
    struct port_anchor anchor_port;
};

/* Opens or makes both files. A journal that is smaller than asked for is extended with zeros, a larger one stays as
 * large as it is. anchor_path NULL: every read says that there is none. VS_ERR_IO with errno set; VS_ERR_BUSY when
 * another process has the journal. The struct may not move afterwards. */
VS_MUST_USE enum vs_err port_file_open(struct port_file *p, const char *path, const char *anchor_path,
                                       uint32_t block_size, uint32_t block_count);
/* Opens for looking only: writes fail. The block count follows from the file's size. */
VS_MUST_USE enum vs_err port_file_open_readonly(struct port_file *p, const char *path, const char *anchor_path,
                                                uint32_t block_size);
void port_file_close(struct port_file *p);

#endif
