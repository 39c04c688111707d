/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Credentials of private registries, {"auths": {REGISTRY: {"auth": …}}}: one for all that fetch
 * images, given by systemd (LoadCredentialEncrypted=) to those alone. */
#define SL_OCI_CREDENTIAL "sluice-registry-auth"

/* Missing is no error: most registries are public. */
gboolean sl_oci_credential_exists(void);
