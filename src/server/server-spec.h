/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Judges a connector's configuration by the connectionSpecification of its specification (a
 * ConnectorSpecification, as JSON): the part of JSON Schema (draft 7) that says what a form may
 * contain: type, required, properties, additionalProperties false, items, enum, const, minimum,
 * maximum, minLength, maxLength, pattern, oneOf, anyOf, allOf. Other words, and references, are
 * passed over: the connector's own check has the last word.
 *
 * SL_ERROR_UNPROCESSABLE names the property: "configuration.port: expected integer". Secrets may
 * stand as the mask or as references; of those only that they are there is judged. */
gboolean server_spec_judge(const char *spec, const char *configuration, GError **error);

/* Its connectionSpecification; "{}" when there is none. */
char *server_spec_connection(const char *spec);
