/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* LISTEN on a connection of its own, watched by the thread-default main context. A notification is
 * a hint only: what it hints at must also be found by a slow poll.
 *
 * The callback gets the channel, or NULL after every (re)connection: "something may have been
 * missed, look now". A lost connection is made again with jittered backoff (1 to 30 s). */
typedef void (*SlDbListenFunc)(const char *channel, const char *payload, gpointer data);

typedef struct SlDbListener SlDbListener;

SlDbListener *sl_db_listener_new(const char *conninfo, const char *const *channels,
                                 SlDbListenFunc callback, gpointer data);
gboolean sl_db_listener_is_connected(const SlDbListener *listener);
void sl_db_listener_free(SlDbListener *listener); /* no callback after this */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlDbListener, sl_db_listener_free)
