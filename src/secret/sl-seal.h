/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Sealing of one secret: AES-256-GCM (NIST SP 800-38D) by OpenSSL, a random 96-bit nonce each time.
 * `context` is authenticated but not stored: a sealed text moved to another row does not open. */
#define SL_SEAL_KEY_BYTES 32
#define SL_SEAL_MAX_KEYS 8

typedef struct SlSealKey SlSealKey;

/* From the credential "sluice-master-key": 32 bytes, or a ring of several keys one behind the
 * other: the first seals, all open. SL_ERROR_CONFIG for any other length. */
SlSealKey *sl_seal_key_new(GBytes *bytes, GError **error);
void sl_seal_key_free(SlSealKey *key); /* wipes it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlSealKey, sl_seal_key_free)

/* Names the (first) key without giving it away: 16 hex digits of its SHA-256. */
const char *sl_seal_key_id(const SlSealKey *key);

/* The ids of all keys of the ring, the current one first; NULL-terminated. */
const char *const *sl_seal_key_ids(const SlSealKey *key);

/* base64 (RFC 4648) of nonce, ciphertext and tag. */
char *sl_seal(const SlSealKey *key, const char *context, const char *plain, GError **error);

/* TRUE when the first key opens it: sealing it anew would change nothing. */
gboolean sl_seal_is_current(const SlSealKey *key, const char *context, const char *sealed);

/* SL_ERROR_FAILED when the text was not sealed with this key and context, or was changed. */
char *sl_unseal(const SlSealKey *key, const char *context, const char *sealed, GError **error);
