/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl.h"

/* A connector as the server is told of it. */
typedef struct {
    char *name;       /* for people */
    char *repository; /* "airbyte/source-faker": how clients find it */
    char *version;
    const char *type; /* "source" or "destination" */
    const char *runtime;
    char *command;
    char *tree;        /* a folder, or an image's name; NULL: none */
    char *kit_version; /* of airbyte-cdk in the tree, when that runs manifests */
    char *alias;       /* the public id that it stands in for; NULL: none */
    char *manifest;    /* JSON; of the runtime "manifest" */
    char *components, *components_sha256;
} CtlRegistration;

void ctl_registration_clear(CtlRegistration *r);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CtlRegistration, ctl_registration_clear)

/* Registers it, in the place of the one that was installed under the same repository before. */
gboolean ctl_register_connector(Ctl *ctl, const CtlRegistration *r, GError **error);
