/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Manifests of the low-code kit: connectors that are a description, run by a program that all of
 * them share (airbyte-cdk). Errors are SL_ERROR_INVALID and name the member: "manifest.streams[1].
 * retriever: …". */

/* What runs them: the distribution on PyPI, and the image by which clients know it. */
#define SL_MANIFEST_PACKAGE "airbyte-cdk"
#define SL_MANIFEST_IMAGE "airbyte/source-declarative-manifest"

/* A configuration with the manifest in it, as the kit reads both from one file; what the
 * configuration has under the kit's own names is left out. */
char *sl_manifest_configure(const char *configuration, const char *manifest, GError **error);

/* The ConnectorSpecification: manifest.spec, its references resolved, in the protocol's spelling.
 */
char *sl_manifest_spec(const SlJsonDoc *doc, GError **error);

/* The version of the kit that the manifest was written for; NULL: it does not say. */
char *sl_manifest_version(const SlJsonDoc *doc);

/* Everything that can be judged without running it: version, type, check, streams, references,
 * specification. */
gboolean sl_manifest_check(const SlJsonDoc *doc, GError **error);

/* The place of the first component whose code is not the kit's own; NULL: there is none. */
char *sl_manifest_find_code(const SlJsonDoc *doc);

/* Which versions of the kit may run a manifest of that version: a requirement of pip,
 * "airbyte-cdk>=6.1.0,<7". */
char *sl_manifest_requirement(const char *version);

/* May that version of the kit run it? */
gboolean sl_manifest_runs_on(const char *version, const char *kit_version);
