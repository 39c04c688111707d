/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-events.h"

/* Turns notifications of the database into events. Belongs to one main context. */
typedef struct ServerEventFeed ServerEventFeed;

ServerEventFeed *server_event_feed_new(SlDb *db, ServerEvents *events);
void server_event_feed_free(ServerEventFeed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServerEventFeed, server_event_feed_free)

/* A payload of SL_CHANNEL_EVENT (data/migrations: "kind workspace id …"). NULL: the connection is
 * new, so that some may have been missed. */
void server_event_feed_notified(ServerEventFeed *feed, const char *payload);
