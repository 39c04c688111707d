/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl.h"

#define CTL_PYPI_TREES "/var/lib/sluice/connectors/pypi"

/* Connectors from PyPI: an environment of wheels, locked by their hashes, built in a sandbox. */

typedef struct {
    char *name; /* of the distribution, normalised: "airbyte-source-faker" */
    char *version;
    char *script;  /* its console script: "source-faker" */
    char *tree;    /* absolute path of its folder */
    gboolean made; /* by us, now: to be taken away when something fails later */
} CtlPypi;

void ctl_pypi_free(CtlPypi *pypi);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlPypi, ctl_pypi_free)

/* The module that an environment is started by: python -I -B -m … */
#define CTL_PYPI_MODULE "sluice_connector"

/* "PACKAGE", "PACKAGE==VERSION" or "PACKAGE>=VERSION,<VERSION" → an environment. Needs root and
 * systemd. */
CtlPypi *ctl_pypi_build(Ctl *ctl, const char *requirement, GError **error);

/* Takes the environment away again, if it was made now. */
void ctl_pypi_undo(const CtlPypi *pypi);

/* What an environment says about itself. */
CtlPypi *ctl_pypi_describe(const char *tree, GError **error);

/* Nothing new is started from it: it goes with a later ctl_pypi_collect(), when nothing runs from
 * it and an hour is over. Paths that are no environment are left alone. */
gboolean ctl_pypi_retire(const char *tree, GError **error);
gboolean ctl_pypi_collect(Ctl *ctl, GError **error);

/* Removes the environment of a connector that nothing uses any more; other paths are left alone. */
gboolean ctl_pypi_remove(const char *tree, GError **error);

/* What this host lacks for it, for people; NULL: nothing. */
char *ctl_pypi_missing(void);
