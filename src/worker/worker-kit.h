/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* A manifest is run by an environment of airbyte-cdk. One of a workspace has none of its own: it
 * gets the newest of this host that fits the version that it was written for, and keeps it until
 * its manifest changes. Other definitions are left alone. SL_ERROR_NOT_FOUND: there is no such
 * environment; how to have one. */
gboolean worker_kit_ensure(SlTx *tx, SlDefinition *definition, gint64 now, GError **error);
