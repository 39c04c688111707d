/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* One discovered stream with what a connection wants of it: whether that is possible. Pure. */

typedef struct {
    const SlJsonDoc *doc;                /* AirbyteCatalog */
    const SlJsonNode *node;              /* the stream in it */
    const char *label;                   /* "stream 'users'", for errors */
    const SlStreamConfiguration *wanted; /* NULL: the defaults */
    const SlJsonDoc *spec;               /* of the destination (ConnectorSpecification) */
} ServerStream;

/* Both halves of a SlConnectionSyncMode in the protocol's words. */
typedef struct {
    const char *source, *destination;
} ServerModes;
const ServerModes *server_stream_modes(int mode);
int server_stream_mode_of(const ServerStream *stream);

/* Can source and destination do it? `listed`: only what a destination says that it has. */
gboolean server_stream_can(const ServerStream *stream, int mode, gboolean listed);

/* SL_ERROR_INVALID, or a problem of its own, names stream and property. */
gboolean server_stream_check(const ServerStream *stream, GError **error);

/* Is the list there, and not empty? */
gboolean server_stream_is_given(char *const *list);
gboolean server_stream_key_is_given(const SlStreamConfiguration *wanted);
