/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Private to the mappers: digests and ciphers over one value, as lower-case hex. Objects are made
 * once per mapper and used for every record; one thread only. */

typedef struct SlDigest SlDigest;

/* MD2, MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. SL_ERROR_INVALID for another name, or one
 * that this host's libcrypto forbids. */
SlDigest *sl_digest_new(const char *method, GError **error);
void sl_digest_free(SlDigest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlDigest, sl_digest_free)
gboolean sl_digest_append_hex(SlDigest *digest, SlSpan text, GString *out, GError **error);

typedef struct SlCipher SlCipher;

/* AES with a key of 16, 24 or 32 bytes in hex. Modes: CBC, CFB, OFB, CTR, GCM, ECB; paddings:
 * NoPadding, PKCS5Padding (not for CTR and GCM). What comes out is IV, ciphertext, tag: the IV is
 * random, 16 bytes, of 12 bytes in GCM and missing in ECB; a tag of 16 bytes only in GCM.
 * key_hex NULL: the key is not known here; everything else is checked, and nothing can be
 * encrypted. */
SlCipher *sl_cipher_new_aes(const char *key_hex, const char *mode, const char *padding,
                            GError **error);

/* RSA with PKCS #1 v1.5 padding; the key is an X.509 SubjectPublicKeyInfo in hex. */
SlCipher *sl_cipher_new_rsa(const char *key_hex, GError **error);
void sl_cipher_free(SlCipher *cipher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlCipher, sl_cipher_free)
gboolean sl_cipher_has_key(const SlCipher *cipher);
gboolean sl_cipher_is_random(const SlCipher *cipher); /* equal texts give different results */
gboolean sl_cipher_append_hex(SlCipher *cipher, SlSpan text, GString *out, GError **error);

/* MD2 (RFC 1319), which libcrypto is built without. */
void sl_md2(const char *text, gsize len, guint8 ret_digest[16]);
