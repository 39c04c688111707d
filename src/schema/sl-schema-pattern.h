/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A regular expression of a schema (ECMA 262) as PCRE2 takes it. PCRE2 itself instead of GRegex,
 * because only so a bound can be set on each match, and because GRegex (2.74) makes \d, \w and \b
 * mean Unicode, where ECMA means ASCII. */
typedef struct SlSchemaPattern SlSchemaPattern;

/* NULL and SL_ERROR_INVALID: no expression, or too large a one. */
SlSchemaPattern *sl_schema_pattern_new(const char *text, gsize len, GError **error);
void sl_schema_pattern_free(SlSchemaPattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlSchemaPattern, sl_schema_pattern_free)

/* 1: matches somewhere in the text; 0: nowhere; -1: not decided within the bounds. */
int sl_schema_pattern_match(const SlSchemaPattern *pattern, const char *text, gsize len);
const char *sl_schema_pattern_text(const SlSchemaPattern *pattern);
