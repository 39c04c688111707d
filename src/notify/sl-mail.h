/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

typedef struct {
    const char *url;             /* smtp://HOST:PORT or smtps://HOST:PORT */
    const char *user, *password; /* NULL or "": without */
    const char *from;            /* NULL or "": sluice@HOST */
    gboolean start_tls;          /* with smtp://: required; else if it is offered */
    gint64 timeout_usec;         /* for the whole */
} SlMailServer;

/* A message of RFC 5322 with plain text in UTF-8. `id` becomes its Message-ID; `date` is in
 * microseconds. SL_ERROR_INVALID: an address that is none. */
char *sl_mail_compose(const char *from, const char *to, const char *subject, const char *text,
                      const char *id, gint64 date, GError **error);

/* Blocks. Errors: SL_ERROR_INVALID (addresses, url), _FAILED (the server refuses it for good, or
 * the login), _UNAVAILABLE (anything that may pass), _TIMED_OUT. */
gboolean sl_mail_send(const SlMailServer *server, const char *to, const char *subject,
                      const char *text, const char *id, gint64 now, GError **error);
