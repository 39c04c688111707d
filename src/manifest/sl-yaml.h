/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* One YAML document as compact JSON, read the way that readers of YAML 1.1 in the world of Python
 * do
 * ("yes" is true, "1e3" a text, "<<" merges), but that dates stay texts.
 *
 * SL_ERROR_INVALID names line and column: what is no YAML, a key that is there twice, a value that
 * JSON cannot hold. SL_ERROR_TOO_LARGE: deeper or larger than SL_YAML_MAX_*; aliases count as often
 * as they are used. */
#define SL_YAML_MAX_DEPTH 60
#define SL_YAML_MAX_BYTES (16 * 1024 * 1024)

char *sl_yaml_to_json(const char *text, gsize len, GError **error);
