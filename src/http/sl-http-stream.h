/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* The stream that libsoup gets for a connection: the socket's own, with a look at what is read.
 *
 * It is there for a fault of libsoup 3.2.3: when the client closes or resets a kept connection
 * between two requests, nobody closes our end, ever. So at such an end the stream makes up one bad
 * request
 * (`at_rest` says whether it is one); libsoup answers it to nobody and then closes. */
typedef gboolean (*SlHttpStreamAtRest)(gpointer data);
typedef void (*SlHttpStreamRead)(gpointer data); /* bytes came */

#define SL_TYPE_HTTP_STREAM (sl_http_stream_get_type())
G_DECLARE_FINAL_TYPE(SlHttpStream, sl_http_stream, SL, HTTP_STREAM, GIOStream)

GIOStream *sl_http_stream_new(GSocketConnection *base, SlHttpStreamAtRest at_rest,
                              SlHttpStreamRead read, gpointer data);
