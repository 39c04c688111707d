/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Path parameters, query and body (JSON, or a form) as one record; a parameter of the path wins
 * over the body. Errors name the property. */
gpointer server_decode(const SlRecord *record, const SlHttpRequest *request,
                       const SlHttpMatch *match, GError **error);
