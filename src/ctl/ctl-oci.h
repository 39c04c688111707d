/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl.h"

/* Connectors as images, run without an engine: fetched and unpacked in a sandbox (sluice-oci), kept
 * below SL_OCI_STORE (sl-oci-record.h). */

typedef struct {
    char *name;    /* "airbyte/source-faker": how clients find it */
    char *version; /* the tag, or what the image says; else the start of the digest */
    char *type;    /* "source" or "destination", when a bundle says it; else NULL */
    char *title;   /* for people, when a bundle says it; else NULL */
    char *tree;    /* the image's folder in the store */
    gboolean made; /* by us, now: to be taken away when something fails later */
} CtlOci;

void ctl_oci_free(CtlOci *oci);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlOci, ctl_oci_free)

/* The command of definitions of this runtime: what the image says. */
#define CTL_OCI_COMMAND "image"

/* "[HOST/]REPOSITORY[:TAG][@sha256:…]". Needs root, systemd and skopeo. */
CtlOci *ctl_oci_pull(Ctl *ctl, const char *image, GError **error);

/* A file as ctl_oci_bundle(), 'docker save' or 'skopeo copy … oci-archive:' write it. No network.
 */
CtlOci *ctl_oci_load(Ctl *ctl, const char *path, GError **error);

/* Takes the image away again, if it was unpacked now. */
void ctl_oci_undo(const CtlOci *oci);

/* Takes out of use the image of a connector that is no more; other paths are left alone. */
gboolean ctl_oci_remove(const char *tree, GError **error);

/* Deletes images that no connector has for an hour, and layers that no image has. Whoever may not,
 * or finds an install going on, leaves it to the next one. */
gboolean ctl_oci_collect(Ctl *ctl, GError **error);

/* Writes the image in `tree` to a file that other hosts install from; `labels` are NAME=VALUE. */
gboolean ctl_oci_bundle(const char *tree, const char *const *labels, const char *path,
                        GError **error);
gboolean ctl_oci_is_tree(const char *tree);
