/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

typedef struct {
    gboolean allow_private; /* loopback and private networks */
    gint64 timeout_usec;    /* for the whole, however slowly it trickles */
} SlWebhookPolicy;

/* May a webhook go there? Link-local, multicast and unspecified addresses never may. IPv4 in IPv6
 * is judged as IPv4. */
gboolean sl_webhook_may_go(GInetAddress *address, const SlWebhookPolicy *policy);

/* POSTs a JSON text; `id` (may be NULL) goes along as Idempotency-Key. Blocks: for threads without
 * a transaction. Errors: SL_ERROR_INVALID (no address), _FORBIDDEN (the policy), _UNAVAILABLE,
 * _TIMED_OUT, and _FAILED for an answer that is not 2xx, whose body nobody sees. */
gboolean sl_webhook_post(const char *url, const char *id, const char *body,
                         const SlWebhookPolicy *policy, GError **error);
