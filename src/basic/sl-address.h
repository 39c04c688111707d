/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A network address or a block of them: "10.0.0.5", "10.0.0.0/8", "fd00::/8". */
typedef struct {
    int family; /* AF_INET or AF_INET6 */
    guint8 bytes[16];
    gsize length; /* of bytes: 4 or 16 */
    guint32 prefix;
} SlAddress;

/* Bits behind the prefix become zero. FALSE: it is neither (a name, for example). */
gboolean sl_address_parse(const char *text, SlAddress *ret);

/* "10.0.0.5/32". */
char *sl_address_print(const SlAddress *address);

gboolean sl_address_overlaps(const SlAddress *a, const SlAddress *b);

/* What no connector may reach, and why there is a rule: services of clouds that give credentials to
 * whoever asks live on link-local addresses. Link-local and multicast. */
extern const SlAddress sl_address_denied[];
extern const gsize sl_address_n_denied;
gboolean sl_address_is_denied(const SlAddress *address);
