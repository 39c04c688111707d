/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-credential.h"

/* Where systemd looks for LoadCredentialEncrypted=NAME. */
static const char *const stores[] = {
    "/etc/credstore.encrypted", "/run/credstore.encrypted", "/usr/lib/credstore.encrypted",
    "/etc/credstore",           "/run/credstore",           "/usr/lib/credstore",
};

gboolean
sl_oci_credential_exists(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(stores); i++) {
        g_autofree char *path = g_build_filename(stores[i], SL_OCI_CREDENTIAL, NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return TRUE;
    }
    return FALSE;
}
