/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* POSTs a JSON text. Errors are those of sl_http_client_request(), and SL_ERROR_FAILED for an
 * answer that is not 2xx; SL_ERROR_TIMED_OUT when the whole took longer than `usec`. Blocks: for
 * worker threads without a transaction. */
gboolean config_webhook_post(const char *url, const char *body, gint64 usec, GError **error);
