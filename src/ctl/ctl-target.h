/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl-trial.h"
#include "ctl.h"

/* The connector that 'connector run' and 'connector test' are about: the path of a program, or the
 * name of an installed one. */
typedef struct {
    CtlTrialTarget trial; /* points into the rest */
    char *role, *launch, *program, *manifest;
} CtlTarget;

/* `role`: "source", "destination", or NULL: from the connector, its name or --type. */
gboolean ctl_target_find(Ctl *ctl, const char *word, const char *role, CtlTarget *ret,
                         GError **error);
void ctl_target_clear(CtlTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CtlTarget, ctl_target_clear)

/* The file that an option names, which must be JSON; NULL when it was not given. */
gboolean ctl_target_read_option(Ctl *ctl, CtlOptionId id, char **ret, GError **error);
