/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* Reads a connector registry in the public shape ({"sources": […], "destinations": […]}):
 * SlRegistryEntry, for each element that is not a tombstone, in order; members that we do not know
 * are left out. Owned by the caller.
 *
 * A registry is taken whole or not at all. SL_ERROR_INVALID names the place:
 * "sources[3] 'Faker': dockerImageTag: is missing", an id that is there twice, or that there is no
 * entry. */
GPtrArray *sl_registry_read(const char *text, gsize len, GError **error);

/* The runtimes that can serve the entry, in the order of `wished` ([Registry] Runtimes=, checked).
 * Free with g_strfreev(). native: a connector of ours that is installed stands in for it. */
char **sl_registry_runtimes(const SlRegistryEntry *entry, const char *wished);

/* SL_ERROR_CONFIG lists the words that there are. */
gboolean sl_registry_check_runtimes(const char *wished, GError **error);

/* Is there something newer than what is installed? FALSE for versions without an order, and for
 * native connectors, which have versions of their own. */
gboolean sl_registry_is_outdated(const SlRegistryEntry *entry);

/* The versions between the installed and the newest one that break something, in order: free with
 * g_strfreev(). */
char **sl_registry_breaking_versions(const SlRegistryEntry *entry);
