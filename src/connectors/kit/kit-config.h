/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* A connector's configuration, checked against its spec. */
typedef struct {
    SlJsonDoc *doc;           /* the configuration */
    SlJsonDoc *spec;          /* the connector's spec.json */
    const SlJsonNode *schema; /* its connectionSpecification */
} KitConfig;

/* Checks what specs use: type, required, properties, additionalProperties false, enum, const,
 * minimum, maximum, minLength, maxLength, pattern, items, oneOf (by its const discriminator, else
 * by trial). Errors are SL_ERROR_INVALID and name the path: "configuration.count: expected
 * integer". The values themselves are never in an error: they may be secrets. `spec` is
 * NUL-terminated. */
KitConfig *kit_config_parse(const char *spec, const char *text, gsize len, GError **error);

/* The value at a path of keys ended by NULL; when it is missing, the spec's default for it; else
 * NULL. Belongs to config->doc or config->spec: read it with the type's getters, not sl_json_get()
 * below it. */
const SlJsonNode *kit_config_get(const KitConfig *config, ...) G_GNUC_NULL_TERMINATED;

/* The same, typed. Without value and default: NULL, 0, FALSE. */
char *kit_config_dup_string(const KitConfig *config, ...) G_GNUC_NULL_TERMINATED;
gint64 kit_config_get_int(const KitConfig *config, ...) G_GNUC_NULL_TERMINATED;
double kit_config_get_double(const KitConfig *config, ...) G_GNUC_NULL_TERMINATED;
gboolean kit_config_get_boolean(const KitConfig *config, ...) G_GNUC_NULL_TERMINATED;

void kit_config_free(KitConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitConfig, kit_config_free)
