/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* A configuration that is put together: from a file, then KEY=VALUE by KEY=VALUE. Objects are
 * trees that can be changed, every other value keeps its bytes. */
typedef struct CtlValue CtlValue;

CtlValue *ctl_value_new(void); /* an empty object */
void ctl_value_free(CtlValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlValue, ctl_value_free)

/* An object's copy. Errors: SL_ERROR_INVALID for another type. */
CtlValue *ctl_value_parse(const char *text, gsize len, GError **error);

/* Sets the member at a dotted path to this JSON, making objects on the way. */
gboolean ctl_value_set(CtlValue *value, const char *path, const char *json, GError **error);

char *ctl_value_to_json(const CtlValue *value);

/* Text → JSON of the type that the specification's JSON Schema gives the property at `path`.
 * `schema` NULL: nothing is known; then JSON stays JSON and all else is a string. An unknown
 * property and a text of the wrong type are usage errors that name the property. */
char *ctl_value_from_text(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path,
                          const char *text, GError **error);

/* Is the property at `path` marked airbyte_secret? */
gboolean ctl_value_is_secret(const SlJsonDoc *doc, const SlJsonNode *schema, const char *path);
