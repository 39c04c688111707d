/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-engine.h"
#include "sl-json-read.h"

/* One request. `path` without the version. A status other than 2xx, and not among `accept` (ended
 * by 0, may be NULL), is an error; `what` says what was asked ("creating container 'x'"). */
typedef struct {
    const char *method, *path, *what;
    const char *const *headers;
    const char *body; /* JSON, or NULL */
    GBytes *archive;  /* a tar instead of it, or NULL */
    gint64 deadline;  /* with own_deadline */
    gboolean own_deadline;
    const guint *accept;
    gboolean (*line)(SlEngine *engine, const char *line, gsize len, gpointer user_data,
                     GError **error); /* for a stream of JSON lines */
    gpointer line_data;
} SlEngineCall;

/* *ret may be NULL; *ret_text lives as long as the document: both are taken by the document. */
gboolean sl_engine_call(SlEngine *engine, const SlEngineCall *call, SlJsonDoc **ret,
                        GError **error);

/* Sets "Docker at /run/docker.sock: WHAT: TEXT". */
gboolean sl_engine_set_error(SlEngine *engine, GError **error, int code, const char *what,
                             const char *format, ...) G_GNUC_PRINTF(5, 6);

/* The member's text, "" when it is not there. */
char *sl_engine_dup_member(const SlJsonDoc *doc, const SlJsonNode *node, const char *key);
