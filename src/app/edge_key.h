/* edge_key: the key that seals a journal, from its file, as the AEAD port of gateway/port.h: AES-256-GCM. */
#ifndef APP_EDGE_KEY_H
#define APP_EDGE_KEY_H

#include "base/crypto.h"
#include "gateway/port.h"

/* Reads 64 hex digits. False after saying on stderr what is wrong. */
bool edge_key_read(const char *path, uint8_t ret[AEAD_KEY_SIZE]);
/* The port; the key is borrowed. */
struct port_aead edge_aead(const uint8_t key[AEAD_KEY_SIZE]);

#endif
