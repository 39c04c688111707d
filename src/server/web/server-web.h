/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-http-server.h"

/* The files of the page, as they were built: read once, never looked for by what a request says.
 *
 * FOLDER/index.html         the page; the answer to every address of it that a browser navigates to
 * FOLDER/assets/NAME-HASH.* kept by browsers for ever
 * FOLDER/FILE               anything else: asked for anew each time
 * FILE.br, FILE.gz          the same, compressed
 */
typedef struct ServerWeb ServerWeb;

/* NULL without an error: there is no index.html, this installation has no page. */
ServerWeb *server_web_new(const char *folder, GError **error);
void server_web_free(ServerWeb *web);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServerWeb, server_web_free)

/* FALSE: nothing of the page's; the reply is as it was. */
gboolean server_web_handle(const ServerWeb *web, const SlHttpRequest *request, SlHttpReply *reply);
