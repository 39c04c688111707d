/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* The state of a connection as text: STATE messages, as connectors read and write them, or the
 * object of the API. Parsed strictly; the states' own bytes are kept. */

typedef struct {
    char *name, *ns; /* ns "": none */
    char *state;     /* JSON; NULL: forget it */
} CtlStreamState;

typedef struct {
    const char *type;   /* "stream", "global", "legacy", or "not_set"; static */
    char *shared;       /* JSON of global and legacy; NULL: none */
    gboolean forget;    /* `shared` was given as null */
    GPtrArray *streams; /* CtlStreamState; empty with legacy */
} CtlState;

void ctl_state_free(CtlState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlState, ctl_state_free)

CtlState *ctl_state_new(const char *type);
CtlStreamState *ctl_state_add(CtlState *state, const char *name, const char *ns,
                              const char *json); /* borrowed */
/* NULL: not there. */
CtlStreamState *ctl_state_find(const CtlState *state, const char *name, const char *ns);

/* `what` names the text in errors. An array of STATE messages, one, one a line (other messages of a
 * connector's output are passed over), each with or without its envelope; or the API's object. */
CtlState *ctl_state_parse(const char *text, gsize len, const char *what, GError **error);

/* The body of the API's create_or_update_safe. */
char *ctl_state_print_request(const CtlState *state, const char *connection_id);

/* An array of STATE messages, one a line. */
char *ctl_state_print_messages(const CtlState *state);

/* Makes of `wanted` a request that leaves nothing else of `old`: what it does not name is
 * forgotten. Both are of the same type. */
void ctl_state_forget_others(CtlState *wanted, const CtlState *old);

/* A request that forgets all of it. */
CtlState *ctl_state_forget_all(const CtlState *old);
