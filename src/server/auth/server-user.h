/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Accounts of people. SL_ERROR_NOT_FOUND names the id; a disabled account is there. */
gboolean server_user_load(ServerCtx *ctx, const char *user_id, SlAccount **ret, GError **error);

/* SL_ERROR_INVALID for what is no address. */
gboolean server_user_check_email(const char *email, GError **error);

/* A new link by which the owner of the account sets e-mail and password. The one before, if any,
 * is worthless from now on. */
gboolean server_setup_link_make(ServerCtx *ctx, const char *user_id, SlSetupLink **ret,
                                GError **error);
