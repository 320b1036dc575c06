/* journal_record: one journal record as bytes (docs/formats/journal.md), sealed and opened. Internal to the journal.
 * No allocation; linear in the record. */
#ifndef GATEWAY_JOURNAL_RECORD_H
#define GATEWAY_JOURNAL_RECORD_H

#include "gateway/journal.h"

/* Blocks of a record with `len` bytes of contents. */
uint32_t journal_record_blocks(const struct port_device *device, size_t len);
/* Reads a header in clear. False when magic, CRC or the ranges that the device sets are wrong. */
VS_MUST_USE bool journal_record_header(struct slice in, const struct port_device *device, struct journal_header *ret);
/* Writes header, sealed contents and padding: whole blocks into out. */
VS_MUST_USE enum vs_err journal_record_seal(const struct port_aead *aead, const struct port_device *device,
                                            const struct journal_header *h, struct slice contents, uint8_t *out,
                                            uint8_t ret_tag[PORT_AEAD_TAG]);
/* Reads the record at a block and opens it. image holds journal_record_size(contents_max) bytes, as does plain.
 * VS_ERR_NOT_FOUND when no header stands there, VS_ERR_TAMPERED when its seal is broken, VS_ERR_IO. On VS_ERR_TAMPERED
 * *ret is what the header claims. */
VS_MUST_USE enum vs_err journal_record_open(const struct port_device *device, const struct port_aead *aead,
                                            uint32_t block, size_t contents_max, uint8_t *image, uint8_t *plain,
                                            struct journal_header *ret, struct slice *ret_contents,
                                            uint8_t ret_tag[PORT_AEAD_TAG]);

#endif
