/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Judges a connector's configuration by the connectionSpecification of its specification (a
 * ConnectorSpecification, as JSON): JSON Schema draft-07 (src/schema). What in the specification
 * cannot be used (a pattern that is none) is passed over: its author is far away, and the
 * connector's own check has the last word. `format` is a remark.
 *
 * SL_ERROR_UNPROCESSABLE names up to five properties: "configuration.port: expected integer, found
 * string; …". Secrets may stand as the mask or as references; of those only that they are there is
 * judged. */
gboolean server_spec_judge(const char *spec, const char *configuration, GError **error);

/* Its connectionSpecification; "{}" when there is none. */
char *server_spec_connection(const char *spec);
