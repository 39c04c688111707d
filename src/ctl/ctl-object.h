/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl.h"

/* What has a name: found by name, id, beginning of an id, or pattern. */

typedef enum {
    CTL_CONNECTION,
    CTL_SOURCE,
    CTL_DESTINATION,
    CTL_SOURCE_CONNECTOR,
    CTL_DESTINATION_CONNECTOR,
    CTL_N_KINDS
} CtlKind;

#define CTL_KIND_BIT(kind) (1u << (kind))
#define CTL_KINDS_NAMED                                                                            \
    (CTL_KIND_BIT(CTL_CONNECTION) | CTL_KIND_BIT(CTL_SOURCE) | CTL_KIND_BIT(CTL_DESTINATION))
#define CTL_KINDS_CONNECTOR                                                                        \
    (CTL_KIND_BIT(CTL_SOURCE_CONNECTOR) | CTL_KIND_BIT(CTL_DESTINATION_CONNECTOR))
#define CTL_KINDS_WORKSPACE 0u

typedef struct {
    CtlKind kind;
    char *id;
    char *name;
    char *type;     /* short name of the connector: "source-sample"; "" for connections */
    SlJsonDoc *doc; /* the object as the API gave it */
} CtlObject;

void ctl_object_free(CtlObject *object);
const char *ctl_kind_name(CtlKind kind); /* "connection", translated */
const char *ctl_kind_path(CtlKind kind); /* "/api/…/connections" */

/* All objects of these kinds (CTL_KIND_BIT()s), CtlObject*, in the API's order. */
GPtrArray *ctl_object_list(Ctl *ctl, guint kinds, GError **error);
GPtrArray *ctl_object_list_workspaces(Ctl *ctl, GError **error);

/* Calls `add` for each row of a paged listing, `limit` at most. */
typedef void (*CtlRowFunc)(const SlJsonDoc *doc, const SlJsonNode *row, gpointer data);
gboolean ctl_list_pages(Ctl *ctl, const char *path, guint limit, CtlRowFunc add, gpointer data,
                        GError **error);

/* The one object of `objects`, which are of these kinds, that `word` names; a pattern is not
 * allowed. Borrowed. */
const CtlObject *ctl_object_pick(const GPtrArray *objects, guint kinds, const char *word,
                                 GError **error);

/* All that `words` name, each at most once (borrowed); patterns may match none.
 * No words: all. */
GPtrArray *ctl_object_select(const GPtrArray *objects, guint kinds, const char *const *words,
                             GError **error);

/* The connections that the arguments of the command name, at least one. *ret_all owns them. */
GPtrArray *ctl_object_select_connections(Ctl *ctl, GPtrArray **ret_all, GError **error);

/* The object of that id; NULL when there is none. */
const CtlObject *ctl_object_by_id(const GPtrArray *objects, const char *id);

/* "source/WORD", unless the word says a kind itself. */
char *ctl_object_word(CtlKind kind, const char *word);
