/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* How a row of the outbox looks. Pure, but for templates of the administrator. */
typedef struct {
    char *subject, *text; /* of a mail; a webhook has both too */
    char *data;           /* JSON: what templates and receivers of webhooks read */
} SlNoticeText;

/* `public_url`: before links. `folder`: TRIGGER.txt in it replaces the template (NULL: none).
 * SL_ERROR_INVALID: a template without "Subject: ". */
gboolean sl_notice_text(const SlNotification *row, const char *public_url, const char *folder,
                        SlNoticeText *ret, GError **error);
void sl_notice_text_clear(SlNoticeText *text);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlNoticeText, sl_notice_text_clear)

/* The body of a webhook in the public shape. `url` decides the dialect: Google Chat refuses members
 * that it does not know. */
char *sl_notice_webhook(const SlNotification *row, const SlNoticeText *text, const char *url);
