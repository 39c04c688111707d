/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-write.h"

/* References within a manifest: a text "#/definitions/x" stands for what is there; an object with a
 * member "$ref" is what that is, with its own members before. `path` stands in errors. */

/* Follows *node as long as it is such a text. FALSE: it leads nowhere, or round. */
gboolean sl_manifest_follow(const SlJsonDoc *doc, const SlJsonNode **node, const char *path,
                            GError **error);

/* The members of an object, those of what it refers to among them. */
typedef struct SlManifestMembers SlManifestMembers;
SlManifestMembers *sl_manifest_members(const SlJsonDoc *doc, const SlJsonNode *object,
                                       const char *path, GError **error);
const SlJsonNode *sl_manifest_members_get(const SlManifestMembers *members, const char *name);
void sl_manifest_members_free(SlManifestMembers *members);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlManifestMembers, sl_manifest_members_free)

/* Writes the value, everything that is referred to in its place. */
gboolean sl_manifest_write_resolved(const SlJsonDoc *doc, const SlJsonNode *node, const char *path,
                                    SlJsonWriter *w, GError **error);

/* Does every reference of the document lead somewhere, and none round? */
gboolean sl_manifest_check_references(const SlJsonDoc *doc, GError **error);
