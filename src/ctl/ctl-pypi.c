/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-pypi.h"

#include <glib/gi18n.h>

#include "sl-error.h"

void
ctl_pypi_free(CtlPypi *pypi)
{
    if (pypi == NULL)
        return;
    g_free(pypi->name);
    g_free(pypi->version);
    g_free(pypi->script);
    g_free(pypi->tree);
    g_free(pypi);
}

CtlPypi *
ctl_pypi_build(Ctl *ctl, const char *requirement, GError **error)
{
    sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED, _("this version cannot install from PyPI"));
    return NULL;
}

void
ctl_pypi_undo(const CtlPypi *pypi)
{
}

char *
ctl_pypi_missing(void)
{
    return g_strdup(_("this version cannot install from PyPI"));
}
