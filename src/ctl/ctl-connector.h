/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl-object.h"

/* What is known about a connector: its specification. */

/* The ConnectorSpecification of an installed one. */
SlJsonDoc *ctl_connector_spec(Ctl *ctl, const CtlObject *connector, GError **error);

/* The JSON Schema of its configuration; NULL when it has none. */
const SlJsonNode *ctl_connector_schema(const SlJsonDoc *spec);

/* CTL_KIND_BIT()s of --type, or both. */
guint ctl_connector_kinds(const Ctl *ctl);

/* "airbyte/source-faker" → "source-faker". Borrowed. */
const char *ctl_connector_short_name(const CtlObject *connector);
